"""What OpenAI's clients send, as far as it counts here; fields that do not are passed over.

Clients send much that is for other servers (user, store, metadata, service_tier, penalties …), so
unknown fields are no error. What would change an answer and can not be done is refused by name.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.openai.answering import Wishes
from api.openai.conversation import Said, said, split
from api.openai.errors import Refused
from api.schemas import Whole
from rag.followup import Turn

Text = Annotated[str, Whole]
Name = Annotated[str, Field(min_length=1, max_length=500), Whole]
Stop = str | Annotated[list[str], Field(max_length=4)] | None
Count = Annotated[int, Field(ge=1)]
TEXT_ALONE = "expected text: nothing else is written here"
NO_TOOLS = "no tools are called here; expected 'auto', 'none', or nothing"


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class PartIn(_Lenient):
    """A part of a message; of other types than text only the type is read."""

    type: Annotated[str, Field(max_length=100)]
    text: Text | None = None


class MessageIn(_Lenient):
    """A message of the conversation; instructions and results of tools are passed over."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Text | list[PartIn] | None = None

    def said(self) -> Said:
        """Return it as the conversation takes it."""
        return said(self.role, self.content)


class StreamOptionsIn(_Lenient):
    """How a stream ends."""

    include_usage: bool | None = Field(default=None, description="a last chunk with the usage")


class FormatIn(_Lenient):
    """The form of the text."""

    type: Annotated[str, Field(max_length=100)] = "text"


class _Decoding(_Lenient):
    model: Name = Field(description="rag:NAME, NAME being the collection")
    stream: bool | None = Field(default=None, description="answer as server-sent events")
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    tool_choice: Any = None


class ChatIn(_Decoding):
    """A conversation whose last message is the question."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "model": "rag:demo",
                "messages": [{"role": "user", "content": "What is citation precision?"}],
            }
        }
    )

    messages: Annotated[list[MessageIn], Field(min_length=1, max_length=10_000)]
    stream_options: StreamOptionsIn | None = None
    max_tokens: Count | None = Field(default=None, description="as max_completion_tokens")
    max_completion_tokens: Count | None = Field(
        default=None, description="an answer ends before the claim that would exceed it"
    )
    seed: int | None = None
    stop: Stop = Field(default=None, description="an answer ends before the claim that has it")
    n: int | None = Field(default=None, description="1")
    logprobs: bool | None = Field(default=None, description="false")
    top_logprobs: int | None = Field(default=None, description="0")
    response_format: FormatIn | None = Field(default=None, description="text")
    modalities: list[str] | None = Field(default=None, description="text")
    logit_bias: dict[str, float] | None = Field(default=None, description="empty")
    function_call: Any = None

    def asked(self) -> tuple[str, list[Turn]]:
        """Return the question and the turns before it; raises `Refused`."""
        return split([message.said() for message in self.messages], "messages")

    def texts(self) -> list[str]:
        """Return all texts that were sent."""
        return [message.said().text for message in self.messages]

    def wishes(self) -> Wishes:
        """Return how to write.

        Raises:
            Refused: something is asked for that can not be done.
        """
        _refuse(
            [
                (self.n not in (None, 1), "n", "one answer is given; expected n 1"),
                (bool(self.logprobs), "logprobs", "no log probabilities are given"),
                (bool(self.top_logprobs), "top_logprobs", "no log probabilities are given"),
                (bool(self.logit_bias), "logit_bias", "tokens can not be weighed; leave it out"),
                (_formed(self.response_format), "response_format", TEXT_ALONE),
                (self.modalities not in (None, [], ["text"]), "modalities", TEXT_ALONE),
                (_demanded(self.tool_choice), "tool_choice", NO_TOOLS),
                (_demanded(self.function_call), "function_call", NO_TOOLS),
            ]
        )
        most = [n for n in (self.max_tokens, self.max_completion_tokens) if n is not None]
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return Wishes(
            self.temperature,
            self.top_p,
            self.seed,
            min(most, default=None),
            tuple(sequence for sequence in stop if sequence),
        )


class ItemIn(_Lenient):
    """An item of a response's input: a message, or something that is passed over."""

    type: Annotated[str, Field(max_length=100)] | None = None
    role: Annotated[str, Field(max_length=100)] | None = None
    content: Text | list[PartIn] | None = None

    def said(self) -> Said:
        """Return it as the conversation takes it; what is no message has its type for a role."""
        role = self.role if self.type in (None, "message") else self.type
        return said(role or "unknown", self.content)


class TextIn(_Lenient):
    """The form of the text."""

    format: FormatIn | None = None


class ResponseIn(_Decoding):
    """A question, or a conversation whose last item is one."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"model": "rag:demo", "input": "What is citation precision?"}}
    )

    input: Text | Annotated[list[ItemIn], Field(min_length=1, max_length=10_000)]
    max_output_tokens: Count | None = Field(
        default=None, description="an answer ends before the claim that would exceed it"
    )
    text: TextIn | None = Field(default=None, description="format text")
    top_logprobs: int | None = Field(default=None, description="0")
    background: bool | None = Field(default=None, description="false")
    previous_response_id: str | None = Field(default=None, description="none: nothing is kept")
    conversation: Any = Field(default=None, description="none: nothing is kept")
    prompt: Any = Field(default=None, description="none: nothing is kept")

    def said(self) -> list[Said]:
        """Return the messages."""
        if isinstance(self.input, str):
            return [Said("user", self.input)]
        return [item.said() for item in self.input]

    def asked(self) -> tuple[str, list[Turn]]:
        """Return the question and the turns before it; raises `Refused`."""
        return split(self.said(), "input")

    def texts(self) -> list[str]:
        """Return all texts that were sent."""
        return [message.text for message in self.said()]

    def wishes(self) -> Wishes:
        """Return how to write.

        Raises:
            Refused: something is asked for that can not be done.
        """
        kept = "responses and conversations are not kept here; send the earlier messages in input"
        search = isinstance(self.tool_choice, dict) and self.tool_choice.get("type")
        demanded = search != "file_search" and _demanded(self.tool_choice)
        _refuse(
            [
                (self.previous_response_id is not None, "previous_response_id", kept),
                (self.conversation is not None, "conversation", kept),
                (self.prompt is not None, "prompt", "no prompts are kept here; send the question"),
                (bool(self.background), "background", "answers are given at once, or as a stream"),
                (bool(self.top_logprobs), "top_logprobs", "no log probabilities are given"),
                (self.text is not None and _formed(self.text.format), "text", TEXT_ALONE),
                (demanded, "tool_choice", NO_TOOLS),
            ]
        )
        return Wishes(self.temperature, self.top_p, None, self.max_output_tokens)


class EmbeddingsIn(_Lenient):
    """Texts to be embedded."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"model": "rag:demo", "input": ["What is recall?"]}}
    )

    model: Name = Field(description="rag:NAME, or the embedding model's own name")
    input: Text | Annotated[list[Text] | list[Any], Field(max_length=2_048)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Count | None = Field(default=None, description="those that the model has")
    input_type: Literal["passage", "query"] = Field(
        default="passage", description="questions are embedded in another way than passages"
    )

    def texts(self) -> list[str]:
        """Return the texts.

        Raises:
            Refused: they are tokens, or one of them is empty.
        """
        texts = [self.input] if isinstance(self.input, str) else self.input
        if not texts or not all(isinstance(text, str) for text in texts):
            raise Refused(
                "input holds tokens, or nothing; expected up to 2,048 texts: tokens are another"
                " model's (LangChain sends texts with check_embedding_ctx_length=False)",
                "input",
            )
        if not all(text.strip() for text in texts):
            raise Refused("input has an empty text; expected some words", "input")
        return texts


def _refuse(wrong: Sequence[tuple[bool, str, str]]) -> None:
    for given, param, message in wrong:
        if given:
            raise Refused(f"{param}: {message}", param)


def _formed(form: FormatIn | None) -> bool:
    return form is not None and form.type != "text"


def _demanded(choice: Any) -> bool:
    """Tell whether a tool has to be called; tools that may be called are not."""
    return choice not in (None, "auto", "none")
