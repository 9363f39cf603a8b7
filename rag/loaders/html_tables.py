"""A table of an HTML page that holds data: its cells as they come, and then its lines."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rag.loaders.merged import Cell, Grid
from rag.loaders.source import one_line
from rag.loaders.tables import Row, lines

# The most that the HTML standard has a cell cover.
_MOST_COLUMNS, _MOST_ROWS = 1_000, 65_534
_MOST_COVERED = 1_000_000  # cells and characters that a table's merged cells add to it


@dataclass(slots=True)
class _Cell:
    """A cell as it is written: pieces of its text, and how far it reaches."""

    head: bool
    columns: int
    rows: int
    parts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Row:
    declared: bool
    cells: list[_Cell] = field(default_factory=list)


class DataTable:
    """Collects the cells of a table row by row."""

    def __init__(self) -> None:
        """Begin outside of any row."""
        self._rows: list[_Row] = []
        self._left = _MOST_COVERED
        self.in_head = False
        self.in_cell = False

    def row(self) -> None:
        """Begin a row."""
        self._rows.append(_Row(self.in_head))
        self.in_cell = False

    def cell(self, element: Any) -> None:
        """Begin a cell, a <td> or <th>."""
        if not self._rows:
            self.row()
        columns = _number(element.get("colspan", "1"), _MOST_COLUMNS) or 1
        # None at all stands for the rest of the table.
        rows = _number(element.get("rowspan", "1"), _MOST_ROWS) or _MOST_ROWS
        self._rows[-1].cells.append(_Cell(element.tag == "th", columns, rows))
        self.in_cell = True

    def text(self, raw: str) -> None:
        """Add to the cell that is open."""
        self._rows[-1].cells[-1].parts.append(raw)

    def lines(self) -> Iterator[str]:
        """Yield the lines of its rows, those without text left out."""
        return (line for line in lines(list(self._grid())) if line)

    def _grid(self) -> Iterator[Row]:
        # Without cells of data, those of <th> are the data.
        has_data = any(not cell.head for row in self._rows for cell in row.cells)
        grid, covered = Grid(), dict[int, int]()
        for at, row in enumerate(self._rows):
            cells: list[Cell | None] = []
            for cell in row.cells:
                _pass(covered, cells)
                placed = self._placed(cell, len(self._rows) - at)
                for column in range(len(cells), len(cells) + placed.columns):
                    covered[column] = placed.rows
                cells += [placed, *[None] * (placed.columns - 1)]
            _pass(covered, cells)
            covered = {column: left - 1 for column, left in covered.items() if left > 1}
            heads = len(row.cells) > 1 and all(cell.head for cell in row.cells)
            alone = sum(1 for cell in cells if cell and cell.text) < 2
            yield grid.row(cells, has_data and not alone and (row.declared or heads))

    def _placed(self, cell: _Cell, rows_left: int) -> Cell:
        """Return a cell with its text; one that covers more than a page can have covers itself."""
        text = one_line("".join(cell.parts))
        rows = min(cell.rows, rows_left)
        added = rows * cell.columns * (1 + len(text)) - 1 - len(text)
        if added > self._left:
            return Cell(text)
        self._left -= added
        return Cell(text, cell.columns, rows)


def _pass(covered: dict[int, int], cells: list[Cell | None]) -> None:
    """Pass the columns that cells of rows above cover."""
    while covered.get(len(cells), 0) > 0:
        cells.append(None)


def _number(written: str, most: int) -> int:
    digits = written.strip()
    return min(int(digits[:9]), most) if digits.isascii() and digits.isdigit() else 1
