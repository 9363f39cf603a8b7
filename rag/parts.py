"""A long document in parts, so that its passages are made without all being held at once."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace

from rag.types import Heading, Parsed

PART_CHARACTERS = 1 << 20
"""A document of up to twice as many characters is one part."""

_BORDERS = (re.compile(r"\n[^\S\n]*\n"), re.compile(r"\n"), re.compile(r"\s"))
# A part is at most so much shorter than it may be.
_LAST = 1 << 16


def parts(parsed: Parsed, size: int = PART_CHARACTERS) -> Iterator[tuple[int, Parsed]]:
    """Yield where each part of a document starts, and the part: its text and its headings.

    Parts end at a paragraph where one ends near, else at a line, a space, or anywhere. One that
    does not start with a heading has those above it at its start.
    """
    start, above = 0, list[Heading]()
    while start < len(parsed.text):
        end = _end(parsed, start, size)
        inside = parsed.headings[_at(parsed, start) : _at(parsed, end)]
        moved = [replace(heading, start=heading.start - start) for heading in inside]
        opened = [replace(heading, start=0) for heading in above]
        if moved and moved[0].start == 0:
            opened = [heading for heading in opened if heading.level < moved[0].level]
        whole = start == 0 and end == len(parsed.text)
        text = parsed.text if whole else parsed.text[start:end]
        yield start, Parsed(text, parsed.title, (*opened, *moved))
        above = _above([*above, *inside])
        start = end


def _at(parsed: Parsed, start: int) -> int:
    return bisect_left(parsed.headings, start, key=lambda heading: heading.start)


def _above(headings: list[Heading]) -> list[Heading]:
    """Return the headings that what follows them all is under, the highest first."""
    stack: list[Heading] = []
    for heading in headings:
        while stack and stack[-1].level >= heading.level:
            stack.pop()
        stack.append(heading)
    return stack


def _end(parsed: Parsed, start: int, size: int) -> int:
    if len(parsed.text) - start <= 2 * size:
        return len(parsed.text)
    latest = start + size
    earliest = max(start + 1, latest - min(_LAST, size // 2))
    headings = [h.start for h in parsed.headings[_at(parsed, earliest) : _at(parsed, latest)]]
    if headings:
        return headings[-1]
    for border in _BORDERS:
        if found := [match.end() for match in border.finditer(parsed.text, earliest, latest)]:
            return found[-1]
    return latest
