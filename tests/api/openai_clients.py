"""What the tests with OpenAI's own client share: a server that runs, and strict reading."""

from collections.abc import Iterator
from typing import Any

import httpx
import openai
from pydantic import BaseModel

from tests.cli.runner import QUESTION

MODEL = "rag:default"
ASKED: list[Any] = [{"role": "user", "content": QUESTION}]
NOBODY: list[Any] = [{"role": "user", "content": "Who won the chess championship?"}]
# Fields of ours among OpenAI's.
OURS = {
    "citations",
    "claims",
    "abstained",
    "reason",
    "method",
    "quote",
    "page",
    "start",
    "end",
    "index",
    "store",
    "annotations",
}


def client_of(url: str, key: str = "any") -> openai.OpenAI:
    """Return OpenAI's client of a server, which does not try again and keeps no connection."""
    kept = openai.DefaultHttpxClient(limits=httpx.Limits(max_keepalive_connections=0))
    return openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, http_client=kept)


def post(url: str, path: str, body: Any) -> httpx.Response:
    """Send a body as it is."""
    return httpx.post(f"{url}/v1/{path}", json=body, timeout=60)


def strictly(model: type[BaseModel], body: str) -> Any:
    """Return a body as one of OpenAI's types: no field missing, of another type, or foreign."""
    parsed = model.model_validate_json(body, strict=True)
    assert set(foreign(parsed)) <= OURS
    return parsed


def foreign(value: Any) -> Iterator[str]:
    """Yield the names of the fields that OpenAI's types do not have, at any depth."""
    if isinstance(value, BaseModel):
        yield from value.model_extra or {}
        for name in type(value).model_fields:
            yield from foreign(getattr(value, name))
    elif isinstance(value, list):
        for each in value:
            yield from foreign(each)
