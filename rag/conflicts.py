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
from rag.quantities import Quantity, quantities, same
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
            alike = ALIKE * max(len(read[i].words), len(read[j].words))
            if place := slot(read[i], read[j], alike):
                says = first.text[slice(*place[0])], second.text[slice(*place[1])]
                if not _equal(*says, first.passage.language):
                    found.append(Disagreement(first, second, _kind(*says), *says))
            elif _denies(read[i], read[j]):
                kind = ConflictKind.NEGATION
                found.append(Disagreement(first, second, kind, first.text, second.text))
    return found


def _equal(first: str, second: str, language: str) -> bool:
    """Tell whether two places hold one date or the same amounts, written in two ways."""
    days = [{(d.year, d.month, d.day) for d in dates(text)} for text in (first, second)]
    if all(days):
        return not days[0].isdisjoint(days[1])
    ours, others = quantities(first, language), quantities(second, language)
    if not ours or len(ours) != len(others) or not all(map(same, ours, others)):
        return False
    return _besides(first, ours) == _besides(second, others)


def _besides(text: str, found: Sequence[Quantity]) -> tuple[str, ...]:
    """Return the words of a text that belong to none of its quantities."""
    for quantity in reversed(found):
        text = f"{text[: quantity.start]} {text[quantity.end :]}"
    return words(text).words


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
