"""Jupyter notebooks: each cell a page; code in fences, with the beginning of its text output.

A notebook is JSON of a stable form; the package nbformat would bring nine more to validate it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag.loaders import markdown
from rag.loaders.encoding import decode
from rag.loaders.front_matter import front_matter
from rag.loaders.source import MAX_PAGES, clean, failure, one_line, read_bytes
from rag.types import Heading, Parsed

MAX_SOURCE = 64 * 1024 * 1024
OUTPUT_LINES = 20
OUTPUT_CHARS = 2000

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
# Pictures in the text itself; those of a cell's attachments and outputs are elsewhere.
_DATA = re.compile(r"data:[\w.+-]+/[\w.+;=-]+,[A-Za-z0-9+/=%_-]*")
_FENCES = re.compile(r"^ {0,3}(`{3,})", re.M)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell as text, and the headings of that text."""

    text: str
    headings: tuple[Heading, ...] = ()


def load(path: Path) -> Parsed:
    """Read path; its title is stated, or its first heading. Pictures are left out.

    Raises:
        LoadError: it is no notebook of the formats 3 and 4, is damaged or too large.
    """
    decoded = decode(path, read_bytes(path))
    if len(decoded.text) > MAX_SOURCE:
        problem = f"is too large for a notebook: more than {MAX_SOURCE >> 20} MiB of JSON"
        raise failure(path, f"{problem}; clear its outputs")
    try:
        notebook = json.loads(decoded.text)
        stated = _stated(notebook)
        raw = _raw_cells(notebook)
        cells = [_cell(each, stated.get("kernel", "")) for each in raw]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        told = one_line(f"{type(error).__name__}: {error}")[:120]
        problem = f"is no Jupyter notebook, or a damaged one ({told})"
        raise failure(path, f"{problem}; open it in Jupyter and save it anew") from error
    if len(cells) > MAX_PAGES:
        raise failure(path, f"holds {len(cells)} cells; {MAX_PAGES} were expected; split it")
    text, pages, headings = _joined(cells)
    metadata, _ = front_matter(cells[0].text + "\n" if cells else "")
    metadata = stated | metadata
    title = metadata.pop("title", "") or (headings[0].title if headings else "")
    return Parsed(text, title, headings, pages, metadata | decoded.metadata, "cell")


def _stated(notebook: Any) -> dict[str, str]:
    """Return title, authors and the language of the code, where the notebook states them."""
    metadata = notebook.get("metadata", {})
    authors = [each.get("name", "") for each in metadata.get("authors", [])]
    spec, info = metadata.get("kernelspec", {}), metadata.get("language_info", {})
    stated = {
        "title": metadata.get("title") or metadata.get("name") or "",
        "author": ", ".join(authors),
        "kernel": info.get("name") or spec.get("language") or "",
    }
    return {key: one_line(value) for key, value in stated.items() if value}


def _raw_cells(notebook: Any) -> list[Any]:
    """Return the cells; format 3 has them in worksheets."""
    if "cells" in notebook:
        cells: list[Any] = notebook["cells"]
        return cells
    return [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]


def _joined(cells: list[_Cell]) -> tuple[str, tuple[int, ...], tuple[Heading, ...]]:
    """Return the cells as one text, where each starts, and all headings."""
    pages: list[int] = []
    headings: list[Heading] = []
    length = 0
    for cell in cells:
        pages.append(length)
        if cell.text:
            headings += [replace(each, start=length + each.start) for each in cell.headings]
            length += len(cell.text) + 2
    text = "\n\n".join(cell.text for cell in cells if cell.text)
    return text, tuple(min(page, len(text)) for page in pages), tuple(headings)


def _cell(cell: Any, language: str) -> _Cell:
    kind = cell["cell_type"]
    source = _text(cell.get("source", cell.get("input", ""))).strip("\n").rstrip()
    if kind == "code":
        outputs = map(_output, cell.get("outputs") or [])
        blocks = [_fenced(source, language), *(_fenced(each, "output") for each in outputs)]
        return _Cell("\n\n".join(filter(None, blocks)))
    if kind == "heading":  # format 3
        source = f"{'#' * int(cell.get('level', 1))} {source}"
    if kind in ("markdown", "heading"):
        return _Cell(source, tuple(markdown.headings(source, front_matter(source + "\n")[1])))
    return _Cell(source)


def _output(output: Any) -> str:
    """Return the text of one output of a cell, cut where it is long; "" for a picture."""
    if output["output_type"] in ("error", "pyerr"):
        return _short(f"{output.get('ename', '')}: {output.get('evalue', '')}")
    if output["output_type"] == "stream":
        return _short(_text(output.get("text", "")))
    bundle = output.get("data", output)
    if any(key.startswith("image/") or key in ("png", "jpeg", "svg") for key in bundle):
        return ""  # its text is no more than "<Figure size 640x480 with 1 Axes>"
    kinds = ("text/plain", "text/markdown", "text")
    return _short(_text(next((bundle[kind] for kind in kinds if kind in bundle), "")))


def _short(text: str) -> str:
    text = _ANSI.sub("", text).strip("\n").rstrip()
    lines = text[:OUTPUT_CHARS].split("\n")[:OUTPUT_LINES]
    kept = "\n".join(lines).rstrip()
    return kept if len(kept) == len(text) else f"{kept}\n…"


def _text(value: Any) -> str:
    """Return a multi-line string, which a notebook may hold as a list of lines."""
    if not isinstance(value, str):
        value = "".join(value)
    return _DATA.sub("data:…", clean(value))


def _fenced(text: str, language: str) -> str:
    """Return text in a fence that is longer than any fence in it; "" for no text."""
    if not text.strip():
        return ""
    longest = max(map(len, _runs(text)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _runs(text: str) -> Iterator[str]:
    yield from _FENCES.findall(text)
