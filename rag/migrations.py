"""From every earlier schema of a database to the next one.

A step changes tables and the rows in them, never what a row says: ids, rows and versions stay, so
that what is derived from the store stays good. `rag.schema.connect` runs the steps that a
database needs in one transaction, when it is opened for writing.

A new step: raise `SCHEMA_VERSION` in `rag.schema`, change `TABLES` there, and add the way from
the version before it here, whose tables `tests/core/test_migrations.py` keeps.
"""

import sqlite3
from collections.abc import Callable, Mapping

Migration = Callable[[sqlite3.Connection], None]


def _units(connection: sqlite3.Connection) -> None:
    """1 to 2: what the pages of a document are. Until then they were pages."""
    connection.execute("ALTER TABLE documents ADD COLUMN unit TEXT NOT NULL DEFAULT 'page'")


def _changes_and_copies(connection: sqlite3.Connection) -> None:
    """2 to 3: a log of changes, and further files of a document.

    The log is empty: what is saved is of the present version, or of no use. Until now each file
    was a document; the next ingest joins those that hold the same bytes.
    """
    connection.execute(
        """
        CREATE TABLE changes(
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            before INTEGER NOT NULL UNIQUE,
            version INTEGER NOT NULL UNIQUE,
            came BLOB NOT NULL,
            gone BLOB NOT NULL,
            checksum BLOB NOT NULL
        )
        """
    )
    connection.execute(
        """
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
        )
        """
    )
    connection.execute("CREATE INDEX copies_document ON copies(document)")


def _loaders(connection: sqlite3.Connection) -> None:
    """3 to 4: which loaders read a document, and files found by their size.

    Until now the same loaders had read all of an index.
    """
    connection.execute("ALTER TABLE documents ADD COLUMN loaders INTEGER NOT NULL DEFAULT 0")
    known = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'loaders'"
    connection.execute(f"UPDATE documents SET loaders = coalesce(({known}), 0)")
    connection.execute("DELETE FROM meta WHERE key = 'loaders'")
    connection.execute("CREATE INDEX documents_size ON documents(size)")
    connection.execute("CREATE INDEX copies_size ON copies(size)")


MIGRATIONS: Mapping[int, Migration] = {1: _units, 2: _changes_and_copies, 3: _loaders}
"""By the version that they start from; each leads to the one after it."""


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a database to a schema version, whole or not at all; nothing if it is of that one.

    The caller holds the write lock.

    Raises:
        KeyError: no step leads there.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        for step in range(found, version):
            MIGRATIONS[step](connection)
        connection.execute(f"PRAGMA user_version = {max(found, version)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
