"""An answer within the limits that a request sets: whole claims, or none of them."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal

from rag.answerer import Answerer
from rag.dialogue import Replying
from rag.protocols import Message
from rag.types import Answer, Citation, Claim, Claimed, Method, Reason

Finish = Literal["stop", "length"]
Count = Callable[[str], int]
OnAnswer = Callable[[Answer], None]
# Settings have bounds of their own.
LEAST_TOKENS, LEAST_TOP_P, LARGEST_SEED = 8, 0.01, 2**31 - 1


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a request says of how to write; None leaves it to the settings.

    Attributes:
        most_tokens: an answer has so many of the generator's tokens at most.
        stop: an answer ends before a claim with which one of these would be in it.
    """

    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    most_tokens: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """All that was told of an answer.

    Attributes:
        finish: "length" when most_tokens left something out.
        reason: why it abstains, if so.
        method: None when limits ended the answer before it was done.
    """

    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    finish: Finish
    reason: Reason | None = None
    method: Method | None = None


Telling = Generator[Claimed | Told, None, None]
"""An answer that is being told: its claims, then the whole; closing it stops the work."""


def tuned(answerer: Answerer, wishes: Wishes) -> Answerer:
    """Return the answerer for one request: its generator decodes as the request says."""
    config, changed = answerer.config, dict[str, float]()
    if wishes.temperature is not None:
        changed["temperature"] = wishes.temperature
    if wishes.top_p is not None:
        changed["top_p"] = max(wishes.top_p, LEAST_TOP_P)
    if wishes.seed is not None:
        changed["seed"] = wishes.seed & LARGEST_SEED
    if wishes.most_tokens is not None:
        # Clients ask for thousands, which no window has room for beside the evidence.
        fewer = min(wishes.most_tokens, config.max_answer_tokens)
        changed["max_answer_tokens"] = max(fewer, LEAST_TOKENS)
    tuned_config = replace(config, **changed)  # type: ignore[arg-type]
    return Answerer(answerer.retriever, answerer.generator, answerer.verifier, tuned_config)


def counter(answerer: Answerer) -> Count:
    """Return what counts the tokens of a text: in the generator's, without one the embedder's."""
    generator, embedder = answerer.generator, answerer.retriever.embedder
    if generator is not None:
        empty = generator.count_tokens([Message("user", "")])
        return lambda text: max(generator.count_tokens([Message("user", text)]) - empty, 0)
    if embedder is not None:
        return lambda text: len(embedder.tokenizer.offsets(text))
    return lambda text: len(text.split())


def telling(
    replying: Replying, wishes: Wishes, count: Count, on_answer: OnAnswer = lambda answer: None
) -> Telling:
    """Yield the claims of a reply while they are within the limits, then all that was told.

    No claim is cut: a part of one might say what its quotes do not.

    Args:
        on_answer: told of the answer, if it came to its end.
    """
    text, claims, citations = "", list[Claim](), list[Citation]()

    def end(finish: Finish, reason: Reason | None = None, method: Method | None = None) -> Told:
        return Told(text, tuple(claims), tuple(citations), finish, reason, method)

    with closing(replying):
        for event in replying:
            if isinstance(event, Claimed):
                if finish := _ended(text + event.text, wishes, count):
                    yield end(finish)
                    return
                text += event.text
                claims.append(event.claim)
                citations += event.citations
                yield event
                continue
            answer = event.answer
            on_answer(answer)
            finish = "stop"
            if answer.abstained:
                ended = _ended(answer.text, wishes, count)
                text, finish = ("", ended) if ended else (answer.text, "stop")
            yield end(finish, answer.reason, answer.method)


def _ended(text: str, wishes: Wishes, count: Count) -> Finish | None:
    """Return why a text may not be told, None when it may."""
    if any(sequence in text for sequence in wishes.stop):
        return "stop"
    if wishes.most_tokens is not None and count(text) > wishes.most_tokens:
        return "length"
    return None


def tokens_of(texts: Sequence[str], count: Count) -> int:
    """Return the tokens of what a client sent."""
    return count("\n".join(texts))
