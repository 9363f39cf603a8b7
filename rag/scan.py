"""What lies in a folder: the files that can be documents, and why the others can not."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pathspec

from rag import loaders
from rag.errors import ConfigError
from rag.loaders import sidecar
from rag.types import Failure

IGNORE_FILE = ".ragignore"


@dataclass(frozen=True, slots=True)
class File:
    """A file that a loader can read, as the folder lists it, and the file of its metadata."""

    path: Path
    size: int
    mtime_ns: int
    sidecar: "File | None" = None

    @property
    def stamp(self) -> tuple[int, int]:
        """Size and time, by which a change is noticed, of it and its sidecar together."""
        if self.sidecar is None:
            return self.size, self.mtime_ns
        return self.size + self.sidecar.size, max(self.mtime_ns, self.sidecar.mtime_ns)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a path holds. Names in `skipped` and `failed` are relative to the path's folder.

    Attributes:
        root: the folder itself, or the folder of a single file.
        whole: the path was a folder, so what is not listed is not there.
        unread: folders that could not be listed; nothing is known of what they hold.
    """

    root: Path
    whole: bool
    files: tuple[File, ...]
    skipped: tuple[Failure, ...]
    failed: tuple[Failure, ...]
    unread: tuple[Path, ...]


def scan(path: Path, exclude: Path) -> Listing:
    """List the files under a path in order of name; links, devices and pipes are not followed.

    Hidden files and folders (".git") are passed over without a word, and so are what the folder's
    .ragignore names (gitignore's syntax) and `exclude`, the folder of the indexes.

    Raises:
        ConfigError: the path does not exist or can not be read.
    """
    try:
        path = path.resolve(strict=True)
        if path.is_dir():
            os.scandir(path).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"{printable(str(path))} can not be read: {reason}; expected a folder or a file of "
            "documents"
        ) from error
    whole = path.is_dir()
    root = path if whole else path.parent
    found = _Found(root)
    if whole:
        _walk(path, exclude.resolve(), found)
    else:
        found.file(path, path.stat(follow_symlinks=False))
        with suppress(FileNotFoundError):
            beside = sidecar.beside(path)
            found.file(beside, beside.stat(follow_symlinks=False))
    found.join_sidecars()
    return Listing(
        root,
        whole,
        tuple(found.files),
        tuple(found.skipped),
        tuple(found.failed),
        tuple(found.unread),
    )


class _Found:
    """Collects what a walk comes upon."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ignored = _ignored(root)
        self.files: list[File] = []
        self.sidecars: dict[Path, File] = {}
        self.skipped: list[Failure] = []
        self.failed: list[Failure] = []
        self.unread: list[Path] = []

    def name(self, path: Path) -> str:
        return printable(path.relative_to(self.root).as_posix())

    def ignores(self, path: Path, entry: os.DirEntry[str]) -> bool:
        name = path.relative_to(self.root).as_posix()
        return self.ignored.match_file(name + "/" * entry.is_dir(follow_symlinks=False))

    def skip(self, path: Path, reason: str) -> None:
        self.skipped.append(Failure(self.name(path), reason))

    def file(self, path: Path, status: os.stat_result) -> None:
        listed = File(path, status.st_size, _storable(status.st_mtime_ns))
        document = sidecar.document_of(path)
        if document is not None and stat.S_ISREG(status.st_mode):
            self.sidecars[document] = listed
        elif reason := _unfit(path, status):
            self.skip(path, reason)
        else:
            self.files.append(listed)

    def join_sidecars(self) -> None:
        """Give each file its sidecar; those that are left belong to no document."""
        for i, file in enumerate(self.files):
            if found := self.sidecars.pop(file.path, None):
                self.files[i] = replace(file, sidecar=found)
        for left in self.sidecars.values():
            self.skip(left.path, loaders.skip_reason(left.path) or "")


def _ignored(root: Path) -> pathspec.GitIgnoreSpec:
    try:
        lines = (root / IGNORE_FILE).read_text(encoding="utf-8").splitlines()
        return pathspec.GitIgnoreSpec.from_lines(lines)
    except FileNotFoundError:
        return pathspec.GitIgnoreSpec.from_lines([])
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{root / IGNORE_FILE} can not be used: {error}; expected gitignore patterns in UTF-8"
        ) from error


def _walk(folder: Path, exclude: Path, found: _Found) -> None:
    # Folders may lie deeper than calls can.
    open_folders = [_entries(folder, found)]
    while open_folders:
        entry = next(open_folders[-1], None)
        if entry is None:
            open_folders.pop()
            continue
        path = Path(entry.path)
        if entry.name.startswith(".") or path == exclude or found.ignores(path, entry):
            continue
        if entry.is_symlink():
            found.skip(path, "is a symbolic link, which is not followed")
        elif entry.is_dir(follow_symlinks=False):
            open_folders.append(_entries(path, found))
        else:
            try:
                found.file(path, entry.stat(follow_symlinks=False))
            except OSError as error:
                found.failed.append(Failure(found.name(path), error.strerror or str(error)))


def _entries(folder: Path, found: _Found) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        found.unread.append(folder)
        found.failed.append(Failure(found.name(folder) + "/", error.strerror or str(error)))


def _unfit(path: Path, status: os.stat_result) -> str | None:
    """Return why a directory entry is no document, or None when it may be one."""
    if not stat.S_ISREG(status.st_mode):
        return "is no regular file"
    if not _is_text(str(path)):
        return "its path is not valid text"
    return loaders.skip_reason(path)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable(name: str) -> str:
    """Return a path with U+FFFD for what is no text in it."""
    return os.fsencode(name).decode("utf-8", "replace")


def _storable(time_ns: int) -> int:
    """Return a time within 64 bits: file systems give times of the year 2400 and after."""
    return min(max(time_ns, -(1 << 63)), (1 << 63) - 1)
