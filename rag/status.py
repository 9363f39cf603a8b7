"""What an index is, told without loading a model or a model library."""

import importlib.metadata
import os
from pathlib import Path

from rag import derived
from rag.config import Config
from rag.disk import folder_bytes
from rag.store import Store, index_path
from rag.views import Json

NVIDIA_DEVICE = Path("/dev/nvidiactl")


def index_status(config: Config, index: str) -> Json:
    """Return the numbers, the models and the health of an index.

    `healthy`: the database is in order and what is derived from it is saved whole, of the same
    version. An index that is not may still answer: what is derived is rebuilt on opening.

    Raises:
        IndexNotFound, IndexCorrupt: see `rag.errors`.
    """
    path = index_path(config.index_dir, index)
    store = Store(path)
    try:
        documents, passages = store.count()
        return {
            "index": index,
            "documents": documents,
            "copies": store.count_copies(),
            "passages": passages,
            "embedder": store.meta["embedder"],
            "generator": config.generator,
            "device": device(config.device),
            "vector_index": "flat (exact)",
            "bytes": folder_bytes(path),
            "healthy": store.healthy() and derived.is_saved(store),
        }
    finally:
        store.close()


def device(setting: str) -> str:
    """Return where models will run, as far as can be told without torch: cpu or cuda."""
    if setting != "auto":
        return setting
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return "cuda" if NVIDIA_DEVICE.exists() and not hidden and _torch_has_cuda() else "cpu"


def _torch_has_cuda() -> bool:
    try:
        return not importlib.metadata.version("torch").endswith("+cpu")
    except importlib.metadata.PackageNotFoundError:
        return False
