"""What decides the vectors of an embedding model, told from its folder: nothing is loaded.

Loading takes seconds, and a run that embeds nothing only has to know that an index was made with
this model. Libraries rewrite the files of a model (order, versions, new keys), so the values that
count are taken out of them, not the bytes.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from rag.models.cache import identify, weights_hash
from rag.models.registry import prefixes

# Which settings decide what of a text the network sees, and the files that hold them.
SETTINGS = (
    ("sentence_*config.json", "max_seq_length"),
    ("sentence_*config.json", "do_lower_case"),
    ("tokenizer_config.json", "model_max_length"),
    ("config.json", "max_position_embeddings"),
)


def fingerprint(name: str, folder: Path) -> str:
    """Return 32 hex digits of a SHA-256 over weights, tokenizer, prefixes, modules and window.

    Args:
        name: as the user gives it; counts only where it alone tells the prefixes.
        folder: with the weights, from `rag.models.resolve`.
    """
    facts = [
        weights_hash(folder),
        prompts(name, folder),
        list(_modules(folder)),
        list(_settings(folder)),
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def prompts(name: str, folder: Path) -> tuple[str, str]:
    """Return what to put before queries and before passages.

    The folder tells, or what is known of models of that name.
    """
    found = _object(folder / "config_sentence_transformers.json").get("prompts")
    told = found if isinstance(found, Mapping) else {}
    query = told.get("query") or ""
    passage = told.get("passage") or told.get("document") or ""
    return (query, passage) if query or passage else prefixes(identify(name, folder))


def _modules(folder: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the steps from text to vector, such as pooling: their kinds and settings."""
    steps = _json(folder / "modules.json")
    for step in steps if isinstance(steps, list) else []:
        if isinstance(step, dict):
            kind = str(step.get("type", "")).rpartition(".")[2]
            # The network itself lies in the folder: weights and settings tell it.
            path = str(step.get("path") or "")
            yield kind, _object(folder / path / "config.json") if path else {}


def _settings(folder: Path) -> Iterator[tuple[str, object]]:
    for pattern, key in SETTINGS:
        for path in sorted(folder.glob(pattern)):
            yield key, _object(path).get(key)


def _object(path: Path) -> Mapping[str, object]:
    found = _json(path)
    return found if isinstance(found, dict) else {}


def _json(path: Path) -> object:
    """Return what a file holds; None where it is missing or damaged, which loading tells."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
