"""A mail message as text: a block of headers, the body, and the names of what is attached.

The parser is the standard library's under its oldest policy, compat32: it raises on next to
nothing, where the newer policies raise on many malformed headers. What it leaves undecoded
(8-bit headers, characters split between two encoded words, wrong charsets) is decoded here,
with `rag.loaders.encoding`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from pathlib import Path

from rag.errors import LoadError
from rag.loaders import html
from rag.loaders.encoding import UTF8, decode
from rag.loaders.source import one_line
from rag.types import Heading, Parsed

_SHOWN = ("Subject", "From", "To", "Cc", "Date")
MAX_HEADER = 20_000
"""Characters of a header that are decoded: the standard library's time grows with their square."""
MAX_HTML = 16 * 1024 * 1024
"""Bytes of an HTML body; as a tree of small elements it is forty times as large."""

_KNOWN = frozenset({"subject", "from", "to", "date", "received", "message-id", "sender"})


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as text; `headers` are the shown ones by name, only those that it has.

    `headings` are those of its HTML, one level lower: the subject is the first.
    """

    text: str
    headers: dict[str, str]
    headings: tuple[Heading, ...]


@dataclass(slots=True)
class _Body:
    """What a part of a message comes to."""

    pages: list[Parsed] = field(default_factory=list)
    attached: list[str] = field(default_factory=list)


def read(path: Path, data: bytes) -> Mail | None:
    """Return a message; None where data does not begin with a header of mail.

    Args:
        path: named in errors only.
        data: the message, without mbox's quoting.
    """
    message = message_from_bytes(data)
    if _KNOWN.isdisjoint(name.lower() for name in message.keys()):  # noqa: SIM118 (no mapping)
        return None
    found = {name: _header(path, message, name) for name in _SHOWN}
    headers = {name: value for name, value in found.items() if value}
    body = _body(path, message)
    blocks = ["\n".join(f"{name}: {value}" for name, value in headers.items())]
    start, headings = len(blocks[0]) + 2 * bool(headers), []
    for page in body.pages:
        headings += [replace(h, start=start + h.start, level=h.level + 1) for h in page.headings]
        start += len(page.text) + 2
        blocks.append(page.text)
    if body.attached:
        blocks.append("Attachments: " + ", ".join(body.attached))
    return Mail("\n\n".join(filter(None, blocks)), headers, tuple(headings))


def metadata(mail: Mail) -> dict[str, str]:
    """Return from, to, cc and date where the message has them."""
    return {name.lower(): value for name, value in mail.headers.items() if name != "Subject"}


# -- headers ----------------------------------------------------------------------------------


def _header(path: Path, message: Message, name: str) -> str:
    """Return a header decoded, its values joined where it stands more than once."""
    values = [value for key, value in message.raw_items() if key.lower() == name.lower()]
    charset = message.get_content_charset("")
    return ", ".join(filter(None, (_words(path, str(value), charset) for value in values)))


def _words(path: Path, raw: str, charset: str = "") -> str:
    """Return a raw header value decoded: encoded words, or bytes in the message's charset."""
    raw = raw[:MAX_HEADER]
    try:
        data = raw.encode("ascii", "surrogateescape")
        words = decode_header(raw)
    except (UnicodeEncodeError, HeaderParseError):  # decoded already, or not decodable
        return one_line(raw)
    if not data.isascii():
        return one_line(_decoded(path, data, charset))
    return one_line("".join(
        word if isinstance(word, str) else _decoded(path, word, label or "")
        for word, label in words
    ))  # fmt: skip


def _decoded(path: Path, data: bytes, charset: str) -> str:
    try:
        return decode(path, data, charset).text
    except LoadError:
        return data.decode(UTF8, "replace")


# -- body -------------------------------------------------------------------------------------


def _body(path: Path, part: Message) -> _Body:
    """Return what is to be read of a part, and the names of what is not."""
    if not part.is_multipart() or part.get_content_maintype() == "message":
        return _leaf(path, part)
    bodies = [(child, _body(path, child)) for child in _children(part)]
    body = _Body(attached=[name for _, each in bodies for name in each.attached])
    if part.get_content_subtype() == "alternative":
        bodies = _best(bodies)
    for _, each in bodies:
        body.pages += each.pages
    return body


def _children(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    yield from (child for child in payload if isinstance(child, Message))


def _best(bodies: list[tuple[Message, _Body]]) -> list[tuple[Message, _Body]]:
    """Return the plain one of several renderings, else the last that has text."""
    filled = [(child, body) for child, body in bodies if body.pages]
    plain = [each for each in filled if each[0].get_content_type() == "text/plain"]
    return (plain[:1] or filled[-1:])[:1]


def _leaf(path: Path, part: Message) -> _Body:
    kind = part.get_content_type()
    name = _words(path, str(part.get_filename("")))
    readable = kind in ("text/plain", "text/html")
    in_file = part.get_param("filename", None, "content-disposition") is not None
    if not readable or in_file or part.get_content_disposition() == "attachment":
        return _Body(attached=_named(path, part, name, kind))
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes) or not data.strip():
        return _Body()
    if kind == "text/html" and len(data) > MAX_HTML:
        return _Body(attached=[f"a body of {len(data) >> 20} MiB, not read ({kind})"])
    charset = part.get_content_charset("")
    try:
        if kind == "text/plain":
            page = Parsed(decode(path, data, charset).text.strip("\n").rstrip(), "")
        else:
            declared = charset or html.declared_encoding(data)
            page = html.parse(decode(path, data, declared).text, whole=True)
    except LoadError:
        return _Body(attached=[f"a body that is no text ({kind})"])
    return _Body([page]) if page.text.strip() else _Body()


def _named(path: Path, part: Message, name: str, kind: str) -> list[str]:
    """Return the name of an attachment; none for pictures of a layout, which have no name."""
    if kind == "message/rfc822" and not name:
        inner = next(_children(part), None)
        name = _header(path, inner, "Subject") if inner is not None else ""
    if not name and part.get_content_disposition() != "attachment":
        return []
    return [f"{name or 'unnamed'} ({kind})"]
