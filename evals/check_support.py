"""Measure a checker on claims whose label is known.

    python evals/check_support.py attributionbench --part dev --checker overlap
    python evals/check_support.py perturbation --file build/perturbation.jsonl --half dev \\
        --checker shipped --json build/checker.json

--checker names `shipped` (what `rag check` does), `overlap` or `always` (the floors), or
MODULE:NAME of something that, called without arguments, has `check(claims)`: (claim, sources)
pairs to objects with `verdict` and `score`. Prints a Markdown table; --json writes the same
figures with how they came about.
Intervals: 2,000 bootstrap resamples, clustered by question, document or paragraph.
"""

import argparse
import dataclasses
import importlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rag.analysis import numbers, terms  # noqa: E402
from rag.build import build_embedder  # noqa: E402
from rag.checking import Checker  # noqa: E402
from rag.config import Config  # noqa: E402
from rag.errors import ConfigError, RagError  # noqa: E402
from rag.evaluation import datasets, support  # noqa: E402
from rag.evaluation.perturbation import Case  # noqa: E402
from rag.types import Judgement, Verdict  # noqa: E402

SETS = ("attributionbench", "wice", "hurte", "perturbation")


class Always:
    """Calls everything supported: the floor of floors."""

    def check(self, claims: list[tuple[str, list[str]]]) -> list[Judgement]:
        """Return full support for each claim."""
        return [Judgement(Verdict.SUPPORTED, 1.0) for _ in claims]


class Overlap:
    """The share of a claim's terms that its sources hold, less .3 × the share of numbers missing.

    The floor that other figures are compared with; accepts from `threshold` on.
    """

    threshold = 0.7

    def check(self, claims: list[tuple[str, list[str]]]) -> list[Judgement]:
        """Return one judgement a claim."""
        return [self._one(claim, sources) for claim, sources in claims]

    def _one(self, claim: str, sources: list[str]) -> Judgement:
        given = "\n".join(sources)
        wanted, amounts = set(terms(claim)), numbers(claim)
        share = len(wanted.intersection(terms(given))) / len(wanted) if wanted else 0.0
        missing = len(amounts - numbers(given)) / len(amounts) if amounts else 0.0
        score = max(0.0, share - 0.3 * missing)
        accepted = score >= self.threshold
        return Judgement(Verdict.SUPPORTED if accepted else Verdict.UNSUPPORTED, score)


class Shipped:
    """What `rag check` does, with the default embedder."""

    def __init__(self) -> None:
        self._checker = Checker(build_embedder(Config()))

    def check(self, claims: list[tuple[str, list[str]]]) -> list[Judgement]:
        """Return one judgement a claim."""
        found = [self._checker.check(claim, sources) for claim, sources in claims]
        return [Judgement(checked.verdict, checked.score) for checked in found]


def checker(name: str) -> support.SupportChecker:
    """Return the checker of a name; ConfigError where there is none."""
    floors: dict[str, support.SupportChecker] = {"overlap": Overlap(), "always": Always()}
    if name == "shipped":
        return Shipped()
    if name in floors:
        return floors[name]
    module, _, attribute = name.partition(":")
    try:
        made = getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        problem = (
            f"--checker {name!r} can not be made ({error}); give overlap, always or MODULE:NAME"
        )
        raise ConfigError(problem) from error
    if not callable(getattr(made, "check", None)):
        raise ConfigError(f"--checker {name!r} has no method check(claims)")
    found: support.SupportChecker = made
    return found


def cases(chosen: argparse.Namespace) -> list[support.SupportCase]:
    """Return the cases of the set that was asked for."""
    data = Path(os.environ.get("RAG_TEST_DATA") or ROOT.parent / "shared" / "data")
    if chosen.set == "attributionbench":
        return support.attribution_cases(datasets.attributionbench(data, chosen.part))
    if chosen.set == "wice":
        return support.wice_cases(datasets.wice(data))
    if chosen.set == "hurte":
        return support.entailment_cases(datasets.hurte(data))
    found = support.perturbation_cases(perturbation_rows(chosen.file))
    return [case for case in found if chosen.half in ("all", case.labels["half"])]


def perturbation_rows(path: Path | None) -> list[Case]:
    """Return the cases that evals/perturb.py wrote."""
    if path is None or not path.is_file():
        raise ConfigError(f"--file {path} is not there; make it with evals/perturb.py")
    lines = path.read_text(encoding="utf-8").split("\n")
    try:
        rows = [json.loads(line) for line in lines if line]
        return [Case(**row | {"sources": tuple(row["sources"])}) for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"--file {path} is no perturbation set ({error}); make it anew"
        ) from error


def report(outcome: support.Outcome, chosen: argparse.Namespace) -> dict[str, Any]:
    """Return all figures as JSON values."""
    made = {"all": described(support.figures(outcome, seed=chosen.seed))}
    if chosen.set == "perturbation":
        for name, part in support.parts(outcome).items():
            measure = support.acceptance if "," in name else support.figures
            made[name] = described(measure(part, seed=chosen.seed))
    return made


def described(figures: support.Figures) -> dict[str, Any]:
    """Return figures as JSON values."""
    values = {name: dataclasses.asdict(interval) for name, interval in figures.values.items()}
    return values | {name: {"missing": why} for name, why in figures.missing.items()}


def markdown(parts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the figures as a table: percentages with their 95% intervals."""
    names = list(dict.fromkeys(name for row in parts.values() for name in row))
    lines = ["| cases | n | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for title, row in parts.items():
        n = max((value.get("n", 0) for value in row.values()), default=0)
        lines.append(
            f"| {title} | {n} | " + " | ".join(cell(row.get(name)) for name in names) + " |"
        )
    return "\n".join(lines)


def cell(value: Mapping[str, Any] | None) -> str:
    """Return one figure: "71.2 (68.0–74.1)", a dash where it has no value."""
    if value is None or "missing" in value:
        return "–"
    return "{:.1f} ({:.1f}–{:.1f})".format(*(100 * value[k] for k in ("estimate", "low", "high")))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; exit code 2 for what can not be used as given."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("set", choices=SETS)
    parser.add_argument("--checker", required=True, help="overlap, always or MODULE:NAME")
    parser.add_argument("--part", default="dev", help="of attributionbench: dev or test_id_500")
    parser.add_argument("--file", type=Path, help="the perturbation set")
    parser.add_argument("--half", default="dev", choices=("dev", "test", "all"))
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    parser.add_argument("--json", type=Path, help="write the figures here")
    chosen = parser.parse_args(arguments)
    try:
        asked, judge = cases(chosen), checker(chosen.checker)
        started = time.perf_counter()
        outcome = support.run(judge, asked)
        seconds = time.perf_counter() - started
        figures = report(outcome, chosen)
    except RagError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    command = " ".join(["python", "evals/check_support.py", *(arguments or sys.argv[1:])])
    how = {"command": command, "seed": chosen.seed, "n": len(asked), "seconds": round(seconds, 2)}
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(how | {"figures": figures}, ensure_ascii=False, indent=1)
        chosen.json.write_text(text + "\n", encoding="utf-8")
    print(markdown(figures))
    print(f"\nn {len(asked)}, seed {chosen.seed}, checked in {seconds:.1f} s: `{command}`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
