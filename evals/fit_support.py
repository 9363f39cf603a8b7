"""Fit rag/support.json: do sources support a claim?

On AttributionBench dev and the development half of the perturbation set, never on anything that
is reported as a test. Features are computed once and kept in --cache; what is printed is
cross-validated (over the sources of AttributionBench; over paragraphs, for the perturbation set).

    python evals/perturb.py --out build/perturbation.jsonl
    python evals/fit_support.py --perturbation build/perturbation.jsonl --write rag/support.json
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rag.build import build_embedder
from rag.checking import Checker
from rag.config import Config
from rag.evaluation import datasets, metrics
from rag.logistic import Logistic
from rag.support import EXACT, LEXICAL, SIMILARITY, SupportModel

FOLDS = 5
# Least probabilities of the verdicts, chosen on what `report` prints.
SUPPORTED = 0.5
PARTIAL = 0.25
BLANK = Logistic(0.0, {})


@dataclass(frozen=True, slots=True)
class Row:
    """A claim measured: where it is from, what else is of one piece with it, and its label."""

    source: str
    kind: str
    cluster: str
    supported: bool
    across: bool
    passed: bool
    verbatim: bool
    features: dict[str, float]


def main() -> None:
    """Measure, cross-validate, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--perturbation", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("build/support-features.jsonl"))
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    if not options.cache.exists():
        options.cache.parent.mkdir(parents=True, exist_ok=True)
        with options.cache.open("w", encoding="utf-8") as out:
            for values in measured(options.perturbation):
                out.write(json.dumps(values) + "\n")
    rows = [Row(**json.loads(line)) for line in options.cache.open(encoding="utf-8")]
    same = [row for row in rows if not row.across]
    across = [row for row in rows if row.across]
    report(same, across)
    written: dict[str, Any] = {
        "same": fit(same, LEXICAL + EXACT + SIMILARITY),
        "across": fit(across, EXACT + SIMILARITY),
        "lexical": fit(same, LEXICAL + EXACT),
    }
    written |= {
        "embedder": Config().embedder,
        "supported": SUPPORTED,
        "partial": PARTIAL,
        "provenance": {
            "data": "AttributionBench dev (Apache-2.0); perturbation set, development half",
            "rows": {"same": len(same), "across": len(across)},
            "command": " ".join(["python", *sys.argv]),
        },
    }
    if options.write:
        options.write.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def measured(perturbation: Path) -> Iterable[dict[str, Any]]:
    """Yield the fields of each `Row`."""
    checker = Checker(
        build_embedder(Config()), SupportModel(BLANK, BLANK, BLANK, Config().embedder, 0.5, 0.25)
    )
    for n, (names, claim, sources) in enumerate(cases(perturbation)):
        found = checker.measure(claim, sources)
        if n % 100 == 0:
            print(n, file=sys.stderr, flush=True)
        if found is not None:
            yield names | {
                "across": found.across,
                "passed": found.exact.passed,
                "verbatim": found.exact.verbatim,
                "features": dict(found.features),
            }


def cases(perturbation: Path) -> Iterable[tuple[dict[str, Any], str, Sequence[str]]]:
    """Yield names and label, claim, and sources."""
    for line in perturbation.open(encoding="utf-8"):
        case = json.loads(line)
        if case["half"] == "dev" and case["padding"] == 1:
            names = {
                "source": f"perturbation {case['claim_type']}",
                "kind": case["kind"],
                "cluster": case["sources"][0][:80],
                "supported": case["supported"],
            }
            yield names, case["claim"], case["sources"]
    folder = Path(os.environ.get("RAG_TEST_DATA", "../shared/data"))
    for item in datasets.attributionbench(folder, "dev"):
        names = {
            "source": item.source,
            "kind": "attribution",
            "cluster": item.question,
            "supported": item.attributable,
        }
        yield names, item.claim, item.references


def matrix(rows: Sequence[Row], names: Sequence[str]) -> NDArray[np.float64]:
    """Return (rows, features)."""
    return np.array([[row.features.get(name, 0.0) for name in names] for row in rows])


def weights(rows: Sequence[Row]) -> NDArray[np.float64]:
    """Return what each row counts: true and false of a source count the same."""
    counts: dict[tuple[str, bool], int] = {}
    for row in rows:
        counts[row.source, row.supported] = counts.get((row.source, row.supported), 0) + 1
    total = {
        row.source: counts.get((row.source, True), 0) + counts.get((row.source, False), 0)
        for row in rows
    }
    return np.array([total[r.source] / 2 / counts[r.source, r.supported] for r in rows])


def model() -> Any:
    """Return what is fitted."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=5000))


def trained(rows: Sequence[Row], names: Sequence[str]) -> Any:
    """Return the model fitted on rows."""
    y = [row.supported for row in rows]
    return model().fit(matrix(rows, names), y, logisticregression__sample_weight=weights(rows))


def fit(rows: Sequence[Row], names: Sequence[str]) -> dict[str, Any]:
    """Return intercept and coefficients for the features as they are."""
    scaler, logistic = (step for _, step in trained(rows, names).steps)
    coefficients = logistic.coef_[0] / scaler.scale_
    return {
        "intercept": round(float(logistic.intercept_[0] - (coefficients * scaler.mean_).sum()), 5),
        "coefficients": dict(zip(names, np.round(coefficients, 5).tolist(), strict=True)),
    }


def probabilities(rows: Sequence[Row], names: Sequence[str], groups: Sequence[Any]) -> Any:
    """Return out-of-fold probabilities, a fold holding whole groups; gate 1 caps them."""
    order = {group: i % FOLDS for i, group in enumerate(sorted(set(groups)))}
    fold = np.array([order[group] for group in groups])
    found = np.zeros(len(rows))
    for k in sorted(set(fold)):
        train = [row for row, f in zip(rows, fold, strict=True) if f != k]
        test = [row for row, f in zip(rows, fold, strict=True) if f == k]
        found[fold == k] = trained(train, names).predict_proba(matrix(test, names))[:, 1]
    for i, row in enumerate(rows):
        found[i] = 0.99 if row.verbatim else found[i] if row.passed else min(found[i], 0.01)
    return found


def report(same: Sequence[Row], across: Sequence[Row]) -> None:
    """Print cross-validated figures at several thresholds."""
    for label, rows, names in (
        ("same, all", same, LEXICAL + EXACT + SIMILARITY),
        ("same, lexical", same, LEXICAL + EXACT),
        ("across", across, EXACT + SIMILARITY),
    ):
        p = probabilities(rows, names, [row.cluster for row in rows])
        _print(label + ", by cluster", rows, p)
    attributed = [row for row in same if row.kind == "attribution"]
    p = probabilities(
        same,
        LEXICAL + EXACT + SIMILARITY,
        [row.source if row.kind == "attribution" else row.cluster for row in same],
    )
    kept = [i for i, row in enumerate(same) if row.kind == "attribution"]
    _print("AttributionBench, over its sources", attributed, p[kept])


def _print(label: str, rows: Sequence[Row], p: Any) -> None:
    gold = np.array([row.supported for row in rows])
    for threshold in (0.4, 0.5, 0.6, 0.7):
        print(f"{label}, p ≥ {threshold}")
        for source in sorted({row.source for row in rows}):
            own = np.array([row.source == source for row in rows])
            yes = p[own] >= threshold
            print(
                f"   {source:26} n={own.sum():4} macro-F1 "
                f"{metrics.macro_f1(gold[own].tolist(), yes.tolist()):.3f} true accepted "
                f"{yes[gold[own]].mean():.3f} false accepted {yes[~gold[own]].mean():.3f} "
                f"AUROC {metrics.auroc(gold[own].tolist(), p[own].tolist()):.3f}"
            )
    for kind in sorted({row.kind for row in rows}):
        own = np.array([row.kind == kind for row in rows])
        print(
            f"   {kind:12} n={own.sum():4} accepted at .5: {(p[own] >= 0.5).mean():.3f}, "
            f"gate 1 passed {np.mean([row.passed for row in rows if row.kind == kind]):.3f}"
        )


if __name__ == "__main__":
    main()
