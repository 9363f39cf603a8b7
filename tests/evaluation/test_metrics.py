"""Metrics of a checker against values worked by hand."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation.checks import Undefined
from rag.evaluation.metrics import (
    acceptance,
    auroc,
    balanced_accuracy,
    ece,
    f1,
    false_acceptance_rate,
    macro_f1,
    macro_f1_over_sources,
    operating_point,
    reliability,
)

GOLD = [True, True, True, False, False]
SAID = [True, True, False, True, False]


def test_f1_of_one_class_by_hand() -> None:
    """Two found of three, one false: 2·2 / (4 + 1 + 1)."""
    assert f1(GOLD, SAID) == pytest.approx(2 / 3)


def test_macro_f1_by_hand() -> None:
    """Supported 2/3 and unsupported 1/2 give 7/12."""
    assert macro_f1(GOLD, SAID) == pytest.approx(7 / 12)


def test_macro_f1_of_one_class_alone() -> None:
    """A class that nobody has or says does not pull the mean down."""
    assert macro_f1([True, True], [True, True]) == 1.0


def test_macro_f1_over_sources_weighs_sources_the_same() -> None:
    """A source of two rows (F1 1) counts as much as one of five (7/12)."""
    gold, said = [*GOLD, True, False], [*SAID, True, False]
    got = macro_f1_over_sources(gold, said, [*"aaaaa", *"bb"])
    assert got == pytest.approx((7 / 12 + 1) / 2)


def test_balanced_accuracy_by_hand() -> None:
    """Recall 2/3 of one class and 1/2 of the other."""
    assert balanced_accuracy(GOLD, SAID) == pytest.approx(7 / 12)
    assert acceptance(GOLD, SAID).false == 0.5


def test_auroc_counts_ties_half() -> None:
    """Pairs (.9,.4) (.9,.9) (.4,.4) (.4,.9): 1 + .5 + .5 + 0 of 4."""
    assert auroc([True, False, True, False], [0.9, 0.4, 0.4, 0.9]) == 0.5
    assert auroc([True, True, False], [0.9, 0.5, 0.5]) == 0.75


def test_operating_point_accepts_equal_scores_together() -> None:
    """Nine of ten supported score at least .2, and half of the others do."""
    scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.5, 0.4, 0.3, 0.2, 0.1]
    point = operating_point([True] * 10 + [False] * 4, [*scores, 0.2, 0.95, 0.1, 0.0])
    assert (point.threshold, point.true_acceptance, point.false_acceptance) == (0.2, 0.9, 0.5)
    assert false_acceptance_rate([True, True, False], [0.5, 0.5, 0.4]) == 0.0


def test_ece_by_hand() -> None:
    """Bins [.5, 1] with .8, .6 (one true) and [0, .5) with .1 (none): (2·.2 + .1) / 3."""
    table = reliability([True, False, False], [0.8, 0.6, 0.1], bins=2)
    assert [(row.n, row.supported) for row in table] == [(1, 0.0), (2, 0.5)]
    assert ece([True, False, False], [0.8, 0.6, 0.1], bins=2) == pytest.approx(0.5 / 3)


def test_score_one_lies_in_the_last_bin() -> None:
    """The last bin is closed, and a score on an edge belongs to the bin above."""
    table = reliability([True, True], [1.0, 0.5], bins=2)
    assert [(row.low, row.n) for row in table] == [(0.5, 2)]


@pytest.mark.parametrize("metric", [macro_f1, balanced_accuracy, acceptance, auroc, ece])
def test_columns_must_fit(metric: object) -> None:
    """Unequal or empty columns are an error that names them with their lengths."""
    assert callable(metric)
    with pytest.raises(ValueError, match=r"differ in length: gold 2, (accepted|scores) 1"):
        metric([True, False], [1])
    with pytest.raises(ValueError, match=r"nothing to measure: gold 0"):
        metric([], [])


@pytest.mark.parametrize("scores", [[0.5, math.nan], [0.5, math.inf], [[0.5], [0.4]]])
def test_scores_must_be_numbers(scores: list[float]) -> None:
    """NaN would sort anywhere."""
    with pytest.raises(ValueError, match="finite numbers"):
        auroc([True, False], scores)


def test_what_is_out_of_range_is_refused() -> None:
    """Labels are yes or no, calibration needs probabilities, rates are shares."""
    with pytest.raises(ValueError, match="true and false"):
        f1([2, 0], [1, 0])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="0 … 1"):
        ece([True], [1.5])
    with pytest.raises(ValueError, match="bins"):
        ece([True], [0.5], bins=0)
    with pytest.raises(ValueError, match="true_acceptance"):
        operating_point([True, False], [0.5, 0.5], 0)


def test_one_class_has_no_rates() -> None:
    """With one class in gold these say so instead of dividing by nothing."""
    for metric in (balanced_accuracy, auroc, false_acceptance_rate):
        with pytest.raises(Undefined, match="one class"):
            metric([True, True], [0, 1])
    with pytest.raises(Undefined):
        f1([False], [False])


cases = st.lists(st.tuples(st.booleans(), st.sampled_from([0, 0.1, 0.25, 0.5, 0.7, 1]))).filter(
    lambda rows: len({gold for gold, _ in rows}) == 2
)


@given(cases)
def test_auroc_is_the_share_of_pairs_won(rows: list[tuple[bool, float]]) -> None:
    """By definition, and turned scores give the complement."""
    good = [score for gold, score in rows if gold]
    bad = [score for gold, score in rows if not gold]
    won = sum((a > b) + (a == b) / 2 for a in good for b in bad) / (len(good) * len(bad))
    gold, scores = [row[0] for row in rows], [row[1] for row in rows]
    assert auroc(gold, scores) == pytest.approx(won)
    assert auroc(gold, [-score for score in scores]) == pytest.approx(1 - won)


@pytest.mark.slow
@given(cases, st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_no_stricter_threshold_would_do(rows: list[tuple[bool, float]], wanted: float) -> None:
    """The point accepts enough, and the next score above it would not."""
    gold, scores = [row[0] for row in rows], [row[1] for row in rows]
    point = operating_point(gold, scores, wanted)
    assert point.true_acceptance >= wanted - 1e-9
    above = [score > point.threshold for score in scores]
    assert acceptance(gold, above).true < wanted


@pytest.mark.slow
@settings(deadline=None)  # the first call imports it
@given(cases)
def test_agrees_with_scikit_learn(rows: list[tuple[bool, float]]) -> None:
    """The same figures as an independent implementation."""
    sklearn = pytest.importorskip("sklearn.metrics")
    gold, scores = [row[0] for row in rows], [row[1] for row in rows]
    said = [score >= 0.5 for score in scores]
    assert macro_f1(gold, said) == pytest.approx(sklearn.f1_score(gold, said, average="macro"))
    assert balanced_accuracy(gold, said) == pytest.approx(
        sklearn.balanced_accuracy_score(gold, said)
    )
    assert auroc(gold, scores) == pytest.approx(sklearn.roc_auc_score(gold, scores))


@given(cases, st.integers(1, 20))
def test_ece_is_a_share(rows: list[tuple[bool, float]], bins: int) -> None:
    """Between 0 and 1, every case in one bin."""
    gold, scores = [row[0] for row in rows], [row[1] for row in rows]
    assert 0 <= ece(gold, scores, bins) <= 1
    assert sum(row.n for row in reliability(gold, scores, bins)) == len(rows)
