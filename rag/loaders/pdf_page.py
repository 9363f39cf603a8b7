"""The text of one page of a PDF; its ruled tables a line a row, the cells parted by bars.

Without the bars the cells of a row follow each other with a blank between them, and nobody can
tell "1 204 | 18 300" from "1 | 204 18 | 300", or which column an empty cell leaves out.
"""

import re
from contextlib import closing
from typing import Any

import pypdfium2.raw as pdfium_c

from rag.loaders.pdf_rules import Box, Grid, grids
from rag.loaders.source import clean, one_line

# pdfium marks a hyphen that ends a line, the rest of the word following, with one of these.
_LINE_HYPHENS = re.compile("[\x02\ufffe\u00ad]\n?")
# Bullets of the Symbol and Wingdings fonts, which Word and LibreOffice leave in private use.
_BULLETS = str.maketrans("\uf0b7\uf0a7\uf0d8\uf0fc", "•▪➢✓")
_LINE_BLANKS = re.compile(r"[ \t]+(?=\n)")
# Text this near to a rule is of the neighbouring cell.
_INSET = 1.0
# Of a chart's or a form's grid less is filled, of a table more.
_LEAST_FILLED = 0.4
# A page is a scan when pictures take up so much of it and it has no text.
_SCANNED_SHARE = 0.4


def page_text(page: Any) -> str:
    """Return the text of a page, words joined that a hyphen parted, no line ending in blanks."""
    with closing(page.get_textpage()) as textpage:
        text = clean(textpage.get_text_bounded())
        # A turned page has its rows where its rules are upright: it stays as pdfium reads it.
        if text.strip() and not page.get_rotation():
            for grid in grids(page):
                text = _with_table(text, grid, textpage)
    return _LINE_BLANKS.sub("", _joined(text)).rstrip()


def is_scanned(page: Any) -> bool:
    """Tell whether pictures take up a page, as in a scan; ask of one without text only."""
    left, bottom, right, top = page.get_bbox()
    covered = 0.0
    for picture in page.get_objects(filter=(pdfium_c.FPDF_PAGEOBJ_IMAGE,)):
        x0, y0, x1, y1 = _bounds(picture)
        width, height = min(x1, right) - max(x0, left), min(y1, top) - max(y0, bottom)
        # Some programs cut a scan into strips, each a picture.
        covered += max(width, 0) * max(height, 0)
    return bool(covered >= _SCANNED_SHARE * (right - left) * (top - bottom))


def _bounds(drawn: Any) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top on the page; pdfium gives those within a form."""
    bounds, form = drawn.get_bounds(), drawn.container
    while form:
        bounds, form = form.get_matrix().on_rect(*bounds), form.container
    left, bottom, right, top = bounds
    return left, bottom, right, top


def _joined(text: str) -> str:
    return _LINE_HYPHENS.sub("", text).translate(_BULLETS)


def _with_table(text: str, grid: Grid, textpage: Any) -> str:
    """Return a page's text with what stands in a grid written as rows.

    A table whose text is not one stretch of the page's, or not all in its cells, stays as it
    is: no character is lost or added but white space and bars.
    """
    inside = _letters(_text(textpage, grid.box))
    rows = [[_cell(textpage, box) for box in row] for row in grid.rows]
    cells = [cell for row in rows for cell in row]
    filled = sum(map(bool, cells))
    if filled < max(2, _LEAST_FILLED * sum(box is not None for row in grid.rows for box in row)):
        return text
    if sorted(_letters("".join(cells))) != sorted(_joined(inside)):
        return text
    stretch = _find(inside, text)
    if stretch is None:
        return text
    lines = "\n".join(one_line(" | ".join(row)).rstrip(" |") for row in rows if any(row))
    before, after = text[: stretch[0]].rstrip(" \n"), text[stretch[1] :].lstrip(" \n")
    return "\n".join(filter(None, (before, lines, after)))


def _cell(textpage: Any, box: Box | None) -> str:
    return one_line(_joined(_text(textpage, box))) if box else ""


def _text(textpage: Any, box: Box) -> str:
    return clean(
        textpage.get_text_bounded(
            box.left + _INSET, box.bottom + _INSET, box.right - _INSET, box.top - _INSET
        )
    )


def _letters(text: str) -> str:
    return "".join(text.split())


def _find(letters: str, text: str) -> tuple[int, int] | None:
    """Return where letters stand in text, white space between them passed over.

    Where they stand several times, it is where whole lines are made of them, as of a table;
    None where that is nowhere.
    """
    places = [place for place, letter in enumerate(text) if not letter.isspace()]
    if not letters:
        return None
    matches = re.finditer(f"(?={re.escape(letters)})", _letters(text))
    found = [(places[m.start()], places[m.start() + len(letters) - 1] + 1) for m in matches]
    whole = (at for at in found if _ends_lines(text, *at))
    return next(whole, found[0] if len(found) == 1 else None)


def _ends_lines(text: str, start: int, end: int) -> bool:
    before, after = text[:start].rstrip(" "), text[end:].lstrip(" ")
    return before[-1:] in ("", "\n") and after[:1] in ("", "\n")
