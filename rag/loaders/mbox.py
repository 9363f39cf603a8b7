"""A mailbox (mbox): each message a page, its subject a heading.

The standard library's `mailbox` is not used: it opens the file for writing, parts it at every
line that begins with "From ", which unquoted text does, and leaves the quoting (">From ") in.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rag.loaders import mail
from rag.loaders.source import MAX_PAGES, failure, read_bytes
from rag.types import Heading, Parsed

# "From someone Sat Jan  3 01:05:34 1996", and a header (or a second such line) below it.
_SEPARATOR = re.compile(rb"^From [^\r\n]*\d:\d\d[^\r\n]*\r?\n(?=[!-9;-~]+:|>?From )", re.M)
_QUOTED = re.compile(rb"^>(>*From )", re.M)


def load(path: Path) -> Parsed:
    """Read path; page n is its n-th message.

    Raises:
        LoadError: no line of the form "From address date" begins it; or too many messages.
    """
    parts: list[str] = []
    pages: list[int] = []
    headings: list[Heading] = []
    length = 0
    for number, data in enumerate(_messages(path, read_bytes(path)), start=1):
        pages.append(length)
        message = mail.read(path, data)
        text = message.text if message else ""
        if message and text:
            headings.append(Heading(length, 1, _title(message, number)))
            inner = (h for h in message.headings if h.start)
            headings += [replace(each, start=length + each.start) for each in inner]
            parts.append(text)
            length += len(text) + 2
    text = "\n\n".join(parts)
    starts = tuple(min(start, len(text)) for start in pages)
    return Parsed(text, "", tuple(headings), starts, unit="message")


def _messages(path: Path, data: bytes) -> Iterator[bytes]:
    """Yield the messages without the lines that part them and without their quoting."""
    data = data.lstrip()
    found = list(_SEPARATOR.finditer(data))
    if not found or found[0].start():
        problem = 'is no mailbox: no line "From address date" above a header begins it'
        raise failure(path, f"{problem}; save a single message as .eml")
    if len(found) > MAX_PAGES:
        problem = f"holds {len(found)} messages; at most {MAX_PAGES} were expected"
        raise failure(path, f"{problem}; split it")
    ends = [each.start() for each in found[1:]] + [len(data)]
    for each, end in zip(found, ends, strict=True):
        yield _QUOTED.sub(rb"\1", data[each.end() : end])


def _title(message: mail.Mail, number: int) -> str:
    return message.headers.get("Subject") or message.headers.get("From") or f"message {number}"
