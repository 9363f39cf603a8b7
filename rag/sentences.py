"""Where the sentences of a text begin and end, exactly, in any language.

Sentences are what is quoted, so each is at most `MAX_LENGTH` characters and none leaves
anything out: every character that is not white space lies in exactly one span.
"""

import re
from collections.abc import Iterator

from sentencex import get_sentence_boundaries

from rag.wrapping import lines, unwrapped

MAX_LENGTH = 300
"""A longer sentence is cut at a clause, else at a space, else anywhere."""

_BREAK = re.compile(r"[\n\r]")
# What still belongs to the sentence before it: closing quotes and brackets, note markers.
_CLOSERS = re.compile(
    r"(?:[\"'”’»›)\]}）】》〉」』]+(?=\s|$)|[”»）】》〉」』]+|(?:\[\d+(?:[,–-]\d+)*\])+)"
)
_CLAUSE = re.compile(r"[,;:、，；：。.!?！？،؛।](?=\s)|[、，；：。！？،؛।]|\s[–—-](?=\s)|—")
_SPACE = re.compile(r"\s+")
# The number of a list's entry and the like, which say nothing by themselves.
_LABEL = re.compile(r"[([]?(?:\d{1,3}|[^\W\d_])[.)\]]+|[-–—*•·>#]+")
_ABBREVIATION = re.compile(r"(?<!\w)\w{1,3}\.$")
# In front of a number these are abbreviations, whatever else they can be.
_BEFORE_NUMBER = re.compile(
    r"(?<!\w)(?:abb|approx|art|bd|ca|cca|ch|eq|fig|ill|kb|max|min|no|nr|old|p|pp|s|tab|vol"
    r"|гл|п|прим|рис|см|стр|табл|т)\.$",
    re.IGNORECASE,
)
_SURROGATE = re.compile("[\ud800-\udfff]")
# sentencex takes time by the square of its text, and a line can be a whole file.
_PIECE = 2000

Spans = list[tuple[int, int]]


def sentences(text: str, language: str = "en", *, wraps: bool = True) -> Spans:
    """Return the span of each sentence of text, in order, in code points.

    A line break ends a sentence, unless it only wraps the text. Spans are trimmed of white
    space, never empty, and at most `MAX_LENGTH` long.

    Args:
        language: ISO 639-1; decides which abbreviations do not end a sentence.
        wraps: False where each line ends by itself, as in what a generator writes.
    """
    spans: Spans = []
    for line in unwrapped(text) if wraps else lines(text):
        for start, end in _line_sentences(text, *line, language):
            spans += _cut(text, start, end)
    return spans


def _line_sentences(text: str, start: int, end: int, language: str) -> Spans:
    spans: Spans = []
    for at, stop in _boundaries(text, start, end, language):
        if spans and spans[-1][1] == at and (closer := _CLOSERS.match(text, at, stop)):
            spans[-1] = (spans[-1][0], closer.end())
            at = closer.end()
        if (trimmed := _trim(text, at, stop)) is None:
            continue
        if spans and _goes_on(text[slice(*spans[-1])], text[trimmed[0]]):
            trimmed = (spans.pop()[0], trimmed[1])
        spans.append(trimmed)
    return spans


def _goes_on(sentence: str, following: str) -> bool:
    """Tell whether what seems a sentence is a label, or stops at an abbreviation or ordinal."""
    if _LABEL.fullmatch(sentence):
        return True
    if following.isdigit():
        return _BEFORE_NUMBER.search(sentence) is not None
    return following.islower() and _ABBREVIATION.search(sentence) is not None


def _boundaries(text: str, start: int, end: int, language: str) -> Iterator[tuple[int, int]]:
    """Yield what sentencex takes for the sentences of a line; together they are the line."""
    while start < end:
        part = _SURROGATE.sub("\ufffd", text[start : min(start + _PIECE, end)])
        part = _BREAK.sub(" ", part)
        found = [
            (start + boundary["start_index"], start + boundary["end_index"])
            for boundary in get_sentence_boundaries(language, part)
        ]
        if start + len(part) < end and len(found) > 1:
            # The last one may go on in the next piece.
            found.pop()
        elif start + len(part) < end and (space := part.rfind(" ", _PIECE // 2)) > 0:
            found = [(start, start + space)]
        yield from found
        start = found[-1][1]


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    part = text[start:end]
    end = start + len(part.rstrip())
    start += len(part) - len(part.lstrip())
    return (start, end) if start < end else None


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield start … end in stretches of at most MAX_LENGTH."""
    while end - start > MAX_LENGTH:
        stop = _cut_at(text, start)
        if trimmed := _trim(text, start, stop):
            yield trimmed
        start = stop
    if trimmed := _trim(text, start, end):
        yield trimmed


def _cut_at(text: str, start: int) -> int:
    """Return the best place to cut after start: the last clause, else the last space."""
    stop = start + MAX_LENGTH
    for pattern in (_CLAUSE, _SPACE):
        # Not in the first third: a stub of a few words proves nothing.
        ends = [match.end() for match in pattern.finditer(text, start + MAX_LENGTH // 3, stop)]
        if ends:
            return ends[-1]
    return stop
