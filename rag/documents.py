"""A file that was read, as what is stored of it: the document and its passages, with their ids."""

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

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
    )


def new_document(
    document: Document, work: Work, spans: Sequence[Span], fingerprint: str
) -> tuple[NewDocument, list[str]]:
    """Return a document ready to be stored, and the text that is embedded for each passage.

    Args:
        fingerprint: of the embedder; vectors are kept by it and by the embedded text.
    """
    texts = [embedded_text(span.section, document.text[span.start : span.end]) for span in spans]
    passages = tuple(_passages(document, spans, texts, fingerprint))
    file = work.file
    date = document.metadata.get("date") or _date(file.mtime_ns)
    return NewDocument(document, work.root.id, date, *file.stamp, passages), texts


def _passages(
    document: Document, spans: Sequence[Span], texts: Sequence[str], fingerprint: str
) -> Iterator[NewPassage]:
    seen: Counter[str] = Counter()
    for span, embedded in zip(spans, texts, strict=True):
        text = document.text[span.start : span.end]
        seen[text] += 1
        yield NewPassage(
            id=named(document.id, text, str(seen[text])),
            start=span.start,
            end=span.end,
            page=page_of(document.pages, span.start),
            page_starts=_between(document.pages, span),
            section=span.section,
            text=text,
            vector_key=bytes.fromhex(named(fingerprint, embedded)),
            terms=Counter(terms(f"{document.title}\n{embedded}")),
        )


def _between(pages: Sequence[int], span: Span) -> tuple[int, ...]:
    """Return the pages that begin inside span; a mailbox has too many to look at each."""
    return tuple(pages[bisect_right(pages, span.start) : bisect_left(pages, span.end)])


def _language(parsed: Parsed) -> str:
    """Return the language that the file names, if it names one, else the one it is written in."""
    tag = LANGUAGE_TAG.match(parsed.metadata.get("lang", "").lower())
    return tag[1] if tag else language(parsed.text[:LANGUAGE_SAMPLE])


def _date(mtime_ns: int) -> str:
    return datetime.fromtimestamp(mtime_ns / 1e9, tz=UTC).date().isoformat()
