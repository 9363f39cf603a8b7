"""Collects the text of a DOCX body from its XML.

Not by `Paragraph.text` of python-docx, which passes over insertions, fields, content controls
and text boxes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from docx.oxml.ns import qn
from lxml import etree

from rag.loaders.docx_styles import Styles
from rag.loaders.merged import Cell, Grid
from rag.loaders.source import clean, one_line
from rag.loaders.tables import Row, lines
from rag.types import Heading

_P, _TABLE, _ROW, _CELL, _RUN = (qn(f"w:{name}") for name in ("p", "tbl", "tr", "tc", "r"))
_CONTROL, _CONTROL_CONTENT, _VALUE = qn("w:sdt"), qn("w:sdtContent"), qn("w:val")
_WRAPPERS = {qn(f"w:{name}") for name in ("ins", "moveTo", "customXml", "smartTag", "sdtContent")}
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_TEXTS = {qn("w:t"), _MATH_TEXT}
_CHARACTERS = {
    qn("w:tab"): "\t",
    qn("w:br"): "\n",
    qn("w:cr"): "\n",
    qn("w:noBreakHyphen"): "-",
}
_BEFORE, _HEADER = (f"{qn('w:trPr')}/{qn(f'w:{name}')}" for name in ("gridBefore", "tblHeader"))
_SPAN, _MERGE = (f"{qn('w:tcPr')}/{qn(f'w:{name}')}" for name in ("gridSpan", "vMerge"))
_BOLD, _VANISH = (f"{qn('w:rPr')}/{qn(f'w:{name}')}" for name in ("b", "vanish"))
_MOST_COLUMNS = 63  # of Word's tables
_ENDLESS = 1 << 30  # rows; how many a cell covers is told by those that continue it
_BOX = qn("w:txbxContent")
_NOTE_KINDS = {qn("w:footnoteReference"): "footnote", qn("w:endnoteReference"): "endnote"}
# Properties (a tab there is a tab stop); deleted or moved text; readings above characters; the
# second copy of a text box, for old programs.
_IGNORED = {qn(f"w:{name}") for name in ("pPr", "rPr", "sdtPr", "del", "moveFrom", "rt")} | {
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
}


@dataclass(slots=True)
class ParagraphText:
    """A paragraph's text, the notes that it refers to, and the text boxes anchored in it."""

    text: str = ""
    notes: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[Any] = field(default_factory=list)


def paragraph_text(paragraph: Any) -> ParagraphText:
    """Return what a <w:p> shows, stripped of the blanks around it."""
    result, parts = ParagraphText(), list[str]()
    walk = etree.iterwalk(paragraph, events=("start",))
    for _, element in walk:
        tag = element.tag
        if tag in _TEXTS:
            parts.append(element.text or "")
        elif tag in _CHARACTERS:
            parts.append(_CHARACTERS[tag])
        elif tag in _NOTE_KINDS:
            result.notes.append((_NOTE_KINDS[tag], element.get(qn("w:id"), "")))
        elif tag == _BOX:
            result.boxes.append(element)
            walk.skip_subtree()
        elif tag in _IGNORED or (tag == _RUN and _is_hidden(element)):
            walk.skip_subtree()
    result.text = clean("".join(parts)).strip()
    return result


class Writer:
    """Writes blocks as text: an empty line between them, none inside a list or a table."""

    def __init__(self, styles: Styles, notes: Mapping[tuple[str, str], str]) -> None:
        self._styles = styles
        self._notes = notes
        self._parts: list[str] = []
        self._length = 0
        self._last = ""
        self._headings: list[Heading] = []

    def result(self) -> tuple[str, tuple[Heading, ...]]:
        """Return the text so far and its headings."""
        return "".join(self._parts), tuple(self._headings)

    def blocks(self, container: Any) -> None:
        """Write the paragraphs and tables of a body, a cell or a text box."""
        for block in _blocks(container):
            if block.tag == _P:
                self._paragraph(block)
            else:
                self._table(block)

    def _paragraph(self, paragraph: Any) -> None:
        role, content = self._styles.role(paragraph), paragraph_text(paragraph)
        if content.text and not role.contents:
            if role.level:
                title = one_line(content.text)
                start = self._add(title, "heading")
                self._headings.append(Heading(start, role.level, title))
            elif role.indent >= 0:
                self._add("  " * min(role.indent, 8) + "- " + content.text, "item")
            else:
                self._add(content.text, "paragraph")
        self._append_notes(content.notes)
        for box in content.boxes:
            self.blocks(box)

    def _table(self, table: Any) -> None:
        rows = [list(_children(row, _CELL)) for row in _children(table, _ROW)]
        if self._is_layout(table, rows):
            for row in rows:
                for cell in row:
                    self.blocks(cell)
            return
        notes: list[tuple[str, str]] = []
        self._last = ""  # a table right after another one is still another one
        for line in lines(list(_grid(table, notes))):
            if line:
                self._add(line, "row")
        self._append_notes(notes)

    def _is_layout(self, table: Any, rows: list[list[Any]]) -> bool:
        """Whether table only places blocks: it is one cell, or holds tables or headings."""
        if sum(map(len, rows)) <= 1 or next(table.iterdescendants(_TABLE), None) is not None:
            return True
        return any(self._styles.role(each).level for each in table.iterdescendants(_P))

    def _append_notes(self, references: list[tuple[str, str]]) -> None:
        for reference in references:
            if note := self._notes.get(reference, ""):
                self._add(note, "paragraph")

    def _add(self, text: str, block: str) -> int:
        """Append a block and return its start."""
        together = block == self._last and block in ("item", "row")
        gap = "" if not self._parts else "\n" if together else "\n\n"
        self._parts += (gap, text)
        self._length += len(gap) + len(text)
        self._last = block
        return self._length - len(text)


def _blocks(container: Any) -> Iterator[Any]:
    return _children(container, _P, _TABLE)


def _children(container: Any, *tags: str) -> Iterator[Any]:
    """Yield the children with one of tags, looking into content controls and insertions."""
    for child in container:
        if child.tag in tags:
            yield child
        elif child.tag in _WRAPPERS or (child.tag == _CONTROL and not _is_contents(child)):
            yield from _children(child, *tags)


def _is_contents(control: Any) -> bool:
    galleries = control.iterfind(f"{qn('w:sdtPr')}/{qn('w:docPartObj')}/{qn('w:docPartGallery')}")
    return any(each.get(_VALUE) == "Table of Contents" for each in galleries)


def _grid(table: Any, notes: list[tuple[str, str]]) -> Iterator[Row]:
    """Yield the rows of a table, every column with the cell that covers it; collect its notes."""
    grid = Grid()
    for row in _children(table, _ROW):
        cells: list[Cell | None] = [None] * _count(row.find(_BEFORE), 0)
        bold = True
        for cell in _children(row, _CELL):
            columns = _count(cell.find(_SPAN), 1)
            merge = cell.find(_MERGE)
            if merge is not None and merge.get(_VALUE, "continue") == "continue":
                cells += [None] * columns
                continue
            text = _cell_text(cell, notes)
            bold = bold and (not text or _is_bold(cell))
            cells.append(Cell(text, columns, _ENDLESS if merge is not None else 1))
            cells += [None] * (columns - 1)
        yield replace(grid.row(cells, _is_on(row.find(_HEADER))), bold=bold)


def _count(element: Any, default: int) -> int:
    written = "" if element is None else element.get(_VALUE, "")
    usable = written.isascii() and written.isdigit()
    return min(int(written[:4]), _MOST_COLUMNS) if usable else default


def _cell_text(cell: Any, notes: list[tuple[str, str]]) -> str:
    """Return a cell on one line; collect its notes."""
    texts = []
    for paragraph in cell.iter(_P):
        content = paragraph_text(paragraph)
        texts.append(content.text)
        notes += content.notes
    return one_line(" ".join(texts))


def _is_bold(cell: Any) -> bool:
    """Tell whether all text of a cell is set in bold type, by itself rather than by a style."""
    runs = [run for run in cell.iter(_RUN) if any(text.text for text in run.iter(*_TEXTS))]
    return bool(runs) and all(_is_on(run.find(_BOLD)) for run in runs)


def _is_hidden(run: Any) -> bool:
    return _is_on(run.find(_VANISH))


def _is_on(switch: Any) -> bool:
    """Tell whether a property that is on or off is there, and on."""
    return switch is not None and switch.get(_VALUE, "1") not in ("0", "false", "off")
