"""Logistic models: worked by hand, safe at the ends, strict about their form."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.logistic import Logistic

MODEL = Logistic(-1.0, {"a": 2.0, "b": -0.5})


def test_a_probability_worked_by_hand() -> None:
    """−1 + 2 · 1 − 0.5 · 2 = 0, which is even odds; further features are not looked at."""
    assert MODEL.probability({"a": 1.0, "b": 2.0}) == 0.5
    assert MODEL.probability({"a": 1.0, "b": 2.0, "c": 9.0}) == 0.5
    assert MODEL.probability({"a": 1.0, "b": 0.0}) == pytest.approx(1 / (1 + math.exp(-1)))


def test_a_missing_feature_is_told() -> None:
    """Never taken for zero."""
    with pytest.raises(KeyError, match="b"):
        MODEL.probability({"a": 1.0})


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_no_value_overflows(intercept: float, value: float) -> None:
    """From 0 to 1, and the odds of the negated model are the other way round."""
    here = Logistic(intercept, {"x": 1.0}).probability({"x": value})
    there = Logistic(-intercept, {"x": -1.0}).probability({"x": value})
    assert 0 <= here <= 1 and here + there == pytest.approx(1)


def test_what_is_written_is_read() -> None:
    """Whole numbers are numbers too."""
    written = {"intercept": 1, "coefficients": {"a": 2, "b": 0.5}}
    assert Logistic.read(written) == Logistic(1.0, {"a": 2.0, "b": 0.5})


@pytest.mark.parametrize("values", [None, [], {"intercept": 1.0}, {"coefficients": [1.0]}, "x"])
def test_another_form_is_refused(values: object) -> None:
    """With what was expected."""
    with pytest.raises(ValueError, match="expected intercept, coefficients"):
        Logistic.read(values)
