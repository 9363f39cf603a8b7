"""How sure a figure is: bootstrap over clusters, paired permutation, Holm's correction.

Cases of one question or document stand or fall together, so whole clusters are drawn.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.evaluation.checks import Numbers, Undefined, numbers, same_length

Rows = NDArray[np.int64]

RESAMPLES = 2_000
_MOST_UNDEFINED = 0.05
# Clusters drawn in one call.
_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its percentile interval.

    Attributes:
        estimate: the figure over all rows.
        low, high: ends of the interval.
        n, clusters: rows and clusters it was computed from.
        undefined: resamples left out because the figure has no value there.
    """

    estimate: float
    low: float
    high: float
    n: int
    clusters: int
    undefined: int


def cluster_bootstrap(
    statistic: Callable[[Rows], float],
    clusters: Sequence[Hashable],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return a figure over rows with its percentile bootstrap interval.

    Clusters are drawn with replacement, as many as there are, each with all of its rows
    (Field & Welsh 2007, "cluster bootstrap").

    Args:
        statistic: row numbers (m,) int64, repeats allowed, to the figure over those rows.
        clusters: of each row, its question or document.
        level: share of resamples inside the interval.
    Raises:
        Undefined: the statistic is undefined over all rows, or in more than 5% of resamples.
        ValueError: no rows, or a setting out of range.
    """
    n = same_length(clusters=clusters)
    if resamples < 1 or not 0 < level < 1:
        raise ValueError(f"resamples {resamples} must be >= 1 and level {level} inside 0 … 1")
    members = _members(clusters)
    estimate = statistic(np.arange(n, dtype=np.int64))
    random = np.random.default_rng(seed)
    drawn: list[float] = []
    for _ in range(resamples):
        chosen = random.integers(len(members), size=len(members))
        try:
            drawn.append(statistic(np.concatenate([members[i] for i in chosen])))
        except Undefined:
            continue
    undefined = resamples - len(drawn)
    if undefined > _MOST_UNDEFINED * resamples:
        told = f"{undefined} of {resamples} resamples of {len(members)} clusters"
        raise Undefined(f"no interval: the figure is undefined in {told}")
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(estimate, float(low), float(high), n, len(members), undefined)


def mean_interval(
    values: Sequence[float] | Numbers,
    clusters: Sequence[Hashable],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Return the mean of one value a row with its interval.

    What `cluster_bootstrap` gives for it, from the sums of the clusters: much faster.
    """
    n = same_length(values=values, clusters=clusters)
    if resamples < 1:
        raise ValueError(f"resamples {resamples} must be >= 1")
    column = numbers("values", values)
    members = _members(clusters)
    sums = np.array([column[rows].sum() for rows in members])
    sizes = np.array([len(rows) for rows in members])
    random = np.random.default_rng(seed)
    drawn = np.empty(resamples)
    step = max(1, _AT_ONCE // len(members))
    for start in range(0, resamples, step):
        several = (min(step, resamples - start), len(members))
        chosen = random.integers(len(members), size=several)
        drawn[start : start + step] = sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(column.mean()), float(low), float(high), n, len(members), 0)


def paired_permutation(
    first: Sequence[float] | Numbers,
    second: Sequence[float] | Numbers,
    clusters: Sequence[Hashable],
    *,
    resamples: int = 10_000,
    seed: int = 0,
) -> float:
    """Return the two-sided p-value of a difference between two runs over the same cases.

    Under the null hypothesis the runs can change places, cluster by cluster; p is the share of
    such exchanges whose summed difference is at least the observed one, the observed counted
    in (Phipson & Smyth 2010), so it is never 0. All exchanges are tried where there are at most
    `resamples` of them, else that many at random.
    """
    same_length(first=first, second=second, clusters=clusters)
    difference = numbers("first", first) - numbers("second", second)
    sums = np.array([difference[rows].sum() for rows in _members(clusters)])
    sums = sums[sums != 0]  # nothing changes with these
    observed = abs(sums.sum()) - 1e-12 * np.abs(sums).sum()
    if len(sums) < 63 and 2 ** len(sums) <= resamples:
        patterns = (np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums))) & 1
        return float((np.abs((1 - 2 * patterns) @ sums) >= observed).mean())
    random = np.random.default_rng(seed)
    extreme = 0
    for _ in range(resamples):
        signs = 1 - 2 * random.integers(2, size=len(sums))
        extreme += int(abs(float(signs @ sums)) >= observed)
    return (1 + extreme) / (1 + resamples)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p-values corrected for testing all of them (Holm 1979), each at most 1.

    Raises:
        ValueError: a value is not in 0 … 1.
    """
    for name, p in p_values.items():
        if not 0 <= p <= 1:
            raise ValueError(f"the p-value of {name} must lie in 0 … 1, not {p}")
    corrected: dict[str, float] = {}
    largest = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[name]))
        corrected[name] = largest
    return {name: corrected[name] for name in p_values}


def _members(clusters: Sequence[Hashable]) -> list[Rows]:
    """Return the rows of each cluster, clusters in order of first appearance."""
    found: dict[Hashable, list[int]] = {}
    for row, cluster in enumerate(clusters):
        found.setdefault(cluster, []).append(row)
    return [np.array(rows, dtype=np.int64) for rows in found.values()]
