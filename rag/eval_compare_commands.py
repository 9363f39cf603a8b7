"""`rag eval compare`, `report`, `history`, `sweep`, `audit`: what is made of runs."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from rag.config import Config, load_config
from rag.console import Printer, print_view
from rag.errors import ConfigError
from rag.eval_console import aligned, print_compared
from rag.options import Answering, Common, Models, Ranking, Running, overrides, settings, spread
from rag.progress import Reporter

if TYPE_CHECKING:
    from rag.evaluation.comparison import Comparison
    from rag.evaluation.history import Moment
    from rag.evaluation.sweep import Combination, Runner, Tried

WORSE = 7
"""Exit code: a metric that was named is significantly worse."""
RUNS = Path("evals/runs")

compare_app = typer.Typer(rich_markup_mode=None)


@dataclass(frozen=True, slots=True)
class Comparing:
    """What is compared, and what fails."""

    metric: Annotated[
        list[str] | None, Option(help="compare and correct for this metric alone; repeatable")
    ] = None
    fail_if_worse: Annotated[
        list[str] | None,
        Option(metavar="METRIC", help="exit 7 if it is significantly worse; repeatable"),
    ] = None
    shared: Annotated[
        bool, Option("--shared", help="compare shared items, even of other suites or data")
    ] = False
    seed: Annotated[int, Option(min=0, help="of resamples and permutations")] = 0


@compare_app.command("compare")
@spread
def compare_command(
    common: Common,
    first: Annotated[Path, Argument(metavar="A", help="folder of the run to compare with")],
    second: Annotated[Path, Argument(metavar="B", help="folder of the run that may be worse")],
    comparing: Comparing,
    out: Annotated[
        Path | None, Option(metavar="FILE", help="write a page (.html) or Markdown (.md) too")
    ] = None,
) -> int:
    """Tell whether run B is better or worse than run A, item by item, with statistics."""
    from rag.evaluation.comparison import compare, worse
    from rag.evaluation.comparison_views import HEAD, compared_view, rows, told
    from rag.evaluation.measured import Sampling
    from rag.evaluation.run_folder import read_run

    if out is not None and out.suffix not in (".html", ".md"):
        raise ConfigError(f"--out is {out}; expected a name that ends in .html or .md")
    runs = read_run(first), read_run(second)
    with Reporter(events=common.events) as reporter:
        reporter.waiting("comparing")
        comparison = compare(
            *runs,
            metrics=comparing.metric or (),
            shared=comparing.shared,
            sampling=Sampling(seed=comparing.seed),
        )
        lost = worse(comparison, comparing.fail_if_worse or ())
    if out is not None:
        _write_comparison(comparison, out)
    view = compared_view(comparison) | {"worse": [each.metric for each in lost]}
    table = aligned(HEAD, rows(comparison.differences))
    notes = told(comparison)
    print_view(view, common.json, lambda printer, view: print_compared(printer, view, table, notes))
    for each in lost:
        print(f"worse: {each.metric} {each.first:.3f} → {each.second:.3f}", file=sys.stderr)
    return WORSE if lost else 0


def _write_comparison(comparison: "Comparison", out: Path) -> None:
    from rag.evaluation.comparison_views import html, markdown

    text = html(comparison) if out.suffix == ".html" else markdown(comparison)
    out.write_text(text, encoding="utf-8")


@compare_app.command("report")
@spread
def report_command(
    common: Common,
    folder: Annotated[Path, Argument(metavar="RUN", help="folder of a run")],
) -> int:
    """Write report.html and report.md of a run anew."""
    from rag.evaluation.report import HTML, MARKDOWN, write

    write(folder)
    view = {"html": str(folder / HTML), "markdown": str(folder / MARKDOWN)}
    print_view(view, common.json, Printer.table)
    return 0


@dataclass(frozen=True, slots=True)
class Series:
    """Which figures a history is of."""

    metric: Annotated[str, Option(help="metric to follow")] = ""
    suite: Annotated[str, Option(help="suite, where the folder holds runs of several")] = ""
    system: Annotated[str, Option(help="product, or a baseline")] = "product"
    part: Annotated[str, Option(metavar="NAME=VALUE", help="part of the data: lang=zh")] = ""


@compare_app.command("history")
@spread
def history_command(
    common: Common,
    series: Series,
    folder: Annotated[Path, Argument(metavar="DIR", help="folder of runs")] = RUNS,
    out: Annotated[Path | None, Option(metavar="FILE", help="write a chart (.svg) too")] = None,
) -> int:
    """Follow a metric over the runs of a suite, the oldest first."""
    from rag.evaluation.history import Wanted, history, plot, svg

    if not series.metric:
        raise ConfigError("no metric is named; expected --metric NAME, such as 'gold contained'")
    if out is not None and out.suffix != ".svg":
        raise ConfigError(f"--out is {out}; expected a name that ends in .svg")
    name, equals, value = series.part.partition("=")
    if series.part and not (name and equals and value):
        raise ConfigError(f"--part is {series.part!r}; expected NAME=VALUE, such as lang=zh")
    part = {name: value} if series.part else {}
    moments = history(folder, Wanted(series.metric, series.suite, series.system, part))
    if out is not None:
        out.write_text(f"{svg(moments)}\n", encoding="utf-8")
    lines = _history_table(moments, plot(moments))
    print_view(_history_view(moments), common.json, lambda printer, view: printer.lines(lines))
    return 0


def _history_view(moments: "list[Moment]") -> dict[str, object]:
    first = moments[0]
    return {
        "suite": first.manifest.suite,
        "metric": first.figure.metric,
        "system": first.figure.system,
        "part": dict(first.figure.part),
        "higher_is_better": first.figure.higher_is_better,
        "runs": [
            {
                "run": moment.manifest.run,
                "started": moment.manifest.started,
                "value": round(moment.figure.value, 4),
                "low": round(moment.figure.low, 4),
                "high": round(moment.figure.high, 4),
                "n": moment.figure.n,
                "same_data": moment.same_data,
            }
            for moment in moments
        ],
    }


def _history_table(moments: "list[Moment]", bars: list[str]) -> list[str]:
    rows = [
        [
            moment.manifest.run,
            f"{moment.figure.value:.3f}",
            f"{moment.figure.low:.3f}–{moment.figure.high:.3f}",
            str(moment.figure.n),
            bar,
            "" if moment.same_data else "other data",
        ]
        for moment, bar in zip(moments, bars, strict=True)
    ]
    return aligned(("run", moments[0].figure.metric, "95% interval", "n", "", ""), rows)


@compare_app.command("sweep")
@spread
def sweep_command(
    common: Common,
    models: Models,
    ranking: Ranking,
    answering: Answering,
    running: Running,
    suite: Annotated[str, Argument(metavar="SUITE", help="name of a suite, or path of your own")],
    grid: Annotated[
        list[str], Argument(metavar="NAME=VALUE,VALUE…", help="settings to try, such as k=3,5,10")
    ],
    metric: Annotated[str, Option(help="quality; by default the suite's first metric")] = "",
) -> int:
    """Run a suite under every combination of settings; tell which are worth their time.

    A sweep that is started again with the same --out goes on where it stopped.
    """
    from rag.evaluation.sweep import combinations, sweep, tried

    given = overrides(common, models, ranking, answering)
    chosen = combinations(grid, lambda each: load_config({**given, **each}, file=running.config))
    folder = running.out or RUNS / f"sweep-{Path(suite).stem}"
    with Reporter(events=common.events) as reporter:

        def told(number: int, combination: "Combination", there: bool) -> None:
            done = ", done already" if there else ""
            reporter.note(f"{number} of {len(chosen)}: {combination.name}{done}")

        folders = sweep(suite, chosen, folder, _runner(common, running, reporter), told)
    found = tried(chosen, folders, metric)
    lines = _sweep_table(found)
    print_view(_sweep_view(found), common.json, lambda printer, view: printer.lines(lines))
    return 0


def _runner(common: Common, running: Running, reporter: Reporter) -> "Runner":
    """Return what runs a suite into a folder, as `rag eval run` does."""
    from rag.eval_running import Session
    from rag.evaluation.suites import suite as suite_named

    def run(suite: str, *, config: Config, folder: Path) -> Path:
        into = replace(running, out=folder, resume=True)
        with Session(config, common.index, into, reporter) as session:
            return session.run(suite_named(suite), several=False).folder

    return run


def _sweep_view(found: "list[Tried]") -> dict[str, object]:
    return {
        "metric": found[0].figure.metric,
        "higher_is_better": found[0].figure.higher_is_better,
        "combinations": [
            {
                "settings": dict(each.combination.settings),
                "run": str(each.folder),
                "value": round(each.figure.value, 4),
                "low": round(each.figure.low, 4),
                "high": round(each.figure.high, 4),
                "seconds": round(each.seconds, 4),
                "best": each.best,
            }
            for each in found
        ],
    }


def _sweep_table(found: "list[Tried]") -> list[str]:
    sign = -1 if found[0].figure.higher_is_better else 1
    ordered = sorted(found, key=lambda each: (sign * each.figure.value, each.seconds))
    rows = [
        [
            each.combination.name,
            f"{each.figure.value:.3f}",
            f"{each.figure.low:.3f}–{each.figure.high:.3f}",
            f"{each.seconds:.3f}",
            "★" if each.best else "",
        ]
        for each in ordered
    ]
    head = ("settings", found[0].figure.metric, "95% interval", "median seconds", "")
    note = "★: no other combination is at least as good and as fast, and better in one of the two"
    return [*aligned(head, rows), "", note]


@compare_app.command("audit")
@spread
def audit_command(
    common: Common,
    models: Models,
    file: Annotated[Path, Argument(metavar="ANSWERS", help="answers with citations, JSON lines")],
    sources: Annotated[
        Path | None, Option(metavar="FILE", help='sources of all answers, {"id", "text"} a line')
    ] = None,
    out: Annotated[
        Path | None, Option(metavar="DIR", help="run folder; by default evals/runs/TIME-audit")
    ] = None,
) -> int:
    """Measure answers and citations of any other system by its citations.

    The judge is this program's checker. Exit code 2 if lines were left out.
    """
    from rag.build import build_checker
    from rag.eval_auditing import Files, audited, audited_view, lines
    from rag.evaluation.submissions import read_shared, read_submissions

    config = settings(common, models)
    submitted = read_submissions(file, read_shared(sources) if sources is not None else {})
    with Reporter(events=common.events) as reporter:
        reporter.waiting("loading the model")
        checker = build_checker(config, reporter.fetch)
        reporter.waiting("checking the citations")
        run = audited(submitted, checker, config, Files(file, sources, out))
    view = audited_view(run, submitted)
    print_view(view, common.json, lambda printer, view: printer.lines(lines(view)))
    for error in submitted.errors:
        print("error:", error, file=sys.stderr)
    return ConfigError.exit_code if submitted.errors else 0
