"""A metric over the runs of a suite, oldest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from rag.errors import ConfigError
from rag.evaluation import charts
from rag.evaluation.runs import MANIFEST, Figure, Manifest, read_figures, read_manifest
from rag.evaluation.suite_metrics import PRODUCT


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which figures: of a metric, a system and a part of the data; `suite` "" is any."""

    metric: str
    suite: str = ""
    system: str = PRODUCT
    part: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A run with its figure; `same_data` is false where its data is not that of the run before."""

    manifest: Manifest
    figure: Figure
    same_data: bool


def history(folder: Path, wanted: Wanted) -> list[Moment]:
    """Return the figure of each complete run below a folder, by when it was started.

    Raises:
        ConfigError: there is no such figure, or the runs are of several suites and none is named.
    """
    runs = sorted(_runs(folder), key=lambda found: found[1].started)
    if not runs:
        raise ConfigError(f"{folder} holds no finished run; expected the folder of runs")
    chosen = [found for found in runs if wanted.suite in ("", found[1].suite)]
    moments: list[Moment] = []
    for path, manifest in chosen:
        for figure in _figures(path, wanted):
            data = moments[-1].manifest.dataset.get("sha256") if moments else None
            same = not moments or data == manifest.dataset.get("sha256")
            moments.append(Moment(manifest, figure, same))
    if not moments:
        raise ConfigError(_nothing(folder, [path for path, _ in chosen], wanted))
    suites = sorted({moment.manifest.suite for moment in moments})
    if len(suites) > 1:
        raise ConfigError(f"{folder} holds runs of {', '.join(suites)}; name one with --suite")
    return moments


def _runs(folder: Path) -> list[tuple[Path, Manifest]]:
    paths = sorted(path.parent for path in folder.glob(f"**/{MANIFEST}"))
    found = [(path, read_manifest(path)) for path in paths]
    return [(path, manifest) for path, manifest in found if manifest.finished is not None]


def _figures(path: Path, wanted: Wanted) -> list[Figure]:
    part = dict(wanted.part or {})
    return [
        figure
        for figure in read_figures(path)
        if (figure.metric, figure.system, dict(figure.part)) == (wanted.metric, wanted.system, part)
    ]


def _nothing(folder: Path, paths: Sequence[Path], wanted: Wanted) -> str:
    if not paths:
        return f"{folder} holds no finished run of suite {wanted.suite!r}"
    known = dict.fromkeys(f.metric for path in paths for f in read_figures(path) if not f.part)
    return f"no run has {wanted.metric!r} of {wanted.system}; expected one of: {', '.join(known)}"


def svg(moments: Sequence[Moment]) -> Markup:
    """Return the history as a chart; ConfigError is for the caller, there is at least one run."""
    figures = [moment.figure for moment in moments]
    low, high = min(f.low for f in figures), max(f.high for f in figures)
    room = (high - low) * 0.1 or 0.05
    first, metric = moments[0].manifest, figures[0].metric
    points = [charts.Point(float(i), f.value, f.low, f.high) for i, f in enumerate(figures)]
    chart = charts.Chart(
        "history",
        f"{metric} over runs of {first.suite}",
        f"{len(figures)} runs with 95% intervals, from {figures[0].value:.3f} to "
        f"{figures[-1].value:.3f}.",
        charts.Axis(
            "run, by the time it was started",
            -0.5,
            len(figures) - 0.5,
            tuple(moment.manifest.started[:10] for moment in moments),
        ),
        charts.Axis(metric, low - room, high + room),
        [charts.Series(figures[0].system, points, marks=True)],
    )
    return charts.svg(chart)


def plot(moments: Sequence[Moment], width: int = 32) -> list[str]:
    """Return a line of text for each run: its interval, and in it the value, on one scale."""
    figures = [moment.figure for moment in moments]
    low, high = min(f.low for f in figures), max(f.high for f in figures)

    def place(value: float) -> int:
        return round((value - low) / ((high - low) or 1) * (width - 1))

    lines = []
    for figure in figures:
        start, middle, end = map(place, (figure.low, figure.value, figure.high))
        lines.append(
            "".join(
                "●" if at == middle else "─" if start <= at <= end else "·" for at in range(width)
            )
        )
    return lines
