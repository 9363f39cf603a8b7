"""The prompt of an answer: examples, numbered evidence, and the question.

The words lie in `rag/prompts/<task>.<language>.txt`, one turn after the other, each under a
line "--- role"; lines before the first are notes. What a document or a user wrote is put in as
one line each, without anything invisible and without brackets: a text can neither hide words
from its reader that the model sees, nor number itself as evidence.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from string import Template

from rag.errors import ConfigError
from rag.protocols import Message
from rag.types import Evidence

FALLBACK = "en"

_TURN = re.compile(r"^--- (system|user|assistant)\n", re.MULTILINE)
_BRACKETS = str.maketrans({"[": "(", "]": ")"})
# Invisible, but of a category that also has visible characters (Default_Ignorable_Code_Point of
# Unicode less the categories below): joiner, Hangul fillers, Khmer vowels, variation selectors.
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_INVISIBLE = frozenset({"Cf", "Cs", "Co", "Cn"})


def visible(text: str) -> str:
    """Return text in one line, without invisible, bidirectional and private characters."""
    kept = (c for c in _IGNORABLE.sub("", text) if unicodedata.category(c) not in _INVISIBLE)
    spaced = (" " if unicodedata.category(c) == "Cc" else c for c in kept)
    return " ".join("".join(spaced).split())


def answer_prompt(
    question: str, evidence: Sequence[Evidence], language: str = FALLBACK
) -> list[Message]:
    """Return the messages that ask for an answer from evidence.

    Args:
        question: as the user put it.
        evidence: shown as "[1] …" to "[n] …" in the order given.
        language: ISO 639-1 code of the instruction; English where there is none in it.
    """
    lines = [f"[{n}] {inert(item.text)}" for n, item in enumerate(evidence, start=1)]
    values = {"evidence": "\n".join(lines), "question": inert(question)}
    return filled("answer", language, values)


def filled(task: str, language: str, values: Mapping[str, str]) -> list[Message]:
    """Return the messages of a prompt file, the values put into its last turn as they are.

    Args:
        task: the file is `<task>.<language>.txt`; English where there is none in the language.
    """
    *examples, last = _turns(task, language)
    return [*examples, Message(last.role, Template(last.content).substitute(values))]


def fit(
    question: str,
    evidence: Sequence[Evidence],
    count_tokens: Callable[[Sequence[Message]], int],
    room: int,
    language: str = FALLBACK,
) -> tuple[list[Message], list[Evidence]]:
    """Return the prompt that shows as much of the evidence as has room.

    Evidence is taken by falling score, the earlier first among equals; what does not fit beside
    the better is left out, and the rest keeps its order. Nothing is ever cut in the middle.

    Args:
        count_tokens: of the generator.
        room: tokens that the prompt may have: the window less the answer.
    Returns:
        the messages, and the evidence that they number from 1; empty when none fits.
    Raises:
        ConfigError: the question alone is too long.
    """

    def size(rows: Sequence[int]) -> int:
        return count_tokens(answer_prompt(question, [evidence[i] for i in rows], language))

    rows = list(range(len(evidence)))
    if size(rows) > room:
        if (least := size([])) > room:
            raise ConfigError(
                f"the question makes a prompt of {least} tokens without any evidence, and there"
                f" is room for {room}; ask a shorter question"
            )
        rows = []
        for row in sorted(range(len(evidence)), key=lambda i: -evidence[i].score):
            if size(grown := sorted([*rows, row])) <= room:
                rows = grown
    shown = [evidence[i] for i in rows]
    return answer_prompt(question, shown, language), shown


def inert(text: str) -> str:
    """Return text as a prompt may hold it: one visible line, without brackets."""
    return visible(text).translate(_BRACKETS)


@cache
def _turns(task: str, language: str) -> tuple[Message, ...]:
    folder = resources.files("rag") / "prompts"
    # The code comes from a user: it is compared with names, never joined into a path.
    found = {entry.name: entry for entry in folder.iterdir()}
    entry = found.get(f"{task}.{language}.txt", found[f"{task}.{FALLBACK}.txt"])
    _notes, *parts = _TURN.split(entry.read_text(encoding="utf-8"))
    roles, contents = parts[::2], parts[1::2]
    return tuple(Message(r, c.strip()) for r, c in zip(roles, contents, strict=True))
