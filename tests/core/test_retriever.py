"""A search finds the best passages of what may be searched, of one version of the index."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rag.analysis import terms
from rag.candidates import DEPTH
from rag.errors import ConfigError, IndexCorrupt
from rag.fusion import LEAST_DEVIATION
from rag.lexical import K1, B
from rag.retriever import MAX_QUESTION, Retriever
from rag.types import Filters, Hit, Mode
from rag.vectors import ExactIndex
from tests.core.bench import Bench, document, put, run

MODES = list(Mode)


def sources(hits: tuple[Hit, ...]) -> list[str]:
    """Return the sources of hits, best first."""
    return [hit.passage.source for hit in hits]


# -- golden cases ----------------------------------------------------------------------------


@pytest.mark.slow
def test_lexical_scores_are_bm25(bench: Bench) -> None:
    """Three short documents, scored by hand; what shares no term is not found."""
    texts = {"a.txt": "alpha beta", "b.txt": "alpha alpha gamma delta", "c.txt": "epsilon"}
    bench.write(texts)
    bench.ingest()
    lengths = {}
    counts = {}
    for source, text in texts.items():
        found = terms(f"{bench.document(source).title}\n{text}")
        lengths[source] = len(found)
        counts[source] = found.count("alpha")
    mean = sum(lengths.values()) / 3
    idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    expected = {
        source: idf * n / (n + K1 * (1 - B + B * lengths[source] / mean))
        for source, n in counts.items()
        if n
    }
    hits = bench.retriever().search("alpha", 5, Mode.LEXICAL).hits
    assert {hit.passage.source: hit.score for hit in hits} == pytest.approx(expected, rel=1e-5)
    assert [hit.similarity for hit in hits] == [None, None]
    assert [hit.rank for hit in hits] == [1, 2] and hits[0].score >= hits[1].score


def test_similarity_is_the_cosine_and_orders_a_dense_search(zoo: Bench) -> None:
    """Each hit carries the cosine of its vector to the question's."""
    question = "a dog that barks at strangers"
    hits = zoo.retriever().search(question, 10, Mode.DENSE).hits
    assert hits[0].passage.source == "animals/dogs.md" and len(hits) == 4
    (query,) = zoo.embedder.embed_queries([question])
    for hit in hits:
        section = f"{hit.passage.section}\n" if hit.passage.section else ""
        (vector,) = zoo.embedder.embed_passages([section + hit.passage.text])
        assert hit.similarity == pytest.approx(float(vector @ query), abs=1e-6)
    assert [hit.rank for hit in hits] == [1, 2, 3, 4]
    values = [hit.score for hit in hits]
    assert values == sorted(values, reverse=True)
    similarities = [hit.similarity or 0.0 for hit in hits]
    assert similarities == sorted(similarities, reverse=True)


def test_overlap_is_the_share_of_the_question_s_term_weight(bench: Bench) -> None:
    """Terms weigh by rarity; one that the index lacks weighs most and is never found."""
    bench.write({"a.txt": "common rare", "b.txt": "common", "c.txt": "other"})
    bench.ingest()
    found = bench.retriever().search("common rare unheard", 5, Mode.LEXICAL)
    common = math.log(1 + (3 - 2 + 0.5) / 2.5)
    rare = math.log(1 + (3 - 1 + 0.5) / 1.5)
    unheard = math.log(1 + 3.5 / 0.5)
    total = common + rare + unheard
    overlap = {hit.passage.source: hit.overlap for hit in found.hits}
    assert overlap == pytest.approx(
        {"a.txt": (common + rare) / total, "b.txt": common / total}, rel=1e-5
    )
    assert found.term_weights == pytest.approx(
        {"commo": common / total, "rare": rare / total, "unhea": unheard / total}, rel=1e-5
    )


def test_the_hybrid_takes_the_best_of_both(bench: Bench) -> None:
    """The passage that matches in words and in meaning is before those that match in one."""
    bench.write(
        {
            "both.txt": "The zebra crossing is striped, and the zebra crossing is painted.",
            "one.txt": "The zebra lives in Africa and the river crossing is far away.",
            "none.txt": "Bread is baked from flour, water and salt in a hot oven.",
        }
    )
    bench.ingest()
    hits = bench.retriever().search("zebra crossing painted", 3, Mode.HYBRID).hits
    assert sources(hits) == ["both.txt", "one.txt", "none.txt"]


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_equal_passages_come_in_a_fixed_order(bench: Bench, mode: Mode) -> None:
    """Ties are broken by place, so a search repeats itself to the letter.

    The files differ in blanks at their end: with the same bytes they were one document.
    """
    bench.write({f"{n}/same.txt": "The same words here." + "\n" * n for n in range(9)})
    bench.ingest()
    searches = [bench.retriever().search("same words", 9, mode).hits for _ in range(3)]
    assert searches[0] == searches[1] == searches[2]
    assert sources(searches[0]) == [f"{n}/same.txt" for n in range(9)]


# -- filters ---------------------------------------------------------------------------------

WORDS = "The heron stands in shallow water and waits for small fish."


def article(n: str, text: str, language: str, date: str, kind: str) -> str:
    """Return a document with front matter; all have the same title but for n."""
    front = f"lang: {language}\ndate: {date}\nkind: {kind}\ntitle: Paper {n}"
    return f"---\n{front}\n---\n\n{text}\n"


@pytest.fixture(scope="module")
def herons(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    """Many documents in three languages that answer, more than are ranked; one poor one."""
    bench = Bench(tmp_path_factory.mktemp("herons"))
    many = {
        f"birds/{language}{n}.md": article(f"{language} {n}", WORDS, language, "2015-05-05", "a")
        for language in ("en", "de", "ru")
        for n in range(DEPTH // 3 + 20)
    }
    poor = article("Target", "A fish soup, hardly to the point.", "hu", "2020-02-02", "b")
    bench.write(many | {"rare/one.md": poor})
    bench.ingest()
    return bench.retriever()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "filters",
    [
        Filters(source="rare/*"),
        Filters(source="*one*"),
        Filters(title="target"),
        Filters(language="hu"),
        Filters(since="2020-02-02"),
        Filters(since="2016", until="2020-02-02"),
        Filters(metadata={"kind": "b"}),
        Filters(source="*.md", title="PAPER", language="hu", metadata={"kind": "b"}),
    ],
    ids=str,
)
def test_filters_hold_before_anything_is_ranked(
    herons: Retriever, mode: Mode, filters: Filters
) -> None:
    """With k = 1 and more than enough better passages, the one that is allowed is found."""
    question = "Where does the heron wait for small fish in shallow water?"
    assert sources(herons.search(question, 1, mode).hits) != ["rare/one.md"]
    (hit,) = herons.search(question, 1, mode, filters).hits
    assert hit.passage.source == "rare/one.md" and hit.rank == 1
    assert len(herons.search(question, 50, mode, filters).hits) == 1


@pytest.mark.parametrize("mode", MODES)
def test_until_keeps_what_is_later_out(herons: Retriever, mode: Mode) -> None:
    """The later document is never found, however many are wanted."""
    hits = herons.search("fish soup", 100, mode, Filters(until="2019-12-31")).hits
    assert len(hits) > 30 and "rare/one.md" not in sources(hits)


@pytest.mark.parametrize("mode", MODES)
def test_filters_keep_every_language_that_passes(herons: Retriever, mode: Mode) -> None:
    """Over groups of languages: all that is allowed of each can be found, and nothing else."""
    hits = herons.search("heron water fish soup", 100, mode, Filters(source="*[1e].md")).hits
    found = set(sources(hits))
    assert {"birds/en1.md", "birds/de1.md", "birds/ru1.md", "rare/one.md"} <= found
    assert all(source.endswith(("1.md", "e.md")) for source in found) and len(found) == 19


@pytest.mark.parametrize("mode", MODES)
def test_filters_that_nothing_passes_find_nothing(herons: Retriever, mode: Mode) -> None:
    """No hits, and no error."""
    assert herons.search("heron", 5, mode, Filters(language="xx")).hits == ()


@pytest.mark.parametrize("mode", MODES)
def test_scores_do_not_depend_on_filters(herons: Retriever, mode: Mode) -> None:
    """A passage found with a filter has the score that it has without."""
    question = "fish soup, hardly to the point"
    (filtered,) = herons.search(question, 1, mode, Filters(source="rare/*")).hits
    free = herons.search(question, 100, mode).hits
    (same,) = [hit for hit in free if hit.passage.source == "rare/one.md"]
    assert filtered.score == pytest.approx(same.score)
    assert filtered.overlap == same.overlap and filtered.similarity == same.similarity


# -- edges -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_more_may_be_wanted_than_there_is(zoo: Bench, mode: Mode) -> None:
    """k beyond the index: what there is, ranked from 1."""
    hits = zoo.retriever().search("the cat and a dog", 100, mode).hits
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert len({hit.passage.id for hit in hits}) == len(hits)
    assert len(hits) == 4 or mode is Mode.LEXICAL


@pytest.mark.parametrize("mode", MODES)
def test_an_empty_index_finds_nothing(animals: Bench, mode: Mode) -> None:
    """All documents deleted: no hits, weights that still sum to 1."""
    for path in animals.docs.rglob("*.*"):
        path.unlink()
    retriever = animals.retriever()
    animals.ingest(confirm=lambda gone, total: True)
    for each in (retriever, animals.retriever()):
        found = each.search("the cat", 5, mode)
        assert found.hits == () and sum(found.term_weights.values()) == pytest.approx(1)
        assert each.search("the cat", 5, mode, Filters(language="en")).hits == ()


@pytest.mark.parametrize("question", ["cat", "the cat cat cat", "猫 cat кошка 42", "unheard of"])
def test_term_weights_sum_to_one(zoo: Bench, question: str) -> None:
    """Of every question that has terms, known or not."""
    weights = zoo.retriever().search(question, 1).term_weights
    assert sum(weights.values()) == pytest.approx(1) and min(weights.values()) > 0
    assert set(weights) == set(terms(question))


@pytest.mark.parametrize("mode", MODES)
def test_a_question_without_words_is_no_error(zoo: Bench, mode: Mode) -> None:
    """Marks alone have no terms: nothing by words, anything by vectors."""
    found = zoo.retriever().search("?! …", 5, mode)
    assert found.term_weights == {} and len(found.hits) == (0 if mode is Mode.LEXICAL else 4)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("", "empty"),
        (" \n\t\u3000", "empty"),
        ("x" * 100_000, "100,000 characters"),
        ("x " * MAX_QUESTION, "characters; expected at most"),
        ("a\ud800b", "not valid text"),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_questions_that_can_not_be_asked(zoo: Bench, question: str, told: str, mode: Mode) -> None:
    """Empty, blank, too long or no text: ConfigError, in one line that does not repeat it."""
    with pytest.raises(ConfigError, match=told) as caught:
        zoo.retriever().search(question, 5, mode)
    assert len(str(caught.value)) < 200


def test_the_longest_question_is_answered(zoo: Bench) -> None:
    """As long as allowed, with white space around."""
    question = " \n" + ("cat milk " * MAX_QUESTION)[:MAX_QUESTION].strip() + "\n "
    assert sources(zoo.retriever().search(question, 1).hits) == ["animals/cats.md"]


def test_without_an_embedder_only_words_are_searched(zoo: Bench) -> None:
    """Lexical searches work; the others say what is missing."""
    retriever = Retriever(zoo.store(), None, ExactIndex)
    assert sources(retriever.search("milk", 5, Mode.LEXICAL).hits) == ["animals/cats.md"]
    for mode in (Mode.HYBRID, Mode.DENSE):
        with pytest.raises(ConfigError, match="mode lexical"):
            retriever.search("milk", 5, mode)


@pytest.mark.parametrize("mode", MODES)
def test_the_background_is_that_of_the_question(zoo: Bench, mode: Mode) -> None:
    """With vectors there is a mean for each language of the index; without, there is none."""
    ground = zoo.retriever().search("the cat", 1, mode).background
    assert set(ground.means) == (set() if mode is Mode.LEXICAL else {"en"})
    assert ground.deviation >= LEAST_DEVIATION


def test_a_damaged_passage_is_not_a_hit(animals: Bench) -> None:
    """IndexCorrupt instead of a wrong text, and others are still found."""
    retriever = animals.retriever()
    animals.sql("UPDATE passages SET text = replace(text, 'milk', 'wine')")
    animals.sql("UPDATE passages SET text = replace(text, 'wine', 'milk') WHERE row > 1")
    with pytest.raises(IndexCorrupt):
        retriever.search("the cat drinks cold wine", 1)
    assert sources(retriever.search("violins", 1).hits) == ["music.txt"]


# -- following the store ---------------------------------------------------------------------

INGEST = """
import sys
from pathlib import Path
from rag.config import Config
from rag.ingest import ingest
from rag.testing import HashEmbedder
ingest([Path(sys.argv[1])], "default", HashEmbedder(), Config(index_dir=Path(sys.argv[2])))
"""


@pytest.mark.slow
def test_another_process_s_commit_is_seen_without_reopening(animals: Bench) -> None:
    """Added, changed and deleted elsewhere: the next question knows it."""
    retriever = animals.retriever()
    question = "Saturn has rings of ice"
    assert "space.txt" not in sources(retriever.search(question, 10).hits)
    animals.write({"space.txt": "Saturn has rings made of ice and rock."})
    put(animals.docs / "rivers.txt", "The Rhine ends in the North Sea.")
    (animals.docs / "music.txt").unlink()
    run(INGEST, animals.docs, animals.config.index_dir)
    assert sources(retriever.search(question, 1).hits) == ["space.txt"]
    found = {hit.passage.source: hit.passage.text for hit in retriever.search("sea", 10).hits}
    assert found["rivers.txt"] == "The Rhine ends in the North Sea."
    assert "music.txt" not in found


@pytest.mark.slow
def test_threads_search_while_the_index_changes(animals: Bench) -> None:
    """Four threads and thirty commits: each hit's text is its document's at its offsets."""
    retriever = animals.retriever()
    stop = threading.Event()

    def search(mode: Mode) -> tuple[int, int]:
        seen = set()
        checked = 0
        while not stop.is_set():
            with retriever.store.reading():
                seen.add(retriever.store.version())
                for hit in retriever.search("the cat drinks edition", 5, mode).hits:
                    passage = hit.passage
                    text = document(retriever.store, passage.document_id).text
                    assert text[passage.start : passage.end] == passage.text
                    checked += 1
        return checked, len(seen)

    with ThreadPoolExecutor(4) as pool:
        searches = [pool.submit(search, mode) for mode in (*MODES, Mode.HYBRID)]
        try:
            for n in range(30):
                text = f"{'Filler. ' * n}The cat drinks edition {n} of the milk."
                put(animals.docs / "animals/cats.md", text)
                if n % 3 == 0:
                    put(animals.docs / f"{n}.txt", f"Edition {n}.")
                assert animals.ingest().updated == 1
        finally:
            stop.set()
        results = [each.result() for each in searches]
    assert all(checked > 10 and versions > 2 for checked, versions in results)
    hits = retriever.search("edition 29", 10).hits
    assert any("edition 29" in hit.passage.text for hit in hits)
    assert np.isfinite([hit.score for hit in hits]).all()
