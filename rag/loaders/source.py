"""What every loader shares: reading the bytes, cleaning text, wording a failure."""

import datetime
import re
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from itertools import pairwise
from pathlib import Path

from rag.errors import LoadError

MAX_BYTES = 1 << 30
MAX_PAGES = 1_000_000
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_UNUSABLE = re.compile("[\0\ud800-\udfff]")
_DATE = re.compile(r"(\d{4})(?:\D{1,3}(\d{1,2})(?:\D{1,3}(\d{1,2}))?)?(?!\d)")


def failure(path: Path, problem: str) -> LoadError:
    """Return the error for path: its name as the subject of a sentence that problem ends."""
    return LoadError(one_line(problem), one_line(path.name) or str(path))


def read_bytes(path: Path) -> bytes:
    """Return the file's bytes.

    Raises:
        LoadError: it is missing, unreadable, not a file, empty, or larger than MAX_BYTES.
    """
    try:
        if not path.is_file():
            raise failure(path, "is not there or not a file; give the path of a file")
        size = path.stat().st_size
        if size > MAX_BYTES:
            limit = f"at most {MAX_BYTES >> 20} MiB were expected"
            raise failure(path, f"is too large: {size >> 20} MiB, {limit}; split it")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or error
        problem = f"could not be opened: {told}"
        raise failure(path, f"{problem}; check its path and your rights") from error
    if not data:
        raise failure(path, "holds no text: the file is empty (0 bytes); remove it or fill it")
    return data


def clean(text: str) -> str:
    r"""Return text with \n as its only line end and U+FFFD for each NUL and lone surrogate."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNUSABLE.sub(REPLACEMENT, text)


def one_line(text: str) -> str:
    """Return text cleaned, its white space runs single spaces."""
    return " ".join(clean(text).split())


def first_line(text: str, longest: int = 200) -> str:
    """Return the first line that is not blank, or "" where it is longer than a title is."""
    match = re.search(r"\S[^\n]*", text)
    line = one_line(match.group()) if match else ""
    return line if len(line) <= longest else ""


def iso_date(written: str) -> str:
    """Return the date as YYYY, YYYY-MM or YYYY-MM-DD, "" where none is recognised.

    Read are ISO 8601 and its like ("2024. 5. 1.", "2024年5月1日", "2024/05/01T10:00"), the
    dates of a PDF ("D:20240501103000Z") and of mail ("Wed, 01 May 2024 10:00:00 GMT").
    """
    compact = re.match(r"(?:D:)?(\d{4})(\d\d)(\d\d)(?:\D|\d{6}|$)", written.strip())
    match = compact or _DATE.match(written.strip())
    try:
        if match is None:
            return parsedate_to_datetime(written).date().isoformat()
        parts = [int(part) for part in match.groups() if part]
        datetime.date(*[*parts, 1, 1][:3])
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""
    return "-".join([f"{parts[0]:04}", *(f"{part:02}" for part in parts[1:])])


def ranges(numbers: Sequence[int]) -> str:
    """Return numbers in order as a reader writes them: "3, 7, 9-12"."""
    starts = [n for before, n in pairwise([-1, *numbers]) if n != before + 1]
    ends = [n for n, after in pairwise([*numbers, -1]) if after != n + 1]
    parts: list[str] = []
    for start, end in zip(starts, ends, strict=True):
        parts += [f"{start}-{end}"] if end > start + 1 else map(str, range(start, end + 1))
    return ", ".join(parts)
