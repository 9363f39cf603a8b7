"""From a reader's scores of tokens to the stretch of text that answers. Pure functions.

A passage is read in windows of tokens that overlap, each behind the question. Token 0 of a window
stands for "no answer here" (Devlin et al. 2019, section 4.3): it competes with every span.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.types import Reading

Floats = NDArray[np.float32]
Offsets = Sequence[tuple[int, int]]

WINDOW_TOKENS = 256
"""Most tokens of question and passage together; it learnt from windows of this length."""
QUESTION_TOKENS = 64
OVERLAP_TOKENS = 48
ANSWER_TOKENS = 40
"""The longest span, in tokens."""


@dataclass(frozen=True, slots=True)
class Window:
    """What the model reads at once.

    Attributes:
        ids: (t,) numbers of all tokens, question and special ones included.
        first: place in `ids` of the first token of the passage.
        offsets: of each token of the passage in the window, its code points in the passage.
    """

    ids: tuple[int, ...]
    first: int
    offsets: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """The numbers of a tokenizer's special tokens: beginning, end and padding."""

    begin: int
    end: int
    pad: int


def windows_of(
    question: Sequence[int], passage: Sequence[int], offsets: Offsets, marks: Marks
) -> Iterator[Window]:
    """Yield the windows of a passage: <s> question </s> </s> passage </s>.

    Args:
        question, passage: token numbers without special ones; of a long question the beginning
            is read.
        offsets: code points of each token of the passage.
    """
    head = (marks.begin, *question[:QUESTION_TOKENS], marks.end, marks.end)
    room = WINDOW_TOKENS - len(head) - 1
    start = 0
    while True:
        part = tuple(passage[start : start + room])
        yield Window((*head, *part, marks.end), len(head), tuple(offsets[start : start + room]))
        if start + room >= len(passage):
            return
        start += room - OVERLAP_TOKENS


def best_span(starts: Floats, ends: Floats) -> tuple[int, int]:
    """Return first and last token of the span with the highest sum, at most ANSWER_TOKENS long.

    Args:
        starts, ends: (t,) scores of each token as the first and as the last one, t >= 1.
    """
    sums = starts[:, None] + ends[None, :]
    places = np.arange(len(starts))
    distance = places[None, :] - places[:, None]
    sums[(distance < 0) | (distance >= ANSWER_TOKENS)] = -np.inf
    first, last = np.unravel_index(int(np.argmax(sums)), sums.shape)
    return int(first), int(last)


def read_window(window: Window, scores: Floats, text: str) -> Reading | None:
    """Return the best span of a window; None where no token of it has a character to quote.

    Args:
        scores: (t, 2), of each of `window.ids` as the first and as the last token of the answer.
        text: the passage that the offsets count in.
    """
    kept = [i for i, (start, end) in enumerate(window.offsets) if text[start:end].strip()]
    if not kept:
        return None
    rows = np.array(kept) + window.first
    starts, ends = scores[rows, 0], scores[rows, 1]
    first, last = best_span(starts, ends)
    span = float(starts[first] + ends[last])
    none = float(scores[0].sum())
    start, end = _stripped(text, window.offsets[kept[first]][0], window.offsets[kept[last]][1])
    share = _log_sum(starts, scores[0, 0]) + _log_sum(ends, scores[0, 1])
    return Reading(start, end, span - share, none - span)


def _log_sum(scores: Floats, none: float) -> float:
    values = np.append(scores, none).astype(np.float64)
    most = values.max()
    return float(most + np.log(np.exp(values - most).sum()))


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    inside = text[start:end]
    start += len(inside) - len(inside.lstrip())
    return start, start + len(inside.strip())
