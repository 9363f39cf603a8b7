"""What is made of runs on the command line: compare, report, history, sweep, audit."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from rag import eval_compare_commands
from rag.config import Config
from rag.evaluation.runs import Item
from tests.cli.runner import Run
from tests.evaluation.made_runs import answers, written

pytestmark = pytest.mark.slow

CONTAINED = "gold contained"


def lose(item: Item, drawn: Random) -> Item:
    """Make a third of the right answers wrong."""
    if drawn.random() > 1 / 3:
        return item
    return replace(item, values={**item.values, CONTAINED: 0.0}, answer="something else")


@pytest.fixture
def runs(place: Path) -> tuple[Path, Path]:
    """Two runs of a suite; the second lost a third of what was right."""
    first = written(place / "runs" / "a", answers(60))
    second = written(place / "runs" / "b", answers(60, change=lose), started="2026-02-01T00:00:00Z")
    return first.folder, second.folder


def test_compare_tells_what_got_worse(rag: Run, runs: tuple[Path, Path]) -> None:
    """A table, what it rests on, and items that changed, with both answers."""
    done = rag("eval", "compare", *runs, "--metric", CONTAINED)
    assert done.code == 0 and done.err == ""
    assert "worse" in done.out and "60 items are in both runs." in done.out
    assert "second: 0.000  something else" in done.out


def test_compare_fails_if_a_named_metric_is_worse(rag: Run, runs: tuple[Path, Path]) -> None:
    """Exit code 7 and a line on standard error; JSON is printed all the same."""
    both = ("--metric", CONTAINED, "--metric", "token F1")
    done = rag("eval", "compare", *runs, *both, "--fail-if-worse", CONTAINED, "--json")
    assert done.code == 7 and done.json["worse"] == [CONTAINED]
    assert done.err.startswith(f"worse: {CONTAINED} ") and done.err.count("\n") == 1
    found = {each["metric"]: each["outcome"] for each in done.json["differences"]}
    assert found == {CONTAINED: "worse", "token F1": "same"}
    for metric, pair in (("token F1", runs), (CONTAINED, runs[::-1])):
        again = rag("eval", "compare", *pair, *both, "--fail-if-worse", metric, "--json")
        assert again.code == 0 and again.json["worse"] == [] and again.err == ""


@pytest.mark.parametrize("name", ["c.html", "c.md"])
def test_compare_writes_a_page_or_markdown(
    rag: Run, runs: tuple[Path, Path], place: Path, name: str
) -> None:
    """Both answers stand in it."""
    assert rag("eval", "compare", *runs, "--metric", CONTAINED, "--out", name).code == 0
    assert "something else" in (place / name).read_text(encoding="utf-8")


def test_compare_refuses_what_does_not_belong_together(
    rag: Run, runs: tuple[Path, Path], place: Path
) -> None:
    """One line, exit code 2; --shared compares nevertheless."""
    other = written(place / "c", answers(60), dataset={"sha256": "other"}).folder
    done = rag("eval", "compare", runs[0], other)
    assert done.code == 2 and "different data" in done.error
    assert rag("eval", "compare", runs[0], other, "--shared", "--metric", CONTAINED).code == 0
    assert rag("eval", "compare", runs[0], place / "nothing").code == 2
    assert "html" in rag("eval", "compare", *runs, "--out", "c.pdf").error


def test_report_is_written_anew(rag: Run, runs: tuple[Path, Path]) -> None:
    """Both files, and where they are."""
    done = rag("eval", "report", runs[0], "--json")
    assert Path(done.json["html"]).is_file() and Path(done.json["markdown"]).is_file()


def test_history_follows_a_metric(rag: Run, runs: tuple[Path, Path], place: Path) -> None:
    """A line for each run, and a chart; of a part of the data too."""
    done = rag("eval", "history", "runs", "--metric", CONTAINED, "--out", "h.svg", "--json")
    assert [run["run"] for run in done.json["runs"]] == ["a", "b"]
    assert (place / "h.svg").read_text(encoding="utf-8").startswith("<svg xmlns=")
    told = rag("eval", "history", "runs", "--metric", CONTAINED, "--part", "lang=zh")
    assert told.code == 0 and told.out.count("●") == 2
    assert rag("eval", "history", "runs").code == 2
    assert rag("eval", "history", "runs", "--metric", "x", "--part", "zh").code == 2


def test_sweep_runs_what_is_missing_and_tells_what_is_worth_it(
    rag: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each combination is run once; a second call runs none."""
    ran: list[int] = []

    def run(suite: str, *, config: Config, folder: Path) -> Path:
        ran.append(config.k)
        items = [replace(item, seconds={"total": float(config.k)}) for item in answers(20)]
        return written(folder, items, suite=suite).folder

    monkeypatch.setattr(eval_compare_commands, "_runner", lambda *given: run)
    words = ("eval", "sweep", "made", "k=3,5", "--out", "swept", "--json")
    for _ in range(2):
        found = rag(*words).json
        assert [one["best"] for one in found["combinations"]] == [True, False]
    assert ran == [3, 5] and found["metric"] == CONTAINED
    told = rag("eval", "sweep", "made", "k=3,5", "--out", "swept")
    assert "1 of 2: k=3, done already" in told.err and "★" in told.out
    assert rag("eval", "sweep", "made", "speed=1").code == 2


def test_audit_makes_a_run_that_can_be_compared(rag: Run, place: Path) -> None:
    """Two systems over one question; lines that are malformed are told, exit code 2."""
    good = {"id": "1", "question": "q", "answer": "Cats sleep. [1]", "sources": ["Cats sleep."]}
    bad = {**good, "answer": "Dogs bark since 1994. [1]"}
    for name, line in (("good", good), ("bad", bad)):
        (place / f"{name}.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
        done = rag("eval", "audit", f"{name}.jsonl", "--out", name, "--json")
        assert done.code == 0, done.err
        assert done.json["shapes"] == {"plain": 1} and "checker" in done.json["judge"]
        assert (place / name / "report.html").is_file()
    found = rag("eval", "compare", "good", "bad", "--json").json["differences"]
    assert {d["metric"]: (d["first"], d["second"]) for d in found}["citation recall"] == (1, 0)
    (place / "torn.jsonl").write_text(json.dumps(good) + '\n{"answer"\n', encoding="utf-8")
    torn = rag("eval", "audit", "torn.jsonl", "--out", "torn")
    assert torn.code == 2 and torn.out.startswith("answers: 1, abstained: 0, claims: 1")
    assert (
        torn.err.startswith("error: torn.jsonl, line 2 is not JSON") and torn.err.count("\n") == 1
    )
    assert "there already" in rag("eval", "audit", "good.jsonl", "--out", "good").error
