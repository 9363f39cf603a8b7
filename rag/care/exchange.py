"""Putting one database in the place of an index's own, while others read it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from rag.care import quarantine
from rag.care.caretaker import Caretaker, advance
from rag.errors import IndexCorrupt, IndexMismatch
from rag.schema import translating
from rag.store import DATABASE


def put_in_place(path: Path, draft: Path) -> Path | None:
    """Make the contents of the database `draft` those of the index in folder `path`.

    The caller holds the write lock. Where a database is there, its contents change in one
    transaction, which whoever has it open follows; the file stays. A file in the place of another
    would not do: SQLite would take the log of the old one for that of the new one.

    Returns:
        where the database that was there is now, when it could not be opened; None otherwise.
    Raises:
        StoreError: the disk is full or not writable; the index is as it was.
    """
    moved = None
    if (path / DATABASE).exists():
        try:
            with closing(Caretaker(path)) as caretaker:
                caretaker.replace_with(draft)
            return None
        except (IndexCorrupt, IndexMismatch):
            moved = quarantine.put_database(path)
    advance(draft, 0)
    with translating(draft):
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        for suffix in quarantine.LOGS:
            (path / (DATABASE + suffix)).unlink(missing_ok=True)
        draft.replace(path / DATABASE)
    return moved
