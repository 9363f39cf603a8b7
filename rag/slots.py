"""Where two sentences say the same but for one place: the words, and what stands there instead."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

# Words, or characters of Chinese, that may differ in the one place.
MOST_DIFFERENT = 8
LEAST_WORDS = 5

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\d+(?:[.,\u00a0]\d+)*|[^\W\d_\u3040-\u9fff]+")
# Closes a sentence or opens a quotation: what follows is capitalised anyway.
_OPENS = re.compile(r"(?:^|[.!?:…\"“„«»(\[])\s*$")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a sentence without case, and where they stand."""

    text: str
    words: tuple[str, ...]
    spans: tuple[Span, ...]


def words(text: str) -> Words:
    """Return the words, numbers and Chinese characters of a text."""
    found = list(_WORD.finditer(text))
    return Words(text, tuple(m[0].casefold() for m in found), tuple(m.span() for m in found))


def slot(first: Words, second: Words, same: float) -> tuple[Span, Span] | None:
    """Return the spans of the one place in which two texts say something different.

    Words that only one of them has are passed over; None where no place or several differ, or a
    place is longer than `MOST_DIFFERENT`.

    Args:
        same: least number of words that the two have in common, in order.
    """
    if min(len(first.words), len(second.words)) < LEAST_WORDS:
        return None
    matcher = SequenceMatcher(None, first.words, second.words, autojunk=False)
    if matcher.real_quick_ratio() * (len(first.words) + len(second.words)) < 2 * same:
        return None
    blocks = matcher.get_opcodes()
    if sum(i2 - i1 for tag, i1, i2, *_ in blocks if tag == "equal") < same:
        return None
    places = [block[1:] for block in blocks if block[0] == "replace"]
    short = [p for p in places if max(p[1] - p[0], p[3] - p[2]) <= MOST_DIFFERENT]
    if len(short) != 1:
        return None
    i1, i2, j1, j2 = short[0]
    return (
        (first.spans[i1][0], first.spans[i2 - 1][1]),
        (second.spans[j1][0], second.spans[j2 - 1][1]),
    )


def names_a_thing(text: str, span: Span) -> bool:
    """Tell whether a place holds a name: capitals in a sentence, Latin letters in Chinese."""
    start, end = span
    here = text[start:end]
    if re.search(r"[\u3400-\u9fff]", text[:start] + text[end:]):
        return re.search(r"[A-Za-z]", here) is not None
    capitals = [m.start() for m in re.finditer(r"\b[^\W\d_]", here) if here[m.start()].isupper()]
    return any(not _OPENS.search(text[: start + at]) for at in capitals)


def other_name(
    claim: str, sentences: Sequence[str], least_same: float
) -> tuple[Span, tuple[str, Span]] | None:
    """Return the name of a claim in whose place a sentence that says the same has another.

    Args:
        least_same: share of the claim's words that the sentence must have.
    Returns:
        the name's span in the claim; the sentence, and the span of what stands there instead.
    """
    asked = words(claim)
    for sentence in sentences:
        given = words(sentence)
        found = slot(asked, given, least_same * len(asked.words))
        if found is None:
            continue
        mine, theirs = found
        if names_a_thing(claim, mine) and names_a_thing(sentence, theirs):
            return mine, (sentence, theirs)
    return None
