"""YAML front matter: what a text says of itself between two rules at its top."""

import re

import yaml

from rag.loaders.source import one_line

_BLOCK = re.compile(r"---[ \t]*\n(.{0,20000}?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S | re.M)
_ALIASES = {"language": "lang", "locale": "lang", "authors": "author"}


def front_matter(text: str) -> tuple[dict[str, str], int]:
    """Return the values at the top of a text, and where the text goes on behind them.

    Without front matter there are no values, and the text goes on at 0. Malformed YAML gives no
    values either, but is not the text.
    """
    match = _BLOCK.match(text)
    values = _values(match.group(1)) if match else None
    if match is None or values is None:
        return {}, 0
    return values, match.end()


def key(name: str) -> str:
    """Return the metadata's name for a key: in small letters, "lang" for "Language"."""
    name = one_line(name).lower()
    return _ALIASES.get(name, name)


def _values(source: str) -> dict[str, str] | None:
    """Return the scalar values (and lists of scalars, joined by ", ") of a YAML block.

    Values stay as written ("1.10", "yes"): the base loader builds strings only. Malformed YAML
    gives no values; None means that the block is no front matter but text between two rules.
    """
    try:
        block = yaml.load(source, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        return {}
    if block is not None and not isinstance(block, dict):
        return None
    values: dict[str, str] = {}
    for name, value in (block or {}).items():
        parts = value if isinstance(value, list) else [value]
        if isinstance(name, str) and all(isinstance(part, str) for part in parts):
            values[key(name)] = ", ".join(map(one_line, parts))
    return values
