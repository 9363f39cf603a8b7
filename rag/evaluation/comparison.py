"""Is one run better than another? The same items in both, paired.

For each metric: the mean difference (second − first) with a clustered bootstrap interval, the
p-value of a paired permutation, and that p-value after Holm's correction over all metrics that are
compared. A metric that only a whole set has (AUROC) is computed anew in each resample, and for
each exchange of runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag.errors import ConfigError
from rag.evaluation.checks import Undefined
from rag.evaluation.intervals import holm
from rag.evaluation.measured import Measured, Sampling, of_items, of_sets
from rag.evaluation.pairing import Pairs, Setting, check_same, paired, settings
from rag.evaluation.run_folder import Run
from rag.evaluation.runs import Item, Manifest
from rag.evaluation.suite_metrics import PRODUCT, SET_METRICS, parted

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """What a metric did from the first run to the second.

    Attributes:
        first, second: its value in each, over the items that have it in both.
        difference: second − first; `low` and `high` are the ends of its 95% interval.
        p, corrected: two-sided p-value, and after Holm's correction.
        n, clusters: items that have it in both, and their clusters.
        only_first, only_second: items that have it in one run only, and do not count.
        wins, losses: items that got better and worse; 0 for a metric of a whole set.
    """

    metric: str
    higher_is_better: bool
    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float
    corrected: float
    n: int
    clusters: int
    only_first: int
    only_second: int
    wins: int
    losses: int

    @property
    def outcome(self) -> str:
        """Return "better" or "worse" where the difference is significant, else "same"."""
        if self.corrected >= LEVEL or self.difference == 0:
            return "same"
        return "better" if (self.difference > 0) == self.higher_is_better else "worse"


@dataclass(frozen=True, slots=True)
class Change:
    """An item that a metric tells apart; `gain` is positive where the second run is better."""

    metric: str
    first: Item
    second: Item
    gain: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs, compared.

    Attributes:
        shared, only_first, only_second: items of both, and of one run only.
        changes: items with a difference, losses first, the largest first.
        settings: what differs between the runs.
        missing: metric to why it was not compared.
    """

    first: Manifest
    second: Manifest
    shared: int
    only_first: int
    only_second: int
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    settings: tuple[Setting, ...]
    missing: Mapping[str, str]


def compare(
    first: Run,
    second: Run,
    *,
    metrics: Sequence[str] = (),
    shared: bool = False,
    sampling: Sampling | None = None,
) -> Comparison:
    """Compare two runs of one suite, item by item.

    Args:
        metrics: those to compare, for which alone Holm corrects; all that both have if empty.
        shared: compare what items the runs share, even of other suites, data or limits.
    Raises:
        ConfigError: the runs are not of the same data, a metric is in neither of them, or they
            share nothing.
    """
    if not shared:
        check_same(first, second)
    pairs = paired(first, second)
    wanted = list(metrics) or _common(first, second)
    found: list[Difference] = []
    missing: dict[str, str] = {}
    for metric in wanted:
        try:
            found.append(_difference(metric, pairs, (first, second), sampling or Sampling()))
        except Undefined as error:
            if metrics:
                raise ConfigError(f"{metric} can not be compared: {error}") from None
            missing[metric] = str(error)
    corrected = holm({each.metric: each.p for each in found})
    differences = tuple(replace(each, corrected=corrected[each.metric]) for each in found)
    return Comparison(
        first.manifest,
        second.manifest,
        shared=len(pairs.first),
        only_first=len(first.items) - len(pairs.first),
        only_second=len(second.items) - len(pairs.first),
        differences=differences,
        changes=_changes(pairs, differences),
        settings=settings(first.manifest, second.manifest),
        missing=missing,
    )


def worse(comparison: Comparison, metrics: Sequence[str]) -> list[Difference]:
    """Return those of the named metrics that are significantly worse in the second run.

    Raises:
        ConfigError: a metric was not compared.
    """
    known = {each.metric: each for each in comparison.differences}
    for metric in metrics:
        if metric not in known:
            reason = comparison.missing.get(metric)
            told = f": {reason}" if reason else f"; expected one of {', '.join(known) or 'none'}"
            raise ConfigError(f"metric {metric!r} is not among those compared{told}")
    return [known[metric] for metric in metrics if known[metric].outcome == "worse"]


def _common(first: Run, second: Run) -> list[str]:
    """Return the product's metrics that both runs have, those of single items first."""
    mine, other = ({name for item in run.items for name in item.values} for run in (first, second))
    names = dict.fromkeys(name for item in first.items for name in item.values)
    each = [name for name in names if name in mine & other and parted(name)[1] == PRODUCT]
    columns = [set().union(*(item.columns for item in run.items)) for run in (first, second)]
    return each + [
        name
        for name, metric in SET_METRICS.items()
        if all(set(metric.columns) <= known for known in columns)
    ]


def _difference(metric: str, pairs: Pairs, runs: tuple[Run, Run], sampling: Sampling) -> Difference:
    if metric in SET_METRICS:
        measured = of_sets(metric, SET_METRICS[metric], pairs, sampling)
    else:
        measured = of_items(metric, runs, pairs, sampling)
    return _told(measured, pairs)


def _told(measured: Measured, pairs: Pairs) -> Difference:
    both, interval = measured.both, measured.interval
    return Difference(
        measured.metric,
        measured.higher_is_better,
        *measured.values,
        difference=interval.estimate,
        low=interval.low,
        high=interval.high,
        p=measured.p,
        corrected=measured.p,
        n=interval.n,
        clusters=interval.clusters,
        only_first=sum(map(measured.has, pairs.first)) - len(both.first),
        only_second=sum(map(measured.has, pairs.second)) - len(both.second),
        wins=measured.wins,
        losses=measured.losses,
    )


def _changes(pairs: Pairs, differences: Sequence[Difference]) -> tuple[Change, ...]:
    found = []
    for each in differences:
        sign = 1 if each.higher_is_better else -1
        for mine, other in zip(pairs.first, pairs.second, strict=True):
            if each.metric in mine.values and each.metric in other.values:
                gain = sign * (other.values[each.metric] - mine.values[each.metric])
                if gain:
                    found.append(Change(each.metric, mine, other, gain))
    return tuple(sorted(found, key=lambda change: (change.metric, change.gain)))
