"""The hub behind a stand-in for its library."""

import json
import sys
import types
from pathlib import Path

import pytest
from huggingface_hub.utils import filter_repo_objects

from rag.errors import ModelError, ModelNotFound
from rag.models import hub


def install(monkeypatch: pytest.MonkeyPatch, **functions: object) -> None:
    module = types.SimpleNamespace(**functions)
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)


def refuse(*_: object, **__: object) -> None:
    raise OSError("We couldn't connect\nsecond line")


def test_the_cache_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cached snapshot counts only when its weights are there."""
    install(monkeypatch, snapshot_download=lambda name, local_files_only: str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    assert hub.cached("a/b") is None
    (tmp_path / "model.safetensors").write_bytes(b"x")
    assert hub.cached("a/b") == tmp_path


def test_an_uncached_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the library raises for an unknown name is not an error here."""
    install(monkeypatch, snapshot_download=refuse)
    assert hub.cached("a/b") is None


def test_every_shard_must_be_there(tmp_path: Path) -> None:
    """A model in several files is whole when all that its index names exist."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "one.safetensors").write_bytes(b"x")
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}))
    assert not hub.has_model(tmp_path)
    (tmp_path / "two.safetensors").write_bytes(b"x")
    assert hub.has_model(tmp_path)
    index.write_text("not json")
    assert not hub.has_model(tmp_path)


FILES = [
    "config.json", "1_Pooling/config.json", "model.safetensors", "tokenizer.json", "vocab.txt",
    "tokenizer.model", "chat_template.jinja",
]  # fmt: skip
UNWANTED = [
    "pytorch_model.bin", "tf_model.h5", "model.gguf", "onnx/model.onnx", "onnx/config.json",
    "openvino/openvino_model.bin", "modeling_custom.py", "README.md", "training_args.bin",
]  # fmt: skip


def test_a_download_takes_only_what_can_not_run_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Safetensors, settings and tokenizers; no pickles, no Python, no other programs' weights."""
    kept: list[str] = []

    def download(name: str, **patterns: list[str]) -> str:
        kept[:] = filter_repo_objects(FILES + UNWANTED, **patterns)
        return str(tmp_path)

    install(monkeypatch, list_repo_files=lambda name: FILES + UNWANTED, snapshot_download=download)
    with pytest.raises(ModelNotFound, match="holds no model"):
        hub.download("a/b")
    assert sorted(kept) == sorted(FILES)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"x")
    assert hub.download("a/b") == tmp_path


def test_pickled_weights_are_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model without safetensors is refused, with the remedy, before anything is fetched."""
    files = ["config.json", "pytorch_model.bin"]
    install(
        monkeypatch,
        list_repo_files=lambda name: files,
        snapshot_download=lambda *_, **__: pytest.fail("fetched"),
    )
    with pytest.raises(ModelError, match=r"a/b .*pytorch_model\.bin only.*safetensors") as caught:
        hub.download("a/b")
    assert not isinstance(caught.value, ModelNotFound)


def test_a_hub_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first line of the library's complaint is the reason."""
    install(monkeypatch, list_repo_files=refuse)
    with pytest.raises(ModelNotFound, match=r"^hub: We couldn't connect$"):
        hub.download("a/b")
