"""The rows of a store that tell which further files hold what is stored of one document.

A copy is a file with the same bytes, and of the same kind, as the one a document was read from.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rag.schema import checksum

Place = tuple[int, str]
"""Where a file is: the id of its root, and its source."""

COLUMNS = "document, root, source, size, mtime_ns, ingested_ns, checksum"


@dataclass(frozen=True, slots=True)
class CopyRow:
    """A further file of a document, and its state when it was last read."""

    document: str
    root: int
    source: str
    size: int
    mtime_ns: int
    ingested_ns: int

    @property
    def checksum(self) -> bytes:
        """What is stored with it, over what is shown of it."""
        return checksum(self.document, self.root, self.source)


def put(connection: sqlite3.Connection, rows: Iterable[CopyRow]) -> None:
    """Store further files of documents, in the place of what was stored of these files."""
    connection.executemany(
        f"INSERT OR REPLACE INTO copies({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (r.document, r.root, r.source, r.size, r.mtime_ns, r.ingested_ns, r.checksum)
            for r in rows
        ],
    )


def drop(connection: sqlite3.Connection, places: Iterable[Place]) -> None:
    """Forget that these files hold what documents hold."""
    connection.executemany("DELETE FROM copies WHERE root = ? AND source = ?", list(places))


def of(connection: sqlite3.Connection, document: str) -> Iterator[tuple[CopyRow, bool]]:
    """Yield the further files of a document in order, and whether each is as it was written."""
    query = f"SELECT {COLUMNS} FROM copies WHERE document = ? ORDER BY root, source"
    for *fields, found in connection.execute(query, (document,)):
        row = CopyRow(*fields)
        yield row, _whole(row, found)


def damaged(connection: sqlite3.Connection) -> Iterator[tuple[int, str, str]]:
    """Yield the row, the source, and what is wrong, of each row that can not be trusted.

    Whatever a value is, as of a file that was damaged.
    """
    query = f"""
        SELECT c.row, {", ".join("c." + name for name in COLUMNS.split(", "))},
            d.id IS NULL, r.id IS NULL, p.id IS NOT NULL
        FROM copies c LEFT JOIN documents d ON d.id = c.document
        LEFT JOIN roots r ON r.id = c.root
        LEFT JOIN documents p ON p.root = c.root AND p.source = c.source
        ORDER BY c.row
    """
    for number, *fields, found, orphan, homeless, taken in connection.execute(query):
        row = CopyRow(*fields)
        if not _whole(row, found):
            yield number, str(row.source), "does not match its checksum"
        elif orphan:
            yield number, row.source, "is a copy of no document"
        elif homeless:
            yield number, row.source, "is of no known folder"
        elif taken:
            yield number, row.source, "is a document of its own, too"


def _whole(row: CopyRow, found: bytes) -> bool:
    try:
        return row.checksum == found
    except UnicodeEncodeError:  # bytes that are no text
        return False


def drop_damaged(connection: sqlite3.Connection) -> int:
    """Delete the rows that can not be trusted; return how many."""
    rows = [(number,) for number, _, _ in damaged(connection)]
    connection.executemany("DELETE FROM copies WHERE row = ?", rows)
    return len(rows)


def every(connection: sqlite3.Connection) -> Iterator[tuple[CopyRow, bool]]:
    """Yield all rows, and whether each is as it was written."""
    for *fields, found in connection.execute(f"SELECT {COLUMNS} FROM copies ORDER BY root, source"):
        row = CopyRow(*fields)
        yield row, _whole(row, found)
