"""Reads a whole database of the store, and tells each thing in it that is not as it was written.

Nothing here trusts a row: a value may be of another type than its column, a text cut short, a
page of the file unreadable.
"""

import json
import sqlite3
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np

from rag import copies
from rag.analysis import ANALYSIS_VERSION
from rag.care.findings import Finding, Listener, Part, silent
from rag.chunking import page_of
from rag.documents import passage_terms
from rag.lexical import decode_terms
from rag.scan import printable
from rag.schema import TABLES, checksum, covered

SHOWN = 100
VECTORS_TOLD = 1_000
CHECKSUM = "does not match its checksum"
Check = Callable[[sqlite3.Connection], Iterator[Finding]]
Row = tuple[Any, ...]

DOCUMENTS = """
    SELECT id, source, title, language, date, metadata, headings, pages, content_hash, unit,
        checksum
    FROM documents ORDER BY id
"""
PASSAGES = """
    SELECT row, id, document, start, "end", page, page_starts, section, text, vector_key, terms,
        checksum
    FROM passages WHERE document = ? ORDER BY start, row
"""


def database_findings(
    connection: sqlite3.Connection, *, terms: bool, listener: Listener = silent
) -> Iterator[Finding]:
    """Yield all that is wrong in a database; all is read.

    What one check can not read does not keep the others from reading theirs.

    Args:
        terms: analyse all texts again, to compare the terms that are stored; the slowest part.
    """
    documents = partial(_documents, terms=terms, listener=listener)
    checks: Mapping[str, Check] = {
        "tables": _tables,
        "pages": _pages,
        "meta": _meta,
        "documents": documents,
        "copies": _copies,
        "rows": _strays,
        "vectors": partial(_vectors, listener=listener),
        "reference": _reference,
    }
    # Bytes that are no text are one row's fault, not the end of reading.
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        for what, check in checks.items():
            listener(what, 0, 0)
            try:
                yield from check(connection)
            except (sqlite3.DatabaseError, TypeError, ValueError) as error:
                yield Finding(Part.DATABASE, f"reading {what}", printable(str(error)))
    finally:
        connection.text_factory = str


def _tables(connection: sqlite3.Connection) -> Iterator[Finding]:
    """The definitions of the tables: they are stored as text, which no checksum covers."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(TABLES)
        for (name,) in fresh.execute("SELECT name FROM sqlite_master WHERE sql IS NOT NULL"):
            for kind in ("table_xinfo", "foreign_key_list", "index_xinfo", "index_list"):
                query = f"SELECT * FROM pragma_{kind}(?)"
                expected = fresh.execute(query, (name,)).fetchall()
                if connection.execute(query, (name,)).fetchall() != expected:
                    yield Finding(Part.DATABASE, f"table {name}", "is defined otherwise")
                    break


def _pages(connection: sqlite3.Connection) -> Iterator[Finding]:
    """What SQLite finds: pages and their order, indexes that do not agree with their tables."""
    for (told,) in connection.execute(f"PRAGMA integrity_check({SHOWN})"):
        if told != "ok":
            part = Part.INDEX if " index " in told else Part.DATABASE
            yield Finding(part, "the database", " ".join(str(told).split()))


def _meta(connection: sqlite3.Connection) -> Iterator[Finding]:
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    for key in ("version", "dim"):
        if not str(meta.get(key, "")).isdecimal():
            yield Finding(Part.DATABASE, f"meta {key}", f"is {meta.get(key)!r}; expected a number")
    if "embedder" not in meta:
        yield Finding(Part.DATABASE, "meta embedder", "is missing")


def _documents(
    connection: sqlite3.Connection, *, terms: bool, listener: Listener
) -> Iterator[Finding]:
    vocabulary = _vocabulary(connection) if terms else {}
    (total,) = connection.execute("SELECT count(*) FROM documents").fetchone()
    for done, record in enumerate(connection.execute(DOCUMENTS)):
        listener("documents", done, total)
        source = printable(str(record[1]))
        try:
            problems = list(document_problems(connection, record))
            yield from (_of_document(record[0], source, problem) for problem in problems)
            # Of a text that is damaged the terms tell nothing.
            checkable = vocabulary and not problems
            if checkable and any(_wrong_terms(connection, record, vocabulary)):
                problem = "do not agree with its text"
                yield Finding(Part.TERMS, f"the terms of {source}", problem)
        except UnicodeEncodeError:
            yield _of_document(record[0], source, "holds bytes that are no text")
        except (TypeError, ValueError) as error:
            yield _of_document(record[0], source, str(error))


def _copies(connection: sqlite3.Connection) -> Iterator[Finding]:
    for _, source, problem in copies.damaged(connection):
        yield Finding(Part.COPY, f"copy {printable(source)}", problem)


def _of_document(identity: Any, source: Any, problem: str) -> Finding:
    """Return a finding about a document, or about the database where its id names nothing."""
    whole = isinstance(identity, str) and identity.isalnum() and identity.isascii()
    part, documents = (Part.DOCUMENT, (identity,)) if whole else (Part.DATABASE, ())
    return Finding(part, f"document {printable(str(source))}", printable(problem), documents)


def document_problems(connection: sqlite3.Connection, record: Row) -> Iterator[str]:
    """Yield what is wrong with one document, its text, and its passages.

    Args:
        record: of `DOCUMENTS`.
    Raises:
        TypeError, ValueError: a value is of another kind than was written.
    """
    identity, source, title, language, *fields, unit, found = record
    text = _Text(connection, identity)
    pages: list[int] = json.loads(record[7])
    held = 0
    for passage in connection.execute(PASSAGES, (identity,)):
        row, *own, stored = passage
        start, end, page = own[2:5]
        if checksum(*own, source, title, language, *covered(unit)) != stored:
            yield f"passage row {row} {CHECKSUM}"
        else:
            # Passages leave out nothing but white space (rag.chunking).
            if start > held and text.between(held, start).strip():
                yield f"no passage holds its text at {held}…{start}"
            if text.between(start, end) != own[7]:
                yield f"passage row {row} is not the document's text at {start}…{end}"
            # Lines that a document counts without naming them are not looked for.
            if (pages or unit != "line") and page != page_of(pages, start):
                yield f"passage row {row} is on page {page_of(pages, start)}, not {page}"
        held = max(held, end)
    if text.between(held, sys.maxsize).strip():
        yield f"no passage holds its text from {held} on"
    yield from text.problems
    expected = checksum(identity, source, title, language, *fields, text.length, *covered(unit))
    if expected != found:
        yield CHECKSUM


class _Text:
    """The text of a document, read once and in order, in stretches; never held whole."""

    def __init__(self, connection: sqlite3.Connection, identity: str) -> None:
        query = "SELECT start, text, checksum FROM segments WHERE document = ? ORDER BY start"
        self._segments = connection.execute(query, (identity,))
        self._identity = identity
        self._held: deque[tuple[int, str]] = deque()
        self.problems: list[str] = []
        self.length = 0

    def between(self, start: int, end: int) -> str:
        """Return a stretch; the starts of those asked for must ascend."""
        while self._held and self._held[0][0] + len(self._held[0][1]) <= start:
            self._held.popleft()
        while self.length < end and self._read():
            pass
        held = "".join(text for _, text in self._held)
        first = self._held[0][0] if self._held else 0
        return held[start - first : end - first] if start >= first else ""

    def _read(self) -> bool:
        segment = self._segments.fetchone()
        if segment is None:
            return False
        start, text, found = segment
        if checksum(self._identity, start, text) != found:
            self.problems.append(f"its text from {start} on {CHECKSUM}")
        if start != self.length:
            self.problems.append(f"its text is missing from {self.length} to {start}")
        self._held.append((self.length, str(text)))
        self.length += len(str(text))
        return True


def _vocabulary(connection: sqlite3.Connection) -> Mapping[int, str]:
    """Return the terms by id; none where another analyser made them, so they can not be checked."""
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    if meta.get("analysis") != str(ANALYSIS_VERSION):
        return {}
    return dict(connection.execute("SELECT id, term FROM vocabulary"))


def _wrong_terms(
    connection: sqlite3.Connection, record: Row, vocabulary: Mapping[int, str]
) -> Iterator[bool]:
    """Yield, for each passage of the document, whether its terms are not those of its text."""
    query = "SELECT section, text, terms FROM passages WHERE document = ?"
    for section, text, terms in connection.execute(query, (record[0],)):
        found = Counter({vocabulary.get(term, ""): n for term, n in decode_terms(terms)})
        yield found != passage_terms(record[2], section, text)


def _strays(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Rows that belong to nothing: SQLite's foreign keys."""
    for table, key in (("segments", "document"), ("passages", "document")):
        query = f"""
            SELECT {key}, count(*) FROM {table}
            WHERE {key} NOT IN (SELECT id FROM documents) GROUP BY {key}
        """
        for identity, count in connection.execute(query):
            problem = f"{count} rows of {table} belong to no document"
            yield _of_document(identity, identity, problem)
    query = "SELECT id, source FROM documents WHERE root NOT IN (SELECT id FROM roots)"
    for identity, source in connection.execute(query):
        yield _of_document(identity, source, "is of no known folder")


def _vectors(connection: sqlite3.Connection, *, listener: Listener) -> Iterator[Finding]:
    (dim,) = connection.execute("SELECT value FROM meta WHERE key = 'dim'").fetchone() or ("",)
    (total,) = connection.execute("SELECT count(*) FROM vectors").fetchone()
    stored = connection.execute("SELECT key, vector, checksum FROM vectors")
    for done, (key, vector, found) in enumerate(stored):
        if done % VECTORS_TOLD == 0:
            listener("vectors", done, total)
        for problem in vector_problems(vector, found, str(dim)):
            documents = _users(connection, key)
            yield Finding(Part.VECTOR, f"vector {_hex(key)}", problem, documents)
    query = """
        SELECT DISTINCT vector_key FROM passages
        WHERE vector_key NOT IN (SELECT key FROM vectors)
    """
    for (key,) in connection.execute(query).fetchall():
        documents = _users(connection, key)
        yield Finding(Part.VECTOR, f"vector {_hex(key)}", "is missing", documents)
    query = "SELECT key FROM vectors WHERE key NOT IN (SELECT vector_key FROM passages)"
    for (key,) in connection.execute(query):
        yield Finding(Part.VECTOR, f"vector {_hex(key)}", "belongs to no passage")


def vector_problems(vector: Any, found: Any, dim: str) -> Iterator[str]:
    """Yield what is wrong with a stored vector; found: its checksum."""
    if not isinstance(vector, bytes) or checksum(vector) != found:
        yield CHECKSUM
    elif dim.isdecimal() and len(vector) != 4 * int(dim):
        yield f"has {len(vector)} bytes; expected {4 * int(dim)}"
    elif not np.isfinite(np.frombuffer(vector, dtype="<f4")).all():
        yield "is not finite"


def _users(connection: sqlite3.Connection, key: Any) -> tuple[str, ...]:
    query = "SELECT DISTINCT document FROM passages WHERE vector_key = ? ORDER BY document"
    return tuple(str(document) for (document,) in connection.execute(query, (key,)))


def _hex(key: Any) -> str:
    return key.hex() if isinstance(key, bytes) else repr(key)


def _reference(connection: sqlite3.Connection) -> Iterator[Finding]:
    for language, vectors, found in connection.execute("SELECT * FROM reference"):
        if checksum(language, vectors) != found:
            yield Finding(Part.REFERENCE, f"the reference of language {language}", CHECKSUM)
