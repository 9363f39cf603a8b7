"""Ranking metrics by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.ranking import ndcg_at, recall_at, reciprocal_rank


def test_by_hand() -> None:
    """Relevant at ranks 2 and 4, one never found."""
    ranked, relevant = ["a", "b", "c", "d"], {"b", "d", "x"}
    assert recall_at(1, ranked, relevant) == 0
    assert recall_at(4, ranked, relevant) == pytest.approx(2 / 3)
    assert reciprocal_rank(ranked, relevant) == 0.5
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    gain = 1 / math.log2(3) + 1 / math.log2(5)
    assert ndcg_at(10, ranked, relevant) == pytest.approx(gain / ideal)


def test_nothing_found() -> None:
    """An empty ranking scores 0."""
    assert recall_at(5, [], ["x"]) == reciprocal_rank([], ["x"]) == ndcg_at(10, [], ["x"]) == 0


def test_errors() -> None:
    """No gold, k of 0, or an id ranked twice."""
    with pytest.raises(ValueError, match="relevant is empty"):
        recall_at(1, ["a"], [])
    with pytest.raises(ValueError, match="k must"):
        ndcg_at(0, ["a"], ["a"])
    with pytest.raises(ValueError, match="twice"):
        reciprocal_rank(["a", "a"], ["a"])


@given(st.permutations(list("abcdef")), st.sets(st.sampled_from("abcdef"), min_size=1))
def test_bounds(ranked: list[str], relevant: set[str]) -> None:
    """All in 0 … 1; relevant first is perfect; recall grows with k."""
    assert 0 <= ndcg_at(3, ranked, relevant) <= 1 + 1e-9
    best = sorted(ranked, key=lambda one: one not in relevant)
    assert ndcg_at(6, best, relevant) == pytest.approx(1)
    assert reciprocal_rank(best, relevant) == recall_at(6, ranked, relevant) == 1
    assert recall_at(2, ranked, relevant) <= recall_at(3, ranked, relevant)
