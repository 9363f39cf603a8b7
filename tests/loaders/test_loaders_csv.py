"""CSV and TSV: delimiters, quotation marks, encodings, and a line for each record."""

from pathlib import Path

import pytest

from rag.errors import LoadError
from rag.loaders import load
from tests.loaders.loader_files import CHINESE, HUNGARIAN, RUSSIAN, write


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_the_records(delimiter: str, tmp_path: Path) -> None:
    """Decimal commas and marks inside quotations do not mislead."""
    rows = [["name", "price", "note"], ["tea", "5,5", '"a;b, c|d\te"'], ["milk", "1,2", ""]]
    if delimiter == ",":
        rows[1][1], rows[2][1] = "5.5", "1.2"
    text = "\n".join(delimiter.join(row) for row in rows)
    price = rows[1][1]
    assert load(write(tmp_path / "a.csv", text)).text.split("\n") == [
        "name | price | note",
        f"name: tea; price: {price}; note: a;b, c|d e",
        f"name: milk; price: {rows[2][1]}",
    ]


def test_the_first_line_may_declare_the_delimiter(tmp_path: Path) -> None:
    """Excel's "sep=" is obeyed and is an empty line; rows keep their numbers."""
    parsed = load(write(tmp_path / "a.csv", "sep=^\r\na^b\r\n1^2\r\n"))
    assert parsed.text == "\na | b\na: 1; b: 2"


def test_a_tsv_file_is_parted_by_tabs_whatever_else_is_in_it(tmp_path: Path) -> None:
    """Its suffix says so."""
    assert (
        load(write(tmp_path / "a.tsv", "a,b\tc,d\n1,2\t3,4\n")).text
        == "a,b | c,d\na,b: 1,2; c,d: 3,4"
    )


def test_quoted_line_ends_stay_in_their_row_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    """Line 3 of the text is row 3 of the file; an empty row is an empty line."""
    parsed = load(write(tmp_path / "a.csv", 'a,b\n"x\ny",1\n,\n"say ""z""",2\n'))
    assert parsed.text.split("\n") == ["a | b", "a: x y; b: 1", "", 'a: say "z"; b: 2']
    assert (parsed.unit, parsed.pages, parsed.title) == ("line", (), "a")


def test_ragged_rows_keep_what_they_have(tmp_path: Path) -> None:
    """Missing cells are left out, a cell too many stands without a title."""
    text = load(write(tmp_path / "a.csv", "a,b,c\n1\n1,2,3,4\n,,3\n")).text
    assert text.split("\n")[1:] == ["a: 1", "a: 1; b: 2; c: 3; 4", "c: 3"]


def test_a_quotation_mark_that_is_never_closed_swallows_nothing(tmp_path: Path) -> None:
    """An inch at a cell's start is no quotation; text after a closed one harms one cell."""
    opened = load(write(tmp_path / "a.tsv", 'part\tsize\npipe\t"5 in\nrod\t7 in\n')).text
    assert opened.split("\n")[1:] == ['part: pipe; size: "5 in', "part: rod; size: 7 in"]
    closed = load(write(tmp_path / "b.csv", 'a,b\n"x"y,1\n"p,q",2\n')).text
    assert closed.split("\n")[1:] == ["a: xy; b: 1", "a: p,q; b: 2"]


@pytest.mark.parametrize(
    ("sentence", "codec"),
    [
        (RUSSIAN, "cp1251"),
        (HUNGARIAN, "cp1250"),
        (CHINESE, "gb18030"),
        (CHINESE, "utf-8-sig"),
        (RUSSIAN, "utf-16"),
    ],
)
def test_the_encoding_is_recognised(sentence: str, codec: str, tmp_path: Path) -> None:
    """As for plain text; a byte order mark does not get into the first title."""
    words = sentence.replace(",", "").replace(":", "")
    data = f"id;text\n7;{words}\n".encode(codec)
    assert load(write(tmp_path / "a.csv", data)).text == f"id | text\nid: 7; text: {words}"


def test_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    """A list of words is a list of words, commas in a sentence or not."""
    assert load(write(tmp_path / "a.csv", "alpha\nbeta\ngamma\n")).text == "alpha\nbeta\ngamma"


def test_text_that_repeats_its_header_too_often_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written is counted, not what is read."""
    monkeypatch.setattr("rag.loaders.written.MAX_TEXT", 2_000)
    rows = "a very long title of a column,b\n" + "1,2\n" * 100
    with pytest.raises(LoadError, match=r"^a\.csv is too large: more than .* split it$"):
        load(write(tmp_path / "a.csv", rows))


def test_decimal_commas_do_not_part_cells_where_something_else_does(tmp_path: Path) -> None:
    """Both part every record alike here; the comma comes last."""
    assert load(write(tmp_path / "a.csv", "1,5;2,5\n3,5;4,5\n")).text == "1,5 | 2,5\n3,5 | 4,5"
