"""BM25 against an independent implementation, and the file and blob formats."""

from collections import Counter
from pathlib import Path

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.lexical import K1, UNKNOWN, B, Corpus, LexicalIndex, decode_terms, encode_terms


def build(texts: list[list[int]]) -> LexicalIndex:
    return LexicalIndex.build([encode_terms(Counter(text).items()) for text in texts])


def random_texts(seed: int, rows: int = 60, vocabulary: int = 30) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [(rng.zipf(1.3, size=rng.integers(1, 40)) % vocabulary).tolist() for _ in range(rows)]


def reference_scores(texts: list[list[int]], query: list[int]) -> NDArray[np.float32]:
    """Score with bm25s, which is told the vocabulary as words."""
    reference = bm25s.BM25(method="lucene", k1=K1, b=B)
    reference.index([[str(term) for term in text] for text in texts], show_progress=False)
    known = [str(term) for term in query if any(term in text for text in texts)]
    scores: NDArray[np.float32] = reference.get_scores(known)
    return scores


@pytest.mark.parametrize("seed", range(8))
def test_scores_like_bm25s(seed: int) -> None:
    """Scores, and so the ranking, are those of bm25s' Lucene variant."""
    texts = random_texts(seed)
    query = [1, 2, 5, 7, 11, 13]
    expected = reference_scores(texts, query)
    scores, rows = build(texts).search(query, len(texts))
    np.testing.assert_allclose(scores, expected[rows], rtol=1e-5)
    assert set(rows.tolist()) == set(np.flatnonzero(expected).tolist())
    assert all(scores[:-1] >= scores[1:])


def test_ties_go_by_row() -> None:
    """Rows of equal score come in their order, also where the limit cuts through them."""
    index = build([[1], [2], [1], [1], [1]])
    assert index.search([1], 3)[1].tolist() == [0, 2, 3]


def test_rows_without_a_term_do_not_return() -> None:
    """A row that shares no term with the query is no hit, however few there are."""
    scores, rows = build([[1], [2]]).search([2, UNKNOWN, 99], 10)
    assert rows.tolist() == [1]
    assert scores.dtype == np.float32
    assert rows.dtype == np.int64


def test_repeated_query_terms_weigh_as_often() -> None:
    """Each time a term stands in the query it counts."""
    index = build([[1, 3], [2, 3]])
    once, _ = index.search([1], 1)
    twice, _ = index.search([1, 1], 1)
    assert twice[0] == pytest.approx(2 * once[0])


def test_filters_before_ranking() -> None:
    """With rows filtered out, the best of the others return with unchanged scores."""
    texts = random_texts(3)
    index = build(texts)
    allowed = np.arange(len(texts)) % 3 == 1
    scores, rows = index.search([1, 2, 5], 5, allowed)
    everything, every_row = index.search([1, 2, 5], len(texts))
    keep = allowed[every_row]
    assert rows.tolist() == every_row[keep][:5].tolist()
    np.testing.assert_array_equal(scores, everything[keep][:5])


def test_base_and_delta_rank_like_one() -> None:
    """Two indexes that share a corpus give the scores of one index over all rows."""
    texts = random_texts(5)
    whole, base, delta = build(texts), build(texts[:40]), build(texts[40:])
    corpus = Corpus((base, delta))
    query = [1, 3, 4, 8]
    expected = dict(zip(*map(np.ndarray.tolist, reversed(whole.search(query, 99))), strict=True))
    found: dict[int, float] = {}
    for index, first in ((base, 0), (delta, 40)):
        scores, rows = index.search(query, 99, corpus=corpus)
        found |= dict(zip((rows + first).tolist(), scores.tolist(), strict=True))
    assert found == pytest.approx(expected)
    rows = np.arange(20)
    np.testing.assert_allclose(
        delta.overlap([*query, UNKNOWN], rows, corpus),
        whole.overlap([*query, UNKNOWN], rows + 40),
    )


def test_overlap_is_a_share_of_weight() -> None:
    """A row with all of the query's terms has 1, one with none 0, rare terms weigh more."""
    index = build([[1, 2], [1], [2], [3], [1]])
    rows = np.arange(5)
    overlap = index.overlap([1, 2], rows)
    assert overlap[0] == 1.0
    assert overlap[3] == 0.0
    assert overlap[2] > overlap[1] > 0
    np.testing.assert_array_equal(index.overlap([1, 1, 2], rows), overlap)
    assert all(index.overlap([], rows) == 0)


def test_unknown_terms_lower_the_overlap() -> None:
    """A term found nowhere counts with the highest weight, each one by itself."""
    index = build([[1], [2]])
    row = np.array([0])
    one, two = index.overlap([1, UNKNOWN], row)[0], index.overlap([1, UNKNOWN, UNKNOWN], row)[0]
    assert 0 < two < one < 0.5
    assert index.overlap([1, 77], row)[0] == pytest.approx(one)


def test_empty_index() -> None:
    """An index without rows, or with rows without terms, answers with nothing."""
    cases: list[list[list[int]]] = [[], [[], []]]
    for texts in cases:
        index = build(texts)
        assert len(index) == len(texts)
        assert len(index.search([1], 5)[1]) == 0
        assert index.overlap([1], np.arange(len(texts))).tolist() == [0.0] * len(texts)


def test_saved_index_is_the_same(tmp_path: Path) -> None:
    """What is loaded from disk, memory-mapped, answers like what was saved."""
    for texts in (random_texts(7), []):
        index = build(texts)
        index.save(tmp_path / "lexical")
        loaded = LexicalIndex.load(tmp_path / "lexical")
        assert len(loaded) == len(index)
        for left, right in zip(
            index.search([1, 2, 3], 9), loaded.search([1, 2, 3], 9), strict=True
        ):
            np.testing.assert_array_equal(left, right)


def test_load_refuses_pickles(tmp_path: Path) -> None:
    """An array file that would run code is refused."""
    build([[1]]).save(tmp_path)
    np.save(tmp_path / "rows.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        LexicalIndex.load(tmp_path)


def test_cut_blob_is_refused() -> None:
    """A blob that lost its end is an error, not a wrong index."""
    with pytest.raises(ValueError, match="cut short"):
        LexicalIndex.build([encode_terms([(1, 1)]), b"\0" * 7])


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 2**32 - 1))))
def test_terms_round_trip(pairs: list[tuple[int, int]]) -> None:
    """Packed pairs unpack to the same pairs."""
    assert decode_terms(encode_terms(pairs)) == pairs


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=12), st.integers(1, 15))
def test_top_is_a_prefix_of_the_whole_ranking(texts: list[list[int]], k: int) -> None:
    """The k best are the first k of all."""
    index = build(texts)
    whole = index.search([0, 3, 5], max(len(texts), 1))
    top = index.search([0, 3, 5], k)
    assert top[1].tolist() == whole[1][:k].tolist()
    assert top[0].tolist() == whole[0][:k].tolist()


TEXTS = st.lists(
    st.dictionaries(st.integers(0, 40), st.integers(1, 70_000), max_size=6), max_size=30
)


@given(TEXTS)
def test_blocks_make_no_difference(texts: list[dict[int, int]]) -> None:
    """An index built of many small blocks is that built of one."""
    blobs = [encode_terms(sorted(text.items())) for text in texts]
    whole = LexicalIndex.build(blobs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rag.lexical.BLOCK_ROWS", 3)
        assert LexicalIndex.build(blobs).same_as(whole)
    assert len(whole) == len(texts)
    for term in range(41):
        holding = sum(term in text for text in texts)
        assert whole.frequencies(np.array([term])).tolist() == [holding]
