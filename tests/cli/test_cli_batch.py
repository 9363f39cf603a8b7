"""Many questions from one file: a line in, a line out."""

import json
from pathlib import Path

import pytest

from rag.testing import HashEmbedder
from tests.cli.runner import QUESTION, Run

pytestmark = pytest.mark.usefixtures("index")


def questions(place: Path, *lines: object) -> Path:
    path = place / "questions.jsonl"
    written = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(written), encoding="utf-8")
    return path


def test_each_question_yields_a_line_with_its_id_first(rag: Run, place: Path) -> None:
    """Strings and numbers are ids; blank lines and further keys are passed over."""
    path = questions(
        place,
        {"id": "a", "question": QUESTION, "gold": ["milk"]},
        "",
        {"id": 7, "question": "void contract\u2028deceived"},
    )
    for command in (["ask", "--questions"], ["search", "--queries"]):
        result = rag(*command, path, "--json")
        assert (result.code, result.err) == (0, "")
        assert [next(iter(line)) for line in result.lines] == ["id", "id"]
        assert [line["id"] for line in result.lines] == ["a", 7]
    alone = rag("search", QUESTION, "--json").json
    assert rag("search", "--queries", path).lines[0] == {"id": "a", **alone}


def test_models_are_loaded_once(rag: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many questions there are."""
    made: list[HashEmbedder] = []

    def build(*arguments: object) -> HashEmbedder:
        made.append(HashEmbedder())
        return made[-1]

    monkeypatch.setattr("rag.build.build_embedder", build)
    path = questions(place, *({"id": n, "question": f"cat {n}"} for n in range(5)))
    assert len(rag("ask", "--questions", path).lines) == 5
    assert len(made) == 1


def test_a_bad_question_is_told_on_its_line_and_the_run_goes_on(rag: Run, place: Path) -> None:
    """The run ends with 2 when any question could not be answered."""
    path = questions(
        place,
        {"id": 1, "question": " "},
        {"id": 2, "question": "x" * 100_000},
        {"id": 3, "question": QUESTION},
    )
    result = rag("ask", "--questions", path, "--json")
    empty, long, good = result.lines
    assert result.code == 2
    assert list(empty) == ["id", "error"] and sorted(empty["error"]) == ["code", "message"]
    assert empty["error"]["code"] == long["error"]["code"] == "invalid_request"
    assert good["citations"]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not an object"),
        ('{"question": "x"}', "has no id"),
        ('{"id": true, "question": "x"}', "has no id"),
        ('{"id": 1, "question": 2}', "has no question"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_malformed_line_is_refused_before_any_answer(
    rag: Run, place: Path, line: str, named: str
) -> None:
    """The file and the number of the line are named."""
    path = questions(place, {"id": 1, "question": QUESTION}, "", line)
    result = rag("ask", "--questions", path, "--json")
    assert f"{path}, line 3 {named}" in result.error
    assert result.code == 2


def test_a_file_of_no_questions_is_refused(rag: Run, place: Path) -> None:
    """Missing, empty, a folder, or not UTF-8."""
    (place / "latin.jsonl").write_bytes(b'{"id": 1, "question": "caf\xe9"}')
    for name, named in {
        "missing.jsonl": "can not be read: No such file",
        "docs": "can not be read: Is a directory",
        "latin.jsonl": "can not be read: it is not UTF-8",
        str(questions(place, "", "")): "holds no question",
    }.items():
        result = rag("search", "--queries", name)
        assert named in result.error
        assert result.code == 2


def test_events_count_questions(rag: Run, place: Path) -> None:
    """--events tells how many of a file's questions are done."""
    path = questions(place, {"id": 1, "question": "cat"}, {"id": 2, "question": "dog"})
    told = [
        json.loads(line)
        for line in rag("ask", "--questions", path, "--events").err.split("\n")
        if line
    ]
    assert told == [{"event": "question", "done": n, "total": 2} for n in (1, 2)]
