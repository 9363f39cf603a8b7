"""Many questions from one file: a JSON object a line in, a JSON object a line out."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ConfigError, GenerationError
from rag.followup import Turn
from rag.views import Json

ITEM = '{"id": "1", "question": "…"}'
TURN = '{"question": "…", "answer": "…"}'


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
    items = [_item(value, where) for value, where in _objects(path, ITEM)]
    if not items:
        raise ConfigError(f'{path} holds no question; expected lines {{"id", "question"}}')
    return items


def _objects(path: Path, expected: str) -> Iterator[tuple[Json, str]]:
    """Yield the object of each line that is not blank, with where it stands."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"{path} can not be read: {reason}; expected JSON lines") from error
    # Only \n parts lines: JSON strings may hold the other separators that splitlines knows.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{where} is not JSON ({error}); expected {expected}") from None
        if not isinstance(value, dict):
            raise ConfigError(f"{where} is not an object; expected {expected}")
        yield value, where


def _item(value: Json, where: str) -> Item:
    expected = f"expected {ITEM}"
    identity, question = value.get("id"), value.get("question")
    if isinstance(identity, bool) or not isinstance(identity, str | int | float):
        raise ConfigError(f"{where} has no id that is a string or a number; {expected}")
    if not isinstance(question, str):
        raise ConfigError(f"{where} has no question that is a string; {expected}")
    return Item(identity, question)


def read_turns(path: Path) -> list[Turn]:
    """Return the turns of a conversation from a JSONL file, the oldest first.

    Raises:
        ConfigError: the file can not be read, or a line is not of the form
            {"question": "…", "answer": "…"}; names the line.
    """
    return [_turn(value, where) for value, where in _objects(path, TURN)]


def _turn(value: Json, where: str) -> Turn:
    question, answer = value.get("question"), value.get("answer", "")
    if not isinstance(question, str) or not isinstance(answer, str):
        raise ConfigError(f"{where} has no question and answer that are strings; expected {TURN}")
    return Turn(question, answer)


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
