"""Metadata in a file beside the document: read with it, watched with it, never a document."""

import json
import os
import shutil
from pathlib import Path

import pytest

from rag.errors import ConfigError, LoadError
from rag.loaders import kind, load
from rag.scan import scan
from rag.types import Failure, Filters
from tests.core.bench import Bench, check, put

NAME = "rivers.txt.meta.json"


def metadata(bench: Bench) -> dict[str, str]:
    """What the index knows of rivers.txt."""
    return dict(bench.document("rivers.txt").metadata)


def test_a_sidecar_states_title_and_metadata(bench: Bench) -> None:
    """It goes before front matter; keys are those of front matter, lists are joined."""
    bench.write({"rivers.txt": "---\ntitle: Old\nauthor: Ann\nplace: Pest\n---\nThe Danube.\n"})
    stated = {"title": "A Duna", "Language": "hu", "tags": ["víz", "folyó"], "year": 1.10,
              "date": "2024-05-01", "draft": False, "author": None}  # fmt: skip
    bench.write({NAME: json.dumps(stated, ensure_ascii=False)})
    report = bench.ingest()
    assert (report.added, report.failed, report.skipped) == (1, (), ())
    document = bench.document("rivers.txt")
    assert (document.title, document.language) == ("A Duna", "hu")
    assert metadata(bench) == {
        "place": "Pest", "lang": "hu", "tags": "víz, folyó", "year": "1.1",
        "date": "2024-05-01", "draft": "false",
    }  # fmt: skip
    assert bench.sql("SELECT date FROM documents") == [("2024-05-01",)]
    for place, titles in (("Pest", ["A Duna"]), ("Bécs", [])):
        filters = Filters(metadata={"place": place})
        hits = bench.retriever().search("Danube", 3, filters=filters).hits
        assert [hit.passage.title for hit in hits] == titles


@pytest.mark.slow
def test_a_change_of_the_sidecar_alone_is_read(animals: Bench) -> None:
    """Added, edited without a new size, touched, and removed: the document follows."""
    version = animals.store().version()
    for content, expected in (('{"place": "here"}', "here"), ('{"place": "gone"}', "gone")):
        animals.write({NAME: content})
        report = animals.ingest()
        assert (report.added, report.updated, report.unchanged) == (0, 1, 3)
        assert report.embedded == 0 and metadata(animals) == {"place": expected}
        assert animals.ingest().unchanged == 4
    changed = animals.store().version()
    assert changed != version
    put(animals.docs / NAME, '{"place": "gone"}')
    assert animals.ingest().unchanged == 4 and animals.store().version() == changed
    (animals.docs / NAME).unlink()
    assert animals.ingest().updated == 1 and metadata(animals) == {}
    check(animals.store())


def test_the_date_of_a_document_is_not_that_of_its_sidecar(bench: Bench) -> None:
    """A file without a stated date has that of its own last change."""
    bench.write({"rivers.txt": "The Danube.", NAME: '{"place": "Pest"}'})
    os.utime(bench.docs / "rivers.txt", (1_000_000_000, 1_000_000_000))
    os.utime(bench.docs / NAME, (2_000_000_000, 2_000_000_000))
    bench.ingest()
    assert bench.sql("SELECT date FROM documents") == [("2001-09-09",)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"title": ', "no flat JSON object"),
        ("[1]", "it holds list, not an object"),
        ('{"a": {"b": 1}}', "the value of 'a' is nested"),
        ('{"a": [[1]]}', "the value of 'a' is nested"),
        ("", "the file is empty"),
        ("\0\1\2\3" * 99, "is not text"),
        ("[" * 100_000, "no flat JSON object"),
    ],
)
def test_a_broken_sidecar_is_named_and_the_document_stays(
    animals: Bench, content: str, told: str
) -> None:
    """The earlier version is kept, and read anew once the sidecar is whole."""
    animals.write({"rivers.txt": "Changed.", NAME: content})
    before = animals.document("rivers.txt").text
    report = animals.ingest()
    ((source, reason),) = [(each.source, each.reason) for each in report.failed]
    assert source == "rivers.txt" and f"its sidecar {NAME}" in reason and told in reason
    assert "\n" not in reason
    assert animals.document("rivers.txt").text == before
    animals.write({NAME: '{"a": 1}'})
    assert animals.ingest().updated == 1 and animals.document("rivers.txt").text == "Changed."


def test_a_large_sidecar_is_refused(tmp_path: Path) -> None:
    """Metadata is small; a megabyte of it is a mistake."""
    path = put(tmp_path / "a.txt", "text")
    big = put(tmp_path / "a.txt.meta.json", json.dumps({"a": "x" * 1_100_000}))
    with pytest.raises(LoadError, match=r"a\.txt was not read: its sidecar a\.txt\.meta\.json"):
        load(path, big)


def test_a_sidecar_without_its_document_is_passed_over(bench: Bench) -> None:
    """It is no JSON document, and the report says whose metadata it is."""
    bench.write({"a.txt": "A text.", "photo.jpg": "x", "photo.jpg.meta.json": "{}"})
    bench.write({"gone.pdf.meta.json": "{}"})
    report = bench.ingest()
    assert report.added == 1 and bench.sources() == ["a.txt"]
    assert (
        Failure(
            "gone.pdf.meta.json", "is metadata of gone.pdf, which is not among the documents read"
        )
        in report.skipped
    )
    assert kind(Path("gone.pdf.meta.json")) is None
    with pytest.raises(ConfigError, match="no file that can be ingested"):
        Bench(bench.place / "other").ingest(bench.docs / "gone.pdf.meta.json")


def test_a_single_file_brings_its_sidecar(bench: Bench) -> None:
    """Given alone, a document is read as in its folder; an ignored sidecar is not read."""
    bench.write({"rivers.txt": "The Danube.", NAME: '{"place": "Pest"}', "b.txt": "B."})
    bench.ingest(bench.docs / "rivers.txt")
    assert metadata(bench) == {"place": "Pest"}
    bench.write({".ragignore": "*.meta.json\n"})
    bench.ingest()
    assert metadata(bench) == {}


def test_a_document_that_moves_with_its_sidecar_is_not_embedded_again(animals: Bench) -> None:
    """Both files' bytes tell that it is the same document."""
    animals.write({NAME: '{"place": "Pest"}'})
    animals.ingest()
    identity = animals.document("rivers.txt").id
    (animals.docs / "moved").mkdir()
    for name in ("rivers.txt", NAME):
        shutil.move(animals.docs / name, animals.docs / "moved" / name)
    assert animals.ingest().embedded == 0
    moved = animals.document("moved/rivers.txt")
    assert (moved.id, moved.metadata) == (identity, {"place": "Pest"})


def test_a_link_is_no_sidecar(tmp_path: Path) -> None:
    """Links are not followed, whatever they are named."""
    put(tmp_path / "a.txt", "text")
    put(tmp_path / "secret", '{"a": 1}')
    (tmp_path / "a.txt.meta.json").symlink_to(tmp_path / "secret")
    for path in (tmp_path, tmp_path / "a.txt"):
        (file,) = scan(path, exclude=tmp_path / "indexes").files
        assert file.sidecar is None
