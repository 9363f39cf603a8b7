"""The figures of a run: every metric of every system, over all items and over each part."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from rag.evaluation.checks import Numbers, Undefined
from rag.evaluation.intervals import (
    RESAMPLES,
    Draw,
    Interval,
    draw,
    mean_interval,
    set_interval,
)
from rag.evaluation.runs import Figure, Item
from rag.evaluation.suite_metrics import (
    ITEM_METRICS,
    PRODUCT,
    SET_METRICS,
    SetMetric,
    higher_is_better,
    named,
    parted,
    systems,
)

LEAST_PART = 3
"""A part of fewer items has no figures of its own, and a figure of fewer no interval shown."""


def figures(items: Sequence[Item], seed: int, resamples: int = RESAMPLES) -> list[Figure]:
    """Return all figures, those over all items first.

    A metric that has no value on a part, or no interval, is left out there: one class only, say.
    """
    found: list[Figure] = []
    for part, rows in parts(items):
        chosen = [items[row] for row in rows]
        for metric, system, interval in _figures(chosen, seed, resamples):
            found.append(
                Figure(
                    metric,
                    system,
                    part,
                    interval.estimate,
                    interval.low,
                    interval.high,
                    interval.n,
                    higher_is_better(metric),
                )
            )
    return found


def parts(items: Sequence[Item]) -> Iterator[tuple[dict[str, str], list[int]]]:
    """Yield all items, then those of each language and of each type where there are several."""
    yield {}, list(range(len(items)))
    for name, groups in _groups(items):
        for value, rows in groups.items():
            if len(rows) >= LEAST_PART:
                yield {name: value}, rows


def small_parts(items: Sequence[Item]) -> dict[str, dict[str, int]]:
    """Return the parts that are too small for figures: "lang" or "type" to value to items."""
    small = {
        name: {value: len(rows) for value, rows in groups.items() if len(rows) < LEAST_PART}
        for name, groups in _groups(items)
    }
    return {name: groups for name, groups in small.items() if groups}


def _groups(items: Sequence[Item]) -> Iterator[tuple[str, dict[str, list[int]]]]:
    for name in ("lang", "type"):
        groups: dict[str, list[int]] = {}
        for row, item in enumerate(items):
            groups.setdefault(getattr(item, name), []).append(row)
        if len(groups) > 1:
            yield name, groups


def unmeasured(items: Sequence[Item], found: Sequence[Figure]) -> dict[str, str]:
    """Return the product's metrics of the whole set that have no figure though the items have
    what they need, each with the reason."""
    known = {figure.metric for figure in found if not figure.part and figure.system == PRODUCT}
    told: dict[str, str] = {}
    for metric, how in SET_METRICS.items():
        table = columns(items, how.columns, PRODUCT) if items and metric not in known else None
        if table is None:
            continue
        try:
            how.function(table)
        except Undefined as error:
            told[metric] = str(error)
        else:
            told[metric] = "no value in more than 5% of the resamples: too few items of a kind"
    return told


def _figures(
    items: Sequence[Item], seed: int, resamples: int
) -> Iterator[tuple[str, str, Interval]]:
    draws: dict[tuple[str, ...], Draw] = {}

    def drawn(clusters: Iterable[str]) -> Draw:
        key = tuple(clusters)
        if key not in draws:
            draws[key] = draw(key, seed=seed, resamples=resamples)
        return draws[key]

    for name, rows in _means(items).items():
        values, clusters = zip(*rows, strict=True)
        yield *parted(name), mean_interval(values, drawn(clusters))
    for system in systems(name for item in items for name in item.columns):
        for metric, how in SET_METRICS.items():
            interval = whole_set(items, how, system, drawn(item.cluster for item in items))
            if interval is not None:
                yield metric, system, interval


def _means(items: Sequence[Item]) -> dict[str, list[tuple[float, str]]]:
    """Return (value, cluster) of every item that has it, by name; known metrics in their order."""
    found: dict[str, list[tuple[float, str]]] = {}
    for item in items:
        timed = {f"seconds, {name}": value for name, value in item.seconds.items()}
        spent = {f"cost, {name}": value for name, value in item.cost.items()}
        for name, value in {**item.values, **timed, **spent}.items():
            found.setdefault(name, []).append((value, item.cluster))
    order = list(ITEM_METRICS)
    place = {n: order.index(parted(n)[0]) if parted(n)[0] in order else len(order) for n in found}
    return {name: found[name] for name in sorted(found, key=lambda name: place[name])}


def columns(items: Sequence[Item], names: Sequence[str], system: str) -> dict[str, Numbers] | None:
    """Return the columns of a system by metric's name, None unless every item has all of them.

    A column that a system shares with the product ("gold") stands under the plain name.
    """
    found: dict[str, Numbers] = {}
    for name in names:
        own = named(name, system)
        try:
            found[name] = np.array(
                [i.columns[own] if own in i.columns else i.columns[name] for i in items],
                dtype=np.float64,
            )
        except KeyError:
            return None
    return found


def whole_set(
    items: Sequence[Item], metric: SetMetric, system: str, resamples: Draw
) -> Interval | None:
    """Return a metric of a set with its interval, None where it does not apply."""
    if system != PRODUCT and not _has_own(items, metric.columns, system):
        return None
    if (table := columns(items, metric.columns, system)) is None:
        return None
    try:
        estimate = metric.function(table)
        return set_interval(estimate, lambda weights: metric.resampled(table, weights), resamples)
    except Undefined:
        return None


def _has_own(items: Sequence[Item], names: Sequence[str], system: str) -> bool:
    return any(named(name, system) in item.columns for item in items for name in names)
