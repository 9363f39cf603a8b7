"""Metadata beside a document: report.pdf.meta.json says what report.pdf does not say of itself.

A flat JSON object: keys as in front matter, values strings, numbers, true and false, or lists of
them. It goes before what the document says; null takes a value away. The name holds the
document's whole name, since report.pdf and report.docx may lie in one folder.
"""

from pathlib import Path

SUFFIX = ".meta.json"


def beside(document: Path) -> Path:
    """Return where the sidecar of a document would lie."""
    return document.with_name(document.name + SUFFIX)


def document_of(path: Path) -> Path | None:
    """Return the document whose sidecar path is by its name; None for other names."""
    name = path.name
    if len(name) > len(SUFFIX) and name.lower().endswith(SUFFIX):
        return path.with_name(name[: -len(SUFFIX)])
    return None
