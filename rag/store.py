"""The durable truth of an index, read side: documents, passages, vectors and terms in SQLite.

An index is a folder: `store.sqlite3` (this), `derived/` (what can be rebuilt from it) and
`write.lock`. Nothing here writes; `rag.writer` does.
"""

import json
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag import changes, copies, states
from rag.changes import Changes
from rag.copies import CopyRow, Place
from rag.errors import ConfigError, IndexCorrupt, IndexMismatch, IndexNotFound
from rag.filters import conditions_of
from rag.protocols import Rows, Vectors
from rag.schema import checksum, connect, covered, translating
from rag.states import FileState
from rag.types import Document, Filters, Heading, Passage

DATABASE = "store.sqlite3"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SQL_VARIABLES = 500

PASSAGE_COLUMNS = """
    p.row, p.id, p.document, p.start, p."end", p.page, p.page_starts, p.section, p.text,
    p.vector_key, p.terms, p.checksum, d.source, d.title, d.language, d.unit
"""
TERMS = 9  # among the passage's own columns, after its row


def index_path(index_dir: Path, name: str) -> Path:
    """Return the folder of an index.

    Raises:
        ConfigError: the name could leave the folder, or is no plain name.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"index name {name[:80]!r} is not usable; expected up to 64 letters, digits, '.', "
            "'_' or '-', the first a letter or digit"
        )
    return index_dir / name


def require_index(path: Path) -> None:
    """Check that there is an index in the folder `path`.

    Raises:
        IndexNotFound: there is none.
        StoreError: the folder can not be read.
    """
    with translating(path / DATABASE):
        found = (path / DATABASE).is_file()
    if not found:
        raise not_found(path)


def not_found(path: Path) -> IndexNotFound:
    """Return the error of an index that is not in the folder `path`."""
    return IndexNotFound(
        f"there is no index {path.name!r} in {path.parent}; make one with "
        f"'rag ingest FOLDER --index {path.name}', or choose with --index and --index-dir",
        path.name,
    )


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that was ingested."""

    id: int
    path: Path


class Store:
    """Reads one index; safe to share between threads, which take turns with its connections."""

    def __init__(self, path: Path) -> None:
        """Open the index in folder `path`.

        Raises:
            IndexNotFound: there is none.
            IndexCorrupt, StoreError: it can not be read.
        """
        self.path = path
        self.database = path / DATABASE
        self._local = threading.local()
        # Not one a thread: a server's threads come and go, and would leave theirs behind.
        self._idle: list[sqlite3.Connection] = []
        require_index(path)
        self.meta = self._read_meta()

    def _read_meta(self) -> dict[str, str]:
        with self.reading() as connection:
            return dict(connection.execute("SELECT key, value FROM meta"))

    def refresh(self) -> None:
        """Read again what made the index: a restore or a migration may have put another here."""
        self.meta = self._read_meta()

    def close(self) -> None:
        """Close the connections that are not in use; the store is not used afterwards."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection inside one read transaction: all that is read is of one version."""
        current = getattr(self._local, "connection", None)
        if current is not None:
            with translating(self.database):
                yield current
            return
        connection = self._connection()
        self._local.connection = connection
        try:
            with translating(self.database):
                connection.execute("BEGIN")
                try:
                    yield connection
                finally:
                    connection.execute("ROLLBACK")
        finally:
            self._local.connection = None
            self._idle.append(connection)

    def _connection(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return connect(self.database, writable=False)

    def version(self) -> int:
        """Return the number of the last committed change."""
        with self.reading() as connection:
            return changes.present_version(connection)

    def check(self, **expected: str) -> None:
        """Compare what made the index with what is about to use it.

        Raises:
            IndexMismatch: naming the first value that differs, and the remedy.
        """
        for key, value in expected.items():
            found = self.meta.get(key)
            if found != value:
                raise IndexMismatch(
                    f"index {self.path.name!r} was made with {key} {found} "
                    f"(embedder {self.meta.get('embedder')}), not {value}; use the same one "
                    "(--embedder, --passage-tokens), or bring it to the present settings with "
                    f"'rag migrate --index {self.path.name}'"
                )

    # -- what is searched -------------------------------------------------------------------

    def rows(self, among: Rows | None = None) -> tuple[Rows, list[str]]:
        """Return the row and the language of each passage, by language, then by row.

        Args:
            among: those of these rows that there are; all by default.
        """
        query = "SELECT d.language, p.row FROM passages p JOIN documents d ON d.id = p.document"
        if among is None:
            with self.reading() as connection:
                found = connection.execute(f"{query} ORDER BY d.language, p.row").fetchall()
        else:
            found = sorted(self._select_in(f"{query} WHERE p.row IN", among.tolist()))
        return np.array([row for _, row in found], dtype=np.int64), [lang for lang, _ in found]

    def vectors(self, rows: Rows) -> Iterator[bytes]:
        """Yield the float32 bytes of each passage's vector, in the order of `rows`.

        Raises:
            IndexCorrupt: a vector or passage is missing or does not match its checksum.
        """
        query = """
            SELECT p.row, v.vector, v.checksum
            FROM passages p LEFT JOIN vectors v ON v.key = p.vector_key WHERE p.row IN
        """
        for row, record in self._each(query, rows):
            _, vector, found = record
            if vector is None or checksum(vector) != found:
                raise self._corrupt(f"the vector of passage row {row}")
            yield vector

    def terms(self, rows: Rows) -> Iterator[bytes]:
        """Yield the (term id, count) bytes of each passage, in the order of `rows`.

        Raises:
            IndexCorrupt: a passage is missing or does not match its checksum.
        """
        query = f"""
            SELECT {PASSAGE_COLUMNS} FROM passages p JOIN documents d ON d.id = p.document
            WHERE p.row IN
        """
        for _, record in self._each(query, rows):
            yield self._verified(record)[TERMS]

    def _each(self, query: str, rows: Rows) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Yield each row with what `query (?, ?, …)`, whose first column is the row, finds of it.

        Without a sort: of a million passages it would spill vectors and texts to the disk.
        """
        for first in range(0, len(rows), SQL_VARIABLES):
            batch = rows[first : first + SQL_VARIABLES].tolist()
            found = {record[0]: record for record in self._select_in(query, batch)}
            for row in batch:
                if row not in found:
                    raise self._corrupt(f"passage row {row}, which is gone,")
                yield row, found[row]

    def tally(self) -> tuple[int, int]:
        """Return the number of passages and the sum of their rows: two numbers that tell, in a
        tenth of a second a million, whether those are there that should be."""
        query = "SELECT count(*), coalesce(sum(row), 0) FROM passages"
        with self.reading() as connection:
            count, total = connection.execute(query).fetchone()
        return count, total

    def changes_since(self, version: int) -> Changes | None:
        """Return what has changed since a version; None where the log does not tell all of it."""
        with self.reading() as connection:
            return changes.since(connection, version)

    def reference(self) -> dict[str, Vectors]:
        """Return the vectors of the sentences of `rag.reference`, (n, dim) for each language.

        Raises:
            IndexCorrupt: they do not match their checksum.
        """
        query = "SELECT language, vectors, checksum FROM reference ORDER BY language"
        found: dict[str, Vectors] = {}
        with self.reading() as connection:
            for language, vectors, stored in connection.execute(query):
                if checksum(language, vectors) != stored:
                    raise self._corrupt("a reference vector")
                matrix = np.frombuffer(vectors, dtype="<f4")
                found[language] = matrix.reshape(-1, int(self.meta["dim"]))
        return found

    def term_ids(self, terms: Iterable[str]) -> dict[str, int]:
        """Return the ids of those terms that occur in the index."""
        return dict(self._select_in("SELECT term, id FROM vocabulary WHERE term IN", list(terms)))

    def passages(self, rows: Sequence[int]) -> dict[int, Passage]:
        """Return the passages of the given rows that exist.

        Raises:
            IndexCorrupt: a passage, or a further source of its document, does not match its
                checksum.
        """
        query = f"""
            SELECT {PASSAGE_COLUMNS} FROM passages p JOIN documents d ON d.id = p.document
            WHERE p.row IN
        """
        with self.reading() as connection:
            records = list(self._select_in(query, list(rows)))
            documents = {record[2] for record in records}
            also_in = {each: self._also_in(connection, each) for each in documents}
        return {record[0]: self._passage(record, also_in[record[2]]) for record in records}

    def _also_in(self, connection: sqlite3.Connection, document: str) -> tuple[str, ...]:
        """Return the further sources of a document, in order."""
        found = copies.of(connection, document)
        return tuple(self._sound(row, whole).source for row, whole in found)

    def allowed(self, filters: Filters) -> Rows:
        """Return the rows of the passages whose documents pass every filter, ascending.

        Raises:
            ConfigError: a filter is no valid text.
        """
        conditions, values = conditions_of(filters)
        query = f"""
            SELECT p.row FROM passages p JOIN documents d ON d.id = p.document
            WHERE {" AND ".join(conditions) or "1"} ORDER BY p.row
        """
        with self.reading() as connection:
            found = connection.execute(query, values).fetchall()
            return np.array([row for (row,) in found], dtype=np.int64)

    def _passage(self, record: tuple[Any, ...], also_in: tuple[str, ...]) -> Passage:
        fields = self._verified(record)
        source, title, language, unit = record[-4:]
        identity, document, start, end, page, page_starts, section, text = fields[:8]
        return Passage(
            id=identity,
            document_id=document,
            source=source,
            title=title,
            text=text,
            start=start,
            end=end,
            page=page,
            section=section,
            language=language,
            page_starts=tuple(json.loads(page_starts)),
            unit=unit,
            also_in=also_in,
        )

    def _verified(self, record: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return a passage's own columns; `record` is what PASSAGE_COLUMNS names."""
        row, *fields, found, source, title, language, unit = record
        if checksum(*fields, source, title, language, *covered(unit)) != found:
            raise self._corrupt(f"passage row {row} of {source}")
        return tuple(fields)

    # -- documents --------------------------------------------------------------------------

    def document(self, identity: str) -> Document | None:
        """Return a document whole, or None when the index has none of that id.

        Raises:
            IndexCorrupt: its text does not match its checksums.
        """
        query = """
            SELECT source, title, language, date, metadata, headings, pages, content_hash, unit,
                checksum
            FROM documents WHERE id = ?
        """
        with self.reading() as connection:
            record = connection.execute(query, (identity,)).fetchone()
            if record is None:
                return None
            *fields, unit, found = record
            text = "".join(self._segments(connection, identity))
            if checksum(identity, *fields, len(text), *covered(unit)) != found:
                raise self._corrupt(f"document {record[0]}")
        source, title, language, _, metadata, headings, pages, content_hash = fields
        return Document(
            id=identity,
            source=source,
            title=title,
            text=text,
            headings=tuple(Heading(*heading) for heading in json.loads(headings)),
            pages=tuple(json.loads(pages)),
            language=language,
            metadata=json.loads(metadata),
            content_hash=content_hash,
            unit=unit,
        )

    def text(self, identity: str, start: int, end: int) -> str:
        """Return a stretch of a document's text, in code points; "" where the index has none.

        Raises:
            IndexCorrupt: what was read does not match its checksum.
        """
        query = """
            SELECT start, text, checksum FROM segments
            WHERE document = :document AND start < :end AND start >= (
                SELECT max(start) FROM segments WHERE document = :document AND start <= :start
            ) ORDER BY start
        """
        found = []
        with self.reading() as connection:
            wanted = {"document": identity, "start": start, "end": end}
            for first, text, known in connection.execute(query, wanted):
                if checksum(identity, first, text) != known:
                    raise self._corrupt(f"the text of document {identity}")
                found.append(text[max(start - first, 0) : end - first])
        return "".join(found)

    def _segments(self, connection: sqlite3.Connection, identity: str) -> Iterator[str]:
        query = "SELECT start, text, checksum FROM segments WHERE document = ? ORDER BY start"
        expected = 0
        for start, text, found in connection.execute(query, (identity,)):
            if start != expected or checksum(identity, start, text) != found:
                raise self._corrupt(f"the text of document {identity}")
            expected += len(text)
            yield text

    def roots(self) -> list[Root]:
        """Return the folders that were ingested."""
        with self.reading() as connection:
            found = connection.execute("SELECT id, path FROM roots ORDER BY id")
            return [Root(identity, Path(path)) for identity, path in found]

    def files(self) -> list[FileState]:
        """Return what is remembered of each file, copies included."""
        with self.reading() as connection:
            return states.every(connection)

    def files_about(self, places: Iterable[Place], sizes: Iterable[int] = ()) -> list[FileState]:
        """Return that of all files of the documents that have one at a place, or of a size."""
        with self.reading() as connection:
            return states.about(connection, places, sizes)

    def holds(self, identity: str) -> bool:
        """Tell whether there is a document of that id."""
        query = "SELECT 1 FROM documents WHERE id = ?"
        with self.reading() as connection:
            return connection.execute(query, (identity,)).fetchone() is not None

    def count(self) -> tuple[int, int]:
        """Return the numbers of documents and of passages."""
        query = "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages)"
        with self.reading() as connection:
            documents, passages = connection.execute(query).fetchone()
        return documents, passages

    def copies(self) -> list[CopyRow]:
        """Return the further files of all documents.

        Raises:
            IndexCorrupt: one does not match its checksum.
        """
        with self.reading() as connection:
            return [self._sound(row, whole) for row, whole in copies.every(connection)]

    def count_copies(self) -> int:
        """Return how many further files hold what is stored of another."""
        with self.reading() as connection:
            (found,) = connection.execute("SELECT count(*) FROM copies").fetchone()
        return int(found)

    def _sound(self, row: CopyRow, whole: bool) -> CopyRow:
        if not whole:
            raise self._corrupt(f"the copy {row.source}")
        return row

    def healthy(self) -> bool:
        """Tell whether SQLite finds its own pages in order (quick_check)."""
        try:
            with self.reading() as connection:
                return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
        except IndexCorrupt:
            return False

    # -- helpers ----------------------------------------------------------------------------

    def _select_in(self, query: str, values: list[Any]) -> Iterator[tuple[Any, ...]]:
        """Run `query (?, ?, …)` over values in batches that SQLite accepts."""
        with self.reading() as connection:
            for first in range(0, len(values), SQL_VARIABLES):
                batch = values[first : first + SQL_VARIABLES]
                marks = ", ".join("?" * len(batch))
                yield from connection.execute(f"{query} ({marks})", batch).fetchall()

    def _corrupt(self, what: str) -> IndexCorrupt:
        return IndexCorrupt(
            f"{self.database} is damaged: {what} does not match its checksum; "
            "see what is wrong with 'rag verify', then run 'rag repair' or restore a snapshot"
        )
