"""Which line breaks of a text only wrap it, as editors, mail and the sources of manuals do.

A sentence goes on after such a break. Nothing but the text tells which these are: a line that
begins with a small letter goes on with the one before, and where enough lines do, they show the
width at which the text was wrapped; then a line that had no room for the next one's first word
goes on too, whatever that begins with. Lists, tables, headings, code and verse stay as they are.
Scripts without small letters give no such sign: their lines all end.
"""

import re
from itertools import pairwise

from rag.tables import between_bars

Spans = list[tuple[int, int]]

# A line that goes on has so many characters, and a text that is wrapped so many such lines.
LEAST_LINE = 30
LEAST_LINES = 2
LEAST_WORDS = 4
# Of the width: a line that leaves more than the rest empty ends there, whatever follows.
LEAST_FILLED = 0.6
# Share of letters, digits, spaces and plain punctuation in a line of prose.
PROSE = 0.85

_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_BREAK = re.compile(r"\r?\n|\r")
_FENCE = re.compile(r"\s*(?:```|~~~)")
# What begins something new: list items, headings, tables, quotations, prompts, fields.
_OPENS = re.compile(
    r"[-–—*+•·‣◦]\s|[>#|$%@<{]|\d{1,3}[.)]\s|[a-zA-Z][.)]\s|\.\.\s|:\w+:|[=~^\"'-]{3,}|[\w-]{1,30}:(?:\s|$)"
)
_ITEM = re.compile(r"\s*(?:[-–—*+•·‣◦]|\d{1,3}[.)]|[a-zA-Z][.)])\s+")
_COLUMNS = re.compile(r"\S(?: {3,}|\t)\S|\|")
# A row of a table that names its columns, "name: lamp; price: 5": what it begins with, and two
# of its pairs.
_LABEL = re.compile(r"[^:;\n]{1,100}: ")
_PAIRS = re.compile(r"\s*[^:;\n]{1,100}: [^;\n]*; [^:;\n]{1,100}: ")
_PLAIN = re.compile(r"[\w\s.,;:!?'’\"“”()`*-]")


def lines(text: str) -> Spans:
    """Return the spans of the lines of a text that are not empty, without their breaks."""
    return [match.span() for match in _LINE.finditer(text)]


def unwrapped(text: str) -> Spans:
    """Return the spans of the lines of a text, those that wrapping parted as one.

    As `lines`, but that a span may hold breaks.
    """
    found = lines(text)
    follow = [
        _BREAK.fullmatch(text, first[1], second[0]) is not None and _may_follow(text, first, second)
        for first, second in pairwise(found)
    ]
    for at in _fenced(text, found):
        for border in {at - 1, at}.intersection(range(len(follow))):
            follow[border] = False
    width = _width(text, found, follow)
    spans = found[:1]
    for goes_on, first, second in zip(follow, found, found[1:], strict=False):
        if goes_on and _goes_on(text, first, second, width):
            spans[-1] = (spans[-1][0], second[1])
        else:
            spans.append(second)
    return spans


def _may_follow(text: str, first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Tell whether the second line may be the first one's end, by indentation and kind."""
    line, following = text[slice(*first)].rstrip(), text[slice(*second)]
    body = following.lstrip()
    if len(line) < LEAST_LINE or not body or line.endswith(":") or _OPENS.match(body):
        return False
    if is_row(line) or is_row(following) or _same_label(line, following):
        return False
    item = _ITEM.match(line)
    indents = {_indent(line), item.end() if item else _indent(line)}
    if _indent(following) not in indents:
        return False
    return _is_prose(line[item.end() :] if item else line) and _is_prose(body, least_words=1)


def is_row(line: str) -> bool:
    """Tell whether a line is a row of a table, "name: lamp; price: 5" or between bars."""
    return _PAIRS.match(line) is not None or between_bars(line)


def _same_label(line: str, following: str) -> bool:
    """Tell whether both lines begin with the same label, as rows of a table do."""
    label = _LABEL.match(line)
    return label is not None and following.startswith(label.group())


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_prose(line: str, least_words: int = LEAST_WORDS) -> bool:
    if len(line.split()) < least_words or _COLUMNS.search(line) or line.lstrip()[:1] in "#|>$":
        return False
    return len(_PLAIN.findall(line)) >= PROSE * len(line)


def _fenced(text: str, spans: Spans) -> list[int]:
    """Return the lines of code between fences, with the fences."""
    inside, found = False, []
    for at, (start, _) in enumerate(spans):
        fence = _FENCE.match(text, start) is not None
        if inside or fence:
            found.append(at)
        inside ^= fence
    return found


def _width(text: str, spans: Spans, follow: list[bool]) -> int | None:
    """Return the width of the lines that certainly go on; None when they are few."""
    certain = sorted(
        len(text[slice(*first)].rstrip())
        for goes_on, first, second in zip(follow, spans, spans[1:], strict=False)
        if goes_on and _starts_small(text, second)
    )
    return certain[(len(certain) - 1) * 9 // 10] if len(certain) >= LEAST_LINES else None


def _starts_small(text: str, line: tuple[int, int]) -> bool:
    return text[slice(*line)].lstrip()[:1].islower()


def _goes_on(text: str, first: tuple[int, int], second: tuple[int, int], width: int | None) -> bool:
    filled = len(text[slice(*first)].rstrip())
    if _starts_small(text, second):
        return width is None or filled >= LEAST_FILLED * width
    return width is not None and filled + 1 + len(text[slice(*second)].split()[0]) > width
