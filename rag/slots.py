"""Where two sentences say the same but for one place: the words, and what stands there instead."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from rag.characters import bare
from rag.names import same_word
from rag.polarity import negations

# Words, or characters of Chinese, that may differ in the one place.
MOST_DIFFERENT = 8
LEAST_WORDS = 5

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\d+(?:[.,\u00a0]\d+)*|[^\W\d_\u3040-\u9fff]+")
# Closes a sentence or opens a quotation: what follows is capitalised anyway.
_OPENS = re.compile(r"(?:^|[.!?:…\"“„«»(\[])\s*$")

_TERM = re.compile(r"\b[^\W\d_](?:\w|\.(?=\w))*")
_COUNT = re.compile(r"\d\s*$")
_COUNTED = re.compile(r"[^\W\d_\u3040-\u9fff]{2,}|[\u3400-\u9fff]{1,3}")
_NUMBER = re.compile(r"\d+(?:[.,\u00a0]\d+)*")

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


def _akin(first: str, second: str) -> bool:
    """Tell whether two places share a word, in whatever form."""
    said = [
        [bare(word.replace(".", "").casefold()) for word in _TERM.findall(text)]
        for text in (first, second)
    ]
    return any(same_word(one, other) for one in said[0] for other in said[1])


def other_number(text: str, span: Span, other: str, there: Span) -> bool:
    """Tell whether two places differ in the digits of one number and nothing else."""
    mine, theirs = _NUMBER.split(text[slice(*span)]), _NUMBER.split(other[slice(*there)])
    if len(mine) != 2 or [w.casefold() for w in mine] != [w.casefold() for w in theirs]:
        return False
    digits = [re.sub(r"\D", "", part) for part in (text[slice(*span)], other[slice(*there)])]
    return digits[0] != digits[1]


def other_counted(text: str, span: Span, other: str, there: Span) -> bool:
    """Tell whether two places hold a word each, after a number: what is counted differs."""
    here, opposite = text[slice(*span)], other[slice(*there)]
    after = all(_COUNT.search(t[:at]) for t, at in ((text, span[0]), (other, there[0])))
    return after and all(map(_COUNTED.fullmatch, (here, opposite))) and not _akin(here, opposite)


def other_thing(
    claim: str, sentences: Sequence[str], least_same: float
) -> tuple[Span, tuple[str, Span]] | None:
    """Return the name or number of a claim in whose place a sentence that says the same has
    another.

    Args:
        least_same: share of the claim's words that the sentence must have.
    Returns:
        its span in the claim; the sentence, and the span of what stands there instead.
    """
    asked = words(claim)
    for other in _closest(asked, sentences):
        found = slot(asked, other, least_same * len(asked.words))
        if found is None:
            continue
        mine, theirs = found
        names = names_a_thing(claim, mine) and names_a_thing(other.text, theirs)
        akin = _akin(claim[slice(*mine)], other.text[slice(*theirs)])
        places = (claim, mine, other.text, theirs)
        if (names and not akin) or other_number(*places) or other_counted(*places):
            return mine, (other.text, theirs)
    return None


def denied(claim: str, sentences: Sequence[str], least_same: float) -> bool:
    """Tell whether a sentence says the same but for a negation, which one of the two has.

    Args:
        least_same: share of the claim's words that the sentence must have.
    """
    asked = words(claim)
    return any(
        _differs_in_negation(asked, other, least_same) for other in _closest(asked, sentences)
    )


def _closest(asked: Words, sentences: Sequence[str]) -> list[Words]:
    """Return the sentences that have most words in common; the others are of something else."""
    read = [words(sentence) for sentence in dict.fromkeys(sentences)]
    shared = [_common(asked, other) for other in read]
    return [other for other, count in zip(read, shared, strict=True) if count == max(shared)]


def _common(first: Words, second: Words) -> int:
    matcher = SequenceMatcher(None, first.words, second.words, autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks())


def _differs_in_negation(first: Words, second: Words, least_same: float) -> bool:
    if min(len(first.words), len(second.words)) < LEAST_WORDS:
        return False
    here, there = _negated(first), _negated(second)
    if len(here) % 2 == len(there) % 2:
        return False
    blocks = SequenceMatcher(None, first.words, second.words, autojunk=False).get_opcodes()
    same = sum(i2 - i1 for tag, i1, i2, *_ in blocks if tag == "equal")
    if same < least_same * max(len(first.words), len(second.words)):
        return False
    for tag, i1, i2, j1, j2 in blocks:
        inside = len(here & set(range(i1, i2))), len(there & set(range(j1, j2)))
        left = (i2 - i1 - inside[0], j2 - j1 - inside[1])
        # Next to a negation that one side lacks, the verb's form may differ ("does not", "does").
        if tag != "equal" and inside[0] != inside[1] and max(left) <= (2 if all(left) else 1):
            return True
    return False


def _negated(sentence: Words) -> set[int]:
    """Return which words of a sentence negate, or are the part of a word that does."""
    spans = negations(sentence.text)
    return {
        at
        for at, (start, end) in enumerate(sentence.spans)
        if any(start < stop and begin < end for begin, stop in spans)
    }
