"""Markdown (CommonMark): the text is the decoded file, front matter and all."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rag.loaders.encoding import decode
from rag.loaders.front_matter import front_matter
from rag.loaders.source import one_line, read_bytes
from rag.types import Heading, Parsed

# Attribute lists of python-markdown and pandoc after a heading: "{ #install }", "{: .note }".
_ATTRIBUTES = re.compile(r"\s*\{[:#. ][^{}]*\}\s*$")

# Blocks only: inline parsing is most of the time, and only headings need it.
_BLOCKS = MarkdownIt("commonmark").enable("table")
_BLOCKS.core.ruler.enableOnly(["normalize", "block"])
_INLINE = MarkdownIt("commonmark")


def load(path: Path) -> Parsed:
    """Read path; its title is the front matter's, else its first heading of level 1."""
    decoded = decode(path, read_bytes(path))
    text = decoded.text
    metadata, body = front_matter(text)
    found = tuple(headings(text, body))
    first = next((each for each in found if each.level == 1), found[0] if found else None)
    title = metadata.pop("title", "") or (first.title if first else "")
    return Parsed(text, title, found, metadata=metadata | decoded.metadata)


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
