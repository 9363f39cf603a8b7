"""What OpenAI's endpoints answer, as OpenAPI tells it, with examples."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import CitationOut, ClaimOut
from rag.types import Method, Reason

ResponseDoc = dict[str, Any]


class OpenAIErrorDetail(BaseModel):
    """`code` is for programs, `message` for people; `param` is the field at fault."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIErrorOut(BaseModel):
    """The body of every error of these endpoints."""

    error: OpenAIErrorDetail


class LinkedCitationOut(CitationOut):
    """A quote, and where this service shows it."""

    url: str


class ProofOut(BaseModel):
    """What these answers carry beyond OpenAI's fields."""

    citations: list[LinkedCitationOut]
    claims: list[ClaimOut]
    abstained: bool = Field(description="the documents do not answer; citations is empty")
    reason: Reason | None = Field(description="why it abstains")
    method: Method | None = Field(description="null when a limit of the request ended the answer")


class UrlCitationOut(BaseModel):
    """A marker of the text, text[start_index:end_index] in code points, and what it cites."""

    start_index: int
    end_index: int
    url: str
    title: str


class AnnotationOut(BaseModel):
    """An annotation of a chat completion."""

    type: Literal["url_citation"]
    url_citation: UrlCitationOut


class MessageOut(BaseModel):
    """The answer."""

    role: Literal["assistant"]
    content: str
    refusal: None
    annotations: list[AnnotationOut]


class ChoiceOut(BaseModel):
    """The one choice there is."""

    index: int
    message: MessageOut
    finish_reason: Literal["stop", "length"]
    logprobs: None


class UsageOut(BaseModel):
    """Tokens, in the generator's own; of what was sent, and of the answer's text."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatOut(ProofOut):
    """An answer as a chat completion."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChoiceOut]
    usage: UsageOut


class FileCitationOut(BaseModel):
    """A marker of the text at `index`, and the words that it cites."""

    type: Literal["file_citation"]
    file_id: str
    filename: str
    index: int
    quote: str
    page: int | None
    start: int
    end: int


class PartOut(BaseModel):
    """The answer's text."""

    type: Literal["output_text"]
    text: str
    annotations: list[FileCitationOut]
    logprobs: list[Any]


class ItemOut(BaseModel):
    """The answer's message."""

    id: str
    type: Literal["message"]
    status: Literal["completed", "incomplete"]
    role: Literal["assistant"]
    content: list[PartOut]


class ResponseOut(ProofOut):
    """An answer as a response; the fields that are left out here have OpenAI's defaults."""

    model_config = ConfigDict(extra="allow")

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["completed", "incomplete"]
    model: str
    output: list[ItemOut]
    usage: dict[str, Any]


class VectorOut(BaseModel):
    """A vector: numbers, or their bytes in base64."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingUsageOut(BaseModel):
    """Tokens, in the embedding model's own."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsOut(BaseModel):
    """Vectors in the order of the texts."""

    object: Literal["list"]
    data: list[VectorOut]
    model: str
    usage: EmbeddingUsageOut


class ModelOut(BaseModel):
    """A collection ("rag:NAME"), or the embedding model."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelsOut(BaseModel):
    """Collections, the default one first, then the embedding model."""

    object: Literal["list"]
    data: list[ModelOut]


_TEXT = "The cat drinks cold milk every morning. [1]"
_CITATION = {
    "n": 1,
    "passage_id": "4f0c",
    "document_id": "a81b",
    "source": "animals/cats.md",
    "also_in": [],
    "title": "Cats",
    "page": None,
    "unit": "page",
    "start": 8,
    "end": 47,
    "quote": "The cat drinks cold milk every morning.",
    "url": "http://127.0.0.1:8000/v1/documents/a81b?collection=demo&start=8&end=47",
}
_CLAIM = {
    "text": "The cat drinks cold milk every morning.",
    "start": 0,
    "end": 43,
    "verdict": "supported",
    "score": 1.0,
    "citations": [1],
}
_PROOF = {
    "citations": [_CITATION],
    "claims": [_CLAIM],
    "abstained": False,
    "reason": None,
    "method": "quoted",
}
_MARKER = {"start_index": 40, "end_index": 43, "url": _CITATION["url"], "title": "Cats"}
_MESSAGE = {
    "role": "assistant",
    "content": _TEXT,
    "refusal": None,
    "annotations": [{"type": "url_citation", "url_citation": _MARKER}],
}
_MODEL = {"id": "rag:demo", "object": "model", "created": 1795285593, "owned_by": "citable-rag"}
_CHAT = {
    "id": "chatcmpl-0f6d",
    "object": "chat.completion",
    "created": 1795285593,
    "model": "rag:demo",
    "choices": [{"index": 0, "message": _MESSAGE, "finish_reason": "stop", "logprobs": None}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
    **_PROOF,
}
_FILE = {
    "type": "file_citation",
    "file_id": "a81b",
    "filename": "animals/cats.md",
    "index": 40,
    "quote": _CITATION["quote"],
    "page": None,
    "start": 8,
    "end": 47,
}
_PART = {"type": "output_text", "text": _TEXT, "annotations": [_FILE], "logprobs": []}
_ITEM = {"type": "message", "id": "msg_0f6d", "status": "completed", "role": "assistant"}
_RESPONSE = {
    "id": "resp_0f6d",
    "object": "response",
    "created_at": 1795285593,
    "status": "completed",
    "model": "rag:demo",
    "output": [{**_ITEM, "content": [_PART]}],
    "parallel_tool_calls": False,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 12,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 21,
    },
    **_PROOF,
}
_EMBEDDINGS = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.6, -0.8]}],
    "model": "rag:demo",
    "usage": {"prompt_tokens": 5, "total_tokens": 5},
}
_STREAM = 'data: {"object":"chat.completion.chunk", …}\n\ndata: [DONE]\n\n'
_EVENTS = 'event: response.created\ndata: {"type":"response.created", …}\n\n'
_ERROR = {
    "error": {
        "message": "there is no model 'rag:nowhere'; expected one of: rag:demo",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }
}


def _told(model: type[BaseModel], example: ResponseDoc, stream: str | None = None) -> ResponseDoc:
    content: ResponseDoc = {"application/json": {"example": example}}
    if stream is not None:
        content["text/event-stream"] = {"example": stream}
    return {"model": model, "content": content}


def _problem(description: str) -> ResponseDoc:
    return _told(OpenAIErrorOut, _ERROR) | {"description": description}


CHAT = _told(ChatOut, _CHAT, _STREAM)
RESPONSE = _told(ResponseOut, _RESPONSE, _EVENTS)
EMBEDDINGS = _told(EmbeddingsOut, _EMBEDDINGS)
MODEL = _told(ModelOut, _MODEL)
MODELS = _told(ModelsOut, {"object": "list", "data": [_MODEL]})
PROBLEMS: dict[int | str, ResponseDoc] = {
    400: _problem("the request is not usable as given"),
    401: _problem("a key is needed"),
    403: _problem("the key may not do this"),
    404: _problem("no such collection"),
    409: _problem("the collection was made with other models"),
    413: _problem("the body is too large"),
    429: _problem("too many requests of this key; see Retry-After"),
    500: _problem("the collection is damaged, or the server failed"),
    503: _problem("busy, out of time, or without models"),
    # In place of the 422 that FastAPI would name.
    "default": _problem("any other error"),
}
