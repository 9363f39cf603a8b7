"""What each tool takes, with bounds; the descriptions are read by the model that calls it."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from rag.retriever import MAX_QUESTION
from rag.types import Filters

MOST_TEXT = 20_000
"""Characters of a document that are opened at a time."""


def _whole(given: str) -> str:
    """Refuse half a character (a surrogate alone), which JSON can hold and UTF-8 can not."""
    try:
        given.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("not valid text: half a character") from None
    return given


Text = Annotated[str, AfterValidator(_whole)]
Question = Annotated[Text, Field(min_length=1, max_length=MAX_QUESTION)]
Source = Annotated[Text, Field(max_length=200_000)]
Offset = Annotated[int, Field(strict=True, ge=0)]


class Arguments(BaseModel):
    """What a tool takes; what it does not know is an error, which a model can mend."""

    model_config = ConfigDict(extra="forbid")


class _Filtered(Arguments):
    question: Question = Field(description="a question, or words to look for, in any language")
    source: Annotated[Text, Field(max_length=500)] | None = Field(
        default=None, description='only sources that match this glob, such as "guides/*.md"'
    )
    language: Annotated[Text, Field(max_length=20)] | None = Field(
        default=None, description="only documents in this language (ISO 639-1: en, zh, ru …)"
    )

    def filters(self) -> Filters:
        """Return the filters as the core takes them."""
        return Filters(source=self.source, language=self.language)


class SearchArguments(_Filtered):
    """What to search for."""

    k: Annotated[int, Field(strict=True, ge=1, le=50)] | None = Field(
        default=None, description="passages to return"
    )


class AskArguments(_Filtered):
    """What to answer."""

    strictness: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="least probability that the passages answer the question"
    )


class CheckArguments(Arguments):
    """What to check, and against what."""

    claim: Question = Field(description="a sentence that may be true or not")
    sources: Annotated[list[Source], Field(max_length=100)] | None = Field(
        default=None,
        description="texts to check it against; without them, what the documents have on it",
    )


class OpenArguments(Arguments):
    """Which document to open, and where."""

    document: Annotated[Text, Field(min_length=1, max_length=2_000)] = Field(
        description="document_id or source, as hits and citations have them"
    )
    start: Offset = Field(default=0, description="first character, as a citation has it")
    end: Offset | None = Field(
        default=None,
        description="end of the words, as a citation has it; without it the text from start on",
    )
    around: Annotated[int, Field(strict=True, ge=0, le=MOST_TEXT // 2)] = Field(
        default=1_000, description="characters on either side of a span that has an end"
    )
