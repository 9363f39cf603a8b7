"""A document's text to the passages that are embedded and found.

The splitting engine is langchain-text-splitters. It counts and cuts strings and its offsets
are guesses (with overlapping passages half of them were lost), so it is shown the document in
a form where counting and cutting are exact: one character for each token, which says what may
end before that token. Its pieces are lengths in tokens, and lengths make exact offsets.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from rag.analysis import language
from rag.protocols import Tokenizer
from rag.sentences import sentences
from rag.types import Heading, Parsed, Span

if TYPE_CHECKING:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

CHUNKER_VERSION = 2
"""Goes up whenever the same text is cut or embedded differently."""

SECTION_LEVEL = 3
"""Headings down to this level start a section; deeper ones start a paragraph."""
TITLE_CHARS = 80
"""A line alone that is longer is no heading."""
SECTION_CHARS = 120
"""Longer section paths are cut, so that they take at most some 30 tokens."""

_PARAGRAPH, _LINE, _SENTENCE, _WORD, _INSIDE = "PLSW."
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_TINY = 4
"""A passage or section under a quarter of the limit is joined to a neighbour."""


def embedded_text(section: str, text: str) -> str:
    """Return what is embedded for a passage: the end of its section path, then its text."""
    # The end of a section path says most.
    section = section[-SECTION_CHARS:].strip()
    return f"{section}\n{text}" if section else text


def page_of(pages: Sequence[int], start: int) -> int | None:
    """Return the page, from 1, that holds the character at start; None without pages."""
    return bisect_right(pages, start) or None


def chunk(
    parsed: Parsed,
    tokenizer: Tokenizer,
    *,
    max_tokens: int = 224,
    overlap_tokens: int = 32,
    embedded_tokens: int | None = None,
) -> list[Span]:
    """Return the passages of a document in order.

    Every character that is not white space is in a passage; no passage is empty, or begins or
    ends with white space. None crosses a heading down to `SECTION_LEVEL`, but that sections
    too small to stand alone are joined. A passage that starts inside a paragraph repeats the
    sentences before it.

    Args:
        parsed: the document.
        tokenizer: the embedder's; all limits count its tokens.
        max_tokens: of a passage's own text.
        overlap_tokens: that a passage may repeat of the one before, whole sentences only.
        embedded_tokens: of `embedded_text` (Embedder.max_tokens); max_tokens by default. A
            section path of more than half of that is left to the embedder to cut.
    """
    marked = _Marked(parsed, tokenizer)
    limit = embedded_tokens or max_tokens
    spans: list[Span] = []
    for section in _sections(parsed, marked, max_tokens):
        header = len(tokenizer.offsets(embedded_text(section.path, "")))
        room = max(1, min(max_tokens, max(limit - header, limit // 2)))
        pieces = _split(marked, section, room, min(overlap_tokens, room // 2))
        spans += _spans(marked, section, pieces, room)
    return spans


@dataclass(frozen=True, slots=True)
class _Section:
    """Sections split as one: characters start … end, tokens first … last, and headings."""

    start: int
    end: int
    first: int
    last: int
    level: int
    headings: tuple[tuple[int, str], ...]

    @property
    def path(self) -> str:
        return self.headings[0][1]

    def path_at(self, start: int) -> str:
        """Return the heading path at a character of the section."""
        at = bisect_right(self.headings, start, key=lambda heading: heading[0]) - 1
        return self.headings[max(at, 0)][1]


class _Marked:
    """A text as one character a token: what begins with the token.

    Attributes:
        marks: P paragraph, L line, S sentence, W word; "." inside a word.
        cuts: the character at which a passage that begins with the token begins.
    """

    def __init__(self, parsed: Parsed, tokenizer: Tokenizer) -> None:
        self.text = parsed.text
        self.tokenizer = tokenizer
        # Some tokenizers count the space before a word to its token.
        self.cuts = sorted(
            end - len(self.text[start:end].lstrip()) if self.text[start].isspace() else start
            for start, end in tokenizer.offsets(self.text)
            if start < end
        )
        marks = [
            _WORD if start and self.text[start - 1].isspace() else _INSIDE for start in self.cuts
        ]
        starts = list(self.cuts)
        for at, mark in _boundaries(parsed):
            token = bisect_left(starts, at)
            if token < len(marks):
                marks[token] = min(marks[token], mark, key=_STRENGTH.index)
                self.cuts[token] = at
        self.marks = "".join(marks)

    def token_at(self, at: int) -> int:
        """Return the first token that begins at or after a character."""
        return bisect_left(self.cuts, at)


def _boundaries(parsed: Parsed) -> Iterator[tuple[int, str]]:
    """Yield what begins where: each sentence, and each heading."""
    text = parsed.text
    before, titled = 0, False
    for start, end in sentences(text, language(text)):
        mark = _mark(text[before:start])
        # A line that looks like a heading is kept with the paragraph under it.
        yield start, _LINE if titled and mark == _PARAGRAPH else mark
        titled = mark == _PARAGRAPH and end - start <= TITLE_CHARS and text[end - 1].isalnum()
        before = end
    for heading in parsed.headings:
        yield heading.start, _PARAGRAPH


def _mark(gap: str) -> str:
    if "\n" not in gap:
        return _SENTENCE
    return _PARAGRAPH if _BLANK_LINE.search(gap) else _LINE


def _sections(parsed: Parsed, marked: _Marked, max_tokens: int) -> list[_Section]:
    """Return the sections in order, small ones joined to a neighbour of the same parent."""
    joined: list[_Section] = []
    for section in _plain_sections(parsed, marked):
        if joined and _joinable(joined[-1], section, max_tokens):
            last = joined.pop()
            section = _Section(
                last.start,
                section.end,
                last.first,
                section.last,
                last.level,
                last.headings + section.headings,
            )
        joined.append(section)
    return joined


def _plain_sections(parsed: Parsed, marked: _Marked) -> Iterator[_Section]:
    paths = _paths(parsed.headings)
    borders = [h.start for h in parsed.headings if h.level <= SECTION_LEVEL]
    levels = [h.level for h in parsed.headings if h.level <= SECTION_LEVEL]
    borders = [0, *borders, len(parsed.text)]
    levels = [0, *levels]
    for level, start, end in zip(levels, borders, borders[1:], strict=False):
        inside = tuple((at, path) for at, path in paths if start <= at < end)
        if start < end:
            first, last = marked.token_at(start), marked.token_at(end)
            yield _Section(start, end, first, last, level, inside or ((start, ""),))


def _paths(headings: Sequence[Heading]) -> list[tuple[int, str]]:
    """Return where each heading starts, and its path "A > B > C"."""
    stack: list[Heading] = []
    paths = []
    for heading in headings:
        while stack and stack[-1].level >= heading.level:
            stack.pop()
        stack.append(heading)
        paths.append((heading.start, " > ".join(" ".join(h.title.split()) for h in stack)))
    return paths


def _joinable(last: _Section, section: _Section, max_tokens: int) -> bool:
    sizes = (last.last - last.first, section.last - section.first)
    inside = section.level >= last.level
    return inside and min(sizes) * _TINY < max_tokens and sum(sizes) <= max_tokens


@cache
def _engine(separators: str, size: int) -> "RecursiveCharacterTextSplitter":
    # Imported here: it takes most of a second, which no other command should wait for.
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    return RecursiveCharacterTextSplitter(
        separators=list(separators) + [""] * (_INSIDE in separators),
        keep_separator="start",
        chunk_size=size,
        chunk_overlap=0,
        length_function=len,
        strip_whitespace=False,
    )


Ranges = list[tuple[int, int]]


def _split(marked: _Marked, section: _Section, room: int, overlap: int) -> Ranges:
    """Return the token range of each passage of a section, room tokens at most."""
    marks = marked.marks[section.first : section.last]
    sizes: list[int] = []
    for piece in _engine(_PARAGRAPH, room).split_text(marks):
        if len(piece) <= room:
            sizes.append(len(piece))
        else:
            # Inside a paragraph passages overlap, and room is left for that.
            inner = _engine(_LINE + _SENTENCE + _WORD + _INSIDE, room - overlap)
            sizes += map(len, inner.split_text(piece))
    ranges: Ranges = []
    first = section.first
    for size in sizes:
        last = first + size
        if ranges and _stub(ranges[-1], size, room):
            first = ranges.pop()[0]
        ranges.append((first, last))
        first = last
    return _overlapping(marked.marks, ranges, room, overlap) or [(section.first, section.last)]


def _stub(before: tuple[int, int], size: int, room: int) -> bool:
    """Tell whether one of two neighbours is too small to stand alone and fits the other."""
    sizes = (before[1] - before[0], size)
    return min(sizes) * _TINY < room and sum(sizes) <= room


def _overlapping(marks: str, ranges: Ranges, room: int, overlap: int) -> Ranges:
    widened = ranges[:1]
    for (before, _), (first, last) in pairwise(ranges):
        start = first
        if marks[first] != _PARAGRAPH:
            lowest = max(first - min(overlap, room - (last - first)), before + 1)
            paragraph = marks.rfind(_PARAGRAPH, lowest, first)
            starts = [marks.find(mark, max(lowest, paragraph), first) for mark in "PLS"]
            start = min((at for at in starts if at >= 0), default=first)
        widened.append((start, last))
    return widened


def _spans(marked: _Marked, section: _Section, ranges: Ranges, room: int) -> Iterator[Span]:
    for first, last in ranges:
        start = section.start if first == section.first else marked.cuts[first]
        end = section.end if last == section.last else marked.cuts[last]
        text = marked.text[start:end]
        if not text or text.isspace():
            continue
        if last - first > 1 and len(marked.tokenizer.offsets(text)) > room:
            # Cut off from its neighbours, a text may come to a few tokens more.
            middle = _middle(marked.marks, first, last)
            yield from _spans(marked, section, [(first, middle), (middle, last)], room)
        else:
            start += len(text) - len(text.lstrip())
            end -= len(text) - len(text.rstrip())
            yield Span(start, end, section.path_at(start))


def _middle(marks: str, first: int, last: int) -> int:
    """Return where to halve a range: at its strongest boundary, the nearest to the middle."""
    middle = (first + last) // 2
    ats = range(first + 1, last)
    return min(ats, key=lambda at: (_STRENGTH.index(marks[at]), abs(at - middle)))


_STRENGTH = "PLSW."
