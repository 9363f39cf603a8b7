"""Intervals and tests against small cases and known laws."""

from collections.abc import Hashable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.checks import Numbers, Undefined
from rag.evaluation.intervals import (
    Interval,
    Weights,
    draw,
    holm,
    mean_interval,
    paired_permutation,
    set_interval,
)
from tests.evaluation.bootstrap import one_by_one


def mean(
    values: Sequence[float], clusters: Sequence[Hashable], *, resamples: int = 2_000, seed: int = 0
) -> Interval:
    """Return the interval of a mean."""
    return mean_interval(values, draw(clusters, resamples=resamples, seed=seed))


def test_interval_holds_the_estimate_and_repeats() -> None:
    """The same seed gives the same interval, another seed another."""
    values = [0, 1, 1, 1, 0, 1, 1, 0, 1, 1] * 5
    one = mean(values, range(50), resamples=300, seed=3)
    assert one == mean(values, range(50), resamples=300, seed=3)
    assert one != mean(values, range(50), resamples=300, seed=4)
    assert one.low < one.estimate == pytest.approx(0.7)
    assert one.estimate < one.high
    assert (one.n, one.clusters, one.undefined) == (50, 50, 0)


@pytest.mark.slow
def test_interval_has_the_width_of_theory() -> None:
    """400 coins of .5: half-width about 1.96 · .025."""
    interval = mean([0, 1] * 200, range(400))
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 0.025, rel=0.1)


@pytest.mark.slow
def test_clusters_are_drawn_whole() -> None:
    """Ten copies of a case are one observation: the interval does not shrink."""
    values = [0, 1, 1, 0, 1, 0, 1, 1]
    copied = [value for value in values for _ in range(10)]
    clusters = [f"question {i}" for i in range(8) for _ in range(10)]
    one = mean(values, range(8), seed=1)
    other = mean(copied, clusters, seed=1)
    assert (one.low, one.high) == pytest.approx((other.low, other.high))
    naive = mean(copied, range(80), seed=1)
    assert naive.high - naive.low < 0.5 * (other.high - other.low)


def test_identical_values_have_no_spread() -> None:
    """Nothing to be unsure of."""
    interval = mean([1.0] * 5, [1, 1, 2, 2, 3], resamples=50)
    assert interval.low == interval.estimate == interval.high == 1.0


def test_undefined_resamples_are_left_out_and_counted() -> None:
    """A statistic without a value on few resamples is reported, on many refused."""

    def needs_row_zero(weights: Weights) -> Numbers:
        return np.where(weights[:, 0] > 0, weights.sum(axis=1), np.nan)

    resamples = draw(range(20), resamples=200)
    with pytest.raises(Undefined, match="resamples of 20 clusters"):
        set_interval(20.0, needs_row_zero, resamples)

    def rarely(weights: Weights) -> Numbers:
        few = (weights > 0).sum(axis=1) < 9  # of 20; about 0.2% of resamples
        return np.where(few, np.nan, 1.0)

    assert set_interval(1.0, rarely, resamples).undefined <= 10


def test_bootstrap_refuses_nonsense() -> None:
    """No rows, no resamples, or columns that do not fit."""
    with pytest.raises(ValueError, match="nothing to measure: clusters 0"):
        draw([])
    with pytest.raises(ValueError, match="resamples 0"):
        draw(["a"], resamples=0)
    with pytest.raises(ValueError, match="values 2, clusters 1"):
        mean_interval([1.0, 2.0], draw(["a"]))


def test_a_resample_weighs_whole_clusters() -> None:
    """Rows of a cluster weigh the same; as many clusters are drawn as there are."""
    resamples = draw("aabc", resamples=50, seed=1)
    (weights,) = resamples.weights()
    assert weights.shape == (50, 4) and (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 1:].sum(axis=1) == 3).all() and resamples.clusters == 3


def test_permutation_by_hand() -> None:
    """Three clusters that all gain 1: of 8 exchanges two reach a sum of 3."""
    assert paired_permutation([1, 1, 1], [0, 0, 0], "abc") == 2 / 8


def test_permutation_exchanges_clusters_whole() -> None:
    """Six rows of two clusters can be exchanged in four ways only."""
    assert paired_permutation([1] * 6, [0] * 6, "aaabbb") == 2 / 4


def test_equal_runs_do_not_differ() -> None:
    """No difference at all: p is 1."""
    assert paired_permutation([0.3, 0.4], [0.3, 0.4], "ab") == 1.0


@pytest.mark.slow
def test_sampled_permutation_agrees_with_all_of_them() -> None:
    """At random as by trying every exchange, within the error of sampling."""
    random = np.random.default_rng(5)
    first = random.normal(0.35, 1, size=12)
    exact = paired_permutation(first, np.zeros(12), range(12))
    sampled = paired_permutation(first, np.zeros(12), range(12), resamples=4_000)
    assert 0.01 < exact < 0.99
    assert sampled == pytest.approx(exact, abs=0.03)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=9))
def test_permutation_is_symmetric(pairs: list[tuple[float, float]]) -> None:
    """Which run comes first does not matter, and p is a probability above 0."""
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    p = paired_permutation(first, second, range(len(pairs)))
    assert 0 < p <= 1
    assert p == paired_permutation(second, first, range(len(pairs)))


def test_holm_by_hand() -> None:
    """.01·3, .03·2 and .04 which may not fall below the one before."""
    got = holm({"a": 0.04, "b": 0.01, "c": 0.03})
    assert got == pytest.approx({"a": 0.06, "b": 0.03, "c": 0.06})
    assert list(got) == ["a", "b", "c"]
    assert holm({}) == {}
    with pytest.raises(ValueError, match="p-value of x"):
        holm({"x": 1.2})


def test_a_mean_has_the_interval_of_any_statistic() -> None:
    """Drawn together, means are those of a bootstrap that gathers rows one resample at a time."""
    values = [0.0, 1.0, 0.5, 0.25, 1.0, 0.0, 0.75]
    clusters = ["a", "a", "b", "c", "c", "c", "d"]
    column = np.array(values)
    whole = one_by_one(lambda rows: float(column[rows].mean()), clusters, 200, 0)
    short = mean(values, clusters, resamples=200)
    assert (short.n, short.clusters) == (7, 4)
    assert (short.estimate, short.low, short.high) == pytest.approx((column.mean(), *whole))
