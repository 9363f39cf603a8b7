"""What an ingest run has to do: files to read, files that are copies of others, what is gone."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rag import loaders
from rag.copies import CopyRow, Place
from rag.groups import Change, Entry
from rag.scan import File
from rag.states import FileState
from rag.store import Root
from rag.types import Failure

Known = Mapping[Place, FileState]
"""What is stored of files, by their places."""


def known_of(states: Iterable[FileState]) -> Known:
    """Return states by their places."""
    return {state.place: state for state in states}


@dataclass(frozen=True, slots=True)
class Work:
    """A file that has to be read, and what is stored of its document.

    Attributes:
        state: None of a new document.
        moved: what is stored was read from another file, which held the same bytes.
        change: what has become of the file itself.
        content_hash: what it must hold, where others are to be copies of it; "" where none are.
    """

    file: File
    root: Root
    source: str
    state: FileState | None
    moved: bool = False
    change: Change = "added"
    content_hash: str = ""

    @property
    def read_anew(self) -> bool:
        """True when its text is wanted even if the file holds the bytes that are stored."""
        return self.moved or (self.state is not None and outdated(self.state))


def outdated(state: FileState) -> bool:
    """Tell whether other loaders than the present ones read a document."""
    return state.loaders != loaders.LOADERS_VERSION


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that is to be stored with the document of another: that at place `of`."""

    entry: Entry
    of: Place


@dataclass(slots=True)
class Plan:
    """What a run has to do, and what it can not do.

    Attributes:
        work: files to read, those first whose documents go from one file to another.
        copies: files to store with the documents of others, when those have been read.
        touched: files whose times have changed, and nothing else.
        unchanged: how many files need no work, the touched ones among them.
        gone: the documents of which no file is left.
        deleted: the sources of files that are gone.
        moved: old and new sources of files.
        dropped: copies that are gone, or hold something else now.
        superseded: documents whose files are with other documents now.
        skipped, failed: what the listings pass over, and could not list.
    """

    work: list[Work] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    touched: list[Entry] = field(default_factory=list)
    unchanged: int = 0
    gone: list[FileState] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)
    dropped: list[FileState] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    skipped: list[Failure] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)


def document_for(copy: Copy, stored: Known) -> str | None:
    """Return the id of the document that a file is a copy of; None if it is not stored so."""
    found = stored.get(copy.of)
    if found is None or found.copy or found.content_hash != copy.entry.content_hash:
        return None
    return found.document_id


def copy_row(copy: Copy, document: str, opened_ns: int) -> CopyRow:
    """Return what is stored of a copy; opened_ns: when the run began, before files were read."""
    file, state = copy.entry.file, copy.entry.state
    if file is not None:
        return CopyRow(document, *copy.entry.place, *file.stamp, opened_ns)
    assert state is not None  # it is known, if it is not listed
    stamp = (state.size, state.mtime_ns, state.ingested_ns)
    return CopyRow(document, *copy.entry.place, *stamp)


def hash_file(file: File) -> str:
    """Return the SHA-256 (hex) of a file; with a sidecar, that of the two files' hashes.

    Raises:
        OSError: it can not be read.
    """
    with file.path.open("rb") as opened:
        own = hashlib.file_digest(opened, "sha256").hexdigest()
    if file.sidecar is None:
        return own
    return hashlib.sha256(f"{own} {hash_file(file.sidecar)}".encode()).hexdigest()
