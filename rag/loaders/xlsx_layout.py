"""What openpyxl leaves out of a sheet that it streams: merged cells, headers, lost results."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import PurePosixPath
from typing import IO
from zipfile import ZipFile

from lxml import etree
from openpyxl.packaging.relationship import get_dependents, get_rels_path
from openpyxl.utils import range_boundaries
from openpyxl.worksheet.table import Table
from openpyxl.xml.constants import SHEET_MAIN_NS
from openpyxl.xml.functions import fromstring

_NAME = f"{{{SHEET_MAIN_NS}}}"
_ROW, _MERGE, _FILTER = f"{_NAME}row", f"{_NAME}mergeCell", f"{_NAME}autoFilter"
# A result that is a text may be the empty one.
_LOST = etree.XPath(
    "count(s:c[s:f and not(string(s:v)) and not(@t='str')])", namespaces={"s": SHEET_MAIN_NS}
)

Range = tuple[int, int, int, int]
"""First column, first row, last column, last row, from 1."""


@dataclass(slots=True)
class Layout:
    """What is known of a sheet before its rows are read.

    Attributes:
        merges: the merged ranges, in order of their first row.
        headers: rows that a table or a filter of the program has as its header, from 1.
        lost: formulas whose result the file does not hold.
    """

    merges: list[Range] = field(default_factory=list)
    headers: set[int] = field(default_factory=set)
    lost: int = 0


def layout(archive: ZipFile, part: str) -> Layout:
    """Return the layout of the sheet that is a part of archive."""
    found = Layout()
    with archive.open(part) as stream:
        for element in _elements(stream):
            if element.tag == _ROW:
                found.lost += int(_LOST(element))
            elif reference := _range(element.get("ref", "")):
                if element.tag == _MERGE:
                    found.merges.append(reference)
                else:
                    found.headers.add(reference[1])
    found.merges.sort(key=lambda each: each[1])
    found.headers.update(_tables(archive, part))
    return found


def _elements(stream: IO[bytes]) -> Iterator[etree._Element]:
    """Yield rows, merged ranges and filters, and keep none of them."""
    wanted = (_ROW, _MERGE, _FILTER)
    for _, element in etree.iterparse(stream, tag=wanted, resolve_entities=False, no_network=True):
        yield element
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _tables(archive: ZipFile, part: str) -> Iterator[int]:
    """Yield the header row of each table of a sheet."""
    names = set(archive.namelist())
    if (relations := get_rels_path(part)) not in names:
        return
    for relation in get_dependents(archive, relations).find(Table._rel_type):
        name = str(PurePosixPath(relation.target))
        if name in names:
            table = Table.from_tree(fromstring(archive.read(name)))
            reference = _range(table.ref or "")
            if reference and table.headerRowCount != 0:
                yield reference[1]


def _range(reference: str) -> Range | None:
    """Return the corners of "A1:C3", None for what is no range of cells."""
    try:
        corners = range_boundaries(reference)
    except (ValueError, TypeError):
        return None
    return corners if all(corners) else None


class Merges:
    """Fills merged cells, row by row.

    A row that has a cell of its own gets the value of every merged cell that covers it.
    `filled` counts the cells that were written.
    """

    def __init__(self, ranges: Sequence[Range]) -> None:
        self._coming = list(reversed(ranges))
        self._open: list[tuple[int, int, Range, str]] = []  # by last row; a heap
        self.filled = 0

    def fill(self, number: int, cells: list[str]) -> frozenset[int]:
        """Fill the cells of row number; return the columns, from 0, that go on from the left."""
        filled = any(cells)
        while self._coming and self._coming[-1][1] <= number:
            corners = self._coming.pop()
            at = corners[0] - 1
            # A range that began in a row that the file leaves out is empty.
            value = cells[at] if corners[1] == number and at < len(cells) else ""
            if value and corners[3] >= number:
                heappush(self._open, (corners[3], len(self._coming), corners, value))
        while self._open and self._open[0][0] < number:
            heappop(self._open)
        spanned: set[int] = set()
        for _, _, (left, _, right, _), value in self._open if filled else ():
            cells.extend([""] * (right - len(cells)))
            cells[left - 1 : right] = [value] * (right - left + 1)
            spanned.update(range(left, right))
            self.filled += right - left + 1
        return frozenset(spanned)
