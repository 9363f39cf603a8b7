"""What names an embedding model to the indexes made with it, told without loading it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.models import fingerprint, prompts

FILES: dict[str, object] = {
    "config.json": {"model_type": "bert", "max_position_embeddings": 512},
    "modules.json": [
        {"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ],
    "1_Pooling/config.json": {"pooling_mode_mean_tokens": True},
    "sentence_bert_config.json": {"max_seq_length": 256},
    "config_sentence_transformers.json": {"prompts": {"query": "q: ", "document": "d: "}},
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder as sentence-transformers writes it, but for its few bytes of weights."""
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    return tmp_path


def change(model: Path, name: str, **values: object) -> None:
    """Set values of one of the model's files."""
    (model / name).write_text(json.dumps(json.loads((model / name).read_text()) | values))


def test_the_same_model_elsewhere_is_the_same(model: Path) -> None:
    """Neither its name, nor the layout of its files, nor what does not decide vectors counts."""
    before = fingerprint("someone/model", model)
    assert len(before) == 32 and int(before, 16)
    change(model, "config.json", transformers_version="5.23")
    change(model, "config_sentence_transformers.json", similarity_fn_name="cosine")
    modules = json.loads((model / "modules.json").read_text())
    modules[1]["type"] = "sentence_transformers.sentence_transformer.modules.Pooling"
    (model / "modules.json").write_text(json.dumps(modules, indent=4))
    assert fingerprint("elsewhere", model) == before


CHANGES: dict[str, Callable[[Path], object]] = {
    "weights": lambda m: (m / "model.safetensors").write_bytes(b"others!"),
    "tokenizer": lambda m: (m / "tokenizer.json").write_text("{}"),
    "prefix": lambda m: change(m, "config_sentence_transformers.json", prompts={"query": "x"}),
    "pooling": lambda m: change(m, "1_Pooling/config.json", pooling_mode_mean_tokens=False),
    "steps": lambda m: (m / "modules.json").write_text("[]"),
    "window": lambda m: change(m, "sentence_bert_config.json", max_seq_length=128),
    "positions": lambda m: change(m, "config.json", max_position_embeddings=128),
    "damage": lambda m: (m / "modules.json").write_text('["no object", {"path"'),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_decides_the_vectors_counts(model: Path, name: str) -> None:
    """Each of these makes another model."""
    before = fingerprint("model", model)
    CHANGES[name](model)
    assert fingerprint("model", model) != before


def test_prompts_are_the_folder_s_or_those_of_its_family(model: Path) -> None:
    """A folder that names none is judged by its name."""
    assert prompts("someone/e5-small", model) == ("q: ", "d: ")
    change(model, "config_sentence_transformers.json", prompts={"passage": "p: "})
    assert prompts("someone/e5-small", model) == ("", "p: ")
    for none in ({"query": "", "document": None}, None, ["query"]):
        change(model, "config_sentence_transformers.json", prompts=none)
        assert prompts("someone/e5-small", model) == ("query: ", "passage: ")
        assert prompts("someone/tiny", model) == ("", "")
