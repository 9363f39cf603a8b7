"""A mail message in a file of its own (RFC 5322 and MIME)."""

from pathlib import Path

from rag.loaders import mail
from rag.loaders.source import failure, read_bytes
from rag.types import Heading, Parsed

_MARK = b"\xef\xbb\xbf"


def load(path: Path) -> Parsed:
    """Read path; its title is the subject. Attachments are named, not read.

    Raises:
        LoadError: it does not begin with a header of mail.
    """
    message = mail.read(path, read_bytes(path).removeprefix(_MARK).lstrip())
    if message is None:
        problem = "is no mail message: it does not begin with a header such as From or Subject"
        raise failure(path, f"{problem}; give it its true suffix, or save the message anew")
    subject = message.headers.get("Subject", "")
    first = (Heading(0, 1, subject),) if subject else ()
    return Parsed(message.text, subject, first + message.headings, metadata=mail.metadata(message))
