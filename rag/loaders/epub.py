"""EPUB: the chapters in the order of the book's spine, read as HTML."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from rag.loaders import html
from rag.loaders.encoding import decode
from rag.loaders.epub_package import Book, Label, Unreadable
from rag.loaders.source import failure, one_line, read_bytes
from rag.types import Heading, Parsed

# XML closes what is empty with "/>", which HTML takes for an opening: "<title/>" would swallow
# the page. These are empty in HTML, too.
_EMPTY_TAG = re.compile(r"<([A-Za-z][\w:.-]*)((?:\s[^<>]*)?)/>")
_VOID_TAGS = "area base br col embed hr img input link meta param source track wbr"
_VOID = frozenset(_VOID_TAGS.split())
# The HTML parser knows neither, and takes the end of a DTD's subset for text.
_PROLOGUE = re.compile(r"\A\s*(?:<\?xml[^>]*>\s*)?(?:<!DOCTYPE[^>\[]*(?:\[[^\]]*\]\s*)?>)?", re.I)
_COVER = re.compile(r"<body\b[^>]{0,400}?\bepub:type\s*=\s*[\"'][^\"'>]{0,200}?\b(?:cover|toc)\b")


def load(path: Path) -> Parsed:
    """Read path; title, author, lang and date are the package's.

    Raises:
        LoadError: no EPUB, damaged, encrypted, or it unpacks to too much.
    """
    data = read_bytes(path)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            book = Book(archive)
            text, headings = _joined(_chapters(path, book))
            metadata = book.metadata()
    except Unreadable as error:
        raise failure(path, str(error)) from error
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError) as error:
        problem = f"is no EPUB, or a damaged or truncated one ({one_line(str(error))[:80]})"
        raise failure(path, f"{problem}; fetch it again") from error
    title = metadata.pop("title") or (headings[0].title if headings else "")
    return Parsed(text, title, headings, metadata=metadata)


def _chapters(path: Path, book: Book) -> Iterator[Parsed]:
    labels = book.labels()
    for name in book.chapters():
        source = book.read(name)
        text = decode(path, source, html.declared_encoding(source)).text if source.strip() else ""
        if _COVER.search(text):
            continue
        page = html.parse(_as_html(text), whole=True)
        if page.text:
            here = [label for label in labels if label.target == name and label.title]
            yield page if page.headings else _labelled(page, here)


def _as_html(xhtml: str) -> str:
    def opened(match: re.Match[str]) -> str:
        name, rest = match.groups()
        return f"<{name}{rest}>" if name.lower() in _VOID else f"<{name}{rest}></{name}>"

    return _EMPTY_TAG.sub(opened, _PROLOGUE.sub("", xhtml))


def _labelled(page: Parsed, labels: Sequence[Label]) -> Parsed:
    """Return a page that marks no headings with those that the table of contents knows.

    A label is the line of the page that says the same; the first, where no line does, is put
    above the page.
    """
    headings: list[Heading] = []
    text, start = page.text, 0
    for number, label in enumerate(labels):
        at = _line_of(label.title, text, start)
        if at is None and not number:
            text, at = f"{label.title}\n\n{text}", 0
        if at is not None:
            headings.append(Heading(at, 1, label.title))
            start = at + 1
    return replace(page, text=text, headings=tuple(headings))


def _line_of(title: str, text: str, start: int) -> int | None:
    """Return where the line begins that is title, None where there is none."""
    words = r"[^\S\n]+".join(map(re.escape, title.split()))
    match = re.compile(rf"^{words}[^\S\n]*$", re.M | re.I).search(text, start)
    return match.start() if match else None


def _joined(chapters: Iterator[Parsed]) -> tuple[str, tuple[Heading, ...]]:
    texts: list[str] = []
    headings: list[Heading] = []
    length = 0
    for chapter in chapters:
        headings += [replace(each, start=length + each.start) for each in chapter.headings]
        texts.append(chapter.text)
        length += len(chapter.text) + 2
    return "\n\n".join(texts), tuple(headings)
