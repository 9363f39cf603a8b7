"""Uploaded files: under opaque ids on disk, by their own names in the database and in citations.

They lie in a folder of the collection's index, which is ingested like any other. A hidden folder:
an ingest of a folder around the indexes takes what is in it for no business of its own.
"""

import json
import os
import secrets
import shutil
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from api.database import ServiceDatabase, now, translating
from rag import loaders
from rag.loaders import sidecar
from rag.store import index_path
from rag.views import Json

FOLDER = ".uploads"
INCOMING = ".incoming-"
LONGEST_NAME = 200
# What a process that died left half received is removed after this time.
STALE_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Received:
    """A file that came whole; `path` is where it lies for now."""

    name: str
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not taken, and why."""

    name: str
    reason: str


# Controls, formats (bidirectional marks among them), halves of characters, line separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def safe_name(given: str) -> str:
    """Return the last part of a file name as it may be shown: one line, nothing invisible."""
    last = given.replace("\\", "/").rstrip("/").rpartition("/")[2]
    seen = (c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c) not in _UNSEEN)
    shown = " ".join("".join(seen).split())
    if len(shown) > LONGEST_NAME:
        stem, dot, suffix = shown.rpartition(".")
        kept = LONGEST_NAME - len(suffix) - 2
        shown = f"{stem[:kept]}…{dot}{suffix}" if kept > 0 else shown[:LONGEST_NAME]
    return shown or "unnamed"


def refusal(name: str) -> str | None:
    """Return why a file of that name can not be ingested, None where it may be."""
    return loaders.skip_reason(Path("x" + _suffix(name)))


def _suffix(name: str) -> str:
    return Path("x" + name).suffix.lower() if name.isprintable() else ""


class Uploads:
    """The uploaded files of a service."""

    def __init__(self, database: ServiceDatabase, index_dir: Path) -> None:
        """Take the database that names them, and the folder of the indexes."""
        self._database = database
        self._index_dir = index_dir

    def folder(self, collection: str) -> Path:
        """Return where the files of a collection lie."""
        return index_path(self._index_dir, collection) / FOLDER

    @contextmanager
    def incoming(self, collection: str) -> Iterator[Path]:
        """Give a folder to receive files in; it goes with all that was not kept."""
        folder = self.folder(collection)
        draft = folder / (INCOMING + secrets.token_hex(8))
        with translating(folder):
            draft.mkdir(parents=True)
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def keep(self, collection: str, files: list[Received]) -> list[Json]:
        """Put files where they are ingested from; one of a known name takes its place.

        Returns:
            `{"id", "name", "size"}` of each.
        Raises:
            StoreError: the disk is full or not writable.
        """
        folder = self.folder(collection)
        kept = []
        with translating(folder):
            for file in files:
                identity = self._identity(collection, file)
                path = folder / (identity + _suffix(file.name))
                beside = sidecar.beside(path)
                draft = file.path.with_name("sidecar")
                told = {"title": file.name, "filename": file.name}
                draft.write_text(json.dumps(told), encoding="utf-8")
                os.replace(draft, beside)
                os.replace(file.path, path)
                kept.append({"id": identity, "name": file.name, "size": file.size})
            _to_disk(folder)
        return kept

    def _identity(self, collection: str, file: Received) -> str:
        with self._database.writing() as connection:
            known = connection.execute(
                "SELECT id FROM uploads WHERE collection = ? AND name = ?", (collection, file.name)
            ).fetchone()
            identity: str = known[0] if known else secrets.token_hex(12)
            connection.execute(
                "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?, ?, ?)",
                (identity, collection, file.name, file.size, file.sha256, now()),
            )
        return identity

    def names(self, collection: str) -> dict[str, str]:
        """Return the name of each upload of a collection by the name of its file on disk."""
        if not self._database.exists():
            return {}
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT id, name FROM uploads WHERE collection = ?", (collection,)
            ).fetchall()
        return {identity + _suffix(name): name for identity, name in found}

    @contextmanager
    def without(self, collection: str, file: Path) -> Iterator[None]:
        """Hide a file from ingests; for good, unless what is done meanwhile fails.

        A process that dies in between leaves it hidden, so that the next ingest deletes its
        document. Files that were not uploaded stay as they are.
        """
        if file.parent != self.folder(collection).resolve():
            yield
            return
        hidden = file.with_name(".gone-" + file.name)
        with suppress(FileNotFoundError):
            file.replace(hidden)
        try:
            yield
        except BaseException:
            with suppress(FileNotFoundError):
                hidden.replace(file)
            raise
        hidden.unlink(missing_ok=True)
        sidecar.beside(file).unlink(missing_ok=True)
        with self._database.writing() as connection:
            connection.execute("DELETE FROM uploads WHERE id = ?", (file.stem,))

    def tidy(self) -> None:
        """Remove what was received half by processes that died."""
        before = time.time() - STALE_SECONDS
        for draft in self._index_dir.glob(f"*/{FOLDER}/{INCOMING}*"):
            with suppress(OSError):
                if draft.stat().st_mtime < before:
                    shutil.rmtree(draft, ignore_errors=True)


def _to_disk(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
