"""Answers as responses, whole and as events. Nothing of them is kept.

Text is sent when its claim has passed the gates, its citations before it.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing

from fastapi.sse import format_sse_event

from api.openai.answering import Telling, Told
from api.openai.citing import cited, file_citation
from api.openai.events import Ending, Late, Pieces, never, told_or_failed
from api.openai.head import Head
from rag.console import json_line
from rag.types import Citation, Claim, Claimed
from rag.views import Json

# The answer is the first and only item, its text the first and only part.
PLACE = {"output_index": 0, "content_index": 0}


def response(head: Head, told: Told) -> Json:
    """Return an answer as a response."""
    annotations = list(_annotations(told.text, told.claims, told.citations))
    cut = told.finish == "length"
    item = _item(head, [_part(told.text, annotations)], "incomplete" if cut else "completed")
    return {
        **_frame(head),
        "status": item["status"],
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": [item],
        "usage": _usage(head, told),
        **head.ours(told),
    }


def _frame(head: Head) -> Json:
    """Return a response that has no text yet."""
    return {
        "id": f"resp_{head.id}",
        "object": "response",
        "created_at": head.created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": head.model,
        "output": [],
        "parallel_tool_calls": False,
        "previous_response_id": None,
        "store": False,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": None,
    }


def _item(head: Head, content: list[Json], status: str) -> Json:
    return {
        "id": f"msg_{head.id}",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def _part(text: str, annotations: list[Json]) -> Json:
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}


def _annotations(
    text: str, claims: Sequence[Claim], citations: Sequence[Citation]
) -> Iterator[Json]:
    for marker, citation in cited(text, claims, citations):
        yield file_citation(marker, citation)


def _usage(head: Head, told: Told) -> Json:
    written = head.written(told)
    return {
        "input_tokens": head.sent,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": head.sent + written,
    }


class ResponseEvents:
    """The events of one response, numbered from 0."""

    def __init__(self, head: Head) -> None:
        """Begin a response."""
        self._head = head
        self._number = 0
        self._text = ""
        self._annotated = 0
        self._citations: tuple[Citation, ...] = ()

    def events(self, telling: Telling, late: Late = never) -> Pieces:
        """Yield an answer that is being told; an error ends it."""
        begun = _frame(self._head)
        yield self._event("response.created", response=begun)
        yield self._event("response.in_progress", response=begun)
        item = _item(self._head, [], "in_progress")
        yield self._event("response.output_item.added", output_index=0, item=item)
        yield self._placed("response.content_part.added", part=_part("", []))
        with closing(told_or_failed(telling, late)) as events:
            for told in events:
                if isinstance(told, Claimed):
                    yield from self._claim(told)
                elif isinstance(told, Ending):
                    error = told.body["error"]
                    fields = {name: error[name] for name in ("code", "message", "param")}
                    yield self._event("error", **fields)
                else:
                    yield from self._last(told)

    def _claim(self, claimed: Claimed) -> Iterator[bytes]:
        self._text += claimed.text
        self._citations += claimed.citations
        found = _annotations(self._text, [claimed.claim], self._citations)
        name = "response.output_text.annotation.added"
        for annotation in found:
            yield self._placed(name, annotation_index=self._annotated, annotation=annotation)
            self._annotated += 1
        yield self._delta(claimed.text)

    def _last(self, told: Told) -> Iterator[bytes]:
        if told.text and not told.claims:
            yield self._delta(told.text)
        whole = response(self._head, told)
        (item,) = whole["output"]
        (part,) = item["content"]
        yield self._placed("response.output_text.done", text=told.text, logprobs=[])
        yield self._placed("response.content_part.done", part=part)
        yield self._event("response.output_item.done", output_index=0, item=item)
        yield self._event(f"response.{whole['status']}", response=whole)

    def _delta(self, text: str) -> bytes:
        return self._placed("response.output_text.delta", delta=text, logprobs=[])

    def _placed(self, name: str, **fields: object) -> bytes:
        return self._event(name, item_id=f"msg_{self._head.id}", **PLACE, **fields)

    def _event(self, name: str, **fields: object) -> bytes:
        value = {"type": name, "sequence_number": self._number, **fields}
        self._number += 1
        return format_sse_event(event=name, data_str=json_line(value))
