"""The data of the system: frozen, slotted, and free of any library.

Offsets are code points, half-open, into the text they name. Core types know no JSON:
`rag.views` turns them into what the command line and HTTP print.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What checking a claim against its citations came to."""

    SUPPORTED = "supported"
    PARTIAL = "partial"
    CONTRADICTED = "contradicted"
    UNSUPPORTED = "unsupported"


class Method(StrEnum):
    """How the text of an answer came about."""

    GENERATED = "generated"
    QUOTED = "quoted"
    COMPUTED = "computed"


class Reason(StrEnum):
    """Why an answer abstains."""

    NOTHING_RELEVANT = "nothing_relevant"
    NOT_ANSWERED = "not_answered"
    SOURCES_DISAGREE = "sources_disagree"


class Mode(StrEnum):
    """Which rankings a search uses."""

    HYBRID = "hybrid"
    DENSE = "dense"
    LEXICAL = "lexical"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a document: where its line starts, and its level (1 is the highest)."""

    start: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a loader reads out of a file.

    Attributes:
        text: the readable text; every offset in the system counts into it.
        title: the document's own title, else its first heading, else the file's stem.
        headings: in order of `start`.
        pages: start offset of each page, the first 0; empty where a format has no pages.
        metadata: what the file says of itself (author, date, encoding …).
        unit: what `pages` count: "page", "slide", "sheet", "message", "cell", "line".
    """

    text: str
    title: str
    headings: tuple[Heading, ...] = ()
    pages: tuple[int, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    unit: str = "page"


@dataclass(frozen=True, slots=True)
class Document:
    """A file as the index knows it; `id` outlives edits and moves of the file.

    `unit`: what `pages` are (`Parsed.unit`).
    """

    id: str
    source: str
    title: str
    text: str
    headings: tuple[Heading, ...]
    pages: tuple[int, ...]
    language: str
    metadata: Mapping[str, str]
    content_hash: str
    unit: str = "page"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a document chosen by the chunker; `section` is its heading path."""

    start: int
    end: int
    section: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document that is embedded and found: document.text[start:end] == text.

    `page` is the page (from 1) on which it starts, None where the format has no pages;
    `page_starts` are the offsets of the pages that begin inside it, `unit` what they are
    (`Parsed.unit`). `also_in` are the further sources of its document: copies of the file.
    """

    id: str
    document_id: str
    source: str
    title: str
    text: str
    start: int
    end: int
    page: int | None
    section: str
    language: str
    page_starts: tuple[int, ...] = ()
    unit: str = "page"
    also_in: tuple[str, ...] = ()

    def page_at(self, offset: int) -> int | None:
        """Return the page that holds an offset of the document inside this passage."""
        if self.page is None:
            return None
        return self.page + sum(start <= offset for start in self.page_starts)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query. Rank counts from 1.

    `score` orders the hits of one search only. `similarity` is the cosine to the query (None
    when no vectors were used) and `overlap` the share of the query's term weight that occurs
    in the passage; both compare across searches.
    """

    passage: Passage
    rank: int
    score: float
    similarity: float | None
    overlap: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a passage; offsets count into the document."""

    passage: Passage
    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Citation:
    """The n-th quote of an answer: document.text[start:end] == quote; `unit` is of `page`.

    `also_in`: further files that hold the document (`Passage.also_in`).
    """

    n: int
    passage_id: str
    document_id: str
    source: str
    title: str
    page: int | None
    start: int
    end: int
    quote: str
    unit: str = "page"
    also_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of the answer: answer.text[start:end] is `text` with its markers.

    Attributes:
        text: the sentence without its markers.
        citations: the n of the citations that stand behind it.
    """

    text: str
    start: int
    end: int
    citations: tuple[int, ...]
    verdict: Verdict
    score: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verifier's word on one claim: the verdict and a score from 0 to 1."""

    verdict: Verdict
    score: float


@dataclass(frozen=True, slots=True)
class LogProbability:
    """How likely a model finds a text.

    Attributes:
        total: the sum of the natural logarithms of its tokens' probabilities, at most 0.
        tokens: how many there are; special tokens do not count.
    """

    total: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two citations that contradict each other.

    Attributes:
        kind: number, date, negation or statement.
        citations: their n.
        says: the words of each in which they differ.
    """

    kind: str
    citations: tuple[int, int]
    says: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Asking:
    """How a question is to be answered.

    Attributes:
        strictness: least probability, from 0 to 1, that the passages answer the question, and
            least score of a claim.
        quote_only: quote, even where a generator could write.
    """

    strictness: float
    quote_only: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim that has passed the gates, while the rest of its answer is being made.

    Attributes:
        citations: those of the claim that no earlier claim has.
        text: what it adds to the answer's text: itself with its markers, and what parts it from
            the claim before. The texts of all claims, joined, are the answer's.
    """

    claim: Claim
    citations: tuple[Citation, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question came to. `trace` tells, step by step, how the text came about."""

    question: str
    text: str
    method: Method
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...]
    reason: Reason | None
    trace: tuple[str, ...]
    timings: Mapping[str, float]
    conflicts: tuple[Conflict, ...] = ()

    @property
    def abstained(self) -> bool:
        """True when the answer says that it cannot answer."""
        return self.reason is not None


Event = Claimed | Answer
"""What answering yields: claims as they stand, then the answer."""

Events = Generator[Event, None, None]
"""An answer that is being made; closing it stops the work."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents may be searched; every filter given must hold.

    Attributes:
        source: a glob over the source path ("guides/*.md"); any of a document's files may fit it.
        title: a part of the title, case ignored.
        language: ISO 639-1 code.
        since, until: ISO dates, inclusive, against the document's date.
        metadata: keys and the values they must equal.
    """

    source: str | None = None
    title: str | None = None
    language: str | None = None
    since: str | None = None
    until: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self != Filters()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader makes of a question and a passage.

    Attributes:
        start, end: code points of the stretch of the passage that answers best; both 0 where the
            passage has nothing to read.
        score: log probability of that stretch among all of the passage and "no answer", at most 0.
        null: log odds that the passage does not answer, against that stretch; infinite where it
            has nothing to read. Lower is better; of several passages, the one with the least.
    """

    start: int
    end: int
    score: float
    null: float


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be ingested, or was passed over, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What a run changed, counted by files. `passages` counts the whole index afterwards.

    Attributes:
        added, updated: files that are documents of their own now, new or changed; what moved, or
            was changed into a copy, is updated.
        copies: new files that hold what another file holds, and are stored with it.
        deleted: files that are gone; what they hold stays as long as another file holds it.
        notes: what was left out of documents that were ingested.
    """

    added: int
    updated: int
    unchanged: int
    deleted: int
    failed: tuple[Failure, ...]
    skipped: tuple[Failure, ...]
    passages: int
    embedded: int
    seconds: float
    notes: tuple[Failure, ...] = ()
    copies: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """The sources that an ingest run would touch; of what moved, the old one and the new one.

    `copies`: new files, each with a source of the document that it is a copy of.
    """

    added: tuple[str, ...]
    updated: tuple[str, ...]
    moved: tuple[tuple[str, str], ...]
    deleted: tuple[str, ...]
    unchanged: int
    failed: tuple[Failure, ...]
    skipped: tuple[Failure, ...]
    copies: tuple[tuple[str, str], ...] = ()
