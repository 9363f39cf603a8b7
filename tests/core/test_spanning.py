"""Windows of tokens, and the span that scores best in them."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.spanning import (
    ANSWER_TOKENS,
    OVERLAP_TOKENS,
    QUESTION_TOKENS,
    WINDOW_TOKENS,
    Marks,
    Window,
    best_span,
    read_window,
    windows_of,
)

MARKS = Marks(0, 2, 1)
SCORES = st.floats(-20, 20, width=32)


def cut(question: int, passage: int) -> list[Window]:
    """Return the windows of a passage of so many tokens, each a character."""
    offsets = [(i, i + 1) for i in range(passage)]
    return list(windows_of([9] * question, list(range(100, 100 + passage)), offsets, MARKS))


def test_a_short_passage_is_one_window() -> None:
    """<s> question </s> </s> passage </s>, with the place where the passage begins."""
    assert cut(2, 3) == [Window((0, 9, 9, 2, 2, 100, 101, 102, 2), 5, ((0, 1), (1, 2), (2, 3)))]


@given(st.integers(0, 200), st.integers(1, 900))
def test_windows_hold_the_whole_passage_in_order(question: int, passage: int) -> None:
    """No window is longer than allowed, none skips a token, and neighbours overlap."""
    found = cut(question, passage)
    assert {p for w in found for p in w.offsets} == {(i, i + 1) for i in range(passage)}
    for window in found:
        assert len(window.ids) <= WINDOW_TOKENS
        assert window.first == min(question, QUESTION_TOKENS) + 3
        assert len(window.ids) == window.first + len(window.offsets) + 1
    for before, after in pairwise(found):
        assert before.offsets[-OVERLAP_TOKENS:] == after.offsets[:OVERLAP_TOKENS]


@given(st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=60))
def test_the_best_span_is_the_best_of_all(pairs: list[tuple[float, float]]) -> None:
    """Every span that is allowed, one by one, scores no more."""
    starts, ends = np.array(pairs, np.float32).T
    first, last = best_span(starts, ends)
    assert 0 <= last - first < ANSWER_TOKENS
    allowed = [
        starts[i] + ends[j]
        for i in range(len(starts))
        for j in range(i, min(len(ends), i + ANSWER_TOKENS))
    ]
    assert starts[first] + ends[last] == max(allowed)


def test_a_window_is_read_by_hand() -> None:
    """Scores 3 and 2 for the span, 1 and 0 for no answer, 0 for all else."""
    text = "in 1998 ."
    window = Window((0, 9, 2, 2, 5, 6, 7, 2), 4, ((0, 2), (2, 7), (8, 9)))
    scores = np.zeros((8, 2), np.float32)
    scores[5], scores[0] = (3, 2), (1, 0)
    scores[1] = (50, 50)  # a token of the question is no answer
    reading = read_window(window, scores, text)
    assert reading is not None
    assert text[reading.start : reading.end] == "1998"  # the space before it is not quoted
    assert reading.null == pytest.approx(1 - 5)
    starts = math.log(math.exp(3) + math.exp(1) + 2)
    ends = math.log(math.exp(2) + 3)
    assert reading.score == pytest.approx(5 - starts - ends)


def test_a_window_of_blanks_has_nothing_to_read() -> None:
    """White space answers no question, whatever it scores."""
    window = Window((0, 2, 2, 5, 2), 3, ((0, 2),))
    assert read_window(window, np.ones((5, 2), np.float32), " \n") is None
