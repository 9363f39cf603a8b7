"""The scanned pages of a PDF: read with OCR where that can be done, reported where not."""

import time
from contextlib import closing
from typing import Any

from rag.loaders.ocr import DPI, OFF, OcrError, PageReader
from rag.loaders.source import ranges

MOST_PAGES = 200
"""Scanned pages of one document that are read: OCR takes seconds a page, all else does not."""
MOST_SECONDS = 600.0
"""Wall clock that the scanned pages of one document may take in all."""

_POINTS = 72  # an inch
# An A3 page at 300 dots an inch; larger pages are drawn more coarsely.
_MOST_PIXELS = 18_000_000


class Scans:
    """Takes the scanned pages of one document in turn.

    Attributes:
        read, unread: numbers of pages, from 1, with text out of OCR and without any.
        problem: why the last of `unread` was not read.
    """

    def __init__(self, setting: str) -> None:
        """Take the setting `ocr`; tesseract is looked for when the first page comes."""
        self.read: list[int] = []
        self.unread: list[int] = []
        self.problem = ""
        self._setting = setting
        self._reader: PageReader | None = None
        self._seconds = 0.0

    def text(self, page: Any, number: int) -> str:
        """Return the text of a scanned page, "" where it can not be read."""
        try:
            text = self._recognised(page)
        except OcrError as error:
            self.problem, text = str(error), ""
        (self.read if text else self.unread).append(number)
        return text

    def metadata(self) -> dict[str, str]:
        """Return which pages were read with OCR, and which are scans that were not read."""
        return {"ocr_pages": ranges(self.read), "scanned_pages": ranges(self.unread)}

    def _recognised(self, page: Any) -> str:
        if self._reader is None:
            self._reader = PageReader(self._setting)
        if not self._reader.languages:
            off = self._setting == OFF
            raise OcrError("OCR is set to off" if off else "tesseract is not installed")
        if len(self.read) + len(self.unread) >= MOST_PAGES:
            raise OcrError(f"of a document, {MOST_PAGES} scanned pages are read")
        if self._seconds >= MOST_SECONDS:
            raise OcrError(f"the scanned pages of a document are read for {MOST_SECONDS:.0f} s")
        started = time.monotonic()
        try:
            text = self._reader.read(_picture(page))
        finally:
            self._seconds += time.monotonic() - started
        if not text:
            raise OcrError("tesseract found no text in it")
        return text


def _picture(page: Any) -> Any:
    """Return the page as grey values, (height, width) uint8."""
    width, height = page.get_size()
    scale = min(DPI / _POINTS, (_MOST_PIXELS / (width * height)) ** 0.5)
    with closing(page.render(scale=scale, grayscale=True)) as bitmap:
        grey = bitmap.to_numpy()
        return grey.reshape(grey.shape[:2]).copy()
