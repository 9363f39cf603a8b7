"""Writes the body of an ODT: headings, paragraphs, lists, tables, notes and text boxes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from odfdo import Element

from rag.loaders.merged import Cell, Grid
from rag.loaders.source import clean, one_line
from rag.loaders.tables import Row, lines
from rag.loaders.written import Writer

_PARAGRAPH, _HEADING, _LIST, _TABLE = "text:p", "text:h", "text:list", "table:table"
# Tables of contents and indexes repeat the text; deleted text is kept apart in the file.
_SKIPPED_TAGS = (
    "text:table-of-content text:alphabetical-index text:illustration-index text:table-index "
    "text:object-index text:user-index text:bibliography text:tracked-changes "
    "text:sequence-decls text:variable-decls text:user-field-decls office:forms "
    "office:annotation office:event-listeners svg:title svg:desc"
)
_SKIPPED = frozenset(_SKIPPED_TAGS.split())
_SKIPPED_INLINE = _SKIPPED | {"text:hidden-text", "text:ruby-text", "text:script"}
_BOXES = frozenset({"draw:text-box", "draw:custom-shape", "draw:rect", "draw:ellipse"})
_ROWS = frozenset({"table:table-row-group", "table:table-rows", "table:table-header-rows"})
_BLANKS = re.compile(r"[ \t\r\n]+")
# Counts in the file are bounded: a cell that stands for a million is a bomb.
_MOST_SPACES, _MOST_COLUMNS, _MOST_ROWS = 100, 1024, 1024
MAX_CELLS = 5_000_000
"""Of all tables of a document."""
_DEEPEST_INDENT = 8


@dataclass(frozen=True, slots=True)
class Styles:
    """Names of styles that say more than how a text looks."""

    titles: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Inline:
    """What a paragraph holds: its text, and the notes and boxes that follow it."""

    parts: list[str] = field(default_factory=list)
    notes: list[Element] = field(default_factory=list)
    boxes: list[Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        return clean("".join(self.parts)).strip()


class Body:
    """Writes blocks in the order of the document."""

    def __init__(self, writer: Writer, styles: Styles) -> None:
        self._writer = writer
        self._styles = styles
        self._cells = 0

    def blocks(self, container: Element) -> None:
        """Write what a body, a section, a cell or a text box holds."""
        for child in _children(container):
            tag = child.tag
            if tag in (_PARAGRAPH, _HEADING):
                self._paragraph(child)
            elif tag == _LIST and not _holds_blocks(child):
                after: list[_Inline] = []
                self._writer.lines(self._items(child, 0, after))
                self._follow(after)
            elif tag == _TABLE:
                self._table(child)
            elif tag not in _SKIPPED and child.get_attribute("text:display") != "none":
                self.blocks(child)  # sections, frames, groups of shapes

    def _paragraph(self, element: Element) -> None:
        if self._is_hidden(element):
            return
        inline = self._inline(element)
        level = element.get_attribute_integer("text:outline-level") or 1
        if element.tag == _HEADING:
            self._writer.heading(inline.text, max(1, level))
        elif element.get_attribute_string("text:style-name") in self._styles.titles:
            self._writer.heading(inline.text, 1)
        else:
            self._writer.block(inline.text)
        self._follow([inline])

    def _follow(self, written: list[_Inline]) -> None:
        """Write the notes that paragraphs refer to and the boxes that are anchored in them."""
        for inline in written:
            for note in inline.notes:
                self.blocks(note)
            for box in inline.boxes:
                self.blocks(box)

    def _items(self, element: Element, depth: int, after: list[_Inline]) -> Iterator[str]:
        """Yield the lines of a list; what follows its paragraphs is added to after."""
        indent = "  " * min(depth, _DEEPEST_INDENT)
        for item in _children(element):
            mark = "- "
            for child in _children(item):
                if child.tag == _LIST:
                    yield from self._items(child, depth + 1, after)
                    continue
                inline = self._inline(child)
                after.append(inline)
                if text := one_line(inline.text):
                    yield f"{indent}{mark}{text}"
                    mark = "  "  # a second paragraph of the item

    def _inlines(self, container: Element) -> Iterator[_Inline]:
        """Yield the paragraphs of a cell, those of its lists included."""
        for child in _children(container):
            if child.tag in (_PARAGRAPH, _HEADING):
                yield self._inline(child)
            elif child.tag not in _SKIPPED:
                yield from self._inlines(child)

    def _inline(self, element: Element) -> _Inline:
        found = _Inline()
        self._collect(element, found)
        return found

    def _collect(self, element: Element, found: _Inline) -> None:
        for child in element.xpath("*|text()"):
            if isinstance(child, str):
                found.parts.append(_BLANKS.sub(" ", child))
                continue
            tag = child.tag
            if tag == "text:s":
                count = child.get_attribute_integer("text:c") or 1
                found.parts.append(" " * min(count, _MOST_SPACES))
            elif tag in ("text:tab", "text:line-break"):
                found.parts.append("\t" if tag == "text:tab" else "\n")
            elif tag == "text:note":
                found.notes += child.get_elements("text:note-body")
            elif tag in _BOXES:
                found.boxes.append(child)
            elif tag not in _SKIPPED_INLINE and not self._is_hidden(child):
                self._collect(child, found)

    def _is_hidden(self, element: Element) -> bool:
        return element.get_attribute_string("text:style-name") in self._styles.hidden

    def _table(self, table: Element) -> None:
        rows = list(_rows(table))
        cells = [cell for row, _ in rows for cell in _children(row)]
        if len(cells) <= 1 or any(map(_holds_blocks, cells)):  # it only places what it holds
            for cell in cells:
                self.blocks(cell)
            return
        after: list[_Inline] = []
        self._writer.lines(lines(self._grid(rows, after)))
        self._follow(after)

    def _grid(self, rows: list[tuple[Element, bool]], after: list[_Inline]) -> Iterator[Row]:
        grid = Grid()
        for row, declared in rows:
            cells: list[Cell | None] = []
            for cell in _children(row):
                count = cell.get_attribute_integer("table:number-columns-repeated") or 1
                cells += [self._cell(cell, after)] * min(count, _MOST_COLUMNS - len(cells))
            repeated = row.get_attribute_integer("table:number-rows-repeated") or 1
            for _ in range(min(repeated, _MOST_ROWS)):
                self._cells += len(cells)
                if self._cells > MAX_CELLS:
                    raise self._writer.refusal(f"{MAX_CELLS:,} cells in its tables")
                yield grid.row(cells, declared)

    def _cell(self, cell: Element, after: list[_Inline]) -> Cell | None:
        """Return a cell on one line, None where another one covers it."""
        if cell.tag == "table:covered-table-cell":
            return None
        found = list(self._inlines(cell))
        after += found
        columns = cell.get_attribute_integer("table:number-columns-spanned") or 1
        rows = cell.get_attribute_integer("table:number-rows-spanned") or 1
        return Cell(one_line(" ".join(each.text for each in found)), columns, rows)


def _children(element: Element) -> list[Element]:
    """Return the elements directly inside, without comments, which `children` stumbles over."""
    return element.get_elements("*")


def _holds_blocks(element: Element) -> bool:
    """Whether there are tables or headings in a cell or a list, which are no data then."""
    return any(element.get_elements(f"descendant::{tag}") for tag in (_TABLE, _HEADING))


def _rows(container: Element, declared: bool = False) -> Iterator[tuple[Element, bool]]:
    """Yield the rows of a table, and whether each is declared a header."""
    for child in _children(container):
        if child.tag == "table:table-row":
            yield child, declared
        elif child.tag in _ROWS:
            yield from _rows(child, declared or child.tag == "table:table-header-rows")
