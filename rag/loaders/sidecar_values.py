"""What a sidecar (`rag.loaders.sidecar`) states, and how it joins what the document says."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.errors import LoadError
from rag.loaders.encoding import decode
from rag.loaders.front_matter import key
from rag.loaders.source import failure, one_line, read_bytes
from rag.types import Parsed

MAX_SIZE = 1024 * 1024


def applied(document: Path, parsed: Parsed, path: Path) -> Parsed:
    """Return parsed with what its sidecar at path states.

    Raises:
        LoadError: of the document, naming the sidecar: it can not be read or is no flat object.
    """
    try:
        values = _values(path)
    except LoadError as error:
        raise failure(document, f"was not read: its sidecar {path.name} {error.problem}") from error
    except (ValueError, RecursionError) as error:
        told = one_line(str(error))[:200]
        problem = f"was not read: its sidecar {path.name} is no flat JSON object ({told})"
        raise failure(document, f"{problem}; repair or remove the sidecar") from error
    title = values.pop("title", parsed.title)
    return replace(parsed, title=title, metadata={**parsed.metadata, **values})


def _values(path: Path) -> dict[str, str]:
    data = read_bytes(path)
    if len(data) > MAX_SIZE:
        raise ValueError(f"{len(data)} bytes, at most {MAX_SIZE} were expected")
    value = json.loads(decode(path, data).text, parse_int=str, parse_float=str, parse_constant=str)
    if not isinstance(value, dict):
        raise ValueError(f"it holds {type(value).__name__}, not an object")
    return {key(name): _text(name, held) for name, held in value.items()}


def _text(name: str, value: Any) -> str:
    """Return a value as metadata: a list's items joined by ", ", "" for null."""
    if isinstance(value, list) and not any(isinstance(item, list) for item in value):
        return ", ".join(_text(name, item) for item in value)
    if value is None or isinstance(value, str):
        return one_line(value or "")
    if isinstance(value, bool):
        return "true" if value else "false"
    raise ValueError(f"the value of {one_line(name)[:40]!r} is nested")
