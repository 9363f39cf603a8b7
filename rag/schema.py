"""The tables of an index, and the connection that every part of the store uses.

WAL with synchronous=FULL: a transaction that has returned survives a power cut. secure_delete
overwrites what is deleted. Every row that carries content carries a checksum over it.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import IndexCorrupt, IndexMismatch, StoreError
from rag.migrations import MIGRATIONS, migrate

SCHEMA_VERSION = 4
WRITER_CACHE_KIB = 65_536

TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- A folder that was ingested, or from which a file was.
CREATE TABLE roots(id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);

CREATE TABLE documents(
    id TEXT PRIMARY KEY,
    root INTEGER NOT NULL REFERENCES roots(id),
    source TEXT NOT NULL,
    title TEXT NOT NULL,
    language TEXT NOT NULL,
    date TEXT NOT NULL,
    metadata TEXT NOT NULL,
    headings TEXT NOT NULL,
    pages TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    ingested_ns INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    unit TEXT NOT NULL DEFAULT 'page',
    loaders INTEGER NOT NULL DEFAULT 0, -- the version of the loaders that read the file
    UNIQUE(root, source)
) WITHOUT ROWID;
CREATE INDEX documents_size ON documents(size);

-- A further file that holds the same bytes as that of a document, which is stored once for all.
CREATE TABLE copies(
    row INTEGER PRIMARY KEY,
    root INTEGER NOT NULL REFERENCES roots(id),
    source TEXT NOT NULL,
    document TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    ingested_ns INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    UNIQUE(root, source)
);
CREATE INDEX copies_document ON copies(document);
CREATE INDEX copies_size ON copies(size);

-- The text of a document in stretches, so that a long one is never read or written whole.
CREATE TABLE segments(
    document TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    start INTEGER NOT NULL,
    text TEXT NOT NULL,
    checksum BLOB NOT NULL,
    PRIMARY KEY(document, start)
) WITHOUT ROWID;

-- row is never used twice: what is derived from the store names passages by it.
CREATE TABLE passages(
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    page INTEGER,
    page_starts TEXT NOT NULL,
    section TEXT NOT NULL,
    text TEXT NOT NULL,
    vector_key BLOB NOT NULL,
    terms BLOB NOT NULL,
    checksum BLOB NOT NULL
);
CREATE INDEX passages_document ON passages(document);
CREATE INDEX passages_vector ON passages(vector_key);

-- One vector for each embedded text, however many passages share it.
CREATE TABLE vectors(
    key BLOB PRIMARY KEY,
    vector BLOB NOT NULL,
    checksum BLOB NOT NULL
) WITHOUT ROWID;

-- The vectors of rag.reference, by which relevance is measured.
CREATE TABLE reference(
    language TEXT PRIMARY KEY,
    vectors BLOB NOT NULL,
    checksum BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE vocabulary(id INTEGER PRIMARY KEY, term TEXT NOT NULL UNIQUE);

-- Which passages came and went with each commit since what is derived was saved (rag.changes):
-- their rows, eight bytes each. A record follows upon the one whose version is its before.
CREATE TABLE changes(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    before INTEGER NOT NULL UNIQUE,
    version INTEGER NOT NULL UNIQUE,
    came BLOB NOT NULL,
    gone BLOB NOT NULL,
    checksum BLOB NOT NULL
);
"""


def checksum(*fields: object) -> bytes:
    """Return eight bytes over the fields, each delimited, so that moving a border shows."""
    digest = hashlib.blake2b(digest_size=8)
    for field in fields:
        data = field if isinstance(field, bytes) else str(field).encode("utf-8")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.digest()


def covered(unit: str) -> tuple[str, ...]:
    """Return what a checksum covers of a unit: nothing of "page", else the unit.

    Rows of schema version 1, which knew pages only, keep their checksums.
    """
    return () if unit == "page" else (unit,)


@contextmanager
def translating(path: Path) -> Iterator[None]:
    """Turn SQLite's and the file system's errors into ours, naming the file and the remedy."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if _shows_damage(error):
            raise _damaged(path, error) from error
        raise StoreError(f"{path} can not be used: {error}; {_remedy(str(error))}") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        # The second: SQLite's own message quotes a byte of the damage.
        raise _damaged(path, error) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"{path} can not be used: {reason}; {_remedy(reason)}") from error


def _shows_damage(error: sqlite3.OperationalError) -> bool:
    """Tell errors of what is stored (a table is not there, a text is no text) from the disk's."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code == sqlite3.SQLITE_ERROR


def _damaged(path: Path, error: Exception | str) -> IndexCorrupt:
    return IndexCorrupt(
        f"{path} is damaged: {error}; see what is wrong with 'rag verify', then run 'rag repair' "
        "or restore a snapshot"
    )


def _remedy(reason: str) -> str:
    reason = reason.lower()
    if "full" in reason or "no space" in reason:
        return "free some space and run it again, what was committed is kept"
    if "readonly" in reason or "permission" in reason or "unable to open" in reason:
        return "check the folder's permissions, or choose another with --index-dir"
    if "no such file" in reason:
        return "check its name"
    if "locked" in reason:
        return "wait for the other process, then run it again"
    return "check the disk and run it again"


def connect(path: Path, *, writable: bool) -> sqlite3.Connection:
    """Open a database that exists; for writing, it is brought to the present schema first.

    The caller holds the write lock if `writable`.

    Raises:
        StoreError: it can not be opened.
        IndexCorrupt: it is no database of ours.
        IndexMismatch: it has an earlier schema, and is opened for reading, or a later one.
    """
    with translating(path):
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=10.0, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA synchronous = FULL")
            if writable:
                # What one transaction writes lies all over the tables of a large index.
                connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
            else:
                connection.execute("PRAGMA query_only = ON")
            connection.create_function("casefold", 1, str.casefold, deterministic=True)
            _check_version(connection, path, writable=writable)
        except BaseException:
            connection.close()
            raise
    return connection


def _check_version(connection: sqlite3.Connection, path: Path, *, writable: bool) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found in MIGRATIONS and writable:
        migrate(connection, SCHEMA_VERSION)
    elif found in MIGRATIONS:
        raise IndexMismatch(
            f"{path} has schema version {found}, an earlier one than {SCHEMA_VERSION}, which this "
            f"program reads; bring it up to date with 'rag migrate --index {path.parent.name}'"
        )
    elif found > SCHEMA_VERSION:
        raise IndexMismatch(
            f"{path} has schema version {found}, a later one than {SCHEMA_VERSION}, which this "
            "program knows; use the program that made it, or ingest into another index"
        )
    elif found != SCHEMA_VERSION:
        raise _damaged(path, f"schema version {found} is none")


def create(path: Path, meta: dict[str, str]) -> None:
    """Make an empty database with the given meta rows, whole or not at all.

    It is built under another name and renamed: a process that dies here leaves no index, never
    half of one.
    """
    draft = path.with_suffix(".new")
    with translating(path):
        draft.unlink(missing_ok=True)
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript("BEGIN IMMEDIATE;" + TABLES)
            connection.executemany("INSERT INTO meta VALUES (?, ?)", sorted(meta.items()))
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        draft.replace(path)
