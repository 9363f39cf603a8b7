"""Where sources say the same thing with another number, date, name or word in one place.

Two sentences of different passages are laid word by word. If nearly all is equal but one short
place, where both say something and not the same, they disagree. Two that merely speak of the
same subject in their own words are never called a conflict: that would need understanding.
docs/decisions/0013-answerability.md has how often this finds planted falsehoods.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.dates import dates
from rag.exact import check
from rag.quantities import quantities
from rag.slots import LEAST_WORDS, Words, slot, words
from rag.types import Evidence

# Share of the longer sentence's words that the two must have in common, in order.
ALIKE = 0.7
# For a negation, of the words as a set.
NEARLY_ALL = 0.85
# Pairs grow with the square of the evidence; what scores lower answers nothing.
MOST_COMPARED = 24


class ConflictKind(StrEnum):
    """What differs."""

    NUMBER = "number"
    DATE = "date"
    NEGATION = "negation"
    STATEMENT = "statement"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two pieces of evidence that contradict each other, and the words in which they do."""

    first: Evidence
    second: Evidence
    kind: ConflictKind
    says_first: str
    says_second: str


def disagreements(evidence: Sequence[Evidence]) -> list[Disagreement]:
    """Return the pairs among the best pieces of evidence that disagree, the best pair first."""
    best = evidence[:MOST_COMPARED]
    read = [words(item.text) for item in best]
    found = []
    for j, second in enumerate(best):
        for i in range(j):
            first = best[i]
            if first.passage.id == second.passage.id or first.text == second.text:
                continue
            same = ALIKE * max(len(read[i].words), len(read[j].words))
            if place := slot(read[i], read[j], same):
                says = first.text[slice(*place[0])], second.text[slice(*place[1])]
                if not _equal(*says):
                    found.append(Disagreement(first, second, _kind(*says), *says))
            elif _denies(read[i], read[j]):
                kind = ConflictKind.NEGATION
                found.append(Disagreement(first, second, kind, first.text, second.text))
    return found


def _equal(first: str, second: str) -> bool:
    """Tell whether two places hold one amount, written in two ways."""
    ours, others = quantities(first), quantities(second)
    return bool(ours) and {q.readings for q in ours} == {q.readings for q in others}


def _kind(first: str, second: str) -> ConflictKind:
    if dates(first) and dates(second):
        return ConflictKind.DATE
    if quantities(first) and quantities(second):
        return ConflictKind.NUMBER
    return ConflictKind.STATEMENT


def _denies(first: Words, second: Words) -> bool:
    """Tell whether two sentences are alike in nearly all words, and only one is negated."""
    ours, others = set(first.words), set(second.words)
    most = max(len(ours), len(others))
    if min(len(ours), len(others)) < LEAST_WORDS or len(ours & others) < NEARLY_ALL * most:
        return False
    return check(first.text, second.text).negation
