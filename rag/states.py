"""What the store remembers of files, to tell whether they have changed."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from rag.copies import Place

_FIRST = """
    SELECT d.id, d.root, d.source, d.content_hash, d.size, d.mtime_ns, d.ingested_ns, d.loaders,
        FALSE
    FROM documents d
"""
_FURTHER = """
    SELECT d.id, c.root, c.source, d.content_hash, c.size, c.mtime_ns, c.ingested_ns, d.loaders,
        TRUE
    FROM copies c JOIN documents d ON d.id = c.document
"""
_AT = """
    SELECT id FROM documents WHERE root = ?1 AND source = ?2
    UNION SELECT document FROM copies WHERE root = ?1 AND source = ?2
"""
_OF_SIZE = """
    SELECT id FROM documents WHERE size = ?1 UNION SELECT document FROM copies WHERE size = ?1
"""


@dataclass(frozen=True, slots=True)
class FileState:
    """What is remembered of a file.

    Attributes:
        loaders: the version of the loaders that read its document.
        copy: it holds the same bytes as the file that its document was read from.
    """

    document_id: str
    root: int
    source: str
    content_hash: str
    size: int
    mtime_ns: int
    ingested_ns: int
    loaders: int
    copy: bool = False

    @property
    def place(self) -> Place:
        """Where the file is."""
        return self.root, self.source


def every(connection: sqlite3.Connection) -> list[FileState]:
    """Return the states of all files, copies included."""
    found = connection.execute(f"{_FIRST} UNION ALL {_FURTHER}")
    return [FileState(*record) for record in found]


def about(
    connection: sqlite3.Connection, places: Iterable[Place], sizes: Iterable[int]
) -> list[FileState]:
    """Return the states of all files of those documents that have one at a place, or of a size."""
    documents = {identity for place in places for (identity,) in connection.execute(_AT, place)}
    for size in sizes:
        documents.update(identity for (identity,) in connection.execute(_OF_SIZE, (size,)))
    return [
        FileState(*record)
        for identity in sorted(documents)
        for query in (f"{_FIRST} WHERE d.id = ?", f"{_FURTHER} WHERE c.document = ?")
        for record in connection.execute(query, (identity,))
    ]
