"""Pages of PDFs as pictures, drawn by a process each, within limits of time, memory and number."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import HTTPException

import rag
from api.documents import drawable, find, no_document
from rag.loaders import sidecar
from rag.parsing import BYTES, BYTES_PER_BYTE
from rag.plan import hash_file
from rag.scan import File
from rag.store import Store
from rag.types import Document

SECONDS = 8
"""Of a CPU. On a busy machine a page may take longer by the clock."""
WALL_SECONDS = 20
AT_ONCE = 2
PATIENCE = 10.0
"""Seconds that a page waits for its turn."""
LEAST_WIDTH, MOST_WIDTH = 100, 2_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page to be drawn.

    Attributes:
        number: from 1.
        width: of the picture, in pixels.
        start, end: code-point offsets into the document of what is marked; None marks nothing.
    """

    number: int
    width: int
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a process is told to draw."""

    path: Path
    number: int
    width: int
    passage: str


class PageImages:
    """Draws pages, few at a time; safe to share between threads."""

    def __init__(self, at_once: int = AT_ONCE, patience: float = PATIENCE) -> None:
        """Take how many are drawn at a time, and how long (s) a page waits for its turn."""
        self._slots = threading.BoundedSemaphore(at_once)
        self._patience = patience

    def png(self, index: Path, identity: str, sheet: Sheet) -> bytes:
        """Return a page of a document of an index as PNG.

        Raises:
            HTTPException: 404 no such document or page, or none of a PDF; 409 its file is no
                longer what was ingested; 422 it can not be drawn; 503 no turn came.
        """
        with closing(Store(index)) as store:
            document = find(store, identity)
            path = _file(store, document)
        drawing = Drawing(path, sheet.number, sheet.width, _marked(document, sheet))
        _require_unchanged(path, document)
        with self._turn():
            return _drawn(drawing)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=self._patience):
            wait = {"Retry-After": "5"}
            raise HTTPException(503, "too many pages are being drawn; try again in 5 s", wait)
        try:
            yield
        finally:
            self._slots.release()


def _file(store: Store, document: Document) -> Path:
    query = "SELECT r.path FROM documents d JOIN roots r ON r.id = d.root WHERE d.id = ?"
    with store.reading() as connection:
        root = connection.execute(query, (document.id,)).fetchone()
    if root is None:
        raise no_document(document.id)
    return Path(root[0]) / document.source


def _marked(document: Document, sheet: Sheet) -> str:
    """Return what is marked on a page: the part of the stretch that lies on it."""
    if not drawable(document):
        raise HTTPException(404, "this document has no pages that can be drawn; only PDFs have")
    if not 1 <= sheet.number <= len(document.pages):
        raise HTTPException(
            404, f"there is no page {sheet.number}; expected 1 … {len(document.pages)}"
        )
    if sheet.start is None or sheet.end is None:
        return ""
    begin = document.pages[sheet.number - 1]
    following = document.pages[sheet.number :]
    stop = following[0] if following else len(document.text)
    return document.text[max(begin, sheet.start) : max(begin, min(stop, sheet.end))]


def _require_unchanged(path: Path, document: Document) -> None:
    """Refuse a file that holds something else than what is cited."""
    beside = sidecar.beside(path)
    ours = File(beside, 0, 0) if beside.is_file() else None
    try:
        if hash_file(File(path, 0, 0, ours)) == document.content_hash:
            return
    except OSError as error:
        raise HTTPException(409, "the file of this document is no longer there") from error
    raise HTTPException(409, "the file of this document has changed since it was ingested")


def _drawn(drawing: Drawing) -> bytes:
    request = {
        "path": os.fsencode(drawing.path.absolute()).hex(),
        "page": drawing.number,
        "width": drawing.width,
        "passage": drawing.passage,
        "seconds": SECONDS,
        "bytes": BYTES + BYTES_PER_BYTE * drawing.path.stat().st_size,
    }
    try:
        done = subprocess.run(
            # Isolated from the folder it is started in, where hostile files may lie.
            [sys.executable, "-I", "-c", _program()],
            input=json.dumps(request).encode("ascii") + b"\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _undrawn(f"it takes more than {WALL_SECONDS} seconds") from None
    head, _, data = done.stdout.partition(b"\n")
    told = _told(head)
    if "problem" in told:
        raise _undrawn(str(told["problem"]))
    if told.get("size") != len(data):
        raise _undrawn("it ended the process that drew it")
    return data


def _told(head: bytes) -> dict[str, object]:
    try:
        told = json.loads(head)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _undrawn(why: str) -> HTTPException:
    return HTTPException(422, f"this page can not be drawn: {why}")


def _program() -> str:
    package = str(Path(rag.__file__).resolve().parent.parent)
    begin = f"import sys; sys.path.insert(0, {package!r})"
    return f"{begin}; from rag.loaders.page_image import main; main()"
