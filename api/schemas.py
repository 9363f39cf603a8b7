"""Requests and responses, as OpenAPI tells them. Responses are made by `rag.views`."""

from datetime import date
from typing import Annotated, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    Tag,
    model_validator,
)

from rag.config import Config
from rag.conflicts import ConflictKind
from rag.followup import Turn
from rag.types import Asking, Filters, Method, Mode, Reason, Verdict

ShortText = Annotated[str, Field(max_length=500)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FiltersIn(_Request):
    """Which documents may be searched; every filter given must hold."""

    source: ShortText | None = Field(
        default=None, description='glob over sources, of copies too ("guides/*.md")'
    )
    title: ShortText | None = Field(default=None, description="a part of the title, case ignored")
    language: ShortText | None = Field(default=None, description="ISO 639-1 code")
    since: date | None = Field(default=None, description="this date and later")
    until: date | None = Field(default=None, description="this date and before")
    metadata: dict[ShortText, ShortText] = Field(default_factory=dict, max_length=20)

    def filters(self) -> Filters:
        """Return them as the core takes them."""
        return Filters(
            source=self.source,
            title=self.title,
            language=self.language,
            since=self.since.isoformat() if self.since else None,
            until=self.until.isoformat() if self.until else None,
            metadata=self.metadata,
        )


class QuestionIn(_Request):
    """A question to one index; what is left out is as the server is set."""

    question: str = Field(examples=["What is citation precision?"])
    collection: str | None = Field(default=None, description="where to look; the server's default")
    index: str | None = Field(default=None, description="another name of collection")
    k: Annotated[int, Field(strict=True, ge=1, le=100)] | None = Field(
        default=None, description="passages to return, or to read for an answer"
    )
    mode: Mode | None = None
    filters: FiltersIn = FiltersIn()

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if None not in (self.collection, self.index) and self.collection != self.index:
            raise ValueError("collection and index differ; expected one of them")
        return self

    def named(self, default: str) -> str:
        """Return the collection that is asked, or the default one."""
        given = self.index if self.collection is None else self.collection
        return default if given is None else given


class TurnIn(_Request):
    """An earlier question (as it was asked or as it was searched) and what it was answered."""

    question: str = Field(min_length=1, max_length=4_000)
    answer: str = Field(default="", max_length=20_000)

    def turn(self) -> Turn:
        """Return it as the core takes it."""
        return Turn(self.question, self.answer)


class AskIn(QuestionIn):
    """A question to be answered, which may follow others."""

    history: list[TurnIn] = Field(
        default_factory=list, max_length=20, description="earlier turns, the oldest first"
    )
    explain: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="tell whether claims come from quotes or the model's memory"
    )
    strictness: Annotated[float, Field(strict=True, ge=0, le=1)] | None = Field(
        default=None,
        description="least probability that the passages answer, and least score of a claim",
    )
    quote_only: Annotated[bool, Field(strict=True)] | None = Field(
        default=None, description="answer by quoting, even where the generator could write"
    )
    stream: Annotated[bool, Field(strict=True)] = Field(
        default=False,
        description="answer as server-sent events: hits, citation, claim, …, answer or error",
    )

    def asking(self, config: Config) -> Asking:
        """Return how to answer; what is left out is as in the settings."""
        return Asking(
            config.strictness if self.strictness is None else self.strictness,
            config.quote_only if self.quote_only is None else self.quote_only,
        )


def _whole(given: str) -> str:
    """Refuse half a character (a surrogate alone), which JSON can hold and UTF-8 can not."""
    try:
        given.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("not valid text: half a character") from None
    return given


Whole = AfterValidator(_whole)
Identity: TypeAlias = (
    Annotated[StrictStr, Field(max_length=500), Whole]
    | StrictInt
    | Annotated[StrictFloat, Field(allow_inf_nan=False)]
)


class ClaimIn(_Request):
    """A claim to be checked against its sources: none, or empty ones, support nothing."""

    id: Identity | None = Field(default=None, description="comes back with the verdict")
    claim: Annotated[str, Whole] = Field(
        max_length=20_000, examples=["The bridge is 1600 metres long."]
    )
    sources: list[Annotated[str, Whole]] = Field(
        max_length=1_000,
        description="texts, of any length",
        examples=[["It spans the Danube. The bridge is 1,600 metres long."]],
    )


def _count(given: object) -> str:
    return "claims" if isinstance(given, list) else "claim"


# The tags tell which of the two a fault is of; without them both would be told.
ClaimsIn: TypeAlias = Annotated[
    Annotated[ClaimIn, Tag("claim")]
    | Annotated[list[ClaimIn], Field(max_length=100), Tag("claims")],
    Discriminator(_count),
]


class HitOut(BaseModel):
    """A passage; start and end are code-point offsets into the document's text."""

    rank: int
    score: float
    passage_id: str
    document_id: str
    source: str
    also_in: list[str] = Field(description="further files that hold the same document")
    title: str
    page: int | None
    unit: str = Field(description="what page counts: page, slide, sheet, message, cell or line")
    section: str
    start: int
    end: int
    text: str


class SearchOut(BaseModel):
    """Passages, best first."""

    hits: list[HitOut]


class ClaimOut(BaseModel):
    """A sentence of the answer; start and end are offsets into the answer."""

    text: str
    start: int
    end: int
    verdict: Verdict
    score: float
    citations: list[int]


class CitationOut(BaseModel):
    """A quote: the document's text from start to end, to the letter."""

    n: int
    passage_id: str
    document_id: str
    source: str
    also_in: list[str] = Field(description="further files that hold the same document")
    title: str
    page: int | None
    unit: str = Field(description="what page counts: page, slide, sheet, message, cell or line")
    start: int
    end: int
    quote: str


class DisagreementOut(BaseModel):
    """Two citations that contradict each other, and the words of each in which they do."""

    kind: ConflictKind
    citations: tuple[int, int]
    says: tuple[str, str]


class AnswerOut(BaseModel):
    """An answer with the quotes that support it, or the nearest passages when it abstains."""

    question: str = Field(description="as it was searched")
    answer: str
    abstained: bool
    reason: Reason | None
    method: Method
    claims: list[ClaimOut]
    citations: list[CitationOut]
    conflicts: list[DisagreementOut]
    nearest: list[HitOut]
    asked: str = Field(description="as it was asked")
    trace: list[str]
    timings: dict[str, float]


class InfluenceOut(BaseModel):
    """By how much a claim's log p falls without a quote."""

    citation: int
    drop: float


class ProvenanceOut(BaseModel):
    """Where a claim comes from; logarithms are natural, `difference` is per token."""

    claim: int = Field(description="its place in claims, from 0")
    summary: str
    contextual: float = Field(description="log p of the claim with the quotes")
    parametric: float = Field(description="log p of the claim without them")
    tokens: int
    difference: float
    influences: list[InfluenceOut]


class ExplainedOut(AnswerOut):
    """An answer with where its claims come from; the notes tell what was not explained, and why."""

    explain: list[ProvenanceOut]
    explain_notes: list[str]


class ReplyOut(AnswerOut):
    """An answer as it is stored."""

    id: str | None = Field(description="for /v1/answers and /v1/feedback; null: it is not stored")


class ExplainedReplyOut(ExplainedOut):
    """An explained answer as it is stored."""

    id: str | None = Field(description="for /v1/answers and /v1/feedback; null: it is not stored")


class EvidenceOut(BaseModel):
    """Words of a source that decide: sources[source][start:end] == quote."""

    source: int = Field(description="counted from 0")
    start: int
    end: int
    quote: str


class FindingOut(BaseModel):
    """Words of the claim; start and end are offsets into it."""

    text: str
    start: int
    end: int


class ConflictOut(FindingOut):
    """A number of the claim, and what the sources have in its place."""

    instead: str


class ExactOut(BaseModel):
    """Gate 1: numbers, dates, names and negations."""

    passed: bool
    missing_numbers: list[FindingOut]
    missing_dates: list[FindingOut]
    missing_names: list[FindingOut]
    unknown_names: list[FindingOut] = Field(description="not found, perhaps in another spelling")
    negation: bool = Field(description="claim and sources differ in a negation")
    conflicting_numbers: list[ConflictOut]
    verbatim: bool = Field(description="a source holds the claim word for word")


class MeaningOut(BaseModel):
    """Gate 2: how likely the sources support the claim."""

    probability: float
    across_languages: bool


class GatesOut(BaseModel):
    """What each gate found."""

    exact: ExactOut
    meaning: MeaningOut


class CheckedOut(BaseModel):
    """What checking a claim came to."""

    id: str | int | float | None
    verdict: Verdict
    score: float
    evidence: list[EvidenceOut]
    gates: GatesOut


class StatusOut(BaseModel):
    """How the server is."""

    status: str


class ErrorDetail(BaseModel):
    """`code` is for programs, `message` for people."""

    code: str
    message: str
    request_id: str = Field(description="as in the header X-Request-ID and in the server's log")


class ErrorOut(BaseModel):
    """The body of every error."""

    error: ErrorDetail
