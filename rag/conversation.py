"""A follow-up question made into one that can be searched: by the model, else by rule.

What was said before only ever makes a query. An answer's citations come from what this turn's
search finds, and a history that a client sends is text of unknown origin: it is bounded, shown
to the model as one inert line each, and what the model makes of it is used only if it says
nothing that the conversation does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.analysis import language as language_of
from rag.analysis import numbers, terms
from rag.cues import CUES
from rag.followup import Kind, Turn, kind_of, resolve, spoken, standalone
from rag.prompt import filled, inert
from rag.protocols import Decoding, Generator, Message
from rag.wording import WORD, content_words, interrogative, names

# Bounds of what is read of a history, the latest turns first.
TURNS = 6
TURN_CHARACTERS = 600
# A longer question says what it is about.
LONGEST_FOLLOW_UP = 300
HISTORY_TOKENS = 400
QUERY_TOKENS = 64
# A rewritten question may be longer than what it is made from by this many characters.
LONGER = 40


class Condensing(StrEnum):
    """How a query came about."""

    AS_ASKED = "as asked"
    RULE = "rule"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Condensed:
    """What is searched for a question.

    Attributes:
        asked: as the user put it.
        query: a question that stands alone; `asked` itself when that does.
        method: who made the query.
        note: one line for the answer's trace, with why the model's words were refused.
    """

    asked: str
    query: str
    method: Condensing
    note: str


def condense(
    question: str, history: Sequence[Turn], generator: Generator | None = None
) -> Condensed:
    """Return a question that stands alone for one asked after others.

    A question that stands alone already is returned as it is; no model is called for it.

    Args:
        history: the earlier turns, the oldest first; only the last `TURNS` are read.
        generator: None, or one that does not speak the language, leaves it to the rules.
    Raises:
        GenerationError: the generator failed.
    """
    turns = bounded(history)
    if not turns or len(question) > LONGEST_FOLLOW_UP:
        return Condensed(question, question, Condensing.AS_ASKED, "searched as asked")
    language = spoken(question, turns)
    if kind_of(question, language) is Kind.STANDALONE:
        return Condensed(question, question, Condensing.AS_ASKED, "searched as asked")
    turns = standalone(turns)
    refused = ""
    if generator is not None and (not generator.languages or language in generator.languages):
        written = _written(question, turns, generator)
        if not (refused := flaw(written, question, turns, language)):
            note = f"searched, condensed by {generator.name}: {written}"
            return Condensed(question, written, Condensing.MODEL, note)
        refused = f" ({generator.name} refused: {refused})"
    query = resolve(question, language, turns[-1])
    return Condensed(question, query, Condensing.RULE, f"searched, by rule: {query}{refused}")


def bounded(history: Sequence[Turn]) -> list[Turn]:
    """Return the last turns that ask something, each cut to a length and made one line."""
    kept: list[Turn] = []
    for turn in reversed(history):
        question = inert(turn.question[:TURN_CHARACTERS])
        if WORD.search(question):
            kept.insert(0, Turn(question, inert(turn.answer[:TURN_CHARACTERS])))
        if len(kept) == TURNS:
            break
    return kept


def condense_prompt(
    question: str, turns: Sequence[Turn], language: str, generator: Generator
) -> list[Message]:
    """Return the prompt with as many of the latest turns as have room.

    Room is `HISTORY_TOKENS` beyond the prompt without history, and the generator's window. Where
    not even the last turn fits, its question may, without the answer.
    """

    def prompt(shown: Sequence[Turn]) -> list[Message]:
        lines = [f"Question: {t.question}\nAnswer: {t.answer}".rstrip() for t in shown]
        values = {"history": "\n\n".join(lines), "question": inert(question)}
        return filled("condense", language, values)

    bare = generator.count_tokens(prompt([]))
    room = min(bare + HISTORY_TOKENS, generator.max_tokens - QUERY_TOKENS)
    shown: list[Turn] = []
    for turn in reversed(turns):
        choices = [turn] if shown else [turn, Turn(turn.question)]
        fitting = [c for c in choices if generator.count_tokens(prompt([c, *shown])) <= room]
        if not fitting:
            break
        shown.insert(0, fitting[0])
    return prompt(shown)


def _written(question: str, turns: Sequence[Turn], generator: Generator) -> str:
    messages = condense_prompt(question, turns, spoken(question, turns), generator)
    if generator.count_tokens(messages) > generator.max_tokens - QUERY_TOKENS:
        return ""
    return "".join(generator.stream(messages, Decoding(max_tokens=QUERY_TOKENS))).strip()


def flaw(written: str, question: str, turns: Sequence[Turn], language: str) -> str:
    """Return what is wrong with a rewritten question; empty when nothing is.

    It has to be one line in the language of the question, to keep what the question says, to add
    something of the conversation, and to say nothing else.
    """
    said = " ".join([question, *(f"{turn.question} {turn.answer}" for turn in turns)])
    known, kept = set(terms(said)), _kept(question, language)
    if not written or "\n" in written or not WORD.search(written):
        return "not one line"
    if len(written) > LONGER + len(question) + len(turns[-1].question):
        return "too long"
    if language_of(written) != language:
        return "another language"
    if numbers(written) - numbers(said):
        return "a number from nowhere"
    new = set(terms(" ".join(content_words(written, language)))) - known
    if new or any(not known.issuperset(terms(name)) for name in names(written, language)):
        return "words from nowhere"
    if not kept <= set(terms(written)):
        return "the question's own words are gone"
    if set(terms(" ".join(content_words(written, language)))) <= kept:
        return "nothing added"
    if kind_of(written, language) is not Kind.STANDALONE:
        return "still a follow-up"
    return ""


def _kept(question: str, language: str) -> set[str]:
    """Return the terms that a rewritten question must keep: content, and what is asked."""
    asking = [word for word in WORD.findall(question) if interrogative(word, language)]
    # "What about …" asks nothing by its "what".
    if kind_of(question, language) is Kind.FRAGMENT and language in CUES:
        asking = []
    return set(terms(" ".join([*content_words(question, language), *asking])))
