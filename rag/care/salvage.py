"""What is whole in a damaged database, in a new one.

A document is taken over if all of it is as it was written: its row, its text, passages that leave
out nothing of the text, and their vectors. Which documents are missing can not be told by such a
database, and need not be: to the next ingest their files are new.
"""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from rag import copies
from rag.analysis import ANALYSIS_VERSION
from rag.care.caretaker import Caretaker
from rag.care.contents import DOCUMENTS, document_problems, vector_problems
from rag.care.exchange import put_in_place
from rag.copies import CopyRow
from rag.documents import passage_terms
from rag.errors import IndexCorrupt, IndexMismatch
from rag.schema import translating
from rag.store import DATABASE, Store
from rag.types import Document
from rag.writer import NewDocument, NewPassage, StoreWriter

DRAFT = "salvaging"
Unreadable = (IndexCorrupt, IndexMismatch, sqlite3.DatabaseError, KeyError, TypeError, ValueError)
FILE = "SELECT root, date, loaders, size, mtime_ns, ingested_ns FROM documents WHERE id = ?"
PASSAGES = """
    SELECT id, start, "end", page, page_starts, section, text, vector_key
    FROM passages WHERE document = ? ORDER BY start, row
"""


def resume(path: Path) -> None:
    """Put a new database in place whose old one is moved away already, if there is one."""
    draft = path / DRAFT / DATABASE
    if draft.exists() and not (path / DATABASE).exists():
        put_in_place(path, draft)
    shutil.rmtree(path / DRAFT, ignore_errors=True)


def salvage(path: Path) -> int:
    """Make a new database, in a folder of its own, of what is whole in the index at `path`.

    The caller holds the write lock. The database that is there is not changed.

    Returns:
        how many documents it holds; with 0 there is no new database.
    Raises:
        StoreError: the disk is full or not writable.
    """
    folder = path / DRAFT
    with translating(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    try:
        saved = _copy(path, folder)
    except Unreadable:
        saved = 0
    if not saved:
        shutil.rmtree(folder, ignore_errors=True)
    return saved


def _copy(path: Path, folder: Path) -> int:
    with ExitStack() as opened:
        old = opened.enter_context(closing(Store(path)))
        if old.meta["analysis"] != str(ANALYSIS_VERSION):
            return 0  # terms are made anew, and would be other ones
        if not {"embedder", "dim", "version"} <= old.meta.keys():
            return 0  # nobody knows what the vectors are
        StoreWriter(folder, old.meta).close()
        writer = opened.enter_context(closing(Caretaker(folder)))
        with writer.transaction():
            writer.set_meta([("version", old.meta["version"])])
            writer.put_roots(old.roots())
            _copy_reference(old, writer)
        saved = 0
        with old.reading() as connection:
            for identity in list(_ids(connection)):
                saved += _copy_document(old, connection, writer, identity)
    return saved


def _copy_reference(old: Store, writer: Caretaker) -> None:
    try:
        writer.put_reference(old.reference())
    except Unreadable:
        return  # the next ingest makes it anew


def _ids(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the ids that can be read, from both ends: a damaged page ends a reading."""
    seen: set[str] = set()
    for order in ("ASC", "DESC"):
        try:
            for (identity,) in connection.execute(f"SELECT id FROM documents ORDER BY id {order}"):
                if isinstance(identity, str) and identity not in seen:
                    seen.add(identity)
                    yield identity
        except Unreadable:
            continue


def _copy_document(
    old: Store, connection: sqlite3.Connection, writer: Caretaker, identity: str
) -> bool:
    """Copy a document if all of it is whole; tell whether it was."""
    try:
        query = DOCUMENTS.replace("ORDER BY id", "WHERE id = ?")
        record = connection.execute(query, (identity,)).fetchone()
        if any(document_problems(connection, record)):
            return False
        document = old.document(identity)
        assert document is not None
        passages = tuple(_passages(connection, document))
        vectors = {p.vector_key: _vector(old, connection, p.vector_key) for p in passages}
        root, date, read_by, *file = connection.execute(FILE, (identity,)).fetchone()
        size, mtime_ns, ingested_ns = file
        with writer.transaction():
            matrix = [np.frombuffer(each, "<f4") for each in vectors.values()]
            writer.put_vectors(list(vectors), np.array(matrix, dtype=np.float32))
            new = NewDocument(document, root, date, size, mtime_ns, passages, read_by)
            writer.put_document(new)
            writer.keep_files([(identity, root, size, mtime_ns, ingested_ns)])
            writer.put_copies(list(_copies(connection, identity)))
    except Unreadable:
        return False
    return True


def _copies(connection: sqlite3.Connection, identity: str) -> Iterator[CopyRow]:
    """Yield the copies of a document that can be read; an ingest finds the others again."""
    try:
        yield from (row for row, whole in copies.of(connection, identity) if whole)
    except Unreadable:
        return


def _passages(connection: sqlite3.Connection, document: Document) -> Iterator[NewPassage]:
    for record in connection.execute(PASSAGES, (document.id,)):
        identity, start, end, page, page_starts, section, text, vector_key = record
        yield NewPassage(
            id=identity,
            start=start,
            end=end,
            page=page,
            page_starts=tuple(json.loads(page_starts)),
            section=section,
            text=text,
            vector_key=vector_key,
            terms=passage_terms(document.title, section, text),
        )


def _vector(old: Store, connection: sqlite3.Connection, key: bytes) -> bytes:
    query = "SELECT vector, checksum FROM vectors WHERE key = ?"
    vector, found = connection.execute(query, (key,)).fetchone() or (None, None)
    for problem in vector_problems(vector, found, old.meta["dim"]):
        raise ValueError(problem)
    assert isinstance(vector, bytes)  # or it would have a problem
    return vector
