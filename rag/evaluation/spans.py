"""How well marked stretches of text agree with gold ones, character by character."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.evaluation.checks import Undefined, same_length

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Shares of characters: precision of the marked, recall of the gold, and their F1."""

    precision: float
    recall: float
    f1: float


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return half-open spans in order, those that overlap or touch made one, empty ones gone.

    Raises:
        ValueError: a span starts below 0 or ends before it starts.
    """
    found: list[Span] = []
    for start, end in sorted(spans):
        if not 0 <= start <= end:
            raise ValueError(f"not a span: {start} … {end}")
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        elif start < end:
            found.append((start, end))
    return found


def character_agreement(
    gold: Sequence[Sequence[Span]], marked: Sequence[Sequence[Span]]
) -> Agreement:
    """Return the agreement over all texts together (micro), one list of spans a text.

    What several annotators marked is merged first, so a character counts once.

    Raises:
        Undefined: there is not one character in gold or marked.
    """
    same_length(gold=gold, marked=marked)
    shared = wanted = given = 0
    for golden, ours in zip(gold, marked, strict=True):
        one, other = merged(golden), merged(ours)
        wanted += sum(end - start for start, end in one)
        given += sum(end - start for start, end in other)
        shared += sum(
            max(0, min(end, stop) - max(start, begin))
            for start, end in one
            for begin, stop in other
        )
    if not wanted + given:
        raise Undefined(f"no character is marked or gold in {len(gold)} texts")
    precision = shared / given if given else 0.0
    recall = shared / wanted if wanted else 0.0
    return Agreement(precision, recall, 2 * shared / (wanted + given))
