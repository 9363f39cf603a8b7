"""Documents that other loaders read are read again by the next ingest, and by no other cause."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from rag import loaders
from rag.care.migrate import migrate
from rag.errors import LoadError
from rag.preview import preview
from rag.types import Parsed
from tests.care.test_migrate import NarrowEmbedder
from tests.core.bench import Bench, check, put

CATS = "The cat drinks cold milk every morning.\n\nCats purr."


@contextmanager
def newer_loaders(said: str = "Read otherwise. ") -> Iterator[None]:
    """Let loaders be of another version, which put some words before every text."""

    def load(path: Path, *given: object) -> Parsed:
        if "broken" in said:
            raise LoadError("can not be read any more")
        return Parsed(said + path.read_text(encoding="utf-8"), path.stem)

    with (
        patch.object(loaders, "LOADERS_VERSION", loaders.LOADERS_VERSION + 1),
        patch.object(loaders, "load", load),
    ):
        yield


@pytest.fixture
def cats(bench: Bench) -> Bench:
    """Two files, one of which lies there twice."""
    bench.write({"cats.txt": CATS, "copy/cats.txt": CATS, "dogs.txt": "Dogs bark."})
    bench.ingest()
    return bench


def test_every_document_is_read_again_once(cats: Bench) -> None:
    """Its file has not changed; its id stays, its copies too, and the second run does nothing."""
    before = cats.document("cats.txt").id
    with newer_loaders():
        told = preview([cats.docs], "default", cats.config)
        assert sorted(told.updated) == ["cats.txt", "dogs.txt"]
        report = cats.ingest()
        assert (report.added, report.updated, report.unchanged) == (0, 2, 1)
        assert cats.document("cats.txt").text.startswith("Read otherwise. The cat")
        assert cats.document("cats.txt").id == before
        assert cats.copies() == {"cats.txt": ["copy/cats.txt"]}
        again = cats.ingest()
        assert (again.updated, again.unchanged, again.embedded) == (0, 3, 0)
    check(cats.store())


def test_what_stays_the_same_is_not_embedded_again(cats: Bench) -> None:
    """Other loaders that read the same text leave passages, rows and vectors as they were."""
    rows = cats.rows("cats.txt")
    with newer_loaders(""):
        report = cats.ingest()
    assert (report.updated, report.embedded) == (2, 0)
    assert cats.rows("cats.txt") == rows


def test_a_file_that_can_not_be_read_any_more_stays_as_it_was(cats: Bench) -> None:
    """It is reported, and tried again by the next run."""
    with newer_loaders("broken"):
        for _ in range(2):
            report = cats.ingest()
            assert sorted(failure.source for failure in report.failed) == ["cats.txt", "dogs.txt"]
    assert cats.document("cats.txt").text == CATS
    assert cats.copies() == {"cats.txt": ["copy/cats.txt"]}
    check(cats.store())


def test_folders_that_are_not_ingested_stay_as_they_were(cats: Bench) -> None:
    """A run over another folder reads none of their files."""
    put(cats.place / "other" / "new.txt", "A new document.")
    with newer_loaders():
        report = cats.ingest(cats.place / "other")
    assert (report.added, report.updated) == (1, 0)
    assert cats.document("cats.txt").text == CATS


def test_an_outdated_file_that_moved_keeps_its_document(cats: Bench) -> None:
    """It is read at its new place, by the new loaders."""
    before = cats.document("dogs.txt").id
    (cats.docs / "dogs.txt").rename(cats.docs / "wolves.txt")
    with newer_loaders():
        cats.ingest()
    assert cats.document("wolves.txt").id == before
    assert cats.document("wolves.txt").text == "Read otherwise. Dogs bark."


def test_what_is_migrated_stays_what_its_loaders_read(cats: Bench) -> None:
    """A migration takes the stored texts, and says who read them."""

    with newer_loaders():
        migrate(cats.index, NarrowEmbedder(), cats.config)
    assert set(cats.sql("SELECT loaders FROM documents")) == {(loaders.LOADERS_VERSION,)}
