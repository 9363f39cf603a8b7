"""`ask --explain`: where the claims come from, as JSON and for people."""

from pathlib import Path

import pytest

from rag.testing import ScriptedGenerator
from tests.cli.runner import QUESTION, Run

pytestmark = pytest.mark.usefixtures("index")
LOCAL = ("--generator", "HuggingFaceTB/SmolLM2-135M-Instruct")


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that runs here and writes nothing that stands."""
    monkeypatch.setattr("rag.build.build_generator", lambda *given: ScriptedGenerator(["No."]))


@pytest.mark.usefixtures("local")
def test_json_has_a_provenance_for_each_claim(rag: Run) -> None:
    """All else is as without it."""
    plain = rag("ask", QUESTION, "--json", *LOCAL).json
    view = rag("ask", QUESTION, "--json", "--explain", *LOCAL).json
    assert "explain" not in plain and view["explain_notes"] == []
    assert {**view, "timings": 0} == {
        **plain, "timings": 0, "explain": view["explain"], "explain_notes": []
    }  # fmt: skip
    assert [told["claim"] for told in view["explain"]] == list(range(len(view["claims"])))
    told = view["explain"][0]
    assert " ".join(told) == "claim summary contextual parametric tokens difference influences"
    assert told["difference"] > 0.5 and told["contextual"] > told["parametric"]
    assert [i["citation"] for i in told["influences"]] == [c["n"] for c in view["citations"]]


@pytest.mark.usefixtures("local")
def test_people_read_a_line_a_claim(rag: Run) -> None:
    """Behind the quotes: the claim, and under it where it comes from."""
    out = rag("ask", QUESTION, "--explain", *LOCAL).out
    assert out.count("    from the passages (+") == 1 and "per token); mostly [1]\n" in out
    assert out.index("“The cat") < out.index("from the passages")
    assert "from the passages" not in rag("ask", QUESTION, *LOCAL).out


@pytest.mark.usefixtures("local")
def test_many_questions_are_explained_too(rag: Run, place: Path) -> None:
    """A line each; an abstention says that it claims nothing."""
    (place / "q.jsonl").write_text(
        f'{{"id": 1, "question": "{QUESTION}"}}\n{{"id": 2, "question": "Wer ist Kanzler?"}}\n'
    )
    first, second = rag("ask", "--questions", "q.jsonl", "--explain", *LOCAL).lines
    assert first["explain"] and first["explain_notes"] == []
    assert second["explain"] == [] and "makes no claim" in second["explain_notes"][0]


def test_without_a_generator_it_is_a_usage_error(rag: Run) -> None:
    """One line with the remedy, and no answer."""
    result = rag("ask", QUESTION, "--explain")
    assert result.code == 2 and "set one with --generator" in result.error


def test_a_server_is_told_that_it_can_not(rag: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer comes, with a note; nothing is asked of the server for it."""
    monkeypatch.setenv("RAG_OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("RAG_QUOTE_ONLY", "1")
    result = rag("ask", QUESTION, "--explain", "--generator", "openai:m")
    assert result.code == 0 and "cold milk" in result.out
    assert "not explained: openai:m does not tell how likely" in result.out
