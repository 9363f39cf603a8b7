"""Files of JSON objects, one a line, with the line named where one is not as expected."""

import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from io import TextIOWrapper
from pathlib import Path

from rag.errors import ConfigError
from rag.views import Json

STANDARD_INPUT = Path("-")


def objects(path: Path, expected: str) -> Iterator[tuple[Json, str]]:
    """Yield the object of each line that is not blank, with where it stands.

    Args:
        path: "-" is standard input.
        expected: a line as it should be, for messages.
    Raises:
        ConfigError: when it is come to: the file can not be read, or a line is no object.
    """
    for text, where in _lines(path):
        try:
            value = json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{where} is not JSON ({error}); expected {expected}") from None
        if not isinstance(value, dict):
            raise ConfigError(f"{where} is not an object; expected {expected}")
        yield value, where


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each line that is not blank, with where it stands."""
    where = named(path)
    try:
        with nullcontext(_standard_input()) if path == STANDARD_INPUT else path.open("rb") as file:
            # Bytes are parted at \n only: JSON strings may hold the other ends that text knows.
            for number, line in enumerate(file, start=1):
                where = f"{named(path)}, line {number}"
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                if text.strip():
                    yield text, where
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"{where} can not be read: {reason}; expected JSON lines") from error


def _standard_input() -> Iterator[bytes]:
    if not isinstance(sys.stdin, TextIOWrapper):
        raise ConfigError("standard input can not be read: it is closed; expected JSON lines")
    return iter(sys.stdin.buffer)


def named(path: Path) -> str:
    """Return what messages call a file."""
    return "standard input" if path == STANDARD_INPUT else str(path)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")
