"""What caring for an index writes to it, beyond what an ingest does."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from rag import changes, copies
from rag.copies import CopyRow
from rag.documents import passage_terms
from rag.lexical import encode_terms
from rag.schema import checksum, connect, covered, translating
from rag.store import PASSAGE_COLUMNS, SQL_VARIABLES, require_index
from rag.writer import CHECKPOINT_WAIT_MS, StoreWriter

# See rag.writer.NEXT_VERSION; beyond the version of another database too.
VERSION_BEYOND = """
    UPDATE meta SET value = max(CAST(value AS INTEGER), ?) + 1 + (random() & 0x3FFFFFFF)
    WHERE key = 'version'
"""
TERMS_COLUMN = 9  # among the passage's own columns, after its row


class Caretaker(StoreWriter):
    """Writes an index that is there. The caller holds the write lock."""

    def __init__(self, path: Path) -> None:
        """Open the index in folder `path`, brought to the present schema.

        Raises:
            IndexNotFound: there is none.
            StoreError, IndexCorrupt: it can not be opened.
        """
        require_index(path)
        super().__init__(path, {})

    def drop_damaged_copies(self) -> None:
        """Forget the copies that can not be trusted; the next ingest finds them again."""
        # What is no text must not keep the rest from being read.
        self._connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        try:
            copies.drop_damaged(self._connection)
        finally:
            self._connection.text_factory = str

    def replace_copies(self, rows: Sequence[CopyRow]) -> None:
        """Make these the further files of the documents, and no others."""
        self._connection.execute("DELETE FROM copies")
        self.put_copies(rows)

    def drop_reference(self) -> None:
        """Delete the reference vectors; the next ingest makes them anew."""
        self._connection.execute("DELETE FROM reference")

    def drop_unused_terms(self) -> int:
        """Delete the terms that no passage holds any more; return how many.

        The others keep their ids: what is derived from them stays good.
        """
        used = np.empty(0, dtype="<u4")
        cursor = self._connection.execute("SELECT terms FROM passages")
        while blobs := cursor.fetchmany(SQL_VARIABLES):
            pairs = np.frombuffer(b"".join(blob for (blob,) in blobs), dtype="<u4")
            used = np.union1d(used, pairs[::2])
        known = self._connection.execute("SELECT id FROM vocabulary").fetchall()
        unused = np.setdiff1d(np.array([each for (each,) in known], dtype=np.int64), used)
        self._connection.executemany(
            "DELETE FROM vocabulary WHERE id = ?", [(each,) for each in unused.tolist()]
        )
        return len(unused)

    def rebuild_terms(self) -> None:
        """Make vocabulary and terms anew from the texts of the passages.

        Nothing that was derived before holds any more: the same terms have other numbers.
        """
        self._connection.execute("DELETE FROM vocabulary")
        self._terms.clear()
        rows = self._connection.execute("SELECT row FROM passages ORDER BY row").fetchall()
        for first in range(0, len(rows), SQL_VARIABLES):
            self._rebuild([row for (row,) in rows[first : first + SQL_VARIABLES]])
        self._forgets = True

    def _rebuild(self, rows: Sequence[int]) -> None:
        query = f"""
            SELECT {PASSAGE_COLUMNS} FROM passages p JOIN documents d ON d.id = p.document
            WHERE p.row IN
        """
        records = list(self._select_in(query, rows))
        counted = [passage_terms(record[-3], record[7], record[8]) for record in records]
        ids = self._term_ids({term for terms in counted for term in terms})
        updates: list[tuple[Any, ...]] = []
        for record, terms in zip(records, counted, strict=True):
            row, *fields, _, source, title, language, unit = record
            blob = encode_terms(sorted((ids[term], count) for term, count in terms.items()))
            fields[TERMS_COLUMN] = blob
            found = checksum(*fields, source, title, language, *covered(unit))
            updates.append((blob, found, row))
        self._connection.executemany(
            "UPDATE passages SET terms = ?, checksum = ? WHERE row = ?", updates
        )

    def keep_files(self, states: Iterable[tuple[str, int, int, int, int]]) -> None:
        """Set what is remembered of files: (document id, root, size, mtime_ns, ingested_ns)."""
        self._connection.executemany(
            """
            UPDATE documents SET root = ?2, size = ?3, mtime_ns = ?4, ingested_ns = ?5
            WHERE id = ?1
            """,
            list(states),
        )

    def set_meta(self, values: Iterable[tuple[str, str]]) -> None:
        """Set rows of what is known of the index as a whole."""
        self._connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values))

    def rebuild_indexes(self) -> None:
        """Make SQLite's own indexes anew from their tables."""
        with translating(self.database):
            self._connection.execute("REINDEX")

    def sound(self) -> bool:
        """Tell whether SQLite finds all pages and indexes in order."""
        with translating(self.database):
            found = self._connection.execute("PRAGMA integrity_check(1)").fetchone()
        return bool(found == ("ok",))

    def vacuum(self) -> bool:
        """Write the file anew without gaps; tell whether the log beside it is empty too.

        It is not while a reader is in the middle of something; the next writer empties it.
        """
        with translating(self.database):
            self._connection.execute("VACUUM")
            self._connection.execute(f"PRAGMA busy_timeout = {CHECKPOINT_WAIT_MS}")
            (busy, _, _) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def replace_with(self, database: Path) -> None:
        """Put the contents of another database in the place of all that is here.

        One transaction: whoever reads goes on with the old contents until it is committed, and a
        process that dies leaves them. The version becomes one that neither has had.
        """
        with translating(database), closing(sqlite3.connect(database)) as source:
            (version,) = self._connection.execute(
                "SELECT max(CAST(value AS INTEGER)) FROM meta WHERE key = 'version'"
            ).fetchone()
            advance(database, version or 0)
            source.backup(self._connection)


def advance(database: Path, beyond: int) -> None:
    """Give a database a version that neither it nor an index at version `beyond` has had.

    Nothing leads to it: what is saved for another is of no use.
    """
    with translating(database), closing(connect(database, writable=True)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(VERSION_BEYOND, (beyond,))
        changes.forget(connection)
        connection.execute("COMMIT")
