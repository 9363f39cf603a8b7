"""The package of an EPUB: which of its files are chapters, in what order, and how they are named.

Read through the standard library's zipfile and lxml; ebooklib, the usual reader, is AGPL. Names
of elements are compared without their namespaces, which old books get wrong.
"""

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from lxml import etree

from rag.loaders.source import one_line

MAX_UNPACKED = 64 * 1024 * 1024
MAX_PART = 16 * 1024 * 1024
"""Bytes of one chapter: as a tree of small elements it is forty times as large."""

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_XHTML = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})
_NCX = "application/x-dtbncx+xml"
_NOBODY = frozenset({"unknown", "unknown author"})
_LEFT_OUT = frozenset({"cover", "toc"})


class Unreadable(Exception):
    """The book can not be read; its text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Label:
    """An entry of the table of contents: the file it leads to, and its words."""

    target: str
    title: str


@dataclass(frozen=True, slots=True)
class Item:
    """A file of the manifest."""

    name: str
    media_type: str
    properties: frozenset[str]


class Book:
    """An open EPUB. What is unpacked of it is counted: MAX_UNPACKED bytes in all."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Read the package's description.

        Raises:
            Unreadable: no EPUB, an encrypted one, or one whose description is damaged.
        """
        self._archive = archive
        self._unpacked = 0
        self._package_name = self._find_package()
        self._package = self._xml(self._package_name)
        self._items = dict(self._manifest())
        navigation = next((i for i in self._items.values() if "nav" in i.properties), None)
        self._navigation_name = navigation.name if navigation else ""
        held = self.holds(self._navigation_name)
        self._navigation = self._xml(self._navigation_name) if held else None

    def metadata(self) -> dict[str, str]:
        """Return title, author, lang, date and publisher, "" for what is not stated."""
        stated: dict[str, list[str]] = {}
        for element in _named(self._package, "metadata", deep=True):
            name = etree.QName(element).localname
            name = element.get("property", "") if name == "meta" else name
            if words := one_line(element.xpath("string()")):
                stated.setdefault(name, []).append(words)
        first = {name: words[0] for name, words in stated.items()}
        authors = stated.get("creator", [])
        language = first.get("language", "")
        return {
            "title": first.get("title", ""),
            "author": ", ".join(name for name in authors if name.lower() not in _NOBODY),
            "lang": "" if language == "en" and self._is_default_language() else language,
            "date": first.get("date", "") or first.get("dcterms:modified", ""),
            "publisher": first.get("publisher", ""),
        }

    def _is_default_language(self) -> bool:
        """Tell whether LibreOffice made the book, which calls a text of any language English."""
        makers = (each.get("content", "") for each in self._package.iter("{*}meta"))
        return any("libepubgen" in maker for maker in makers)

    def chapters(self) -> Iterator[str]:
        """Yield the names of the files of text in reading order, without navigation and cover."""
        left_out = set(self._guide()) | set(self._landmarks())
        seen: set[str] = set()
        for reference in _named(self._package, "spine"):
            item = self._items.get(reference.get("idref", ""))
            if item is None or item.media_type not in _XHTML or "nav" in item.properties:
                continue
            if item.name not in left_out and item.name not in seen:
                seen.add(item.name)
                yield item.name

    def labels(self) -> list[Label]:
        """Return the table of contents in order: EPUB 3's navigation, else EPUB 2's NCX."""
        root = self._navigation
        if root is not None:
            for nav in root.iter("{*}nav"):
                if _type(nav) & {"toc"}:
                    return [self._label(each) for each in nav.iter("{*}a")]
        name = next((i.name for i in self._items.values() if i.media_type == _NCX), "")
        if not name or not self.holds(name):
            return []
        ncx = self._xml(name)
        points = ncx.iter("{*}navPoint")
        found = ((point.find("{*}content"), point.find("{*}navLabel")) for point in points)
        return [
            Label(self._resolved(name, content.get("src", "")), one_line(label.xpath("string()")))
            for content, label in found
            if content is not None and label is not None
        ]

    def holds(self, name: str) -> bool:
        """Tell whether the archive holds a file of that name."""
        return name in self._archive.NameToInfo

    def read(self, name: str) -> bytes:
        """Return a file of the archive.

        Raises:
            Unreadable: it is not there, is encrypted, or too much would be unpacked.
        """
        info = self._archive.NameToInfo.get(name)
        if info is None:
            raise Unreadable(f"lacks its part {name}; fetch it again")
        self._unpacked += info.file_size
        if self._unpacked > MAX_UNPACKED or info.file_size > MAX_PART:
            limit = f"at most {MAX_UNPACKED >> 20} MiB, and {MAX_PART >> 20} MiB a chapter"
            raise Unreadable(f"unpacks to more than it should, {limit}; remove it or split it")
        if info.flag_bits & 1:
            raise Unreadable("is encrypted with a password; save it without one")
        return self._archive.read(info)

    # -- parts of the description -----------------------------------------------------------

    def _find_package(self) -> str:
        container = self._xml(_CONTAINER)
        names = (each.get("full-path", "") for each in container.iter("{*}rootfile"))
        name = next((name for name in names if name), "")
        if not name:
            raise Unreadable("names no package in its container.xml; fetch it again")
        return name

    def _manifest(self) -> Iterator[tuple[str, Item]]:
        locked = self._locked()
        for each in _named(self._package, "manifest"):
            name = self._resolved(self._package_name, each.get("href", ""))
            kind = each.get("media-type", "").strip().lower()
            if name in locked and kind in _XHTML:
                raise Unreadable("is protected against copying (DRM), its chapters are encrypted; "
                                 "ingest a copy without protection")  # fmt: skip
            properties = frozenset(each.get("properties", "").split())
            yield each.get("id", ""), Item(name, kind, properties)

    def _locked(self) -> set[str]:
        """Return the names of the files that are encrypted: fonts often are, in free books too."""
        if not self.holds(_ENCRYPTION):
            return set()
        references = self._xml(_ENCRYPTION).iter("{*}CipherReference")
        return {unquote(each.get("URI", "")) for each in references}

    def _guide(self) -> Iterator[str]:
        for each in _named(self._package, "guide"):
            if each.get("type", "").lower() in _LEFT_OUT:
                yield self._resolved(self._package_name, each.get("href", ""))

    def _landmarks(self) -> Iterator[str]:
        if self._navigation is not None:
            for each in self._navigation.iter("{*}a"):
                if _type(each) & _LEFT_OUT:
                    yield self._resolved(self._navigation_name, each.get("href", ""))

    def _label(self, link: Any) -> Label:
        target = self._resolved(self._navigation_name, link.get("href", ""))
        return Label(target, one_line(link.xpath("string()")))

    def _resolved(self, base: str, href: str) -> str:
        name = unquote(href.partition("#")[0])
        return posixpath.normpath(posixpath.join(posixpath.dirname(base), name)) if name else base

    def _xml(self, name: str) -> Any:
        data = self.read(name)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
        try:
            root = etree.fromstring(data, parser)
        except etree.XMLSyntaxError:  # nothing to recover
            root = None
        if root is None:
            raise Unreadable(f"is no EPUB, or has a damaged part {name}; fetch it again")
        return root


def _named(package: Any, name: str, *, deep: bool = False) -> Iterator[Any]:
    """Yield the elements inside the package's parts of that name."""
    for part in package.iter(f"{{*}}{name}"):
        for element in part.iter() if deep else part:
            if element is not part and isinstance(element.tag, str):
                yield element


def _type(element: Any) -> set[str]:
    return set((element.get("{http://www.idpf.org/2007/ops}type") or "").lower().split())
