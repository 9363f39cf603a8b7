"""What is deleted is gone: from answers at once, and from every file after `compact`."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rag.care import quarantine
from rag.care.compact import compact
from rag.care.delete import delete
from rag.care.migrate import DRAFT, migrate
from rag.care.repair import repair
from rag.care.verify import verify
from rag.errors import ConfigError, IndexLocked, IndexNotFound
from rag.reference import REFERENCE
from rag.store import DATABASE
from rag.writer import write_lock
from tests.care.test_migrate import DyingEmbedder
from tests.core.bench import ANIMALS, Bench, check, contents, put

SECRET = "Zyxwomat"
TEXT = f"Know that {SECRET} lies under the old oak, Кошкинсон and 秘密地点 too. "
# A word, its stem, and letters of other scripts, in the encodings in which they could be left.
TRACES = [
    word.encode(encoding)
    for word in (SECRET, SECRET.lower(), "zyxwoma", "Кошкинсон", "кошкинс", "秘密地点", "密地")
    for encoding in ("utf-8", "utf-16-le")
]


def holding(folder: Path) -> dict[str, list[bytes]]:
    """Return the traces that are in each file of a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    found = {path.name: [t for t in TRACES if t in path.read_bytes()] for path in files}
    return {name: traces for name, traces in found.items() if traces}


@pytest.fixture
def secret(bench: Bench) -> Bench:
    """An index with a secret in one of its documents."""
    bench.write({**ANIMALS, "secret/zyxwomat.txt": TEXT * 60})
    bench.ingest()
    return bench


def test_a_document_is_deleted_by_source(animals: Bench) -> None:
    """With its passages and vectors; the others, and their rows, stay."""
    before = contents(animals.database)
    (deleted,) = delete(animals.index, ["music.txt"])
    assert (deleted.source, deleted.returns) == ("music.txt", True)
    assert deleted.file == animals.docs / "music.txt"
    assert contents(animals.database) == {k: v for k, v in before.items() if k != "music.txt"}
    check(animals.store())
    assert verify(animals.index).findings == ()


def test_documents_are_deleted_by_id_and_several_at_once(animals: Bench) -> None:
    """A file that is gone too does not return."""
    identity = animals.document("animals/dogs.md").id
    (animals.docs / "animals/dogs.md").unlink()
    found = delete(animals.index, [identity, "music.txt", "music.txt"])
    assert [(each.source, each.returns) for each in found] == [
        ("animals/dogs.md", False),
        ("music.txt", True),
    ]
    assert animals.sources() == ["animals/cats.md", "rivers.txt"]


@pytest.mark.parametrize("name", ["nowhere.txt", "", "*", "music", "\udcff", "' OR 1=1 --"])
def test_a_name_of_nothing_deletes_nothing(animals: Bench, name: str) -> None:
    """Nor do the names beside it: all or none."""
    with pytest.raises(ConfigError, match="nothing was deleted"):
        delete(animals.index, ["music.txt", name])
    assert animals.sources() == sorted(ANIMALS)


def test_a_source_of_two_folders_is_told(bench: Bench) -> None:
    """Two roots may each have a file of that name: the ids tell them apart."""
    put(bench.place / "a" / "x.txt", "The cat of a.")
    put(bench.place / "b" / "x.txt", "The dog of b.")
    bench.ingest(bench.place / "a", bench.place / "b")
    with pytest.raises(ConfigError, match=r"2 documents have the source 'x\.txt'") as told:
        delete(bench.index, ["x.txt"])
    ids = [identity for (identity,) in bench.sql("SELECT id FROM documents")]
    assert all(identity in str(told.value) for identity in ids)
    delete(bench.index, [ids[0]])
    assert bench.sql("SELECT id FROM documents") == [(ids[1],)]


def test_the_next_ingest_brings_a_file_back(animals: Bench) -> None:
    """As the report says; one that `.ragignore` names stays away."""
    delete(animals.index, ["music.txt"])
    assert animals.ingest().added == 1
    delete(animals.index, ["music.txt"])
    put(animals.docs / ".ragignore", "music.txt\n")
    assert animals.ingest().added == 0


def test_a_server_that_has_the_index_open_stops_finding_it(animals: Bench) -> None:
    """With its next search."""
    retriever = animals.retriever()
    assert retriever.search("violins", 1).hits[0].passage.source == "music.txt"
    delete(animals.index, ["music.txt"])
    found = {hit.passage.source for hit in retriever.search("violins", 9).hits}
    assert found == ANIMALS.keys() - {"music.txt"}


@pytest.mark.slow
def test_no_trace_of_a_deleted_document_is_in_any_file(secret: Bench) -> None:
    """Text, title, source, terms: deletion takes the text, compaction the terms too."""
    assert holding(secret.index)
    delete(secret.index, ["secret/zyxwomat.txt"])
    left = holding(secret.index)
    assert left.keys() <= {DATABASE} and SECRET.encode() not in left.get(DATABASE, [])
    compacted = compact(secret.index)
    assert holding(secret.index) == {}
    assert compacted.terms > 3 and compacted.log_empty
    assert verify(secret.index).findings == ()


@pytest.mark.slow
def test_no_trace_stays_of_what_an_ingest_deletes(secret: Bench) -> None:
    """The same for files that are gone, and for what an edit removed."""
    put(secret.docs / "rivers.txt", TEXT)
    secret.ingest()
    shutil.rmtree(secret.docs / "secret")
    put(secret.docs / "rivers.txt", "The Danube.")
    secret.ingest()
    compact(secret.index)
    assert holding(secret.index) == {}


@pytest.mark.slow
def test_no_trace_stays_in_drafts_and_quarantine(
    secret: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupted migration has copies of the texts, the quarantine what was taken out."""
    monkeypatch.setattr("rag.care.migrate.SLAB_PASSAGES", 1)
    with pytest.raises(KeyboardInterrupt):
        migrate(secret.index, DyingEmbedder(len(REFERENCE) + 4), secret.config)
    assert (secret.index / DRAFT / DATABASE).exists()
    secret.sql("UPDATE passages SET text = 'x' WHERE text LIKE '%oak%'")
    assert repair(secret.index).documents
    assert holding(secret.index / quarantine.FOLDER)
    secret.ingest()
    delete(secret.index, ["secret/zyxwomat.txt"])
    assert compact(secret.index).quarantined == ()
    assert holding(secret.index) == {}
    assert not (secret.index / DRAFT).exists()


def test_compacting_changes_no_answer(animals: Bench) -> None:
    """The same rows and scores; the terms that are left keep their ids."""
    delete(animals.index, ["music.txt"])
    questions = ("cat milk", "danube countries", "violins", "dog strangers walks")
    before = [animals.retriever().search(each, 9).hits for each in questions]
    terms = dict(animals.sql("SELECT term, id FROM vocabulary"))
    assert compact(animals.index).terms > 0
    assert [animals.retriever().search(each, 9).hits for each in questions] == before
    left = dict(animals.sql("SELECT term, id FROM vocabulary"))
    assert left.items() < terms.items() and "violin" not in " ".join(left)
    assert compact(animals.index).terms == 0


def test_new_terms_after_compacting_are_told_apart(animals: Bench) -> None:
    """Ids that became free may be used again: no passage holds them any more."""
    delete(animals.index, ["rivers.txt", "music.txt"])
    compact(animals.index)
    animals.write({"new.txt": "Violas and Danubian cellos sound alike."})
    animals.ingest()
    assert verify(animals.index).findings == ()
    hits = animals.retriever().search("cellos", 1).hits
    assert hits[0].passage.source == "new.txt" and hits[0].overlap == 1.0


def test_a_reader_in_the_middle_does_not_hinder(animals: Bench) -> None:
    """It goes on with what it sees; that the log could not be emptied is told."""
    with closing(sqlite3.connect(animals.database)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM documents").fetchone() == (4,)
        delete(animals.index, ["music.txt"])
        assert not compact(animals.index).log_empty
        assert reader.execute("SELECT count(*) FROM documents").fetchone() == (4,)
    assert compact(animals.index).log_empty


def test_space_is_given_back(bench: Bench) -> None:
    """The database shrinks to what is left."""
    bench.write({f"{n}.txt": f"The dog {n} barks at strangers. " * 300 for n in range(20)})
    bench.ingest()
    delete(bench.index, [f"{n}.txt" for n in range(19)])
    compacted = compact(bench.index)
    assert compacted.after < compacted.before / 3
    assert verify(bench.index).findings == ()


def test_both_need_an_index_and_the_lock(animals: Bench, tmp_path: Path) -> None:
    """As every writer does; no folder is made for an index that is not there."""
    for use in (compact, lambda path: delete(path, ["music.txt"])):
        with pytest.raises(IndexNotFound):
            use(tmp_path / "nowhere")
        with write_lock(animals.index), pytest.raises(IndexLocked):
            use(animals.index)
    assert not (tmp_path / "nowhere").exists()
