"""An audit as a run folder, so that reports and comparisons work on it."""

import hashlib
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.checking import Checker
from rag.config import Config
from rag.errors import ConfigError
from rag.eval_console import aligned
from rag.eval_running import RUNS, hardware, versions
from rag.evaluation.audit import audit
from rag.evaluation.figures import figures
from rag.evaluation.report import HTML, JUDGED, write
from rag.evaluation.run_folder import Run, write_run
from rag.evaluation.runner import now, stamp
from rag.evaluation.runs import Figure, Manifest
from rag.evaluation.submissions import Submitted
from rag.views import Json

SUITE = "audit"


@dataclass(frozen=True, slots=True)
class Files:
    """What is audited, with the sources of all answers, and where the run goes."""

    answers: Path
    sources: Path | None
    out: Path | None


def audited(submitted: Submitted, checker: Checker, config: Config, files: Files) -> Run:
    """Audit answers, write the run with its report, and return it.

    Raises:
        ConfigError: the folder is there already.
    """
    started = now()
    folder = files.out or RUNS / f"{stamp()}-{SUITE}"
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is there already; name another --out")
    items = audit(submitted.answers, checker.check)
    manifest = Manifest(
        run=folder.name,
        suite=SUITE,
        kind=SUITE,
        command=_command(files),
        started=started,
        finished=now(),
        seed=0,
        limit=None,
        dataset={
            "name": files.answers.name,
            "licence": "the user's own",
            "items": len(items),
            # Who answers is what is compared: the questions are the data, the answers are not.
            "sha256": _digest([f"{one.id}\n{one.question}" for one in submitted.answers]),
            "answers_sha256": hashlib.sha256(files.answers.read_bytes()).hexdigest(),
            "shapes": dict(Counter(one.shape for one in submitted.answers)),
            "left_out": len(submitted.errors),
        },
        models={"checker": f"{checker.model.embedder if checker.embeds else 'words alone'}"},
        config={"embedder": config.embedder},
        index=None,
        versions=versions(),
        hardware=hardware(config),
    )
    found = figures(items, 0)
    write_run(folder, manifest, items, found)
    write(folder)
    return Run(folder, manifest, tuple(items), tuple(found))


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8")).hexdigest()


def _command(files: Files) -> str:
    words = ["rag", "eval", "audit", str(files.answers)]
    return shlex.join([*words, *(["--sources", str(files.sources)] if files.sources else [])])


def audited_view(run: Run, submitted: Submitted) -> Json:
    """Return an audit's figures over all answers as JSON values."""
    return {
        "run": str(run.folder),
        "report": str(run.folder / HTML),
        "answers": len(run.items),
        "abstained": sum(item.columns["abstained"] > 0 for item in run.items),
        "claims": sum(len(item.claims) for item in run.items),
        "verdicts": dict(Counter(claim.verdict for item in run.items for claim in item.claims)),
        "shapes": run.manifest.dataset["shapes"],
        "judge": JUDGED[SUITE],
        "figures": [
            {
                "metric": figure.metric,
                "value": round(figure.value, 4),
                "low": round(figure.low, 4),
                "high": round(figure.high, 4),
                "n": figure.n,
            }
            for figure in _whole(run.figures)
        ],
        "left_out": list(submitted.errors),
    }


def _whole(figures: Sequence[Figure]) -> list[Figure]:
    """Return the figures over all answers, without times and costs."""
    return [
        figure
        for figure in figures
        if not figure.part and not figure.metric.startswith(("seconds, ", "cost, "))
    ]


def lines(view: Json) -> list[str]:
    """Return what people read of an audit."""
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in view["verdicts"].items())
    rows = [
        [f["metric"], f"{f['value']:.3f}", f"{f['low']:.3f}–{f['high']:.3f}", str(f["n"])]
        for f in view["figures"]
    ]
    return [
        f"answers: {view['answers']}, abstained: {view['abstained']}, "
        f"claims: {view['claims']}{verdicts and f' ({verdicts})'}",
        "",
        *aligned(("metric", "value", "95% interval", "n"), rows),
        "",
        view["judge"],
        f"report: {view['report']}",
    ]
