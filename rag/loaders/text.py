"""Plain text: the text is the decoded file, front matter and all.

It has no headings: on real articles the rule "a short line alone between blank lines, before
prose" took captions for headings and missed half of the headings, and a wrong section
misleads where none does not (docs/decisions/0003-loaders.md).
"""

from pathlib import Path

from rag.loaders.encoding import decode
from rag.loaders.front_matter import front_matter
from rag.loaders.source import first_line, read_bytes
from rag.types import Parsed


def load(path: Path) -> Parsed:
    """Read path; its title is the front matter's, else its first line if short enough for one.

    Raises:
        LoadError: not text, or of unknown encoding.
    """
    decoded = decode(path, read_bytes(path))
    metadata, body = front_matter(decoded.text)
    title = metadata.pop("title", "") or first_line(decoded.text[body:])
    return Parsed(decoded.text, title, metadata=metadata | decoded.metadata)
