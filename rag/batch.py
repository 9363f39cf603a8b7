"""Many things from one file: a JSON object a line in, a JSON object a line out."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ConfigError, GenerationError
from rag.followup import Turn
from rag.json_lines import named, objects
from rag.views import Identity, Json

ITEM = '{"id": "1", "question": "…"}'
TURN = '{"question": "…", "answer": "…"}'
CLAIM = '{"id": "1", "claim": "…", "sources": ["…"]}'


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the file; `id` is whatever string or number it gives."""

    id: Identity
    question: str


@dataclass(frozen=True, slots=True)
class SourcedClaim:
    """A claim to be checked against its sources; `id` is as in `Item`."""

    id: Identity
    claim: str
    sources: tuple[str, ...]


def read_items(path: Path) -> list[Item]:
    """Return the questions of a JSONL file; blank lines and further keys are passed over.

    Raises:
        ConfigError: the file can not be read, holds no question, or a line is not of the form
            {"id": …, "question": "…"}; names the line.
    """
    items = [_item(value, where) for value, where in objects(path, ITEM)]
    if not items:
        raise ConfigError(f'{path} holds no question; expected lines {{"id", "question"}}')
    return items


def read_claims(path: Path) -> Iterator[SourcedClaim]:
    """Yield the claims of a JSONL file as they are read; "-" is standard input.

    Blank lines and further keys are passed over.

    Raises:
        ConfigError: when it is come to: the file can not be read, holds no claim, or a line is not
            of the form {"id": …, "claim": "…", "sources": ["…"]}; names the line.
    """
    empty = True
    for value, where in objects(path, CLAIM):
        yield _claim(value, where)
        empty = False
    if empty:
        raise ConfigError(f"{named(path)} holds no claim; expected lines {CLAIM}")


def _item(value: Json, where: str) -> Item:
    question = value.get("question")
    identity = _identity(value, where, ITEM)
    if not isinstance(question, str):
        raise ConfigError(f"{where} has no question that is a string; expected {ITEM}")
    return Item(identity, question)


def _claim(value: Json, where: str) -> SourcedClaim:
    identity = _identity(value, where, CLAIM)
    claim, sources = value.get("claim"), value.get("sources")
    if not isinstance(claim, str):
        raise ConfigError(f"{where} has no claim that is a string; expected {CLAIM}")
    if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
        raise ConfigError(f"{where} has no sources that are a list of strings; expected {CLAIM}")
    try:
        "".join([str(identity), claim, *sources]).encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigError(
            f"{where} is not valid text: half a character; expected {CLAIM}"
        ) from None
    return SourcedClaim(identity, claim, tuple(sources))


def _identity(value: Json, where: str, expected: str) -> Identity:
    match value.get("id"):
        case bool():
            pass
        case str() | int() as identity:
            return identity
        case float() as number if math.isfinite(number):
            return number
    raise ConfigError(f"{where} has no id that is a string or a number; expected {expected}")


def read_turns(path: Path) -> list[Turn]:
    """Return the turns of a conversation from a JSONL file, the oldest first.

    Raises:
        ConfigError: the file can not be read, or a line is not of the form
            {"question": "…", "answer": "…"}; names the line.
    """
    return [_turn(value, where) for value, where in objects(path, TURN)]


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
