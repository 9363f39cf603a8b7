"""Packages: the zip archives that office formats are, checked before anything is unpacked."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Protocol

from rag.errors import LoadError
from rag.loaders.source import failure, one_line

MAX_UNPACKED = 200 * 1024 * 1024
MAX_RATIO = 200
_SMALL = 10 * 1024 * 1024  # may pack as well as it likes, as repetitive XML does
CORE_PROPERTIES = "/metadata/core-properties"
"""How the type of the relation to the core properties ends; LibreOffice's begins otherwise."""
# What libraries and some programs put into the properties when the user put nothing.
_SENSELESS = frozenset(
    {"word document", "powerpoint presentation", "presentation", "untitled", "document"}
    | {"python-docx", "python-pptx", "openpyxl", "steve canny"}
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a package is to be.

    Attributes:
        name: of the format ("DOCX").
        old: what the suffix may hide where the file is no zip ("an old Word file (.doc)").
        suffix: to save it with (".docx").
        max_unpacked: bytes that all its parts may have; more only where they are streamed.
    """

    name: str
    old: str
    suffix: str
    max_unpacked: int = MAX_UNPACKED


@contextmanager
def parsing(path: Path, name: str, programs: str) -> Iterator[None]:
    """Turn whatever a parser raises into a failure of one line.

    A package can be wrong in many ways (missing parts, bad XML), of which the parsers name few.

    Args:
        name: of the format.
        programs: that can open it and save it anew.
    Raises:
        LoadError: the package is damaged.
    """
    try:
        yield
    except LoadError:
        raise
    except Exception as error:
        told = one_line(f"{type(error).__name__}: {error}")[:120]
        remedy = f"open it in {programs} and save it anew"
        raise failure(path, f"is no {name}, or a damaged one ({told}); {remedy}") from error


def check(path: Path, data: bytes, kind: Kind) -> None:
    """Do nothing where data is a zip archive that is safe to unpack in memory.

    The sizes that an archive states are what counts: `zipfile` reads no more of a part than
    its stated size.

    Raises:
        LoadError: encrypted, another format, damaged, or a bomb.
    """
    if data.startswith(_OLE):
        problem = f"is encrypted, or {kind.old} under a new name"
        raise failure(path, f"{problem}; save it as {kind.suffix} without a password")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        problem = f"is no {kind.name}, or a damaged or truncated one: its zip archive is broken"
        raise failure(path, f"{problem}; fetch it again or save it anew") from error
    wide = unpacked > _SMALL and unpacked > MAX_RATIO * len(data)
    if unpacked > kind.max_unpacked or wide:
        raise _bomb(path, unpacked, len(data), kind)


def _bomb(path: Path, unpacked: int, packed: int, kind: Kind) -> LoadError:
    problem = f"unpacks from {packed >> 10} KiB to {unpacked >> 20} MiB"
    limits = f"expected were at most {kind.max_unpacked >> 20} MiB and {MAX_RATIO} times its size"
    return failure(path, f"{problem}; {limits}; remove large pictures, or the file")


class CoreProperties(Protocol):
    """The properties of a document, as python-docx and python-pptx read them."""

    title: str
    author: str
    created: datetime | None
    modified: datetime | None


def properties(core: CoreProperties | None) -> dict[str, str]:
    """Return title, author ("" where senseless) and date.

    Their language is left out: it is the program's, not the text's.
    """
    if core is None:
        return {"title": ""}
    written = core.created or core.modified
    return stated(core.title, core.author) | {"date": written.date().isoformat() if written else ""}


def stated(title: str | None, author: str | None) -> dict[str, str]:
    """Return title and author on one line, "" for what a program put there."""
    values = {"title": one_line(title or ""), "author": one_line(author or "")}
    return {key: "" if value.lower() in _SENSELESS else value for key, value in values.items()}
