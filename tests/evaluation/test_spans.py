"""Character agreement of spans."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.checks import Undefined
from rag.evaluation.spans import Span, character_agreement, merged


def test_overlapping_gold_is_merged() -> None:
    """Gold 0–10 and 5–15 is 15 characters; 10–20 marked shares 5 of its 10."""
    got = character_agreement([[(0, 10), (5, 15)]], [[(10, 20)]])
    assert (got.precision, got.recall, got.f1) == pytest.approx((0.5, 1 / 3, 0.4))


def test_all_texts_together() -> None:
    """Micro: a text without gold still costs precision."""
    got = character_agreement([[(0, 4)], []], [[(0, 4)], [(0, 4)]])
    assert (got.precision, got.recall) == (0.5, 1.0)


def test_nothing_marked() -> None:
    """Gold alone gives 0; nothing on either side has no value."""
    assert character_agreement([[(0, 4)]], [[]]).f1 == 0
    with pytest.raises(Undefined):
        character_agreement([[], []], [[], [(3, 3)]])


def test_errors() -> None:
    """Spans that end before they start, and lists that do not fit."""
    with pytest.raises(ValueError, match="not a span: 5 … 3"):
        merged([(5, 3)])
    with pytest.raises(ValueError, match="gold 1, marked 0"):
        character_agreement([[]], [])


spans = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda s: (min(s), max(s))))


@given(spans, spans)
def test_as_sets_of_characters(gold: list[Span], marked: list[Span]) -> None:
    """The same as counting characters one by one."""
    one = {i for start, end in gold for i in range(start, end)}
    other = {i for start, end in marked for i in range(start, end)}
    assert {i for start, end in merged(gold) for i in range(start, end)} == one
    if one | other:
        f1 = character_agreement([gold], [marked]).f1
        assert f1 == pytest.approx(2 * len(one & other) / (len(one) + len(other)))
