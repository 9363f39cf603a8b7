"""What was learnt on top of a model, shipped with the package: low-rank changes, and heads.

A file in rag/models/adapters: safetensors with, for each changed matrix of the model, `NAME.down`
(r, inputs) and `NAME.up` (outputs, r); the matrix grows by scale · up · down (Hu et al. 2022,
"LoRA"). Other tensors are heads. Its metadata names the model, the hash of the weights that it was
learnt on, and the scale: on other weights the sums mean nothing, so they are refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.models.cache import weights_hash

Floats = NDArray[np.float32]
DOWN, UP = ".down", ".up"


@dataclass(frozen=True, slots=True)
class Adapter:
    """What was learnt.

    Attributes:
        name: of the file, without its ending.
        base: hub id of the model that it was learnt on.
        weights: hash of that model's folder, `rag.models.weights_hash`.
        changes: what to add to each matrix of the model, (outputs, inputs) float32.
        heads: every other tensor.
    """

    name: str
    base: str
    weights: str
    changes: Mapping[str, Floats]
    heads: Mapping[str, Floats]


def shipped(name: str) -> Adapter:
    """Return an adapter of the package.

    Raises:
        ModelError: there is none of that name, or its file is damaged.
    """
    with resources.as_file(resources.files("rag.models") / "adapters") as folder:
        return read_adapter(folder / f"{name}.safetensors")


def read_adapter(path: Path) -> Adapter:
    """Return the adapter in a file.

    Raises:
        ModelError: the file is missing or damaged, or tells no model.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            told = file.metadata() or {}
            tensors = {n: file.get_tensor(n).astype(np.float32) for n in sorted(file.keys())}
    except (OSError, SafetensorError) as error:
        raise ModelError(f"the adapter {path.name} can not be read: {error}") from error
    try:
        changes = _changes(tensors, float(told["scale"]))
        heads = {n: t for n, t in tensors.items() if not n.endswith((DOWN, UP))}
        return Adapter(path.stem, told["base"], told["weights"], changes, heads)
    except (KeyError, ValueError) as error:
        raise ModelError(
            f"the adapter {path.name} is not whole: {error}; expected base, weights and scale in"
            f" its metadata and pairs of NAME{DOWN} and NAME{UP}"
        ) from error


def _changes(tensors: Mapping[str, Floats], scale: float) -> dict[str, Floats]:
    return {
        name.removesuffix(DOWN): (scale * tensors[name.removesuffix(DOWN) + UP] @ down).astype(
            np.float32
        )
        for name, down in tensors.items()
        if name.endswith(DOWN)
    }


def check_base(adapter: Adapter, folder: Path) -> None:
    """Make sure that a folder holds the very weights that an adapter was learnt on.

    Raises:
        ModelError: it holds others.
    """
    found = weights_hash(folder)
    if found != adapter.weights:
        raise ModelError(
            f"the adapter {adapter.name} was learnt on other weights of {adapter.base}"
            f" ({adapter.weights[:12]}) than {folder} holds ({found[:12]}); run"
            f" `rag models pull {adapter.base}` and use the folder it names"
        )
