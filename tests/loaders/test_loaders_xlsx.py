"""XLSX: sheets, merged cells, results of formulas, and packages that are not to be trusted."""

import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Font
from openpyxl.worksheet.table import Table

from rag.errors import LoadError
from rag.loaders import load
from rag.loaders.xlsx_layout import Merges
from tests.loaders.loader_files import FILES, book, repacked, write

SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.slow
def test_openpyxl_reads_xml_with_the_libraries_that_refuse_entities() -> None:
    """Without defusedxml it would expand them; that it is installed is our promise."""
    assert openpyxl.DEFUSEDXML
    assert openpyxl.LXML


@pytest.mark.slow
def test_hidden_sheets_are_left_out_and_named_hidden_rows_are_read(tmp_path: Path) -> None:
    """A filter hides rows without removing them; a hidden sheet is seen by no reader."""
    path = book(
        tmp_path / "a.xlsx", {"One": [["a", "b", "c"], [1, 2, 3], [4, 5, 6]], "Two": [["x"]]}
    )
    made = openpyxl.load_workbook(path)
    made["Two"].sheet_state = "veryHidden"
    made["One"].row_dimensions[3].hidden = True
    made["One"].column_dimensions["B"].hidden = True
    made.save(path)
    parsed = load(path)
    assert parsed.text == "One\n\na | b | c\na: 1; b: 2; c: 3\na: 4; b: 5; c: 6"
    assert parsed.metadata["hidden_sheets"] == "Two"
    assert parsed.pages == (0,)


@pytest.mark.slow
def test_formulas_are_told_by_their_results_and_lost_results_are_counted(tmp_path: Path) -> None:
    """openpyxl stores no results; a program that does has them read."""
    rows = [["name", "n", "sum"], ["x", 1, "=B2*2"], ["y", 2, "=B3*2"]]
    path = book(tmp_path / "a.xlsx", {"S": rows})
    parsed = load(path)
    assert parsed.metadata["formulas_without_result"] == "2"
    assert parsed.text.endswith("name: y; n: 2")
    empty = re.compile(rb"<v ?/>|<v></v>")
    stored = load(repacked(path, tmp_path / "b.xlsx", SHEET, lambda x: empty.sub(b"<v>7</v>", x)))
    assert "formulas_without_result" not in stored.metadata
    assert stored.text.endswith("name: y; n: 2; sum: 7")


@pytest.mark.slow
def test_tables_filters_and_bold_rows_are_headers_of_words(tmp_path: Path) -> None:
    """Two columns of words have a header where the program or the author marks one."""
    rows = [["Name", "Role"], ["Anna", "buyer"], ["Béla", "cook"]]
    path = book(tmp_path / "a.xlsx", {"Table": rows, "Filter": rows, "Bold": rows, "Plain": rows})
    made = openpyxl.load_workbook(path)
    made["Table"].add_table(Table(displayName="T", ref="A1:B3"))
    made["Filter"].auto_filter.ref = "A1:B3"
    for cell in made["Bold"][1]:
        cell.font = Font(bold=True)
    made.save(path)
    text = load(path).text
    assert text.count("Name: Anna; Role: buyer") == 3
    assert text.endswith("Plain\n\nName | Role\nAnna | buyer\nBéla | cook")


def test_merged_cells_are_filled_in_rows_that_have_cells() -> None:
    """B1:C2 fills both rows; a row with nothing of its own stays empty."""
    merges = Merges([(2, 1, 3, 3)])
    first, second, third = ["a", "wide"], ["b"], [""]
    assert merges.fill(1, first) == {2}
    assert merges.fill(2, second) == {2}
    assert merges.fill(3, third) == frozenset()
    assert (first, second, third) == (["a", "wide", "wide"], ["b", "wide", "wide"], [""])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "value", "part"),
    [
        ("MAX_ROWS", 3, "3 rows in a sheet"),
        ("MAX_CELLS", 8, "cells in a sheet"),
        ("MAX_STRINGS", 10, "shared strings"),
    ],
)
def test_sheets_beyond_a_limit_are_refused_in_one_line(
    limit: str, value: int, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows, cells and shared strings are counted while they are read."""
    path = write(tmp_path / "a.xlsx", (FILES / "libreoffice_zh.xlsx").read_bytes())
    monkeypatch.setattr(f"rag.loaders.xlsx.{limit}", value)
    with pytest.raises(LoadError, match=rf"^a\.xlsx is too large: more than .*{part} were found"):
        load(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml.replace(b'r="2"', b'r="99999999999"', 1),
        lambda xml: xml.replace(
            b"</sheetData>",
            b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>',
        ),
        lambda xml: xml.replace(b"<sheetData>", b'<sheetData><row r="100000"/>'),
        lambda xml: xml.replace(b"<dimension ", b'<dimension x="" ').replace(b"A1:", b"A1:XFD"),
        lambda xml: (
            b'<!DOCTYPE d [<!ENTITY a "ha">]>' + xml.split(b"?>")[-1].replace(b"<v>", b"<v>&a;")
        ),
        lambda xml: xml.replace(b"<v>", b"<v>1e999"),
        lambda xml: xml[: len(xml) // 2],
    ],
)
def test_hostile_sheets_are_read_or_refused_in_little_time(change: Any, tmp_path: Path) -> None:
    """Rows far away, a merge over everything, wrong dimensions, entities, a sheet cut off."""
    path = repacked(FILES / "python_en.xlsx", tmp_path / "a.xlsx", SHEET, change)
    try:
        assert load(path).text
    except LoadError as error:
        assert "\n" not in str(error)


@pytest.mark.slow
def test_a_workbook_without_text_and_one_that_is_none_are_errors(tmp_path: Path) -> None:
    """Empty sheets hold no text; other packages and old formats are named."""
    with pytest.raises(LoadError, match="holds no text"):
        load(book(tmp_path / "a.xlsx", {"Empty": []}))
    with pytest.raises(LoadError, match="is encrypted, or an old Excel file"):
        load(write(tmp_path / "b.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)))
    with pytest.raises(LoadError, match="its zip archive is broken"):
        load(write(tmp_path / "c.xlsx", b"a;b"))
    with pytest.raises(LoadError, match="is no XLSX, or a damaged one"):
        load(write(tmp_path / "d.xlsx", (FILES / "libreoffice.docx").read_bytes()))


@pytest.mark.slow
def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """Stated sizes are what is held against the limits."""
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(SHEET, bytes(20 * 1024 * 1024))
    with pytest.raises(LoadError, match=r"unpacks from \d+ KiB to 20 MiB"):
        load(path)


@pytest.mark.slow
def test_a_long_sheet_is_streamed(tmp_path: Path) -> None:
    """Five thousand rows: the last one still names its columns."""
    made = openpyxl.Workbook(write_only=True)
    sheet = made.create_sheet("Long")
    sheet.append(["id", "name"])
    for number in range(1, 5_001):
        sheet.append([number, f"n{number}"])
    made.save(tmp_path / "a.xlsx")
    text = load(tmp_path / "a.xlsx").text
    assert text.endswith("id: 5000; name: n5000")
    assert text.count("\n") == 5_002
