"""What a paragraph of a DOCX is: a heading of some level, a list item, an entry of a contents.

A style's id and shown name depend on the language of Word, the name stored in the file
("heading 1") does not; an outline level, on a style or on the paragraph, tells as well.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from docx.oxml.ns import nsmap

_HEADING_NAME = re.compile(r"heading ([1-9])", re.I)
_CONTENTS_NAME = re.compile(r"toc \d", re.I)
_BODY_LEVEL = 9
_DEEPEST_CHAIN = 20


@dataclass(frozen=True, slots=True)
class Role:
    """What a paragraph is; `level` 0 is no heading, `indent` -1 no list item."""

    level: int = 0
    indent: int = -1
    contents: bool = False


class Styles:
    """The styles of one document."""

    def __init__(self, element: Any) -> None:
        self._by_id = {
            style.get(f"{{{nsmap['w']}}}styleId"): style
            for style in element.findall("w:style", nsmap)
        }
        self._style_role = cache(self._role_of_style)

    def role(self, paragraph: Any) -> Role:
        """Return the role of a <w:p>: its own properties count before its style's."""
        role = self._style_role(_value(paragraph, "w:pPr/w:pStyle"))
        level, numbering = _outline_level(paragraph), _value(paragraph, "w:pPr/w:numPr/w:numId")
        indent = role.indent
        if numbering:
            depth = _value(paragraph, "w:pPr/w:numPr/w:ilvl")
            indent = -1 if numbering == "0" else _number(depth, 0)
        return Role(role.level if level is None else level, indent, role.contents)

    def _role_of_style(self, style_id: str) -> Role:
        level: int | None = None
        indent: int | None = None
        contents = False
        for style in self._chain(style_id):
            name = _value(style, "w:name").strip()
            contents = contents or bool(_CONTENTS_NAME.fullmatch(name))
            if level is None:
                level = _outline_level(style)
            if level is None and (match := _HEADING_NAME.fullmatch(name)):
                level = int(match.group(1))
            elif level is None and name.lower() == "title":
                level = 1
            if indent is None and (numbering := _value(style, "w:pPr/w:numPr/w:numId")):
                depth = _value(style, "w:pPr/w:numPr/w:ilvl")
                indent = -1 if numbering == "0" else _number(depth, 0)
        return Role(level or 0, -1 if indent is None else indent, contents)

    def _chain(self, style_id: str) -> Iterator[Any]:
        """Yield the style and those that it is based on; damaged files have cycles."""
        for _ in range(_DEEPEST_CHAIN):
            style = self._by_id.get(style_id)
            if style is None:
                return
            yield style
            style_id = _value(style, "w:basedOn")


def _outline_level(element: Any) -> int | None:
    """Return the heading level set on element: 0 for body text, None where none is set."""
    level = _number(_value(element, "w:pPr/w:outlineLvl"), -1)
    if level < 0:
        return None
    return level + 1 if level < _BODY_LEVEL else 0


def _value(element: Any, path: str) -> str:
    found = element.find(path, nsmap)
    return "" if found is None else str(found.get(f"{{{nsmap['w']}}}val", ""))


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() else default
