"""A base that is caught up, by layers of what came and marks on what went, answers as one index."""

import os
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag import base, candidates, changes, derived
from rag.analysis import terms
from rag.backends.faiss_index import FlatIndex
from rag.candidates import Search, nearest, rank
from rag.errors import IndexCorrupt
from rag.layers import NONE, Derived, Group, Layer, counted, groups_of, make_layer
from rag.lexical import LexicalIndex, encode_terms
from rag.schema import checksum
from rag.store import Root, Store
from rag.testing import HashEmbedder
from rag.types import Document, Mode
from rag.vectors import ExactIndex
from rag.writer import NewDocument, NewPassage, StoreWriter, write_lock
from tests.conftest import MEMORY
from tests.core.bench import Bench, check, sql

pytestmark = pytest.mark.slow

EMBEDDER = HashEmbedder()
WORDS = ["heron", "river", "stone", "milk", "violin", "danube"]
LANGUAGES = ["en", "de", "ru", "zh"]
QUERIES = ["heron river", "milk", "stone unheard violin", "danube danube milk"]

Edit = tuple[str, str, Sequence[str]]


def document(name: str, language: str, title: str, texts: Sequence[str]) -> NewDocument:
    """Make a document of these passages; some of them may be the same."""
    whole = "\n".join(texts)
    passages: list[NewPassage] = []
    seen: Counter[str] = Counter()
    at = 0
    for text in texts:
        seen[text] += 1
        identity = checksum(name, text, seen[text]).hex()
        found = Counter(terms(f"{title}\n{text}"))
        span = (at, at + len(text), None, ())
        passages.append(NewPassage(identity, *span, "", text, checksum(text), found))
        at += len(text) + 1
    told = Document(name, f"{name}.txt", title, whole, (), (), language, {}, checksum(whole).hex())
    return NewDocument(told, 1, "2024-05-01", len(whole), 1, tuple(passages), 1)


@dataclass
class Shelf:
    """An index that is written without files to read, and indexes that follow it."""

    place: Path
    make_index: Any = ExactIndex
    known: list[Derived] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make it, empty but for what every index has."""
        meta = {"embedder": "hash", "dim": str(EMBEDDER.dim)}
        self.writer = StoreWriter(self.place, meta)
        with self.writer.transaction():
            self.writer.put_roots([Root(1, Path("/docs"))])
            self.writer.put_reference({"en": EMBEDDER.embed_passages(["A day.", "The way."])})
        self.store = Store(self.place)

    def close(self) -> None:
        """Close what is open."""
        self.store.close()
        self.writer.close()

    def put(self, *documents: NewDocument) -> None:
        """Put documents in one transaction."""
        texts = {p.vector_key: p.text for new in documents for p in new.passages}
        with self.writer.transaction():
            self.writer.put_vectors(list(texts), EMBEDDER.embed_passages(list(texts.values())))
            for new in documents:
                self.writer.put_document(new)

    def delete(self, *names: str) -> None:
        """Delete documents."""
        with self.writer.transaction():
            self.writer.delete_documents(names)

    def follow(self) -> Derived:
        """Bring the indexes to the present version, as a server does."""
        if not self.known:
            self.known.append(derived.load(self.store, self.make_index))
        self.known.append(derived.followed(self.known[-1], self.store, self.make_index))
        return self.known[-1]

    def whole(self) -> Derived:
        """Make indexes from scratch."""
        return derived._anew(self.store, self.make_index)


@contextmanager
def shelf(make_index: Any = ExactIndex) -> Iterator[Shelf]:
    """An index in memory where that can be."""
    memory = MEMORY if os.access(MEMORY, os.W_OK) else None
    place = Path(tempfile.mkdtemp(prefix="layers-", dir=memory))
    made = Shelf(place, make_index)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(place, ignore_errors=True)


def found(indexes: Derived, store: Store, query: str, mode: Mode, share: int) -> list[object]:
    """Return all that a search gives, by store row; share: only one row in so many may be found."""
    wanted = terms(query)
    known = store.term_ids(set(wanted))
    allowed = None
    if share > 1:
        every = np.sort(np.concatenate([layer.living_rows() for layer in indexes.layers]))
        allowed = every[every % share == 0]
    queries = None if mode is Mode.LEXICAL else EMBEDDER.embed_queries([query])
    ranked = rank(indexes, Search([known.get(t, -1) for t in wanted], queries, mode, allowed))
    similarity = None if ranked.similarity is None else ranked.similarity.tolist()
    rows = indexes.rows_at(ranked.places).tolist()
    return [rows, ranked.scores.tolist(), similarity, ranked.overlap.tolist(), ranked.background]


def agree(one: Derived, other: Derived, store: Store) -> None:
    """Check that two indexes of a version give the same to the last bit, in every way."""
    assert one.sizes == other.sizes and one.version == other.version
    assert (one.corpus.rows, one.corpus.mean_length) == (
        other.corpus.rows,
        other.corpus.mean_length,
    )
    for query in QUERIES:
        for mode in Mode:
            for share in (1, 2, 3):
                given = (store, query, mode, share)
                assert found(one, *given) == found(other, *given), given[1:]


# -- any course of events --------------------------------------------------------------------

TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join), max_size=5)
EVENTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("put"),
            st.lists(
                st.tuples(
                    st.sampled_from("abcdef"),
                    st.sampled_from(LANGUAGES),
                    st.sampled_from(["Birds", "Rivers"]),
                    TEXTS,
                ),
                min_size=1,
                max_size=3,
            ),
        ),
        st.tuples(st.just("delete"), st.lists(st.sampled_from("abcdef"), min_size=1, max_size=2)),
        st.tuples(st.just("save"), st.booleans()),
        st.tuples(st.just("open"), st.none()),
    ),
    min_size=1,
    max_size=12,
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few candidates and low bounds: what is rare in large indexes happens in small ones."""
    monkeypatch.setattr(candidates, "DEPTH", 3)
    monkeypatch.setattr(candidates, "SPARE", 1)
    monkeypatch.setattr(candidates, "MOST", 8)
    monkeypatch.setattr(derived, "LEAST_CHANGES", 6)
    monkeypatch.setattr(derived, "CHANGED_SHARE", 2)
    monkeypatch.setattr(derived, "ERASED_ROWS", 0)


def play(shelf: Shelf, event: tuple[str, Any]) -> None:
    """Let one thing happen to an index."""
    what, given = event
    if what == "put":
        shelf.put(*{name: document(name, *rest) for name, *rest in given}.values())
    elif what == "delete":
        shelf.delete(*given)
    elif what == "save":
        derived.save(shelf.store, anew=given)
    else:
        shelf.known.clear()


@pytest.mark.parametrize("make_index", [ExactIndex, FlatIndex])
@given(events=EVENTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_any_course_of_events_answers_as_one_index(
    small: None, make_index: Any, events: list[tuple[str, Any]]
) -> None:
    """Adds, edits, deletions, other languages and titles: what follows is what is made anew."""
    with shelf(make_index) as kept:
        for event in events:
            play(kept, event)
            followed = kept.follow()
            whole = kept.whole()
            agree(followed, whole, kept.store)
            assert kept.writer.grown == kept.store.count()[1] == followed.corpus.rows
            assert list(derived.differences(kept.store)) == [] or not (derived.is_saved(kept.store))
            assert all(layer.alive for layer in followed.layers[1:])
            assert len(followed.layers) <= 6
        derived.save(kept.store)
        assert derived.is_saved(kept.store) and list(derived.differences(kept.store)) == []
        agree(derived.load(kept.store, make_index), kept.whole(), kept.store)


# -- golden cases ----------------------------------------------------------------------------


def layer_of(rows: list[int], languages: str, dead: list[int]) -> Layer:
    """Make a layer of vectors that tell nothing, in languages of one letter."""
    groups = groups_of(np.zeros((len(rows), 2), np.float32), counted(list(languages)), ExactIndex)
    lexical = LexicalIndex.build([b""] * len(rows))
    layer = Layer(np.array(rows, dtype=np.int64), groups, lexical, NONE)
    return layer.without(np.array(dead, dtype=np.int64))


def test_ranks_run_through_all_layers() -> None:
    """Rows 1, 3, 4, 6, 7, 9 are alive in language x; the place of each is found by its rank."""
    base_layer = layer_of([1, 2, 3, 5, 7, 8, 9, 4], "xxxxxxxy", [2, 5, 8])
    indexes = Derived(1, 1, (base_layer, layer_of([4, 6], "xx", []), layer_of([10], "y", [])), {})
    assert indexes.sizes == {"x": 6, "y": 2}
    places = indexes.chosen("x", np.arange(6))
    assert indexes.rows_at(places).tolist() == [1, 3, 4, 6, 7, 9]
    assert indexes.rows_at(indexes.chosen("x", np.array([5, 2]))).tolist() == [9, 4]
    assert indexes.rows_at(indexes.chosen("y", np.arange(2))).tolist() == [4, 10]
    assert indexes.languages_at(places).tolist() == [0] * 6


@given(
    st.lists(st.sampled_from("bdD+ "), min_size=1, max_size=40),
    st.integers(0, 3),
)
def test_any_rank_is_found(kinds: list[str], split: int) -> None:
    """Rows of the base, dead ones, and rows above in two layers: as sorted, so ranked."""
    rows = {kind: [i for i, k in enumerate(kinds) if k == kind] for kind in "bdD+"}
    lowest = layer_of(
        sorted(rows["b"] + rows["d"] + rows["D"]),
        "x" * len(rows["b"] + rows["d"] + rows["D"]),
        sorted(rows["d"] + rows["D"]),
    )
    # What was changed is dead below and alive above.
    above = sorted(rows["+"] + rows["D"])
    layers = [lowest, layer_of(above[split:], "x" * len(above[split:]), [])]
    layers.append(layer_of(above[:split], "x" * len(above[:split]), []))
    indexes = Derived(1, None, tuple(layers), {})
    expected = sorted(rows["b"] + above)
    if expected:
        places = indexes.chosen("x", np.arange(len(expected)))
        assert indexes.rows_at(places).tolist() == expected


def test_dead_rows_count_in_no_weight() -> None:
    """An index in which rows are dead has the frequencies and lengths of one without them."""
    texts = [[1, 1, 2], [2, 3], [1, 5, 5], [2, 2]]
    index = LexicalIndex.build([encode_terms(Counter(text).items()) for text in texts])
    marked = index.without(np.array([0, 3]))
    kept = LexicalIndex.build([encode_terms(Counter(text).items()) for text in texts[1:3]])
    asked = np.array([0, 1, 2, 3, 5, 9, -1])
    assert marked.frequencies(asked).tolist() == kept.frequencies(asked).tolist()
    assert (marked.alive, marked.length, len(marked)) == (2, kept.length, 4)
    scores, rows = marked.search([1, 2], 9)
    expected, expected_rows = kept.search([1, 2], 9)
    assert rows.tolist() == (expected_rows + 1).tolist()
    assert scores.tolist() == expected.tolist()
    emptied = [encode_terms(Counter(text).items()) for text in ([], texts[1], texts[2], [])]
    assert marked.same_as(LexicalIndex.build(emptied)) and not marked.same_as(index)


def test_what_is_dead_does_not_hide_what_is_alive() -> None:
    """The best 500 of a group are dead: the index is asked until enough others are found."""
    rng = np.random.default_rng(5)
    matrix = rng.normal(size=(3000, 16)).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    query = matrix[:1]
    order = np.argsort(-(matrix @ query[0]))
    dead = np.sort(order[:500])
    for make_index in (ExactIndex, FlatIndex):
        group = Group("en", 0, make_index(matrix))
        lexical = LexicalIndex.build([b""] * 3000)
        layer = Layer(np.arange(3000), (group,), lexical, dead)
        places, scores = nearest(layer, group, query)
        assert places.tolist() == order[500:600].tolist()
        assert (np.diff(scores) <= 0).all()


def test_many_equal_vectors_are_ordered_by_row() -> None:
    """2,500 passages are the same to the bit: no index says which hundred come first; rows do."""
    matrix = np.zeros((2600, 8), dtype=np.float32)
    matrix[:2500, 0] = 1.0
    matrix[2500:, 1] = 1.0
    layer = Layer(
        np.arange(2600),
        (Group("en", 0, FlatIndex(matrix)),),
        LexicalIndex.build([b""] * 2600),
        np.array([1, 3]),
    )
    places, _ = nearest(layer, layer.groups[0], matrix[:1])
    assert places.tolist() == [0, 2, *range(4, 102)]


# -- the log ---------------------------------------------------------------------------------


def test_the_log_tells_what_came_and_went() -> None:
    """New and changed passages come, others go; what only moves within its text does neither."""
    with shelf() as kept:
        kept.put(document("a", "en", "T", ["milk", "stone"]), document("b", "en", "T", ["river"]))
        start = kept.store.version()
        kept.put(document("a", "en", "T", ["heron", "milk"]))  # row 1 stays, 2 goes, 4 comes
        kept.put(document("b", "de", "T", ["river"]))  # another language: row 3 is another group's
        kept.put(document("c", "en", "T", ["milk"]))
        kept.delete("c")
        told = kept.store.changes_since(start)
        assert told is not None
        rows = dict(sql(kept.writer.database, "SELECT text, row FROM passages"))
        assert set(told.present.tolist()) == {rows["heron"], rows["river"]} and rows["milk"] == 1
        assert len(told.gone) == 2 and rows["milk"] not in told.touched
        assert kept.store.changes_since(kept.store.version()) is not None
        assert kept.store.changes_since(start + 1) is None


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM changes WHERE seq = (SELECT max(seq) - 1 FROM changes)",
        "DELETE FROM changes WHERE seq = (SELECT max(seq) FROM changes)",
        "DELETE FROM changes",
        "UPDATE changes SET came = zeroblob(8) WHERE seq = (SELECT max(seq) FROM changes)",
        "UPDATE changes SET gone = came || came",
        "UPDATE changes SET version = version + 1 WHERE seq = (SELECT max(seq) FROM changes)",
        "UPDATE meta SET value = value + 1 WHERE key = 'version'",
    ],
)
def test_a_damaged_log_is_not_believed(small: None, damage: str) -> None:
    """With any record changed or gone the base is not used, and the answers are right."""
    with shelf() as kept:
        kept.put(document("a", "en", "T", ["milk", "stone"]))
        assert derived.save(kept.store)
        kept.put(document("b", "en", "T", ["river milk"]))
        kept.put(document("a", "en", "T", ["milk"]))
        assert not derived.save(kept.store)
        caught_up = derived.load(kept.store, ExactIndex)
        assert caught_up.base is not None and len(caught_up.layers) == 2
        sql(kept.writer.database, damage)
        (problem,) = derived.differences(kept.store)
        assert "the log of changes does not lead to" in problem
        assert not derived.is_saved(kept.store)
        opened = derived.load(kept.store, ExactIndex)
        assert opened.base is None
        agree(opened, kept.whole(), kept.store)
        assert derived.save(kept.store) and derived.is_saved(kept.store)


def test_the_log_is_pruned_when_a_base_is_saved(small: None) -> None:
    """What led to the base is forgotten; a reader from before follows, or takes the new base."""
    with shelf() as kept:
        kept.put(document("a", "en", "T", ["milk"]))
        derived.save(kept.store, anew=True)
        early = derived.load(kept.store, ExactIndex)
        for name in "bcdefgh":
            kept.put(document(name, "en", "T", [f"river {name}"]))
        late = derived.followed(early, kept.store, ExactIndex)
        assert derived.save(kept.store)
        assert sql(kept.writer.database, "SELECT count(*) FROM changes") == [(0,)]
        kept.put(document("i", "ru", "T", ["stone"]))
        # One knew the version that the base is of and could follow; the other could not.
        for known in (late, early):
            opened = derived.followed(known, kept.store, ExactIndex)
            assert opened.base == derived.load(kept.store, ExactIndex).base != early.base
            agree(opened, kept.whole(), kept.store)


def test_a_small_change_writes_no_file(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the bound nothing in `derived` is touched; above it a new base is there."""
    with shelf() as kept:
        folder = kept.place / base.FOLDER
        kept.put(document("a", "en", "T", [f"milk {n}" for n in range(20)]))
        assert derived.save(kept.store)
        before = {path: path.stat() for path in folder.rglob("*")}
        kept.put(document("b", "en", "T", ["river"]))
        kept.delete("a")
        monkeypatch.setattr(derived, "LEAST_CHANGES", 21)
        assert not derived.save(kept.store)
        assert {path: path.stat() for path in folder.rglob("*")} == before
        kept.put(document("c", "en", "T", ["stone"]))
        assert derived.save(kept.store) and derived.load(kept.store, ExactIndex).base is not None


def test_nothing_of_what_is_deleted_stays_in_the_files_of_a_small_index() -> None:
    """With the usual bounds a deletion from a small index writes a new base; an addition none."""
    with shelf() as kept:
        kept.put(document("a", "en", "T", ["milk"]), document("b", "en", "T", ["river"]))
        assert derived.save(kept.store)
        kept.put(document("c", "en", "T", ["stone"]))
        assert not derived.save(kept.store)
        kept.delete("c")
        assert not derived.save(kept.store)
        kept.delete("b")
        assert derived.save(kept.store)
        assert len(np.load(kept.place / base.FOLDER / base.ROWS)) == 1


def test_passages_that_vanish_are_missed_in_base_and_layers(small: None) -> None:
    """A row gone behind the log's back: in the base, in what came, or one too many."""
    for damage in (
        "DELETE FROM passages WHERE text = 'milk'",
        "DELETE FROM passages WHERE text = 'river'",
        "UPDATE passages SET row = 99 WHERE text = 'milk'",
    ):
        with shelf() as kept:
            kept.put(document("a", "en", "T", ["milk", "stone"]))
            derived.save(kept.store)
            kept.put(document("b", "en", "T", ["river"]))
            sql(kept.writer.database, damage)
            with pytest.raises(IndexCorrupt, match="passages are gone"):
                derived.load(kept.store, ExactIndex)


def test_a_leftover_of_a_killed_save_is_removed(small: None) -> None:
    """Killed before or after the new base was in its place: the next save tidies up."""
    with shelf() as kept:
        kept.put(document("a", "en", "T", ["milk"]))
        derived.save(kept.store)
        for suffix in (".new", ".old"):
            shutil.copytree(kept.place / base.FOLDER, kept.place / (base.FOLDER + suffix))
        assert not derived.save(kept.store)
        assert [each.name for each in kept.place.iterdir() if each.is_dir()] == [base.FOLDER]


def test_terms_made_anew_break_the_log(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a repair the same terms have other numbers: an older base is of no use."""
    from rag.care.caretaker import Caretaker

    bench.write({"a.txt": "milk stone", "b.txt": "river"})
    bench.ingest()
    with closing(Caretaker(bench.index)) as caretaker, caretaker.transaction():
        caretaker.rebuild_terms()
    store = bench.store()
    assert not derived.is_saved(store) and sql(bench.database, "SELECT * FROM changes") == []
    check(store)


def test_a_vector_that_a_passage_leaves_is_deleted(bench: Bench) -> None:
    """The same text under another heading is embedded anew; its old vector goes."""
    bench.write({"a.md": "# One\n\nThe same text.\n"})
    bench.ingest()
    bench.write({"a.md": "# Two\n\nThe same text.\n"})
    bench.ingest()
    check(bench.store())


def test_a_layer_of_some_rows_only(small: None) -> None:
    """Rows that are not there are left out; none at all make an empty layer."""
    with shelf() as kept:
        kept.put(document("a", "ru", "T", ["milk", "stone"]), document("b", "en", "T", ["river"]))
        layer = make_layer(kept.store, np.array([1, 3, 77]), ExactIndex)
        assert layer.rows.tolist() == [3, 1]
        assert [group.language for group in layer.groups] == ["en", "ru"]
        assert len(make_layer(kept.store, NONE, ExactIndex).rows) == 0
        with kept.store.reading() as connection:
            assert changes.since(connection, kept.store.version()) is not None


def test_readers_while_bases_are_written(small: None, animals: Bench) -> None:
    """Four threads search, each commit adds or edits, most write a new base: all hits resolve."""
    retriever = animals.retriever()
    stop = threading.Event()

    def search(mode: Mode) -> int:
        searches = 0
        while not stop.is_set():
            with retriever.store.reading():
                for hit in retriever.search("the cat drinks edition", 5, mode).hits:
                    whole = retriever.store.document(hit.passage.document_id)
                    assert whole is not None
                    assert whole.text[hit.passage.start : hit.passage.end] == hit.passage.text
            searches += 1
        return searches

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(search, mode) for mode in (*Mode, Mode.HYBRID)]
        try:
            for n in range(12):
                animals.write({"cat.txt": f"The cat drinks edition {n}.", f"{n}.txt": f"Cat {n}."})
                animals.ingest()
                with write_lock(animals.index):
                    derived.save(animals.store(), anew=n % 3 > 0)
        finally:
            stop.set()
        assert all(each.result() > 3 for each in running)
    for mode in Mode:
        expected = animals.retriever().search("edition 11", 5, mode).hits
        assert retriever.search("edition 11", 5, mode).hits == expected


def test_who_began_before_a_commit_searches_as_of_then(animals: Bench) -> None:
    """A reading that is older than the newest indexes finds what was there, without a rebuild."""
    retriever = animals.retriever()
    with retriever.store.reading():
        before = retriever.search("violins", 1).hits
        (animals.docs / "music.txt").unlink()
        animals.ingest()
        with ThreadPoolExecutor(1) as pool:
            after = pool.submit(retriever.search, "violins", 1).result().hits
        assert after[0].passage.source != "music.txt"
        assert retriever.search("violins", 1).hits == before
        assert before[0].passage.source == "music.txt"
