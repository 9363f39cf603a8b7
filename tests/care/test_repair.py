"""`repair` brings an index in order, and moves what is damaged without deleting anything."""

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rag import base, derived
from rag.care import quarantine, salvage
from rag.care.findings import Part
from rag.care.repair import Repaired, repair
from rag.care.verify import verify
from rag.errors import IndexLocked, IndexMismatch, IndexNotFound
from rag.store import DATABASE
from rag.writer import write_lock
from tests.core.bench import ANIMALS, Bench, check, contents, sql

pytestmark = pytest.mark.slow

PAGES, FLIPS = 16, 25
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
    spoil(animals.index / base.FOLDER)
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


@pytest.fixture(scope="module")
def kennel(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Thirty documents, so that the tables have several pages each; not to be changed."""
    bench = Bench(tmp_path_factory.mktemp("kennel"))
    names = [f"{n:02}.txt" for n in range(30)]
    bench.write({name: f"Dog {name} barks at {name} strangers. " * 40 for name in names})
    bench.ingest()
    return bench


def test_of_damaged_pages_the_whole_documents_are_saved(kennel: Bench, tmp_path: Path) -> None:
    """Any page overwritten: no wrong row stays, most rows do, an ingest brings the rest.

    What was there is in the quarantine, byte for byte.
    """
    data, before = kennel.database.read_bytes(), contents(kennel.database)
    saved = []
    for page in random.Random(3).sample(range(len(data) // 4096), PAGES):
        bench = Bench(tmp_path / str(page))
        shutil.copytree(kennel.index, bench.index)
        broken = data[: page * 4096] + b"\x7f" * 4096 + data[(page + 1) * 4096 :]
        bench.database.write_bytes(broken)
        repaired = repair(bench.index)
        if repaired.database is not None:
            assert repaired.database.read_bytes() == broken
        if repaired.healthy:
            found = contents(bench.database)
            assert found.items() <= before.items()
            saved.append(len(found))
            assert not (bench.index / salvage.DRAFT).exists()
        bench.ingest(kennel.docs)
        assert contents(bench.database) == before, page
        assert verify(bench.index).findings == ()
    assert sum(saved) > 30 * PAGES / 2


def test_after_any_flipped_byte_repair_and_ingest_give_what_was(
    kennel: Bench, tmp_path: Path
) -> None:
    """Of copies with one byte changed, all come back to the same contents, but for a file's state.

    A byte of the header may make it another program's index, which is refused and not repaired.
    """
    data, before = kennel.database.read_bytes(), contents(kennel.database)
    chance = random.Random(17)
    for n in range(FLIPS):
        bench = Bench(tmp_path / str(n))
        shutil.copytree(kennel.index, bench.index)
        at = chance.randrange(4096) if n % 4 == 0 else chance.randrange(len(data))
        flipped = bytes([data[at] ^ chance.randint(1, 255)])
        bench.database.write_bytes(data[:at] + flipped + data[at + 1 :])
        try:
            repair(bench.index)
        except IndexMismatch:
            continue
        bench.ingest(kennel.docs)
        assert contents(bench.database) == before, at
        assert verify(bench.index).findings == (), at


def test_a_salvage_that_dies_before_its_last_step_is_taken_up(
    kennel: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old database is moved, the new one not yet in place: the next repair puts it there."""
    bench = Bench(tmp_path)
    shutil.copytree(kennel.index, bench.index)
    data = bench.database.read_bytes()
    pages = [data[at : at + 4096] for at in range(0, len(data), 4096)]
    # The first that holds texts and rows: not the rest of a long row.
    page = next(n for n, each in enumerate(pages) if each[0] in (10, 13) and b"barks at" in each)
    bench.database.write_bytes(data[: page * 4096] + b"\x7f" * 4096 + data[(page + 1) * 4096 :])
    with monkeypatch.context() as patch:
        patch.setattr(salvage, "put_in_place", _dies)
        with pytest.raises(KeyboardInterrupt):
            repair(bench.index)
    assert not bench.database.exists()
    repaired = repair(bench.index)
    assert repaired.healthy and 0 < len(bench.sources()) < 30
    bench.ingest(kennel.docs)
    assert contents(bench.database) == contents(kennel.database)


def _dies(*arguments: object) -> None:
    raise KeyboardInterrupt


def test_an_index_of_a_later_program_is_not_taken_for_damaged(animals: Bench) -> None:
    """It is refused and left where it is, to the program that knows it."""
    animals.sql("PRAGMA user_version = 99")
    data = animals.database.read_bytes()
    for use in (repair, verify):
        with pytest.raises(IndexMismatch, match="a later one"):
            use(animals.index)
    assert animals.database.read_bytes() == data


@pytest.mark.parametrize("key", ["version", "dim", "embedder"])
def test_without_what_made_the_index_nothing_is_saved(animals: Bench, key: str) -> None:
    """What the vectors are is not known then: the database goes whole, an ingest makes it anew."""
    before = contents(animals.database)
    animals.sql("DELETE FROM meta WHERE key = ?", key)
    repaired = repair(animals.index)
    assert repaired.database is not None and repaired.saved == 0 and not repaired.healthy
    assert not (animals.index / salvage.DRAFT).exists()
    assert animals.ingest().added == 4
    assert contents(animals.database) == before


def test_a_document_that_lost_a_passage_is_damaged(kennel: Bench, tmp_path: Path) -> None:
    """A row that is gone has no checksum: what the passages leave out of the text shows it."""
    bench = Bench(tmp_path)
    shutil.copytree(kennel.index, bench.index)
    last = "SELECT max(row) FROM passages WHERE text LIKE 'Dog 03%'"
    bench.sql(f"DELETE FROM passages WHERE row = ({last})")
    found = verify(bench.index).findings
    assert any("no passage holds its text from" in finding.problem for finding in found)
    assert repair(bench.index).healthy
    bench.ingest(kennel.docs)
    assert contents(bench.database) == contents(kennel.database)


def test_nothing_is_repaired_while_another_writes(animals: Bench) -> None:
    """The lock is the writers': a repair is one."""
    with write_lock(animals.index), pytest.raises(IndexLocked):
        repair(animals.index)


def test_a_repair_that_dies_half_way_loses_nothing(
    animals: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document is in the quarantine before it leaves the index: the next repair goes on."""
    animals.sql(BREAK)
    with monkeypatch.context() as patch:
        patch.setattr("rag.care.caretaker.Caretaker.delete_documents", _dies)
        with pytest.raises(KeyboardInterrupt):
            repair(animals.index)
    assert len(animals.sources()) == 4 and len(quarantine.kept(animals.index)) == 1
    assert repair(animals.index).healthy
    assert len(animals.sources()) == 3 and len(quarantine.kept(animals.index)) == 2
    assert sql(animals.database, "PRAGMA integrity_check") == [("ok",)]
