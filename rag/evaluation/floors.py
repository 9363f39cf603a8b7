"""What anything has to beat: checkers that understand nothing."""

from rag.analysis import numbers, terms
from rag.types import Judgement, Verdict


class Always:
    """Calls everything supported: the floor of floors."""

    def check(self, claims: list[tuple[str, list[str]]]) -> list[Judgement]:
        """Return full support for each claim."""
        return [Judgement(Verdict.SUPPORTED, 1.0) for _ in claims]


class Overlap:
    """The share of a claim's terms that its sources hold, less .3 × the share of numbers missing.

    The floor that other figures are compared with; accepts from `threshold` on, which was fitted
    on nothing.
    """

    threshold = 0.7

    def check(self, claims: list[tuple[str, list[str]]]) -> list[Judgement]:
        """Return one judgement a claim."""
        return [self._one(claim, sources) for claim, sources in claims]

    def _one(self, claim: str, sources: list[str]) -> Judgement:
        given = "\n".join(sources)
        wanted, amounts = set(terms(claim)), numbers(claim)
        share = len(wanted.intersection(terms(given))) / len(wanted) if wanted else 0.0
        missing = len(amounts - numbers(given)) / len(amounts) if amounts else 0.0
        score = max(0.0, share - 0.3 * missing)
        accepted = score >= self.threshold
        return Judgement(Verdict.SUPPORTED if accepted else Verdict.UNSUPPORTED, score)


def shared_words(first: str, second: str) -> float:
    """Return the F1 of the terms of two texts, each once: 0 where one has none."""
    one, other = set(terms(first)), set(terms(second))
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def words_recalled(text: str, reference: str) -> float:
    """Return the share of a reference's terms that a text holds.

    Raises:
        ValueError: the reference has no term.
    """
    wanted = set(terms(reference))
    if not wanted:
        raise ValueError(f"the reference has no word to look for: {reference!r}")
    return len(wanted.intersection(terms(text))) / len(wanted)
