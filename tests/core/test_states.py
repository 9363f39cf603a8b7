"""What is remembered of files: of all, or of those that matter to a file given alone."""

from contextlib import closing

from rag.planning import known_files, with_given
from rag.scan import scan
from rag.states import FileState
from tests.core.bench import Bench, put


def sources(states: list[FileState]) -> list[str]:
    """Return what files states are of, in order."""
    return sorted(state.source for state in states)


def filled(bench: Bench) -> Bench:
    """Ingest two copies, a file of their size, and one that has nothing to do with them."""
    bench.write(
        {"a.txt": "Cats purr.", "b/a.txt": "Cats purr.", "c.txt": "Dogs bark.", "d.md": "# Rivers"}
    )
    bench.ingest()
    return bench


def test_all_files_are_known_with_their_copies(bench: Bench) -> None:
    """Of two files with the same bytes one is a copy of the other."""
    with closing(filled(bench).store()) as store:
        assert sources(store.files()) == ["a.txt", "b/a.txt", "c.txt", "d.md"]
        assert [state.source for state in store.files() if state.copy] == ["b/a.txt"]


def test_a_place_brings_all_files_of_its_document(bench: Bench) -> None:
    """Whether the first of them or a copy is at that place."""
    with closing(filled(bench).store()) as store:
        for source in ("a.txt", "b/a.txt"):
            assert sources(store.files_about([(1, source)])) == ["a.txt", "b/a.txt"]
        assert store.files_about([(1, "none.txt"), (2, "a.txt")]) == []


def test_a_size_brings_what_may_hold_the_same(bench: Bench) -> None:
    """Ten bytes, as three of the files have."""
    with closing(filled(bench).store()) as store:
        assert sources(store.files_about([], [10])) == ["a.txt", "b/a.txt", "c.txt"]


def test_a_file_given_alone_needs_few_others(bench: Bench) -> None:
    """A folder needs all: what is not in it any more has to be told."""
    filled(bench)
    alone = put(bench.docs / "new.txt", "Owls hoot.")
    with closing(bench.store()) as store:
        for path, expected in ((alone, 3), (bench.docs, 4)):
            listings = [scan(path, bench.config.index_dir)]
            known = known_files(store, listings, with_given(store.roots(), listings))
            assert len(known) == expected


def test_documents_are_told_by_their_ids(bench: Bench) -> None:
    """What was never stored is not there."""
    with closing(filled(bench).store()) as store:
        assert store.holds(store.files()[0].document_id)
        assert not store.holds("0" * 32)
