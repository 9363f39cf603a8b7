"""A metric in two runs, over the items that have it in both: values, interval, p-value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.evaluation.checks import Numbers, Undefined
from rag.evaluation.intervals import (
    RESAMPLES,
    Draw,
    Interval,
    draw,
    mean_interval,
    paired_permutation,
    set_interval,
)
from rag.evaluation.pairing import Pairs
from rag.evaluation.run_folder import Run
from rag.evaluation.runs import Item
from rag.evaluation.suite_metrics import PRODUCT, SetMetric, higher_is_better
from rag.evaluation.weighted import Columns, Weighted

PERMUTATIONS = 10_000
EXCHANGES = 1_000
# Numbers held at a time.
_AT_ONCE = 500_000


@dataclass(frozen=True, slots=True)
class Sampling:
    """How much is drawn, and from which seed.

    Attributes:
        exchanges: permutations of a metric of a whole set, which is computed anew for each.
    """

    seed: int = 0
    resamples: int = RESAMPLES
    permutations: int = PERMUTATIONS
    exchanges: int = EXCHANGES


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric over the items that have it in both runs; `interval` is that of the difference."""

    metric: str
    higher_is_better: bool
    both: Pairs
    has: Callable[[Item], bool]
    values: tuple[float, float]
    interval: Interval
    p: float
    wins: int = 0
    losses: int = 0


def of_items(metric: str, runs: tuple[Run, Run], pairs: Pairs, sampling: Sampling) -> Measured:
    """Measure a metric that each item has; Undefined where no item has it in both runs."""

    def has(item: Item) -> bool:
        return metric in item.values

    both = pairs.only(has)
    if not both.first:
        raise Undefined("no item has it in both runs")
    mine, other = (
        np.array([item.values[metric] for item in side]) for side in (both.first, both.second)
    )
    higher = _higher_is_better(metric, runs)
    change = other - mine
    gains = change if higher else -change
    return Measured(
        metric,
        higher,
        both,
        has,
        values=(float(mine.mean()), float(other.mean())),
        interval=mean_interval(change, _drawn(both, sampling)),
        p=paired_permutation(
            mine, other, both.clusters, resamples=sampling.permutations, seed=sampling.seed
        ),
        wins=int((gains > 0).sum()),
        losses=int((gains < 0).sum()),
    )


def _higher_is_better(metric: str, runs: tuple[Run, Run]) -> bool:
    try:
        return higher_is_better(metric)
    except KeyError:
        pass  # a metric of somebody else's: its figures tell
    for figure in (figure for run in runs for figure in run.figures):
        if figure.metric == metric and figure.system == PRODUCT:
            return figure.higher_is_better
    raise Undefined("nothing says whether more of it is better or worse")


def of_sets(metric: str, known: SetMetric, pairs: Pairs, sampling: Sampling) -> Measured:
    """Measure a metric of a whole set; Undefined where no item has its columns in both runs."""

    def has(item: Item) -> bool:
        return all(name in item.columns for name in known.columns)

    both = pairs.only(has)
    if not both.first:
        raise Undefined("no item has its columns in both runs")
    mine, other = (_columns(side, known.columns) for side in (both.first, both.second))

    if all(np.array_equal(mine[name], other[name]) for name in mine):
        return _unchanged(metric, known, both, has, known.function(mine))

    values = known.function(mine), known.function(other)
    return Measured(
        metric,
        known.higher_is_better,
        both,
        has,
        values=values,
        interval=set_interval(
            values[1] - values[0],
            lambda weights: known.resampled(other, weights) - known.resampled(mine, weights),
            _drawn(both, sampling),
        ),
        p=exchanged(known.resampled, mine, other, both.clusters, sampling),
    )


def _drawn(both: Pairs, sampling: Sampling) -> Draw:
    return draw(both.clusters, resamples=sampling.resamples, seed=sampling.seed)


def _unchanged(
    metric: str, known: SetMetric, both: Pairs, has: Callable[[Item], bool], value: float
) -> Measured:
    """Return what is certain without drawing where the columns of both runs are the same."""
    n, clusters = len(both.first), len(set(both.clusters))
    interval = Interval(0.0, 0.0, 0.0, n, clusters, 0)
    return Measured(
        metric, known.higher_is_better, both, has, (value, value), interval=interval, p=1.0
    )


def _columns(items: Sequence[Item], names: Sequence[str]) -> dict[str, Numbers]:
    return {name: np.array([item.columns[name] for item in items]) for name in names}


def exchanged(
    resampled: Weighted,
    first: Columns,
    second: Columns,
    clusters: Sequence[str],
    sampling: Sampling,
) -> float:
    """Return the two-sided p-value of a set metric's difference between two runs.

    As in `rag.evaluation.intervals.paired_permutation`: under the null hypothesis the runs can
    change places, cluster by cluster. The share of such exchanges, the observed one counted in,
    whose difference is at least the observed one; an exchange under which the metric has no value
    counts as one.
    """
    # Rows of both runs under one another: an exchange weighs one or the other of each pair.
    table = {name: np.concatenate([first[name], second[name]]) for name in first}
    names = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    of_row = np.array([names[cluster] for cluster in clusters])

    def differences(swaps: NDArray[np.int64]) -> Numbers:
        swap = swaps.astype(np.float64)[:, of_row]
        mine, other = np.hstack([1 - swap, swap]), np.hstack([swap, 1 - swap])
        return np.abs(resampled(table, other) - resampled(table, mine))

    observed = float(differences(np.zeros((1, len(names)), dtype=np.int64))[0]) - 1e-12
    random = np.random.default_rng(sampling.seed)
    extreme = 0
    step = max(1, _AT_ONCE // len(of_row))
    for start in range(0, sampling.exchanges, step):
        swaps = random.integers(2, size=(min(step, sampling.exchanges - start), len(names)))
        found = differences(swaps)
        extreme += int((np.isnan(found) | (found >= observed)).sum())
    return (1 + extreme) / (1 + sampling.exchanges)
