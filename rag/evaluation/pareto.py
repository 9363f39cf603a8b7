"""Which of several choices nothing else beats in both quality and time."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice with its quality (more is better) and its seconds (less is better)."""

    name: str
    quality: float
    seconds: float


def front(choices: Sequence[Choice]) -> list[bool]:
    """Return, for each choice, whether it is not dominated.

    One dominates another when it is at least as good in both and better in one; equal choices do
    not dominate each other.
    """
    return [not any(_dominates(other, choice) for other in choices) for choice in choices]


def _dominates(one: Choice, other: Choice) -> bool:
    as_good = one.quality >= other.quality and one.seconds <= other.seconds
    return as_good and (one.quality > other.quality or one.seconds < other.seconds)
