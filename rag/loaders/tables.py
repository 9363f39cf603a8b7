"""Rows to lines that keep their header: "Product: tea; Price: 5", a line for every row.

A row is found and quoted alone, so it has to say what its values are. A wrong header misleads
where none does not: without a sign that the first row is one (`_header`), rows are written as
"tea | 5". The signs and their limits are in docs/decisions/0016-formats-office.md.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice

LONGEST_TITLE = 100
"""Characters of a column's title; a row with a longer cell is no header."""
_SEEN = 20  # rows of a table that are looked at before its header is decided
_MOST_ROWS = 3  # of a header
_SHORT = 40  # the average title, in characters, where nothing but its looks speaks for a header
_ALIKE = 0.8  # share of a column's cells that are values under a title that is none
_SENTENCE_ENDS = tuple(".!?…。！？")
_ABBREVIATION = 12  # a title so short may end with a full stop
_TRUTHS = frozenset({"TRUE", "FALSE"})
_UNIT = 4  # letters after a number ("5 km", "12 Uhr") that leave it a value
# Values that head columns as well: 2023, 2023/24, 2023年, 5月, 2023-05, 05.2023.
_PERIOD = re.compile(
    r"(?:19|20|21)\d\d(?:\s?[年г]\.?|[-/–.]\d{1,4}|年\d{1,2}月)?|\d{1,2}\s?月份?|\d{1,2}[./]\d{4}"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        cells: what each shows, on one line, "" for an empty one; of a merged cell, every column
            and row that it covers.
        spanned: the columns whose cell goes on from the one to its left.
        declared: the file says that it is a header.
        bold: all its cells are.
    """

    cells: Sequence[str]
    spanned: frozenset[int] = frozenset()
    declared: bool = False
    bold: bool = False

    def own(self) -> list[str]:
        """Return the cells that are not empty, a merged one once."""
        return [cell for at, cell in enumerate(self.cells) if cell and at not in self.spanned]


def lines(rows: Iterable[Row], *, one_table: bool = False) -> Iterator[str]:
    """Yield one line for each row, "" for a row without cells.

    Args:
        one_table: all rows are one table, whose first row of words is its header, as in a CSV
            file. Otherwise empty rows part tables, and a header needs a better sign.
    """
    if one_table:
        yield from _table(iter(rows), one_table)
        return
    for filled, group in groupby(rows, lambda row: any(row.cells)):
        if filled:
            yield from _table(group, one_table)
        else:
            yield from ("" for _ in group)


def is_value(text: str) -> bool:
    """Tell whether a cell holds a number, a date or a truth value rather than words."""
    if text.upper() in _TRUTHS:
        return True
    letters = sum(each.isalpha() for each in text)
    return any(map(str.isdigit, text)) and letters <= _UNIT and not text[0].isalpha()


def _table(rows: Iterator[Row], loose: bool) -> Iterator[str]:
    head = list(islice(rows, _SEEN))
    titles, top = _header(head, loose)
    yield from map(_plain, head[:top])
    for row in chain(head[top:], rows):
        if row.declared:  # the next table follows without an empty row
            titles = _titles([row])
            yield _plain(row)
        else:
            yield _line(row, titles)


def _plain(row: Row) -> str:
    return " | ".join(row.own())


def _line(row: Row, titles: Sequence[str]) -> str:
    """Return "title: cell; title: cell"; a cell without a title stands alone."""
    own = row.own()
    # A header repeated at a page's top, a label across the table, or a note: no values.
    alone = len(own) == 1 and (row.spanned or _is_sentence(own[0]))
    if not titles or alone or list(row.cells) == titles:
        return " | ".join(own)
    named = (
        f"{titles[at]}: {cell}" if at < len(titles) and titles[at] else cell
        for at, cell in enumerate(row.cells)
        if cell and at not in row.spanned
    )
    return "; ".join(named)


def _header(head: Sequence[Row], loose: bool) -> tuple[list[str], int]:
    """Return the titles of the columns ([] for no header) and how many rows are above the data.

    Rows of one cell above the header are captions; they count as above the data.
    """
    declared = [at for at, row in enumerate(head) if row.declared]
    if declared:
        first = last = declared[0]
        while last + 1 < len(head) and head[last + 1].declared:
            last += 1
        end = _end_of_header(head, last)
        return _titles(head[first:end]), end
    width = max((len(row.own()) for row in head), default=0)
    first = next((at for at, row in enumerate(head) if len(row.own()) >= min(2, width)), len(head))
    end = _end_of_header(head, first)
    body = [row for row in head[end:] if any(row.cells)]
    header = head[first:end]
    if not body or not header or not all(map(_may_head, header)):
        return [], 0
    titles = _titles(header)
    if sum(map(bool, titles)) * 2 < width or all(map(is_value, filter(None, titles))):
        return [], 0
    return (titles, end) if _has_sign(header[0], titles, body, loose) else ([], 0)


def _end_of_header(head: Sequence[Row], first: int) -> int:
    """Return where the rows end of which the one before has titles over several columns."""
    end = first + 1
    while (
        end < min(len(head), first + _MOST_ROWS)
        and head[end - 1].spanned
        and len(head[end].own()) > 1
        and _may_head(head[end])
    ):
        end += 1
    return end


def _may_head(row: Row) -> bool:
    """Tell whether all cells could be titles of columns."""
    return all(
        len(cell) <= LONGEST_TITLE
        and not _is_sentence(cell)
        and (not is_value(cell) or _PERIOD.fullmatch(cell))
        for cell in row.own()
    )


def _is_sentence(cell: str) -> bool:
    return len(cell) > _ABBREVIATION and cell.endswith(_SENTENCE_ENDS)


def _has_sign(first: Row, titles: Sequence[str], body: Sequence[Row], loose: bool) -> bool:
    """Tell whether titles are a header rather than the first row of data.

    Signs are: values under a word; bold over plain; and, weakest, titles that are short and
    distinct. Two columns can be a form, "Name | Anna" over "Age | 34", whose first row is no
    header: of those, all of at least three rows have to hold values.
    """
    if first.bold and not all(row.bold for row in body):
        return True
    named = [title for title in titles if title]
    form = not loose and len(named) == 2
    least = 1.0 if form else _ALIKE
    if len(body) >= (3 if form else 1) and any(
        _is_over_values(at, title, body, least) for at, title in enumerate(titles)
    ):
        return True
    distinct = len(set(named)) == len(named) > 1
    short = sum(map(len, named)) <= _SHORT * len(named)
    return distinct and short and (loose or (len(named) > 2 and len(body) > 1))


def _is_over_values(at: int, title: str, body: Sequence[Row], least: float) -> bool:
    cells = [row.cells[at] for row in body if at < len(row.cells) and row.cells[at]]
    if not title or not cells:
        return False
    if _PERIOD.fullmatch(title):
        return not any(map(_PERIOD.fullmatch, cells)) and all(map(is_value, cells))
    return not is_value(title) and sum(map(is_value, cells)) >= least * len(cells)


def _titles(header: Sequence[Row]) -> list[str]:
    """Return each column's title; those of several rows are joined, "2023 / Q1"."""
    width = max(len(row.cells) for row in header)
    titles = []
    for at in range(width):
        parts = [row.cells[at].rstrip(":： ") for row in header if at < len(row.cells)]
        titles.append(" / ".join(dict.fromkeys(part for part in parts if part)))
    return [title[:LONGEST_TITLE] for title in titles]
