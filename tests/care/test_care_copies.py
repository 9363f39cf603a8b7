"""Every care of an index knows the files that hold the same as others."""

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rag.care.delete import delete
from rag.care.findings import Part
from rag.care.migrate import migrate
from rag.care.repair import repair
from rag.care.snapshot import restore, snapshot
from rag.care.verify import verify
from rag.copies import CopyRow
from rag.errors import ConfigError, IndexCorrupt
from rag.testing import HashEmbedder
from tests.core.bench import ANIMALS, Bench, check, contents, put, texts

pytestmark = pytest.mark.slow

RIVERS = ANIMALS["rivers.txt"]


@pytest.fixture
def copied(animals: Bench) -> Bench:
    """Four documents, one of which three files hold."""
    animals.write({"z/rivers.txt": RIVERS, "again.txt": RIVERS})
    animals.ingest()
    assert animals.copies() == {"again.txt": ["rivers.txt", "z/rivers.txt"]}
    return animals


BROKEN = {
    "a source": "UPDATE copies SET source = 'else.txt' WHERE source = 'rivers.txt'",
    "a folder": "UPDATE copies SET root = 9 WHERE source = 'rivers.txt'",
    "a document": "UPDATE copies SET document = 'none' WHERE source = 'rivers.txt'",
    "bytes": "UPDATE copies SET source = CAST(X'74FF' AS TEXT) WHERE source = 'rivers.txt'",
    "a checksum": "UPDATE copies SET checksum = X'00' WHERE source = 'rivers.txt'",
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_a_damaged_copy_is_found_and_forgotten(copied: Bench, damage: str) -> None:
    """Verify names it, repair drops that row alone, an ingest finds the file again."""
    before = contents(copied.database)
    copied.sql(damage)
    (found,) = verify(copied.index).findings
    assert found.part is Part.COPY and "copy " in found.where
    repaired = repair(copied.index)
    assert repaired.healthy and repaired.mended == (Part.COPY,) and not repaired.documents
    assert copied.copies() == {"again.txt": ["z/rivers.txt"]}
    assert copied.ingest().copies == 1
    assert contents(copied.database) == before


def test_a_copy_in_the_place_of_a_document_is_damage(copied: Bench) -> None:
    """A file belongs to one document: of two rows that claim it the copy goes."""
    with closing(copied.store()) as store:
        row = store.copies()[0]
    wrong = CopyRow(row.document, row.root, "music.txt", 1, 2, 3)
    copied.sql(
        "UPDATE copies SET source = 'music.txt', checksum = ? WHERE source = 'rivers.txt'",
        wrong.checksum,
    )
    (found,) = verify(copied.index).findings
    assert found.part is Part.COPY and "of its own" in found.problem
    assert repair(copied.index).healthy and "music.txt" in copied.sources()


def test_a_damaged_document_goes_with_its_copies_and_comes_back(copied: Bench) -> None:
    """The quarantine names all of its files; the next ingest reads one of them."""
    before = texts(copied.database)
    copied.sql("UPDATE segments SET text = replace(text, 'ten', 'six')")
    repaired = repair(copied.index)
    assert repaired.healthy and copied.copies() == {}
    kept = json.loads(repaired.documents[0].read_text(encoding="utf-8"))
    assert [row["source"] for row in kept["copies"]] == ["rivers.txt", "z/rivers.txt"]
    report = copied.ingest()
    assert (report.added, report.copies) == (1, 2)
    assert texts(copied.database) == before


def test_documents_of_a_damaged_database_are_saved_with_their_copies(copied: Bench) -> None:
    """A database that has to be made anew has the copies of what was whole."""
    before = contents(copied.database)
    copied.sql("PRAGMA writable_schema = ON")
    copied.sql("DROP TABLE reference")
    repaired = repair(copied.index)
    assert repaired.saved == 4 and repaired.healthy
    assert contents(copied.database) == before
    check(copied.store())


def test_a_snapshot_has_the_copies(copied: Bench, tmp_path: Path) -> None:
    """Restored, the next run finds nothing to do."""
    snapshot(copied.index, tmp_path / "file.rag")
    before = contents(copied.database)
    shutil.rmtree(copied.index)
    restore(copied.index, tmp_path / "file.rag")
    assert contents(copied.database) == before
    report = copied.ingest()
    assert (report.unchanged, report.added, report.copies) == (6, 0, 0)


def test_a_snapshot_of_a_damaged_copy_is_not_written(copied: Bench, tmp_path: Path) -> None:
    """As of any other damage."""
    copied.sql(BROKEN["a source"])
    with pytest.raises(IndexCorrupt, match="copy else"):
        snapshot(copied.index, tmp_path / "file.rag")


def test_a_migration_takes_the_copies_over(copied: Bench) -> None:
    """With other settings: the same files of the same documents, and a run has nothing to do."""
    before = copied.copies()
    copied.settings = {"passage_tokens": 16, "overlap_tokens": 4}
    migrate(copied.index, HashEmbedder(), copied.config)
    assert copied.copies() == before
    assert copied.ingest().unchanged == 6
    assert verify(copied.index).findings == ()


@pytest.mark.parametrize("name", ["again.txt", "rivers.txt", "z/rivers.txt"])
def test_a_document_is_deleted_by_any_of_its_sources(copied: Bench, name: str) -> None:
    """All of it goes, with all of its files; the next ingest brings it back while one is there."""
    (copied.docs / "again.txt").unlink()
    (deleted,) = delete(copied.index, [name])
    assert (deleted.source, deleted.also_in) == ("again.txt", ("rivers.txt", "z/rivers.txt"))
    assert deleted.returns and deleted.file == copied.docs / "rivers.txt"
    assert copied.copies() == {} and copied.store().count()[0] == 3
    assert verify(copied.index).findings == ()
    report = copied.ingest()
    assert (report.added, report.copies, report.deleted) == (1, 1, 0)


def test_a_source_of_two_documents_is_asked_about(copied: Bench) -> None:
    """A copy in one folder and a document in another have the same source: ids are told."""
    put(copied.place / "more/rivers.txt", "The Tisza is another river.")
    copied.ingest(copied.place / "more")
    with pytest.raises(ConfigError, match="2 documents have the source"):
        delete(copied.index, ["rivers.txt"])


@pytest.mark.parametrize(
    "care",
    [
        lambda path: delete(path, ["again.txt", "rivers.txt"]),
        lambda path: delete(path, ["music.txt"]),
    ],
    ids=["twice", "another"],
)
def test_deleting_leaves_the_rest(copied: Bench, care: Callable[[Path], object]) -> None:
    """Two names of one document delete it once; another's deletion leaves copies alone."""
    care(copied.index)
    assert copied.store().count()[0] == 3
    check(copied.store())
