"""What the tests of the core work with: a folder of files, an index over it, and a look inside."""

import itertools
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag import copies
from rag.answerer import Answerer
from rag.config import Config
from rag.ingest import ingest
from rag.lexical import decode_terms
from rag.protocols import Generator
from rag.retriever import Retriever
from rag.store import DATABASE, Store
from rag.testing import HashEmbedder
from rag.types import Document, IngestReport, Passage
from rag.vectors import ExactIndex
from rag.verification import OverlapVerifier

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "corpus"
# A day in 2024: files in tests are old, and each is written a minute after the one before.
DAY = 1_714_564_800
_minutes = itertools.count()

ANIMALS = {
    "animals/cats.md": "# Cats\n\nThe cat drinks cold milk every morning.\n",
    "animals/dogs.md": "# Dogs\n\nA dog barks at strangers. Dogs need long walks.\n",
    "rivers.txt": "The Danube flows through ten countries and ends in the Black Sea.\n",
    "music.txt": "A string quartet has two violins, one viola and one cello.\n",
}


def put(path: Path, content: str | bytes) -> Path:
    """Write a file, with a modification time that is long ago and later than all before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    time = DAY + 60 * next(_minutes)
    os.utime(path, (time, time))
    return path


@dataclass
class Bench:
    """A folder `docs`, an index named "default", and the fakes to fill and search it with."""

    place: Path
    embedder: HashEmbedder = field(default_factory=HashEmbedder)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def docs(self) -> Path:
        """The folder that is ingested."""
        return self.place / "docs"

    @property
    def config(self) -> Config:
        """The settings."""
        return Config(index_dir=self.place / "indexes", **self.settings)

    @property
    def index(self) -> Path:
        """The folder of the index."""
        return self.place / "indexes" / "default"

    @property
    def database(self) -> Path:
        """The store's file."""
        return self.index / DATABASE

    def write(self, files: dict[str, str | bytes] | dict[str, str]) -> None:
        """Write files under the folder."""
        for name, content in files.items():
            put(self.docs / name, content)

    def ingest(self, *paths: Path, **options: Any) -> IngestReport:
        """Ingest the paths given, else the folder."""
        return ingest(paths or [self.docs], "default", self.embedder, self.config, **options)

    def store(self) -> Store:
        """Open the index."""
        return Store(self.index)

    def retriever(self) -> Retriever:
        """Open the index for searching."""
        return Retriever(self.store(), self.embedder, ExactIndex)

    def answerer(self, generator: Generator | None = None) -> Answerer:
        """Open the index for answering."""
        verifier = OverlapVerifier()
        return Answerer(self.retriever(), generator, verifier, self.config)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement over the database, behind the store's back."""
        return sql(self.database, statement, *values)

    def sources(self) -> list[str]:
        """The sources in the index, copies included, in order."""
        query = "SELECT source FROM documents UNION ALL SELECT source FROM copies"
        return sorted(source for (source,) in self.sql(query))

    def copies(self) -> dict[str, list[str]]:
        """The copies in the index, by the source that is shown first."""
        query = """
            SELECT d.source, c.source FROM copies c JOIN documents d ON d.id = c.document
            ORDER BY c.root, c.source
        """
        found: dict[str, list[str]] = {}
        for source, further in self.sql(query):
            found.setdefault(source, []).append(further)
        return found

    def document(self, source: str) -> Document:
        """The document of a source, read through the store."""
        ((identity,),) = self.sql("SELECT id FROM documents WHERE source = ?", source)
        return document(self.store(), identity)

    def rows(self, source: str) -> dict[str, int]:
        """The rows of a document's passages, by passage id."""
        return dict(
            self.sql(
                "SELECT p.id, p.row FROM passages p JOIN documents d ON d.id = p.document"
                " WHERE d.source = ?",
                source,
            )
        )


def sql(database: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run a statement over a database as anybody could."""
    with closing(sqlite3.connect(database)) as connection, connection:
        return connection.execute(statement, values).fetchall()


def document(store: Store, identity: str) -> Document:
    """Return a document that is there."""
    found = store.document(identity)
    assert found is not None
    return found


def read_all(store: Store) -> tuple[dict[str, Document], dict[int, Passage], list[bytes]]:
    """Read everything an index holds, as its users read it: all checksums are compared."""
    with store.reading() as connection:
        identities = [identity for (identity,) in connection.execute("SELECT id FROM documents")]
    rows = store.rows()[0]
    documents = {identity: document(store, identity) for identity in identities}
    list(store.terms(rows))
    return documents, store.passages(rows.tolist()), list(store.vectors(rows))


def check(store: Store) -> None:
    """Check that an index is in order: each passage is in its document, each vector in use."""
    documents, passages, vectors = read_all(store)
    assert len(passages) == len(vectors)
    for passage in passages.values():
        assert documents[passage.document_id].text[passage.start : passage.end] == passage.text
    with store.reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert list(copies.damaged(connection)) == []
        stored = {key for (key,) in connection.execute("SELECT key FROM vectors")}
        used = {key for (key,) in connection.execute("SELECT vector_key FROM passages")}
    assert stored == used


def contents(database: Path) -> dict[str, Any]:
    """Return what an index says, by source, without what depends on the course of events."""
    terms = dict(sql(database, "SELECT id, term FROM vocabulary"))
    found: dict[str, Any] = {}
    for identity, *fields in sql(
        database,
        "SELECT id, source, title, language, date, metadata, headings, pages, content_hash"
        " FROM documents",
    ):
        segments = sql(
            database, "SELECT text FROM segments WHERE document = ? ORDER BY start", identity
        )
        passages = sql(
            database,
            'SELECT p.id, p.start, p."end", p.page, p.page_starts, p.section, p.text, p.terms,'
            " v.vector FROM passages p JOIN vectors v ON v.key = p.vector_key"
            " WHERE p.document = ? ORDER BY p.start",
            identity,
        )
        named = [
            (*rest, sorted((terms[term], n) for term, n in decode_terms(blob)), vector)
            for *rest, blob, vector in passages
        ]
        query = "SELECT source FROM copies WHERE document = ? ORDER BY root, source"
        fields.append([source for (source,) in sql(database, query, identity)])
        found[fields[0]] = (identity, fields, "".join(text for (text,) in segments), named)
    return found


def texts(database: Path) -> dict[str, str]:
    """Return the text that an index holds of each file, copies included, by source."""
    found = {}
    for source, (_, fields, text, _) in contents(database).items():
        found |= dict.fromkeys([source, *fields[-1]], text)
    return found


def program(source: str, *arguments: object, **options: Any) -> "subprocess.Popen[str]":
    """Start a Python program in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", source, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        **{"stdin": subprocess.DEVNULL} | options,
    )


def run(source: str, *arguments: object) -> str:
    """Run a Python program to its end and return what it printed."""
    with program(source, *arguments) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out
