"""`rag chat` and `rag ask --history`: conversations at the command line."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag import chat as chat_module
from rag.dialogue import Conversation, Reply
from tests.cli.runner import QUESTION, ROOT, Run

pytestmark = pytest.mark.usefixtures("index")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, rag: Run) -> Run:
    """Run `rag chat` with what is typed, then options."""

    def run(text: str, *options: object) -> object:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), "ascii"))
        return rag("chat", *options)

    return run  # type: ignore[return-value]


def test_a_question_a_line_each_with_its_quotes(typed: Run) -> None:
    """The second is completed from the first, and cites what its own search found."""
    first, second = typed(f"{QUESTION}\nAnd the dog?\n", "--json").lines
    assert first["question"] == first["asked"] == QUESTION and first["citations"]
    assert second["asked"] == "And the dog?" and "dog" in second["question"]
    assert second["question"] != second["asked"]
    assert second["trace"][0].startswith("searched, by rule: ")


def test_people_see_answers_and_quotes(typed: Run) -> None:
    """As `ask` prints them; a conversation that is piped in has no prompt."""
    done = typed(f"{QUESTION}\n")
    assert done.code == 0 and "[1] animals/cats.md" in done.out
    assert chat_module.PROMPT not in done.err and chat_module.PROMPT not in done.out


def test_commands_and_blank_lines(typed: Run) -> None:
    """/new forgets, /quit ends, blank lines are passed over, the last line needs no end."""
    text = f"\n  \n{QUESTION}\n/new\nAnd the dog?\n/quit\nnever asked"
    _, second = typed(text, "--json").lines
    assert second["question"] == second["asked"] == "And the dog?"
    assert typed("").code == 0
    assert typed(QUESTION, "--json").json["citations"]


def test_a_question_that_can_not_be_answered_ends_nothing(typed: Run) -> None:
    """It is told, the next one is answered, and the exit code remembers."""
    done = typed("x" * 5000 + f"\n{QUESTION}\n", "--json")
    failed, answered = done.lines
    assert done.code == 2 and failed["error"]["code"] == "invalid_request"
    assert answered["citations"] and "error: the question has 5,000 characters" in done.err


def test_bytes_that_are_no_text_are_an_error_of_one_line(place: Path) -> None:
    """Not a traceback; in a process of its own, as a shell would start it."""
    command = [sys.executable, "-m", "rag.cli", "chat", "--json"]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, input=b"\xff\xfe\n", capture_output=True, env=environ, timeout=60
    )
    assert done.returncode == 2 and done.stdout == b""
    assert done.stderr.decode().strip() == "error: the input is not valid text; expected UTF-8"


class Keys(io.StringIO):
    """A console on which lines are typed; "^C" stands for Ctrl-C."""

    def isatty(self) -> bool:
        return True

    def readline(self, *_: int) -> str:  # type: ignore[override]
        line = super().readline()
        if line.strip() == "^C":
            raise KeyboardInterrupt
        return line


def test_ctrl_c_at_the_prompt_ends_and_during_an_answer_does_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An answer that takes too long is given up; at the prompt it means to leave."""

    def respond(question: str, turns: object) -> Reply:
        raise KeyboardInterrupt

    assert chat_module.chat(Conversation(respond), Keys("a?\nb?\n^C\nc?\n"), as_json=False) == 0
    shown = capsys.readouterr()
    assert shown.err.count("interrupted") == 2 and shown.err.count(chat_module.PROMPT) == 3
    assert chat_module.HELP in shown.err and shown.out == ""


def test_ask_takes_a_history(rag: Run, place: Path) -> None:
    """The question is completed from the file; without it, it stands as it is."""
    first = {"question": "How many violins has a quartet?", "answer": "Two.", "id": 1}
    turns = [first, {"question": QUESTION}]
    lines = "\n".join(map(json.dumps, turns))
    (place / "turns.jsonl").write_text(f"\n{lines}\n", encoding="utf-8")
    view = rag("ask", "And the dog?", "--history", "turns.jsonl", "--json").json
    assert view["asked"] == "And the dog?" and "milk" in view["question"]
    assert rag("ask", "And the dog?", "--json").json["question"] == "And the dog?"


@pytest.mark.parametrize("line", ["[]", "{", '{"answer": "x"}', '{"question": "x", "answer": 3}'])
def test_a_history_that_is_none_is_refused(rag: Run, place: Path, line: str) -> None:
    """Before any model is loaded, with the line and what was expected."""
    (place / "turns.jsonl").write_text(line, encoding="utf-8")
    done = rag("ask", "Why?", "--history", "turns.jsonl")
    assert done.code == 2 and "turns.jsonl, line 1" in done.error and '"answer"' in done.error
    assert rag("ask", "Why?", "--history", "gone.jsonl").code == 2


def test_the_conversation_keeps_nothing_of_an_abstention(rag: Run) -> None:
    """Its sentence is no answer that a later question could look back at."""
    from rag.build import open_answerer, responder
    from rag.config import load_config

    conversation = Conversation(responder(open_answerer(load_config(), "default")))
    assert conversation.say("Who won the chess championship?").answer.abstained
    assert conversation.turns[-1].answer == ""
