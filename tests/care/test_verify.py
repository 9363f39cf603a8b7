"""`verify` reads everything, and names each thing that is not as it was written."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rag import base
from rag.care.contents import database_findings
from rag.care.findings import Finding, Part, Verified
from rag.care.verify import verify, verify_database
from rag.errors import IndexMismatch, IndexNotFound
from rag.schema import checksum
from rag.types import Parsed
from rag.writer import SEGMENT_CHARACTERS, StoreWriter
from tests.core.bench import Bench, put


def problems(verified: Verified) -> list[tuple[Part, str, str]]:
    """Return the findings without what they say of remedies."""
    return [(each.part, each.where, each.problem) for each in verified.findings]


def only(verified: Verified) -> Finding:
    """Return the one finding."""
    (finding,) = verified.findings
    assert finding.remedy
    return finding


def test_a_good_index_has_no_findings(animals: Bench) -> None:
    """Everything that an ingest wrote is found to be as it was written, and is counted."""
    assert verify(animals.index) == Verified(4, 4, 4, ())


@pytest.mark.slow
def test_a_long_document_with_pages_is_read_in_stretches(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passages that cross segments, in any script, are compared with the text at their offsets."""
    text = "\n\n".join(f"狗 {n} barks at 😀 Кошка {n}. " * 40 for n in range(200))
    assert len(text) > 2 * SEGMENT_CHARACTERS
    parsed = Parsed(text, "T", pages=tuple(range(0, len(text), 9_000)), unit="slide")
    monkeypatch.setattr("rag.loaders.load", lambda path, *given: parsed)
    put(bench.docs / "a.txt", "x")
    bench.ingest()
    assert verify(bench.index).findings == ()
    bench.sql("DELETE FROM segments WHERE start > 0 AND start < ?", SEGMENT_CHARACTERS + 1)
    found = [problem for _, _, problem in problems(verify(bench.index))]
    assert any(problem.startswith("its text is missing from") for problem in found)
    assert any("is not the document's text at" in problem for problem in found)


def test_a_changed_text_is_named_with_its_document(animals: Bench) -> None:
    """A segment: the document, where its text is wrong, and what no longer agrees with it."""
    animals.sql("UPDATE segments SET text = replace(text, 'two', 'six')")
    found = problems(verify(animals.index))
    assert {(part, where) for part, where, _ in found} == {(Part.DOCUMENT, "document music.txt")}
    assert [problem for _, _, problem in found] == [
        "passage row 3 is not the document's text at 0…58",
        "its text from 0 on does not match its checksum",
    ]


def test_a_changed_passage_is_named(animals: Bench) -> None:
    """A passage: the row, the document's source and id, and how it is repaired."""
    animals.sql("UPDATE passages SET text = replace(text, 'two', 'six')")
    finding = only(verify(animals.index))
    assert finding.where == "document music.txt"
    assert finding.problem == "passage row 3 does not match its checksum"
    assert finding.documents == (animals.document("music.txt").id,)
    assert "rag repair" in finding.remedy and "rag ingest" in finding.remedy


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE documents SET title = 'x' WHERE source = 'music.txt'", "does not match its check"),
        ("UPDATE documents SET pages = '[' WHERE source = 'music.txt'", "Expecting value"),
        ("UPDATE documents SET root = 9 WHERE source = 'music.txt'", "is of no known folder"),
        (
            "UPDATE segments SET text = CAST(X'74776FFF' AS TEXT) WHERE text LIKE '%two%'",
            "holds bytes that are no text",
        ),
    ],
)
def test_a_damaged_document_is_named(animals: Bench, change: str, problem: str) -> None:
    """A title, its pages, its folder, bytes that are no text: none ends the reading."""
    identity = animals.document("music.txt").id
    animals.sql(change)
    found = verify(animals.index).findings
    assert {finding.documents for finding in found} == {(identity,)}
    assert any(problem in finding.problem for finding in found)


def test_vectors_are_checked_one_by_one(animals: Bench) -> None:
    """Wrong bytes, another length, not finite, missing, without a passage: each told."""
    keys = [key for (key,) in animals.sql("SELECT key FROM vectors ORDER BY key")]
    short, infinite = bytes(8), np.full(256, np.nan, "<f4").tobytes()
    animals.sql("UPDATE vectors SET vector = zeroblob(1024) WHERE key = ?", keys[0])
    change = "UPDATE vectors SET vector = ?, checksum = ? WHERE key = ?"
    animals.sql(change, short, checksum(short), keys[1])
    animals.sql(change, infinite, checksum(infinite), keys[2])
    animals.sql("UPDATE vectors SET key = X'00' WHERE key = ?", keys[3])
    found = verify(animals.index).findings
    told = {finding.where: finding.problem for finding in found if finding.part is Part.VECTOR}
    assert told == {
        f"vector {keys[0].hex()}": "does not match its checksum",
        f"vector {keys[1].hex()}": "has 8 bytes; expected 1024",
        f"vector {keys[2].hex()}": "is not finite",
        f"vector {keys[3].hex()}": "is missing",
        "vector 00": "belongs to no passage",
    }
    owned = [finding.documents for finding in found if finding.where != "vector 00"]
    assert sorted(len(documents) for documents in owned if documents) == [1, 1, 1, 1]


def test_terms_that_are_not_those_of_the_text_are_told(animals: Bench) -> None:
    """The vocabulary has no checksums: what it says is compared with the texts."""
    animals.sql("UPDATE vocabulary SET term = 'coffee' WHERE term = 'milk'")
    finding = only(verify(animals.index))
    assert (finding.part, finding.where) == (Part.TERMS, "the terms of animals/cats.md")


def test_the_reference_is_read(animals: Bench) -> None:
    """Its vectors decide what is relevant: a changed one is told."""
    animals.sql("UPDATE reference SET vectors = zeroblob(1024) WHERE language = 'en'")
    found = verify(animals.index).findings
    assert [(each.part, each.where) for each in found] == [
        (Part.REFERENCE, "the reference of language en")
    ]


def test_rows_of_no_document_are_told(animals: Bench) -> None:
    """A document's row is gone: its text and passages are named by its id."""
    identity = animals.document("music.txt").id
    animals.sql("DELETE FROM documents WHERE source = 'music.txt'")
    found = verify(animals.index).findings
    told = [finding.problem for finding in found if finding.documents == (identity,)]
    assert told == [
        "1 rows of segments belong to no document",
        "1 rows of passages belong to no document",
    ]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("manifest.json", "has no manifest"),
        ("vectors.npy", "has a file that is missing"),
        ("lexical/rows.npy", "has a file that is missing"),
    ],
)
def test_derived_files_are_compared(animals: Bench, name: str, problem: str) -> None:
    """Each file that is gone or changed is told; nothing else is wrong."""
    (animals.index / base.FOLDER / name).write_bytes(b"")
    finding = only(verify(animals.index))
    assert finding.part is Part.DERIVED and problem in finding.problem


def test_derived_files_that_agree_with_their_manifest_only(animals: Bench) -> None:
    """Checksums that hold do not help where the vectors are not those of the store."""
    folder = animals.index / base.FOLDER
    matrix = np.load(folder / base.VECTORS)
    np.save(folder / base.VECTORS, matrix[::-1])
    told = base.manifest(folder)
    assert told is not None
    size = (folder / base.VECTORS).stat().st_size
    told.files[base.VECTORS] = (base.file_checksum(folder / base.VECTORS), size)
    (folder / base.MANIFEST).write_text(told.text())
    finding = only(verify(animals.index))
    assert finding.problem == "holds other vectors than the store: vectors.npy"


def test_an_earlier_version_of_what_is_derived_is_told(animals: Bench) -> None:
    """Files of another version, from which the log does not lead to the present one."""
    with closing(StoreWriter(animals.index, {})) as writer, writer.transaction():
        pass
    assert verify(animals.index).findings == ()
    animals.sql("DELETE FROM changes")
    assert "is of version" in only(verify(animals.index)).problem


def test_a_file_that_is_no_database_is_a_finding(animals: Bench) -> None:
    """Zeros, or nothing: the database can not be used, and the remedies are named."""
    animals.database.write_bytes(bytes(8192))
    finding = only(verify(animals.index))
    assert finding.part is Part.DATABASE and "rag restore" in finding.remedy


def test_meta_without_its_numbers_is_a_finding(animals: Bench) -> None:
    """Without version, dimension and model nothing else can be used."""
    animals.sql("DELETE FROM meta WHERE key IN ('version', 'dim', 'embedder')")
    found = {finding.where for finding in verify(animals.index).findings}
    assert found >= {"meta version", "meta dim", "meta embedder"}


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("documents", "mtime_ns", "mtime_nt"),
        ("documents", "'page'", "'pagf'"),
        ("segments", "CASCADE", "SET NULL"),
        ("passages", "row INTEGER PRIMARY KEY", "row INTEGER UNIQUE"),
    ],
)
def test_the_definition_of_a_table_is_compared(
    animals: Bench, name: str, before: str, after: str
) -> None:
    """It is stored as text too: a letter of it decides what a column is called."""
    with closing(sqlite3.connect(animals.database)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        query = "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = ?"
        connection.execute(query, (before, after, name))
    found = verify(animals.index).findings
    assert Part.DATABASE in {finding.part for finding in found}


def test_what_is_no_damage_is_raised(animals: Bench, tmp_path: Path) -> None:
    """No index, and one of an earlier schema, are not wrong: they are told as they always are."""
    with pytest.raises(IndexNotFound):
        verify(tmp_path / "nowhere")
    animals.sql("PRAGMA user_version = 1")
    with pytest.raises(IndexMismatch, match="rag migrate"):
        verify(animals.index)


@pytest.mark.slow
def test_no_flipped_byte_of_what_is_stored_goes_unseen(bench: Bench) -> None:
    """Of 300 copies with one byte changed, each has a finding, or still holds the same rows."""
    bench.write({f"{n}.txt": f"The dog {n} barks at strangers. " * 30 for n in range(6)})
    bench.ingest()
    data = bench.database.read_bytes()
    rows = _rows(bench.database)
    copy = bench.place / "copy.sqlite3"
    chance = random.Random(11)
    told = 0
    for _ in range(300):
        at = chance.randrange(len(data))
        copy.write_bytes(data[:at] + bytes([data[at] ^ chance.randint(1, 255)]) + data[at + 1 :])
        found = verify_database(copy)
        told += bool(found)
        assert found or _rows(copy) == rows, at
    assert told > 100


def _rows(database: Path) -> list[object]:
    """Return what is checked of a database: all but the state of files and the folders."""
    with closing(sqlite3.connect(database)) as connection:
        queries = (
            "SELECT id, source, title, language, date, metadata, headings, pages, content_hash,"
            " unit FROM documents ORDER BY id",
            "SELECT * FROM segments ORDER BY document, start",
            "SELECT id, document, text, section, vector_key FROM passages ORDER BY id",
            "SELECT key, vector FROM vectors ORDER BY key",
            "SELECT language, vectors FROM reference ORDER BY language",
        )
        return [connection.execute(query).fetchall() for query in queries]


def test_reading_goes_on_past_a_check_that_fails(animals: Bench) -> None:
    """A table that is gone is one finding; what the others hold is read all the same."""
    animals.sql("DROP TABLE reference")
    animals.sql("UPDATE passages SET text = replace(text, 'two', 'six')")
    with closing(sqlite3.connect(animals.database)) as connection:
        found = list(database_findings(connection, terms=True))
    told = [(finding.part, finding.where) for finding in found]
    assert told == [
        (Part.DATABASE, "table reference"),
        (Part.DOCUMENT, "document music.txt"),
        (Part.DATABASE, "reading reference"),
    ]


def test_reading_tells_how_far_it_is(animals: Bench) -> None:
    """Each part is announced; documents and vectors are counted against their number."""
    told: list[tuple[str, int, int]] = []
    verify(animals.index, lambda *given: told.append(given))
    assert list(dict.fromkeys(what for what, _, _ in told)) == [
        *("tables", "pages", "meta", "documents", "copies", "rows", "vectors", "reference"),
        "derived files",
    ]
    assert [(done, total) for what, done, total in told if what == "documents"] == [
        *((0, 0), (0, 4), (1, 4), (2, 4), (3, 4)),
    ]
    assert ("vectors", 0, 4) in told
