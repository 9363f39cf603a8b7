"""Requests and responses, as OpenAPI tells them. Responses are made by `rag.views`."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from rag.followup import Turn
from rag.types import Filters, Method, Mode, Reason, Verdict

ShortText = Annotated[str, Field(max_length=500)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FiltersIn(_Request):
    """Which documents may be searched; every filter given must hold."""

    source: ShortText | None = Field(default=None, description='glob over sources ("guides/*.md")')
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

    question: str
    index: str | None = Field(default=None, description="name of the index")
    k: Annotated[int, Field(strict=True, ge=1, le=100)] | None = Field(
        default=None, description="passages to return, or to read for an answer"
    )
    mode: Mode | None = None
    filters: FiltersIn = FiltersIn()


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


class HitOut(BaseModel):
    """A passage; start and end are code-point offsets into the document's text."""

    rank: int
    score: float
    passage_id: str
    document_id: str
    source: str
    title: str
    page: int | None
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
    title: str
    page: int | None
    start: int
    end: int
    quote: str


class AnswerOut(BaseModel):
    """An answer with the quotes that support it, or the nearest passages when it abstains."""

    question: str = Field(description="as it was searched")
    answer: str
    abstained: bool
    reason: Reason | None
    method: Method
    claims: list[ClaimOut]
    citations: list[CitationOut]
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


class StatusOut(BaseModel):
    """How the server is."""

    status: str


class ErrorDetail(BaseModel):
    """`code` is for programs, `message` for people."""

    code: str
    message: str


class ErrorOut(BaseModel):
    """The body of every error."""

    error: ErrorDetail
