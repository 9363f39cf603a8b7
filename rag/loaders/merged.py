"""Merged cells of tables that say which cells they cover, as those of documents and slides do."""

from collections.abc import Sequence
from dataclasses import dataclass

from rag.loaders.tables import Row


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that is not covered: its text on one line, and how far it reaches."""

    text: str
    columns: int = 1
    rows: int = 1


class Grid:
    """Gives every column of a row the text of the cell that covers it, row after row."""

    def __init__(self) -> None:
        # By column: rows that are left of what covers it, its text, and whether it goes on
        # from the column to the left.
        self._covers: dict[int, tuple[int, str, bool]] = {}

    def row(self, cells: Sequence[Cell | None], declared: bool = False) -> Row:
        """Return the next row; None stands for a covered cell."""
        texts, spanned, reached = [], set(), 0
        for at, cell in enumerate(cells):
            if cell is not None:
                # No two cells cover one column; a file that says so must not cost its square.
                end = min(at + cell.columns, len(cells))
                for column in range(max(at, reached), end):
                    self._covers[column] = (cell.rows, cell.text, column > at)
                reached = max(reached, end)
            rows, text, from_left = self._covers.get(at, (0, "", False))
            texts.append(text if rows > 0 else "")
            if rows > 0 and from_left:
                spanned.add(at)
            self._covers[at] = (rows - 1, text, from_left)
        return Row(texts, frozenset(spanned), declared)
