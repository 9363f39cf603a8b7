"""The ruled lines of a PDF's page, joined to grids: where its tables have their cells.

Coordinates are those of the page: points, from its lower left corner upwards.
"""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium_c

# Rules this near are one: borders of neighbouring cells, a border drawn as a thin rectangle.
_NEAR = 3.0
# A page with more rules than this holds a drawing or a map, and its grid would take long.
_MOST_RULES = 4000
_FEWEST_LINES = 3  # of a grid with two rows or columns


class Rule(NamedTuple):
    """A straight line along an axis: `at` is its x where it is upright, else its y."""

    upright: bool
    at: float
    start: float
    end: float


class Box(NamedTuple):
    """A rectangle, top above bottom."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class Grid:
    """A table's cells: rows from the top, each with one place a column.

    A place is None where a cell from the left or from above reaches over it.
    """

    box: Box
    rows: tuple[tuple[Box | None, ...], ...]


def grids(page: Any) -> list[Grid]:
    """Return the grids of at least two rows and two columns that the page's rules form."""
    rules: list[Rule] = []
    for drawn in page.get_objects(filter=(pdfium_c.FPDF_PAGEOBJ_PATH,), max_depth=1):
        rules += _rules(drawn)
        if len(rules) > _MOST_RULES:
            return []
    return grids_of(rules)


def grids_of(rules: Sequence[Rule]) -> list[Grid]:
    """Return the grids that rules form, in any order."""
    found = (_grid(group) for group in _connected(_joined(rules)))
    return [grid for grid in found if grid is not None]


def _rules(drawn: Any) -> Iterator[Rule]:
    """Yield the rules that a path draws: its straight lines along an axis, thin bars as one."""
    left, bottom, right, top = drawn.get_bounds()
    width, height = right - left, top - bottom
    if min(width, height) <= _NEAR:
        if max(width, height) > _NEAR:
            upright = height > width
            middle = (left + right) / 2 if upright else (bottom + top) / 2
            yield Rule(upright, middle, *((bottom, top) if upright else (left, right)))
        return
    points = _points(drawn)
    for (x, y), (to_x, to_y) in pairwise(points):
        if abs(x - to_x) < 1 <= abs(y - to_y):
            yield Rule(True, x, min(y, to_y), max(y, to_y))
        elif abs(y - to_y) < 1 <= abs(x - to_x):
            yield Rule(False, y, min(x, to_x), max(x, to_x))


_GAP = (float("nan"), float("nan"))  # no line leads to it or from it


def _points(drawn: Any) -> list[tuple[float, float]]:
    """Return the corners of a path in the page's coordinates, _GAP between its parts."""
    matrix = drawn.get_matrix()
    points: list[tuple[float, float]] = []
    first = _GAP
    x, y = ctypes.c_float(), ctypes.c_float()
    for number in range(min(pdfium_c.FPDFPath_CountSegments(drawn), _MOST_RULES)):
        segment = pdfium_c.FPDFPath_GetPathSegment(drawn, number)
        kind = pdfium_c.FPDFPathSegment_GetType(segment)
        pdfium_c.FPDFPathSegment_GetPoint(segment, x, y)
        point = matrix.on_point(x.value, y.value)
        if kind == pdfium_c.FPDF_SEGMENT_MOVETO:
            first = point
        if kind != pdfium_c.FPDF_SEGMENT_LINETO:
            points.append(_GAP)
        points.append(point)
        if pdfium_c.FPDFPathSegment_GetClose(segment):
            points.append(first)
    return points


def _joined(rules: Sequence[Rule]) -> list[Rule]:
    """Return rules with those on one line, and meeting or overlapping there, made one."""
    joined: list[Rule] = []
    for upright in (False, True):
        same = sorted((rule for rule in rules if rule.upright is upright), key=lambda r: r.at)
        for line in _lines(same):
            at = sum(rule.at for rule in line) / len(line)
            joined += _stretches(upright, at, line)
    return joined


def _lines(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """Yield runs of rules, given in order of their place, whose places are near."""
    line: list[Rule] = []
    for rule in rules:
        if line and rule.at - line[0].at > _NEAR:
            yield line
            line = []
        line.append(rule)
    if line:
        yield line


def _stretches(upright: bool, at: float, line: Sequence[Rule]) -> Iterator[Rule]:
    start, end = None, 0.0
    for rule in sorted(line, key=lambda rule: rule.start):
        if start is None:
            start, end = rule.start, rule.end
        elif rule.start <= end + _NEAR:
            end = max(end, rule.end)
        else:
            yield Rule(upright, at, start, end)
            start, end = rule.start, rule.end
    if start is not None:
        yield Rule(upright, at, start, end)


def _connected(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Return rules in groups in which each touches another one of the other direction."""
    left = list(rules)
    groups = []
    while left:
        group = [left.pop()]
        for rule in group:  # grows while it is walked
            apart: list[Rule] = []
            for other in left:
                (group if _touch(rule, other) else apart).append(other)
            left = apart
        groups.append(group)
    return groups


def _touch(one: Rule, other: Rule) -> bool:
    return (
        one.upright is not other.upright
        and other.start - _NEAR <= one.at <= other.end + _NEAR
        and one.start - _NEAR <= other.at <= one.end + _NEAR
    )


def _grid(rules: Sequence[Rule]) -> Grid | None:
    """Return the grid of rules that touch, None where there are no two rows and columns."""
    upright = [rule for rule in rules if rule.upright]
    level = [rule for rule in rules if not rule.upright]
    if not upright or not level:
        return None
    # A table may be open at its sides: there its rules end, and so do its cells.
    xs = _places(upright, level)
    ys = _places(level, upright)[::-1]
    if min(len(xs), len(ys)) < _FEWEST_LINES:
        return None
    rows = [_row(number, xs, ys, upright, level) for number in range(len(ys) - 1)]
    return Grid(Box(xs[0], ys[-1], xs[-1], ys[0]), tuple(rows))


def _places(rules: Sequence[Rule], crossing: Sequence[Rule]) -> list[float]:
    """Return where rules stand, in order, with the ends of those that cross them."""
    places = sorted({rule.at for rule in rules})
    start, end = min(rule.start for rule in crossing), max(rule.end for rule in crossing)
    before = [start] if start < places[0] - _NEAR else []
    return before + places + ([end] if end > places[-1] + _NEAR else [])


def _row(
    number: int,
    xs: Sequence[float],
    ys: Sequence[float],
    upright: Sequence[Rule],
    level: Sequence[Rule],
) -> tuple[Box | None, ...]:
    """Return the cells that begin in a row, at the columns where they begin."""
    middle = (ys[number] + ys[number + 1]) / 2
    bounds = [x for x in xs[1:-1] if _covered(upright, x, middle)]
    cells: list[Box | None] = [None] * (len(xs) - 1)
    for left, right in pairwise([xs[0], *bounds, xs[-1]]):
        across = (left + right) / 2
        if number and not _covered(level, ys[number], across):
            continue  # a cell from above
        last = number + 1
        while last < len(ys) - 1 and not _covered(level, ys[last], across):
            last += 1
        cells[xs.index(left)] = Box(left, ys[last], right, ys[number])
    return tuple(cells)


def _covered(rules: Sequence[Rule], at: float, where: float) -> bool:
    return any(rule.at == at and rule.start <= where <= rule.end for rule in rules)
