"""Models and embeddings with the official client."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

pytest.importorskip("openai")

import openai
from openai.types import CreateEmbeddingResponse, Model

from api.openai.embeddings import GROUP, embeddings
from api.openai.schemas import EmbeddingsIn
from rag.config import Config
from rag.ingest import ingest
from rag.stopping import Stopped
from rag.testing import HASH_DIM, HashEmbedder, ScriptedGenerator
from tests.api.openai_clients import MODEL, client_of, post, strictly
from tests.api.test_api_streaming import running
from tests.cli.runner import write

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("docs")]

TEXTS = ["The cat drinks cold milk.", "Кошка пьёт молоко.", "猫喝牛奶。"]


@pytest.fixture
def url(config: Config, tmp_path: Path) -> Iterator[str]:
    """A real server over two collections, beside which lies what is none."""
    folder = write(tmp_path / "other", {"whales.txt": "Whales sing under water."})
    ingest([folder], "a-whale", HashEmbedder(), config)
    (config.index_dir / "empty").mkdir()
    (config.index_dir / "README.md").write_text("no index", encoding="utf-8")
    with running(config, ScriptedGenerator(["Whales sing under water [1]."])) as found:
        yield found


@pytest.fixture
def client(url: str) -> Any:
    """OpenAI's client of it."""
    return client_of(url)


def test_collections_are_listed_first(client: Any, url: str) -> None:
    """The default one, the others by name, then the model that embeds."""
    listed = list(client.models.list())
    assert [each.id for each in listed] == ["rag:default", "rag:a-whale", "hash"]
    for each in httpx.get(f"{url}/v1/models").json()["data"]:
        Model.model_validate(each, strict=True)
        assert client.models.retrieve(each["id"]).to_dict() == each
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("rag:nowhere")


def test_without_collections_there_are_no_models(tmp_path: Path) -> None:
    """An empty list; asking says that there is none yet."""
    config = Config(index_dir=tmp_path / "none", embedder="hash", generator="none")
    with running(config, ScriptedGenerator([""])) as url:
        client = client_of(url)
        assert list(client.models.list()) == []
        with pytest.raises(openai.NotFoundError, match="no collection yet"):
            client.embeddings.create(model="hash", input="text")


def test_a_collection_is_chosen_by_name(client: Any) -> None:
    """Each answers from its own documents alone."""
    question: Any = [{"role": "user", "content": "Do whales sing under water?"}]
    found = client.chat.completions.create(model="rag:a-whale", messages=question)
    (cited,) = found.model_extra["citations"]
    assert cited["source"] == "whales.txt" and "collection=a-whale" in cited["url"]
    assert client.chat.completions.create(model=MODEL, messages=question).model_extra["abstained"]


@pytest.mark.parametrize("model", [MODEL, "hash"])
def test_embeddings_are_the_embedders(client: Any, model: str) -> None:
    """In order, of unit length, under either name; the client asks for base64."""
    found = client.embeddings.create(model=model, input=TEXTS)
    expected = HashEmbedder().embed_passages(TEXTS)
    assert np.array_equal(np.array([each.embedding for each in found.data], np.float32), expected)
    assert [each.index for each in found.data] == [0, 1, 2] and found.model == model
    lengths = [len(HashEmbedder.tokenizer.offsets(text)) for text in TEXTS]
    assert found.usage.prompt_tokens == found.usage.total_tokens == sum(lengths)
    single = client.embeddings.create(model=model, input=TEXTS[1], encoding_format="float")
    assert np.allclose(single.data[0].embedding, expected[1])


def test_embeddings_are_some_to_the_letter(url: str) -> None:
    """As numbers, read strictly; as base64, little-endian float32 of the same numbers."""
    body = {"model": MODEL, "input": TEXTS}
    plain = strictly(CreateEmbeddingResponse, post(url, "embeddings", body).text)
    coded = post(url, "embeddings", body | {"encoding_format": "base64"}).json()
    for row, other in zip(plain.data, coded["data"], strict=True):
        numbers = np.frombuffer(base64.b64decode(other["embedding"]), "<f4")
        assert np.array_equal(numbers, np.array(row.embedding, np.float32))


def test_questions_may_be_embedded_as_such(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`input_type` chooses, for models that read questions in another way."""
    monkeypatch.setattr(HashEmbedder, "embed_queries", lambda self, texts: -self._embed(texts))
    passage, query = (
        client.embeddings.create(model=MODEL, input="cat", extra_body={"input_type": kind})
        for kind in ("passage", "query")
    )
    assert passage.data[0].embedding == [-value for value in query.data[0].embedding]


def test_many_texts_are_embedded_in_groups(client: Any) -> None:
    """In order, across the groups."""
    texts = [f"cat {number}" for number in range(2 * GROUP + 3)]
    found = client.embeddings.create(model=MODEL, input=texts)
    expected = HashEmbedder().embed_passages(texts)
    assert np.array_equal(np.array([each.embedding for each in found.data], np.float32), expected)


def test_nobody_is_embedded_for(docs: Path) -> None:
    """Between two groups it is looked up whether anybody still waits."""
    embedder, asked = HashEmbedder(), iter([None, Stopped()])

    def go_on() -> None:
        if (error := next(asked)) is not None:
            raise error

    request = EmbeddingsIn(model=MODEL, input=["cat"] * (2 * GROUP))
    with pytest.raises(Stopped):
        embeddings(request, embedder, go_on)
    assert embedder.embedded == GROUP


def test_dimensions_may_be_named(client: Any) -> None:
    """Those that there are."""
    found = client.embeddings.create(model=MODEL, input="cat", dimensions=HASH_DIM)
    assert len(found.data[0].embedding) == HASH_DIM


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"input": ""}, "invalid_request"),
        ({"input": []}, "invalid_request"),
        ({"input": ["cat", " "]}, "invalid_request"),
        ({"input": [1, 2, 3]}, "invalid_request"),
        ({"input": [[1, 2], [3]]}, "invalid_request"),
        ({"input": ["cat"] * 2049}, "invalid_request"),
        ({"dimensions": 64}, "invalid_request"),
        ({"encoding_format": "int8"}, "invalid_request"),
        ({"input": ["cat", "cat " * 513]}, "context_length_exceeded"),
        ({"input": ["a " * 500] * 601}, "context_length_exceeded"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_can_not_be_embedded_is_refused(client: Any, fields: Any, code: str) -> None:
    """Nothing is cut, and nothing is guessed."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(**{"model": MODEL, "input": "cat"} | fields)
    assert caught.value.code == code


def test_a_model_that_does_not_embed(client: Any) -> None:
    """A 404, as for a chat."""
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="text-embedding-3-small", input="cat")
