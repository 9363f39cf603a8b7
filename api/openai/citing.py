"""Citations as OpenAI's clients know them: annotations over the markers of a text. Pure functions.

Offsets are code points of the answer, half-open: text[start_index:end_index] == "[1]".
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rag.types import Citation, Claim
from rag.views import Json, citation_view, claim_view

_MARKER = re.compile(r"\[(\d{1,3})\]")

Link = Callable[[Citation], str]
"""A citation to an address at which its source can be opened."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Where an answer's text cites: its n-th citation, at text[start:end]."""

    n: int
    start: int
    end: int


def markers(text: str, claim: Claim) -> Iterator[Marker]:
    """Yield the markers of a claim that stands in an answer's text.

    What reads as a marker inside of the claim's own words is none.
    """
    written = text[claim.start : claim.end]
    words = len(claim.text) if written.startswith(claim.text) else 0
    for match in _MARKER.finditer(text, claim.start + words, claim.end):
        if int(match[1]) in claim.citations:
            yield Marker(int(match[1]), *match.span())


def link_to(base: str, collection: str) -> Link:
    """Return what links to this service: the document, at the words that are quoted.

    Args:
        base: the address of the service, without a slash at its end.
    """

    def link(citation: Citation) -> str:
        place = f"collection={collection}&start={citation.start}&end={citation.end}"
        return f"{base}/v1/documents/{citation.document_id}?{place}"

    return link


def url_citation(marker: Marker, citation: Citation, link: Link) -> Json:
    """Return the annotation of a chat completion."""
    place = {"start_index": marker.start, "end_index": marker.end}
    cited = {**place, "url": link(citation), "title": label(citation)}
    return {"type": "url_citation", "url_citation": cited}


def file_citation(marker: Marker, citation: Citation) -> Json:
    """Return the annotation of a response, with the quote besides."""
    return {
        "type": "file_citation",
        "file_id": citation.document_id,
        "filename": citation.source,
        "index": marker.start,
        "quote": citation.quote,
        "page": citation.page,
        "start": citation.start,
        "end": citation.end,
    }


def label(citation: Citation) -> str:
    """Return what a citation is called where there is room for a line: title and page."""
    name = citation.title or citation.source
    return name if citation.page is None else f"{name}, {citation.unit} {citation.page}"


def cited(
    text: str, claims: Sequence[Claim], citations: Sequence[Citation]
) -> Iterator[tuple[Marker, Citation]]:
    """Yield each marker of some claims with what it cites."""
    by_number = {citation.n: citation for citation in citations}
    for claim in claims:
        for marker in markers(text, claim):
            yield marker, by_number[marker.n]


def proof(claims: Sequence[Claim], citations: Sequence[Citation], link: Link) -> Json:
    """Return what our answers carry beyond OpenAI's: quotes, and what was found of claims."""
    return {
        "citations": [{**citation_view(each), "url": link(each)} for each in citations],
        "claims": [claim_view(claim) for claim in claims],
    }
