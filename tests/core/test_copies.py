"""Files with the same bytes are one document, and stay in step as any file does."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rag.errors import ConfigError, IndexCorrupt
from rag.ingest import Progress
from rag.preview import preview
from rag.types import Filters, IngestReport, Mode
from tests.core.bench import ANIMALS, Bench, check, put, texts

pytestmark = pytest.mark.slow

Counts = tuple[int, int, int, int, int]
SAME = "The heron stands in the river and waits.\n"
OTHER = "A quartet has two violins, one viola and a cello.\n"
# Too long to be a title, so that the file's name is.
NAMELESS = "The heron stands in the river and waits for a fish, " * 8 + "all day.\n"


def counts(report: IngestReport) -> Counts:
    """Return how many files were added, updated, unchanged, deleted, and copies of others."""
    assert report.failed == ()
    return report.added, report.updated, report.unchanged, report.deleted, report.copies


def yes(gone: int, total: int) -> bool:
    """Confirm any deletion."""
    return True


@pytest.fixture
def twins(bench: Bench) -> Bench:
    """Two files with the same bytes, and another, ingested."""
    bench.write({"a.txt": SAME, "sub/b.txt": SAME, "c.txt": OTHER})
    bench.ingest()
    return bench


def sources(bench: Bench, query: str = "heron river", **filters: str) -> list[tuple[str, ...]]:
    """Return all sources of each hit, the one that is shown first."""
    hits = bench.retriever().search(query, 20, Mode.LEXICAL, Filters(**filters)).hits
    return [(hit.passage.source, *hit.passage.also_in) for hit in hits]


# -- what is one document --------------------------------------------------------------------


def test_two_files_with_the_same_bytes_are_one_document(bench: Bench) -> None:
    """One document, one passage, one vector, one hit, which names both files."""
    bench.write({"sub/b.txt": SAME, "a.txt": SAME})
    report = bench.ingest()
    assert counts(report) == (1, 0, 0, 0, 1) and (report.passages, report.embedded) == (1, 1)
    assert sources(bench) == [("a.txt", "sub/b.txt")]
    check(bench.store())


def test_a_second_run_finds_nothing_to_do(twins: Bench) -> None:
    """All files unchanged: no version, no text read, no vector."""
    version, embedded = twins.store().version(), twins.embedder.embedded
    assert counts(twins.ingest()) == (0, 0, 3, 0, 0)
    assert twins.store().version() == version and twins.embedder.embedded == embedded


def test_another_kind_of_file_is_another_document(bench: Bench) -> None:
    """A suffix decides how a file is read; its case does not."""
    bench.write({"a.txt": SAME, "a.md": SAME, "b.TXT": SAME})
    assert counts(bench.ingest()) == (2, 0, 0, 0, 1)
    assert bench.copies() == {"a.txt": ["b.TXT"]}


def test_another_sidecar_is_another_document(bench: Bench) -> None:
    """Metadata that differ make documents that differ; the same ones do not."""
    bench.write({f"{name}.txt": SAME for name in "abcd"})
    bench.write({"b.txt.meta.json": '{"author": "Ann"}', "c.txt.meta.json": '{"author": "Ann"}'})
    assert counts(bench.ingest()) == (2, 0, 0, 0, 2)
    assert bench.copies() == {"a.txt": ["d.txt"], "b.txt": ["c.txt"]}


def test_the_same_size_alone_is_nothing(bench: Bench) -> None:
    """Files of one length with other bytes are documents of their own."""
    bench.write({f"{n}.txt": f"Heron number {n}." for n in range(5)})
    assert counts(bench.ingest()) == (5, 0, 0, 0, 0)


def test_a_copy_that_comes_later_is_neither_parsed_nor_embedded(
    twins: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No loader is called, no vector made, no version of the index."""
    version, embedded = twins.store().version(), twins.embedder.embedded
    monkeypatch.setattr("rag.loaders.load", lambda *given: pytest.fail("parsed"))
    twins.settings = {"parsers": 0}
    twins.write({"z.txt": SAME})
    assert counts(twins.ingest()) == (0, 0, 3, 0, 1)
    assert twins.embedder.embedded == embedded and twins.store().version() == version
    assert sources(twins) == [("a.txt", "sub/b.txt", "z.txt")]


def test_two_folders_that_hold_the_same_file(twins: Bench) -> None:
    """A copy may lie under another root; it goes when that root is ingested without it."""
    more = put(twins.place / "more/x.txt", SAME)
    assert counts(twins.ingest(more.parent)) == (0, 0, 0, 0, 1)
    assert sources(twins) == [("a.txt", "sub/b.txt", "x.txt")]
    assert counts(twins.ingest()) == (0, 0, 3, 0, 0)
    more.unlink()
    assert counts(twins.ingest(more.parent, twins.docs)) == (0, 0, 3, 1, 0)
    assert sources(twins) == [("a.txt", "sub/b.txt")]


def test_when_the_first_root_loses_its_file_that_of_the_other_takes_over(bench: Bench) -> None:
    """The run looks into the first folder only; the other's file is read all the same."""
    bench.write({"a.txt": NAMELESS})
    more = put(bench.place / "more/x.txt", NAMELESS)
    bench.ingest(bench.docs, more.parent)
    identity = bench.document("a.txt").id
    (bench.docs / "a.txt").unlink()
    put(bench.docs / "new.txt", OTHER)
    assert counts(bench.ingest()) == (1, 0, 0, 1, 0)
    assert bench.document("x.txt").id == identity and bench.document("x.txt").title == "x"
    assert bench.copies() == {}
    assert counts(bench.ingest(more.parent)) == (0, 0, 1, 0, 0)


def test_an_index_of_duplicates_is_joined_by_the_next_run(bench: Bench) -> None:
    """Documents with the same bytes, as earlier programs stored them, become one."""
    bench.write({"a.txt": SAME, "b.txt": SAME + " "})
    bench.ingest()
    ((content_hash, size),) = bench.sql(
        "SELECT content_hash, size FROM documents WHERE source = 'a.txt'"
    )
    before = (bench.docs / "b.txt").stat().st_mtime_ns
    (bench.docs / "b.txt").write_text(SAME)
    os.utime(bench.docs / "b.txt", ns=(before, before))
    bench.sql("UPDATE documents SET content_hash = ?, size = ?", content_hash, size)
    assert counts(bench.ingest()) == (0, 0, 2, 0, 0)
    assert bench.copies() == {"a.txt": ["b.txt"]} and bench.store().count()[0] == 1
    assert len(sources(bench)) == 1


# -- what becomes of it ----------------------------------------------------------------------


def test_when_the_first_file_is_deleted_a_copy_takes_its_place(twins: Bench) -> None:
    """The document and its passages stay, so that citations do; another source is shown."""
    identity, rows = twins.document("a.txt").id, twins.rows("a.txt")
    (twins.docs / "a.txt").unlink()
    report = twins.ingest()
    assert counts(report) == (0, 0, 2, 1, 0) and report.embedded == 0
    assert twins.document("sub/b.txt").id == identity and twins.rows("sub/b.txt") == rows
    assert sources(twins) == [("sub/b.txt",)]
    check(twins.store())


def test_when_the_first_file_is_edited_a_copy_takes_its_place(twins: Bench) -> None:
    """The old text stays with the copy, under its id; the edited file is another document."""
    identity = twins.document("a.txt").id
    twins.write({"a.txt": "The cat drinks milk.\n"})
    assert counts(twins.ingest()) == (0, 1, 2, 0, 0)
    assert twins.document("sub/b.txt").id == identity != twins.document("a.txt").id
    assert texts(twins.database)["a.txt"] == "The cat drinks milk.\n"
    assert sources(twins) == [("sub/b.txt",)]
    check(twins.store())


def test_a_copy_that_is_edited_is_a_document_of_its_own(twins: Bench) -> None:
    """The first file keeps the document."""
    identity = twins.document("a.txt").id
    twins.write({"sub/b.txt": "The cat drinks milk.\n"})
    assert counts(twins.ingest()) == (0, 1, 2, 0, 0)
    assert twins.document("a.txt").id == identity and twins.copies() == {}
    assert texts(twins.database)["sub/b.txt"] == "The cat drinks milk.\n"
    check(twins.store())


def test_all_copies_edited_alike_stay_one_document(twins: Bench) -> None:
    """As one file that is edited keeps its id."""
    identity = twins.document("a.txt").id
    twins.write({"a.txt": "Milk.\n", "sub/b.txt": "Milk.\n"})
    assert counts(twins.ingest()) == (0, 2, 1, 0, 0)
    assert twins.document("a.txt").id == identity and twins.document("a.txt").text == "Milk.\n"
    assert twins.copies() == {"a.txt": ["sub/b.txt"]}
    check(twins.store())


def test_an_edit_that_makes_a_copy(twins: Bench) -> None:
    """A document whose file comes to hold another's bytes is gone, without a question."""
    twins.write({"c.txt": SAME})
    assert counts(twins.ingest(confirm=lambda *_: pytest.fail("asked"))) == (0, 1, 2, 0, 0)
    assert sources(twins) == [("a.txt", "c.txt", "sub/b.txt")]
    assert twins.store().count() == (1, 1)
    check(twins.store())


@pytest.mark.parametrize("moved", ["a.txt", "sub/b.txt"])
@pytest.mark.parametrize("to", ["aa.txt", "0.txt", "zz/b.txt"])
def test_a_move_of_any_of_them(twins: Bench, moved: str, to: str) -> None:
    """The document stays, with its files where they are now, the first of them first."""
    identity = twins.document("a.txt").id
    (twins.docs / to).parent.mkdir(exist_ok=True)
    (twins.docs / moved).rename(twins.docs / to)
    report = twins.ingest()
    assert counts(report) == (0, 1, 2, 0, 0) and report.embedded == 0
    kept = "a.txt" if moved != "a.txt" else "sub/b.txt"
    assert sources(twins) == [tuple(sorted([kept, to]))]
    assert twins.document(min(kept, to)).id == identity
    check(twins.store())


def test_a_renamed_folder_of_copies_is_no_deletion(twins: Bench) -> None:
    """All files moved: nobody is asked."""
    twins.docs.rename(twins.place / "all")
    twins.docs.mkdir()
    (twins.place / "all").rename(twins.docs / "all")
    report = twins.ingest(confirm=lambda *_: pytest.fail("asked"))
    assert counts(report) == (0, 3, 0, 0, 0) and report.embedded == 0
    assert twins.copies() == {"all/a.txt": ["all/sub/b.txt"]}


def test_a_new_file_that_comes_first_is_shown_first(bench: Bench) -> None:
    """As in an index made from scratch, down to a title that is the file's name."""
    bench.write({"m.txt": NAMELESS})
    bench.ingest()
    identity = bench.document("m.txt").id
    assert bench.document("m.txt").title == "m"
    bench.write({"a.txt": NAMELESS})
    report = bench.ingest()
    assert counts(report) == (0, 0, 1, 0, 1) and report.embedded == 0
    assert bench.document("a.txt").id == identity and bench.document("a.txt").title == "a"
    (bench.docs / "a.txt").unlink()
    assert counts(bench.ingest()) == (0, 0, 1, 1, 0)
    assert bench.document("m.txt").title == "m"
    check(bench.store())


def test_pairs_that_swap_their_contents(bench: Bench) -> None:
    """Each document goes with its bytes, though each takes the place of the other."""
    bench.write({"a.txt": SAME, "b.txt": OTHER, "c.txt": SAME, "d.txt": OTHER})
    bench.ingest()
    bench.write({"a.txt": OTHER, "b.txt": SAME})
    assert counts(bench.ingest()) == (0, 2, 2, 0, 0)
    assert bench.copies() == {"a.txt": ["d.txt"], "b.txt": ["c.txt"]}
    assert texts(bench.database) == dict(zip(bench.sources(), [OTHER, SAME, SAME, OTHER], strict=1))
    check(bench.store())


def test_many_copies_that_are_gone_are_one_document_less(bench: Bench) -> None:
    """The question before a deletion counts documents: what cannot be found any more."""
    bench.write({f"{n}.txt": SAME for n in range(9)} | {"x.md": OTHER, "y.md": "Milk."})
    bench.ingest()
    for n in range(9):
        (bench.docs / f"{n}.txt").unlink()
    assert counts(bench.ingest(confirm=lambda *_: pytest.fail("asked"))) == (0, 0, 2, 9, 0)
    (bench.docs / "x.md").rename(bench.place / "x.md")
    (bench.docs / "y.md").unlink()
    bench.write({"z.md": "Tea."})
    asked = []
    with pytest.raises(ConfigError, match="2 of the index's 2"):
        bench.ingest(confirm=lambda *given: bool(asked.append(given)))
    assert asked == [(2, 2)]


def test_with_keep_missing_a_file_that_is_gone_stays_a_source(twins: Bench) -> None:
    """Of documents with other files, too, whether it is the first or a copy."""
    for name in ("a.txt", "sub/b.txt"):
        kept = (twins.docs / name).rename(twins.place / "kept.txt")
        assert counts(twins.ingest(keep_missing=True)) == (0, 0, 2, 0, 0)
        assert sources(twins) == [("a.txt", "sub/b.txt")]
        kept.rename(twins.docs / name)
    twins.write({"sub/b.txt": OTHER})
    (twins.docs / "a.txt").unlink()
    assert counts(twins.ingest(keep_missing=True)) == (0, 1, 1, 0, 0)
    assert sources(twins) == [("a.txt",)]
    assert twins.copies() == {"c.txt": ["sub/b.txt"]}


def test_a_copy_under_the_clock_s_grain_is_noticed(twins: Bench) -> None:
    """Same size and time, changed right after the run: the next run tells them apart."""
    now = time.time_ns()
    path = put(twins.docs / "z.txt", SAME)
    os.utime(path, ns=(now, now))
    assert counts(twins.ingest()) == (0, 0, 3, 0, 1)
    path.write_text(SAME.replace("heron", "stork"))
    os.utime(path, ns=(now, now))
    assert counts(twins.ingest()) == (0, 1, 3, 0, 0)
    assert "stork" in texts(twins.database)["z.txt"]


def test_touched_copies_are_read_once_more(twins: Bench) -> None:
    """New times, the same bytes: unchanged, and then known without a look."""
    twins.write({"a.txt": SAME, "sub/b.txt": SAME})
    version = twins.store().version()
    assert counts(twins.ingest()) == (0, 0, 3, 0, 0)
    assert twins.store().version() == version
    stamps = [(twins.docs / name).stat() for name in ("a.txt", "sub/b.txt")]
    for name, stamp in zip(("a.txt", "sub/b.txt"), stamps, strict=True):
        (twins.docs / name).write_bytes(b"?" * stamp.st_size)
        os.utime(twins.docs / name, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert counts(twins.ingest()) == (0, 0, 3, 0, 0)


# -- what fails ------------------------------------------------------------------------------


def test_copies_of_what_can_not_be_read_fail_with_it(bench: Bench) -> None:
    """Empty files, and a broken one with its copy: each is told, one is tried."""
    bench.write({"a.txt": "", "b.txt": "", "x.pdf": "no pdf", "y.pdf": "no pdf", "z.txt": SAME})
    report = bench.ingest()
    told = {failure.source: failure.reason for failure in report.failed}
    assert sorted(told) == ["a.txt", "b.txt", "x.pdf", "y.pdf"]
    assert told["y.pdf"] == f"holds the same as x.pdf: {told['x.pdf']}"
    assert bench.sources() == ["z.txt"]


def test_a_copy_that_is_edited_into_what_can_not_be_read(bench: Bench) -> None:
    """The document stays with the other file; if all are broken, with the first."""
    good = '{"bird": "heron"}'
    bench.write({"a.json": good, "b.json": good})
    bench.ingest()
    bench.write({"b.json": "{"})
    assert [failure.source for failure in bench.ingest().failed] == ["b.json"]
    assert sources(bench) == [("a.json",)]
    bench.write({"b.json": good})
    bench.ingest()
    bench.write({"a.json": "{", "b.json": "{{"})
    report = bench.ingest()
    assert sorted(failure.source for failure in report.failed) == ["a.json", "b.json"]
    assert sources(bench) == [("a.json",)]
    check(bench.store())


def test_a_copy_that_can_not_be_opened_stays(twins: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its earlier version is that of the others; it is told."""
    from rag import planning
    from rag.plan import hash_file
    from rag.scan import File

    def refuse(file: File) -> str:
        if file.path.name == "b.txt":
            raise PermissionError(13, "Permission denied")
        return hash_file(file)

    twins.write({"sub/b.txt": "Something else."})
    monkeypatch.setattr(planning, "hash_file", refuse)
    report = twins.ingest()
    assert [(f.source, f.reason) for f in report.failed] == [("sub/b.txt", "Permission denied")]
    assert sources(twins) == [("a.txt", "sub/b.txt")]


def test_a_file_that_changes_during_the_run_takes_no_copies_along(bench: Bench) -> None:
    """What the first file holds when it is read is not what was compared: the next run mends it."""
    bench.write({"a.txt": SAME, "b.txt": SAME})

    def meanwhile(progress: Progress) -> None:
        if progress.stage == "plan":
            bench.write({"a.txt": OTHER})

    report = bench.ingest(listener=meanwhile)
    assert sorted(failure.source for failure in report.failed) == ["a.txt", "b.txt"]
    assert all("has changed" in failure.reason for failure in report.failed)
    assert counts(bench.ingest()) == (2, 0, 0, 0, 0)


def test_a_document_whose_new_file_can_not_be_read_keeps_its_place(
    twins: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy that is to take over fails: the old text stays, and the edited file waits."""
    from rag import loaders
    from rag.errors import LoadError
    from rag.types import Parsed

    load = loaders.load

    def refuse(path: Path, *given: object) -> Parsed:
        if path.name == "b.txt":
            raise LoadError("took too long", "b.txt")
        return load(path)

    twins.settings = {"parsers": 0}
    twins.write({"a.txt": "The cat drinks milk.\n"})
    with monkeypatch.context() as patch:
        patch.setattr("rag.loaders.load", refuse)
        report = twins.ingest()
    assert sorted(failure.source for failure in report.failed) == ["a.txt", "sub/b.txt"]
    assert texts(twins.database)["a.txt"] == texts(twins.database)["sub/b.txt"] == SAME
    assert counts(twins.ingest()) == (0, 1, 2, 0, 0)
    assert texts(twins.database)["a.txt"] == "The cat drinks milk.\n"


# -- searching -------------------------------------------------------------------------------


def test_a_filter_on_sources_fits_any_file_of_a_document(twins: Bench) -> None:
    """The hit shows the first source, whichever fits; metadata and date are that one's."""
    for pattern in ("a.txt", "sub/*", "*.txt"):
        assert sources(twins, source=pattern) == [("a.txt", "sub/b.txt")]
    assert sources(twins, source="c.txt") == [] and sources(twins, source="b.txt") == []
    assert sources(twins, "viola", source="c*") == [("c.txt",)]


def test_a_citation_names_all_files(twins: Bench) -> None:
    """The quote comes from the first; the others follow in order."""
    twins.write({"b.txt": SAME})
    twins.ingest()
    answer = twins.answerer().answer("What does the heron do in the river?")
    assert [(c.source, c.also_in) for c in answer.citations] == [("a.txt", ("b.txt", "sub/b.txt"))]


@pytest.mark.parametrize("change", ["source = 'else.txt'", "root = 7", "document = 'x'"])
def test_a_damaged_copy_is_not_shown(twins: Bench, change: str) -> None:
    """A source that is not as it was written is an error, or none at all, never a wrong one."""
    twins.sql(f"UPDATE copies SET {change}")
    try:
        assert sources(twins) == [("a.txt",)]
    except IndexCorrupt as error:
        assert "copy" in str(error)


# -- in all, and in any order ----------------------------------------------------------------


def test_thousands_of_copies_are_quick(bench: Bench) -> None:
    """One is parsed and embedded; a run over all, and one that loses the first, take seconds."""
    for n in range(5_000):
        (bench.docs / f"{n:05}.txt").write_text(SAME)
    started = time.perf_counter()
    report = bench.ingest()
    assert counts(report) == (1, 0, 0, 0, 4_999) and report.embedded == 1
    (bench.docs / "00000.txt").unlink()
    assert counts(bench.ingest()) == (0, 0, 4_999, 1, 0)
    assert len(sources(bench)[0]) == 4_999
    assert time.perf_counter() - started < 30


NAMES = ["a.txt", "b.txt", "c/a.txt", "c/b.txt", "d.md"]
BODIES = [SAME, OTHER, NAMELESS, "", "Milk.\n"]
FOLDERS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(BODIES))


def _fill(docs: Path, files: dict[str, str]) -> None:
    """Make a folder hold these files; those that stay as they are keep their times."""
    for path in [path for path in docs.rglob("*.*") if path.is_file()]:
        if path.relative_to(docs).as_posix() not in files:
            path.unlink()
    for name, text in files.items():
        if not (docs / name).exists() or (docs / name).read_text() != text:
            put(docs / name, text)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(FOLDERS, min_size=1, max_size=5))
@example([{"a.txt": SAME, "b.txt": OTHER}, {"a.txt": OTHER, "b.txt": SAME}])
def test_after_any_folders_the_index_is_as_one_made_of_the_last(
    tmp_path_factory: pytest.TempPathFactory, folders: list[dict[str, str]]
) -> None:
    """Documents, sources, titles and copies are those of an index made from scratch.

    What can not be read, empty files here, leaves an earlier version, which is left out.
    """
    bench = Bench(tmp_path_factory.mktemp("any"), settings={"parsers": 0})
    bench.docs.mkdir()
    bench.write({"stays.md": "Stays."})
    for files in folders:
        _fill(bench.docs, files | {"stays.md": "Stays."})
        listed = len(files) + 1
        expected = preview([bench.docs], "default", bench.config)
        report = bench.ingest(confirm=yes)
        done = report.added + report.updated + report.unchanged + report.copies
        assert done + len(report.failed) == listed
        assert report.deleted == len(expected.deleted)
        if not report.failed:
            assert report.copies == len(expected.copies) and report.added == len(expected.added)
        check(bench.store())
    if all(folders[-1].values()):
        fresh = Bench(bench.place / "fresh", settings={"parsers": 0})
        shutil.copytree(bench.docs, fresh.docs)
        fresh.ingest()
        query = "SELECT source, title, language, metadata FROM documents ORDER BY source"
        assert bench.sql(query) == fresh.sql(query)
        assert bench.copies() == fresh.copies()
        assert texts(bench.database) == texts(fresh.database)


@pytest.mark.parametrize(
    "edit",
    [
        lambda bench: (bench.docs / "a.txt").unlink(),
        lambda bench: bench.write({"a.txt": OTHER, "c.txt": SAME}),
        lambda bench: bench.write({"a.txt": "Milk.", "sub/b.txt": "Tea.", "0.txt": OTHER}),
    ],
    ids=["deleted", "swapped", "parted"],
)
def test_a_run_that_stops_anywhere_is_completed_by_the_next(
    twins: Bench, edit: Callable[[Bench], object]
) -> None:
    """An error at any write leaves what is true of the old or the new files; a rerun ends it."""
    before = texts(twins.database)
    edit(twins)
    after = {
        path.relative_to(twins.docs).as_posix(): path.read_text()
        for path in twins.docs.rglob("*.txt")
    }
    for moment in range(12):
        trial = Bench(twins.place / f"trial{moment}")
        shutil.copytree(twins.docs, trial.docs)
        shutil.copytree(twins.index, trial.index)
        trial.sql("UPDATE roots SET path = ?", str(trial.docs))
        _stopped_at(trial, moment)
        check(trial.store())
        for source, text in texts(trial.database).items():
            assert text in (before.get(source), after.get(source)), (moment, source)
        trial.ingest(confirm=yes)
        assert texts(trial.database) == after
        check(trial.store())


def _stopped_at(bench: Bench, moment: int) -> None:
    """Run until the n-th transaction is to be committed, which is not."""
    from contextlib import contextmanager

    from rag.writer import StoreWriter

    left = [moment]
    transaction = StoreWriter.transaction

    @contextmanager
    def failing(writer: StoreWriter, **options: bool):  # type: ignore[no-untyped-def]
        with transaction(writer, **options):
            yield
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StoreWriter, "transaction", failing)
        try:
            bench.ingest(confirm=yes)
        except KeyboardInterrupt:
            return


def test_animals_have_no_copies(animals: Bench) -> None:
    """Of documents that differ, none has a second source."""
    assert animals.copies() == {} and animals.sources() == sorted(ANIMALS)
    assert animals.store().count_copies() == 0
