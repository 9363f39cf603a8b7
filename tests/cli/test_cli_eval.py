"""`rag eval` on the command line: drafting, running, resuming, and what can go wrong."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.evaluation.runs import read_items
from tests.cli.runner import QUESTION, Run, spawn


@pytest.fixture
def questions(place: Path) -> Path:
    """Three questions over the documents, one without an answer."""
    rows = [
        {"id": "a", "question": QUESTION, "answers": ["milk"], "sources": ["animals/cats.md"]},
        {"id": "b", "question": "What barks at strangers, a dog?", "sources": ["animals/dogs.md"]},
        {"id": "c", "question": "Who won the football match?", "answerable": False},
    ]
    path = place / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def figures(view: Any) -> dict[str, float]:
    return {f["metric"]: f["value"] for f in view["figures"] if f["system"] == "product"}


@pytest.mark.usefixtures("index")
def test_a_run_leaves_a_folder(rag: Run, questions: Path, place: Path) -> None:
    """Figures on standard output; manifest, items, figures and report in the folder."""
    done = rag("eval", "run", questions, "--out", "out", "--cache", "cache", "--json")
    assert done.code == 0
    view = done.json
    assert (view["suite"], view["items"], view["made"]) == ("mine", 3, 3)
    assert figures(view)["gold contained"] == 1.0
    names = {path.name for path in (place / "out").iterdir()}
    assert {"manifest.json", "items.jsonl", "metrics.json", "report.md"} <= names
    manifest = json.loads((place / "out/manifest.json").read_text(encoding="utf-8"))
    assert manifest["command"].endswith(f"rag eval run {questions} --index default --seed 0")
    assert manifest["index"]["documents"] == 8 and manifest["run"] == "out"
    assert manifest["models"]["embedder"] == "hash@hash-1" and manifest["dataset"]["items"] == 3


@pytest.mark.usefixtures("index")
def test_a_run_again_costs_nothing(rag: Run, questions: Path) -> None:
    """The cache has every item, unless it is left aside; --jobs changes nothing."""
    first = rag("eval", "run", questions, "--out", "1", "--cache", "c", "--json").json
    second = rag("eval", "run", questions, "--out", "2", "--cache", "c", "--json", "--jobs", 3).json
    third = rag("eval", "run", questions, "--out", "3", "--no-cache", "--json").json
    assert (first["made"], second["made"], third["made"]) == (3, 0, 3)
    assert first["figures"] == second["figures"]


@pytest.mark.usefixtures("index")
def test_resuming(rag: Run, questions: Path, place: Path) -> None:
    """Without --out the last run of the same is gone on with; with it, that folder."""
    plain = ["eval", "run", questions, "--cache", "c", "--json"]
    first = rag(*plain).json["run"]
    assert Path(first).parent == Path("evals/runs") and first.endswith("-mine")
    items = place / first / "items.jsonl"
    whole = items.read_bytes()
    items.write_bytes(whole[:-20])
    again = rag(*plain, "--resume").json
    assert (again["run"], items.read_bytes()) == (first, whole)
    told = rag("eval", "run", questions, "--out", first, "--resume", "--seed", 5)
    assert told.code == 2 and "its seed was 0, now 5" in told.error
    assert "--resume" in rag("eval", "run", questions, "--out", first).error


def test_suites_are_listed(rag: Run) -> None:
    """Without a name: every suite, its kind and its licence."""
    done = rag("eval", "run")
    assert done.code == 0 and "xquad-retrieval" in done.out and "CC BY-SA 4.0" in done.out
    suites = rag("eval", "run", "--json").json["suites"]
    assert {"corpus", "seeds", "ragchecker", "bipia", "hurte"} <= set(suites)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "nowhere"], "there is no suite and no file 'nowhere'"),
        (["run", "hurte", "hurte"], "named twice"),
        (["run", "hurte", "--data", "nothing"], "set RAG_TEST_DATA"),
        (["run", "fastapi-retrieval", "--data", "nothing"], "holds no pages"),
        (["run", "hurte", "--config", "no.toml"], "no.toml is not there"),
        (["run", "hurte", "--limit", "0"], "--limit"),
        (["checker", "seeds"], "seeds is no suite of claims"),
    ],
)
def test_what_can_not_be_run(rag: Run, arguments: list[str], told: str) -> None:
    """Exit code 2 and one line."""
    done = rag("eval", *arguments)
    assert done.code == 2 and told in done.error


def test_questions_need_their_index(rag: Run, questions: Path) -> None:
    """Exit code 4, as of every command."""
    assert rag("eval", "run", questions, "--index", "none").code == 4


def test_claims_of_ones_own(rag: Run, place: Path) -> None:
    """The checker is measured on a file, with floors; progress is told as events."""
    rows = [
        {
            "claim": "The cat drinks milk.",
            "sources": ["The cat drinks milk."],
            "label": "supported",
        },
        {"claim": "The dog sings 7 operas.", "sources": ["Cats sleep."], "label": "unsupported"},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (place / "claims.jsonl").write_text(text, encoding="utf-8")
    done = rag("eval", "checker", "claims.jsonl", "--out", "o", "--no-cache", "--json", "--events")
    assert done.code == 0 and figures(done.json)["verdict right"] == 1.0
    events = [json.loads(line) for line in done.err.splitlines()]
    assert events[-1] == {"event": "item", "suite": "claims", "done": 2, "total": 2}
    shown = rag("eval", "run", "claims.jsonl", "--out", "p", "--no-cache")
    assert "verdict right" in shown.out and "floor: always supported" in shown.out


@pytest.mark.usefixtures("index")
def test_drafting_questions(rag: Run, place: Path) -> None:
    """A file of drafts, replaced only when asked to."""
    done = rag("eval", "init", "drafts.jsonl", "--json")
    assert done.code == 0 and done.json["file"] == "drafts.jsonl"
    assert (place / "drafts.jsonl").is_file()
    refused = rag("eval", "init", "drafts.jsonl")
    assert refused.code == 2 and "--yes" in refused.error
    assert rag("eval", "init", "drafts.jsonl", "--yes", "--limit", 1).code == 0
    without = rag("eval", "init", "drafts.jsonl", "--yes", "--unanswerable", 0, "--json")
    assert without.code == 0 and without.json["unanswerable"] == 0
    assert rag("eval", "init", "drafts.jsonl", "--yes", "--unanswerable", 2).code == 2


def test_settings_from_another_file(rag: Run, place: Path) -> None:
    """--config stands for rag.toml and shows in the manifest's command."""
    (place / "other.toml").write_text("k = 3\n", encoding="utf-8")
    (place / "c.jsonl").write_text('{"claim": "a b", "sources": ["a b"], "label": 1}\n')
    done = rag("eval", "run", "c.jsonl", "--config", "other.toml", "--out", "o", "--no-cache")
    assert done.code == 0
    command = json.loads((place / "o/manifest.json").read_text(encoding="utf-8"))["command"]
    assert "RAG_K=3" in command and "RAG_EMBEDDER=hash" in command


@pytest.mark.slow
@pytest.mark.usefixtures("index")
def test_a_run_that_is_killed_can_be_resumed(rag: Run, place: Path) -> None:
    """A process killed on the way leaves whole items; resumed, the run is that of one piece."""
    rows = [{"id": n, "question": f"{QUESTION} {n}", "answers": ["milk"]} for n in range(40)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (place / "many.jsonl").write_text(text, encoding="utf-8")
    plain = ["eval", "run", "many.jsonl", "--no-cache"]
    killed = spawn(*plain, "--out", "torn")
    items = place / "torn" / "items.jsonl"
    until = time.monotonic() + 60
    while not (items.is_file() and items.stat().st_size) and time.monotonic() < until:
        time.sleep(0.005)
    killed.kill()
    killed.communicate()
    assert rag(*plain, "--out", "torn", "--resume").code == 0
    assert rag(*plain, "--out", "whole").code == 0
    torn, whole = (
        [replace(item, seconds={}) for item in read_items(place / name)]
        for name in ("torn", "whole")
    )
    assert torn == whole and len(torn) == 40
