"""A metric in two runs, over the items that have it in both: values, interval, p-value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rag.evaluation.checks import Numbers, Undefined
from rag.evaluation.intervals import (
    RESAMPLES,
    Interval,
    Rows,
    cluster_bootstrap,
    mean_interval,
    paired_permutation,
)
from rag.evaluation.pairing import Pairs
from rag.evaluation.run_folder import Run
from rag.evaluation.runs import Item
from rag.evaluation.suite_metrics import PRODUCT, Columns, SetMetric, higher_is_better

PERMUTATIONS = 10_000
EXCHANGES = 1_000


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
        interval=mean_interval(
            change, both.clusters, resamples=sampling.resamples, seed=sampling.seed
        ),
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

    def of(columns: Columns, rows: Rows) -> float:
        return known.function({name: column[rows] for name, column in columns.items()})

    return Measured(
        metric,
        known.higher_is_better,
        both,
        has,
        values=(known.function(mine), known.function(other)),
        interval=cluster_bootstrap(
            lambda rows: of(other, rows) - of(mine, rows),
            both.clusters,
            resamples=sampling.resamples,
            seed=sampling.seed,
        ),
        p=exchanged(known.function, mine, other, both.clusters, sampling),
    )


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
    function: Callable[[Columns], float],
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
    observed = abs(function(second) - function(first)) - 1e-12
    names = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    of_row = np.array([names[cluster] for cluster in clusters])
    random = np.random.default_rng(sampling.seed)
    extreme = 0
    for _ in range(sampling.exchanges):
        swap = random.integers(2, size=len(names)).astype(np.bool_)[of_row]
        mine = {name: np.where(swap, second[name], first[name]) for name in first}
        other = {name: np.where(swap, first[name], second[name]) for name in first}
        try:
            extreme += abs(function(other) - function(mine)) >= observed
        except Undefined:
            extreme += 1
    return (1 + extreme) / (1 + sampling.exchanges)
