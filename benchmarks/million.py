"""Make an index of many passages, then time opening, searching, adding and deleting; print JSON.

python benchmarks/million.py [FOLDER] [--passages N] [--place DIR]

Passages are those of FOLDER's documents, each time with other numbers; vectors are made of a
hash of the text (384 dimensions): no model is needed. The first 100,000 are written by the writer,
the rest are copies of their rows, with vectors, ids and checksums of their own: all is as `rag
verify` wants it. What is measured is what the commands use: ingest, delete, retriever. An index
that is in DIR already is measured as it is.
"""

import argparse
import hashlib
import json
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rag import changes, derived, loaders
from rag.analysis import language, terms
from rag.backends.faiss_index import flat_index
from rag.care.delete import delete
from rag.chunking import chunk, embedded_text
from rag.config import Config
from rag.documents import named, passage_terms, vector_key
from rag.errors import RagError
from rag.ingest import ingest, made_with
from rag.protocols import Vectors
from rag.reference import REFERENCE
from rag.retriever import Retriever
from rag.schema import checksum, connect, covered
from rag.store import DATABASE, Root, Store
from rag.testing import HashEmbedder
from rag.types import Document, Mode
from rag.writer import NEXT_VERSION, NewDocument, NewPassage, StoreWriter, write_lock

INDEX = "bench"
WRITTEN = 100_000
DOCUMENT_PASSAGES = 20
SAMPLE_TOKENS = 96
SLAB_DOCUMENTS = 100
PASSAGE_FIELDS = """
    id, document, start, "end", page, page_starts, section, text, vector_key, terms, checksum
"""
QUESTIONS = (
    "How is a header parameter declared?",
    "Which status code is returned when a dependency raises an error?",
    "Как запустить сервер в контейнере?",
    "怎样 限制 响应 模型 的 字段",
)


class NumberedEmbedder(HashEmbedder):
    """Makes a vector of 384 numbers out of a hash of the text, and counts the time it takes."""

    name = "numbered"
    fingerprint = "numbered-1"
    dim = 384

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def _embed(self, texts: Sequence[str]) -> Vectors:
        started = time.perf_counter()
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            digest = hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest()
            rng = np.random.Generator(np.random.SFC64(int.from_bytes(digest, "little")))
            rng.standard_normal(out=vector, dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        self.seconds += time.perf_counter() - started
        return vectors


@dataclass(frozen=True, slots=True)
class Sample:
    """A passage of a real document, to be varied."""

    language: str
    section: str
    text: str
    terms: Counter[str]


def samples(folder: Path) -> list[Sample]:
    """Return the passages of a folder's documents."""
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or loaders.kind(path) is None:
            continue
        try:
            parsed = loaders.load(path)
        except RagError:
            continue
        spans = chunk(parsed, HashEmbedder.tokenizer, max_tokens=SAMPLE_TOKENS)
        spoken = "en" if parsed.text.isascii() else "ru"
        for span in spans:
            text = parsed.text[span.start : span.end]
            counted = passage_terms("", span.section, text)
            found.append(Sample(spoken, span.section, text, counted))
    return found


def made_documents(pool: Sequence[Sample], passages: int) -> Iterator[NewDocument]:
    """Yield documents of varied passages; most differ from all others by their numbers."""
    for first in range(0, passages, DOCUMENT_PASSAGES):
        name = f"{first // 1_000_000:03}/{first:09}.txt"
        varied = []
        at = 0
        for n in range(first, min(first + DOCUMENT_PASSAGES, passages)):
            sample = pool[n % len(pool)]
            tail = f" Variant {n} of lot {n % 1009}."
            text = sample.text + tail
            key = vector_key("numbered-1", embedded_text(sample.section, text))
            counts = sample.terms + Counter(terms(tail))
            span = (at, at + len(text), None, ())
            varied.append(NewPassage(named(name, text), *span, sample.section, text, key, counts))
            at += len(text) + 1
        whole = "\n".join(passage.text for passage in varied)
        spoken = pool[first % len(pool)].language
        told = Document(
            named(name),
            name,
            "",
            whole,
            (),
            (),
            spoken,
            {},
            hashlib.sha256(name.encode()).hexdigest(),
        )
        yield NewDocument(
            told, 1, "2026-01-01", len(whole), 1, tuple(varied), loaders.LOADERS_VERSION
        )


def make(place: Path, folder: Path, passages: int, config: Config) -> dict[str, float]:
    """Write the index and its base; return the seconds of each."""
    embedder = NumberedEmbedder()
    path = place / INDEX
    pool = samples(folder)
    started = time.perf_counter()
    meta = {"embedder": embedder.name, "dim": str(embedder.dim)} | made_with(embedder, config)
    with write_lock(path):
        with closing(StoreWriter(path, meta)) as writer:
            with writer.transaction():
                writer.put_roots([Root(1, place / "docs")])
                writer.put_reference(
                    {each: embedder.embed_passages(REFERENCE[each]) for each in REFERENCE}
                )
            slab: list[NewDocument] = []
            for new in made_documents(pool, min(passages, WRITTEN)):
                slab.append(new)
                if len(slab) == SLAB_DOCUMENTS:
                    write(writer, embedder, slab)
                    slab = []
            write(writer, embedder, slab)
        multiply(path, passages)
        written = time.perf_counter() - started
        with closing(Store(path)) as store:
            derived.save(store)
    return {
        "write_s": round(written, 1),
        "base_s": round(time.perf_counter() - started - written, 1),
        "samples": len(pool),
    }


def write(writer: StoreWriter, embedder: NumberedEmbedder, slab: Sequence[NewDocument]) -> None:
    """Commit documents."""
    texts = {p.vector_key: embedded_text(p.section, p.text) for new in slab for p in new.passages}
    with writer.transaction():
        writer.put_vectors(list(texts), embedder.embed_passages(list(texts.values())))
        for new in slab:
            writer.put_document(new)


def multiply(path: Path, passages: int) -> None:
    """Copy the documents of an index until it holds so many passages; the lock is held."""
    with closing(connect(path / DATABASE, writable=True)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        (there,) = connection.execute("SELECT count(*) FROM passages").fetchone()
        documents = connection.execute("SELECT * FROM documents ORDER BY id").fetchall()
        copies = -(-passages // there) - 1
        for number in range(1, copies + 1):
            rng = np.random.default_rng(number)
            for first in range(0, len(documents), 10 * SLAB_DOCUMENTS):
                connection.execute("BEGIN IMMEDIATE")
                for document in documents[first : first + 10 * SLAB_DOCUMENTS]:
                    copy(connection, document, number, rng)
                connection.execute(NEXT_VERSION)
                changes.forget(connection)
                connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def copy(
    connection: sqlite3.Connection,
    document: tuple[Any, ...],
    number: int,
    rng: np.random.Generator,
) -> None:
    """Copy one document with its text and passages, under other names and with other vectors."""
    old, root, source, *rest = document
    title, language, *fields = rest[:7]
    file, unit, read_by = rest[7:10], rest[11], rest[12]
    identity, source = named(old, str(number)), f"{number:03}/{source}"
    fields[-1] = named(fields[-1], str(number))  # of the same bytes they would be one document
    query = "SELECT start, text FROM segments WHERE document = ?"
    segments = connection.execute(query, (old,)).fetchall()
    length = sum(len(text) for _, text in segments)
    found = checksum(identity, source, title, language, *fields, length, *covered(unit))
    row = (identity, root, source, title, language, *fields, *file, found, unit, read_by)
    connection.execute(f"INSERT INTO documents VALUES ({', '.join('?' * len(row))})", row)
    connection.executemany(
        "INSERT INTO segments VALUES (?, ?, ?, ?)",
        [(identity, start, text, checksum(identity, start, text)) for start, text in segments],
    )
    query = """
        SELECT id, start, "end", page, page_starts, section, text, vector_key, terms
        FROM passages WHERE document = ?
    """
    held = connection.execute(query, (old,)).fetchall()
    vectors = rng.standard_normal((len(held), NumberedEmbedder.dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows, blobs = [], []
    for (passage, *middle, key, counts), vector in zip(held, vectors, strict=True):
        key = vector_key(key.hex(), str(number))
        own = (named(passage, str(number)), identity, *middle, key, counts)
        rows.append((*own, checksum(*own, source, title, language, *covered(unit))))
        blobs.append((key, vector.tobytes(), checksum(vector.tobytes())))
    connection.executemany("INSERT INTO vectors VALUES (?, ?, ?)", blobs)
    connection.executemany(
        f"INSERT INTO passages({PASSAGE_FIELDS}) VALUES ({', '.join('?' * 11)})", rows
    )


# -- measuring, each in a process of its own -------------------------------------------------


def opened(place: Path) -> Retriever:
    """Open the index as the commands do."""
    store = Store(place / INDEX)
    return Retriever(store, NumberedEmbedder(), lambda matrix: flat_index(matrix, "cpu"))


def timed(retriever: Retriever, question: str, mode: Mode) -> float:
    """Return the seconds of one search."""
    started = time.perf_counter()
    retriever.search(question, 10, mode)
    return time.perf_counter() - started


def median_ms(retriever: Retriever, mode: Mode) -> dict[str, float]:
    """Return the median time of a search, and the processor's time of all cores for it."""
    cpu = time.process_time()
    times = [timed(retriever, question, mode) for question in QUESTIONS * 3]
    cpu = (time.process_time() - cpu) / len(times)
    return {"wall": round(1000 * statistics.median(times), 1), "cpu": round(1000 * cpu, 1)}


def measure_open(place: Path, config: Config) -> dict[str, object]:
    """Time opening, and searches in each mode."""
    import faiss  # noqa: F401  # loading the library is not opening an index

    started, cpu = time.perf_counter(), time.process_time()
    retriever = opened(place)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    for mode in Mode:
        timed(retriever, QUESTIONS[0], mode)
    times = {mode.value: median_ms(retriever, mode) for mode in Mode}
    anonymous = next(
        int(line.split()[1]) / 1024
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("RssAnon")
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "open_s": round(seconds, 2),
        "open_cpu_s": round(cpu, 2),
        "search_ms": times,
        "anonymous_mib": round(anonymous),
        "peak_with_mapped_mib": round(peak),
    }


def measure_add(place: Path, config: Config) -> dict[str, object]:
    """Time the ingest of one file, read in this process: starting others takes as long anywhere."""
    config = replace(config, parsers=0)
    embedder = NumberedEmbedder()
    file = place / "docs" / f"added-{time.time_ns()}.md"
    file.parent.mkdir(exist_ok=True)
    paragraphs = (f"Paragraph {n} about {file.stem}: the quick heron. " * 20 for n in range(20))
    file.write_text("# Added\n\n" + "\n\n".join(paragraphs))
    # Loads its model, through a temporary file: a start of the program, not adding.
    language("A sentence in English.")
    before, started, cpu = _written(), time.perf_counter(), time.process_time()
    report = ingest([file], INDEX, embedder, config)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    assert report.added == 1
    return {
        "seconds": round(seconds - embedder.seconds, 3),
        "cpu_s": round(cpu, 3),
        "embedding_s": round(embedder.seconds, 3),
        "passages": report.embedded,
        "written_kib": (_written() - before) // 1024,
    }


def measure_delete(place: Path, config: Config) -> dict[str, object]:
    """Time the deletion of one document of the base."""
    with closing(Store(place / INDEX)) as store, store.reading() as connection:
        query = "SELECT id FROM documents WHERE source LIKE '0%' ORDER BY id LIMIT 1"
        ((identity,),) = connection.execute(query).fetchall()
    before, started, cpu = _written(), time.perf_counter(), time.process_time()
    delete(place / INDEX, [identity])
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    return {
        "seconds": round(seconds, 3),
        "cpu_s": round(cpu, 3),
        "written_kib": (_written() - before) // 1024,
    }


def measure_follow(place: Path, config: Config) -> dict[str, object]:
    """Time the search that follows a commit of another process, against one that does not."""
    retriever = opened(place)
    timed(retriever, QUESTIONS[0], Mode.LEXICAL)
    usual = median_ms(retriever, Mode.LEXICAL)
    found = []
    for what in ("add", "delete", "add"):
        run(what, place)
        cpu = time.process_time()
        wall = timed(retriever, QUESTIONS[0], Mode.LEXICAL)
        found.append({"wall": 1000 * wall, "cpu": 1000 * (time.process_time() - cpu)})
    more = [{key: round(each[key] - usual[key], 1) for key in each} for each in found]
    return {"more_than_usual_ms": more}


def _written() -> int:
    """Return the bytes that this process has caused to be written to a disk."""
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("write_bytes"):
            return int(line.split()[1])
    raise OSError("no write_bytes in /proc/self/io")


MEASURES = {
    "open": measure_open,
    "add": measure_add,
    "delete": measure_delete,
    "follow": measure_follow,
}


def run(what: str, place: Path) -> dict[str, object]:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--place", str(place), "--measure", what]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return told


def forget_pages(place: Path) -> None:
    """Take an index's files out of the page cache: what follows reads the disk."""
    for path in (place / INDEX).rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def sizes(place: Path) -> dict[str, int]:
    """Return what an index holds, and the MiB of the database and of what is derived."""
    index = place / INDEX
    with closing(Store(index)) as store:
        documents, passages = store.count()
    files = (file for file in (index / "derived").rglob("*") if file.is_file())
    return {
        "documents": documents,
        "passages": passages,
        "database_mib": (index / DATABASE).stat().st_size >> 20,
        "derived_mib": sum(file.stat().st_size for file in files) >> 20,
    }


def measured(place: Path) -> dict[str, object]:
    """Measure everything."""
    found: dict[str, object] = {"open": run("open", place)}
    forget_pages(place)
    found["open_cold_s"] = run("open", place)["open_s"]
    for what in ("add", "delete", "add", "delete"):
        found.setdefault(what, []).append(run(what, place))  # type: ignore[attr-defined]
    found["open_after"] = run("open", place)
    found["follow"] = run("follow", place)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("corpus"))
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--place", type=Path, help="where the index stays; else it is deleted")
    parser.add_argument("--measure", choices=sorted(MEASURES), help=argparse.SUPPRESS)
    args = parser.parse_args()
    place = args.place or Path(tempfile.mkdtemp(prefix="million-"))
    config = Config(index_dir=place, embedder="numbered")
    if args.measure:
        print(json.dumps(MEASURES[args.measure](place, config)))
        return
    try:
        told: dict[str, object] = {}
        if not (place / INDEX / DATABASE).exists():
            place.mkdir(exist_ok=True)
            told["make"] = make(place, args.folder, args.passages, config)
        print(json.dumps(told | sizes(place) | measured(place)))
    finally:
        if args.place is None:
            shutil.rmtree(place)


if __name__ == "__main__":
    main()
