"""Messages of a chat to a question and the turns before it. Pure functions.

The last message is the question. What users and assistant said before it only completes the
question (`rag.conversation`, which bounds what it reads); instructions and results of tools are
left out: what an answer says comes from the documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.openai.errors import TOO_LONG, Refused
from rag.followup import Turn
from rag.messages import NOT_FOUND, REASONS
from rag.retriever import MAX_QUESTION, check_question

TEXT = frozenset({"text", "input_text", "output_text", "refusal"})
"""Types of the parts of a message that are text."""
_ABSTENTIONS = frozenset(NOT_FOUND.values()).union(*(each.values() for each in REASONS.values()))


@dataclass(frozen=True, slots=True)
class Said:
    """A message: who says it, its text, and the types of its parts that are not text."""

    role: str
    text: str
    others: tuple[str, ...] = ()


def said(role: str, content: str | list[Any] | None) -> Said:
    """Return a message; `content` is a text, or parts that have a `type` and perhaps a `text`."""
    if content is None or isinstance(content, str):
        return Said(role, content or "")
    texts = [part.text or "" for part in content if part.type in TEXT]
    others = tuple(part.type for part in content if part.type not in TEXT)
    return Said(role, "\n".join(texts), others)


def split(messages: Sequence[Said], param: str) -> tuple[str, list[Turn]]:
    """Return the question and the turns before it, the oldest first.

    Args:
        param: the field of the request that the messages come from.
    Raises:
        Refused: the last message is not the user's, is empty or too long, or has other parts than
            text. Of earlier messages such parts are passed over: a chat goes on after a refusal.
    """
    last = messages[-1]
    if last.role != "user":
        raise Refused(
            f"the last message is of role {last.role!r}; expected the user's question", param
        )
    if last.others:
        raise Refused(
            f"the question has a part of type {last.others[0]!r}; expected text alone: images,"
            " sound and files are not read. Ingest documents into the collection instead",
            param,
        )
    if len(last.text.strip()) > MAX_QUESTION:
        raise Refused(
            f"the question has {len(last.text.strip()):,} characters; expected at most"
            f" {MAX_QUESTION:,}: shorten it",
            param,
            TOO_LONG,
        )
    return check_question(last.text), turns(messages[:-1])


def turns(messages: Sequence[Said]) -> list[Turn]:
    """Return questions with what was answered; of an abstention, or of nothing, an empty text."""
    found: list[Turn] = []
    for message in messages:
        text = message.text.strip()
        if message.role == "user" and text:
            found.append(Turn(text))
        elif message.role == "assistant" and found and text not in _ABSTENTIONS:
            before = found.pop()
            found.append(Turn(before.question, f"{before.answer}\n{text}".strip()))
    return found
