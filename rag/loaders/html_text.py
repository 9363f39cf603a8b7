"""Writes the text of an HTML tree: blocks on lines, tables as rows, lists with marks."""

import re
from dataclasses import dataclass
from typing import Any

from rag.loaders.html_tables import DataTable
from rag.loaders.source import one_line
from rag.types import Heading

_PARAGRAPHS = (
    "p h1 h2 h3 h4 h5 h6 ul ol dl table pre blockquote section article main figure hr details "
    "address fieldset header footer aside form"
)
_LINES = (
    "br li tr div dt dd caption figcaption summary legend body thead tbody tfoot center dir hgroup"
)
# How many line ends part an element from what is before and after it; 0 for all others.
_BREAKS = dict.fromkeys(_PARAGRAPHS.split(), 2) | dict.fromkeys(_LINES.split(), 1)
_HEADING = re.compile(r"h[1-6]")
# A table with these inside lays out the page; its cells are blocks, not data. So does one without
# headers in which a cell has several paragraphs, or whose only row has blocks, as a note has.
_LAYOUT = (
    "boolean(.//table | .//pre | .//h1 | .//h2 | .//h3 | .//h4 | .//h5 | .//h6)"
    " or (not(.//th) and boolean(.//td[count(p) > 2] or count(.//tr) = 1 and .//td[p or div]))"
)
# CSS Text 3, §4.1.3: a line break in the source between two wide characters is no space.
_WIDE = "\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
_WIDE_BREAK = re.compile(rf"(?<=[{_WIDE}])[ \t]*\n[ \t\n]*(?=[{_WIDE}])")
_SOFT_HYPHEN = "\u00ad"


@dataclass(slots=True)
class _OpenHeading:
    """A heading being written: where its line and its words begin, None before any words."""

    tag: str
    start: int | None = None
    part: int = 0


class Writer:
    """Turns a walk over elements into text and headings.

    Call `open`, `text` and `close` in document order. White space collapses as a browser
    collapses it. What parts two texts is owed (`_gap`, list mark) until the
    second one comes, so no line ends in blanks and nothing empty leaves a trace. The rows of a
    table of data are written at its end, when its header is known.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._gap = ""
        self._mark = ""
        self._lists: list[int] = []  # the next number of an <ol>, 0 for a <ul>
        self._tables: list[DataTable | None] = []  # None: one that lays out the page
        self._pre = 0
        self._pre_opened = False
        self._heading: _OpenHeading | None = None
        self._headings: list[Heading] = []

    def result(self) -> tuple[str, tuple[Heading, ...]]:
        """Return the text so far and its headings."""
        return "".join(self._parts), tuple(self._headings)

    def open(self, tag: str, element: Any) -> None:
        """Begin an element."""
        table = self._tables[-1] if self._tables else None
        if tag == "tr" and table:
            table.row()
        self._break(tag)
        if tag == "pre":
            self._pre += 1
            self._pre_opened = True
        elif tag in ("ul", "ol"):
            start = element.get("start", "1")
            number = int(start) if start.isascii() and start.isdigit() else 1
            self._lists.append(number if tag == "ol" else 0)
        elif tag == "li" and not self._flat:
            self._owe_mark()
        elif tag == "table":
            layout = element.get("role") in ("presentation", "none") or element.xpath(_LAYOUT)
            self._tables.append(None if layout or self._heading else DataTable())
        elif tag in ("td", "th") and table:
            table.cell(element)
        elif tag == "thead" and table:
            table.in_head = True
        elif _HEADING.fullmatch(tag) and self._heading is None:
            self._heading = _OpenHeading(tag)

    def close(self, tag: str) -> None:
        """End an element."""
        if tag == "pre":
            self._pre -= 1
        elif tag in ("ul", "ol"):
            self._lists.pop()
        elif tag == "li":
            self._mark = ""
        elif tag == "table":
            self._close_table(self._tables.pop())
        elif tag in ("tr", "thead") and (table := self._tables[-1] if self._tables else None):
            table.in_cell = False
            table.in_head = table.in_head and tag == "tr"
        elif self._heading and self._heading.tag == tag:
            self._close_heading(self._heading)
        if tag != "br":
            self._break(tag)

    def text(self, raw: str) -> None:
        """Write character data."""
        raw = raw.replace(_SOFT_HYPHEN, "")
        if not raw:
            return
        if table := self._cell:
            table.text(_WIDE_BREAK.sub("", raw))
            return
        if self._pre and not self._flat:
            self._verbatim(raw)
            return
        if raw[0].isspace():
            self._gap = self._gap or " "
        words = " ".join(_WIDE_BREAK.sub("", raw).split())
        if words:
            self._put(words)
            self._gap = " " if raw[-1].isspace() else ""

    @property
    def _flat(self) -> bool:
        """Whether all goes on one line: in a heading, or in a cell of data."""
        return self._cell is not None or self._heading is not None

    @property
    def _cell(self) -> DataTable | None:
        """The table in a cell of which text is, None outside of all."""
        table = self._tables[-1] if self._tables else None
        return table if table is not None and table.in_cell else None

    def _break(self, tag: str) -> None:
        """Owe the line ends around tag; in a flat place they are one space."""
        size = _BREAKS.get(tag, 0)
        if tag in ("td", "th") and self._tables and self._tables[-1] is None:
            size = 1
        elif tag in ("ul", "ol") and self._lists:
            size = 1  # a nested list continues its item
        if not size or self._mark:
            return
        if table := self._cell:
            table.text(" ")
        elif self._flat:
            self._gap = self._gap or " "
        elif tag == "br" and self._pre:
            self._gap += "\n"
        else:
            self._gap = "\n" * max(size, min(self._gap.count("\n"), 2))

    def _owe_mark(self) -> None:
        number = self._lists[-1] if self._lists else 0
        if number:
            self._lists[-1] += 1
        self._mark = "  " * (len(self._lists) - 1) + (f"{number}. " if number else "- ")

    def _verbatim(self, raw: str) -> None:
        """Write preformatted text; its trailing blanks are owed, lest they end the block."""
        if self._pre_opened:
            raw = raw.removeprefix("\n")  # HTML ignores a line end right after <pre>
            self._pre_opened = False
        kept = raw.rstrip()
        if kept:
            self._put(kept)
            self._gap = ""
        self._gap += raw[len(kept) :]

    def _put(self, words: str) -> None:
        """Append words after what is owed before them."""
        gap = self._gap if self._parts else ""
        lead, self._mark = self._mark, ""
        if self._heading and self._heading.start is None:
            self._heading.start = self._length + len(gap)
            self._heading.part = len(self._parts) + 2
        self._parts += (gap, lead, words)
        self._length += len(gap) + len(lead) + len(words)

    def _close_table(self, table: DataTable | None) -> None:
        """Write the rows of a table of data, now that all are there."""
        for line in table.lines() if table else ():
            self._gap = "\n" * max(1, self._gap.count("\n"))
            self._put(line)
            self._gap = ""

    def _close_heading(self, heading: _OpenHeading) -> None:
        self._heading = None
        if heading.start is not None:
            title = one_line("".join(self._parts[heading.part :]))
            self._headings.append(Heading(heading.start, int(heading.tag[1]), title))
