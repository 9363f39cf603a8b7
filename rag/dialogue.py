"""Turns of a conversation, answered: each completed, searched, and answered from what it finds."""

from collections import abc
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from rag.arithmetic import Read
from rag.conversation import Condensing, condense
from rag.followup import Turn
from rag.harder import Ask, AskEvents, answer_events
from rag.protocols import Generator
from rag.retriever import check_question
from rag.types import Answer, Claimed, Events


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a question as it was asked; `answer.question` is what was searched."""

    asked: str
    answer: Answer

    @property
    def turn(self) -> Turn:
        """What later questions may look back at; of an abstention only the question."""
        return Turn(self.answer.question, "" if self.answer.abstained else self.answer.text)


Replying = abc.Generator[Claimed | Reply, None, None]
"""A reply that is being made: its claims, then the whole; closing it stops the work."""

Respond = Callable[[str, Sequence[Turn]], Reply]
"""Answers a question after earlier turns, the oldest first: `reply` with all else bound."""


RespondEvents = Callable[[str, Sequence[Turn]], Replying]
"""Answers likewise claim by claim: `reply_events` with all else bound."""


def reply(
    ask: Ask,
    question: str,
    history: Sequence[Turn] = (),
    generator: Generator | None = None,
    read: Read | None = None,
) -> Reply:
    """Answer a question that may follow others and may take several searches.

    Args:
        ask: answers one question that stands alone.
        history: the earlier turns, the oldest first.
        generator: completes follow-ups; None leaves that to the rules.
        read: reads quantities; None leaves computations out.
    Raises:
        ConfigError: the question is empty or too long.
        what `ask` raises; GenerationError where completing a question failed.
    """

    def once(part: str) -> Events:
        yield ask(part)

    return replied(reply_events(once, question, history, generator, read))


def reply_events(
    events: AskEvents,
    question: str,
    history: Sequence[Turn] = (),
    generator: Generator | None = None,
    read: Read | None = None,
) -> Replying:
    """Yield the claims of a reply as they are certain, then the reply.

    Args:
        events: answers one question that stands alone, claim by claim.
        the others: as of `reply`, as is what it raises.
    """
    asked = check_question(question)
    condensed = condense(asked, history, generator)
    with closing(answer_events(events, condensed.query, read)) as answering:
        for event in answering:
            if isinstance(event, Claimed):
                yield event
                continue
            if condensed.method is not Condensing.AS_ASKED:
                event = replace(event, trace=(condensed.note, *event.trace))
            yield Reply(asked, event)


def replied(replying: Replying) -> Reply:
    """Return the reply that ends what replying yields."""
    *_, last = replying
    assert isinstance(last, Reply)
    return last


class Conversation:
    """A conversation in progress: remembers what was searched and answered, and nothing else."""

    def __init__(self, respond: Respond) -> None:
        """Begin one."""
        self._respond = respond
        self.turns: list[Turn] = []

    def say(self, question: str) -> Reply:
        """Answer the next question; one that fails leaves the conversation as it was."""
        said = self._respond(question, self.turns)
        self.turns.append(said.turn)
        return said

    def forget(self) -> None:
        """Begin anew."""
        self.turns.clear()
