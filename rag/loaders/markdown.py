"""Markdown (CommonMark): the text is the decoded file, front matter and all."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from rag.loaders.encoding import decode
from rag.loaders.source import one_line, read_bytes
from rag.types import Heading, Parsed

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.{0,20000}?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S | re.M)
# Attribute lists of python-markdown and pandoc after a heading: "{ #install }", "{: .note }".
_ATTRIBUTES = re.compile(r"\s*\{[:#. ][^{}]*\}\s*$")
_ALIASES = {"language": "lang", "locale": "lang", "authors": "author"}

# Blocks only: inline parsing is most of the time, and only headings need it.
_BLOCKS = MarkdownIt("commonmark").enable("table")
_BLOCKS.core.ruler.enableOnly(["normalize", "block"])
_INLINE = MarkdownIt("commonmark")


def load(path: Path) -> Parsed:
    """Read path; its title is the front matter's, else its first heading of level 1."""
    decoded = decode(path, read_bytes(path))
    text = decoded.text
    match = _FRONT_MATTER.match(text)
    metadata = front_matter(match.group(1)) if match else {}
    body = match.end() if match and metadata is not None else 0
    metadata = metadata or {}
    found = tuple(headings(text, body))
    first = next((each for each in found if each.level == 1), found[0] if found else None)
    title = metadata.pop("title", "") or (first.title if first else "")
    return Parsed(text, title, found, metadata=metadata | decoded.metadata)


def front_matter(source: str) -> dict[str, str] | None:
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
    for key, value in (block or {}).items():
        parts = value if isinstance(value, list) else [value]
        if isinstance(key, str) and all(isinstance(part, str) for part in parts):
            name = key.strip().lower()
            values[_ALIASES.get(name, name)] = ", ".join(map(one_line, parts))
    return values


def headings(text: str, start: int = 0) -> Iterator[Heading]:
    """Yield the ATX and setext headings of text[start:] that stand in no list or quote."""
    tokens = _BLOCKS.parse(text[start:])
    lines = _line_starts(text, start)
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open" and opening.level == 0 and opening.map:
            title = _title(inline)
            if title:
                yield Heading(lines[opening.map[0]], int(opening.tag[1]), title)


def _line_starts(text: str, start: int) -> list[int]:
    return [start, *(match.end() for match in re.compile("\n").finditer(text, start))]


def _title(inline: Token) -> str:
    """Return a heading's text without its markup and attribute list."""
    source = _ATTRIBUTES.sub("", inline.content)
    children = _INLINE.parseInline(source)[0].children or []
    kept = (
        " " if child.type.endswith("break") else child.content
        for child in children
        if child.type in ("text", "code_inline", "softbreak", "hardbreak", "text_special")
    )
    return one_line("".join(kept)) or one_line(source)
