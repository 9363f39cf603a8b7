"""One suite under many settings: a run for each combination, and which of them are worth having.

A combination's folder is named by its settings, so a sweep that is started again finds what is done
and goes on with the rest.
"""

import dataclasses
import hashlib
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from rag.config import Config
from rag.errors import ConfigError
from rag.evaluation.pareto import Choice, front
from rag.evaluation.report_charts import seconds
from rag.evaluation.run_folder import Run, read_run
from rag.evaluation.runs import MANIFEST, Figure, read_manifest
from rag.evaluation.suite_metrics import PRODUCT

MOST = 256
_NOT_SWEPT = frozenset({"index_dir", "model_dir", "seed"})


class Runner(Protocol):
    """Runs a suite with settings into a folder, or goes on with what is there."""

    def __call__(self, suite: str, *, config: Config, folder: Path) -> Path:
        """Return the folder, whose run is finished."""
        ...


@dataclass(frozen=True, slots=True)
class Combination:
    """Settings that are tried together, as they were given; `name` is that of its folder."""

    settings: Mapping[str, str]
    config: Config

    @property
    def name(self) -> str:
        """Return the settings as a name of a folder; a digest tells apart what it can not hold."""
        told = ",".join(f"{name}={value}" for name, value in self.settings.items())
        plain = re.sub(r"[^\w.=,+-]", "_", told, flags=re.ASCII)
        if plain == told and len(plain) <= 100:
            return plain
        return f"{plain[:80]}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Tried:
    """What a combination came to.

    Attributes:
        figure: of the metric that the sweep is about.
        seconds: median of what an item took.
        best: no other combination is at least as good in both and better in one.
    """

    combination: Combination
    folder: Path
    figure: Figure
    seconds: float
    best: bool


def combinations(
    grid: Sequence[str], load: Callable[[Mapping[str, str]], Config]
) -> list[Combination]:
    """Return every combination of settings given as NAME=VALUE,VALUE….

    Args:
        load: what a combination sets, as text, to all settings.
    Raises:
        ConfigError: a setting does not exist, is given twice or can not be swept, a value does not
            fit, or there are more than `MOST` combinations.
    """
    axes: dict[str, list[str]] = {}
    for given in grid:
        name, values = _axis(given)
        if name in axes:
            raise ConfigError(f"{name} is given twice; expected {name}=VALUE,VALUE… once")
        axes[name] = values
    if not axes:
        raise ConfigError("nothing to sweep; expected settings such as k=3,5,10")
    count = int(np.prod([len(values) for values in axes.values()]))
    if count > MOST:
        raise ConfigError(f"{count} combinations are too many; expected at most {MOST}")
    found = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    return [Combination(each, load(each)) for each in found]


def _axis(given: str) -> tuple[str, list[str]]:
    name, equals, rest = given.partition("=")
    name = name.strip().replace("-", "_")
    values = [value.strip() for value in rest.split(",")]
    if not equals or not name or not all(values):
        raise ConfigError(f"{given!r} is no setting to sweep; expected NAME=VALUE,VALUE…")
    known = [field.name for field in dataclasses.fields(Config) if field.name not in _NOT_SWEPT]
    if name not in known:
        raise ConfigError(f"{name!r} can not be swept; expected one of {', '.join(known)}")
    if len(set(values)) != len(values):
        raise ConfigError(f"{given!r} has a value twice; expected each once")
    return name, values


def sweep(
    suite: str,
    chosen: Sequence[Combination],
    folder: Path,
    runner: Runner,
    told: Callable[[int, Combination, bool], None] = lambda number, combination, there: None,
) -> list[Path]:
    """Run the suite for each combination that has no finished run yet; return their folders.

    Args:
        told: called before each, with its number from 1 and whether its run is there already.
    """
    folders = []
    for number, combination in enumerate(chosen, start=1):
        path = folder / combination.name
        there = (path / MANIFEST).is_file() and read_manifest(path).finished is not None
        told(number, combination, there)
        folders.append(path if there else runner(suite, config=combination.config, folder=path))
    return folders


def tried(chosen: Sequence[Combination], folders: Sequence[Path], metric: str = "") -> list[Tried]:
    """Return what each combination came to, in order.

    Args:
        metric: of the product over all items; the first that the first run has if "".
    Raises:
        ConfigError: a run lacks the metric or times, or is of other data than the first.
    """
    runs = [read_run(folder) for folder in folders]
    for run in runs:
        if run.manifest.dataset.get("sha256") != runs[0].manifest.dataset.get("sha256"):
            raise ConfigError(f"{run.folder} is of other data than {runs[0].folder}; sweep anew")
    figures = [_figure(run, metric or _first_metric(runs[0])) for run in runs]
    times = [_median(run) for run in runs]
    choices = [
        Choice(one.name, figure.value if figure.higher_is_better else -figure.value, time)
        for one, figure, time in zip(chosen, figures, times, strict=True)
    ]
    rows = zip(chosen, folders, figures, times, front(choices), strict=True)
    return [Tried(*row) for row in rows]


def _first_metric(run: Run) -> str:
    for figure in run.figures:
        if figure.system == PRODUCT and not figure.part:
            return figure.metric
    raise ConfigError(f"{run.folder} has no figures")


def _figure(run: Run, metric: str) -> Figure:
    whole = [f for f in run.figures if f.system == PRODUCT and not f.part]
    for figure in whole:
        if figure.metric == metric:
            return figure
    known = ", ".join(figure.metric for figure in whole)
    raise ConfigError(f"{run.folder} has no metric {metric!r}; expected one of: {known}")


def _median(run: Run) -> float:
    values = [seconds(item) for item in run.items if item.seconds]
    if not values:
        raise ConfigError(f"{run.folder} tells no times of its items; nothing to weigh quality by")
    return float(np.median(values))
