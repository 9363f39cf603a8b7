"""`rag eval`: drafting questions, running suites, measuring the checker."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from rag.config import Config
from rag.console import Printer, print_view
from rag.errors import ConfigError
from rag.eval_compare_commands import compare_app
from rag.options import Answering, Common, Models, Ranking, Running, settings, spread
from rag.progress import Reporter
from rag.views import Json

if TYPE_CHECKING:
    from rag.evaluation.runner import Outcome

eval_app = typer.Typer(
    rich_markup_mode=None, help="Measure answers, rankings and checks, with their uncertainty."
)
eval_app.add_typer(compare_app)
CHECKER_SUITES = ("attributionbench", "wice", "faithbench", "hurte", "perturbation", "ragchecker")


@eval_app.command("run")
@spread
def run_command(
    common: Common,
    models: Models,
    ranking: Ranking,
    answering: Answering,
    running: Running,
    suites: Annotated[
        list[str] | None,
        Argument(metavar="SUITE…", help="names, all, or paths of data sets of your own"),
    ] = None,
) -> int:
    """Run suites, each into a folder with items, figures and report; without a name, list them."""
    from rag.evaluation.suites import SUITES

    if not suites:
        listed = {name: f"{s.kind}: {s.about} ({s.licence})" for name, s in SUITES.items()}
        print_view({"suites": listed}, common.json, lambda printer, view: printer.table(listed))
        return 0
    config = settings(common, models, ranking, answering, file=running.config)
    return _run_all(suites, config, common, running)


@eval_app.command("checker")
@spread
def checker_command(
    common: Common,
    models: Models,
    running: Running,
    suites: Annotated[
        list[str] | None, Argument(metavar="SUITE…", help="suites of claims; by default all")
    ] = None,
) -> int:
    """Measure the checker on claims with known labels, and whether people agree with it."""
    from rag.evaluation.suites import CLAIMS, suite

    chosen = suites or list(CHECKER_SUITES)
    if wrong := [name for name in chosen if suite(name).kind != CLAIMS]:
        raise ConfigError(f"{wrong[0]} is no suite of claims; expected one, or 'rag eval run'")
    return _run_all(chosen, settings(common, models, file=running.config), common, running)


@eval_app.command("init")
@spread
def init_command(
    common: Common,
    models: Models,
    file: Annotated[Path, Argument(metavar="FILE", help="JSON lines to write")],
    limit: Annotated[int, Option(metavar="N", min=1, help="most questions")] = 50,
    seed: Annotated[int, Option(min=0, help="of the draw")] = 0,
    unanswerable: Annotated[
        float,
        Option(metavar="SHARE", min=0, max=1, help="of them, near misses that no document answers"),
    ] = 0.2,
    yes: Annotated[bool, Option("--yes", help="replace the file if it is there")] = False,
) -> int:
    """Draft questions from the documents of an index, for a person to prune."""
    from rag.evaluation.question_drafts import drafts, write
    from rag.store import Store, index_path

    if file.exists() and not yes:
        raise ConfigError(f"{file} is there already; replace it by --yes, or name another")
    store = Store(index_path(settings(common, models).index_dir, common.index))
    try:
        found = drafts(store, limit, seed, unanswerable)
    finally:
        store.close()
    write(file, found)
    counts: Json = {"file": str(file), "questions": len(found)}
    counts["unanswerable"] = sum(not draft.answerable for draft in found)
    for lang in sorted({draft.lang for draft in found}):
        counts[lang] = sum(draft.lang == lang for draft in found)
    print_view(counts, common.json, Printer.table)
    return 0


def _run_all(names: Sequence[str], config: Config, common: Common, running: Running) -> int:
    from rag.eval_running import Session
    from rag.evaluation.suites import chosen

    suites = chosen(names)  # a wrong name is told before anything is run
    with (
        Reporter(events=common.events) as reporter,
        Session(config, common.index, running, reporter) as session,
    ):
        for one in suites:
            outcome = session.run(one, several=len(suites) > 1)
            reporter.close()
            print_view(outcome_view(outcome), common.json, print_outcome)
    return 0


def outcome_view(outcome: "Outcome") -> Json:
    """Return a run's folder and its figures over all items as JSON values."""
    return {
        "run": str(outcome.folder),
        "suite": outcome.manifest.suite,
        "items": max((figure.n for figure in outcome.figures), default=0),
        "made": outcome.made,
        "anchors": outcome.manifest.dataset.get("anchors", ""),
        "figures": [
            {
                "metric": figure.metric,
                "system": figure.system,
                "value": round(figure.value, 4),
                "low": round(figure.low, 4),
                "high": round(figure.high, 4),
                "n": figure.n,
            }
            for figure in outcome.figures
            if not figure.part
        ],
    }


def print_outcome(printer: Printer, view: Json) -> None:
    """Print where a run lies, and its figures: the product's with the interval, and beside it
    what the baselines and floors have."""
    from rag.evaluation.figures import LEAST_PART

    rows: dict[str, str] = {}
    for one in view["figures"]:
        value, system = f"{one['value']:.3f}", one["system"]
        if system == "product":
            interval = f" ({one['low']:.3f}–{one['high']:.3f})" if one["n"] >= LEAST_PART else ""
            told = f"{value}{interval} n {one['n']}"
            rest = rows.get(one["metric"], "")
            rows[one["metric"]] = told + rest
        else:
            rows[one["metric"]] = f"{rows.get(one['metric'], '')} · {system} {value}"
    items = f"{view['items']}, of which {view['made']} made now"
    known = {"others report": view["anchors"]} if view["anchors"] else {}
    printer.table({"run": view["run"], "items": items, **rows, **known})
