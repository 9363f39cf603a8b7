"""How good a checker is: it gives each (claim, sources) a score and accepts it or not.

Throughout, `gold` is true where the sources support the claim, `accepted` is true where the
checker says so, and `scores` grow with its confidence. All columns have one entry a case.
Shares are from 0 to 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.evaluation.checks import Flags, Numbers, Undefined, flags, numbers, same_length


def f1(gold: Sequence[bool] | Flags, predicted: Sequence[bool] | Flags) -> float:
    """Return F1 of the true class, 2tp / (2tp + fp + fn).

    Raises:
        Undefined: the class is neither in gold nor predicted.
    """
    same_length(gold=gold, predicted=predicted)
    truth, said = flags("gold", gold), flags("predicted", predicted)
    total = int(truth.sum() + said.sum())
    if not total:
        raise Undefined("F1 needs a case of the class, in gold or predicted")
    return 2 * int((truth & said).sum()) / total


def macro_f1(gold: Sequence[bool] | Flags, accepted: Sequence[bool] | Flags) -> float:
    """Return the mean F1 of the two classes; of one, where the other is nowhere.

    The same as scikit-learn's `f1_score(average="macro")`.
    """
    same_length(gold=gold, accepted=accepted)
    truth, said = flags("gold", gold), flags("accepted", accepted)
    classes = ((truth, said), (~truth, ~said))
    return float(np.mean([f1(*pair) for pair in classes if pair[0].any() or pair[1].any()]))


def macro_f1_over_sources(
    gold: Sequence[bool] | Flags, accepted: Sequence[bool] | Flags, sources: Sequence[str]
) -> float:
    """Return the mean over sources of each source's `macro_f1`, sources weighing the same.

    The figure AttributionBench reports (Li et al. 2024), where a source is a data set it was
    gathered from.
    """
    same_length(gold=gold, accepted=accepted, sources=sources)
    truth, said = flags("gold", gold), flags("accepted", accepted)
    names = np.asarray(sources)
    each = [macro_f1(truth[rows], said[rows]) for rows in (names == n for n in np.unique(names))]
    return float(np.mean(each))


def balanced_accuracy(gold: Sequence[bool] | Flags, accepted: Sequence[bool] | Flags) -> float:
    """Return the mean of true acceptance and true rejection.

    Raises:
        Undefined: gold holds one class only.
    """
    rates = acceptance(gold, accepted)
    return (rates.true + 1 - rates.false) / 2


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Shares accepted: `true` of the supported cases, `false` of the others."""

    true: float
    false: float


def acceptance(gold: Sequence[bool] | Flags, accepted: Sequence[bool] | Flags) -> Acceptance:
    """Return true and false acceptance of the verdicts as given.

    Raises:
        Undefined: gold holds one class only.
    """
    same_length(gold=gold, accepted=accepted)
    truth, said = flags("gold", gold), flags("accepted", accepted)
    _both_classes(truth)
    return Acceptance(float(said[truth].mean()), float(said[~truth].mean()))


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What accepting every score >= `threshold` gives."""

    threshold: float
    true_acceptance: float
    false_acceptance: float


def operating_point(
    gold: Sequence[bool] | Flags, scores: Sequence[float] | Numbers, true_acceptance: float = 0.9
) -> OperatingPoint:
    """Return the strictest threshold that still accepts a share of the supported cases.

    Equal scores are accepted together, so `true_acceptance` of the result can be more than
    asked for.

    Args:
        true_acceptance: above 0, at most 1.
    Raises:
        Undefined: gold holds one class only.
    """
    same_length(gold=gold, scores=scores)
    truth, values = flags("gold", gold), numbers("scores", scores)
    if not 0 < true_acceptance <= 1:
        raise ValueError(f"true_acceptance must be above 0 and at most 1, not {true_acceptance}")
    _both_classes(truth)
    ordered = np.sort(values[truth])[::-1]
    needed = int(needed_for(np.array(float(len(ordered))), true_acceptance))
    threshold = float(ordered[needed - 1])
    rates = acceptance(truth, values >= threshold)
    return OperatingPoint(threshold, rates.true, rates.false)


def needed_for(supported: Numbers, share: float) -> Numbers:
    """Return how many of so many cases make a share of them, at least."""
    # Rounded first: 0.9 × 10 must be 9 cases, not 10 for want of a bit.
    needed: Numbers = np.ceil(np.round(share * supported, 9))
    return needed


def false_acceptance_rate(
    gold: Sequence[bool] | Flags, scores: Sequence[float] | Numbers, true_acceptance: float = 0.9
) -> float:
    """Return the share of unsupported cases accepted at `operating_point`."""
    return operating_point(gold, scores, true_acceptance).false_acceptance


def auroc(gold: Sequence[bool] | Flags, scores: Sequence[float] | Numbers) -> float:
    """Return the chance that a supported case outscores another, ties counting half.

    By ranks (Mann–Whitney U), tied scores sharing their mean rank.

    Raises:
        Undefined: gold holds one class only.
    """
    same_length(gold=gold, scores=scores)
    truth, values = flags("gold", gold), numbers("scores", scores)
    _both_classes(truth)
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[group]
    positives = int(truth.sum())
    wins = ranks[truth].sum() - positives * (positives + 1) / 2
    return float(wins / (positives * (len(truth) - positives)))


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases whose score lies in [low, high), the last bin closed: their mean and their truth."""

    low: float
    high: float
    n: int
    mean_score: float
    supported: float


def reliability(
    gold: Sequence[bool] | Flags, scores: Sequence[float] | Numbers, bins: int = 10
) -> list[Bin]:
    """Return the bins that hold cases, of `bins` equal-width ones over 0 … 1, lowest first.

    Raises:
        ValueError: a score is not a probability, or bins < 1.
    """
    same_length(gold=gold, scores=scores)
    truth, values = flags("gold", gold), numbers("scores", scores)
    if values.min() < 0 or values.max() > 1:
        raise ValueError(f"scores must lie in 0 … 1, not {values.min():g} … {values.max():g}")
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}")
    where, edges = bins_of(values, bins), np.linspace(0, 1, bins + 1)
    table = []
    for number in np.unique(where):
        rows = where == number
        low, high = float(edges[number]), float(edges[number + 1])
        means = float(values[rows].mean()), float(truth[rows].mean())
        table.append(Bin(low, high, int(rows.sum()), *means))
    return table


def bins_of(scores: Numbers, bins: int) -> NDArray[np.int64]:
    """Return the number of the bin, of `bins` equal-width ones over 0 … 1, of each score."""
    edges = np.linspace(0, 1, bins + 1)
    return np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, bins - 1)


def ece(gold: Sequence[bool] | Flags, scores: Sequence[float] | Numbers, bins: int = 10) -> float:
    """Return the expected calibration error of scores as probabilities of being supported.

    The mean over cases of |share supported − mean score| of the case's bin, equal-width bins
    (Guo et al. 2017, for the positive class).
    """
    table = reliability(gold, scores, bins)
    return sum(row.n * abs(row.supported - row.mean_score) for row in table) / len(gold)


def _both_classes(truth: Flags) -> None:
    if truth.all() or not truth.any():
        raise Undefined(f"gold holds one class only, in all {len(truth)} cases")
