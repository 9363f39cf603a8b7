"""Rows to lines: which row is the header, and what each line then says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.loaders.merged import Cell, Grid
from rag.loaders.tables import Row, is_value, lines

CELLS = st.text(st.characters(categories=("L", "N", "P")), max_size=8)


def told(*rows: str, one_table: bool = False) -> list[str]:
    """Return the lines of a table whose rows are written "a|b"."""
    return list(lines([Row(row.split("|")) for row in rows], one_table=one_table))


def test_rows_name_their_columns_and_leave_out_empty_cells() -> None:
    """The golden case: a caption, a header, rows with gaps and one that is too long."""
    assert told("Prices 2024||", "Tea|Price|Note", "Assam|5|", "Sencha||new", "Oolong|7||x") == [
        "Prices 2024",
        "Tea | Price | Note",
        "Tea: Assam; Price: 5",
        "Tea: Sencha; Note: new",
        "Tea: Oolong; Price: 7; x",
    ]


def test_a_cell_without_a_title_stands_alone() -> None:
    """The corner of a cross table is empty; years head columns of numbers."""
    assert told("|2023|2024|all", "Riga|5|6|11")[1:] == ["Riga; 2023: 5; 2024: 6; all: 11"]
    assert told("国家|2023年|2024年", "中国|5|6")[1:] == ["国家: 中国; 2023年: 5; 2024年: 6"]


@pytest.mark.parametrize(
    "rows",
    [
        ("1|2", "3|4"),
        ("Name|Anna", "Age|34", "Town|Riga"),
        ("Name|Anna", "Town|Riga"),
        ("2021|2022", "5|6"),
        ("Anna came home late today.|x|y", "1|2|3"),
        ("a|b|c",),
    ],
)
def test_without_a_sign_of_a_header_rows_are_written_as_they_are(rows: tuple[str, ...]) -> None:
    """Numbers, a form of labels and values, sentences, a single row: no header is made up."""
    assert told(*rows) == [" | ".join(row.split("|")) for row in rows]


def test_the_first_row_of_words_of_a_csv_file_is_its_header() -> None:
    """There a header is the custom; empty rows do not end the table."""
    assert told("a|b", "x|y", "", "z|", one_table=True) == ["a | b", "a: x; b: y", "", "a: z"]
    assert told("1|2", "x|y", one_table=True) == ["1 | 2", "x | y"]
    assert told("price", "5", "7", one_table=True) == ["price", "price: 5", "price: 7"]


def test_an_empty_row_parts_two_tables() -> None:
    """The second table has its own header, or none."""
    assert told("a|b|c", "1|2|3", "||", "d|e|f", "4|5|6", "||", "x|y")[4:] == [
        "d: 4; e: 5; f: 6",
        "",
        "x | y",
    ]


def test_what_the_file_declares_or_shows_in_bold_is_a_header() -> None:
    """Both hold for words alone, and a declared one within a table begins another."""
    body = [Row(["x", "y"]), Row(["z", "w"])]
    assert list(lines([Row(["a", "b"], bold=True), *body]))[1] == "a: x; b: y"
    assert list(lines([Row(["a", "b"], declared=True), *body]))[1] == "a: x; b: y"
    both = [Row(["a", "b"], declared=True), body[0], Row(["c", "d"], declared=True), body[1]]
    assert list(lines(both)) == ["a | b", "a: x; b: y", "c | d", "c: z; d: w"]


def test_titles_over_several_columns_are_joined_to_those_below() -> None:
    """A merged title stands before each of its columns; a title over two rows comes once."""
    rows = [
        Row(["Shop", "2023", "2023"], frozenset({2})),
        Row(["Shop", "spring", "autumn"]),
        Row(["Riga", "1", "2"]),
    ]
    assert list(lines(rows)) == [
        "Shop | 2023",
        "Shop | spring | autumn",
        "Shop: Riga; 2023 / spring: 1; 2023 / autumn: 2",
    ]


def test_labels_and_notes_across_a_table_have_no_title() -> None:
    """A merged label, a repeated header and a sentence in the first column stay as they are."""
    rows = [
        Row(["Tea", "Price"], declared=True),
        Row(["green", "green"], frozenset({1})),
        Row(["Sencha", "5"]),
        Row(["Tea", "Price"]),
        Row(["Prices hold until June.", ""]),
    ]
    assert list(lines(rows)) == [
        "Tea | Price",
        "green",
        "Tea: Sencha; Price: 5",
        "Tea | Price",
        "Prices hold until June.",
    ]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("5", True),
        ("-1,234.50 Ft", True),
        ("€5", True),
        ("12%", True),
        ("2024-05-01 10:30", True),
        ("TRUE", True),
        ("5 公斤", True),
        ("Q1", False),
        ("3rd quarter", False),
        ("n/a", False),
        ("第一季度", False),
    ],
)
def test_values_are_told_from_words(cell: str, expected: bool) -> None:
    """A number with a unit is a value; a word with a number is none."""
    assert is_value(cell) is expected


def test_merged_cells_reach_every_row_and_column_they_cover() -> None:
    """Two rows and two columns of one cell; the cells after it keep their columns."""
    grid = Grid()
    first = grid.row([Cell("wide", 2, 2), None, Cell("c")])
    second = grid.row([None, None, Cell("d")])
    third = grid.row([Cell("x"), Cell("y"), Cell("z")])
    assert (first.cells, first.spanned) == (["wide", "wide", "c"], {1})
    assert (second.cells, second.spanned) == (["wide", "wide", "d"], {1})
    assert (third.cells, third.spanned) == (["x", "y", "z"], set())


def test_a_cell_that_claims_to_reach_far_costs_no_more_than_its_row() -> None:
    """Counts come from the file, and no two cells cover one column."""
    row = Grid().row([Cell(str(at), 10**9, 10**9) for at in range(1000)])
    assert row.cells == ["0"] * 1000


@pytest.mark.slow
@given(st.lists(st.lists(CELLS, max_size=5), max_size=30), st.booleans())
def test_every_row_is_a_line_that_holds_its_cells(rows: list[list[str]], one_table: bool) -> None:
    """Whatever is taken for the header, nothing is lost and nothing moves to another row."""
    found = list(lines([Row(row) for row in rows], one_table=one_table))
    assert len(found) == len(rows)
    for line, row in zip(found, rows, strict=True):
        assert bool(line) == any(row)
        rest = line
        for cell in filter(None, row):
            assert cell in rest
            rest = rest[rest.index(cell) + len(cell) :] if row.count(cell) == 1 else rest
