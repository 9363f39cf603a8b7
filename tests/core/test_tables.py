"""A row of a Markdown table is found its header; nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.tables import header_of, in_row, is_header

TABLE = """Systems compared.

| system | pages | MCP |
|:--|--:|---|
| Alpha | 12 | yes |
|  Béta  | 7 | no. Not yet. |

  | a | b |
  | - | - |
  | 1 | 2 |
"""


def header(at: int) -> str | None:
    """Return the header of what stands at a place of the text above."""
    span = header_of(TABLE, at)
    return None if span is None else TABLE[slice(*span)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("| Alpha", "| system | pages | MCP |"),
        ("12 | yes", "| system | pages | MCP |"),
        ("Not yet", "| system | pages | MCP |"),
        ("1 | 2", "| a | b |"),
        ("| system", None),
        ("|:--", None),
        ("Systems", None),
        ("| a |", None),
    ],
)
def test_by_hand(words: str, expected: str | None) -> None:
    """Any place of a row will do; the header, its rule and prose have none."""
    assert header(TABLE.index(words)) == expected


def test_a_place_is_in_a_row_or_not() -> None:
    """The header and its rule are rows, prose is none."""
    assert all(in_row(TABLE, TABLE.index(words)) for words in ("| system", "--:", "no. Not"))
    assert not in_row(TABLE, 0) and not in_row("", 0)


def test_a_header_is_known_by_the_line_below_it() -> None:
    """A rule, or a row in which its names stand before their values, as loaders write them."""
    told = [line for line in TABLE.splitlines() if is_header(TABLE, TABLE.index(line or "\n"))]
    assert told == ["| system | pages | MCP |", "  | a | b |"]
    written = "Word | Meaning\nWord: token; Meaning: a piece of text\nA | B\nToken: none"
    assert [is_header(written, written.index(w)) for w in ("Mean", "Word:", "A |", "Token:")] == [
        True, False, False, False
    ]  # fmt: skip
    assert not is_header("a | b", 0) and not is_header("", 0)


def test_a_text_that_begins_in_a_table_has_no_header() -> None:
    """Nor has one that begins with the rule, or whose first line is no row."""
    assert header_of("| 1 | 2 |\n| 3 | 4 |", 12) is None
    assert header_of("|---|---|\n| 3 | 4 |", 12) is None
    assert header_of("Prose\n|---|---|\n| 3 | 4 |", 18) is None
    assert header_of("", 0) is None


def test_a_line_that_is_nearly_a_rule_is_told_at_once() -> None:
    """However long: what a document says is read for every question."""
    assert header_of("|-" + " " * 1_000_000 + "x |\n| 1 |", 1_000_010) is None


CELL = st.text(st.characters(exclude_characters="|\n\r", exclude_categories=["Cs"]), max_size=8)


@given(st.text(max_size=20), st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1))
def test_every_row_has_the_header(before: str, rows: list[list[str]]) -> None:
    """Whatever stands in the cells, and before the table."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    text = "\n".join([before, "| name | price |", "|---|---|", *lines])
    at = len(before) + len("\n| name | price |\n|---|---|\n")
    for line in lines:
        span = header_of(text, at)
        # A row of nothing but dashes is a rule, and what stands above it its header.
        if not any(set(each) <= set("|-: \t") for each in lines):
            assert span is not None and text[slice(*span)] == "| name | price |"
        at += len(line) + 1
