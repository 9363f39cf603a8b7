"""The documents of a collection: pages of a list, the text around a citation, deletion."""

import base64
import json
from bisect import bisect_right
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import HTTPException

from api.uploads import Uploads
from rag.care.delete import delete
from rag.errors import ConfigError
from rag.loaders import kind
from rag.store import Store
from rag.types import Document
from rag.views import Json

CONTEXT = 1_000
LONGEST = 20_000
"""Characters before and after a citation, and most that are sent at once."""
COLUMNS = "id, source, title, language, date, metadata, unit, pages, size, ingested_ns"


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list: at most `limit` documents that come after a cursor, None from the start."""

    limit: int
    after: str | None


def documents_view(store: Store, page: Page) -> Json:
    """Return documents by source, and the cursor of those after them, None at the end.

    Raises:
        ConfigError: the cursor is none of ours.
    """
    source, identity = _after(page.after) if page.after is not None else ("", "")
    query = f"""
        SELECT {COLUMNS} FROM documents WHERE (source, id) > (?, ?) ORDER BY source, id LIMIT ?
    """
    with store.reading() as connection:
        found = connection.execute(query, (source, identity, page.limit + 1)).fetchall()
        total, _ = store.count()
    shown = [_listed(record) for record in found[: page.limit]]
    more = len(found) > page.limit
    return {"documents": shown, "total": total, "next": _cursor(shown[-1]) if more else None}


def _listed(record: tuple[Any, ...]) -> Json:
    identity, source, title, language, date, metadata, unit, pages, size, ingested = record
    values = json.loads(metadata)
    return {
        "id": identity,
        "source": source,
        "name": values.get("filename", source),
        "title": title,
        "language": language,
        "date": date or None,
        "metadata": values,
        "unit": unit,
        "pages": len(json.loads(pages)) or None,
        "bytes": size,
        "ingested": datetime.fromtimestamp(ingested / 1e9, UTC).isoformat(timespec="seconds"),
    }


def _cursor(view: Json) -> str:
    last = json.dumps([view["source"], view["id"]])
    return base64.urlsafe_b64encode(last.encode()).decode()


def _after(cursor: str) -> tuple[str, str]:
    try:
        source, identity = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        f"{source}{identity}".encode()
        if isinstance(source, str) and isinstance(identity, str):
            return source, identity
    except (ValueError, TypeError):
        pass
    raise ConfigError("after is no cursor; expected the value of next of the page before")


def text_view(document: Document, start: int | None, end: int | None) -> Json:
    """Return a stretch of a document, with some text around it.

    Args:
        start, end: code-point offsets of a citation; by default the beginning of the document.
    Raises:
        ConfigError: the offsets are no stretch of it, or of more than is sent at once.
    """
    length = len(document.text)
    first = 0 if start is None else start
    last = min(length, first + LONGEST) if end is None else end
    if not 0 <= first <= last <= length:
        raise ConfigError(f"start and end are {first} and {last}; expected two of 0 … {length}")
    if last - first > LONGEST:
        raise ConfigError(f"start and end are {last - first:,} apart; expected {LONGEST:,} or less")
    around = 0 if start is None and end is None else CONTEXT
    begin, stop = max(0, first - around), min(length, last + around)
    pages = document.pages
    return {
        "id": document.id,
        "source": document.source,
        "name": document.metadata.get("filename", document.source),
        "title": document.title,
        "language": document.language,
        "metadata": dict(document.metadata),
        "unit": document.unit,
        "length": length,
        "page": bisect_right(pages, first) if pages else None,
        "pages": len(pages) or None,
        "drawable": drawable(document),
        "start": begin,
        "end": stop,
        "text": document.text[begin:stop],
        "selected": {"start": first, "end": last},
    }


def drawable(document: Document) -> bool:
    """Tell whether the pages of a document can be drawn: those of a PDF."""
    return bool(document.pages) and kind(Path(Path(document.source).name)) == "pdf"


def find(store: Store, identity: str) -> Document:
    """Return a document.

    Raises:
        HTTPException: 404 there is none of that id.
    """
    found = store.document(identity) if identity.isascii() else None
    if found is None:
        raise no_document(identity)
    return found


def no_document(identity: str) -> HTTPException:
    """Return the error of a document that is not there."""
    return HTTPException(404, f"there is no document {identity[:80]!r}")


def delete_document(path: Path, identity: str, uploads: Uploads) -> Json:
    """Delete a document; of one that was uploaded, the file too.

    Raises:
        HTTPException: 404 there is none of that id.
        IndexLocked: the index is being written.
    """
    query = """
        SELECT r.path, d.source FROM documents d JOIN roots r ON r.id = d.root WHERE d.id = ?
    """
    with closing(Store(path)) as store, store.reading() as connection:
        found = connection.execute(query, (identity,)).fetchone() if identity.isascii() else None
    if found is None:
        raise no_document(identity)
    with uploads.without(path.name, Path(found[0]) / found[1]):
        (deleted,) = delete(path, [identity])
    return {"id": deleted.id, "source": deleted.source, "returns": deleted.returns}
