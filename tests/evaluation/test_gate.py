"""The repository's own gate: the questions over corpus/ against the baseline that is kept."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rag.cli import main
from rag.evaluation.gate import fallen
from rag.evaluation.runs import Figure, read_figures, read_manifest

pytestmark = pytest.mark.slow  # what it imports

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "evals" / "results"
KEPT = Figure("gold contained", "product", {}, 0.8, 0.7, 0.9, 40, True)
LENGTH = Figure("answer length", "product", {}, 250, 240, 260, 40, False)


def run(place: Path, monkeypatch: pytest.MonkeyPatch, embedder: str, *more: str) -> Path:
    """Run the suite with an embedder and without a generator; return its folder."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("RAG_EMBEDDER", embedder)
    monkeypatch.setenv("RAG_GENERATOR", "none")
    out = place / "run"
    assert (
        main(["eval", "run", "corpus", "--out", str(out), "--cache", str(place / "c"), *more]) == 0
    )
    return out


def test_answers_over_the_corpus_are_no_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All questions, with the hashing embedder: what depends on no model."""
    found = read_figures(run(tmp_path, monkeypatch, "hash"))
    assert not fallen(read_figures(RESULTS / "corpus-hash"), found)


@pytest.mark.model
def test_answers_of_the_default_embedder_are_no_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many questions as the baseline has, with the embedder that ships."""
    kept = RESULTS / "corpus-default"
    manifest = read_manifest(kept)
    embedder = str(manifest.config["embedder"])
    limit = ["--limit", str(manifest.limit)] if manifest.limit else []
    found = read_figures(run(tmp_path, monkeypatch, embedder, *limit))
    assert not fallen(read_figures(kept), found)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.8, []),
        (0.7, []),
        (0.95, []),
        (0.69, ["gold contained was 0.800 (0.700–0.900), now 0.690"]),
    ],
)
def test_what_falls_beyond_its_interval(value: float, told: list[str]) -> None:
    """A fall inside the interval is none, and rising never is."""
    assert fallen([KEPT], [replace(KEPT, value=value)]) == told


def test_lower_is_better_for_some() -> None:
    """Of those only a rise beyond the interval is told."""
    assert not fallen([LENGTH], [replace(LENGTH, value=10)])
    assert len(fallen([LENGTH], [replace(LENGTH, value=261)])) == 1


def test_what_is_gone_has_fallen() -> None:
    """A metric that is measured no more is told; times, parts and baselines are not compared."""
    ignored = [
        replace(KEPT, metric="seconds, total"),
        replace(KEPT, system="quote-only"),
        replace(KEPT, part={"lang": "zh"}),
    ]
    assert fallen([KEPT, *ignored], []) == [
        "gold contained was 0.800 (0.700–0.900), now there is none"
    ]


@pytest.mark.parametrize("name", ["corpus-hash", "corpus-default"])
def test_baselines_are_whole(name: str) -> None:
    """They are finished runs of the suite, over the questions as they are now."""
    manifest = read_manifest(RESULTS / name)
    assert manifest.suite == "corpus" and manifest.finished
    questions = (ROOT / "evals/cases/corpus.jsonl").read_text(encoding="utf-8").splitlines()
    assert manifest.dataset["items"] == len([json.loads(line) for line in questions])
    assert any(figure.metric == "gold contained" for figure in read_figures(RESULTS / name))
