"""The metrics of whole sets over many resamples at once.

Each function is the twin of a definition in `rag.evaluation.suite_metrics`: a resample that has a
row three times is that row with weight 3, so nothing is gathered and sorted anew for each of
2,000 resamples. Tests hold every twin against its definition.

Throughout, `weights` are (r, n) float64, whole numbers: how often each of n rows is in each of r
resamples, none of which is empty. The outcome is (r,) float64, NaN where a resample has no value.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from rag.evaluation.checks import Numbers
from rag.evaluation.metrics import bins_of, needed_for

Columns = Mapping[str, Numbers]
"""Name to one number a row, (n,) float64."""
Weights = NDArray[np.float64]
Weighted = Callable[[Columns, Weights], Numbers]


def share(part: Callable[[Columns], Numbers], among: Callable[[Columns], Numbers]) -> Weighted:
    """Return the twin of: the share, of the rows that are among some, of those that are a part."""

    def shares(columns: Columns, weights: Weights) -> Numbers:
        chosen = among(columns)
        return _ratio(weights @ (part(columns) * chosen), weights @ chosen)

    return shares


def column(name: str) -> Callable[[Columns], Numbers]:
    """Return what picks a column."""
    return lambda columns: columns[name]


def without(name: str) -> Callable[[Columns], Numbers]:
    """Return what picks the rows that a column of 0 and 1 leaves out."""
    return lambda columns: 1 - columns[name]


def macro_f1(columns: Columns, weights: Weights) -> Numbers:
    """Return the mean F1 of the two classes; of one, where the other is nowhere."""
    gold, said = columns["gold"], columns["accepted"]
    rows, golden, given = weights.sum(axis=1), weights @ gold, weights @ said
    both = weights @ (gold * said)
    positive = _ratio(2 * both, golden + given)
    negative = _ratio(2 * (rows - golden - given + both), 2 * rows - golden - given)
    return _mean_of_known(np.stack([positive, negative]))


def macro_f1_over_sources(columns: Columns, weights: Weights) -> Numbers:
    """Return the mean of each drawn source's macro-F1."""
    each = []
    for source in np.unique(columns["source"]):
        rows = columns["source"] == source
        inside = {name: column[rows] for name, column in columns.items()}
        each.append(macro_f1(inside, weights[:, rows]))
    return _mean_of_known(np.stack(each))


def balanced_accuracy(columns: Columns, weights: Weights) -> Numbers:
    """Return the mean of true acceptance and true rejection."""
    true = share(column("accepted"), column("gold"))(columns, weights)
    false = share(column("accepted"), without("gold"))(columns, weights)
    balanced: Numbers = (true + 1 - false) / 2
    return balanced


def auroc(columns: Columns, weights: Weights) -> Numbers:
    """Return the chance that a supported case outscores another, ties counting half."""
    groups = _Groups(columns["score"])
    supported = groups.sums(weights * columns["gold"])
    others = groups.sums(weights * (1 - columns["gold"]))
    below = np.cumsum(others, axis=1) - others
    wins = (supported * (below + others / 2)).sum(axis=1)
    return _ratio(wins, supported.sum(axis=1) * others.sum(axis=1))


def false_acceptance_at_90(columns: Columns, weights: Weights) -> Numbers:
    """Return the share of unsupported cases accepted by the strictest threshold that accepts 90%
    of the supported ones."""
    groups = _Groups(-columns["score"])
    supported = np.cumsum(groups.sums(weights * columns["gold"]), axis=1)
    others = np.cumsum(groups.sums(weights * (1 - columns["gold"])), axis=1)
    needed = needed_for(supported[:, -1], 0.9)
    threshold = (supported >= needed[:, None]).argmax(axis=1)
    accepted = np.take_along_axis(others, threshold[:, None], axis=1)[:, 0]
    return np.where(supported[:, -1] > 0, _ratio(accepted, others[:, -1]), np.nan)


def ece(columns: Columns, weights: Weights) -> Numbers:
    """Return the expected calibration error over ten bins of equal width."""
    groups = _Groups(bins_of(columns["score"], 10).astype(np.float64))
    apart = groups.sums(weights * (columns["gold"] - columns["score"]))
    error: Numbers = np.abs(apart).sum(axis=1) / weights.sum(axis=1)
    return error


def span_f1(columns: Columns, weights: Weights) -> Numbers:
    """Return F1 over the characters of all texts together."""
    shared = weights @ columns["span shared"]
    return _ratio(2 * shared, weights @ (columns["span gold"] + columns["span marked"]))


def abstention_f1(columns: Columns, weights: Weights) -> Numbers:
    """Return the F1 of refusals; no value where every question has an answer."""
    refused, hopeless = columns["abstained"], 1 - columns["answerable"]
    without = weights @ hopeless
    found = _ratio(2 * (weights @ (refused * hopeless)), weights @ refused + without)
    return np.where(without > 0, found, np.nan)


def coverage(columns: Columns, weights: Weights) -> Numbers:
    """Return the share of questions that were answered."""
    answered: Numbers = 1 - (weights @ columns["abstained"]) / weights.sum(axis=1)
    return answered


def aurc(columns: Columns, weights: Weights) -> Numbers:
    """Return the mean risk over all coverages, equal confidences in expected order.

    Behind K rows with E errors, a group of m rows with e errors adds Σ (E + j e/m) / (K + j) for
    j = 1 … m: (E − K e/m) (H(K+m) − H(K)) + e, H being the harmonic numbers.
    """
    groups = _Groups(-columns["confidence"])
    sizes = groups.sums(weights)
    errors = groups.sums(weights * (1 - columns["correct"]))
    upto, wrong = np.cumsum(sizes, axis=1), np.cumsum(errors, axis=1)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, int(upto[:, -1].max()) + 1))])
    before = upto - sizes
    rate = np.divide(errors, sizes, out=np.zeros_like(errors), where=sizes > 0)
    span = harmonic[upto.astype(np.int64)] - harmonic[before.astype(np.int64)]
    risks = (wrong - errors - before * rate) * span + errors
    area: Numbers = risks.sum(axis=1) / upto[:, -1]
    return area


def pearson(columns: Columns, weights: Weights) -> Numbers:
    """Return Pearson's r; no value where a column does not vary."""
    one, other = columns["human"], columns["measured"]
    varies = _varies(one, weights) & _varies(other, weights)
    return np.where(varies, _correlation(one[None], other[None], weights), np.nan)


def spearman(columns: Columns, weights: Weights) -> Numbers:
    """Return Spearman's rho, ties sharing their mean rank."""
    one, other = columns["human"], columns["measured"]
    varies = _varies(one, weights) & _varies(other, weights)
    ranks = _ranks(one, weights), _ranks(other, weights)
    return np.where(varies, _correlation(*ranks, weights), np.nan)


class _Groups:
    """Rows of equal value, the least first."""

    def __init__(self, values: Numbers) -> None:
        self._order = np.argsort(values, kind="stable")
        ordered = values[self._order]
        self._starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        self.of_row = np.empty(len(values), dtype=np.int64)
        self.of_row[self._order] = np.cumsum(np.r_[False, ordered[1:] != ordered[:-1]])

    def sums(self, table: Weights) -> Weights:
        """Return the sums over each group, (r, groups), of a table (r, n)."""
        found: Weights = np.add.reduceat(table[:, self._order], self._starts, axis=1)
        return found


def _ranks(values: Numbers, weights: Weights) -> Weights:
    groups = _Groups(values)
    sizes = groups.sums(weights)
    ranks: Weights = (np.cumsum(sizes, axis=1) - (sizes - 1) / 2)[:, groups.of_row]
    return ranks


def _varies(values: Numbers, weights: Weights) -> NDArray[np.bool_]:
    drawn = weights > 0
    most = np.where(drawn, values, -np.inf).max(axis=1)
    least = np.where(drawn, values, np.inf).min(axis=1)
    varies: NDArray[np.bool_] = most > least
    return varies


def _correlation(first: Weights, second: Weights, weights: Weights) -> Numbers:
    """Return the correlation of two tables (r, n) or (1, n) over weighted rows."""
    rows = weights.sum(axis=1, keepdims=True)
    one, other = (
        table - (weights * table).sum(axis=1, keepdims=True) / rows for table in (first, second)
    )
    together = (weights * one * other).sum(axis=1)
    apart = np.sqrt((weights * one**2).sum(axis=1) * (weights * other**2).sum(axis=1))
    correlation: Numbers = np.clip(_ratio(together, apart), -1, 1)
    return correlation


def _ratio(part: Numbers, whole: Numbers) -> Numbers:
    found: Numbers = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return found


def _mean_of_known(table: NDArray[np.float64]) -> Numbers:
    """Return the mean over axis 0 of what is no NaN; NaN where all is."""
    known = ~np.isnan(table)
    return _ratio(np.where(known, table, 0.0).sum(axis=0), known.sum(axis=0))
