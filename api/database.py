"""The service's own database: keys, answers, feedback, jobs and uploads, beside the indexes.

It is no part of any index: restoring an index brings no revoked key back. WAL with
synchronous=FULL, like the store of an index: what was committed survives a power cut.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rag.errors import StoreError
from rag.migrations import Migration

DATABASE = "service.sqlite3"
SCHEMA_VERSION = 1
BUSY_SECONDS = 10.0

TABLES = """
-- A token is never stored: `digest` is what it is compared with. Keys are revoked, not deleted.
CREATE TABLE keys(
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    scopes TEXT NOT NULL,
    collections TEXT,
    created TEXT NOT NULL,
    revoked TEXT
) WITHOUT ROWID;

-- `key` is of whoever asked, NULL where no keys are in use.
CREATE TABLE answers(
    id TEXT PRIMARY KEY,
    key TEXT,
    collection TEXT NOT NULL,
    created TEXT NOT NULL,
    body TEXT NOT NULL,
    sources TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX answers_created ON answers(created);
CREATE INDEX answers_collection ON answers(collection);

CREATE TABLE feedback(
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    key TEXT,
    collection TEXT NOT NULL,
    created TEXT NOT NULL,
    answer TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX feedback_collection ON feedback(collection);

CREATE TABLE uploads(
    id TEXT PRIMARY KEY,
    collection TEXT NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    created TEXT NOT NULL,
    UNIQUE(collection, name)
) WITHOUT ROWID;

CREATE TABLE jobs(
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    collection TEXT NOT NULL,
    created TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    finished TEXT,
    files TEXT NOT NULL,
    progress TEXT NOT NULL,
    report TEXT,
    error TEXT
);
CREATE INDEX jobs_state ON jobs(state, number);
"""

MIGRATIONS: dict[int, Migration] = {}
"""By the version that they start from; each leads to the one after it."""


def now() -> str:
    """Return the time as it is stored: UTC, ISO 8601, sorting as text like the times do."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class ServiceDatabase:
    """One file; safe to share between threads, and between the processes of a service."""

    def __init__(self, path: Path) -> None:
        """Take the place of the file, which is made when something is first written."""
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._checked = False

    def exists(self) -> bool:
        """Tell whether anything was ever written."""
        with translating(self.path):
            return self.path.exists()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection inside one read transaction.

        Raises:
            StoreError: it can not be read, or a later program made it.
        """
        with self._connection() as connection, translating(self.path):
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection inside a transaction that is committed at the end, or not at all.

        Raises:
            StoreError: it can not be written.
        """
        with self._connection() as connection, translating(self.path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            with translating(self.path), self._lock:
                connection = self._open()
        try:
            yield connection
        finally:
            with self._lock:
                self._idle.append(connection)

    def _open(self) -> sqlite3.Connection:
        if not self._checked:
            _prepare(self.path)
            self._checked = True
        return _connect(self.path)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def _prepare(path: Path) -> None:
    """Make the tables where there are none, and bring earlier ones to the present schema."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Questions and digests are nobody else's business.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    with closing(_connect(path)) as connection:
        _use_wal(connection)
        connection.execute("BEGIN IMMEDIATE")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found > SCHEMA_VERSION:
            raise StoreError(
                f"{path} has schema version {found}, a later one than {SCHEMA_VERSION}, which "
                "this program knows; use the program that made it"
            )
        if found == 0:
            for statement in TABLES.split(";"):
                connection.execute(statement)
        for step in range(max(found, 1), SCHEMA_VERSION):
            MIGRATIONS[step](connection)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; of several processes that start at once, SQLite lets all but one fail."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


@contextmanager
def translating(path: Path) -> Iterator[None]:
    """Turn SQLite's and the file system's errors into StoreError, naming the file."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreError(
            f"{path} can not be used: {reason}; check the disk and the folder's permissions"
        ) from error
