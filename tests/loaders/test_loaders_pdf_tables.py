"""Tables of a PDF: ruled lines to cells, and cells to rows of text."""

import itertools
from pathlib import Path

import pytest
from fpdf import FPDF
from hypothesis import example, given
from hypothesis import strategies as st

from rag.loaders import load
from rag.loaders.pdf_rules import Box, Grid, Rule, grids_of
from tests.loaders.loader_files import FILES

ENGLISH = """\
Station report
The three stations measured rain and wind through the year. The table gives the yearly values.
Station | Rain in mm | Strongest wind in km/h
North Ridge | 812 | 94
Harbour, which was moved in March to the other side of the bay | 655 | 121
Mill Valley | | 77
The gauge of Mill Valley was broken.
"""
RUSSIAN = """\
Отчёт библиотеки
В таблице показано число читателей по отделам.
Отдел | Читатели | Книги
Детский | 1 204 | 18 300
Научный | 389 | 42 150
Детский отдел работает без выходных.
"""
CHINESE = """\
水库年报
下表列出了三座水库的容量和水位。
水库 | 容量（万立方米） | 水位（米）
青山水库 | 1250 | 86.4
白河水库 | 940 | 72.1
青山水库的水位比去年高。
"""
HUNGARIAN = """\
A táblázat a szállítás díjait mutatja forintban.
Távolság | Kis csomag | | Nagy csomag
| hétköznap | hétvégén
10 km-ig | 1 200 | 1 800 | 3 400
50 km-ig | 2 100 | 2 900
afölött | külön megállapodás szerint, amelyet a megrendelés előtt kell megkötni | | 9 000
A díjak 2025. január 1-jétől érvényesek.
"""


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("report.en.pdf", ENGLISH, "The second page tells what comes next.\nPlans\nA fourth"),
        ("report.ru.pdf", RUSSIAN, "На второй странице описаны планы"),
        ("report.zh.pdf", CHINESE, "第二页说明明年的计划：将修建一座新的水库。"),
        ("fpdf.hu.pdf", HUNGARIAN, "A második oldalon a feltételek állnak."),
    ],
)
def test_tables_of_real_programs_are_rows(name: str, first: str, second: str) -> None:
    """LibreOffice and fpdf2, with merged and empty cells: each value in its column and page."""
    parsed = load(FILES / name)
    assert parsed.pages == (0, len(first))
    assert parsed.text[: parsed.pages[1]] == first
    assert parsed.text[parsed.pages[1] :].startswith(second)


def table(path: Path, rows: list[list[str]], borders: str = "ALL") -> str:
    """Return the text of a page with a table between two lines of prose."""
    writer = FPDF()
    writer.set_font("Helvetica", size=11)
    writer.add_page()
    writer.cell(text="Before.", new_x="LMARGIN", new_y="NEXT")
    with writer.table(borders_layout=borders) as drawn:
        for row in rows:
            drawn.row(row)
    writer.cell(text="After.")
    path.write_bytes(bytes(writer.output()))
    return load(path).text


# No lone dots: pdfium takes their baselines for those of other lines.
WORDS = st.lists(st.text("abc 12", min_size=1, max_size=9), min_size=3, max_size=3)


@pytest.mark.slow
@given(rows=st.lists(WORDS, min_size=2, max_size=6))
@example(rows=[["e"] * 3] * 2)
def test_every_cell_keeps_its_place(
    rows: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever stands in the cells: a row a line, a bar between two cells."""
    clean = [[" ".join(cell.split()) or "x" for cell in row] for row in rows]
    path = tmp_path_factory.mktemp("t") / "a.pdf"
    expected = "\n".join(" | ".join(row) for row in clean)
    assert table(path, clean) == f"Before.\n{expected}\nAfter."


def test_a_table_whose_place_is_unclear_stays_as_it_is(tmp_path: Path) -> None:
    """Dots alone, which pdfium moves among the lines: nothing is lost, and no prose cut."""
    text = table(tmp_path / "a.pdf", [[".", ".", "."], [".", ".", "."]])
    assert "".join(text.split()) == "Before.......After."


def test_a_table_without_rules_stays_in_reading_order(tmp_path: Path) -> None:
    """Where nothing is drawn between the cells no bar is set; rows are still lines."""
    rows = [["Name", "Value"], ["alpha", "1 2"]]
    assert table(tmp_path / "a.pdf", rows, "NONE") == "Before.\nName Value\nalpha 1 2\nAfter."


def test_a_frame_and_a_chart_are_no_tables(tmp_path: Path) -> None:
    """Prose in a box stays prose; a grid that is mostly empty is a drawing."""
    writer = FPDF()
    writer.set_font("Helvetica", size=11)
    writer.add_page()
    writer.rect(10, 10, 150, 30)
    writer.text(15, 20, "Prose in a frame.")
    for line in range(8):
        writer.line(10, 60 + 10 * line, 80, 60 + 10 * line)
        writer.line(10 + 10 * line, 60, 10 + 10 * line, 130)
    writer.text(21, 67, "40")
    writer.text(41, 97, "90")
    path = tmp_path / "a.pdf"
    path.write_bytes(bytes(writer.output()))
    assert load(path).text == "Prose in a frame.\n40\n90"


@pytest.mark.slow
def test_a_page_full_of_lines_takes_no_time(tmp_path: Path) -> None:
    """A map of thousands of lines is not searched for tables."""
    writer = FPDF()
    writer.set_font("Helvetica", size=11)
    writer.add_page()
    writer.text(10, 10, "A map")
    for line in range(5000):
        writer.line(10, 20 + line / 25, 200, 20 + line / 25)
    path = tmp_path / "a.pdf"
    path.write_bytes(bytes(writer.output()))
    assert load(path).text == "A map"


# -- rules to grids --------------------------------------------------------------------------

XS, YS = [0.0, 50.0, 120.0, 200.0], [90.0, 60.0, 30.0, 0.0]


def full() -> list[Rule]:
    """Return the rules of a table of three rows and columns."""
    upright = [Rule(True, x, YS[-1], YS[0]) for x in XS]
    return upright + [Rule(False, y, XS[0], XS[-1]) for y in YS]


def boxes(grid: Grid) -> list[list[bool]]:
    return [[box is not None for box in row] for row in grid.rows]


def test_rules_are_joined_to_cells() -> None:
    """Rows from the top, columns from the left."""
    (grid,) = grids_of(full())
    assert grid.box == Box(0, 0, 200, 90)
    assert grid.rows[0][1] == Box(50, 60, 120, 90) and grid.rows[2][0] == Box(0, 0, 50, 30)


@given(st.permutations(full()), st.data())
def test_order_and_pieces_of_rules_do_not_matter(rules: list[Rule], data: st.DataObject) -> None:
    """A border may be drawn cell by cell, twice, and a hair beside its place."""
    pieces = []
    for upright, at, start, end in rules:
        cut = data.draw(st.floats(start, end))
        pieces += [Rule(upright, at, start, cut), Rule(upright, at + 0.5, cut, end)]
    (grid,), (expected,) = grids_of(pieces), grids_of(full())
    assert boxes(grid) == boxes(expected)
    places = zip(itertools.chain(*grid.rows), itertools.chain(*expected.rows), strict=True)
    for box, wanted in places:
        assert box and wanted and all(abs(a - b) < 1 for a, b in zip(box, wanted, strict=True))


def test_cells_may_reach_over_several_columns_and_rows() -> None:
    """A missing piece of a rule joins two cells; the place of the second is empty."""
    rules = [rule for rule in full() if rule != Rule(True, 50.0, 0.0, 90.0)]
    rules += [Rule(True, 50.0, 0.0, 60.0)]  # the first row's first two cells are one
    rules.remove(Rule(False, 30.0, 0.0, 200.0))
    rules += [Rule(False, 30.0, 0.0, 120.0)]  # the last column's last two are one
    (grid,) = grids_of(rules)
    assert boxes(grid) == [[True, False, True], [True, True, True], [True, True, False]]
    assert grid.rows[0][0] == Box(0, 60, 120, 90) and grid.rows[1][2] == Box(120, 0, 200, 60)


def test_a_table_open_at_its_sides_has_its_outer_columns() -> None:
    """Its level rules tell where the first column begins and the last one ends."""
    (grid,) = grids_of([rule for rule in full() if not (rule.upright and rule.at in (0.0, 200.0))])
    assert grid.rows == grids_of(full())[0].rows


def test_tables_that_do_not_touch_are_two() -> None:
    """One below the other, with room between them."""
    below = [
        Rule(r.upright, r.at, r.start - 300, r.end - 300)
        if r.upright
        else Rule(r.upright, r.at - 300, r.start, r.end)
        for r in full()
    ]
    assert sorted(grid.box.top for grid in grids_of(full() + below)) == [-210, 90]


@pytest.mark.parametrize(
    "rules", [[], full()[:4], full()[4:], [full()[0], full()[3], *full()[4:6]]]
)
def test_no_grid_without_two_rows_and_columns(rules: list[Rule]) -> None:
    """Nothing, bars alone, underlines alone, a box."""
    assert grids_of(rules) == []
