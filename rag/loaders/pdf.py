"""PDF: pdfium's text, page by page, and the outline's entries as headings.

pdfium is not safe for threads: a lock lets one PDF at a time be read in a process. Code that
calls pypdfium2 elsewhere in the same process must not run beside it.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium

from rag.errors import LoadError
from rag.loaders.source import clean, failure, first_line, iso_date, one_line, read_bytes
from rag.types import Heading, Parsed

_LOCK = threading.Lock()
# pdfium marks a hyphen that ends a line, the rest of the word following, with one of these.
_LINE_HYPHENS = re.compile("[\x02\ufffe\u00ad]\n?")
# Bullets of the Symbol and Wingdings fonts, which Word and LibreOffice leave in private use.
_BULLETS = str.maketrans("\uf0b7\uf0a7\uf0d8\uf0fc", "•▪➢✓")
_LINE_BLANKS = re.compile(r"[ \t]+(?=\n)")
# Titles that programs set when their user did not.
_SENSELESS = re.compile(
    r"untitled.*|(?:microsoft (?:word|powerpoint|excel) - ).*|(?:document|slide|presentation) ?\d*|"
    r"[\W\d_]*|.*\.(?:docx?|pptx?|xlsx?|tex|dvi|indd|qxd|pdf|rtf|odt|html?|p65|fm|pmd)",
    re.I | re.S,
)
# How much longer than an outline entry its line may be: "2.1" before it, a page number after.
_AROUND_TITLE = 20
_DEEPEST_OUTLINE = 9
_PASSWORD_ERROR = 4  # FPDF_ERR_PASSWORD
_SECURITY_ERROR = 5  # FPDF_ERR_SECURITY


def load(path: Path) -> Parsed:
    """Read path; its title is the document information's where sensible, else its first line.

    Raises:
        LoadError: encrypted, damaged, or without a text layer (scanned).
    """
    data = read_bytes(path)
    with _LOCK, closing(_open(path, data)) as document:
        texts = [_page_text(path, document, number) for number in range(len(document))]
        if not any(text.strip() for text in texts):
            raise _no_text(path, len(texts))
        pages = _page_starts(texts)
        text = "\n".join(texts)
        headings = tuple(_headings(document, texts, pages))
        info = document.get_metadata_dict()
    title = one_line(info.get("Title", ""))
    if _SENSELESS.fullmatch(title):
        title = first_line(text)
    metadata = {"author": info.get("Author", ""), "date": iso_date(info.get("CreationDate", ""))}
    return Parsed(text, title, headings, pages, metadata=metadata)


def _open(path: Path, data: bytes) -> Any:
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        code = getattr(error, "err_code", None)
        if code == _PASSWORD_ERROR:
            problem = "is encrypted and opens with a password only"
            raise failure(path, f"{problem}; save a copy without the password") from error
        if code == _SECURITY_ERROR:
            problem = "is encrypted in a way that pdfium does not know"
            raise failure(path, f"{problem}; save a copy without encryption") from error
        problem = "is no PDF, or a damaged or truncated one"
        raise failure(path, f"{problem}; fetch it again or print it to a new PDF") from error


def _no_text(path: Path, pages: int) -> LoadError:
    problem = f"holds no text: no page (of {pages}) has a text layer, as in a scan"
    return failure(path, f"{problem}; run OCR over it (for example ocrmypdf) and ingest the result")


def _page_text(path: Path, document: Any, number: int) -> str:
    """Return the text of a page, words joined that a hyphen parted, no line ending in blanks."""
    try:
        page = document[number]
    except pdfium.PdfiumError as error:
        problem = f"is damaged: its page {number + 1} can not be read"
        raise failure(path, f"{problem}; fetch it again or print it to a new PDF") from error
    with closing(page), closing(page.get_textpage()) as textpage:
        text = clean(textpage.get_text_bounded())
    text = _LINE_HYPHENS.sub("", text).translate(_BULLETS)
    return _LINE_BLANKS.sub("", text).rstrip()


def _page_starts(texts: list[str]) -> tuple[int, ...]:
    starts = [0]
    for text in texts[:-1]:
        starts.append(starts[-1] + len(text) + 1)
    return tuple(starts)


def _headings(document: Any, texts: list[str], pages: tuple[int, ...]) -> Iterator[Heading]:
    """Yield the outline's entries that stand as a line of their page, in order of start."""
    last = -1
    for title, level, page in sorted(_outline(document), key=lambda entry: entry[2]):
        line = _line_of(title, texts[page], max(0, last + 1 - pages[page]))
        if line is not None:
            last = pages[page] + line
            yield Heading(last, level, title)


def _outline(document: Any) -> Iterator[tuple[str, int, int]]:
    """Yield title, level from 1 and page index of the outline's entries that have all three."""
    for bookmark in document.get_toc(max_depth=_DEEPEST_OUTLINE):
        title, target = one_line(bookmark.get_title() or ""), bookmark.get_dest()
        page = target.get_index() if target is not None else None
        if title and page is not None and 0 <= page < len(document):
            yield title, bookmark.level + 1, page


def _line_of(title: str, text: str, start: int) -> int | None:
    """Return where the line begins that is title, give or take a number; None without one."""
    words = re.compile(r"\s+".join(map(re.escape, title.split())), re.I)
    for match in words.finditer(text, start):
        line = max(text.rfind("\n", 0, match.start()) + 1, 0)
        end = text.find("\n", match.end())
        length = (end if end >= 0 else len(text)) - line
        if line >= start and length <= len(match.group()) + _AROUND_TITLE:
            return line
    return None
