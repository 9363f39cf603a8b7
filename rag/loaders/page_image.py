"""A page of a PDF as a picture, a passage of it marked: a program for `api.page_images`.

A request is a line of JSON on standard input: {"path", "page", "width", "passage", "seconds",
"bytes"}; the path as hexadecimal digits, the page from 1. The reply is a line of JSON, {"size"} and
then so many bytes of PNG, or {"problem"}. Drawing meets hostile bytes, so it is done in a process
that ends with it, within limits.
"""

import io
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, BinaryIO

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageChops

from rag.loaders.worker import limit, place

MOST_PIXELS = 8_000_000
"""Pages that are long and narrow are drawn more coarsely."""
# The longest part of a page's text that is looked through for a passage.
_MOST_CHARACTERS = 100_000
# Letters without which a line of a passage stands in too many places to be looked for alone.
_TELLING = 12
_MARKER = (255, 236, 130)

Box = tuple[int, int, int, int]


def main() -> None:
    """Answer one request."""
    request = json.loads(os.fdopen(os.dup(0), "rb").readline())
    replies = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "r+b") as nothing:
        for stream in (0, 1, 2):
            os.dup2(nothing.fileno(), stream)
    limit(request["seconds"], request["bytes"])
    try:
        drawn = draw(
            place(request["path"]).read_bytes(),
            request["page"],
            request["width"],
            request["passage"],
        )
    except MemoryError:
        _reply(replies, {"problem": "it needs more memory than is allowed"})
    except (pdfium.PdfiumError, OSError, ValueError, IndexError) as error:
        _reply(replies, {"problem": f"{type(error).__name__} on drawing it"})
    else:
        _reply(replies, {"size": len(drawn)}, drawn)


def _reply(out: BinaryIO, told: dict[str, Any], data: bytes = b"") -> None:
    out.write(json.dumps(told).encode("ascii") + b"\n" + data)
    out.flush()


def draw(data: bytes, number: int, width: int, passage: str) -> bytes:
    """Return page `number` (from 1) of a PDF as PNG, `width` pixels wide or less.

    Args:
        passage: marked where the page has it; "" marks nothing.
    Raises:
        pdfium.PdfiumError, IndexError: it is no PDF, or the page is not there or damaged.
    """
    with closing(pdfium.PdfDocument(data)) as document:
        if not 1 <= number <= len(document):
            raise IndexError(number)
        with closing(document[number - 1]) as page:
            across, down = page.get_size()
            if across <= 0 or down <= 0:
                raise ValueError((across, down))
            scale = min(width / across, (MOST_PIXELS / (across * down)) ** 0.5)
            with closing(page.render(scale=scale, may_draw_forms=False)) as bitmap:
                picture = bitmap.to_pil().convert("RGB")
                boxes = list(_boxes(page, bitmap, passage))
    for box in boxes:
        _mark(picture, box)
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=6)
    return out.getvalue()


def _mark(picture: Image.Image, box: Box) -> None:
    """Lay a marker's colour under what is dark in a box."""
    under = picture.crop(box)
    if under.width and under.height:
        colour = Image.new("RGB", under.size, _MARKER)
        picture.paste(ImageChops.multiply(under, colour), box)


def _boxes(page: Any, bitmap: Any, passage: str) -> Iterator[Box]:
    """Yield where the lines of a passage stand in the bitmap, in pixels."""
    convert = bitmap.get_posconv(page)
    with closing(page.get_textpage()) as textpage:
        count = min(textpage.count_chars(), _MOST_CHARACTERS)
        letters = [chr(pdfium_c.FPDFText_GetUnicode(textpage, n) & 0xFFFF) for n in range(count)]
        for first, last in places(letters, passage):
            for n in range(textpage.count_rects(first, last - first)):
                left, bottom, right, top = textpage.get_rect(n)
                corners = (convert.to_bitmap(left, top), convert.to_bitmap(right, bottom))
                (x0, x1), (y0, y1) = (sorted(each) for each in zip(*corners, strict=True))
                yield _within((x0 - 1, y0 - 1, x1 + 2, y1 + 2), bitmap)


def _within(box: Box, bitmap: Any) -> Box:
    width, height = bitmap.width, bitmap.height
    x0, x1 = (max(0, min(x, width)) for x in (box[0], box[2]))
    y0, y1 = (max(0, min(y, height)) for y in (box[1], box[3]))
    return x0, y0, x1, y1


def places(letters: Sequence[str], passage: str) -> Iterator[tuple[int, int]]:
    """Yield the stretches (half-open) of a page's letters that are a passage's.

    Letters and digits alone are compared: what a loader does to blanks, hyphens and the rules of
    tables moves no letter. Where the page does not have the passage in one piece, it is looked for
    line by line.
    """
    kept = [(n, letter) for n, letter in enumerate(letters) if letter.isalnum()]
    text = "".join(letter for _, letter in kept)
    for wanted in _wanted(text, passage):
        at = text.find(wanted)
        if at >= 0:
            yield kept[at][0], kept[at + len(wanted) - 1][0] + 1


def _wanted(text: str, passage: str) -> list[str]:
    whole = _bare(passage)
    if not whole or whole in text:
        return [whole] if whole else []
    lines = (_bare(part) for line in passage.split("\n") for part in line.split(" | "))
    return [line for line in lines if len(line) >= _TELLING]


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text))


if __name__ == "__main__":
    main()
