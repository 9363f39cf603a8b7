"""The durable truth of an index, write side: one writer at a time, whole documents at a time."""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from rag import changes, copies
from rag.changes import Commit
from rag.copies import CopyRow, Place
from rag.errors import IndexLocked
from rag.protocols import Vectors
from rag.scan import File
from rag.schema import checksum, connect, covered, create, translating
from rag.store import DATABASE, SQL_VARIABLES, Root
from rag.types import Document

SEGMENT_CHARACTERS = 65_536

CHECKPOINT_WAIT_MS = 200

TERMS_HELD = 100_000

# By a random step: an index made anew, or restored from a copy, must not come to a version for
# which something else is saved in `derived/`.
NEXT_VERSION = """
    UPDATE meta SET value = CAST(value AS INTEGER) + 1 + (random() & 0x3FFFFFFF)
    WHERE key = 'version'
"""


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage on its way into the store; `terms` are the analyser's, with their counts."""

    id: str
    start: int
    end: int
    page: int | None
    page_starts: tuple[int, ...]
    section: str
    text: str
    vector_key: bytes
    terms: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document with its passages, the file it was read from, and the version of the loaders."""

    document: Document
    root: int
    date: str
    size: int
    mtime_ns: int
    passages: tuple[NewPassage, ...]
    loaders: int


@contextmanager
def write_lock(path: Path) -> Iterator[None]:
    """Hold the index for writing; the kernel lets go of the lock when the process dies.

    Raises:
        IndexLocked: another process holds it.
        StoreError: the folder can not be written.
    """
    with translating(path):
        path.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path / "write.lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise IndexLocked(
                f"index {path.name!r} is being written by another process; "
                "wait until it has finished, then run it again"
            ) from None
    try:
        yield
    finally:
        lock.release()


class StoreWriter:
    """Writes one index. The caller holds `write_lock`."""

    def __init__(self, path: Path, meta: Mapping[str, str]) -> None:
        """Open the index in folder `path`, making it with `meta` where there is none.

        Raises:
            StoreError, IndexCorrupt: it can not be opened or made.
        """
        self.database = path / DATABASE
        if not self.database.exists():
            create(self.database, {**meta, "version": "0"})
        self._connection = connect(self.database, writable=True)
        # Files are read later than this: one that changes meanwhile is newer.
        self.opened_ns = time.time_ns()
        self._loose: set[bytes] = set()
        self._commit = Commit()
        self._forgets = False
        self.grown = 0
        """By how many passages the index has grown through what this writer has committed."""
        # Those looked up in this transaction: most passages of a text share most terms.
        self._terms: dict[str, int] = {}

    def close(self) -> None:
        """Close the connection; nothing uncommitted is kept.

        What was deleted leaves the file, and the log beside it, even while others read; only
        pages that an open transaction still reads stay until the next writer closes. The list of
        terms keeps those of deleted documents: first letters of words, and numbers.
        """
        with suppress(sqlite3.Error):
            self._connection.execute(f"PRAGMA busy_timeout = {CHECKPOINT_WAIT_MS}")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    @contextmanager
    def transaction(self, *, changes_content: bool = True) -> Iterator[None]:
        """Commit all that is written inside, or none of it.

        A change of content gives the store a new version, from which readers know it, and the log
        of changes a record of how it was reached.
        """
        with translating(self.database):
            self._connection.execute("BEGIN IMMEDIATE")
            self._loose.clear()
            self._commit = Commit()
            self._forgets = False
            self._terms.clear()
            try:
                before = changes.present_version(self._connection)
                yield
                self._drop_orphans()
                if changes_content or self._commit.came or self._commit.gone:
                    self._connection.execute(NEXT_VERSION)
                    if self._forgets:
                        changes.forget(self._connection)
                    else:
                        changes.record(self._connection, before, self._commit)
                self._connection.execute("COMMIT")
                self.grown += self._commit.new - len(self._commit.gone)
            except BaseException:
                # SQLite has rolled back by itself after some errors, a full disk among them.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def put_reference(self, reference: Mapping[str, Vectors]) -> None:
        """Store the vectors of the sentences of `rag.reference`, (n, dim) for each language."""
        rows = (
            (language, np.ascontiguousarray(vectors, dtype="<f4").tobytes())
            for language, vectors in reference.items()
        )
        self._connection.executemany(
            "INSERT OR REPLACE INTO reference VALUES (?, ?, ?)",
            [(language, vectors, checksum(language, vectors)) for language, vectors in rows],
        )

    # -- roots ------------------------------------------------------------------------------

    def put_roots(self, roots: Sequence[Root]) -> None:
        """Remember folders."""
        self._connection.executemany(
            "INSERT INTO roots(id, path) VALUES (?, ?)",
            [(root.id, str(root.path)) for root in roots],
        )

    # -- documents --------------------------------------------------------------------------

    def known_vectors(self, keys: Sequence[bytes]) -> set[bytes]:
        """Return those keys whose vectors are stored already."""
        query = "SELECT key FROM vectors WHERE key IN"
        with translating(self.database):
            return {key for (key,) in self._select_in(query, list(keys))}

    def put_vectors(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Store one vector a key; (n, dim) float32 in the order of keys."""
        rows = (np.ascontiguousarray(vector, dtype="<f4").tobytes() for vector in vectors)
        self._connection.executemany(
            "INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)",
            [(key, row, checksum(row)) for key, row in zip(keys, rows, strict=True)],
        )

    def mark_unfinished(self) -> None:
        """Remember that vectors are stored whose passages are still to come."""
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('unfinished', '1')")

    def finish(self) -> None:
        """Delete the vectors of a long document that never came, if such were stored."""
        mark = "SELECT 1 FROM meta WHERE key = 'unfinished'"
        if self._connection.execute(mark).fetchone() is None:
            return
        with self.transaction(changes_content=False):
            self.drop_unused_vectors()
            self._connection.execute("DELETE FROM meta WHERE key = 'unfinished'")

    def drop_unused_vectors(self) -> int:
        """Delete vectors that belong to no passage; return how many."""
        query = """
            DELETE FROM vectors
            WHERE NOT EXISTS (SELECT 1 FROM passages WHERE vector_key = vectors.key)
        """
        return self._connection.execute(query).rowcount

    def put_document(self, new: NewDocument, more: Iterable[Sequence[NewPassage]] = ()) -> None:
        """Add a document, or replace it; passages that stay the same keep their rows.

        Args:
            more: further passages, of a document that has too many to be held at once.
        """
        document = new.document
        self._make_room((new.root, document.source), document.id)
        content = (
            document.source,
            document.title,
            document.language,
            new.date,
            json.dumps(dict(document.metadata), ensure_ascii=False, sort_keys=True),
            json.dumps([(h.start, h.level, h.title) for h in document.headings]),
            json.dumps(document.pages),
            document.content_hash,
        )
        file = (new.size, new.mtime_ns, self.opened_ns)
        query = "SELECT language FROM documents WHERE id = ?"
        before = self._connection.execute(query, (document.id,)).fetchone()
        self._connection.execute(
            f"""
            INSERT INTO documents VALUES ({", ".join("?" * 16)})
            ON CONFLICT(id) DO UPDATE SET root = excluded.root, source = excluded.source,
                title = excluded.title, language = excluded.language, date = excluded.date,
                metadata = excluded.metadata,
                headings = excluded.headings, pages = excluded.pages,
                content_hash = excluded.content_hash, size = excluded.size,
                mtime_ns = excluded.mtime_ns, ingested_ns = excluded.ingested_ns,
                checksum = excluded.checksum, unit = excluded.unit, loaders = excluded.loaders
            """,
            (
                document.id,
                new.root,
                *content,
                *file,
                checksum(document.id, *content, len(document.text), *covered(document.unit)),
                document.unit,
                new.loaders,
            ),
        )
        self._put_text(document)
        renewed = before is not None and before != (document.language,)
        self._put_passages(document, chain([new.passages], more), renewed=renewed)

    def touch(self, place: Place, file: File) -> None:
        """Remember that a file with a new time still has the content that is stored."""
        for table in ("documents", "copies"):
            self._connection.execute(
                f"""
                UPDATE {table} SET size = ?, mtime_ns = ?, ingested_ns = ?
                WHERE root = ? AND source = ?
                """,
                (*file.stamp, self.opened_ns, *place),
            )

    def put_copies(self, rows: Sequence[CopyRow]) -> None:
        """Remember further files of documents; documents that were read from them are deleted."""
        for row in rows:
            self._make_room((row.root, row.source), row.document)
        copies.put(self._connection, rows)

    def drop_copies(self, places: Iterable[Place]) -> None:
        """Forget further files of documents."""
        copies.drop(self._connection, places)

    def _make_room(self, place: Place, document: str) -> None:
        """Take a place from other documents: what a file holds is of one document only."""
        query = "SELECT id FROM documents WHERE root = ? AND source = ? AND id <> ?"
        others = self._connection.execute(query, (*place, document)).fetchall()
        self.delete_documents(identity for (identity,) in others)
        copies.drop(self._connection, [place])

    def delete_documents(self, identities: Iterable[str]) -> None:
        """Delete documents with their text, passages, and vectors that no passage shares.

        All of their files are forgotten.
        """
        for identity in identities:
            self._drop_passages(identity, kept=set())
            self._connection.execute("DELETE FROM copies WHERE document = ?", (identity,))
            self._connection.execute("DELETE FROM segments WHERE document = ?", (identity,))
            self._connection.execute("DELETE FROM documents WHERE id = ?", (identity,))

    def _put_text(self, document: Document) -> None:
        self._connection.execute("DELETE FROM segments WHERE document = ?", (document.id,))
        starts = range(0, len(document.text), SEGMENT_CHARACTERS)
        segments = ((start, document.text[start : start + SEGMENT_CHARACTERS]) for start in starts)
        self._connection.executemany(
            "INSERT INTO segments VALUES (?, ?, ?, ?)",
            (
                (document.id, start, text, checksum(document.id, start, text))
                for start, text in segments
            ),
        )

    def _put_passages(
        self, document: Document, batches: Iterable[Sequence[NewPassage]], *, renewed: bool
    ) -> None:
        """Store a document's passages; `renewed`: those that stay are searched otherwise too."""
        kept: set[str] = set()
        for passages in batches:
            term_ids = self._term_ids({term for passage in passages for term in passage.terms})
            for passage in passages:
                row, searched = self._put_passage(document, passage, term_ids)
                if searched or renewed:
                    self._commit.came.append(row)
            kept.update(passage.id for passage in passages)
        self._drop_passages(document.id, kept)

    def _drop_passages(self, document_id: str, kept: set[str]) -> None:
        query = "SELECT id, row, vector_key FROM passages WHERE document = ?"
        dropped: list[tuple[int]] = []
        for identity, row, key in self._connection.execute(query, (document_id,)):
            self._loose.add(key)
            if identity not in kept:
                dropped.append((row,))
        self._connection.executemany("DELETE FROM passages WHERE row = ?", dropped)
        self._commit.gone.extend(row for (row,) in dropped)

    def _put_passage(
        self, document: Document, passage: NewPassage, term_ids: Mapping[str, int]
    ) -> tuple[int, bool]:
        """Store a passage; return its row, and whether it is new or has other terms or vector."""
        shown = (document.source, document.title, document.language)
        pairs = sorted((term_ids[term], count) for term, count in passage.terms.items())
        fields = (
            passage.id,
            document.id,
            passage.start,
            passage.end,
            passage.page,
            json.dumps(passage.page_starts),
            passage.section,
            passage.text,
            passage.vector_key,
            np.array(pairs, dtype="<u4").tobytes(),
        )
        query = "SELECT row, vector_key, terms FROM passages WHERE id = ?"
        known = self._connection.execute(query, (passage.id,)).fetchone()
        cursor = self._connection.execute(
            """
            INSERT INTO passages(
                id, document, start, "end", page, page_starts, section, text, vector_key, terms,
                checksum)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT(id) DO UPDATE SET start = excluded.start, "end" = excluded."end",
                page = excluded.page, page_starts = excluded.page_starts,
                section = excluded.section,
                vector_key = excluded.vector_key, terms = excluded.terms,
                checksum = excluded.checksum
            """,
            # What a hit shows of its document is covered too.
            (*fields, checksum(*fields, *shown, *covered(document.unit))),
        )
        if known is not None:
            row, *searched = known
            self._loose.add(searched[0])
            return row, tuple(searched) != fields[-2:]
        assert cursor.lastrowid is not None
        self._commit.new += 1
        return cursor.lastrowid, True

    def _drop_orphans(self) -> None:
        """Delete the vectors that lost a passage in this transaction and have none left.

        At its end: a text that goes from one document may have come to another.
        """
        self._connection.executemany(
            """
            DELETE FROM vectors WHERE key = ?1
            AND NOT EXISTS (SELECT 1 FROM passages WHERE vector_key = ?1)
            """,
            [(key,) for key in sorted(self._loose)],
        )

    def _term_ids(self, terms: set[str]) -> dict[str, int]:
        """Return the ids of terms; those that the vocabulary lacks come into it."""
        if len(self._terms) > TERMS_HELD:
            self._terms.clear()
        ordered = sorted(terms - self._terms.keys())
        self._connection.executemany(
            "INSERT OR IGNORE INTO vocabulary(term) VALUES (?)", [(term,) for term in ordered]
        )
        self._terms |= self._select_in("SELECT term, id FROM vocabulary WHERE term IN", ordered)
        return {term: self._terms[term] for term in terms}

    def _select_in(self, query: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        for first in range(0, len(values), SQL_VARIABLES):
            batch = values[first : first + SQL_VARIABLES]
            marks = ", ".join("?" * len(batch))
            yield from self._connection.execute(f"{query} ({marks})", batch).fetchall()
