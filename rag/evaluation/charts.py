"""Charts as SVG, drawn here: a few hundred bytes each, no script, colours from the page.

A drawing library would bring a renderer and megabytes for what are lines, points and bars with two
axes. What is drawn is told in words too: every chart has a title and a description, and series
differ by dash and by mark, not by colour alone. All text is escaped.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from rag.evaluation.pages import shown

WIDTH, HEIGHT = 480, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 46
_TICKS = 5
_KINDS = 4  # of dashes and marks, before they come again


@dataclass(frozen=True, slots=True)
class Point:
    """A point, with the ends of its interval where it has one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one name, in order: joined by a line, marked, or both."""

    name: str
    points: Sequence[Point]
    line: bool = True
    marks: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """A label with the range that is shown; `names` stand at whole numbers in place of these.

    Of what is counted, `counts`, only whole numbers are shown.
    """

    label: str
    low: float
    high: float
    names: Sequence[str] = ()
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn; `identity` is unique in its page; `diagonal` draws x = y."""

    identity: str
    title: str
    description: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    diagonal: bool = False


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where values are on the paper."""

    x: Axis
    y: Axis

    def across(self, value: float) -> float:
        share = (value - self.x.low) / ((self.x.high - self.x.low) or 1)
        return round(LEFT + min(max(share, 0), 1) * (WIDTH - LEFT - RIGHT), 1)

    def down(self, value: float) -> float:
        share = (value - self.y.low) / ((self.y.high - self.y.low) or 1)
        return round(HEIGHT - BOTTOM - min(max(share, 0), 1) * (HEIGHT - TOP - BOTTOM), 1)


def svg(chart: Chart) -> Markup:
    """Return a chart as an SVG element."""
    scale = _Scale(chart.x, chart.y)
    parts = [*_axes(chart, scale)]
    if chart.diagonal:
        parts.append(
            _line("diagonal", (chart.x.low, chart.y.low), (chart.x.high, chart.y.high), scale)
        )
    for number, series in enumerate(chart.series):
        parts += _series(series, number % _KINDS, scale)
    return _element(chart, parts)


def bars(chart: Chart) -> Markup:
    """Return a chart whose one series is bars from zero, points at their middles."""
    scale = _Scale(chart.x, chart.y)
    points = chart.series[0].points
    width = (WIDTH - LEFT - RIGHT) / max(len(points), 1)
    parts = [*_axes(chart, scale)]
    for point in points:
        top = scale.down(point.y)
        parts.append(
            Markup('<rect class="bar" x="{}" y="{}" width="{}" height="{}"/>').format(
                round(scale.across(point.x) - width * 0.45, 1),
                top,
                round(width * 0.9, 1),
                round(scale.down(0) - top, 1),
            )
        )
    return _element(chart, parts)


def _element(chart: Chart, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {} {}" role="img"'
        ' aria-labelledby="{}-t {}-d"><title id="{}-t">{}</title><desc id="{}-d">{}</desc>{}</svg>'
    ).format(
        WIDTH,
        HEIGHT,
        *[chart.identity] * 3,
        shown(chart.title),
        chart.identity,
        shown(chart.description),
        Markup("").join(parts),
    )


def _axes(chart: Chart, scale: _Scale) -> list[Markup]:
    parts = []
    bottom = HEIGHT - BOTTOM
    for value, told in _ticks(chart.y):
        y = scale.down(value)
        parts.append(Markup('<path class="grid" d="M{} {}H{}"/>').format(LEFT, y, WIDTH - RIGHT))
        parts.append(_text(LEFT - 6, y + 4, told, "end"))
    for value, told in _ticks(chart.x):
        parts.append(_text(scale.across(value), bottom + 16, told, "middle"))
    parts.append(
        Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(LEFT, TOP, bottom, WIDTH - RIGHT)
    )
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, chart.x.label, "middle"))
    turned = Markup('<text transform="translate(12 {}) rotate(-90)" text-anchor="middle">{}</text>')
    parts.append(turned.format((TOP + bottom) / 2, shown(chart.y.label)))
    return parts


def _ticks(axis: Axis) -> list[tuple[float, str]]:
    if axis.names:
        step = max(1, -(-len(axis.names) // 6))
        return [(float(i), axis.names[i]) for i in range(0, len(axis.names), step)]
    width = _round_step((axis.high - axis.low) / _TICKS)
    if axis.counts:
        width = max(1.0, width)
    first, last = math.ceil(axis.low / width - 1e-9), math.floor(axis.high / width + 1e-9)
    return [(number * width, f"{number * width:.6g}") for number in range(first, last + 1)]


def _round_step(least: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is not below `least`."""
    if least <= 0:
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(least))
    steps = [power * times for times in (1.0, 2.0, 5.0, 10.0)]
    return next(step for step in steps if step >= least * (1 - 1e-9))


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
        x, y, anchor, shown(text)
    )


def _line(kind: str, start: tuple[float, float], end: tuple[float, float], scale: _Scale) -> Markup:
    return Markup('<path class="{}" d="M{} {}L{} {}"/>').format(
        kind, scale.across(start[0]), scale.down(start[1]), scale.across(end[0]), scale.down(end[1])
    )


def _series(series: Series, number: int, scale: _Scale) -> list[Markup]:
    parts = []
    places = [(scale.across(point.x), scale.down(point.y)) for point in series.points]
    if series.line and places:
        path = "L".join(f"{x} {y}" for x, y in places)
        parts.append(Markup('<path class="line s{}" d="M{}"/>').format(number, path))
    if series.marks:
        for point, (x, y) in zip(series.points, places, strict=True):
            if point.low is not None and point.high is not None:
                ends = ((point.x, point.low), (point.x, point.high))
                parts.append(_line(f"interval s{number}", *ends, scale))
            parts.append(_mark(number, x, y))
    return parts


def _mark(number: int, x: float, y: float) -> Markup:
    if number % 2:
        return Markup('<rect class="mark s{}" x="{}" y="{}" width="7" height="7"/>').format(
            number, round(x - 3.5, 1), round(y - 3.5, 1)
        )
    return Markup('<circle class="mark s{}" cx="{}" cy="{}" r="4"/>').format(number, x, y)


def thinned(points: Sequence[Point], most: int = 120) -> list[Point]:
    """Return at most so many points of a curve, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(number * step)] for number in range(most)]
