"""A file that was read, as what is stored of it: the document and its passages, with their ids."""

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rag.analysis import language, terms
from rag.chunking import embedded_text, page_of
from rag.plan import Work
from rag.types import Document, Parsed, Span
from rag.writer import NewDocument, NewPassage

Chunked = Callable[[], Iterable[tuple[int, Sequence[Span]]]]

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
    )


@dataclass(frozen=True, slots=True)
class Batch:
    """Passages of one document, and for each the text that is embedded."""

    passages: tuple[NewPassage, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to be stored; `batches` makes its passages, anew each time."""

    document: NewDocument
    batches: Callable[[], Iterator[Batch]]


def prepare(document: Document, work: Work, chunked: Chunked, fingerprint: str) -> Prepared:
    """Return a document that was read out of a file, ready to be stored.

    Args:
        chunked: yields where each part of the document starts, and its spans.
        fingerprint: of the embedder; vectors are kept by it and by the embedded text.
    """
    file = work.file
    date = document.metadata.get("date") or _date(file.mtime_ns)
    new = NewDocument(document, work.root.id, date, file.size, file.mtime_ns, ())

    def batches() -> Iterator[Batch]:
        seen: Counter[str] = Counter()
        for offset, spans in chunked():
            yield _batch(document, offset, spans, fingerprint, seen)

    return Prepared(new, batches)


def _batch(
    document: Document, offset: int, spans: Sequence[Span], fingerprint: str, seen: Counter[str]
) -> Batch:
    """Return the passages of a part; `seen` counts what texts the document had before."""
    passages, texts = [], []
    for span in spans:
        start, end = offset + span.start, offset + span.end
        text = document.text[start:end]
        embedded = embedded_text(span.section, text)
        name = named(text)
        seen[name] += 1
        passages.append(
            NewPassage(
                id=named(document.id, text, str(seen[name])),
                start=start,
                end=end,
                page=page_of(document.pages, start),
                page_starts=_inside(document.pages, start, end),
                section=span.section,
                text=text,
                vector_key=bytes.fromhex(named(fingerprint, embedded)),
                terms=Counter(terms(f"{document.title}\n{embedded}")),
            )
        )
        texts.append(embedded)
    return Batch(tuple(passages), tuple(texts))


def _inside(pages: Sequence[int], start: int, end: int) -> tuple[int, ...]:
    """Return the starts of the pages that begin after start and before end."""
    return tuple(pages[bisect_right(pages, start) : bisect_left(pages, end)])


def _language(parsed: Parsed) -> str:
    """Return the language that the file names, if it names one, else the one it is written in."""
    tag = LANGUAGE_TAG.match(parsed.metadata.get("lang", "").lower())
    return tag[1] if tag else language(parsed.text[:LANGUAGE_SAMPLE])


def _date(mtime_ns: int) -> str:
    return datetime.fromtimestamp(mtime_ns / 1e9, tz=UTC).date().isoformat()
