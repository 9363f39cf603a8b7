"""Data sets of the user's own: recognised by what they hold, refused with file and line."""

import json
from pathlib import Path
from typing import Any

import pytest

from rag.errors import ConfigError
from rag.evaluation.cases import AnswerCase, ClaimCase, QueryCase
from rag.evaluation.formats import SUPPORTED, UNSUPPORTED, read_dataset


def lines(path: Path, *values: Any) -> Path:
    """Write values, one a line; strings as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in values]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


QUESTION = {"id": 7, "question": "Ki ivott tejet?", "answers": ["a macska"], "sources": ["a.md"]}


def test_questions(tmp_path: Path) -> None:
    """Defaults fill what a line leaves out; an unanswerable question has no gold."""
    unanswerable = {"id": "x", "question": "Why?", "answerable": False, "answers": []}
    path = lines(tmp_path / "mine.jsonl", {**QUESTION, "lang": "hu"}, "", unanswerable)
    dataset = read_dataset(path)
    first, second = dataset.cases
    assert isinstance(first, AnswerCase) and isinstance(second, AnswerCase)
    assert (first.id, first.cluster, first.lang, first.type) == ("7", "7", "hu", "question")
    assert first.gold == (("a macska",),) and first.sources == ("a.md",) and first.world == ""
    assert second.type == "unanswerable" and not second.answerable and second.gold == ()
    assert dataset.name == "mine" and dataset.described()["items"] == 2


def test_a_list_has_to_be_named_whole(tmp_path: Path) -> None:
    """Answers are spellings of one thing, but for the type list, where each is a thing."""
    path = lines(tmp_path / "q.jsonl", {**QUESTION, "answers": ["a", "b"], "type": "list"})
    (case,) = read_dataset(path).cases
    assert isinstance(case, AnswerCase) and case.gold == (("a",), ("b",))


def test_claims(tmp_path: Path) -> None:
    """Labels of any data set are understood; a line without an id has its number."""
    path = lines(
        tmp_path / "c.jsonl",
        {"claim": "Cats sleep.", "sources": ["Cats sleep all day."], "label": "supported"},
        {"claim": "Cats bark.", "sources": ["Cats sleep."], "label": False, "id": "b"},
    )
    first, second = read_dataset(path).cases
    assert isinstance(first, ClaimCase) and isinstance(second, ClaimCase)
    assert (first.id, first.supported, second.id, second.supported) == ("1", True, "b", False)
    assert not SUPPORTED & UNSUPPORTED


def beir(folder: Path, qrels: str = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\n") -> Path:
    """Write a small data set in BEIR's layout."""
    lines(
        folder / "corpus.jsonl",
        {"_id": "d1", "title": "T", "text": "One."},
        {"_id": "d2", "text": "Two."},
    )
    lines(
        folder / "queries.jsonl", {"_id": "q1", "text": "Which one?"}, {"_id": "q2", "text": "?!"}
    )
    (folder / "qrels").mkdir()
    (folder / "qrels" / "test.tsv").write_text(qrels, encoding="utf-8")
    return folder


def test_beir(tmp_path: Path) -> None:
    """Queries with a relevant document are cases; the corpus is their world."""
    dataset = read_dataset(beir(tmp_path / "set"))
    (case,) = dataset.cases
    assert isinstance(case, QueryCase)
    assert (case.id, case.relevant, case.world) == ("q1", ("d1",), "beir")
    assert dict(dataset.worlds["beir"].documents) == {"d1": "T\n\nOne.", "d2": "Two."}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([""], "is empty"),
        (["{"], "line 1 is not JSON"),
        (["[1]"], "line 1 is not an object"),
        ([{"text": "x"}], "line 1 has neither a question nor a claim"),
        ([QUESTION, {"question": ""}], "line 2 has no question"),
        ([{"question": "Why?"}], "can be answered, but has neither"),
        ([{**QUESTION, "answers": "x"}], "has answers that are not a list"),
        ([{**QUESTION, "answers": [" "]}], "has answers that are not a list"),
        ([{**QUESTION, "answerable": "yes"}], "neither true nor false"),
        ([{**QUESTION, "id": [1]}], "has an id that is neither"),
        ([QUESTION, QUESTION], "has the id '7' twice"),
        ([{**QUESTION, "source": 3, "sources": []}], "has a source that is no text"),
        ([{"claim": "c", "sources": [], "label": 1}], "line 1 has no sources"),
        ([{"claim": "c", "sources": ["s"], "label": "maybe"}], "the label 'maybe'"),
        ([{"claim": "c", "sources": ["s"]}], "which is not known"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: list[Any], told: str) -> None:
    """One line: the file, the line, what is wrong; most with what is expected."""
    path = lines(tmp_path / "bad.jsonl", *content)
    with pytest.raises(ConfigError) as error:
        read_dataset(path)
    assert told in str(error.value) and "bad.jsonl" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("qrels", "told"),
    [
        ("q1 d1 1\n", "test.tsv, line 1 is not query-id"),
        ("q1\td1\tmuch\n", "line 1 is not query-id"),
        ("query-id\tcorpus-id\tscore\nq1\td9\t1\n", "line 2 names document 'd9'"),
        ("q9\td1\t1\n", "holds no case"),
    ],
)
def test_bad_qrels(tmp_path: Path, qrels: str, told: str) -> None:
    """A table that is none, or names what is not there."""
    with pytest.raises(ConfigError) as error:
        read_dataset(beir(tmp_path / "set", qrels))
    assert told in str(error.value)


def test_a_folder_that_is_no_data_set(tmp_path: Path) -> None:
    """What is missing of the layout is listed."""
    with pytest.raises(ConfigError, match=r"lacks corpus.jsonl, queries.jsonl, qrels/\*.tsv"):
        read_dataset(tmp_path)
