"""PPTX: python-pptx opens the package; a slide is a page with its title, texts and notes.

A slide without a title is called "Slide 3", lest it stand in the section of the one before.
Hidden slides are read, since every editor shows them, and named in the metadata. Footers,
dates, slide numbers, comments and what stands on a master are left out.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pptx
from pptx.enum.shapes import PP_PLACEHOLDER as PLACEHOLDER
from pptx.oxml.ns import qn

from rag.loaders.merged import Cell, Grid
from rag.loaders.number_format import shown
from rag.loaders.package import CORE_PROPERTIES, Kind, check, parsing, properties
from rag.loaders.source import one_line, read_bytes
from rag.loaders.tables import Row, lines
from rag.loaders.written import Writer
from rag.types import Parsed

NOTES = "Speaker notes"
"""The heading that marks what is not on the slide."""
_KIND = Kind("PPTX", "an old PowerPoint file (.ppt)", ".pptx")
_FURNITURE = frozenset(
    {PLACEHOLDER.DATE, PLACEHOLDER.FOOTER, PLACEHOLDER.HEADER, PLACEHOLDER.SLIDE_NUMBER}
)
_LISTS = frozenset(
    {PLACEHOLDER.BODY, PLACEHOLDER.OBJECT, PLACEHOLDER.VERTICAL_BODY, PLACEHOLDER.VERTICAL_OBJECT}
)
_BULLETS, _NO_BULLET = (qn("a:buChar"), qn("a:buAutoNum"), qn("a:buBlip")), qn("a:buNone")
_GROUP, _FORMAT = qn("p:grpSp"), f".//{qn('c:formatCode')}"


def load(path: Path) -> Parsed:
    """Read path; its title is the properties' title, else its first slide's.

    Raises:
        LoadError: encrypted, an old .ppt, damaged, a bomb, or too much text.
    """
    data = read_bytes(path)
    check(path, data, _KIND)
    with parsing(path, "PPTX", "PowerPoint or LibreOffice"):
        return _parsed(path, data)


def _parsed(path: Path, data: bytes) -> Parsed:
    presentation: Any = pptx.Presentation(BytesIO(data))
    writer, hidden, titles = Writer(path), [], []
    for number, slide in enumerate(presentation.slides, 1):
        writer.page()
        title = slide.shapes.title
        titles.append(one_line(title.text_frame.text) if title is not None else "")
        _write(writer, slide, titles[-1] or f"Slide {number}")
        if slide._element.get("show", "1") in ("0", "false"):
            hidden.append(str(number))
    relations = presentation.part.package.iter_rels()
    parts = (each.target_part for each in relations if each.reltype.endswith(CORE_PROPERTIES))
    metadata = properties(next(parts, None)) | {"hidden_slides": ", ".join(hidden)}
    named = metadata.pop("title") or (titles[0] if titles else "")
    return Parsed(writer.text, named, writer.headings, writer.pages, metadata, "slide")


def _write(writer: Writer, slide: Any, title: str) -> None:
    """Write a slide, nothing for an empty one."""
    shapes = [shape for shape in _shapes(slide.shapes) if not _is_furniture(shape)]
    blocks = [block for shape in shapes for block in _blocks(shape)]
    notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    noted = _paragraphs(notes, in_list=False) if notes is not None else []
    if not blocks and not noted and slide.shapes.title is None:
        return
    writer.heading(title, 1)
    for block in blocks:
        writer.lines(block)
    if noted:
        writer.heading(NOTES, 2)
        for block in noted:
            writer.lines(block)


def _shapes(shapes: Any) -> Iterator[Any]:
    """Yield shapes in the order in which they are read aloud, those of groups included."""
    for shape in shapes:
        if shape._element.tag == _GROUP:
            yield from _shapes(shape.shapes)
        else:
            yield shape


def _is_furniture(shape: Any) -> bool:
    """Whether the shape is the title, which is written before, or says nothing of the slide."""
    kind = _placeholder(shape)
    titles = (PLACEHOLDER.TITLE, PLACEHOLDER.CENTER_TITLE, PLACEHOLDER.VERTICAL_TITLE)
    return kind in _FURNITURE or kind in titles


def _placeholder(shape: Any) -> Any:
    return shape.placeholder_format.type if shape.is_placeholder else None


def _blocks(shape: Any) -> Iterator[list[str]]:
    """Yield the blocks of a shape, each as its lines."""
    if getattr(shape, "has_table", False):
        yield list(lines(_rows(shape.table)))
    elif getattr(shape, "has_chart", False):
        yield from _chart(shape.chart)
    elif shape.has_text_frame:
        yield from _paragraphs(shape.text_frame, _placeholder(shape) in _LISTS)


def _paragraphs(frame: Any, in_list: bool) -> list[list[str]]:
    """Return paragraphs and lists as blocks; an item has a mark and its level's indent."""
    blocks: list[list[str]] = []
    last_is_item = False
    for paragraph in frame.paragraphs:
        text = one_line(paragraph.text.replace("\v", " "))
        if not text:
            continue
        item = _is_item(paragraph, in_list)
        line = f"{'  ' * paragraph.level}- {text}" if item else text
        if item and last_is_item:
            blocks[-1].append(line)
        else:
            blocks.append([line])
        last_is_item = item
    return blocks


def _is_item(paragraph: Any, in_list: bool) -> bool:
    style = paragraph._p.pPr
    if style is not None and style.find(_NO_BULLET) is not None:
        return False
    own = style is not None and any(style.find(bullet) is not None for bullet in _BULLETS)
    return in_list or own or paragraph.level > 0


def _rows(table: Any) -> Iterator[Row]:
    grid = Grid()
    for number, row in enumerate(table.rows):
        declared = number == 0 and table.first_row
        yield grid.row([_cell(cell) for cell in row.cells], declared)


def _cell(cell: Any) -> Cell | None:
    if cell.is_spanned:
        return None
    text = one_line(cell.text_frame.text)
    return Cell(text, cell.span_width, cell.span_height) if cell.is_merge_origin else Cell(text)


def _chart(chart: Any) -> Iterator[list[str]]:
    """Yield a chart's title and, for each category, its values."""
    if chart.has_title and chart.chart_title.has_text_frame:
        yield [one_line(chart.chart_title.text_frame.text)]
    for plot in chart.plots:
        names = [one_line(str(category)) for category in plot.categories]
        columns = [(one_line(each.name), list(each.values), _format(each)) for each in plot.series]
        header = Row(["", *(name for name, _, _ in columns)], declared=True)
        rows = (
            Row([name, *(shown(v[at], code) if at < len(v) else "" for _, v, code in columns)])
            for at, name in enumerate(names)
        )
        yield list(lines([header, *rows]))


def _format(series: Any) -> str:
    """Return the number format in which a series was in its spreadsheet."""
    values = series._element.find(qn("c:val"))
    code = values.find(_FORMAT) if values is not None else None
    return code.text or "" if code is not None else ""
