"""The charts of a report: risk and coverage, calibration, latency."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from rag.evaluation import charts
from rag.evaluation.charts import Axis, Chart, Point, Series
from rag.evaluation.checks import Numbers
from rag.evaluation.figures import columns
from rag.evaluation.metrics import reliability
from rag.evaluation.runs import Item
from rag.evaluation.selective import risk_coverage
from rag.evaluation.suite_metrics import SET_METRICS, named, systems

_SHARE = (0.0, 1.0)
_BARS = 24
_MOST_SYSTEMS = 4


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart as it stands in a page, with the names of its series."""

    title: str
    description: str
    picture: Markup
    legend: tuple[str, ...]


def drawn(items: Sequence[Item]) -> list[Drawn]:
    """Return each chart that the items have the columns for."""
    made = [_risk(items), _calibration(items), _latency(items)]
    return [
        Drawn(c.title, c.description, picture, tuple(series.name for series in c.series))
        for c, picture in filter(None, made)
    ]


def _rows(
    items: Sequence[Item], names: tuple[str, ...], system: str
) -> tuple[dict[str, Numbers], int] | None:
    """Return columns of those items that have them all, None where none has."""
    own = [item for item in items if _has(item, names, system)]
    if not any(named(name, system) in item.columns for item in own for name in names):
        return None
    found = columns(own, names, system)
    return None if found is None else (found, len(own))


def _has(item: Item, names: tuple[str, ...], system: str) -> bool:
    return all(named(n, system) in item.columns or n in item.columns for n in names)


def _systems(items: Sequence[Item]) -> list[str]:
    return systems(name for item in items for name in item.columns)


def _risk(items: Sequence[Item]) -> tuple[Chart, Markup] | None:
    found: list[Series] = []
    told: list[str] = []
    for system in _systems(items):
        if (rows := _rows(items, SET_METRICS["AURC"].columns, system)) is None:
            continue
        right, confidence = (rows[0][name] for name in SET_METRICS["AURC"].columns)
        curve = risk_coverage(right.astype(bool), confidence)
        points = [
            Point(float(x), float(y)) for x, y in zip(curve.coverage, curve.risk, strict=True)
        ]
        found.append(Series(system, charts.thinned(points)))
        told.append(
            f"{system}: area {curve.area:.3f}, risk {curve.risk[-1]:.3f} when all is answered"
        )
    if not found:
        return None
    top = max(point.y for series in found for point in series.points)
    chart = Chart(
        "risk",
        "Risk and coverage",
        "Share of wrong answers among the surest, by the share of questions that are answered. "
        + "; ".join(told)
        + ".",
        Axis("coverage: share answered", *_SHARE),
        Axis("risk: share wrong", 0.0, min(1.0, max(0.1, top * 1.05))),
        found[:_MOST_SYSTEMS],
    )
    return chart, charts.svg(chart)


def _calibration(items: Sequence[Item]) -> tuple[Chart, Markup] | None:
    found: list[Series] = []
    told: list[str] = []
    for system in _systems(items):
        if (rows := _rows(items, SET_METRICS["ECE"].columns, system)) is None:
            continue
        gold, score = rows[0]["gold"], rows[0]["score"]
        if score.min() < 0 or score.max() > 1:
            continue
        bins = reliability(gold.astype(bool), score)
        points = [Point(b.mean_score, b.supported, *_wilson(b.supported, b.n)) for b in bins]
        found.append(Series(system, points, line=True, marks=True))
        told.append(f"{system}: {rows[1]} claims in {len(bins)} bins")
    if not found:
        return None
    chart = Chart(
        "calibration",
        "Calibration",
        "Share of claims that are supported, by the score that they got, in ten bins with 95% "
        "intervals (Wilson). On the diagonal the score is the share. " + "; ".join(told) + ".",
        Axis("score", *_SHARE),
        Axis("share supported", *_SHARE),
        found[:_MOST_SYSTEMS],
        diagonal=True,
    )
    return chart, charts.svg(chart)


def _wilson(share: float, n: int) -> tuple[float, float]:
    """Return the ends of Wilson's 95% interval of a share of n."""
    z = 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def seconds(item: Item) -> float:
    """Return how long an item took: its stage "total", else the sum of its stages."""
    return item.seconds.get("total", sum(item.seconds.values()))


def _latency(items: Sequence[Item]) -> tuple[Chart, Markup] | None:
    values = np.array([seconds(item) for item in items if item.seconds])
    if not len(values) or values.max() <= 0:
        return None
    top = float(np.quantile(values, 0.99)) or float(values.max())
    counts, edges = np.histogram(np.minimum(values, top), bins=_BARS, range=(0, top))
    middles = (edges[:-1] + edges[1:]) / 2
    points = [Point(float(x), float(y)) for x, y in zip(middles, counts, strict=True)]
    chart = Chart(
        "latency",
        "Latency",
        f"Items by the seconds that they took; half took at most {np.median(values):.3g}, 95% at "
        f"most {np.quantile(values, 0.95):.3g}. The last bar holds all that took longer.",
        Axis("seconds", 0.0, top),
        Axis("items", 0.0, float(counts.max()), counts=True),
        [Series("items", points)],
    )
    return chart, charts.bars(chart)
