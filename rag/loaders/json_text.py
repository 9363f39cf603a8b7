"""JSON values as text: a line a value, "key.path: value", in the order of the file.

Nothing is invented and little is left out: null, "" and empty arrays and objects say nothing and
are not written; numbers stay as they are spelt. A field of text (several lines, or a long one)
stands as a paragraph below its path.
"""

import json
from collections.abc import Iterator
from typing import Any

from rag.loaders.source import clean, one_line
from rag.types import Heading

MAX_SOURCE = 32 * 1024 * 1024
"""Characters of one value; as objects in memory they are some thirty times as large."""
MAX_DEPTH = 100
MAX_GROWTH = 10
"""A text longer than so many times its source repeats long key paths without end."""

_SMALL = 1_000_000
_LONG = 200  # characters; a longer value is prose
_LISTED = 80  # characters of an item that is listed on one line with its neighbours
_TITLES = ("title", "headline", "subject", "name")
_METADATA = {
    "author": ("author", "authors", "creator"),
    "date": ("date", "published", "date_published", "datepublished", "created", "created_at"),
    "lang": ("lang", "language", "locale"),
    "tags": ("tags", "keywords"),
}


class TooLong(ValueError):
    """What is to be written is out of proportion to its source."""


class Object(tuple[tuple[str, Any], ...]):
    """A JSON object: its pairs in order, those with the same key too."""

    __slots__ = ()


def parse(source: str) -> Any:
    """Return a JSON value: Object, list, str (numbers as they are spelt), bool or None.

    Raises:
        ValueError: source is not JSON, is nested too deeply, or is longer than MAX_SOURCE.
    """
    if len(source) > MAX_SOURCE:
        raise ValueError(f"{len(source) >> 20} Mi characters in one value, at most "
                         f"{MAX_SOURCE >> 20} were expected")  # fmt: skip
    try:
        return json.loads(
            source, object_pairs_hook=Object, parse_int=str, parse_float=str, parse_constant=str
        )
    except RecursionError:
        raise _too_deep() from None


def records(value: Any) -> bool:
    """Tell whether value is an array of objects and of nothing else."""
    return isinstance(value, list) and bool(value) and all(isinstance(v, Object) for v in value)


def title_of(value: Any) -> str:
    """Return the title that an object gives itself, "" where it gives none."""
    pair = _title_pair(value)
    return one_line(pair[1]) if pair else ""


def metadata_of(value: Any) -> dict[str, str]:
    """Return what an object says of itself at its top level: author, date, lang, tags."""
    if not isinstance(value, Object):
        return {}
    stated: dict[str, str] = {}
    for name, held in value:
        stated.setdefault(name.lower(), _listed(held if isinstance(held, list) else [held]) or "")
    found = {key: next((stated[n] for n in names if stated.get(n)), "")
             for key, names in _METADATA.items()}  # fmt: skip
    return {key: text for key, text in found.items() if len(text) <= _LONG}


class Writer:
    """Collects the lines of records, and the headings of those that have a title.

    Args:
        source_length: of the whole file, in characters; the text must be in proportion.
    """

    def __init__(self, source_length: int) -> None:
        self._parts: list[str] = []
        self._limit = max(_SMALL, MAX_GROWTH * source_length)
        self.length = 0
        self.headings: list[Heading] = []

    @property
    def text(self) -> str:
        """All that was written, without the blanks at its end."""
        return "".join(self._parts).rstrip()

    def record(self, value: Any, path: str = "") -> None:
        """Write a value apart from what is before it; its title first, which is a heading.

        Raises:
            ValueError: it is nested deeper than MAX_DEPTH; nothing of it is written.
            TooLong: the text would be.
        """
        before = len(self._parts), self.length, len(self.headings)
        try:
            self._record(value, path)
        except ValueError:
            parts, self.length, headings = before
            del self._parts[parts:], self.headings[headings:]
            raise

    def _record(self, value: Any, path: str) -> None:
        self._blank_line()
        pair = _title_pair(value)
        if pair:
            self.headings.append(Heading(self.length, 1, one_line(pair[1])))
            self._value(one_line(pair[1]), _joined(path, pair[0]))
            value = Object(each for each in value if each is not pair)
        self.fields(value, path)

    def fields(self, value: Any, path: str = "") -> None:
        """Write a value, a line each, below what is before it; raises as `record`."""
        for label, text in _leaves(value, path, 0):
            self._value(text, label)

    def _value(self, text: str, label: str) -> None:
        if "\n" in text or len(text) > _LONG:
            self._blank_line()
            self._put(f"{label}:\n{text}\n\n" if label else f"{text}\n\n")
        else:
            self._put(f"{label}: {text}\n" if label else f"{text}\n")

    def _blank_line(self) -> None:
        if self._parts and self._parts[-1] != "\n" and not self._parts[-1].endswith("\n\n"):
            self._put("\n")

    def _put(self, text: str) -> None:
        if self.length + len(text) > self._limit:
            raise TooLong(f"its key paths, written out, are over {MAX_GROWTH} times as long")
        self._parts.append(text)
        self.length += len(text)


def _title_pair(value: Any) -> tuple[str, str] | None:
    if not isinstance(value, Object):
        return None
    for wanted in _TITLES:
        for pair in value:
            name, held = pair
            short = isinstance(held, str) and len(held) <= _LONG
            if short and name.lower() == wanted and one_line(held):
                return pair
    return None


def _leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield path and text of each value that says something."""
    if depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, Object):
        for name, held in value:
            yield from _leaves(held, _joined(path, name), depth + 1)
    elif isinstance(value, list):
        listed = _listed(value)
        if listed is not None:
            if listed:
                yield path, listed
            return
        for number, held in enumerate(value):
            yield from _leaves(held, f"{path}[{number}]", depth + 1)
    elif text := _scalar(value):
        yield path, text


def _listed(values: list[Any]) -> str | None:
    """Return short scalars on one line, None where there are others among them."""
    if any(isinstance(value, (Object, list)) for value in values):
        return None
    texts = [_scalar(value) for value in values]
    if any(len(text) > _LISTED or "\n" in text for text in texts):
        return None
    return ", ".join(filter(None, texts))


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return clean(value).strip() if isinstance(value, str) else ""


def _joined(path: str, name: str) -> str:
    name = one_line(name) or '""'
    return f"{path}.{name}" if path else name


def _too_deep() -> ValueError:
    return ValueError(f"nested more than {MAX_DEPTH} deep")
