"""Where sources say the same thing with another number, date, name or word in one place.

Two sentences of different passages are laid word by word. If nearly all is equal but one short
place, where both say something and not the same, they disagree. Two that merely speak of the
same subject in their own words are never called a conflict: that would need understanding.
docs/decisions/0013-answerability.md has how often this finds planted falsehoods.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from rag.dates import dates
from rag.exact import check
from rag.quantities import quantities
from rag.types import Evidence

# Share of the longer sentence's words that the two must have in common, in order.
ALIKE = 0.7
# Words, or characters of Chinese, that may differ in the one place.
MOST_DIFFERENT = 8
LEAST_WORDS = 5
# Pairs grow with the square of the evidence; what scores lower answers nothing.
MOST_COMPARED = 24

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\d+(?:[.,\u00a0]\d+)*|[^\W\d_\u3040-\u9fff]+")


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
    words = [_words(item.text) for item in best]
    found = []
    for j, second in enumerate(best):
        for i in range(j):
            first = best[i]
            if first.passage.id == second.passage.id or first.text == second.text:
                continue
            if place := _differing(words[i], words[j]):
                says = tuple(
                    _surface(item.text, span)
                    for item, span in zip((first, second), place, strict=True)
                )
                kind = _kind(first.text, second.text, *says)
                found.append(Disagreement(first, second, kind, says[0], says[1]))
            elif _denies(words[i], words[j], first.text, second.text):
                found.append(
                    Disagreement(first, second, ConflictKind.NEGATION, first.text, second.text)
                )
    return found


Words = list[tuple[str, int, int]]
Span = tuple[int, int]


def _words(text: str) -> Words:
    return [(match[0].casefold(), *match.span()) for match in _WORD.finditer(text)]


def _differing(first: Words, second: Words) -> tuple[Span, Span] | None:
    """Return the spans of the one place where two sentences differ, None if they do not so."""
    if min(len(first), len(second)) < LEAST_WORDS:
        return None
    matcher = SequenceMatcher(None, [w for w, *_ in first], [w for w, *_ in second], autojunk=False)
    if matcher.real_quick_ratio() < ALIKE:
        return None
    blocks = matcher.get_opcodes()
    same = sum(i2 - i1 for tag, i1, i2, *_ in blocks if tag == "equal")
    if same < ALIKE * max(len(first), len(second)) or same < LEAST_WORDS - 1:
        return None
    places = list(_replaced(blocks))
    if len(places) != 1:
        return None
    i1, i2, j1, j2 = places[0]
    return (first[i1][1], first[i2 - 1][2]), (second[j1][1], second[j2 - 1][2])


def _replaced(
    blocks: Sequence[tuple[str, int, int, int, int]],
) -> Iterator[tuple[int, int, int, int]]:
    """Yield the short replacements between equal words; one of many words is another sentence."""
    for tag, i1, i2, j1, j2 in blocks:
        if tag == "replace" and max(i2 - i1, j2 - j1) <= MOST_DIFFERENT:
            yield i1, i2, j1, j2


def _surface(text: str, span: Span) -> str:
    return text[slice(*span)]


def _kind(first: str, second: str, says_first: str, says_second: str) -> ConflictKind:
    if dates(says_first) and dates(says_second):
        return ConflictKind.DATE
    if quantities(says_first) and quantities(says_second):
        return ConflictKind.NUMBER
    return ConflictKind.STATEMENT


def _denies(first: Words, second: Words, one: str, other: str) -> bool:
    """Tell whether two sentences are alike in nearly all words, and only one is negated."""
    a, b = {w for w, *_ in first}, {w for w, *_ in second}
    if min(len(a), len(b)) < LEAST_WORDS or len(a & b) < 0.85 * max(len(a), len(b)):
        return False
    return check(one, other).negation
