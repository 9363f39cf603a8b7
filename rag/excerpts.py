"""The documents of an index by name, and stretches of their text: what a citation points at."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from rag.errors import ConfigError
from rag.store import Store
from rag.types import Document


@dataclass(frozen=True, slots=True)
class Listed:
    """A document as a list names it."""

    id: str
    source: str
    title: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch of a document: document.text[start:end] == text.

    Attributes:
        page: the page (from 1) on which it starts, None where the format has no pages.
    """

    document: Document
    start: int
    end: int
    text: str
    page: int | None


def listed(store: Store, after: str, limit: int) -> list[Listed]:
    """Return documents in the order of their ids.

    Args:
        after: the id after which to go on; "" begins.
        limit: documents wanted at most.
    """
    query = "SELECT id, source, title FROM documents WHERE id > ? ORDER BY id LIMIT ?"
    with store.reading() as connection:
        return [Listed(*record) for record in connection.execute(query, (after, limit))]


def find(store: Store, name: str) -> Document:
    """Return a document by its id or its source.

    Raises:
        ConfigError: there is none, or several have this source.
        IndexCorrupt: its text does not match its checksums.
    """
    identity = name
    with store.reading() as connection:
        found = connection.execute("SELECT id FROM documents WHERE source = ?", (name,)).fetchall()
    if len(found) > 1:
        ids = ", ".join(sorted(row[0] for row in found))
        raise ConfigError(f"{name!r} is the source of several documents; expected an id: {ids}")
    if found:
        (identity,) = found[0]
    document = store.document(identity)
    if document is None:
        raise ConfigError(
            f"there is no document {name[:200]!r}; expected a document_id or a source, as hits and"
            " citations have them"
        )
    return document


def excerpt(document: Document, start: int, end: int, around: int, most: int) -> Excerpt:
    """Return the text from start to end, with some more on either side.

    Args:
        start, end: offsets into the document; what lies outside of it is left out.
        around: code points on either side.
        most: code points at most; what is beyond is cut off at the end.
    Raises:
        ConfigError: start is behind the document's end, or end before start.
    """
    length = len(document.text)
    if not 0 <= start <= end or start > length:
        raise ConfigError(
            f"the span is {start} to {end}; expected 0 <= start <= end, and start at"
            f" most {length:,}, the document's length"
        )
    first = max(0, start - around)
    last = min(length, end + around, first + most)
    return Excerpt(document, first, last, document.text[first:last], page_of(document.pages, first))


def page_of(pages: Sequence[int], offset: int) -> int | None:
    """Return the page that holds an offset, from 1; None without pages."""
    return bisect_right(pages, offset) if pages else None
