"""ODT: odfdo opens the package, `odt_text` writes its body.

Headers, footers, comments, deleted and hidden text are left out; footnotes follow the paragraph
that refers to them. A page is where a program breaks one, so there are none.
"""

from io import BytesIO
from pathlib import Path

from odfdo import Document

from rag.loaders.odt_text import Body, Styles
from rag.loaders.package import Kind, check, parsing, stated
from rag.loaders.source import failure, read_bytes
from rag.loaders.written import Writer
from rag.types import Parsed

_KIND = Kind("ODT", "a Word file (.doc)", ".odt")
_MANIFEST = "META-INF/manifest.xml"
_TEXTS = frozenset({"text", "text-template", "text-master", "text-web"})
_TITLE = "Title"


def load(path: Path) -> Parsed:
    """Read path; its title is the properties' title, else its first title or heading.

    Raises:
        LoadError: encrypted, no text document, damaged, a bomb, or too much text.
    """
    data = read_bytes(path)
    check(path, data, _KIND)
    with parsing(path, "ODT", "LibreOffice"):
        return _parsed(path, Document(BytesIO(data)))


def _parsed(path: Path, document: Document) -> Parsed:
    if b"encryption-data" in _manifest(document):
        raise failure(path, "is encrypted; save a copy without the password")
    if (kind := document.get_type()) not in _TEXTS:
        raise failure(path, f"is no text but a {kind} of OpenDocument; give it its true suffix")
    writer = Writer(path)
    Body(writer, _styles(document)).blocks(document.body)
    headings = writer.headings
    metadata = _properties(document)
    title = metadata.pop("title") or (headings[0].title if headings else "")
    return Parsed(writer.text, title, headings, metadata=metadata)


def _manifest(document: Document) -> bytes:
    part = document.container.get_part(_MANIFEST) if document.container else None
    return part if isinstance(part, bytes) else b""


def _styles(document: Document) -> Styles:
    """Return which styles make a paragraph the title, and which hide a text."""
    parents, hidden = {}, set()
    for style in document.get_styles():
        if not (name := style.get_attribute_string("style:name")):
            continue
        parents[name] = style.get_attribute_string("style:parent-style-name")
        for properties in style.get_elements("style:text-properties"):
            if properties.get_attribute_string("text:display") == "none":
                hidden.add(name)
    titles = {name for name, parent in parents.items() if _TITLE in (name, parent)}
    return Styles(frozenset(titles | {_TITLE}), frozenset(hidden))


def _properties(document: Document) -> dict[str, str]:
    """Return title, author ("" where senseless) and date."""
    meta = document.meta
    date = meta.get_element("//meta:creation-date") or meta.get_element("//dc:date")
    values = stated(meta.title, meta.initial_creator or meta.creator)
    return values | {"date": date.text[:10] if date else ""}
