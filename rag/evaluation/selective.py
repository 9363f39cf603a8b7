"""How good answering some and refusing the rest is: abstention, risk and coverage."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.evaluation.checks import Flags, Numbers, flags, numbers, same_length


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Answering the surest k questions, for k = 1 … n.

    Attributes:
        coverage: (n,) share answered, k / n.
        risk: (n,) share of those that is wrong.
        area: mean risk over all k (AURC, Geifman & El-Yaniv 2017); lower is better.
    """

    coverage: Numbers
    risk: Numbers
    area: float


def risk_coverage(
    correct: Sequence[bool] | Flags, confidence: Sequence[float] | Numbers
) -> RiskCoverage:
    """Return the risk–coverage curve.

    Among equal confidences the order is anyone's guess, so the risk there is the expected one.
    """
    n = same_length(correct=correct, confidence=confidence)
    wrong = ~flags("correct", correct)
    _, group, sizes = np.unique(
        -numbers("confidence", confidence), return_inverse=True, return_counts=True
    )
    errors = np.bincount(group, weights=wrong)
    expected = np.repeat(errors / sizes, sizes)
    counts = np.arange(1, n + 1)
    risk = np.cumsum(expected) / counts
    return RiskCoverage(counts / n, risk, float(risk.mean()))


@dataclass(frozen=True, slots=True)
class Abstention:
    """How well refusals fit the questions that have no answer.

    Attributes:
        precision: share of refusals that were right to refuse; 0 without any refusal.
        recall: share of unanswerable questions refused; 0 when there are none.
        f1: their harmonic mean; 0 when both are 0.
        wrong_answers: share of all questions that got a wrong answer. An answer to an
            unanswerable question is wrong.
    """

    precision: float
    recall: float
    f1: float
    wrong_answers: float


def abstention(
    answerable: Sequence[bool] | Flags,
    abstained: Sequence[bool] | Flags,
    correct: Sequence[bool] | Flags,
) -> Abstention:
    """Return how well a system refuses; `correct` counts only where it answered."""
    same_length(answerable=answerable, abstained=abstained, correct=correct)
    possible, refused = flags("answerable", answerable), flags("abstained", abstained)
    good = flags("correct", correct) & possible
    hits = int((refused & ~possible).sum())
    total = int(refused.sum() + (~possible).sum())
    return Abstention(
        precision=_share(hits, int(refused.sum())),
        recall=_share(hits, int((~possible).sum())),
        f1=_share(2 * hits, total),
        wrong_answers=float((~refused & ~good).mean()),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
