"""HTML: lxml's tree, and of it what a reader of the page would read.

Text outside <main> or a lone <article> is left out where there is one, as are navigation,
banners, asides, form controls and whatever is hidden. Nothing is fetched and no entity is
resolved: the HTML parser of libxml2 knows neither.
"""

import re
from dataclasses import replace
from email.message import Message
from pathlib import Path
from typing import Any

from lxml import etree

from rag.loaders.encoding import UTF8, decode
from rag.loaders.html_text import Writer
from rag.loaders.source import failure, one_line, read_bytes
from rag.types import Parsed

_SKIPPED_TAGS = (
    "script style noscript template nav head title button select option datalist input textarea "
    "svg canvas iframe object embed audio video map meter progress annotation rp menu"
)
_SKIPPED = frozenset(_SKIPPED_TAGS.split())
_BOILERPLATE = frozenset({"header", "footer", "aside"})
_CONTENT = frozenset({"main", "article", "section"})
_SKIPPED_ROLES = frozenset(
    ["navigation", "search", "menu", "menubar", "dialog", "alertdialog", "doc-toc", "doc-pagelist"]
)
_BOILERPLATE_ROLES = frozenset({"banner", "contentinfo", "complementary"})
_INLINE = frozenset({"a", "span", "i", "b", "em", "small", "sup", "sub"})
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
# What generators of documentation add: links from a heading to itself, and line numbers.
_FURNITURE = frozenset({"headerlink", "linenos", "linenodiv", "mw-editsection", "skip-link"})
# Elements of these classes lead to other places, where links make up most of their text: the way
# down to the page, those before and after it, its contents, the manual's.
_NAVIGATION_CLASSES = (
    "breadcrumb breadcrumbs contents nav-panel navbar navigation navpath pager pagination "
    "prev-next-area prev-next-footer related related-pages rst-footer-buttons sidebar "
    "sphinxsidebar toc tableofcontents"
)
_NAVIGATION = frozenset(_NAVIGATION_CLASSES.split())
_PERMALINKS = frozenset({"#", "¶", "§", "🔗"})
_XML_ENCODING = re.compile(rb"""\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)""")
_PRESCAN = 8192
_META = {
    "author": ("author", "dc.creator", "dcterms.creator", "article:author", "citation_author"),
    "date": ("article:published_time", "date", "dc.date", "dcterms.date", "dcterms.created",
             "citation_publication_date", "datepublished", "pubdate"),
    "description": ("description", "og:description", "dc.description"),
}  # fmt: skip


def load(path: Path) -> Parsed:
    """Read path; its title is <title>, else its first heading.

    Raises:
        LoadError: not text, of unknown encoding, or without any text in its body.
    """
    data = read_bytes(path)
    decoded = decode(path, data, declared_encoding(data))
    page = parse(decoded.text)
    if not page.text:
        problem = "holds no text: its page is empty, or is written by scripts when it is shown"
        raise failure(path, f"{problem}; save the page from a browser as it is shown")
    return replace(page, metadata={**page.metadata, **decoded.metadata})


def parse(html: str, *, whole: bool = False) -> Parsed:
    """Return the text of a page, "" where it has none.

    Args:
        html: the page.
        whole: its body is all content, as in a book's chapter or a mail: nothing is looked for
            around it, and its header, footer and asides are read.
    """
    root = _tree(html.encode(UTF8))
    if root is None:
        return Parsed("", "")
    writer = Writer()
    if whole:
        body = root.find("body")
        _write(writer, root if body is None else body, whole=True)
    else:
        _write(writer, _content(root))
    text, headings = writer.result()
    title = _first(root, "//head/title/text()") or (headings[0].title if headings else "")
    return Parsed(text, title, headings, metadata=_metadata(root))


def declared_encoding(data: bytes) -> str:
    """Return the encoding named by the XML declaration or a <meta> near the top, else ""."""
    if match := _XML_ENCODING.match(data[:_PRESCAN]):
        return match.group(1).decode("ascii")
    root = _tree(data[:_PRESCAN].decode("latin-1").encode(UTF8))
    if root is None:
        return ""
    if charset := _first(root, "//meta/@charset"):
        return charset
    for meta in root.xpath("//meta[@http-equiv and @content]"):
        if meta.get("http-equiv").lower() == "content-type":
            message = Message()
            message["Content-Type"] = one_line(meta.get("content"))
            return message.get_content_charset("")
    return ""


def _tree(data: bytes) -> Any:
    """Return the root of data (UTF-8), None where there is not one element in it."""
    # huge_tree lifts the depth of 256, below which libxml2 drops everything without a word.
    parser = etree.HTMLParser(
        encoding=UTF8, no_network=True, huge_tree=True, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError:  # nothing to parse
        return None


def _content(root: Any) -> Any:
    """Return the element that holds the page's own text: main, a lone article, or all."""
    body = root.find("body")
    whole = root if body is None else body
    mains = whole.xpath(".//main | .//*[@role='main']")
    main = max(mains, key=_length, default=None)
    if main is not None and _length(main):
        # A heading of the page that stands outside of its article belongs to the text too.
        return main if main.xpath(".//h1[not(ancestor::article)]") else _lone_article(main)
    return _lone_article(whole)


def _lone_article(whole: Any) -> Any:
    """Return the article of an element if that is what the element is about, else itself."""
    articles = whole.xpath(".//article[not(ancestor::article)]")
    # A page of teasers has many articles; a short one may stand beside text that counts.
    if len(articles) == 1 and 2 * _length(articles[0]) >= _length(whole):
        return articles[0]
    return whole


def _length(element: Any) -> int:
    return len(one_line(element.xpath("string()")))


def _write(writer: Writer, top: Any, *, whole: bool = False) -> None:
    """Send what is visible of top to writer, in document order and without recursion."""
    skipped = None
    inside = 1 if whole or top.tag in _CONTENT else 0
    walk = etree.iterwalk(top, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        if event == "start":
            if element is not top and _is_skipped(element, bool(inside)):
                skipped = element
                walk.skip_subtree()
                continue
            inside += tag in _CONTENT
            writer.open(tag, element)
            writer.text(element.text or "")
            continue
        if element is skipped:
            skipped = None
        else:
            inside -= tag in _CONTENT
            writer.close(tag)
        if element is not top:
            writer.text(element.tail or "")


def _is_skipped(element: Any, inside: bool) -> bool:
    tag, role = element.tag, element.get("role", "")
    if tag in _SKIPPED or role in _SKIPPED_ROLES or element.get("hidden") is not None:
        return True
    if not inside and (tag in _BOILERPLATE or role in _BOILERPLATE_ROLES):
        return True
    if tag == "dialog" and element.get("open") is None:
        return True
    # On a block it often means "behind an open dialog" in saved pages; on a span, an icon.
    if tag in _INLINE and element.get("aria-hidden") == "true":
        return True
    if tag == "a" and element.xpath("string()").strip() in _PERMALINKS:
        return True
    classes = element.get("class", "").split()
    if not _NAVIGATION.isdisjoint(classes) and _mostly_links(element):
        return True
    return bool(_INVISIBLE.search(element.get("style", ""))) or not _FURNITURE.isdisjoint(classes)


def _mostly_links(element: Any) -> bool:
    return 2 * sum(map(_length, element.xpath(".//a[@href]"))) > _length(element)


def _first(root: Any, xpath: str) -> str:
    return next((one_line(str(found)) for found in root.xpath(xpath) if found.strip()), "")


def _metadata(root: Any) -> dict[str, str]:
    """Return lang, author, date and description where the page states them."""
    stated: dict[str, str] = {}
    for meta in root.xpath("//meta[@content]"):
        name = meta.get("name") or meta.get("property") or meta.get("itemprop") or ""
        stated.setdefault(name.strip().lower(), one_line(meta.get("content")))
    values = {key: next((stated[n] for n in names if stated.get(n)), "")
              for key, names in _META.items()}  # fmt: skip
    lang = root.get("lang") or root.get("xml:lang") or stated.get("content-language", "")
    return {"lang": lang} | values
