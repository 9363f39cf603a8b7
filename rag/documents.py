"""A file that was read, as what is stored of it: the document and its passages, with their ids."""

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rag import loaders
from rag.analysis import language, terms
from rag.chunking import embedded_text, page_of
from rag.plan import Work
from rag.types import Document, Parsed, Span
from rag.writer import NewDocument, NewPassage

LANGUAGE_SAMPLE = 20_000
LANGUAGE_TAG = re.compile(r"\s*([a-z]{2})(?![a-z])")


def named(*parts: str) -> str:
    """Return 32 hex digits that name the parts."""
    return hashlib.blake2b("\0".join(parts).encode("utf-8"), digest_size=16).hexdigest()


def document_of(identity: str, work: Work, parsed: Parsed, content_hash: str) -> Document:
    """Return the document of that id that a file holds."""
    return Document(
        id=identity,
        source=work.source,
        title=parsed.title,
        text=parsed.text,
        headings=parsed.headings,
        pages=parsed.pages,
        language=_language(parsed),
        metadata=parsed.metadata,
        content_hash=content_hash,
        unit=parsed.unit,
    )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to be stored, whose passages are made part by part, anew each time.

    Attributes:
        document: without its passages.
        chunked: yields where each part of the document starts, and its spans.
        fingerprint: of the embedder; vectors are kept by it and by the embedded text.
    """

    document: NewDocument
    chunked: Callable[[], Iterable[tuple[int, Sequence[Span]]]]
    fingerprint: str

    def embedded(self) -> Iterator[tuple[int, dict[bytes, str]]]:
        """Yield where each part starts, and the texts that are embedded, by their vectors' keys."""
        text = self.document.document.text
        for offset, spans in self.chunked():
            found = {}
            for span in spans:
                part = text[offset + span.start : offset + span.end]
                embedded = embedded_text(span.section, part)
                found[vector_key(self.fingerprint, embedded)] = embedded
            yield offset, found

    def passages(self) -> Iterator[tuple[NewPassage, ...]]:
        """Yield the passages of each part."""
        seen: Counter[str] = Counter()
        pages = pages_of(self.document.document)
        for offset, spans in self.chunked():
            yield tuple(self._passage(offset, span, pages, seen) for span in spans)

    def _passage(
        self, offset: int, span: Span, pages: Sequence[int], seen: Counter[str]
    ) -> NewPassage:
        """Return a passage; `seen` counts what texts the document had before."""
        document = self.document.document
        start, end = offset + span.start, offset + span.end
        text = document.text[start:end]
        embedded = embedded_text(span.section, text)
        name = named(text)
        seen[name] += 1
        return NewPassage(
            id=named(document.id, text, str(seen[name])),
            start=start,
            end=end,
            page=page_of(pages, start),
            page_starts=_inside(pages, start, end),
            section=span.section,
            text=text,
            vector_key=vector_key(self.fingerprint, embedded),
            terms=passage_terms(document.title, span.section, text),
        )


def passage_terms(title: str, section: str, text: str) -> Counter[str]:
    """Return the terms under which a passage is found, and how often each occurs."""
    return Counter(terms(f"{title}\n{embedded_text(section, text)}"))


def vector_key(fingerprint: str, embedded: str) -> bytes:
    """Return the key of the vector that an embedder makes of a text."""
    return bytes.fromhex(named(fingerprint, embedded))


def new_document(document: Document, work: Work) -> NewDocument:
    """Return a document that was read out of a file, without its passages."""
    file = work.file
    date = document.metadata.get("date") or _date(file.mtime_ns)
    return NewDocument(document, work.root.id, date, *work.file.stamp, (), loaders.LOADERS_VERSION)


def pages_of(document: Document) -> Sequence[int]:
    """Return where the document's pages start; its lines, where those are what counts."""
    if document.pages or document.unit != "line":
        return document.pages
    return [0, *(match.end() for match in re.finditer("\n", document.text))]


def _inside(pages: Sequence[int], start: int, end: int) -> tuple[int, ...]:
    """Return the starts of the pages that begin after start and before end."""
    return tuple(pages[bisect_right(pages, start) : bisect_left(pages, end)])


def _language(parsed: Parsed) -> str:
    """Return the language that the file names, if it names one, else the one it is written in."""
    tag = LANGUAGE_TAG.match(parsed.metadata.get("lang", "").lower())
    return tag[1] if tag else language(parsed.text[:LANGUAGE_SAMPLE])


def _date(mtime_ns: int) -> str:
    return datetime.fromtimestamp(mtime_ns / 1e9, tz=UTC).date().isoformat()
