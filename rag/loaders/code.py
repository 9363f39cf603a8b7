"""Source code: the text is the decoded file; what it says of itself at its top is its title."""

import re
from collections.abc import Iterator
from pathlib import Path

from rag.loaders.code_kinds import LINE_COMMENT
from rag.loaders.encoding import decode
from rag.loaders.source import failure, first_line, read_bytes
from rag.types import Parsed

MAX_LINE = 100_000

_TOP = 20_000
# PEP 263, which Emacs and Ruby read too.
_CODING = re.compile(rb"\A(?:[^\n]*\n)?[^\n]{0,200}?coding[:=]\s*([-\w.]+)")
_BLOCKS = (
    r'[rRuU]?"""(?P<double>.*?)"""',
    r"[rRuU]?'''(?P<single>.*?)'''",
    r"/\*(?P<c>.*?)\*/",
    r"\(\*(?P<ml>.*?)\*\)",
    r"\{-(?P<haskell>.*?)-\}",
    r"<!--(?P<html>.*?)-->",
)
_DOCSTRINGS = frozenset({"double", "single"})
_SKIPPED = re.compile(r"\s*(?:<\?php\b|\#!\s*/[^\n]*\n|[\"']use strict[\"'];?)?\s*")
_LEGAL = re.compile(
    r"copyright|licen[cs]e|spdx|all rights reserved|©|\bgenerated (?:from|by)\b|do not edit", re.I
)
_FOR_TOOLS = re.compile(
    r"-\*-|\b(?:en)?coding[:=]|\bvim?:|eslint|prettier|@ts-|@flow|@jsx|noqa|pylint|mypy:|ruff:|"
    r"frozen_string_literal|go:build|\+build|syntax\s*=|shellcheck|clang-format|<reference|"
    r"^@?author\b",
    re.I,
)
_FRINGE = re.compile(r"^[\s*#/;%!'=~_|<>-]+|[\s*#/;=~_|-]+$")
_DOXYGEN = re.compile(r"^[@\\](?:file|brief|title|module|package|fileoverview)\b\s*")


def load(path: Path) -> Parsed:
    """Read path; its title is the first line of its docstring or first comment, else its name.

    Raises:
        LoadError: not text, or a line is longer than MAX_LINE, as in minified code.
    """
    data = read_bytes(path)
    declared = _CODING.match(data[:2000])
    decoded = decode(path, data, declared.group(1).decode("ascii") if declared else "")
    text = decoded.text
    longest = max(map(len, text.split("\n")))
    if longest > MAX_LINE:
        problem = f"has a line of {longest} characters, as minified or generated code has"
        raise failure(path, f"{problem}; name it in .ragignore, or ingest what it was made from")
    title = _title(text[:_TOP], LINE_COMMENT.get(path.suffix.lower(), ""))
    return Parsed(text, title or path.name, metadata=decoded.metadata)


def _title(top: str, mark: str) -> str:
    """Return the first line of the first comment that is meant for readers."""
    for block in _comments(top, mark):
        for line in block.split("\n"):
            line = _DOXYGEN.sub("", _FRINGE.sub("", line))
            if any(map(str.isalpha, line)) and not _FOR_TOOLS.search(line):
                return first_line(line)
    return ""


def _comments(top: str, mark: str) -> Iterator[str]:
    """Yield the comments and docstrings before the first line of code, but legal ones."""
    lines = rf"(?P<lines>(?:[ \t]*{re.escape(mark)}[^\n]*(?:\n|\Z))+)"
    block = re.compile("|".join((*_BLOCKS, *([lines] if mark else []))), re.S)
    at = 0
    while True:
        skipped = _SKIPPED.match(top, at)
        at = skipped.end() if skipped else at
        match = block.match(top, at)
        if match is None:
            return
        at = match.end()
        text = match.group(match.lastgroup or 0)
        if match.lastgroup in _DOCSTRINGS or not _LEGAL.search(text):
            yield text
