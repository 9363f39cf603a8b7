"""An ingest run brings the index into step with folders, and does no more than that."""

import itertools
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag import ingest as ingest_module
from rag import loaders
from rag.errors import ConfigError, IndexCorrupt, IndexLocked, IndexMismatch, StoreError
from rag.ingest import Progress
from rag.protocols import Vectors
from rag.testing import HashEmbedder
from rag.types import IngestReport, Parsed
from rag.writer import write_lock
from tests.core.bench import ANIMALS, DAY, Bench, check, contents, put
from tests.loaders.loader_files import FILES

Counts = tuple[int, int, int, int]
LONG = "\n\n".join(
    f"# Part {n}\n\n" + " ".join(f"Word{n} number {m} of part {n}." for m in range(40))
    for n in range(6)
)


def counts(report: IngestReport) -> Counts:
    """Return how many documents were added, updated, unchanged and deleted."""
    assert report.failed == ()
    return report.added, report.updated, report.unchanged, report.deleted


def yes(gone: int, total: int) -> bool:
    """Confirm any deletion."""
    return True


# -- added, updated, unchanged, deleted, moved -----------------------------------------------


def test_a_first_run_adds_every_document(bench: Bench) -> None:
    """All files of a folder, sources relative to it; each passage is embedded once."""
    bench.write(ANIMALS)
    report = bench.ingest()
    assert counts(report) == (4, 0, 0, 0) and report.skipped == ()
    assert report.passages == report.embedded == bench.store().count()[1]
    assert bench.sources() == sorted(ANIMALS)
    check(bench.store())


def test_a_second_run_embeds_nothing(animals: Bench) -> None:
    """Nothing changed: no text is embedded, no version made, all rows as they were."""
    before, version = contents(animals.database), animals.store().version()
    embedded = animals.embedder.embedded
    report = animals.ingest()
    assert counts(report) == (0, 0, 4, 0) and report.embedded == 0
    assert animals.embedder.embedded == embedded
    assert contents(animals.database) == before and animals.store().version() == version


def test_files_with_a_new_time_and_the_same_bytes_are_unchanged(animals: Bench) -> None:
    """Touched files are read once more, and then known again without being read."""
    animals.write(ANIMALS)
    assert counts(animals.ingest()) == (0, 0, 4, 0)
    for path in animals.docs.rglob("*.*"):
        shutil.copystat(path, put(path.with_suffix(".new"), b"?" * path.stat().st_size))
        path.with_suffix(".new").replace(path)
    # Same sizes and times, long before the last run: taken for unchanged without a look.
    assert counts(animals.ingest()) == (0, 0, 4, 0)


@pytest.mark.slow
def test_an_edit_embeds_only_the_passages_that_changed(bench: Bench) -> None:
    """One word in one of six parts: one text embedded, the other rows and ids kept."""
    bench.settings = {"passage_tokens": 64}
    bench.write({"long.md": LONG, "other.md": "Other."})
    bench.ingest()
    rows, identity = bench.rows("long.md"), bench.document("long.md").id
    bench.write({"long.md": LONG.replace("number 39 of part 3", "number 40 of part 3")})
    report = bench.ingest()
    assert counts(report) == (0, 1, 1, 0) and report.embedded == 1
    after = bench.rows("long.md")
    assert len(rows) == len(after) > 6 and len(rows.items() & after.items()) == len(rows) - 1
    assert bench.document("long.md").id == identity
    check(bench.store())


@pytest.mark.slow
def test_text_added_before_a_passage_moves_its_offsets_only(bench: Bench) -> None:
    """Passages that only stand elsewhere are neither embedded again nor given another row."""
    bench.settings = {"passage_tokens": 64}
    bench.write({"long.md": LONG})
    bench.ingest()
    rows = bench.rows("long.md")
    bench.write({"long.md": "# New\n\n" + "Quite another thing here. " * 12 + "\n\n" + LONG})
    report = bench.ingest()
    assert 0 < report.embedded < 4
    assert rows.items() <= bench.rows("long.md").items()
    check(bench.store())


def test_files_that_are_gone_are_deleted(animals: Bench) -> None:
    """A file removed from a folder that was ingested leaves the index with its vectors."""
    (animals.docs / "rivers.txt").unlink()
    assert counts(animals.ingest()) == (0, 0, 3, 1)
    assert "rivers.txt" not in animals.sources()
    check(animals.store())


def test_a_moved_file_keeps_its_document(animals: Bench) -> None:
    """Renamed, or moved to another folder: the same document and passages, nothing embedded."""
    identity, rows = animals.document("animals/cats.md").id, animals.rows("animals/cats.md")
    (animals.docs / "pets").mkdir()
    (animals.docs / "animals/cats.md").rename(animals.docs / "pets/tom.md")
    report = animals.ingest()
    assert counts(report) == (0, 1, 3, 0) and report.embedded == 0
    assert "animals/cats.md" not in animals.sources()
    assert animals.document("pets/tom.md").id == identity
    assert animals.rows("pets/tom.md") == rows
    check(animals.store())


def test_a_folder_renamed_is_no_mass_deletion(animals: Bench) -> None:
    """Every file moved: none is deleted, and nobody is asked."""
    (animals.docs / "all").mkdir()
    for name in list(ANIMALS):
        path = animals.docs / "all" / name
        path.parent.mkdir(exist_ok=True)
        (animals.docs / name).rename(path)
    report = animals.ingest(confirm=lambda gone, total: pytest.fail("asked"))
    assert counts(report) == (0, 4, 0, 0) and report.embedded == 0


def test_a_new_file_in_the_place_of_a_moved_one_is_another_document(animals: Bench) -> None:
    """The document that moved away keeps its id; the newcomer gets one of its own."""
    identity = animals.document("rivers.txt").id
    (animals.docs / "rivers.txt").rename(animals.docs / "streams.txt")
    animals.ingest()
    animals.write({"rivers.txt": "The Tisza is a river too."})
    assert counts(animals.ingest()) == (1, 0, 4, 0)
    assert animals.document("streams.txt").id == identity != animals.document("rivers.txt").id
    assert "Danube" in animals.document("streams.txt").text
    check(animals.store())


def test_one_of_two_copies_takes_over_a_moved_document(animals: Bench) -> None:
    """A file replaced by two copies of it: one has moved, the other is a copy."""
    text = (animals.docs / "rivers.txt").read_text()
    (animals.docs / "rivers.txt").unlink()
    animals.write({"copy1.txt": text, "copy2.txt": text})
    report = animals.ingest()
    assert counts(report) == (0, 1, 3, 0) and report.copies == 1
    check(animals.store())


def test_files_that_swap_their_content_are_updated(animals: Bench) -> None:
    """Two files exchange names: each source has the other's text afterwards."""
    first, second = animals.docs / "rivers.txt", animals.docs / "music.txt"
    first.rename(animals.docs / "t")
    second.rename(first)
    (animals.docs / "t").rename(second)
    report = animals.ingest()
    assert counts(report) == (0, 2, 2, 0)
    assert "Danube" in animals.document("music.txt").text
    assert "viola" in animals.document("rivers.txt").text
    check(animals.store())


def test_a_paragraph_cut_from_one_file_and_pasted_into_another(bench: Bench) -> None:
    """Text that moves between documents in one run is embedded no second time, and is found."""
    bench.write({"a.md": "# One\n\nFirst words.\n", "b.md": "# Two\n\nSecond words.\n"})
    bench.ingest()
    bench.write({"a.md": "Nothing is left here.\n", "c.md": "# One\n\nFirst words.\n"})
    report = bench.ingest()
    assert counts(report) == (1, 1, 1, 0) and report.embedded == 1
    check(bench.store())


def test_a_change_within_the_clock_s_grain_is_noticed(bench: Bench) -> None:
    """Same size and same time stamp, changed right after the run: the next run sees it."""
    path = put(bench.docs / "a.txt", "The cat.")
    now = time.time_ns()
    os.utime(path, ns=(now, now))
    bench.ingest()
    path.write_text("The dog.")
    os.utime(path, ns=(now, now))
    assert counts(bench.ingest()) == (0, 1, 0, 0)
    assert bench.document("a.txt").text == "The dog."


def test_a_change_during_a_long_run_is_noticed(bench: Bench) -> None:
    """A file rewritten after it was read, under a coarse clock, while the run went on."""
    path = put(bench.docs / "a.txt", "The cat.")
    stamp = time.time_ns()
    os.utime(path, ns=(stamp, stamp))

    class Slow(HashEmbedder):
        """Takes longer than the clock's grain, as models do."""

        def embed_passages(self, texts: Sequence[str]) -> Vectors:
            if "The cat." in texts:
                path.write_text("The dog.")
                os.utime(path, ns=(stamp, stamp))
                monkeypatch.setattr(time, "time_ns", lambda: stamp + 60_000_000_000)
            return super().embed_passages(texts)

    bench.embedder = Slow()
    with pytest.MonkeyPatch.context() as monkeypatch:
        bench.ingest()
        monkeypatch.undo()
    bench.ingest()
    assert bench.document("a.txt").text == "The dog."


# -- which folders a run is about ------------------------------------------------------------


def test_a_run_over_another_folder_leaves_the_rest_alone(animals: Bench) -> None:
    """Documents of a folder that is not named stay, even when their files are gone."""
    put(animals.place / "more/a.txt", "More.")
    shutil.rmtree(animals.docs)
    assert counts(animals.ingest(animals.place / "more")) == (1, 0, 0, 0)
    assert animals.sources() == sorted([*ANIMALS, "a.txt"])


def test_a_run_over_one_file_leaves_the_rest_alone(animals: Bench) -> None:
    """One file named: it is updated; others, changed or gone, stay as they are."""
    (animals.docs / "rivers.txt").unlink()
    animals.write({"music.txt": "A trio has three voices.", "animals/cats.md": "Cats changed."})
    assert counts(animals.ingest(animals.docs / "music.txt")) == (0, 1, 0, 0)
    assert animals.sources() == sorted(ANIMALS)
    assert animals.document("music.txt").text == "A trio has three voices."
    assert "milk" in animals.document("animals/cats.md").text


def test_a_folder_inside_a_known_folder_is_a_part_of_it(animals: Bench) -> None:
    """A run over a subfolder knows its documents, deletes in it, and not outside."""
    (animals.docs / "animals/dogs.md").unlink()
    (animals.docs / "rivers.txt").unlink()
    animals.write({"animals/cows.md": "Cows eat grass."})
    assert counts(animals.ingest(animals.docs / "animals")) == (1, 0, 1, 1)
    assert animals.sources() == ["animals/cats.md", "animals/cows.md", "music.txt", "rivers.txt"]


def test_a_folder_around_a_known_folder_takes_it_in(bench: Bench) -> None:
    """First the inner folder, then the outer: no document twice, deletion in both."""
    bench.write(ANIMALS)
    assert counts(bench.ingest(bench.docs / "animals")) == (2, 0, 0, 0)
    assert counts(bench.ingest()) == (2, 0, 2, 0)
    (bench.docs / "animals/dogs.md").unlink()
    assert counts(bench.ingest()) == (0, 0, 3, 1)
    check(bench.store())


@pytest.mark.parametrize("inner_first", [True, False])
def test_folders_that_overlap_may_be_named_together(bench: Bench, inner_first: bool) -> None:
    """A folder, one inside it and a file of it in one run: each document once."""
    bench.write(ANIMALS)
    paths = [bench.docs / "animals", bench.docs / "music.txt", bench.docs]
    report = bench.ingest(*(paths if inner_first else reversed(paths)))
    assert counts(report) == (4, 0, 0, 0)
    assert counts(bench.ingest(*paths)) == (0, 0, 4, 0)


def test_a_file_ingested_alone_is_followed_once_its_folder_is_ingested(bench: Bench) -> None:
    """First one file, then the folder above it: when the file goes, its document goes."""
    bench.write(ANIMALS)
    bench.ingest(bench.docs / "animals/cats.md")
    bench.ingest()
    (bench.docs / "animals/cats.md").unlink()
    assert counts(bench.ingest()) == (0, 0, 3, 1)


def test_deletion_follows_in_a_folder_beside_a_file_ingested_alone(bench: Bench) -> None:
    """First a file of the outer folder alone, then the inner folder, twice."""
    bench.write(ANIMALS)
    bench.ingest(bench.docs / "music.txt")
    bench.ingest(bench.docs / "animals")
    (bench.docs / "animals/cats.md").unlink()
    assert counts(bench.ingest(bench.docs / "animals")) == (0, 0, 1, 1)


def test_what_a_walk_passes_over_is_not_taken_for_gone(bench: Bench) -> None:
    """A document from a hidden folder that was named stays when the folder around is ingested."""
    bench.write(ANIMALS | {".notes/a.txt": "Hidden but wanted."})
    bench.ingest(bench.docs / ".notes")
    bench.ingest()
    assert counts(bench.ingest()) == (0, 0, 4, 0)
    assert "a.txt" in bench.sources()


def test_a_relative_path_and_a_link_name_the_same_folder(
    animals: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the folder is named, it is the folder that is known."""
    monkeypatch.chdir(animals.place)
    (animals.place / "link").symlink_to(animals.docs)
    assert counts(animals.ingest(Path("docs"))) == (0, 0, 4, 0)
    assert counts(animals.ingest(Path("docs/../link"))) == (0, 0, 4, 0)


def test_the_index_folder_inside_the_documents_is_not_ingested(bench: Bench) -> None:
    """--index-dir within the ingested folder: what the index writes is no document."""
    bench.write({"a.txt": "A text."})
    bench.place = bench.docs / "sub"
    put(bench.place / "indexes/default/notes.txt", "Not to be read.")
    for expected in ((1, 0, 0, 0), (0, 0, 1, 0)):
        report = bench.ingest(bench.place.parent)
        assert counts(report) == expected and report.skipped == ()


def test_lines_that_are_no_records_are_noted(bench: Bench) -> None:
    """The file is ingested without them, and the report says which they are."""
    bench.write({"a.jsonl": '{"bird": "heron"}\n{"bird": \n{"bird": "stork"}\n', "b.jsonl": "{"})
    report = bench.ingest()
    assert report.added == 1 and [failure.source for failure in report.failed] == ["b.jsonl"]
    assert [(note.source, note.reason) for note in report.notes] == [
        ("a.jsonl", "without its lines 2, which can not be read as JSON")
    ]
    assert "stork" in bench.document("a.jsonl").text


def test_a_video_with_the_suffix_of_typescript_is_skipped(bench: Bench) -> None:
    """Packets of 188 bytes that begin with "G" are an MPEG transport stream; code is read."""
    packet = b"G" + bytes([0x40, 0x00, 0x10]) + b"\xff" * 184
    code = "Greet();" + "x" * 180 + "G" + "y" * 187 + "G" + "z" * 300
    bench.write({"film.ts": packet * 9, "short.ts": "Greet();\n", "long.TS": code})
    report = bench.ingest()
    assert counts(report) == (2, 0, 0, 0)
    assert [(skip.source, skip.reason) for skip in report.skipped] == [
        ("film.ts", "a video (.ts) holds no text to read")
    ]


# -- asking before much is deleted -----------------------------------------------------------


def test_a_run_that_would_delete_more_than_half_asks(animals: Bench) -> None:
    """Asked with the numbers; a yes deletes."""
    for name in ("animals/cats.md", "animals/dogs.md", "rivers.txt"):
        (animals.docs / name).unlink()
    asked: list[tuple[int, int]] = []

    def confirm(gone: int, total: int) -> bool:
        asked.append((gone, total))
        return True

    assert counts(animals.ingest(confirm=confirm)) == (0, 0, 1, 3)
    assert asked == [(3, 4)]


def test_half_of_an_index_goes_without_asking(animals: Bench) -> None:
    """Two of four are not more than half."""
    shutil.rmtree(animals.docs / "animals")
    assert counts(animals.ingest()) == (0, 0, 2, 2)


def test_a_refused_deletion_changes_nothing(animals: Bench) -> None:
    """No file is added, updated or deleted, no folder remembered, no version made."""
    shutil.rmtree(animals.docs)
    animals.write({"new.txt": "New.", "music.txt": "Changed."})
    put(animals.place / "more/b.txt", "Other folder.")
    before, version = contents(animals.database), animals.store().version()
    roots = animals.store().roots()
    embedded = animals.embedder.embedded
    with pytest.raises(ConfigError, match=r"3 of the index's 4 documents .*--yes"):
        animals.ingest(animals.docs, animals.place / "more")
    assert contents(animals.database) == before and animals.store().version() == version
    assert animals.store().roots() == roots
    assert animals.embedder.embedded == embedded


def test_an_emptied_folder_can_be_ingested_with_a_yes(animals: Bench) -> None:
    """All files gone from a known folder: asked, then an empty index, which a rerun accepts."""
    shutil.rmtree(animals.docs)
    animals.docs.mkdir()
    with pytest.raises(ConfigError, match="4 of the index's 4"):
        animals.ingest()
    assert counts(animals.ingest(confirm=yes)) == (0, 0, 0, 4)
    assert animals.store().count() == (0, 0)
    assert counts(animals.ingest()) == (0, 0, 0, 0)


def test_an_emptied_subfolder_loses_its_documents(animals: Bench) -> None:
    """A subfolder of a known folder, named by itself after its files went."""
    for path in (animals.docs / "animals").iterdir():
        path.unlink()
    assert counts(animals.ingest(animals.docs / "animals")) == (0, 0, 0, 2)


# -- what is in a folder ---------------------------------------------------------------------


def test_an_empty_folder_is_a_mistake(bench: Bench) -> None:
    """No file to ingest: one line that names the folder and the kinds read; no index is made."""
    put(bench.docs / "picture.png", b"\x89PNG")
    with pytest.raises(ConfigError, match=r"holds no file .*1 skipped.*\.md") as caught:
        bench.ingest()
    assert str(bench.docs) in str(caught.value) and not bench.index.exists()


def test_a_missing_folder_is_a_mistake(bench: Bench) -> None:
    """A path that is not there."""
    with pytest.raises(ConfigError, match="missing can not be read: No such file"):
        bench.ingest(bench.place / "missing")


def test_files_of_other_kinds_are_skipped_with_a_reason(bench: Bench) -> None:
    """Pictures, archives and files without a suffix are no failures."""
    bench.write({"a.txt": "Text.", "b.png": "x", "c.zip": "x", "README": "x", "d.TXT": "Upper."})
    report = bench.ingest()
    assert counts(report) == (2, 0, 0, 0)
    assert [skip.source for skip in report.skipped] == ["README", "b.png", "c.zip"]
    assert all(skip.reason for skip in report.skipped)


def test_scanned_pages_that_were_not_read_are_noted(bench: Bench) -> None:
    """The document is ingested with its other pages, and the report says which it lacks."""
    bench.settings = {"ocr": "off"}
    bench.write({"a.pdf": (FILES / "partly-scanned.pdf").read_bytes(), "b.txt": "Text."})
    report = bench.ingest()
    assert counts(report) == (2, 0, 0, 0)
    assert [note.source for note in report.notes] == ["a.pdf"]
    assert "without its scanned pages 2" in report.notes[0].reason
    assert bench.ingest().notes == ()


def test_links_and_pipes_are_not_followed(bench: Bench) -> None:
    """Symbolic links (also in circles, also to nothing), pipes and sockets are skipped."""
    bench.write({"a.txt": "Text."})
    outside = put(bench.place / "secret.txt", "Outside.")
    (bench.docs / "link.txt").symlink_to(outside)
    (bench.docs / "circle").symlink_to(bench.docs)
    (bench.docs / "nothing.txt").symlink_to("nowhere")
    os.mkfifo(bench.docs / "pipe.txt")
    report = bench.ingest()
    assert counts(report) == (1, 0, 0, 0)
    skipped = {skip.source: skip.reason for skip in report.skipped}
    assert sorted(skipped) == ["circle", "link.txt", "nothing.txt", "pipe.txt"]
    assert skipped["pipe.txt"] == "is no regular file"


def test_a_pipe_named_directly_is_a_mistake(bench: Bench) -> None:
    """It is not waited for."""
    os.mkfifo(bench.docs / "pipe.txt")
    with pytest.raises(ConfigError, match="holds no file that can be ingested"):
        bench.ingest(bench.docs / "pipe.txt")


def test_hidden_files_are_passed_over_without_a_word(bench: Bench) -> None:
    """.git and its like are neither documents nor skipped files."""
    bench.write({"a.txt": "Text.", ".git/b.txt": "x", ".c.txt": "x", "sub/.d/e.txt": "x"})
    report = bench.ingest()
    assert counts(report) == (1, 0, 0, 0) and report.skipped == ()


NAMES = [
    "line\nbreak.txt",
    "emoji 😀 猫.txt",
    "ő" * 120 + ".txt",
    "a" * 248 + ".txt",
    'quo\'te "and" back\\slash.txt',
    " leading and trailing .txt",
    "*[glob]?.txt",
    "tab\tbell\a.txt",
    "e\u0301 decomposed.txt",
    "rtl \u202etxt.txt",
    "%s {x} $HOME ;.txt",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_odd_names_are_sources_like_any_other(bench: Bench, name: str) -> None:
    """Ingested, known again, found by its source, and deleted."""
    bench.write({name: "Some words.", f"{name}.d/{name}": "Other words.", "z.txt": "Last."})
    assert counts(bench.ingest()) == (3, 0, 0, 0)
    assert counts(bench.ingest()) == (0, 0, 3, 0)
    assert bench.document(f"{name}.d/{name}").text == "Other words."
    (bench.docs / name).unlink()
    assert counts(bench.ingest()) == (0, 0, 2, 1)


def test_names_that_are_no_text_are_skipped(bench: Bench) -> None:
    """Bytes that are not UTF-8, in a file's name or a folder's: skipped, and printable."""
    bench.write({"a.txt": "Text."})
    folder = os.fsencode(bench.docs) + b"/fold\xffer"
    os.mkdir(folder)
    for path in (os.fsencode(bench.docs) + b"/b\xe9.txt", folder + b"/c.txt"):
        put(Path(os.fsdecode(path)), "Text.")
    report = bench.ingest()
    assert counts(report) == (1, 0, 0, 0)
    assert [skip.source for skip in report.skipped] == ["b\ufffd.txt", "fold\ufffder/c.txt"]
    assert {skip.reason for skip in report.skipped} == {"its path is not valid text"}
    with pytest.raises(ConfigError) as caught:
        bench.ingest(Path(os.fsdecode(folder)))
    str(caught.value).encode("utf-8")


@pytest.mark.slow
def test_deep_folders_are_walked(bench: Bench) -> None:
    """As deep as paths may be."""
    folders = [str(bench.docs) + "/d" * depth for depth in range(1, 1010)]
    for folder in folders:
        os.mkdir(folder)
    path = put(Path(folders[-1], "a.txt"), "At the bottom.")
    assert counts(bench.ingest()) == (1, 0, 0, 0)
    path.unlink()
    for folder in reversed(folders):  # too deep for who cleans up
        os.rmdir(folder)


@pytest.mark.parametrize("seconds", [-5_000_000_000, 0, 13_000_000_000])
def test_odd_times_are_no_reason_to_fail(bench: Bench, seconds: int) -> None:
    """Files from before 1970, and from the year 2381 (past 64 bits of nanoseconds)."""
    path = put(bench.docs / "a.txt", "Text.")
    os.utime(path, (seconds, seconds))
    bench.ingest()
    assert counts(bench.ingest())[:2] == (0, 0)
    check(bench.store())


# -- files that can not be read --------------------------------------------------------------


def test_a_file_that_fails_keeps_its_earlier_version(animals: Bench) -> None:
    """Broken now, it is reported, and what was read of it before is still found."""
    text = animals.document("rivers.txt").text
    animals.write({"rivers.txt": b"\0\1\2\3" * 200, "music.txt": "", "new.pdf": b"%PDF-1.7 cut"})
    report = animals.ingest()
    assert (report.added, report.updated, report.unchanged, report.deleted) == (0, 0, 2, 0)
    assert [failure.source for failure in report.failed] == ["music.txt", "new.pdf", "rivers.txt"]
    assert not [failure for failure in report.failed if failure.source in failure.reason]
    assert all(failure.reason and "\n" not in failure.reason for failure in report.failed)
    assert animals.document("rivers.txt").text == text
    animals.write({"rivers.txt": "Whole again."})
    report = animals.ingest()
    assert report.updated == 1 and len(report.failed) == 2


def test_a_file_that_vanishes_during_the_run_is_reported(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listed, then gone before it is read, or between hashing and loading."""
    bench.write({"a.txt": "One.", "b.txt": "Two.", "c.txt": "Three."})
    load: Callable[..., Parsed] = loaders.load

    def vanishing(path: Path, sidecar: Path | None, ocr: str) -> Parsed:
        if path.name == "a.txt":
            path.unlink()
            (bench.docs / "b.txt").unlink()
        return load(path, sidecar, ocr)

    monkeypatch.setattr(loaders, "load", vanishing)
    report = bench.ingest()
    assert report.added == 1 and [f.source for f in report.failed] == ["a.txt", "b.txt"]
    assert bench.sources() == ["c.txt"]


@contextmanager
def another_user() -> Iterator[Path]:
    """Give a folder for one who is not root and to whom permissions apply."""
    user = 65534
    place = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    try:
        if root:
            os.chown(place, user, user)
            os.seteuid(user)
        yield place
    finally:
        if root:
            os.seteuid(0)
        for folder, _, _ in os.walk(place):
            os.chmod(folder, stat.S_IRWXU)
        shutil.rmtree(place)


@pytest.mark.slow
def test_files_without_permission_are_reported_and_kept() -> None:
    """A file and a folder that may not be read: failures; what was known of them stays."""
    with another_user() as place:
        bench = Bench(place)
        bench.write({"a.txt": "One.", "sub/b.txt": "Two.", "c.txt": "Three."})
        assert counts(bench.ingest()) == (3, 0, 0, 0)
        bench.write({"a.txt": "One, changed."})
        (bench.docs / "a.txt").chmod(0)
        (bench.docs / "sub").chmod(0)
        report = bench.ingest()
        assert {f.source: f.reason for f in report.failed} == {
            "a.txt": "Permission denied",
            "sub/": "Permission denied",
        }
        assert (report.unchanged, report.deleted) == (1, 0)
        assert bench.sources() == ["a.txt", "c.txt", "sub/b.txt"]
        with pytest.raises(ConfigError, match="sub can not be read: Permission denied"):
            bench.ingest(bench.docs / "sub")


def test_an_index_folder_without_permission_is_told() -> None:
    """Where the index may not be written, one line says so."""
    with another_user() as place:
        bench = Bench(place)
        bench.write({"a.txt": "One."})
        (place / "indexes").mkdir(mode=0o500)
        with pytest.raises(StoreError, match="permission"):
            bench.ingest()


# -- what the index was made with ------------------------------------------------------------


def test_other_passage_lengths_are_refused(animals: Bench) -> None:
    """An index is not mixed: another passage_tokens names both values and the remedy."""
    animals.settings = {"passage_tokens": 64}
    with pytest.raises(IndexMismatch, match=r"passage_tokens 224 .*not 64.*--passage-tokens"):
        animals.ingest()


def test_another_embedder_is_refused(animals: Bench) -> None:
    """Another fingerprint is another model, for ingest and for search."""

    class Other(HashEmbedder):
        """The same name, other vectors."""

        fingerprint = "hash-2"

    animals.embedder = Other()
    for use in (animals.ingest, animals.retriever):
        with pytest.raises(IndexMismatch, match=r"embedder_fingerprint hash-1.*not hash-2"):
            use()


def test_another_name_for_the_same_model_is_accepted(animals: Bench) -> None:
    """The fingerprint decides: a model named by its folder is the same model."""

    class Renamed(HashEmbedder):
        """The same vectors under another name."""

        name = "models/hash"

    animals.embedder = Renamed()
    assert counts(animals.ingest()) == (0, 0, 4, 0)


def test_a_damaged_index_is_not_written(animals: Bench) -> None:
    """An ingest into a damaged database stops with IndexCorrupt."""
    animals.database.write_bytes(b"junk" * 5000)
    with pytest.raises(IndexCorrupt):
        animals.ingest()


def test_an_index_that_is_being_written_is_not_written_twice(animals: Bench) -> None:
    """A second run says at once that another is at work, and leaves the index alone."""
    started = time.monotonic()
    with write_lock(animals.index), pytest.raises(IndexLocked):
        animals.ingest()
    assert time.monotonic() - started < 1
    assert counts(animals.ingest()) == (0, 0, 4, 0)


# -- what is told ----------------------------------------------------------------------------


def test_progress_only_goes_forward(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes, documents and failures never fall; the total is known from the first event."""
    monkeypatch.setattr(ingest_module, "SLAB_PASSAGES", 3)
    bench.write({f"{n}.txt": f"Text number {n}. " * (n + 1) for n in range(12)} | {"bad.txt": ""})
    events: list[Progress] = []
    report = bench.ingest(listener=events.append)
    assert events[0].stage == "plan" and events[0].done_bytes == 0
    assert {event.total_bytes for event in events} == {
        sum(path.stat().st_size for path in bench.docs.iterdir())
    }
    for name in ("done_bytes", "documents", "passages", "failed"):
        values = [getattr(event, name) for event in events]
        assert values == sorted(values), name
    assert [e.source for e in events if e.stage == "document"] == sorted(
        path.name for path in bench.docs.iterdir()
    )
    last = [event for event in events if event.stage == "commit"][-1]
    assert (last.documents, last.passages) == (report.added, report.passages)
    assert all(event.done_bytes <= event.total_bytes for event in events)


def test_what_a_file_says_of_its_language_and_date_counts(bench: Bench) -> None:
    """Front matter names both; else the text and the file's time do."""
    bench.write(
        {
            "named.md": "---\nlang: de-AT\ndate: 2021-03-04\n---\n\nThe text is in English.\n",
            "odd.md": "---\nlang: chinese\n---\n\nThe text is in English, whatever it says.\n",
            "plain.txt": "Кошка пьёт молоко, а собака сторожит дом.\n",
        }
    )
    bench.ingest()
    found = {
        s: (lang, date)
        for s, lang, date in bench.sql("SELECT source, language, date FROM documents")
    }
    day = time.strftime("%Y-%m-%d", time.gmtime(DAY))
    assert found["named.md"] == ("de", "2021-03-04")
    assert found["odd.md"][0] == "en"
    assert found["plain.txt"][0] == "ru" and found["plain.txt"][1] >= day


@pytest.mark.slow
def test_a_long_document_that_is_interrupted_keeps_its_vectors(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run embeds only the rest; if the file is gone by then, its vectors go too."""
    monkeypatch.setattr("rag.ingest.PART_CHARACTERS", 500)
    monkeypatch.setattr("rag.parts.parts.__defaults__", (500,))
    bench.write({"a.txt": "A text.", "long.txt": "".join(f"Line {n} here.\n" for n in range(600))})
    calls = itertools.count()

    def listener(progress: Progress) -> None:
        if progress.source == "long.txt" and next(calls) == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.ingest(listener=listener)
    ((kept,),) = bench.sql("SELECT count(*) FROM vectors")
    assert kept > 3
    whole = Bench(bench.place / "whole")
    whole.ingest(bench.docs)
    ((needed,),) = whole.sql("SELECT count(*) FROM vectors")
    again = bench.ingest()
    assert again.embedded <= needed - kept + 1
    assert contents(bench.database) == contents(whole.database)
    check(bench.store())


@pytest.mark.slow
def test_vectors_of_a_document_that_never_came_are_dropped(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left of a long file that was deleted after an interrupted run."""
    monkeypatch.setattr("rag.ingest.PART_CHARACTERS", 500)
    monkeypatch.setattr("rag.parts.parts.__defaults__", (500,))
    bench.write({"a.txt": "A text.", "long.txt": "".join(f"Line {n} here.\n" for n in range(600))})

    def listener(progress: Progress) -> None:
        if progress.source == "long.txt" and progress.done_bytes > 3000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.ingest(listener=listener)
    (bench.docs / "long.txt").unlink()
    bench.ingest()
    check(bench.store())
    assert bench.sql("SELECT * FROM meta WHERE key = 'unfinished'") == []
