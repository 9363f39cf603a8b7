"""A verifier that asks a language model: any Generator, so one behind a server too.

It shows the model one window of the premise at a time and reads one word. The premise is untrusted:
it stands between marks with a code that its author can not know, and without invisible characters.
That makes an attack harder, not impossible: the exact checks do not rest on this judge.
"""

import hashlib
import logging
import re
from collections.abc import Sequence

from rag.analysis import language
from rag.drafts import read
from rag.prompt import filled, inert
from rag.protocols import Decoding, Generator, Message
from rag.types import Judgement, Verdict
from rag.windows import windows

logger = logging.getLogger(__name__)

MAX_TOKENS = 16
"""Enough for a word or a short sentence in any tokenizer."""
SCORES = {
    Verdict.SUPPORTED: 1.0,
    Verdict.PARTIAL: 0.5,
    Verdict.CONTRADICTED: 0.0,
    Verdict.UNSUPPORTED: 0.0,
}
"""A word has no probability: these only order the verdicts."""

_BEST_FIRST = (Verdict.SUPPORTED, Verdict.PARTIAL, Verdict.CONTRADICTED, Verdict.UNSUPPORTED)
_WORDS = {
    "supported": Verdict.SUPPORTED,
    "partial": Verdict.PARTIAL,
    "partially supported": Verdict.PARTIAL,
    "contradicted": Verdict.CONTRADICTED,
    "unsupported": Verdict.UNSUPPORTED,
    "not supported": Verdict.UNSUPPORTED,
}
_VERDICT = re.compile(
    r"\b(not\s+supported|partially\s+supported|supported|partial|contradicted|unsupported)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(r"\b(not|no|never|neither|nor|cannot|isn't|hardly)\b|n't\b", re.IGNORECASE)


def parse_verdict(reply: str) -> Verdict | None:
    """Return the verdict that a reply names, None when it names none, several, or denies one.

    The first line decides if it can: what follows may explain.
    """
    line = next(iter(reply.strip().splitlines()), "")
    return _parse(line) or _parse(reply)


def _parse(text: str) -> Verdict | None:
    found = {" ".join(word.lower().split()) for word in _VERDICT.findall(text)}
    if len(found) != 1 or _NEGATION.search(_VERDICT.sub(" ", text)):
        return None
    return _WORDS[found.pop()]


class LlmJudge:
    """A Verifier over a Generator, which it asks greedily."""

    def __init__(self, generator: Generator, max_tokens: int = MAX_TOKENS) -> None:
        """Take the generator, which may be that of the answers.

        Args:
            max_tokens: most tokens of a reply; a model that thinks first needs many.
        """
        self._generator = generator
        self._max_tokens = max_tokens

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        """Return one judgement for each (premise, hypothesis).

        A reply that is no verdict counts as unsupported, and is logged: what could not be checked
        is not shown, and one odd reply ends nothing. So does a claim that does not fit the window.

        Raises:
            GenerationError: the generator failed.
        """
        return [self._judge(premise, hypothesis) for premise, hypothesis in pairs]

    def _judge(self, premise: str, hypothesis: str) -> Judgement:
        found = {Verdict.UNSUPPORTED}
        for part in self._windows(premise, hypothesis):
            found.add(self._ask(part, hypothesis))
            if Verdict.SUPPORTED in found:  # no other window could change it
                break
        best = next(verdict for verdict in _BEST_FIRST if verdict in found)
        return Judgement(best, SCORES[best])

    def _windows(self, premise: str, hypothesis: str) -> list[str]:
        if not premise.strip() or not hypothesis.strip():
            return []
        room = self._generator.max_tokens - self._max_tokens

        def fits(part: str) -> bool:
            return self._generator.count_tokens(judge_prompt(part, hypothesis)) <= room

        try:
            spans = windows(premise, fits, language(premise))
        except ValueError:
            logger.warning("a claim of %d characters can not be judged", len(hypothesis))
            return []
        return [premise[start:end] for start, end in spans]

    def _ask(self, premise: str, hypothesis: str) -> Verdict:
        messages = judge_prompt(premise, hypothesis)
        decoding = Decoding(max_tokens=self._max_tokens)
        reply = read(self._generator.stream(messages, decoding)).text
        verdict = parse_verdict(reply)
        if verdict is None:
            # Not the reply itself: it may repeat the source.
            logger.warning(
                "%s gave no verdict in %d characters: unsupported", self._generator.name, len(reply)
            )
            return Verdict.UNSUPPORTED
        return verdict


def judge_prompt(premise: str, hypothesis: str) -> list[Message]:
    """Return the messages that ask for a verdict; each text is made one visible line.

    The code of the marks is a digest of both texts: the same question is asked in the same words,
    and to close its own mark a text would have to contain a digest of itself.
    """
    premise, hypothesis = inert(premise), inert(hypothesis)
    digest = hashlib.sha256(f"{len(premise)} {premise} {hypothesis}".encode()).hexdigest()
    values = {"code": digest[:16], "premise": premise, "hypothesis": hypothesis}
    return filled("judge", "en", values)
