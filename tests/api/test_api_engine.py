"""What stands behind the routes: the engine, the limits and the listening socket."""

import asyncio
import os
import threading
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from api import server
from api.engine import Engine
from api.limits import BodyLimit
from rag.answerer import Answerer
from rag.build import open_answerer
from rag.config import Config
from rag.errors import ConfigError, IndexNotFound, ModelError
from rag.testing import HashEmbedder
from tests.cli.runner import QUESTION

FILES = Path("/proc/self/fd")


def in_threads(work: object, count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("docs")
def test_models_are_loaded_once_for_all_indexes(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And an index is opened once, however many ask for it at the same time."""
    made: list[HashEmbedder] = []

    def build(config: Config) -> HashEmbedder:
        made.append(HashEmbedder())
        return made[-1]

    monkeypatch.setattr("api.engine.build_embedder", build)
    engine = Engine(config, "default")
    engine.start()
    found: list[Answerer] = []
    in_threads(lambda: found.append(engine.answerer(None)), 8)
    assert len({id(answerer) for answerer in found}) == 1 and len(made) == 1
    assert engine.answerer("default") is found[0]
    with pytest.raises(IndexNotFound):
        engine.answerer("other")


def test_models_that_fail_to_load_are_told_and_logged(
    config: Config, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug on loading leaves a server that says so, and a traceback in the log."""

    def build(config: Config) -> HashEmbedder:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("api.engine.build_embedder", build)
    engine = Engine(config, "default")
    engine.start()
    with pytest.raises(ModelError, match="could not be loaded: ZeroDivisionError"):
        engine.answerer(None)
    assert engine.missing() == "the models could not be loaded: ZeroDivisionError"
    assert "Traceback" in caplog.text


def test_a_bug_on_opening_the_index_is_missing_too(config: Config) -> None:
    """readyz never raises."""

    def fail(name: str) -> Answerer:
        raise ZeroDivisionError

    engine = Engine(config, "default", fail)
    assert engine.missing() == "ZeroDivisionError on opening the default index"


@pytest.mark.skipif(not FILES.exists(), reason="counts open files in /proc")
@pytest.mark.usefixtures("docs")
def test_threads_that_come_and_go_leave_no_connections(config: Config) -> None:
    """A server's threads end when idle; the files that they read with do not stay open."""
    engine = Engine(config, "default", lambda name: open_answerer(config, name))
    in_threads(lambda: engine.answerer(None).answer(QUESTION), 4)
    before = len(os.listdir(FILES))
    for _ in range(10):
        in_threads(lambda: engine.answerer(None).answer(QUESTION), 4)
    assert len(os.listdir(FILES)) <= before + 3 * 4


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.8.9.1"])
def test_this_machine_may_be_listened_on(host: str) -> None:
    """Any loopback address."""
    with server.listen(host, 0) as listener:
        assert listener.getsockname()[0].startswith("127.")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "", "a..b"])
def test_other_addresses_are_refused(host: str) -> None:
    """Without keys, nothing beyond this machine; a name that is none is told."""
    with pytest.raises(ConfigError, match=r"is beyond this machine|is not known"):
        server.listen(host, 0)


def test_a_body_cut_short_reaches_the_application_as_far_as_it_came() -> None:
    """A client that leaves half-way costs nothing; what is no HTTP passes untouched."""
    seen: list[Message] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(await receive())
        seen.append(await receive())

    messages: list[Message] = [
        {"type": "http.request", "body": b"half", "more_body": True},
        {"type": "http.disconnect"},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError

    limit = BodyLimit(application, limit=10)
    asyncio.run(limit({"type": "http", "headers": []}, receive, send))
    assert [message.get("body") for message in seen] == [b"half", None]
    messages += [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    asyncio.run(limit({"type": "lifespan"}, receive, send))
    assert [message["type"] for message in seen[2:]] == ["lifespan.startup", "lifespan.shutdown"]
