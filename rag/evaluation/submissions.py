"""A file of answers that somebody else's system gave: a JSON object a line, each in its own shape.

A line is the response itself, or {"response": {…}}, with beside it whatever is known: "id",
"question", "lang", "type", "cluster", "sources", "seconds", "cost", and gold: "answers",
"gold_sources", "labels" (a verdict for each claim).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.analysis import language
from rag.errors import ConfigError
from rag.evaluation.citation_shapes import read, read_sources, recognise
from rag.evaluation.citing import MalformedAnswer, Response, Text, claimed

VERDICTS = ("supported", "partial", "contradicted", "unsupported")


@dataclass(frozen=True, slots=True)
class Submission:
    """An answer with all that is known of it.

    Attributes:
        shape: one of `rag.evaluation.citation_shapes`.
        sources: those of the line and of the whole file, by every name that they have.
        labels: the true verdict of each claim, or nothing.
        gold_sources: names of sources, one of which has to be cited.
    """

    id: str
    shape: str
    question: str
    lang: str
    type: str
    cluster: str
    response: Response
    sources: Mapping[str, Text] = field(default_factory=dict)
    answers: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    gold_sources: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a file holds, and what is wrong with the lines that were left out."""

    answers: tuple[Submission, ...]
    errors: tuple[str, ...]


def read_submissions(path: Path, shared: Mapping[str, Text] | None = None) -> Submitted:
    """Return the answers of a file; a line that is none is told and left out.

    Args:
        shared: sources that all lines may cite; those of a line come before them.
    Raises:
        ConfigError: the file can not be read, or no line of it is an answer.
    """
    answers: list[Submission] = []
    errors: list[str] = []
    seen: set[str] = set()
    for number, line in enumerate(_bytes(path).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            found = _submission(_object(line), str(number), shared or {})
            if found.id in seen:
                raise MalformedAnswer(f"has the id {found.id!r}, which an earlier line has")
        except MalformedAnswer as error:
            errors.append(f"{path}, line {number} {error}")
            continue
        seen.add(found.id)
        answers.append(found)
    if not answers:
        told = f": {errors[0]}" if errors else ""
        raise ConfigError(f"{path} holds no answer that can be audited{told}")
    return Submitted(tuple(answers), tuple(errors))


def read_shared(path: Path) -> dict[str, Text]:
    """Return sources for all answers from a file: {"id", "text"} a line.

    Raises:
        ConfigError: the file can not be read, or a line is no source; names the line.
    """
    found: list[object] = []
    for number, line in enumerate(_bytes(path).split(b"\n"), start=1):
        if line.strip():
            try:
                found.append(_object(line))
                sources = read_sources(found[-1:])
                if not set(sources) - {"0", "[1]"}:
                    raise MalformedAnswer('names no source; expected {"id", "text"}')
            except MalformedAnswer as error:
                raise ConfigError(f"{path}, line {number} {error}") from None
    return read_sources(found)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path} can not be read: {error.strerror}; expected JSON lines"
        ) from None


def _object(line: bytes) -> Mapping[str, Any]:
    try:
        text = line.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise MalformedAnswer(f"is not JSON in UTF-8: {error}") from None
    if not isinstance(value, dict):
        raise MalformedAnswer("is not an object")
    return value


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _submission(line: Mapping[str, Any], number: str, shared: Mapping[str, Text]) -> Submission:
    value = line.get("response", line)
    if not isinstance(value, Mapping):
        raise MalformedAnswer("has a response that is not an object")
    response = read(value)
    if line.get("abstained") is True and not response.abstained:
        response = Response(response.text, (), abstained=True)
    lang = _text(line, "lang") or language(response.text)
    identity = str(line.get("id") or number)
    found = Submission(
        identity,
        recognise(value),
        _text(line, "question") or response.question,
        lang,
        # A response that is no envelope can have a type of its own: "message".
        (_text(line, "type") if value is not line else "") or "answer",
        _text(line, "cluster") or identity,
        response,
        {**shared, **read_sources(line.get("sources"))},
        _texts(line, "answers"),
        _texts(line, "labels"),
        _texts(line, "gold_sources"),
        _numbers(line, "seconds"),
        _numbers(line, "cost"),
    )
    return _checked(found)


def _checked(found: Submission) -> Submission:
    for label in found.labels:
        if label not in VERDICTS:
            raise MalformedAnswer(f"has the label {label!r}; expected {', '.join(VERDICTS)}")
    count = len(claimed(found.response, found.lang)) if found.labels else 0
    if len(found.labels) != count:
        raise MalformedAnswer(
            f"has {len(found.labels)} labels for {count} claims; expected one each"
        )
    if not all(answer.strip() for answer in found.answers):
        raise MalformedAnswer("has a blank answer among its answers")
    return found


def _text(line: Mapping[str, Any], name: str) -> str:
    value = line.get(name)
    if value is not None and not isinstance(value, str):
        raise MalformedAnswer(f"has a {name} that is not a string")
    return value or ""


def _texts(line: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = line.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise MalformedAnswer(f"has {name} that are not a list of strings")
    return tuple(value)


def _numbers(line: Mapping[str, Any], name: str) -> dict[str, float]:
    value = line.get(name) or {}
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = {"total": value}
    if not isinstance(value, dict) or not all(_is_number(one) for one in value.values()):
        raise MalformedAnswer(f"has {name} that are no numbers by name")
    return {str(key): float(one) for key, one in value.items()}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
