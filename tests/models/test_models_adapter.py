"""What was learnt on top of a model: its file, and the weights that it belongs to."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from rag.errors import ModelError
from rag.models import weights_hash
from rag.models.adapter import Adapter, check_base, read_adapter, shipped
from rag.models.registry import MODELS

DOWN = np.array([[1, 2, 3]], np.float16)
UP = np.array([[1], [-1]], np.float16)
HEAD = np.array([0.5], np.float16)
TOLD = {"base": "example/tiny", "weights": "abc", "scale": "2.0"}
TENSORS = {"layer.dense.down": DOWN, "layer.dense.up": UP, "span.bias": HEAD}


def saved(folder: Path, told: dict[str, str] = TOLD, **tensors: np.ndarray) -> Path:
    """Write an adapter into a folder."""
    path = folder / "toy.safetensors"
    save_file(tensors or TENSORS, path, metadata=told)
    return path


def test_a_change_is_the_scaled_product(tmp_path: Path) -> None:
    """2 · up · down, worked by hand; what is no pair is a head."""
    adapter = read_adapter(saved(tmp_path))
    assert (adapter.name, adapter.base, adapter.weights) == ("toy", "example/tiny", "abc")
    assert adapter.changes["layer.dense"].tolist() == [[2, 4, 6], [-2, -4, -6]]
    assert adapter.changes["layer.dense"].dtype == np.float32
    assert list(adapter.heads) == ["span.bias"]


@pytest.mark.parametrize("missing", ["base", "weights", "scale"])
def test_an_adapter_without_its_origin_is_refused(tmp_path: Path, missing: str) -> None:
    """Without it nobody knows what the numbers are to be added to."""
    told = {name: value for name, value in TOLD.items() if name != missing}
    with pytest.raises(ModelError, match=missing):
        read_adapter(saved(tmp_path, told))


def test_half_a_pair_is_refused(tmp_path: Path) -> None:
    """A matrix with inputs and no outputs is no change."""
    with pytest.raises(ModelError, match=r"layer\.dense\.up"):
        read_adapter(saved(tmp_path, **{"layer.dense.down": DOWN}))


def test_a_damaged_or_missing_file_is_told(tmp_path: Path) -> None:
    """Both are an error of ours, with the file's name."""
    path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ModelError, match=r"toy\.safetensors"):
        read_adapter(path)
    with pytest.raises(ModelError, match="can not be read"):
        read_adapter(tmp_path / "none.safetensors")
    with pytest.raises(ModelError, match="nobody"):
        shipped("nobody")


def test_only_the_very_weights_will_do(tmp_path: Path) -> None:
    """One byte more in the weights, and the adapter is for another model."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    adapter = Adapter("toy", "example/tiny", weights_hash(folder), {}, {})
    check_base(adapter, folder)
    (folder / "model.safetensors").write_bytes(b"weights!")
    with pytest.raises(ModelError, match="other weights of example/tiny"):
        check_base(adapter, folder)


@pytest.mark.slow
def test_what_ships_is_for_a_model_of_the_registry_and_small() -> None:
    """At most 12 MB in the repository, on weights that a package index has."""
    folder = Path(__file__).resolve().parents[2] / "rag" / "models" / "adapters"
    for path in folder.glob("*.safetensors"):
        assert path.stat().st_size <= 12_000_000
        assert shipped(path.stem).base in MODELS
    assert shipped("reader").heads["span.weight"].shape == (2, 384)
