"""Abstention, risk and coverage by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.selective import abstention, risk_coverage


def test_risk_coverage_by_hand() -> None:
    """Right, wrong, right in order of confidence: risks 0, 1/2, 1/3."""
    curve = risk_coverage([True, True, False], [0.9, 0.1, 0.5])
    assert curve.coverage.tolist() == pytest.approx([1 / 3, 2 / 3, 1])
    assert curve.risk.tolist() == pytest.approx([0, 1 / 2, 1 / 3])
    assert curve.area == pytest.approx(5 / 18)


def test_ties_have_the_expected_risk() -> None:
    """Of two equally sure answers one is wrong: risk 1/2 throughout, in either order."""
    for correct in ([True, False], [False, True]):
        assert risk_coverage(correct, [0.5, 0.5]).risk.tolist() == [0.5, 0.5]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.5, 0.9])), min_size=1))
def test_full_coverage_has_the_share_of_errors(rows: list[tuple[bool, float]]) -> None:
    """Answering all, the risk is the share that is wrong, whatever the order of the rows."""
    curve = risk_coverage([a for a, _ in rows], [b for _, b in rows])
    assert curve.risk[-1] == pytest.approx(sum(not a for a, _ in rows) / len(rows))
    turned = risk_coverage([a for a, _ in rows[::-1]], [b for _, b in rows[::-1]])
    assert turned.area == pytest.approx(curve.area)


def test_abstention_by_hand() -> None:
    """Three refusals, two of them right; of three unanswerable one is answered."""
    got = abstention(
        answerable=[True, True, True, False, False, False],
        abstained=[True, False, False, True, True, False],
        correct=[False, True, False, False, False, True],
    )
    assert (got.precision, got.recall, got.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert got.wrong_answers == pytest.approx(2 / 6)  # one wrong, one that has no answer


def test_never_refusing() -> None:
    """No refusal, no credit."""
    got = abstention([True, False], [False, False], [True, False])
    assert (got.precision, got.recall, got.f1, got.wrong_answers) == (0, 0, 0, 0.5)


def test_columns_must_fit() -> None:
    """Lengths are named."""
    with pytest.raises(ValueError, match="answerable 1, abstained 2, correct 1"):
        abstention([True], [True, False], [True])
    with pytest.raises(ValueError, match="correct 0"):
        risk_coverage([], [])
