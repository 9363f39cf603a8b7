"""DOCX: paragraphs, lists and tables in the order of the document's body.

python-docx opens the package; `docx_styles` says what a paragraph is, `docx_text` what it
says. Headers, footers, comments and deleted text are left out; footnotes follow the paragraph
that refers to them.
"""

from io import BytesIO
from pathlib import Path
from typing import Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from lxml import etree

from rag.loaders.docx_styles import Styles
from rag.loaders.docx_text import Writer, paragraph_text
from rag.loaders.package import CORE_PROPERTIES, Kind, check, parsing, properties
from rag.loaders.source import one_line, read_bytes
from rag.types import Parsed

_KIND = Kind("DOCX", "an old Word file (.doc)", ".docx")
_NOTES = (RELATIONSHIP_TYPE.FOOTNOTES, RELATIONSHIP_TYPE.ENDNOTES)


def load(path: Path) -> Parsed:
    """Read path; its title is the properties' title, else its first title or heading.

    Raises:
        LoadError: encrypted, an old .doc, a damaged package, or a bomb (`rag.loaders.package`).
    """
    data = read_bytes(path)
    check(path, data, _KIND)
    with parsing(path, "DOCX", "Word or LibreOffice"):
        document = docx.Document(BytesIO(data))
        writer = Writer(Styles(document.styles.element), _notes(document.part))
        writer.blocks(document.element.body)
        metadata = _properties(document)
    text, headings = writer.result()
    title = metadata.pop("title") or (headings[0].title if headings else "")
    return Parsed(text, title, headings, metadata=metadata)


def _notes(part: Any) -> dict[tuple[str, str], str]:
    """Return the text of each footnote and endnote by its kind ("footnote") and id."""
    notes: dict[tuple[str, str], str] = {}
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    for relation in part.rels.values():
        if relation.reltype in _NOTES and not relation.is_external:
            for note in etree.fromstring(relation.target_part.blob, parser):
                name = etree.QName(note)
                key = (name.localname, note.get(f"{{{name.namespace}}}id", ""))
                paragraphs = note.iter(f"{{{name.namespace}}}p")
                notes[key] = one_line(" ".join(paragraph_text(each).text for each in paragraphs))
    return notes


def _properties(document: Any) -> dict[str, str]:
    """Return title, author ("" where senseless) and date of the core properties."""
    # `document.core_properties` would not find LibreOffice's, whose relation has another
    # prefix, and makes some up where there are none.
    relations = document.part.package.rels.values()
    parts = (each.target_part for each in relations if each.reltype.endswith(CORE_PROPERTIES))
    return properties(next((part.core_properties for part in parts), None))
