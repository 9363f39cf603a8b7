"""Answers as server-sent events: the same answer, and an end when nobody listens."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

from api import server
from api.app import create_app
from rag.build import assemble
from rag.config import Config
from rag.errors import GenerationError
from rag.protocols import Decoding, Embedder, Generator, Message, TextStream
from rag.testing import HashEmbedder, ScriptedGenerator
from tests.cli.runner import QUESTION

MILK = "The cat drinks cold milk every morning [1]."
SLEEP = "Cats sleep all day."


def events(text: str) -> list[tuple[str, Any]]:
    """Return the name and the data of each server-sent event."""
    found = []
    for block in text.split("\n\n")[:-1]:
        name, data = block.split("\n")
        assert name.startswith("event: ") and data.startswith("data: ")
        found.append((name[7:], json.loads(data[6:])))
    return found


def plain(view: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without what differs each time it is given."""
    assert view["id"].startswith("ans_")
    return dict(view, timings=None, id=None)


def without_id(error: dict[str, Any]) -> dict[str, Any]:
    """Return an error without the id of its request."""
    return {"error": dict(error["error"], request_id=None)}


Serving = Callable[[Generator | None], TestClient]


@pytest.fixture
def serving(config: Config, docs: Path) -> Serving:
    """Return what makes a client of a service with a generator."""

    def client(generator: Generator | None) -> TestClient:
        app = create_app(
            config,
            open_index=lambda name: assemble(config, name, HashEmbedder(), generator),
        )
        return TestClient(app, raise_server_exceptions=False)

    return client


@pytest.mark.parametrize(
    "question",
    [QUESTION, f"{QUESTION} What barks at strangers?", "Who won the chess championship?"],
)
@pytest.mark.parametrize("draft", [f"{MILK} {SLEEP}", "Cats are made of cheese.", None])
def test_the_stream_ends_with_the_answer(
    serving: Serving, question: str, draft: str | None
) -> None:
    """The same JSON as without streaming; the claims before it are its claims, in order."""
    client = serving(ScriptedGenerator([draft]) if draft else None)
    answer = client.post("/v1/ask", json={"question": question}).json()
    streamed = client.post("/v1/ask", json={"question": question, "stream": True})
    assert streamed.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert streamed.headers["cache-control"] == "no-store"
    assert streamed.headers["x-accel-buffering"] == "no"
    *others, (name, last) = events(streamed.text)
    assert name == "answer" and plain(last) == plain(answer)
    claims = [each for each in others if each[0] == "claim"]
    assert others[0][0] == "hits" and others[0][1]["hits"]
    assert {name for name, _ in others} <= {"hits", "citation", "claim"}
    assert [data for name, data in others if name == "citation"] == answer["citations"]
    assert [data["claim"] for _, data in claims] == answer["claims"]
    assert [c for _, data in claims for c in data["citations"]] == answer["citations"]
    text = "".join(data["text"] for _, data in claims)
    assert text == ("" if answer["abstained"] else answer["answer"])


def test_what_is_explained_comes_with_the_answer(serving: Serving) -> None:
    """The last event is again the body without streaming; a request that can not be is a 422."""
    asked = {"question": QUESTION, "explain": True}
    client = serving(ScriptedGenerator([MILK]))
    answer = client.post("/v1/ask", json=asked).json()
    name, last = events(client.post("/v1/ask", json=asked | {"stream": True}).text)[-1]
    assert name == "answer" and plain(last) == plain(answer)
    assert last["method"] == "generated" and last["explain"][0]["influences"][0]["citation"] == 1
    assert serving(None).post("/v1/ask", json=asked | {"stream": True}).status_code == 422


def test_line_ends_of_documents_end_no_line(tmp_path: Path) -> None:
    """What some readers take for the end of a line is escaped."""
    from rag.ingest import ingest
    from tests.cli.runner import write

    config = Config(index_dir=tmp_path / "indexes", embedder="hash", generator="none")
    folder = write(tmp_path / "docs", {"a.md": "The cat\u2028drinks cold\x85milk every morning.\n"})
    ingest([folder], "default", HashEmbedder(), config)
    with TestClient(create_app(config)) as client:
        text = client.post("/v1/ask", json={"question": QUESTION, "stream": True}).text
    assert len(text.splitlines()) == 12
    assert [name for name, _ in events(text)] == ["hits", "citation", "claim", "answer"]


class Broken(ScriptedGenerator):
    """Says its script and fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__([f"{MILK} {SLEEP} And"])
        self._error = error

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Yield the script, then raise."""
        yield from super().stream(messages, decoding)
        raise self._error


@pytest.mark.parametrize(
    ("error", "code"),
    [(GenerationError("the generator stopped"), "generation_failed"), (KeyError("x"), "internal")],
)
def test_a_failure_on_the_way_is_the_last_event(
    serving: Serving, error: Exception, code: str
) -> None:
    """In the shape of all errors; the claims before it stand."""
    body = {"question": QUESTION}
    told = serving(Broken(error)).post("/v1/ask", json=body)
    assert told.status_code == 500
    streamed = serving(Broken(error)).post("/v1/ask", json=body | {"stream": True})
    names = [name for name, _ in events(streamed.text)]
    assert streamed.status_code == 200 and "claim" in names and names[-1] == "error"
    assert "answer" not in names
    last = events(streamed.text)[-1][1]
    assert without_id(last) == without_id(told.json()) and told.json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"question": " "}, 422),
        ({"question": QUESTION, "index": "nowhere"}, 404),
        ({"question": QUESTION, "stream": "yes"}, 422),
    ],
)
def test_what_fails_before_the_answer_has_its_status(
    client: TestClient, body: dict[str, Any], status: int
) -> None:
    """No stream is begun for it."""
    response = client.post("/v1/ask", json={"stream": True} | body)
    assert response.status_code == status and response.json()["error"]["message"]


@pytest.mark.parametrize(
    "fields",
    [{"strictness": 1.5}, {"strictness": "0.5"}, {"quote_only": "yes"}, {"strictness": -0.1}],
)
def test_how_to_answer_is_checked(client: TestClient, fields: dict[str, Any]) -> None:
    """A number from 0 to 1; true or false."""
    response = client.post("/v1/ask", json={"question": QUESTION} | fields)
    assert response.status_code == 422 and next(iter(fields)) in response.text


def test_a_request_says_how_it_is_answered(serving: Serving) -> None:
    """quote_only quotes in spite of a generator; the next request is as the server is set."""
    client = serving(ScriptedGenerator([MILK]))
    body = {"question": QUESTION}
    methods = [
        client.post("/v1/ask", json=body | more).json()["method"]
        for more in ({}, {"quote_only": True}, {"quote_only": False}, {"strictness": 0.0})
    ]
    assert methods == ["generated", "quoted", "generated", "generated"]


# -- a real server -------------------------------------------------------------------------------


class Slow(ScriptedGenerator):
    """Says its script, then a word now and then without end; tells how it ended."""

    def __init__(self, script: str) -> None:
        super().__init__([script])
        self.begun = threading.Event()
        self.closed = threading.Event()

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Yield until closed."""
        try:
            yield from super().stream(messages, decoding)
            self.begun.set()
            while True:
                time.sleep(0.01)
                yield "and "
        finally:
            self.closed.set()


@contextmanager
def running(
    config: Config, generator: Generator, embedder: Embedder | None = None
) -> Iterator[str]:
    """Serve on a free port with uvicorn, in a thread; yield the URL."""
    model = embedder or HashEmbedder()
    app = create_app(config, open_index=lambda name: assemble(config, name, model, generator))
    with server.listen("127.0.0.1", 0) as listener:
        settings = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5)
        served = uvicorn.Server(settings)
        thread = threading.Thread(target=served.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            served.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


@pytest.mark.usefixtures("docs")
def test_a_client_that_leaves_stops_the_generator(config: Config) -> None:
    """The first claim comes while the model still writes; then the client hangs up."""
    generator = Slow(f"{MILK} And ")
    body = {"question": QUESTION, "stream": True}
    with running(config, generator) as url:
        with httpx.stream("POST", f"{url}/v1/ask", json=body, timeout=20) as response:
            lines = response.iter_lines()
            assert "event: claim" in lines  # reads up to it
            assert json.loads(next(lines)[6:])["text"].startswith("The cat drinks cold milk")
            assert not generator.closed.is_set()
        assert generator.closed.wait(10)
        assert httpx.get(f"{url}/livez").status_code == 200


@pytest.mark.usefixtures("docs")
def test_a_client_that_leaves_before_any_claim_stops_it_too(config: Config) -> None:
    """There is nothing to send yet that could fail: the server is asked whether it is there."""
    generator = Slow("Once upon a time ")
    body = {"question": QUESTION, "stream": True}
    with (
        running(config, generator) as url,
        httpx.stream("POST", f"{url}/v1/ask", json=body, timeout=20) as response,
    ):
        assert response.status_code == 200 and generator.begun.wait(10)
        response.close()
        assert generator.closed.wait(10)
