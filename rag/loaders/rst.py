"""reStructuredText: the text is the decoded file, front matter and all.

docutils says where its sections are.
"""

import re
from itertools import accumulate
from pathlib import Path

from docutils import frontend, nodes
from docutils.parsers.rst import Parser
from docutils.utils import new_document

from rag.loaders.encoding import Decoded, decode
from rag.loaders.front_matter import front_matter
from rag.loaders.source import one_line, read_bytes
from rag.types import Heading, Parsed

# Nothing of another file, no raw HTML, no message to stderr: the document alone is read.
_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 5,
    "halt_level": 5,
    "syntax_highlight": "none",
    "warning_stream": None,
    "line_length_limit": 1_000_000,
}
_NO_LINE_END = re.compile(r"[^\n]")
_FIELDS = {"author": "author", "authors": "author", "date": "date", "language": "lang"}


def load(path: Path) -> Parsed:
    """Read path; its title is the front matter's, else its first section's title."""
    decoded = decode(path, read_bytes(path))
    values, body = front_matter(decoded.text)
    # Blanked, not cut: offsets stay, and docutils sees no section title between the two rules.
    text = _NO_LINE_END.sub(" ", decoded.text[:body]) + decoded.text[body:]
    try:
        tree = _parse(text)
    except Exception:
        # docutils raises on some malformed input; the text is good without its headings.
        return _parsed(decoded, (), values)
    return _parsed(decoded, _headings(text, tree), _fields(tree) | values)


def _parsed(decoded: Decoded, found: tuple[Heading, ...], values: dict[str, str]) -> Parsed:
    title = values.pop("title", "") or (found[0].title if found else "")
    return Parsed(decoded.text, title, found, metadata=values | decoded.metadata)


def _parse(text: str) -> nodes.document:
    settings = frontend.get_default_settings(Parser)
    for name, value in _SETTINGS.items():
        setattr(settings, name, value)
    tree = new_document("", settings)
    Parser().parse(text, tree)
    return tree


def _headings(text: str, tree: nodes.document) -> tuple[Heading, ...]:
    """Return the sections; docutils gives the line of a title's underline, counted from 1."""
    # docutils reads \v and \f as spaces and breaks lines wherever `splitlines` does.
    lines = text.replace("\v", " ").replace("\f", " ").splitlines(keepends=True)
    starts = [0, *accumulate(map(len, lines))]
    found: list[Heading] = []
    for section in tree.findall(nodes.section):
        title = section.next_node(nodes.title)
        if title is not None and section.line and section.line >= 2:
            start, level = starts[section.line - 2], _depth(section)
            if one_line(title.astext()) and (not found or start > found[-1].start):
                found.append(Heading(start, level, one_line(title.astext())))
    return tuple(found)


def _depth(section: nodes.Node) -> int:
    depth, node = 0, section
    while isinstance(node, nodes.section):
        depth, node = depth + 1, node.parent
    return depth


def _fields(tree: nodes.document) -> dict[str, str]:
    """Return author, date and language of the first field list."""
    fields: dict[str, str] = {}
    for found in tree.findall(nodes.field_list):
        for field in found.findall(nodes.field):
            name, body = field[0].astext().lower(), one_line(field[1].astext())
            if name in _FIELDS:
                fields.setdefault(_FIELDS[name], body)
        break
    return fields
