"""`repair` brings an index in order, and moves what is damaged without deleting anything."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from rag import derived
from rag.care import quarantine
from rag.care.findings import Part
from rag.care.repair import Repaired, repair
from rag.care.verify import verify
from rag.errors import IndexLocked, IndexNotFound
from rag.store import DATABASE
from rag.writer import write_lock
from tests.core.bench import ANIMALS, Bench, check, contents, sql

BREAK = "UPDATE passages SET text = replace(text, 'two', 'six')"


def test_a_good_index_is_left_as_it_is(animals: Bench) -> None:
    """Nothing moved, nothing made anew, every byte of the database as before."""
    data = animals.database.read_bytes()
    assert repair(animals.index) == Repaired()
    assert animals.database.read_bytes() == data
    assert not (animals.index / quarantine.FOLDER).exists()


def test_a_damaged_document_is_kept_aside_and_read_again(animals: Bench) -> None:
    """The rest answers, the quarantine has what could be read, and an ingest makes all good."""
    before = contents(animals.database)
    identity = animals.document("music.txt").id
    animals.sql(BREAK)
    repaired = repair(animals.index)
    assert repaired.healthy and len(repaired.documents) == 1
    assert animals.sources() == sorted(ANIMALS.keys() - {"music.txt"})
    check(animals.store())
    kept = json.loads(repaired.documents[0].read_text(encoding="utf-8"))
    assert kept["id"] == identity and kept["document"][0]["source"] == "music.txt"
    assert kept["document"][0]["folder"] == str(animals.docs)
    assert kept["segments"][0]["text"].strip() == ANIMALS["music.txt"].strip()
    assert "six violins" in kept["passages"][0]["text"] and len(kept["vectors"]) == 1
    assert kept["reasons"] == ["document music.txt: passage row 3 does not match its checksum"]
    assert animals.retriever().search("cat milk", 1).hits[0].passage.source == "animals/cats.md"
    assert animals.ingest().added == 1
    assert contents(animals.database) == before


BROKEN: dict[str, str] = {
    "a text": "UPDATE segments SET text = replace(text, 'two', 'six')",
    "bytes": "UPDATE segments SET text = CAST(X'74776FFF' AS TEXT) WHERE text LIKE '%two%'",
    "a title": "UPDATE documents SET title = 'x' WHERE source = 'music.txt'",
    "a vector": "UPDATE vectors SET vector = zeroblob(1024) WHERE key = (SELECT vector_key"
    " FROM passages WHERE text LIKE '%two%')",
    "a vector's key": "UPDATE vectors SET key = X'00' WHERE key = (SELECT vector_key"
    " FROM passages WHERE text LIKE '%two%')",
    "a row": "DELETE FROM documents WHERE source = 'music.txt'",
    "the id": "UPDATE documents SET id = 'abc' WHERE source = 'music.txt'",
    "the folder": "UPDATE documents SET root = 9 WHERE source = 'music.txt'",
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_any_damage_to_a_document_takes_that_one_out(animals: Bench, change: str) -> None:
    """Whatever of it is wrong: the others stay as they are, and an ingest brings it back."""
    before = contents(animals.database)
    animals.sql(change)
    assert verify(animals.index).findings
    assert repair(animals.index).healthy
    assert animals.sources() == sorted(ANIMALS.keys() - {"music.txt"})
    check(animals.store())
    assert animals.ingest().added == 1
    assert contents(animals.database) == before


def test_a_vocabulary_is_rebuilt_from_the_texts(animals: Bench) -> None:
    """Terms are derived: no document has to go for them."""
    before = contents(animals.database)
    animals.sql("UPDATE vocabulary SET term = 'coffee' WHERE term = 'milk'")
    repaired = repair(animals.index)
    assert repaired.healthy and repaired.documents == ()
    assert Part.TERMS in repaired.mended
    assert contents(animals.database) == before
    hits = animals.retriever().search("milk", 1).hits
    assert hits[0].passage.source == "animals/cats.md" and hits[0].overlap == 1.0


def test_a_reference_is_made_anew_by_the_next_ingest(animals: Bench) -> None:
    """It needs the model: repair deletes it, ingest embeds it."""
    animals.sql("UPDATE reference SET vectors = zeroblob(1024) WHERE language = 'en'")
    assert repair(animals.index).healthy
    assert animals.store().reference() == {}
    animals.ingest()
    assert "en" in animals.store().reference()


@pytest.mark.parametrize("spoil", [shutil.rmtree, lambda f: (f / "vectors.npy").write_bytes(b"x")])
def test_what_is_derived_is_rebuilt(animals: Bench, spoil: Callable[..., object]) -> None:
    """Gone or damaged: it is saved anew, and the store is not touched."""
    version = animals.store().version()
    spoil(animals.index / derived.FOLDER)
    repaired = repair(animals.index)
    assert repaired.healthy and repaired.mended == (Part.DERIVED,)
    assert derived.is_saved(animals.store()) and animals.store().version() == version


def test_an_index_of_sqlite_is_rebuilt_from_its_table(animals: Bench) -> None:
    """What SQLite derives from its tables is no reason to take anything out."""
    found = "FROM sqlite_master WHERE name = 'passages_vector'"
    ((*hidden,),) = animals.sql(f"SELECT type, name, tbl_name, rootpage, sql {found}")
    with closing(sqlite3.connect(animals.database)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(f"DELETE {found}")
    animals.sql("UPDATE passages SET row = row + 100")  # the index does not see it
    with closing(sqlite3.connect(animals.database)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", hidden)
    assert Part.INDEX in {finding.part for finding in verify(animals.index).findings}
    repaired = repair(animals.index)
    assert repaired.healthy and Part.INDEX in repaired.mended and repaired.documents == ()
    check(animals.store())


@pytest.mark.parametrize("size", [0, 100, 8192])
def test_a_database_that_can_not_be_opened_is_moved_aside(animals: Bench, size: int) -> None:
    """Moved whole, with its log; then there is no index, and an ingest makes one."""
    before = contents(animals.database)
    animals.database.write_bytes(bytes(size))
    (animals.index / f"{DATABASE}-wal").write_bytes(b"rest of a log")
    repaired = repair(animals.index)
    assert repaired.database is not None and not repaired.healthy
    assert repaired.database.read_bytes() == bytes(size)
    with pytest.raises(IndexNotFound):
        repair(animals.index)
    assert animals.ingest().added == 4
    assert contents(animals.database) == before


def test_damaged_pages_move_the_database_aside(animals: Bench) -> None:
    """Pages out of order: no row of such a file is trusted."""
    data = animals.database.read_bytes()
    animals.database.write_bytes(data[:8192] + b"\x7f" * 8192 + data[16384:])
    repaired = repair(animals.index)
    assert repaired.database is not None
    assert len(repaired.database.read_bytes()) == len(data)


def test_nothing_is_repaired_while_another_writes(animals: Bench) -> None:
    """The lock is the writers': a repair is one."""
    with write_lock(animals.index), pytest.raises(IndexLocked):
        repair(animals.index)


def test_a_repair_that_dies_half_way_loses_nothing(
    animals: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document is in the quarantine before it leaves the index: the next repair goes on."""
    animals.sql(BREAK)

    def dies(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("rag.care.caretaker.Caretaker.delete_documents", dies)
        with pytest.raises(KeyboardInterrupt):
            repair(animals.index)
    assert len(animals.sources()) == 4 and len(quarantine.kept(animals.index)) == 1
    assert repair(animals.index).healthy
    assert len(animals.sources()) == 3 and len(quarantine.kept(animals.index)) == 2
    assert sql(animals.database, "PRAGMA integrity_check") == [("ok",)]
