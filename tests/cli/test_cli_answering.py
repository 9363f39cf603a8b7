"""How an answer is given at the command line: how sure, by quoting alone, and as it is made."""

import sys
from pathlib import Path

import pytest

from rag.build import event_responder, open_answerer
from rag.config import load_config
from rag.dialogue import Replying
from rag.errors import GenerationError
from rag.live import Live
from rag.testing import ScriptedGenerator
from tests.cli.runner import QUESTION, Run, write

pytestmark = pytest.mark.usefixtures("index")
MILK = "The cat drinks cold milk every morning."
SLEEP = "Cats sleep all day."


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that says what the evidence says."""
    generator = ScriptedGenerator([f"{MILK} {SLEEP}"])
    monkeypatch.setenv("RAG_GENERATOR", "scripted")
    monkeypatch.setattr("rag.build.build_generator", lambda *given: generator)


@pytest.mark.usefixtures("scripted")
def test_quotes_alone(rag: Run, place: Path) -> None:
    """--quote-only, for one question, for many, and against the environment."""
    ask = ("ask", QUESTION, "--json")
    assert rag(*ask).json["method"] == "generated"
    assert rag(*ask, "--quote-only").json["method"] == "quoted"
    write(place, {"q.jsonl": f'{{"id": 1, "question": "{QUESTION}"}}\n'})
    assert rag("ask", "--questions", "q.jsonl", "--quote-only").json["method"] == "quoted"
    write(place, {"rag.toml": "quote_only = true\n"})
    assert rag(*ask).json["method"] == "quoted"
    assert rag(*ask, "--no-quote-only").json["method"] == "generated"


@pytest.mark.parametrize("value", ["1.01", "-1", "nan"])
def test_strictness_is_a_probability(rag: Run, value: str) -> None:
    """Else one line that says so, before any model is loaded."""
    done = rag("ask", QUESTION, "--strictness", value)
    assert done.code == 2 and "expected a number from 0.0 to 1.0" in done.error


def test_sources_that_disagree(rag: Run, docs: Path) -> None:
    """Both are shown, and told to disagree; the strictest do not answer, and say why."""
    bridge = "The old bridge over the river was built in {} by Italian masons.\n"
    write(docs, {"a.txt": bridge.format(1931), "b.txt": bridge.format(1954)})
    rag("ingest", docs)
    ask = ("ask", "When was the old bridge over the river built by Italian masons?")
    shown = rag(*ask).out
    assert (
        "Sources disagree: [1] says “19" in shown and "[2] a.txt" in shown
    ) or "[2] b.txt" in shown
    view = rag(*ask, "--json").json
    ((kind, numbers, says),) = [tuple(conflict.values()) for conflict in view["conflicts"]]
    assert kind in ("number", "date") and numbers == [1, 2] and set(says) == {"1931", "1954"}
    strict = rag(*ask, "--json", "--strictness", "1").json
    assert strict["reason"] == "sources_disagree" and "disagree" in strict["answer"]
    assert strict["conflicts"] == []


def test_a_result_is_computed_but_for_who_wants_quotes(rag: Run, docs: Path) -> None:
    """The computation is shown and cited; quotes alone hold no number of ours."""
    write(
        docs,
        {
            "2.txt": "GPT-2 has 1.5 billion parameters.\n",
            "3.txt": "GPT-3 has 175 billion parameters.\n",
        },
    )
    rag("ingest", docs)
    ask = ("ask", "How many more parameters does GPT-3 have than GPT-2?", "--json")
    computed = rag(*ask).json
    assert computed["method"] == "computed" and "= 173.5 billion" in computed["answer"]
    assert {each["source"] for each in computed["citations"]} == {"2.txt", "3.txt"}
    quoted = rag(*ask, "--quote-only").json
    assert quoted["method"] == "quoted" and "173.5" not in quoted["answer"]


# -- on a terminal -------------------------------------------------------------------------------


@pytest.mark.usefixtures("scripted")
def test_a_terminal_shows_the_same_as_a_pipe(rag: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims as they come, then what stands behind them; an abstention is printed as ever."""
    for question in (QUESTION, "Who won the chess championship?"):
        piped = rag("ask", question).out
        with monkeypatch.context() as terminal:
            terminal.setattr(sys.stdout, "isatty", lambda: True)
            terminal.setenv("NO_COLOR", "1")
            terminal.setenv("TERM", "dumb")
            terminal.setenv("COLUMNS", "200")
            assert rag("ask", question).out == piped


@pytest.mark.usefixtures("scripted")
def test_claims_are_printed_before_the_answer_is_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The first while the second is not made; what turns on the terminal is stopped ahead."""
    replying = event_responder(open_answerer(load_config(), "default"))(QUESTION, [])
    seen: list[str] = []

    def watched() -> Replying:
        for event in replying:
            yield event
            seen.append(capsys.readouterr().out)

    live = Live(lambda: print("stopped", end=" "))
    said = live.follow(watched())
    assert seen[0] == f"stopped {MILK} [1]" and len(seen) == 3
    assert said.answer.text.startswith(f"{MILK} [1]")
    assert capsys.readouterr().out == "\n"


def test_a_failure_leaves_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What was printed ends with its line; the error is told elsewhere."""

    def failing() -> Replying:
        answerer = open_answerer(load_config(), "default")
        yield next(event_responder(answerer)(QUESTION, []))
        raise GenerationError("the generator stopped")

    with pytest.raises(GenerationError):
        Live(lambda: None).follow(failing())
    assert capsys.readouterr().out.endswith("[1]\n")
