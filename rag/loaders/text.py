"""Plain text: the text is the decoded file.

It has no headings: on real articles the rule "a short line alone between blank lines, before
prose" took captions for headings and missed half of the headings, and a wrong section
misleads where none does not (docs/decisions/0003-loaders.md).
"""

from pathlib import Path

from rag.loaders.encoding import decode
from rag.loaders.source import first_line, read_bytes
from rag.types import Parsed


def load(path: Path) -> Parsed:
    """Read path; its title is its first line where that is short enough for one.

    Raises:
        LoadError: not text, or of unknown encoding.
    """
    decoded = decode(path, read_bytes(path))
    return Parsed(decoded.text, first_line(decoded.text), metadata=decoded.metadata)
