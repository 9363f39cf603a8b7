"""The figures of a run as tables: systems side by side, and a metric over the parts of the data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.evaluation.figures import LEAST_PART, small_parts, unmeasured
from rag.evaluation.runs import Figure, Item
from rag.evaluation.suite_metrics import PRODUCT

ALL_ITEMS = "All items"
TITLES = {"lang": "By language", "type": "By type"}
NOTE = (
    "Each figure with its 95% interval, from a bootstrap over clusters of items, and n, the items "
    f"that have it; of fewer than {LEAST_PART} no interval is given. Where all items agree it has "
    "no width: of few items that says little. ↑ more is better, ↓ less is better."
)
_NEITHER = ("seconds, ", "cost, ")
"""Figures with tables of their own."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of figures, each with a name; None where there is no such figure.

    `head` says what the columns are; its first is the names of the rows.
    """

    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Figure | None, ...]], ...]


def by_system(figures: Sequence[Figure], items: Sequence[Item]) -> Table:
    """Return metrics over all items, the product beside baselines and floors."""
    whole = [figure for figure in figures if not figure.part and _is_quality(figure)]
    systems = _systems(whole)
    found = {(figure.metric, figure.system): figure for figure in whole}
    return Table(
        ALL_ITEMS,
        NOTE + _without_figure(unmeasured(items, figures) if whole else {}),
        ("metric", *systems),
        tuple(
            (name, tuple(found.get((metric, system)) for system in systems))
            for metric, name in _metrics(whole)
        ),
    )


def _without_figure(reasons: Mapping[str, str]) -> str:
    """Return a sentence that names metrics by the reason for which they have no figure."""
    groups: dict[str, list[str]] = {}
    for metric, reason in reasons.items():
        groups.setdefault(reason, []).append(metric)
    told = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in groups.items())
    return f" Without a figure: {told}." if told else ""


def left_out(items: Sequence[Item]) -> list[str]:
    """Return a line for each way of parting the data that names the parts without figures."""
    return [
        f"{TITLES[name]}, with fewer than {LEAST_PART} items and so without figures: "
        + ", ".join(f"{value} ({n})" for value, n in groups.items())
        + "."
        for name, groups in small_parts(items).items()
    ]


def by_part(figures: Sequence[Figure]) -> list[Table]:
    """Return a table for each way that the data is parted: metrics and systems by part."""
    tables = []
    for dimension in dict.fromkeys(name for figure in figures for name in figure.part):
        inside = [f for f in figures if list(f.part) == [dimension] and _is_quality(f)]
        names = list(dict.fromkeys(figure.part[dimension] for figure in inside))
        found = {(f.metric, f.system, f.part[dimension]): f for f in inside}
        rows = [
            (
                label if system == PRODUCT else f"{label}, {system}",
                tuple(found.get((metric, system, name)) for name in names),
            )
            for metric, label in _metrics(inside)
            for system in _systems(inside)
            if any((metric, system, name) in found for name in names)
        ]
        title = TITLES.get(dimension, f"By {dimension}")
        tables.append(Table(title, "", (dimension, *names), tuple(rows)))
    return tables


def _is_quality(figure: Figure) -> bool:
    return not figure.metric.startswith(_NEITHER)


def _systems(figures: Iterable[Figure]) -> list[str]:
    found = dict.fromkeys(figure.system for figure in figures)
    return sorted(found, key=lambda system: system != PRODUCT)


def _metrics(figures: Iterable[Figure]) -> list[tuple[str, str]]:
    """Return each metric with its label, which tells what is better."""
    better = {figure.metric: figure.higher_is_better for figure in figures}
    arrows = {True: "\u00a0↑", False: "\u00a0↓"}
    return [(metric, metric + arrows[higher]) for metric, higher in better.items()]


@dataclass(frozen=True, slots=True)
class Spread:
    """How the values of a stage or a cost lie over items."""

    name: str
    n: int
    mean: float
    median: float
    most: float  # the 95th percentile
    largest: float


def latencies(items: Sequence[Item]) -> list[Spread]:
    """Return the seconds of each stage."""
    return _spreads([item.seconds for item in items])


def costs(items: Sequence[Item]) -> list[Spread]:
    """Return the tokens of each kind, or whatever was counted."""
    return _spreads([item.cost for item in items])


def _spreads(rows: Sequence[Mapping[str, float]]) -> list[Spread]:
    found: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            found.setdefault(name, []).append(float(value))
    return [
        Spread(
            name,
            len(values),
            float(np.mean(values)),
            float(np.median(values)),
            float(np.quantile(values, 0.95)),
            float(np.max(values)),
        )
        for name, values in found.items()
    ]
