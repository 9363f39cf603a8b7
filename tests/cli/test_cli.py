"""The command line: what it prints, and where."""

import json
from pathlib import Path
from typing import Any

import pytest

from rag.testing import HashEmbedder
from tests.cli.runner import DOCUMENTS, QUESTION, Run, write

HIT_KEYS = [
    *(
        "rank",
        "score",
        "passage_id",
        "document_id",
        "source",
        "also_in",
        "title",
        "page",
        "unit",
        "section",
    ),
    *("start", "end", "text"),
]


# -- what is printed ----------------------------------------------------------------------------


def test_ingest_json_is_the_documented_line(rag: Run, docs: Path) -> None:
    """`ingest --json` prints counts, what failed and what was skipped, compactly."""
    write(docs, {"photo.png": "not text"})
    (docs / "empty.txt").touch()
    result = rag("ingest", docs, "--json")
    view = result.json
    assert view["documents"]["added"] == len(DOCUMENTS)
    assert view["documents"]["updated"] == view["documents"]["deleted"] == 0
    assert [sorted(item) for item in view["documents"]["failed"]] == [["error", "source"]]
    assert [item["source"] for item in view["documents"]["skipped"]] == ["photo.png"]
    assert sorted(view["documents"]["skipped"][0]) == ["reason", "source"]
    assert view["passages"] == len(DOCUMENTS) and view["seconds"] > 0
    assert ": " not in result.out.replace("text: ", "").split('"failed"')[0]
    assert (result.code, result.err) == (3, "")
    again = rag("ingest", docs, "--json").json
    assert again["documents"]["unchanged"] + again["documents"]["updated"] == len(DOCUMENTS)
    assert again["embedded"] == 0


@pytest.mark.usefixtures("index")
def test_search_json_is_the_documented_line(rag: Run, docs: Path) -> None:
    """`search --json` prints hits whose offsets are those of the document."""
    result = rag("search", QUESTION, "-k", 3, "--json")
    hits = result.json["hits"]
    assert (result.code, result.err) == (0, "")
    assert [list(hit) for hit in hits] == [HIT_KEYS] * 3
    assert [hit["rank"] for hit in hits] == [1, 2, 3]
    best = hits[0]
    assert best["source"] == "animals/cats.md" and best["page"] is None
    text = (docs / best["source"]).read_text(encoding="utf-8")
    assert text[best["start"] : best["end"]] == best["text"]


@pytest.mark.usefixtures("index")
def test_ask_json_is_the_documented_line(rag: Run, docs: Path) -> None:
    """`ask --json` prints claims with offsets into the answer, and quotes that are verbatim."""
    view = rag("ask", QUESTION, "--json").json
    keys = ["question", "answer", "abstained", "reason", "method", "claims", "citations"]
    assert list(view)[:7] == keys and view["nearest"] == [] and view["timings"]["total"] > 0
    assert (view["abstained"], view["reason"], view["method"]) == (False, None, "quoted")
    claim, citation = view["claims"][0], view["citations"][0]
    assert sorted(claim) == ["citations", "end", "score", "start", "text", "verdict"]
    assert view["answer"][claim["start"] : claim["end"]].startswith(claim["text"][:-1])
    assert claim["citations"] == [citation["n"]]
    text = (docs / citation["source"]).read_text(encoding="utf-8")
    assert text[citation["start"] : citation["end"]] == citation["quote"]


@pytest.mark.usefixtures("index")
def test_ask_abstains_with_the_nearest_passages(rag: Run) -> None:
    """Abstaining is an answer: exit code 0, a reason, and the passages that came nearest."""
    view = rag("ask", "Wer ist Kanzler?", "--json").json
    assert view["abstained"] and view["reason"] == "nothing_relevant" and view["claims"] == []
    assert [list(hit) for hit in view["nearest"]] == [HIT_KEYS] * 5
    told = rag("ask", "Wer ist Kanzler?")
    assert told.code == 0 and view["answer"] in told.out and "Nearest passages:" in told.out


@pytest.mark.usefixtures("index")
def test_ask_for_people_prints_answer_then_quotes_with_their_files(rag: Run) -> None:
    """Without --json: the answer with markers, then each quote under its file."""
    result = rag("ask", QUESTION)
    answer, place, quote, *_ = [line for line in result.out.split("\n") if line]
    assert (result.code, result.err) == (0, "")
    assert "cold milk" in answer and "[1]" in answer
    assert place == "[1] animals/cats.md"
    assert quote == "    “The cat drinks cold milk every morning. Cats sleep all day.”"


@pytest.mark.usefixtures("index")
def test_other_commands_print_text_for_people(rag: Run, docs: Path) -> None:
    """Ingest, search and status have a readable form, also with failures."""
    (docs / "empty.md").touch()
    ingested = rag("ingest", docs)
    assert ingested.code == 3
    assert "0 added" in ingested.out and "failed:  empty.md: " in ingested.out
    found = rag("search", QUESTION)
    assert found.out.startswith("1  animals/cats.md · Cats  (")
    assert "healthy       True" in rag("status").out


def test_control_characters_of_documents_do_not_reach_the_terminal(rag: Run, place: Path) -> None:
    """An escape sequence in a document is made visible in text for people."""
    write(place / "docs", {"evil.txt": "The cat\x1b[2J drinks milk.\n"})
    rag("ingest", "docs")
    assert "\x1b" not in rag("search", "cat milk").out
    assert "\\u001b[2J" in rag("search", "cat milk", "--json").out


@pytest.mark.usefixtures("index")
def test_status_json_is_the_documented_line(rag: Run) -> None:
    """`status --json` tells what the index is without loading a model."""
    view = rag("status", "--json").json
    assert list(view) == [
        "index", "documents", "copies", "passages", "embedder", "generator", "device",
        "vector_index", "bytes", "healthy",
    ]  # fmt: skip
    assert view["documents"] == view["passages"] == len(DOCUMENTS)
    assert (view["embedder"], view["generator"]) == ("hash", "none")
    assert view["bytes"] > 10_000 and view["healthy"] is True


@pytest.mark.usefixtures("index")
def test_status_tells_damaged_derived_files(rag: Run, place: Path) -> None:
    """A flipped bit in what is derived is unhealthy; questions are answered all the same."""
    vectors = next((place / "indexes/default").rglob("vectors.npy"))
    data = bytearray(vectors.read_bytes())
    data[-1] ^= 1
    vectors.write_bytes(data)
    assert rag("status", "--json").json["healthy"] is False
    assert rag("search", QUESTION, "--json").json["hits"][0]["source"] == "animals/cats.md"


def test_models_are_listed_and_found(rag: Run, place: Path) -> None:
    """`models list` names licences; `models path` prints only a folder."""
    listed = rag("models", "list", "--json", "--model-dir", place / "models").json["models"]
    names = {model["name"]: model for model in listed}
    assert names["intfloat/multilingual-e5-small"]["licence"] == "MIT"
    assert "licence" not in rag("models", "list").err
    folder = place / "mine"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").touch()
    assert rag("models", "path", folder).out == f"{folder}\n"
    assert rag("models", "path", folder, "--json").json == {
        "name": str(folder),
        "path": str(folder),
    }
    assert rag("models", "pull", folder).code == 0
    assert rag("models", "pull", "--json").json == {"models": []}


@pytest.mark.usefixtures("index")
def test_filters_choose_documents(rag: Run, docs: Path) -> None:
    """Every filter option reaches the search."""

    def sources(*options: object) -> list[str]:
        hits = rag("search", "cat milk", "--json", "-k", 50, *options).json["hits"]
        return sorted({hit["source"] for hit in hits})

    assert sources("--source", "animals/*") == ["animals/cats.md", "animals/dogs.md"]
    assert sources("--title", "DOG") == ["animals/dogs.md"]
    assert sources("--language", "ru") == ["история.txt"]
    assert len(sources("--since", "2000-01-01")) == len(DOCUMENTS)
    assert sources("--until", "2000-01-01") == []
    assert sources("--metadata", "author=nobody", "--metadata", "x=y") == []
    assert sources("--mode", "lexical", "--source", "*.md") == ["animals/cats.md"]


# -- progress -----------------------------------------------------------------------------------


def test_events_are_json_lines_on_standard_error(rag: Run, docs: Path) -> None:
    """--events tells each stage of a run; standard output stays one line."""
    result = rag("ingest", docs, "--json", "--events")
    events = [json.loads(line) for line in result.err.splitlines()]
    assert {event["event"] for event in events} == {"ingest"}
    assert [event["stage"] for event in events][0::9] == ["plan", "commit"]
    assert events[-1]["done_bytes"] == events[-1]["total_bytes"] > 0
    assert result.json["documents"]["added"] == len(DOCUMENTS)


def test_without_a_terminal_nothing_moves(rag: Run, docs: Path) -> None:
    """Standard error is empty where it is no terminal and all is well."""
    assert rag("ingest", docs).err == ""


def test_on_a_terminal_progress_shows_rate_and_size(
    rag: Run, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal there is a bar with counts and a rate."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "160")
    result = rag("ingest", docs)
    assert "ingesting" in result.err and "passages" in result.err and "/s" in result.err


def test_fetching_a_model_is_said_plainly(
    rag: Run, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is fetched is named with its size and licence, terminal or not."""

    def build(config: object, report: Any) -> HashEmbedder:
        for done in (0, 50_000_000, 91_165_692):
            report("downloading intfloat/multilingual-e5-small", done, 91_165_692)
        report("converting intfloat/multilingual-e5-small", 0, 0)
        return HashEmbedder()

    monkeypatch.setattr("rag.build.build_embedder", build)
    told = rag("ingest", docs).err.splitlines()
    assert told[0] == "downloading intfloat/multilingual-e5-small: 91 MB, licence MIT …"
    assert told[1] == "converting intfloat/multilingual-e5-small …" and len(told) == 2
    events = [
        json.loads(line)
        for line in rag("ingest", docs, "--index", "new", "--events").err.splitlines()
    ]
    assert events[0] == {
        "event": "model",
        "label": "downloading intfloat/multilingual-e5-small",
        "done_bytes": 0,
        "total_bytes": 91_165_692,
    }
