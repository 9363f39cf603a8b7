"""Many questions from one file: a JSON object a line in, a JSON object a line out."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ConfigError, GenerationError
from rag.views import Json


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the file; `id` is whatever string or number it gives."""

    id: str | int | float
    question: str


def read_items(path: Path) -> list[Item]:
    """Return the questions of a JSONL file; blank lines and further keys are passed over.

    Raises:
        ConfigError: the file can not be read, holds no question, or a line is not of the form
            {"id": …, "question": "…"}; names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"{path} can not be read: {reason}; expected JSON lines") from error
    # Only \n parts lines: JSON strings may hold the other separators that splitlines knows.
    lines = enumerate(text.split("\n"), start=1)
    items = [_item(line, f"{path}, line {number}") for number, line in lines if line.strip()]
    if not items:
        raise ConfigError(f'{path} holds no question; expected lines {{"id", "question"}}')
    return items


def _item(line: str, where: str) -> Item:
    expected = 'expected {"id": "1", "question": "…"}'
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where} is not JSON ({error}); {expected}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is not an object; {expected}")
    identity, question = value.get("id"), value.get("question")
    if isinstance(identity, bool) or not isinstance(identity, str | int | float):
        raise ConfigError(f"{where} has no id that is a string or a number; {expected}")
    if not isinstance(question, str):
        raise ConfigError(f"{where} has no question that is a string; {expected}")
    return Item(identity, question)


def run_items(items: Sequence[Item], answer: Callable[[str], Json]) -> Iterator[Json]:
    """Yield one object an item, its id first, in order.

    A question that can not be answered yields its error and the run goes on; what concerns the
    index or the models ends it.
    """
    for item in items:
        try:
            yield {"id": item.id, **answer(item.question)}
        except (ConfigError, GenerationError) as error:
            yield {"id": item.id, "error": {"code": error.code, "message": str(error)}}
