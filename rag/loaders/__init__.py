"""Files to text: one module a format, imported when the first such file is read.

A format is a module with a function `load(path) -> Parsed` and one line in `_FORMATS`; one
that can hold scanned pages takes the setting `ocr` as well. Every loader is reached through
`LOADERS`, which holds it to the promises of `rag.types.Parsed`: clean text that is not blank, a
title of one line, metadata without empty values.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from rag.errors import LoadError
from rag.loaders import sidecar
from rag.loaders.code_kinds import LINE_COMMENT
from rag.loaders.skipped import is_video, reason_for
from rag.loaders.source import clean, failure, iso_date, one_line
from rag.types import Parsed

Loader = Callable[[Path, str], Parsed]

# Raise it when the text or headings of any format change: every file is then read again.
LOADERS_VERSION = 4

TITLE_LENGTH = 300
_FORMATS: Mapping[str, tuple[str, ...]] = {
    "text": (".txt", ".text", ".log"),
    "markdown": (".md", ".markdown"),
    "rst": (".rst",),
    "html": (".html", ".htm", ".xhtml"),
    "pdf": (".pdf",),
    "docx": (".docx",),
    "json": (".json",),
    "jsonl": (".jsonl", ".ndjson"),
    "ipynb": (".ipynb",),
    "epub": (".epub",),
    "eml": (".eml",),
    "mbox": (".mbox",),
    "code": tuple(LINE_COMMENT),
    "csv": (".csv", ".tsv", ".tab"),
    "xlsx": (".xlsx",),
    "pptx": (".pptx",),
    "odt": (".odt",),
}
_HAVE_SCANS = frozenset({"pdf"})
_KINDS = {suffix: name for name, suffixes in _FORMATS.items() for suffix in suffixes}

_LISTED = " ".join(suffix for suffix, name in _KINDS.items() if name != "code")
KINDS_READ = f"{_LISTED} and source code"
"""For messages: what can be ingested."""


def kind(path: Path) -> str | None:
    """Return the format that `load` would read path as ("pdf"), None where it reads none."""
    if path.name.startswith(("~$", "._", ".")) or sidecar.document_of(path):
        return None
    return _KINDS.get(path.suffix.lower())


def skip_reason(path: Path) -> str | None:
    """Return why a folder's ingest passes path over, None for a kind that is read."""
    if document := sidecar.document_of(path):
        return f"is metadata of {one_line(document.name)}, which is not among the documents read"
    if kind(path) is None:
        return reason_for(path, KINDS_READ)
    return "a video (.ts) holds no text to read" if is_video(path) else None


def load(path: Path, metadata: Path | None = None, ocr: str = "auto") -> Parsed:
    """Read one file.

    Args:
        path: the document.
        metadata: its sidecar (`rag.loaders.sidecar`), None where it has none.
        ocr: how scanned pages are read (`rag.config.Config.ocr`).
    Returns:
        its text and what the file says of itself; the text holds no NUL, no carriage return
        and no lone surrogate, and is never blank.
    Raises:
        LoadError: the kind is not read, or the file is missing, too large, damaged, encrypted
            or without text; or its sidecar is broken. One line: file, problem, remedy.
    """
    reason = skip_reason(path)
    if reason is not None:
        raise failure(path, f"was not read: {reason}")
    parsed = LOADERS[path.suffix.lower()](path, ocr)
    if metadata is None:
        return parsed
    values = import_module("rag.loaders.sidecar_values")
    return _checked(path, values.applied(path, parsed, metadata))


def _lazy(name: str) -> Loader:
    """Return the loader of module `name`, which is imported by the first call."""

    def run(path: Path, ocr: str) -> Parsed:
        given = (path, ocr) if name in _HAVE_SCANS else (path,)
        try:
            parsed: Parsed = import_module(f"rag.loaders.{name}").load(*given)
        except LoadError:
            raise
        except Exception as error:
            # The parsers meet hostile bytes; whatever they raise, the rest of the run goes on.
            told = one_line(f"{type(error).__name__}: {error}")[:200]
            problem = f"could not be read as {name} ({told}); repair it or save it anew"
            raise failure(path, problem) from error
        return _checked(path, parsed)

    return run


def _checked(path: Path, parsed: Parsed) -> Parsed:
    """Return parsed with title and metadata in order; LoadError when its text is blank."""
    if not parsed.text.strip():
        raise failure(path, "holds no text: nothing but white space; remove it or fill it")
    titles = (one_line(parsed.title), one_line(path.stem), "untitled")
    title = next(filter(None, titles))[:TITLE_LENGTH]
    return replace(parsed, title=title, metadata=_metadata(parsed.metadata))


def _metadata(raw: Mapping[str, str]) -> dict[str, str]:
    """Return raw without empty values; "date" holds an ISO date or is absent.

    Filters compare dates as strings, so a date in another form is kept under another key.
    """
    values = {clean(key): clean(value).strip() for key, value in raw.items()}
    values = {key: value for key, value in values.items() if key and value}
    written = values.pop("date", "")
    if date := iso_date(written):
        return values | {"date": date}
    return values | ({"date_as_written": written} if written else {})


LOADERS: Mapping[str, Loader] = {suffix: _lazy(name) for suffix, name in _KINDS.items()}
