"""Keys, slots and time, as OpenAI's client sees them; and the default models."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("openai")

import openai
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from api.database import DATABASE, ServiceDatabase
from api.keys import Keys, Scope
from rag.config import DEFAULT_EMBEDDER, Config
from rag.ingest import ingest
from rag.protocols import Message
from rag.testing import HashEmbedder, ScriptedGenerator
from tests.api.openai_clients import ASKED, MODEL, client_of, post, strictly
from tests.api.test_api_streaming import MILK, Slow, running
from tests.cli.runner import DOCUMENTS, QUESTION, write

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("docs")]


def make_key(config: Config, *scopes: Scope, collections: list[str] | None = None) -> str:
    """Return a new key."""
    keys = Keys(ServiceDatabase(config.index_dir / DATABASE))
    return keys.create("test", scopes, collections)[1]


def test_a_key_reaches_its_collections_only(config: Config, tmp_path: Path) -> None:
    """Those of others are not listed, not named in errors, not answered from, not embedded for."""
    folder = write(tmp_path / "more", {"secret.md": "The vault opens with the word porcupine.\n"})
    ingest([folder], "vault", HashEmbedder(), config)
    key = make_key(config, Scope.READ, collections=["default"])
    with running(config, ScriptedGenerator([MILK])) as url:
        client = client_of(url, key)
        assert [model.id for model in client.models.list()] == [MODEL, "hash"]
        assert client.chat.completions.create(model=MODEL, messages=ASKED).model == MODEL
        message: Any = [{"role": "user", "content": "Which word opens the vault?"}]
        asked = (
            lambda: client.chat.completions.create(model="rag:vault", messages=message),
            lambda: client.responses.create(model="rag:vault", input="Which word?"),
            lambda: client.embeddings.create(model="rag:vault", input="vault"),
            lambda: client.models.retrieve("rag:vault"),
        )
        for ask in asked:
            with pytest.raises(openai.NotFoundError) as caught:
                ask()
            assert caught.value.code == "model_not_found"
            assert str(caught.value).count("vault") == 1  # as it was asked for


def test_keys_that_do_not_fit(config: Config) -> None:
    """None or a wrong one is a 401, one of another scope a 403, as the client knows them."""
    key = make_key(config, Scope.WRITE)
    with running(config, ScriptedGenerator([MILK])) as url:
        with pytest.raises(openai.AuthenticationError) as unknown:
            client_of(url).chat.completions.create(model=MODEL, messages=ASKED)
        assert unknown.value.code == "invalid_api_key"
        assert unknown.value.type == "authentication_error" and unknown.value.request_id
        with pytest.raises(openai.PermissionDeniedError):
            client_of(url, key).embeddings.create(model=MODEL, input="cat")


def test_a_key_that_asks_too_often(config: Config) -> None:
    """A 429 after which the client waits as long as it is told."""
    key = make_key(config, Scope.READ)
    with running(replace(config, rate_limit=2), ScriptedGenerator([MILK])) as url:
        client = client_of(url, key)
        with pytest.raises(openai.RateLimitError) as caught:
            for _ in range(4):
                client.models.list()
    assert caught.value.code == "rate_limit_exceeded"
    assert int(caught.value.response.headers["retry-after"]) >= 1


def test_a_server_that_is_full(config: Config) -> None:
    """A 503 at once while another answer is being written, and when to come again."""
    generator = Slow(f"{MILK} And ")
    with running(replace(config, max_active=1, max_waiting=0), generator) as url:
        client = client_of(url)
        stream = client.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
        assert generator.begun.wait(20)
        with pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(model=MODEL, messages=ASKED)
        assert caught.value.status_code == 503 and caught.value.code == "overloaded"
        assert caught.value.response.headers["retry-after"]
        stream.close()
        assert generator.closed.wait(20)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_takes_too_long(config: Config, stream: bool) -> None:
    """The deadline ends it: a 503, or in a stream an error after the claims that stand."""
    generator = Slow(f"{MILK} And ")
    with running(replace(config, deadline=3.0), generator) as url:
        client = client_of(url)
        client.embeddings.create(model=MODEL, input="cat")  # opens the index
        texts: list[str] = []
        with pytest.raises(openai.APIError) as caught:
            found = client.chat.completions.create(model=MODEL, messages=ASKED, stream=stream)
            for chunk in found:
                texts.append(chunk.choices[0].delta.content or "")
        assert caught.value.code == "deadline_exceeded"
        assert generator.closed.wait(20)
        assert not stream or "cold milk" in "".join(texts)


def test_citations_link_to_what_is_cited(config: Config) -> None:
    """The address gives the document's text, with the quote selected in it."""
    with running(config, ScriptedGenerator([MILK])) as url:
        found = client_of(url).chat.completions.create(model=MODEL, messages=ASKED)
        for citation in found.model_extra["citations"]:
            assert citation["url"].startswith(f"{url}/v1/documents/")
            shown = httpx.get(citation["url"]).json()
            start, end = citation["start"] - shown["start"], citation["end"] - shown["start"]
            assert shown["text"][start:end] == citation["quote"]


@pytest.mark.model
def test_the_default_models_speak_to_the_official_client(tmp_path: Path) -> None:
    """Chat, responses, embeddings, streamed and not, in three languages, with real weights."""
    from rag.build import build_embedder, build_generator

    config = Config(index_dir=tmp_path / "real", embedder=DEFAULT_EMBEDDER)
    embedder, generator = build_embedder(config), build_generator(config)
    assert generator is not None
    ingest([write(tmp_path / "some", DOCUMENTS)], "default", embedder, config)
    with running(config, generator, embedder) as url:
        client = client_of(url)
        for question in (QUESTION, "Что пьёт кошка?", "猫每天早上喝什么？"):
            messages: Any = [{"role": "user", "content": question}]
            whole = client.chat.completions.create(model=MODEL, messages=messages, seed=1)
            chunks = client.chat.completions.create(
                model=MODEL, messages=messages, seed=1, stream=True
            )
            text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
            assert text == whole.choices[0].message.content
            assert whole.model_extra["abstained"] or whole.model_extra["citations"]
        body = post(url, "chat/completions", {"model": MODEL, "messages": ASKED})
        told = strictly(ChatCompletion, body.text)
        assert "milk" in told.choices[0].message.content
        text = told.choices[0].message.content
        tokens = [generator.count_tokens([Message("user", each)]) for each in (text, "")]
        assert told.usage.completion_tokens == tokens[0] - tokens[1] > 5
        strictly(Response, post(url, "responses", {"model": MODEL, "input": QUESTION}).text)
        vectors = client.embeddings.create(model=DEFAULT_EMBEDDER, input=["cat", "кошка"])
        assert [len(each.embedding) for each in vectors.data] == [embedder.dim] * 2
