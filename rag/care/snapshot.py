"""A copy of an index in one file, made while others read and write it; and the way back."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import rag
from rag import derived
from rag.care.exchange import put_in_place
from rag.care.package import Manifest, file_digest, pack, unpack
from rag.care.verify import verify_database
from rag.errors import ConfigError, IndexCorrupt
from rag.schema import connect, translating
from rag.store import DATABASE, Store
from rag.writer import write_lock

DRAFT = "restoring"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore put in place.

    Attributes:
        moved: where the database that was there is now, when it could not be opened.
    """

    manifest: Manifest
    moved: Path | None


def snapshot(path: Path, file: Path, *, replace: bool = False) -> Manifest:
    """Write the index in folder `path`, as it is now, to a file; all of it is checked first.

    No lock is held: an ingest beside it goes on, and its later commits are not in the file.

    Raises:
        IndexNotFound: there is no index.
        IndexCorrupt: the index is damaged; no file is written.
        ConfigError: the file is there and is not to be replaced, or would be in the index.
        StoreError: the disk is full or not writable.
    """
    if file.exists() and not replace:
        raise ConfigError(f"{file} is there already; name another file, or confirm with --yes")
    if file.resolve().is_relative_to(path.resolve()):
        raise ConfigError(f"{file} is inside the index; name a file elsewhere")
    draft = file.with_name(file.name + ".database")
    try:
        with closing(Store(path)) as store, translating(file):
            draft.unlink(missing_ok=True)
            _copy(store, draft)
            if findings := verify_database(draft):
                raise IndexCorrupt(
                    f"index {path.name!r} is damaged: {findings[0].where} "
                    f"{findings[0].problem}; no snapshot was written: see 'rag verify'"
                )
            manifest = _manifest(path.name, draft)
        pack(draft, manifest, file)
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def _copy(store: Store, target: Path) -> None:
    """Copy one version of the store, by SQLite's online backup."""
    with store.reading() as connection, closing(sqlite3.connect(target)) as copy:
        connection.backup(copy)
        # One file, without a log beside it.
        copy.execute("PRAGMA journal_mode = DELETE")


def _manifest(index: str, database: Path) -> Manifest:
    with closing(connect(database, writable=False)) as connection:
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        (documents,) = connection.execute("SELECT count(*) FROM documents").fetchone()
        (passages,) = connection.execute("SELECT count(*) FROM passages").fetchone()
    return Manifest(
        index=index,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        program=rag.__version__,
        embedder=meta["embedder"],
        documents=documents,
        passages=passages,
        sha256=file_digest(database),
        bytes=database.stat().st_size,
    )


def restore(path: Path, file: Path, *, replace: bool = False) -> Restored:
    """Make the index in folder `path` what a snapshot holds, whole or not at all.

    The snapshot is read and checked whole before anything changes. Its version becomes one that
    the index has never had, so that whoever has it open sees that it is another.

    Raises:
        ConfigError: there is an index already, and it is not to be replaced.
        IndexCorrupt: the snapshot is damaged.
        IndexLocked: another process is writing.
        StoreError: the disk is full or not writable.
    """
    if not replace and (path / DATABASE).exists():
        raise ConfigError(
            f"there is an index {path.name!r} already; nothing was changed: confirm with --yes, "
            "or restore under another name with --index"
        )
    with translating(file), file.open("rb"):
        pass  # a file that is not there is told before a folder is made
    with write_lock(path):
        folder = path / DRAFT
        with translating(folder):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        try:
            manifest = unpack(file, folder / DATABASE)
            _check(file, folder / DATABASE)
            moved = put_in_place(path, folder / DATABASE)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        with closing(Store(path)) as store:
            derived.save(store)
    return Restored(manifest, moved)


def _check(file: Path, database: Path) -> None:
    """Bring a database to the present schema, and refuse one that is not as it was written."""
    connect(database, writable=True).close()
    if findings := verify_database(database):
        raise IndexCorrupt(
            f"{file} is damaged: {findings[0].where} {findings[0].problem}; take another copy, "
            "nothing was changed"
        )
