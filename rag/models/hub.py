"""The Hugging Face hub and the cache that its library keeps on this machine."""

import json
from collections.abc import Sequence
from pathlib import Path

from rag.errors import ModelError, ModelNotFound

# Weights, settings, tokenizers and chat templates: none of these can hold code that is run on
# loading. All else stays where it is: pickles, Python, the same weights for other programs.
WANTED = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]
FOREIGN = ["onnx/*", "openvino/*"]
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def cached(name: str) -> Path | None:
    """Return the folder of a model that the hub's cache holds whole, or None."""
    import huggingface_hub

    try:
        folder = Path(huggingface_hub.snapshot_download(name, local_files_only=True))
    except (OSError, ValueError):  # not there; or not the form of a name
        return None
    return folder if has_model(folder) else None


def download(name: str) -> Path:
    """Return the folder of a model, fetched from the hub into the hub's cache.

    Raises:
        ModelNotFound: with the hub's reason.
        ModelError: its weights are pickled only, which can run code when they are read.
    """
    import huggingface_hub

    try:
        files = huggingface_hub.list_repo_files(name)
        _refuse_pickles(name, files)
        folder = huggingface_hub.snapshot_download(
            name, allow_patterns=WANTED, ignore_patterns=FOREIGN
        )
    except ModelError:
        raise
    except Exception as error:  # a dozen kinds, with no common root
        lines = str(error).strip().splitlines()
        raise ModelNotFound(f"hub: {lines[0] if lines else type(error).__name__}") from error
    if not has_model(Path(folder)):
        raise ModelNotFound(f"hub: {name} holds no model that transformers could load")
    return Path(folder)


def _refuse_pickles(name: str, files: Sequence[str]) -> None:
    pickles = [file for file in files if file.endswith(PICKLED)]
    if pickles and not any(file.endswith(".safetensors") for file in files):
        raise ModelError(
            f"{name} has its weights on the hub as {pickles[0]} only, which can run code when "
            "it is read, so it is not fetched; expected safetensors: name a model that has them, "
            "or convert it where you trust it and give the folder"
        )


def has_model(folder: Path) -> bool:
    """Return whether folder holds a configuration and all of the weights."""
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        return False
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return any(folder.glob("*.safetensors")) or any(folder.glob("*.bin"))
    try:
        shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
    except (ValueError, KeyError, AttributeError):
        return False
    return all((folder / shard).is_file() for shard in shards)
