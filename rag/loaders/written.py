"""Text as it is written: pages, headings and blocks, and how long it may become.

A small file can stand for much text: a string that a million cells share, a header that every
row repeats. What is written is counted, and too much of it is an error before it is held.
"""

from collections.abc import Iterable
from pathlib import Path

from rag.errors import LoadError
from rag.loaders.source import failure, one_line
from rag.types import Heading

MAX_TEXT = 200_000_000
"""Characters; at four bytes each, less than a gigabyte."""


def joined(path: Path, lines: Iterable[str]) -> str:
    """Return lines with a line end between two.

    Raises:
        LoadError: more than MAX_TEXT characters.
    """
    parts, length = [], 0
    for line in lines:
        length += len(line) + 1
        if length > MAX_TEXT:
            raise _too_long(path)
        parts.append(line)
    return "\n".join(parts)


class Writer:
    """Collects blocks with an empty line between them, and where pages and headings begin.

    Raises (every method that writes):
        LoadError: more than MAX_TEXT characters.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts: list[str] = []
        self._length = 0
        self._headings: list[Heading] = []
        self._pages: list[int] = []

    @property
    def text(self) -> str:
        """What has been written."""
        return "".join(self._parts)

    @property
    def headings(self) -> tuple[Heading, ...]:
        """Where the headings are."""
        return tuple(self._headings)

    @property
    def pages(self) -> tuple[int, ...]:
        """Where each page begins; an empty one where the next one does."""
        return tuple(min(start, self._length) for start in self._pages)

    def page(self) -> None:
        """Begin a page with the next block."""
        self._pages.append(self._length + len(self._gap()))

    def heading(self, title: str, level: int) -> None:
        """Write a heading, if title is not blank."""
        if title := one_line(title):
            self._headings.append(Heading(self._length + len(self._gap()), level, title))
            self.block(title)

    def block(self, text: str) -> None:
        """Write text after an empty line, if it is not blank."""
        if text.strip():
            self._add(self._gap())
            self._add(text)

    def lines(self, lines: Iterable[str]) -> None:
        """Write lines as a block, without the empty ones at its ends, and no two in a row."""
        gap = self._gap()
        for line in lines:
            if line:
                self._add(gap)
                self._add(line)
                gap = "\n"
            elif gap == "\n":
                gap = "\n\n"

    def refusal(self, limit: str) -> LoadError:
        """Return the error for a file beyond a limit."""
        return refusal(self._path, limit)

    def _gap(self) -> str:
        return "\n\n" if self._parts else ""

    def _add(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAX_TEXT:
            raise _too_long(self._path)
        self._parts.append(text)


def refusal(path: Path, limit: str) -> LoadError:
    """Return the error for a file beyond a limit ("50 million cells in a sheet")."""
    return failure(path, f"is too large: more than {limit} were found; split it")


def _too_long(path: Path) -> LoadError:
    return refusal(path, f"{MAX_TEXT // 1_000_000} million characters, headers in each row,")
