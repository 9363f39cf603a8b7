"""Stored answers, feedback, and streams that stay open."""

import asyncio
import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.types import Message

from api.app import create_app
from api.streaming import HEARTBEAT, EventStream, Outbox
from rag.care.delete import delete
from rag.cli import main
from rag.config import Config
from rag.ingest import ingest
from rag.testing import HashEmbedder, ScriptedGenerator
from tests.api.test_api_routes import error_of
from tests.api.test_api_streaming import MILK, Serving, events, plain, serving  # noqa: F401
from tests.cli.runner import QUESTION

ASK = {"question": QUESTION}


def states(client: TestClient, identity: str) -> list[str]:
    """Return what has become of the sources of an answer."""
    found = client.get(f"/v1/answers/{identity}")
    assert found.status_code == 200, found.text
    return [each["state"] for each in found.json()["sources"]]


@pytest.mark.parametrize("draft", [MILK, None])
@pytest.mark.parametrize("question", [QUESTION, "Кто пьёт молоко?", "Who won the chess cup?"])
def test_streamed_whole_and_stored_answers_are_one(
    serving: Serving,  # noqa: F811
    question: str,
    draft: str | None,
) -> None:
    """To the last field, but for id and times; what is stored is what was sent, with both."""
    client = serving(ScriptedGenerator([draft]) if draft else None)
    whole = client.post("/v1/ask", json={"question": question}).json()
    streamed = client.post("/v1/ask", json={"question": question, "stream": True}).text
    name, last = events(streamed)[-1]
    assert name == "answer" and plain(whole) == plain(last) and whole["id"] != last["id"]
    for sent in (whole, last):
        stored = client.get(f"/v1/answers/{sent['id']}").json()
        assert stored["answer"] == sent and stored["id"] == sent["id"]
        assert stored["collection"] == "default"
        assert [s["citation"] for s in stored["sources"]] == [c["n"] for c in sent["citations"]]


def test_a_source_that_changed_or_went_is_told(
    client: TestClient, config: Config, docs: Path
) -> None:
    """Per citation; a change beside the quote counts; a source that comes back is as it was."""
    answer = client.post("/v1/ask", json=ASK).json()
    (source,) = {citation["source"] for citation in answer["citations"]}
    before = (docs / source).read_text()
    assert set(states(client, answer["id"])) == {"unchanged"}
    (docs / source).write_text(before + "\nMore was learnt later.\n")
    ingest([docs], "default", HashEmbedder(), config)
    assert set(states(client, answer["id"])) == {"changed"}
    (docs / source).write_text(before)
    ingest([docs], "default", HashEmbedder(), config)
    assert set(states(client, answer["id"])) == {"unchanged"}
    delete(config.index_dir / "default", [source])
    assert set(states(client, answer["id"])) == {"gone"}


def test_answers_may_not_be_stored(config: Config, docs: Path) -> None:
    """keep_answers = 0: the id is null, and the database is not even made."""
    with TestClient(create_app(replace(config, keep_answers=0))) as client:
        assert client.post("/v1/ask", json=ASK).json()["id"] is None
        error_of(client.get("/v1/answers/null"), 404, "not_found")
    assert not (config.index_dir / "service.sqlite3").exists()


def test_feedback_is_stored_and_exported(
    client: TestClient, config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A thumb, a preference and a correction; the export is lines of questions with answers."""
    first, second = (client.post("/v1/ask", json=ASK).json()["id"] for _ in range(2))
    for body in (
        {"answer": first, "rating": "down", "comment": "too long"},
        {"answer": second, "preferred_to": first},
    ):
        assert client.post("/v1/feedback", json=body).status_code == 201
    where = ["--index-dir", str(config.index_dir)]
    assert main(["feedback", "export", *where]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    case = json.loads(line)
    assert case["question"] == QUESTION and case["answerable"] and case["lang"] == "en"
    assert case["sources"] == ["animals/cats.md"] and "milk" in case["evidence"][0]
    corrected = {"answer": first, "correction": "Yes, every morning."}
    assert client.post("/v1/feedback", json=corrected).status_code == 201
    out = tmp_path / "cases.jsonl"
    assert main(["feedback", "export", "--out", str(out), *where]) == 0
    (line,) = out.read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["answers"] == ["Yes, every morning."]
    assert main(["feedback", "export", "--raw", "--collection", "default", *where]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"answer": "ID"},
        {"answer": "ID", "rating": "sideways"},
        {"answer": "ID", "preferred_to": "ID"},
        {"answer": "ID", "correction": "x" * 20_001},
        {"answer": "ID", "rating": "up", "stars": 5},
    ],
)
def test_feedback_that_says_nothing_is_refused(client: TestClient, body: dict[str, str]) -> None:
    """422; of an answer that is not there, 404."""
    identity = client.post("/v1/ask", json=ASK).json()["id"]
    given = {key: identity if value == "ID" else value for key, value in body.items()}
    error_of(client.post("/v1/feedback", json=given), 422, "invalid_request")
    absent = {"answer": "ans_0", "rating": "up"}
    error_of(client.post("/v1/feedback", json=absent), 404, "not_found")
    other = {"answer": identity, "preferred_to": "ans_0"}
    error_of(client.post("/v1/feedback", json=other), 404, "not_found")


def test_a_quiet_stream_sends_heartbeats() -> None:
    """A comment now and then while the next event takes long; none in the middle of another."""
    release = threading.Event()
    outbox = Outbox()

    def pieces():  # type: ignore[no-untyped-def]
        outbox.send(b"early\n\n")
        yield b"first\n\n"
        release.wait(10)
        yield b"last\n\n"

    sent: list[bytes] = []

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))
        if sent.count(HEARTBEAT) == 3:
            release.set()

    async def receive() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    async def serve() -> None:
        stream = EventStream(pieces(), threading.Event(), outbox, heartbeat=0.05)
        await stream({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)

    started = time.monotonic()
    asyncio.run(serve())
    assert time.monotonic() - started < 5
    told = [piece for piece in sent if piece]
    assert told[:2] == [b"early\n\n", b"first\n\n"] and told[-1] == b"last\n\n"
    assert told.count(HEARTBEAT) >= 3 and HEARTBEAT.startswith(b":")


def test_a_client_that_does_not_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would hold a slot for as long as it likes; the work is closed."""
    monkeypatch.setattr("api.streaming.STALL_SECONDS", 0.05)
    closed = threading.Event()

    def pieces():  # type: ignore[no-untyped-def]
        try:
            yield b"first\n\n"
            raise AssertionError
        finally:
            closed.set()

    async def send(message: Message) -> None:
        if message.get("body"):
            await asyncio.sleep(60)

    async def receive() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    stopped = threading.Event()
    stream = EventStream(pieces(), stopped)
    scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
    asyncio.run(asyncio.wait_for(stream(scope, receive, send), 10))
    assert closed.is_set() and stopped.is_set()
