"""Answers of any system with what they cite, before it is known whether the citations are right."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from rag.sentences import sentences

# What ends a sentence that only announces or asks.
_ANNOUNCES = (":", "：", "?", "？", "؟")


class MalformedAnswer(ValueError):
    """An answer that can not be audited; says what was expected."""


@dataclass(frozen=True, slots=True)
class Text:
    """A source.

    Attributes:
        text: all of it; its parts (pages, blocks), where it came in such, joined.
        ends: where each part ends in it.
        label: what people call it.
    """

    text: str
    ends: tuple[int, ...] = ()
    label: str = ""

    def part(self, first: int, end: int) -> tuple[int, int]:
        """Return the offsets of parts first … end - 1, counted from 0; (0, 0) where none is."""
        starts = (0, *self.ends)
        if not 0 <= first < end <= len(self.ends):
            return 0, 0
        return starts[first], self.ends[end - 1]


def joined(parts: Sequence[str], label: str = "") -> Text:
    """Return a source that came in parts."""
    return Text("".join(parts), tuple(accumulate(map(len, parts))), label)


@dataclass(frozen=True, slots=True)
class Location:
    """Where in its source a quote is said to stand: characters, or parts of it."""

    start: int
    end: int
    parts: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A citation in an answer.

    Attributes:
        start, end: the words that it stands for, or its marker; equal where it is only a point.
        keys: what the source may be called, the most certain first.
        quote: the words of the source; None where whole sources are cited.
        marker: text[start:end] is a mark such as "[1]" and no words of the answer.
    """

    start: int
    end: int
    keys: tuple[str, ...]
    quote: str | None = None
    location: Location | None = None
    marker: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim of an answer with its references, of which none is there twice."""

    text: str
    references: tuple[Reference, ...]
    factual: bool


@dataclass(frozen=True, slots=True)
class Response:
    """What a system answered.

    Attributes:
        sources: texts that came with the answer, by every name that they have.
        claims: spans of text that are claims, where the system tells; else sentences are.
        marks: spans of text that are no words of it and cite nothing by themselves.
    """

    text: str
    references: tuple[Reference, ...]
    sources: Mapping[str, Text] = field(default_factory=dict)
    claims: tuple[tuple[int, int], ...] = ()
    marks: tuple[tuple[int, int], ...] = ()
    abstained: bool = False
    question: str = ""


def claimed(response: Response, language: str) -> list[Claimed]:
    """Return the claims of an answer, in order, each with what it cites.

    A mark belongs to the sentence with the last word before it, so one behind a full stop to the
    sentence that has ended. What stands for words belongs to every sentence that has one of them.
    """
    text = response.text
    marks = [*response.marks, *((r.start, r.end) for r in response.references if r.marker)]
    spans = response.claims or tuple(sentences(text, language, wraps=False))
    spans = tuple(span for span in spans if _words(text, *span, marks))
    found: list[list[Reference]] = [[] for _ in spans]
    for reference in response.references:
        for place in _places(reference, text, spans, marks):
            if not any(_same(reference, other) for other in found[place]):
                found[place].append(reference)
    return [
        Claimed(said, tuple(references), bool(references) or not said.endswith(_ANNOUNCES))
        for span, references in zip(spans, found, strict=True)
        for said in [_without(text, *span, marks)]
    ]


def _same(one: Reference, other: Reference) -> bool:
    return (one.keys, one.quote, one.location) == (other.keys, other.quote, other.location)


def _places(
    reference: Reference,
    text: str,
    spans: Sequence[tuple[int, int]],
    marks: Sequence[tuple[int, int]],
) -> list[int]:
    """Return the numbers of the sentences that a reference belongs to."""
    if not spans:
        return []
    if not reference.marker and reference.start < reference.end:
        return [
            number
            for number, (start, end) in enumerate(spans)
            if _words(text, max(start, reference.start), min(end, reference.end), marks)
        ]
    before = [
        number
        for number, (start, _) in enumerate(spans)
        if _words(text, start, reference.start, marks)
    ]
    return before[-1:] or [0]


def _words(text: str, start: int, end: int, marks: Sequence[tuple[int, int]]) -> bool:
    """Tell whether text[start:end] holds a letter or digit that is not in a mark."""
    return any(
        text[at].isalnum() and not any(a <= at < b for a, b in marks) for at in range(start, end)
    )


def _without(text: str, start: int, end: int, marks: Sequence[tuple[int, int]]) -> str:
    """Return text[start:end] without marks."""
    kept = "".join(text[at] for at in range(start, end) if not any(a <= at < b for a, b in marks))
    return re.sub(r" +(?=[.,;:!?])", "", " ".join(kept.split()))
