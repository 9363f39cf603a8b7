"""The parts of the command line that a whole run does not reach without models or a person."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from rag import ingest_commands, status
from rag.console import Printer, print_json
from tests.cli.runner import Run

CITATION = {
    "n": 1, "passage_id": "p", "document_id": "d", "source": "report.pdf", "also_in": [],
    "title": "Report", "page": 3, "unit": "page", "start": 0, "end": 6,
    "quote": "Paris is in France.",
}  # fmt: skip


def answer(*claims: tuple[str, str]) -> dict[str, Any]:
    return {
        "answer": " ".join(text for text, _ in claims),
        "abstained": False,
        "claims": [{"text": text, "verdict": verdict} for text, verdict in claims],
        "citations": [CITATION],
        "nearest": [],
        "conflicts": [],
    }


def test_claims_that_are_not_supported_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A verdict is printed only where it is not the good one."""
    Printer().answer(answer(("Paris is in France.", "supported"), ("It rains.", "unsupported")))
    assert capsys.readouterr().out.split("\n") == [
        "Paris is in France. It rains.",
        "",
        "[1] report.pdf, page 3",
        "    “Paris is in France.”",
        "",
        "unsupported: It rains.",
        "",
    ]


def test_both_sides_of_a_disagreement_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """In the words in which they differ, on one line, with their numbers."""
    says = ["on 4 May\n1931", "on 9 June 1931"]
    conflict = {"kind": "date", "citations": [1, 2], "says": says}
    Printer().answer(answer(("It was opened.", "supported")) | {"conflicts": [conflict]})
    told = "Sources disagree: [1] says “on 4 May 1931”, [2] says “on 9 June 1931”"
    assert capsys.readouterr().out.split("\n")[-2] == told


def test_long_quotes_are_wrapped_on_a_terminal_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere a line stays a line, for grep."""
    view = answer(("x", "supported"))
    view["citations"] = [CITATION | {"quote": "many words " * 30}]
    Printer().answer(view)
    assert max(map(len, capsys.readouterr().out.split("\n"))) > 300
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    Printer().answer(view)
    assert max(map(len, capsys.readouterr().out.split("\n"))) < 80


def test_a_line_of_json_is_one_line_for_every_reader(capsys: pytest.CaptureFixture[str]) -> None:
    """Characters that some take for the end of a line are escaped; others stay readable."""
    text = "猫\u2028\u2029\x85\x0b\x1c."
    print_json({"text": text})
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 1 and "猫" in out
    assert json.loads(out) == {"text": text}


@pytest.mark.parametrize(("said", "expected"), [(True, True), (False, False)])
def test_a_person_is_asked_before_much_is_deleted(
    monkeypatch: pytest.MonkeyPatch, said: bool, expected: bool
) -> None:
    """On a terminal the answer decides; without one it is no."""
    questions: list[str] = []

    def confirm(question: str, err: bool) -> bool:
        questions.append(question)
        return said

    monkeypatch.setattr("typer.confirm", confirm)
    assert not ingest_commands._confirmed(6, 8) and questions == []
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    assert ingest_commands._confirmed(6, 8) is expected
    assert "6 of 8 documents" in questions[0]


def test_the_device_is_told_without_torch(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """auto is cuda where a driver answers, nothing hides it, and torch is no CPU build."""
    assert status.device("cpu") == "cpu" and status.device("cuda") == "cuda"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(status, "NVIDIA_DEVICE", place)
    for version, expected in {"2.13.0": "cuda", "2.13.0+cpu": "cpu"}.items():
        monkeypatch.setattr("importlib.metadata.version", lambda name, found=version: found)
        assert status.device("auto") == expected
    monkeypatch.setattr("importlib.metadata.version", lambda name: "2.13.0")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert status.device("auto") == "cpu"


def test_serve_looks_for_models_before_it_serves(
    rag: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that can not be had ends `serve` with 6; else the URL is printed, then it runs."""
    absent = ["--embedder", "no/such-model", "--offline", "--model-dir", place]
    assert rag("serve", "--port", 0, *absent).code == 6
    ran: list[Any] = []
    monkeypatch.setattr("api.server.configure_logs", lambda: None)
    monkeypatch.setattr("uvicorn.Server.run", lambda server, sockets: ran.append(sockets))
    served = rag("serve", "--port", 0, "--json")
    assert served.code == 0 and served.json["url"].startswith("http://127.0.0.1:")
    assert len(ran) == 1
