"""What the service keeps, as OpenAPI tells it: collections, documents, jobs, answers, feedback."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.answers import SourceState
from api.feedback import Rating
from api.jobs import State
from api.schemas import ReplyOut, Whole


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CollectionIn(_Request):
    """A collection to be made."""

    name: str = Field(
        description="up to 64 letters, digits, '.', '_' or '-', the first a letter or digit",
        examples=["manuals"],
    )


class CollectionOut(BaseModel):
    """A collection; counts are null where it is damaged."""

    name: str
    documents: int | None
    passages: int | None
    problem: str | None = Field(description="code of what is wrong with it")


class CollectionsOut(BaseModel):
    """The collections that the key reaches, and the one of requests that name none."""

    collections: list[CollectionOut]
    default: str | None


class DocumentOut(BaseModel):
    """A document of a collection."""

    id: str
    source: str = Field(description="as citations name it")
    name: str = Field(description="as it was uploaded, else the source")
    title: str
    language: str
    date: str | None
    metadata: dict[str, str]
    unit: str = Field(description="what pages are: page, slide, sheet, message, cell or line")
    pages: int | None
    bytes: int
    ingested: str


class DocumentsOut(BaseModel):
    """Documents by source, and the cursor of those after them."""

    documents: list[DocumentOut]
    total: int
    next: str | None


class StretchOut(BaseModel):
    """Offsets into a document, half-open."""

    start: int
    end: int


class TextOut(BaseModel):
    """A stretch of a document: `text` is what lies from start to end, in code points."""

    id: str
    source: str
    name: str
    title: str
    language: str
    metadata: dict[str, str]
    unit: str
    length: int
    page: int | None = Field(description="on which the selected stretch begins")
    pages: int | None
    drawable: bool = Field(description="whether its pages are to be had as pictures")
    start: int
    end: int
    text: str
    selected: StretchOut


class DeletedOut(BaseModel):
    """A document that was deleted."""

    id: str
    source: str
    returns: bool = Field(description="its file is in an ingested folder still")


class UploadOut(BaseModel):
    """A file that was taken."""

    id: str
    name: str
    size: int


class RefusedOut(BaseModel):
    """A file that was not taken."""

    name: str
    reason: str


class ProgressOut(BaseModel):
    """How far a job is; bytes are of the files that need work."""

    done_bytes: int
    total_bytes: int
    documents: int
    failed: int


class FailedOut(BaseModel):
    """A file that could not be read."""

    source: str
    error: str


class SkippedOut(BaseModel):
    """A file that was passed over."""

    source: str
    reason: str


class NoteOut(BaseModel):
    """What was left out of a file."""

    source: str
    note: str


class ReportedOut(BaseModel):
    """What became of files."""

    added: int
    updated: int
    unchanged: int
    deleted: int
    failed: list[FailedOut]
    skipped: list[SkippedOut]
    notes: list[NoteOut]


class ReportOut(BaseModel):
    """What a job changed; passages are those of the collection."""

    documents: ReportedOut
    passages: int
    embedded: int
    seconds: float


class ProblemOut(BaseModel):
    """Why a job failed as a whole."""

    code: str
    message: str


class JobOut(BaseModel):
    """An ingestion job."""

    id: str
    collection: str
    created: str
    state: State
    finished: str | None
    files: list[UploadOut]
    progress: ProgressOut
    report: ReportOut | None
    error: ProblemOut | None


class UploadedOut(BaseModel):
    """What became of an upload: the job that ingests it, and the files that were not taken."""

    job: JobOut
    refused: list[RefusedOut]


class SourceOut(BaseModel):
    """What has become of what a citation quotes."""

    citation: int
    state: SourceState


class StoredOut(BaseModel):
    """An answer as it was given, and what its sources are now."""

    id: str
    collection: str
    created: str
    answer: ReplyOut
    sources: list[SourceOut]


class FeedbackIn(_Request):
    """What somebody thought of an answer: a thumb, what it was preferred to, or what is right."""

    answer: str = Field(
        description="id of the answer", max_length=100, examples=["ans_0123456789abcdef"]
    )
    rating: Rating | None = Field(default=None, examples=["up"])
    preferred_to: str | None = Field(
        default=None, description="id of the answer that it is better than", max_length=100
    )
    correction: Annotated[str, Whole] | None = Field(
        default=None,
        max_length=20_000,
        description="the right answer; empty: there is none",
        examples=["1,600 metres."],
    )
    comment: Annotated[str, Whole] = Field(default="", max_length=4_000)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.rating is None and self.preferred_to is None and self.correction is None:
            raise ValueError("expected rating, preferred_to or correction")
        if self.preferred_to == self.answer:
            raise ValueError("an answer can not be preferred to itself")
        return self


class FeedbackOut(BaseModel):
    """Feedback that was stored."""

    id: str


class UploadsOut(BaseModel):
    """What may be uploaded."""

    megabytes: int = Field(description="most of one upload, all files together")
    kinds: list[str] = Field(description="ends of the names of files that are read")


class AboutOut(BaseModel):
    """What a client needs to know of the service before it asks."""

    version: str
    collection: str | None = Field(description="of requests that name none, if the key reaches it")
    scopes: list[str] = Field(description="what the caller may do: read, write, admin")
    writes: bool = Field(description="a generator writes answers; else all are quotes")
    sends_to: str | None = Field(
        description="another machine to which passages are sent, to be written from"
    )
    strictness: float
    quote_only: bool
    keeps_answers: bool = Field(description="answers are stored, so feedback can be given")
    uploads: UploadsOut
