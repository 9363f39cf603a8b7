"""Uploads as they come: each file written to disk as it arrives, nothing held in memory.

The parser is python-multipart's; its own form class, and Starlette's, would buffer files and
count nothing.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from fastapi import HTTPException
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.uploads import Received, Refused, refusal, safe_name

MOST_FILES = 100
_NO_UPLOAD = "expected multipart/form-data with files: curl -F 'files=@report.pdf' …"


@dataclass(slots=True)
class _Part:
    """A part that is being received; `out` is None where it is passed over."""

    headers: dict[str, bytes] = field(default_factory=dict)
    name: str = ""
    path: Path | None = None
    out: BinaryIO | None = None
    size: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)


class FileReceiver:
    """Takes the bytes of a multipart body and writes the files in it to a folder.

    Attributes:
        received: the files that came whole, in order.
        refused: those that were passed over.
    """

    def __init__(self, content_type: str, folder: Path, limit: int) -> None:
        """Take the request's Content-Type, where to write, and the most bytes of the whole.

        Raises:
            HTTPException: 422 it is no multipart body.
        """
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise HTTPException(422, _NO_UPLOAD)
        self.received: list[Received] = []
        self.refused: list[Refused] = []
        self._folder = folder
        self._limit = limit
        self._total = 0
        self._part = _Part()
        self._field = b""
        self._value = b""
        self._ended = False
        self._parser = _parser(boundary, self)

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            HTTPException: 413 they are too many, 422 they are no multipart body.
            OSError: the disk is full or not writable.
        """
        self._total += len(data)
        if self._total > self._limit:
            raise too_large(self._limit)
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise HTTPException(422, f"the body is not as its type says; {_NO_UPLOAD}") from error

    def finish(self) -> None:
        """Note that nothing more comes.

        Raises:
            HTTPException: 422 the body broke off, or holds no file.
        """
        if not self._ended:
            raise HTTPException(422, f"the body broke off before its end; {_NO_UPLOAD}")
        if not self.received and not self.refused:
            raise HTTPException(422, f"the body holds no file; {_NO_UPLOAD}")

    def close(self) -> None:
        """Let go of a file that did not come whole."""
        if self._part.out is not None:
            self._part.out.close()
            self._part.out = None

    # -- what the parser calls ----------------------------------------------------------------

    def on_part_begin(self) -> None:
        """Begin a part."""
        self._part = _Part()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of a header's name."""
        self._field += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of its value."""
        self._value += data[start:end]

    def on_header_end(self) -> None:
        """Keep a header."""
        self._part.headers[self._field.decode("latin-1").lower()] = self._value
        self._field = self._value = b""

    def on_headers_finished(self) -> None:
        """Open a file for a part that is one and can be ingested."""
        part = self._part
        given = _file_name(part.headers.get("content-disposition", b""))
        if given is None:
            return  # a field of the form: none is known
        part.name = safe_name(given)
        if reason := self._unwanted(part.name):
            self.refused.append(Refused(part.name, reason))
            return
        part.path = self._folder / str(len(self.received))
        part.out = part.path.open("wb")

    def _unwanted(self, name: str) -> str | None:
        if len(self.received) + len(self.refused) >= MOST_FILES:
            raise HTTPException(422, f"expected at most {MOST_FILES} files in one request")
        if any(file.name == name for file in self.received):
            return "another file of this request has the same name"
        return refusal(name)

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Write a piece of a file."""
        if self._part.out is not None:
            piece = memoryview(data)[start:end]
            self._part.out.write(piece)
            self._part.digest.update(piece)
            self._part.size += end - start

    def on_part_end(self) -> None:
        """Bring a file that came whole to the disk."""
        part = self._part
        if part.out is not None and part.path is not None:
            part.out.flush()
            os.fsync(part.out.fileno())
            part.out.close()
            part.out = None
            found = Received(part.name, part.path, part.size, part.digest.hexdigest())
            self.received.append(found)

    def on_end(self) -> None:
        """Note the last boundary."""
        self._ended = True


def _parser(boundary: bytes, receiver: FileReceiver) -> MultipartParser:
    names = (
        "on_part_begin",
        "on_header_field",
        "on_header_value",
        "on_header_end",
        "on_headers_finished",
        "on_part_data",
        "on_part_end",
        "on_end",
    )
    callbacks: dict[str, Callable[..., None]] = {name: getattr(receiver, name) for name in names}
    try:
        return MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
    except FormParserError as error:
        raise HTTPException(422, _NO_UPLOAD) from error


def _file_name(disposition: bytes) -> str | None:
    """Return the file name that a part gives, None for a part that is no file."""
    _, options = parse_options_header(disposition)
    given = options.get(b"filename")
    return None if given is None else given.decode("utf-8", "replace")


def too_large(limit: int) -> HTTPException:
    """Return the error of an upload over the limit, in bytes."""
    return HTTPException(
        413,
        f"the upload is too large; expected at most {limit:,} bytes (max_upload_mb)",
        {"Connection": "close"},
    )
