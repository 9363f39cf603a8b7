"""Answers as chat completions, whole and in chunks.

Text is sent when its claim has passed the gates, and stays: a stream has no way to take it back.
The citations of a claim come with its text, all of them again with the last chunk.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing

from fastapi.sse import format_sse_event

from api.openai.answering import Telling, Told
from api.openai.citing import cited, url_citation
from api.openai.events import Ending, Late, Pieces, never, told_or_failed
from api.openai.head import Head
from rag.console import json_line
from rag.types import Citation, Claim, Claimed
from rag.views import Json

DONE = b"data: [DONE]\n\n"


def completion(head: Head, told: Told) -> Json:
    """Return an answer as a chat completion."""
    message = {
        "role": "assistant",
        "content": told.text,
        "refusal": None,
        "annotations": list(_annotations(head, told.text, told.claims, told.citations)),
    }
    choice = {"index": 0, "message": message, "finish_reason": told.finish, "logprobs": None}
    return {
        "id": f"chatcmpl-{head.id}",
        "object": "chat.completion",
        "created": head.created,
        "model": head.model,
        "choices": [choice],
        "usage": _usage(head, told),
        **head.ours(told),
    }


def _annotations(
    head: Head, text: str, claims: Sequence[Claim], citations: Sequence[Citation]
) -> Iterator[Json]:
    for marker, citation in cited(text, claims, citations):
        yield url_citation(marker, citation, head.link)


def _usage(head: Head, told: Told) -> Json:
    written = head.written(told)
    return {
        "prompt_tokens": head.sent,
        "completion_tokens": written,
        "total_tokens": head.sent + written,
    }


class Chunks:
    """The chunks of one answer, as server-sent events."""

    def __init__(self, head: Head, include_usage: bool) -> None:
        """Begin an answer; with `include_usage` the last chunk tells the tokens."""
        self._head = head
        self._include_usage = include_usage
        self._text = ""
        self._annotated = 0
        self._citations: tuple[Citation, ...] = ()

    def events(self, telling: Telling, late: Late = never) -> Pieces:
        """Yield an answer that is being told; an error ends it, without [DONE]."""
        yield self._chunk({"role": "assistant", "content": "", "refusal": None})
        with closing(told_or_failed(telling, late)) as events:
            for told in events:
                if isinstance(told, Claimed):
                    yield self._chunk(self._claim(told))
                elif isinstance(told, Ending):
                    yield _event(told.body)
                else:
                    yield from self._last(told)

    def _claim(self, claimed: Claimed) -> Json:
        self._text += claimed.text
        self._citations += claimed.citations
        # With an index each, by which the client's own helper puts the list together.
        found = _annotations(self._head, self._text, [claimed.claim], self._citations)
        numbered = [{"index": i, **each} for i, each in enumerate(found, self._annotated)]
        self._annotated += len(numbered)
        return {"content": claimed.text, "annotations": numbered}

    def _last(self, told: Told) -> Iterator[bytes]:
        if told.text and not told.claims:
            yield self._chunk({"content": told.text})
        yield self._chunk({}, told.finish, self._head.ours(told))
        if self._include_usage:
            yield _event(self._frame([]) | {"usage": _usage(self._head, told)})
        yield DONE

    def _chunk(self, delta: Json, finish: str | None = None, more: Json | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _event(self._frame([choice]) | (more or {}))

    def _frame(self, choices: list[Json]) -> Json:
        return {
            "id": f"chatcmpl-{self._head.id}",
            "object": "chat.completion.chunk",
            "created": self._head.created,
            "model": self._head.model,
            "choices": choices,
            **({"usage": None} if self._include_usage else {}),
        }


def _event(value: Json) -> bytes:
    return format_sse_event(data_str=json_line(value))
