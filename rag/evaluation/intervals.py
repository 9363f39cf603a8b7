"""How sure a figure is: bootstrap over clusters, paired permutation, Holm's correction.

Cases of one question or document stand or fall together, so whole clusters are drawn.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.evaluation.checks import Numbers, Undefined, numbers, same_length

Rows = NDArray[np.int64]
Weights = NDArray[np.float64]

RESAMPLES = 2_000
_MOST_UNDEFINED = 0.05
# Numbers held at a time.
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


@dataclass(frozen=True, slots=True)
class Draw:
    """Whole clusters drawn with replacement, as many as there are, again and again (Field & Welsh
    2007, "cluster bootstrap"). All metrics of the same rows share one.

    Attributes:
        cluster: (n,) number of each row's cluster, in order of first appearance.
        counts: (resamples, clusters) how often each was drawn.
    """

    cluster: Rows
    counts: NDArray[np.int32]

    @property
    def clusters(self) -> int:
        """How many there are."""
        return int(self.counts.shape[1])

    def weights(self) -> Iterator[Weights]:
        """Yield how often each row is in each resample, (r, n) float64, some resamples at a time.

        Their sum over rows is that of the rows drawn: clusters may differ in size.
        """
        step = max(1, _AT_ONCE // len(self.cluster))
        for start in range(0, len(self.counts), step):
            yield self.counts[start : start + step].astype(np.float64)[:, self.cluster]


def draw(clusters: Sequence[Hashable], *, resamples: int = RESAMPLES, seed: int = 0) -> Draw:
    """Return resamples of rows whose clusters are given: of each row, its question or document.

    Raises:
        ValueError: no rows, or no resamples.
    """
    same_length(clusters=clusters)
    if resamples < 1:
        raise ValueError(f"resamples {resamples} must be >= 1")
    names = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    random = np.random.default_rng(seed)
    counts = np.empty((resamples, len(names)), dtype=np.int32)
    step = max(1, _AT_ONCE // len(names))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        chosen = random.integers(len(names), size=(rows, len(names)))
        places = chosen + len(names) * np.arange(rows)[:, None]
        drawn = np.bincount(places.ravel(), minlength=rows * len(names))
        counts[start : start + rows] = drawn.reshape(rows, len(names))
    return Draw(np.array([names[cluster] for cluster in clusters], dtype=np.int64), counts)


def set_interval(
    estimate: float, statistic: Callable[[Weights], Numbers], resamples: Draw
) -> Interval:
    """Return a figure over rows with its 95% percentile interval.

    Args:
        estimate: the figure over all rows, each once.
        statistic: weights (r, n) of the rows to the figure of each resample, (r,), NaN where it
            has none.
    Raises:
        Undefined: more than 5% of the resamples have no value.
    """
    drawn = np.concatenate([statistic(weights) for weights in resamples.weights()])
    known = drawn[~np.isnan(drawn)]
    undefined = len(drawn) - len(known)
    if undefined > _MOST_UNDEFINED * len(drawn):
        told = f"{undefined} of {len(drawn)} resamples of {resamples.clusters} clusters"
        raise Undefined(f"no interval: the figure is undefined in {told}")
    return _interval(estimate, known, resamples, undefined)


def mean_interval(values: Sequence[float] | Numbers, resamples: Draw) -> Interval:
    """Return the mean of one value a row with its 95% percentile interval."""
    same_length(values=values, clusters=resamples.cluster)
    column = numbers("values", values)
    sums = np.bincount(resamples.cluster, weights=column)
    sizes = np.bincount(resamples.cluster).astype(np.float64)
    drawn = (resamples.counts @ sums) / (resamples.counts @ sizes)
    return _interval(float(column.mean()), drawn, resamples, 0)


def _interval(estimate: float, drawn: Numbers, resamples: Draw, undefined: int) -> Interval:
    low, high = np.quantile(drawn, [0.025, 0.975])
    rows = len(resamples.cluster)
    return Interval(estimate, float(low), float(high), rows, resamples.clusters, undefined)


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
    names = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    sums = np.bincount([names[cluster] for cluster in clusters], weights=difference)
    sums = sums[sums != 0]  # nothing changes with these
    observed = abs(sums.sum()) - 1e-12 * np.abs(sums).sum()
    if len(sums) < 63 and 2 ** len(sums) <= resamples:
        patterns = (np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums))) & 1
        return float((np.abs((1 - 2 * patterns) @ sums) >= observed).mean())
    random = np.random.default_rng(seed)
    extreme = 0
    step = max(1, _AT_ONCE // len(sums))
    for start in range(0, resamples, step):
        kept = random.integers(2, size=(min(step, resamples - start), len(sums)))
        extreme += int((np.abs((1 - 2 * kept) @ sums) >= observed).sum())
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
