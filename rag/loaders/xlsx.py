"""XLSX: openpyxl streams the rows of each visible sheet, and they are written as tables.

A page is a sheet. Values are written as their number format shows them, formulas as the result
that the program stored. Hidden sheets are left out and named in the metadata; hidden rows and
columns are read, since a filter hides rows too.
"""

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from rag.loaders.number_format import shown
from rag.loaders.package import Kind, check, parsing, stated
from rag.loaders.source import read_bytes
from rag.loaders.tables import Row, lines
from rag.loaders.written import Writer, refusal
from rag.loaders.xlsx_layout import Layout, Merges, layout
from rag.types import Parsed

# Sheets are streamed; what is held is the strings that cells share.
_KIND = Kind("XLSX", "an old Excel file (.xls)", ".xlsx", max_unpacked=1024 * 1024 * 1024)
MAX_STRINGS = 200 * 1024 * 1024
"""Bytes of the part with the shared strings."""
MAX_ROWS = 1_048_576
"""Of a sheet, as of the programs."""
MAX_CELLS = 50_000_000
"""Of a sheet, the empty ones before a row's last one included."""
_GAP = Row(())
_STRINGS = "sharedstrings.xml"
# About parts that it leaves out (drawings, validation) and that are not read here either.
warnings.filterwarnings("ignore", module=r"openpyxl\.")


def load(path: Path) -> Parsed:
    """Read path; its title is the properties' title.

    Raises:
        LoadError: encrypted, an old .xls, damaged, a bomb, or beyond one of the limits.
    """
    data = read_bytes(path)
    check(path, data, _KIND)
    _check_strings(path, data)
    with parsing(path, "XLSX", "Excel or LibreOffice"):
        return _parsed(path, data)


def _check_strings(path: Path, data: bytes) -> None:
    with ZipFile(BytesIO(data)) as archive:
        sizes = {each.filename.lower(): each.file_size for each in archive.infolist()}
    if sum(size for name, size in sizes.items() if name.endswith(_STRINGS)) > MAX_STRINGS:
        raise refusal(path, f"{MAX_STRINGS >> 20} MiB of shared strings")


def _parsed(path: Path, data: bytes) -> Parsed:
    now = datetime.now(UTC).replace(tzinfo=None)
    book: Any = openpyxl.load_workbook(
        BytesIO(data), read_only=True, data_only=True, keep_links=False
    )
    writer, hidden, lost = Writer(path), [], 0
    for name in book.sheetnames:
        sheet = book[name]
        if sheet.sheet_state != "visible":
            hidden.append(name)
            continue
        writer.page()
        if isinstance(sheet, ReadOnlyWorksheet):  # not a sheet that is one chart
            lost += _write(path, writer, sheet)
    metadata = _properties(book.properties, now) | {
        "hidden_sheets": ", ".join(hidden),
        "formulas_without_result": str(lost) if lost else "",
    }
    title = metadata.pop("title")
    return Parsed(writer.text, title, writer.headings, writer.pages, metadata, "sheet")


def _write(path: Path, writer: Writer, sheet: Any) -> int:
    """Write a sheet, nothing for an empty one; return its formulas without a result."""
    archive = sheet.parent._archive  # openpyxl has no public name for a streamed sheet's part
    found = layout(archive, sheet._worksheet_path)
    rows = _rows(path, sheet, found)
    first = next((row for row in rows if any(row.cells)), None)
    if first is not None:
        writer.heading(sheet.title, 1)
        writer.lines(lines(_chained(first, rows)))
    return found.lost


def _chained(first: Row, rows: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rows


def _rows(path: Path, sheet: Any, found: Layout) -> Iterator[Row]:
    """Yield the rows that hold something, merged cells filled, and one empty row for a gap."""
    sheet.reset_dimensions()  # what the file states may be wrong, and pads every row
    merges, seen, in_gap = Merges(found.merges), 0, False
    for number, row in enumerate(sheet.iter_rows(), 1):
        if number > MAX_ROWS:
            raise refusal(path, f"{MAX_ROWS:,} rows in a sheet")
        cells = [_shown(cell) for cell in row] if row else []
        if any(cells):
            spanned = merges.fill(number, cells)
            yield Row(cells, spanned, number in found.headers, _is_bold(row))
            in_gap = False
        elif not in_gap:  # a row far down makes a gap of a million
            yield _GAP
            in_gap = True
        seen += len(cells)
        if seen + merges.filled > MAX_CELLS:
            raise refusal(path, f"{MAX_CELLS // 1_000_000} million cells in a sheet")


def _shown(cell: Any) -> str:
    value = cell.value
    # Most cells are empty or words: their format, which takes long to look up, says nothing.
    return "" if value is None else shown(value, "@" if type(value) is str else cell.number_format)


def _is_bold(row: Any) -> bool:
    return all(cell.font.b for cell in row if cell.value is not None)


def _properties(core: Any, now: datetime) -> dict[str, str]:
    # openpyxl takes the present for the date of a file that tells none.
    date = core.created.date().isoformat() if core.created and core.created < now else ""
    return stated(core.title, core.creator) | {"date": date}
