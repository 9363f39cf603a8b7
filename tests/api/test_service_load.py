"""Slots, the line before them, deadlines, clients that leave, and a server that ends."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient

from api import server
from api.admission import MOST_UPLOADS, Admission
from api.app import create_app
from rag.build import assemble
from rag.config import Config
from rag.protocols import Decoding, Generator, Message, TextStream
from rag.stopping import Stopped
from rag.testing import HashEmbedder, ScriptedGenerator
from tests.api.test_api_routes import error_of
from tests.api.test_api_streaming import MILK, Slow, events, plain
from tests.cli.runner import QUESTION

ASK = {"question": QUESTION}


class Gated(ScriptedGenerator):
    """Writes when it is let to; counts who is writing."""

    def __init__(self) -> None:
        super().__init__([MILK])
        self.gate = threading.Event()
        self.writing = 0

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Wait, then say the script."""
        self.writing += 1
        try:
            while not self.gate.wait(0.01):
                yield ""
            return (yield from super().stream(messages, decoding))
        finally:
            self.writing -= 1


def app_of(config: Config, generator: Generator | None) -> FastAPI:
    return create_app(
        config, open_index=lambda name: assemble(config, name, HashEmbedder(), generator)
    )


@contextmanager
def running(app: FastAPI) -> Iterator[tuple[str, server.Server]]:
    """Serve on a free port as `rag serve` does, in a thread."""

    def drain() -> None:
        app.state.admission.draining = True

    with server.listen("127.0.0.1", 0) as listener:
        settings = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=10)
        served = server.Server(settings, drain)
        thread = threading.Thread(target=served.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", served
        finally:
            served.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def until(condition: object, seconds: float = 10.0) -> None:
    """Wait for a condition (a function) to hold."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.005)


# -- slots ----------------------------------------------------------------------------------------


def test_slots_go_to_those_who_came_first() -> None:
    """Never more at once than there are; a line that is full refuses at once."""

    async def scenario() -> tuple[list[int], int, list[int]]:
        admission = Admission(Config(max_active=2, max_waiting=3))
        order, most, refused = list[int](), 0, list[int]()

        async def one(i: int) -> None:
            nonlocal most
            try:
                async with admission.slot(1, 5):
                    order.append(i)
                    most = max(most, admission.active)
                    await asyncio.sleep(0.01)
            except HTTPException as error:
                assert error.status_code == 503 and int((error.headers or {})["Retry-After"]) >= 1
                refused.append(i)

        await asyncio.gather(*(one(i) for i in range(8)))
        assert admission.active == admission.waiting == 0
        return order, most, refused

    assert asyncio.run(scenario()) == ([0, 1, 2, 3, 4], 2, [5, 6, 7])


def test_the_line_is_bounded_in_tokens_too() -> None:
    """A long question waits where none does; beside others it is refused."""

    async def scenario() -> list[str]:
        admission = Admission(Config(max_active=1, max_waiting_tokens=10))
        told = []

        async def one(tokens: int) -> None:
            try:
                async with admission.slot(tokens, 5):
                    told.append(f"{tokens} in")
                    await asyncio.sleep(0.02)
            except HTTPException:
                told.append(f"{tokens} out")

        await asyncio.gather(one(1), one(100), one(1), one(1))
        return told

    assert asyncio.run(scenario()) == ["1 in", "1 out", "1 out", "100 in"]


def test_who_waits_too_long_or_leaves_loses_no_slot() -> None:
    """503 after the time a question may take; who gives up, or has gone, leaves the line."""

    async def scenario() -> None:
        admission = Admission(Config(max_active=1))
        async with admission.slot(1, 5):
            with pytest.raises(HTTPException, match="503"):
                async with admission.slot(1, 0.02):
                    raise AssertionError
            waiting = asyncio.create_task(admission.slot(1, 5).__aenter__())
            await asyncio.sleep(0.01)
            assert admission.waiting == 1
            waiting.cancel()
            await asyncio.sleep(0.01)
            assert admission.waiting == 0
            with pytest.raises(Stopped):
                async with admission.slot(1, 5, asyncio.create_task(asyncio.sleep(0.01))):
                    raise AssertionError
            assert admission.waiting == 0
        async with admission.slot(1, 5):
            assert admission.active == 1
        assert admission.active == 0

    asyncio.run(scenario())


def test_so_many_uploads_come_at_once() -> None:
    """One more is refused; each gives its place back, whatever happens to it."""
    admission = Admission(Config())
    with ExitStack() as held:
        for _ in range(MOST_UPLOADS):
            held.enter_context(admission.upload())
        with pytest.raises(HTTPException, match="uploads"), admission.upload():
            raise AssertionError
    with pytest.raises(ZeroDivisionError), admission.upload():
        raise ZeroDivisionError
    with admission.upload():
        pass


def test_every_answer_under_load_is_the_serial_one(config: Config, docs: Path) -> None:
    """Forty at a time with four slots: each 200 equals the answer alone."""
    questions = [QUESTION, "What barks at strangers?", "Where does the Danube end?", "Кто пьёт?"]
    app = app_of(replace(config, max_active=4), None)
    with TestClient(app) as client, ThreadPoolExecutor(40) as pool:
        alone = [plain(client.post("/v1/ask", json={"question": q}).json()) for q in questions]
        asked = [{"question": q} for q in questions] * 10
        found = list(pool.map(lambda body: client.post("/v1/ask", json=body), asked))
    assert [each.status_code for each in found] == [200] * 40
    assert [plain(each.json()) for each in found] == alone * 10


@pytest.mark.slow
def test_overload_is_refused_quickly_and_passes(config: Config, docs: Path) -> None:
    """Two at work, one waiting: the others get 503 with Retry-After meanwhile."""
    generator = Gated()
    app = app_of(replace(config, max_active=2, max_waiting=1), generator)
    with running(app) as (url, _), ThreadPoolExecutor(8) as pool:
        first = [pool.submit(httpx.post, f"{url}/v1/ask", json=ASK, timeout=30) for _ in range(3)]
        until(lambda: app.state.admission.waiting == 1)
        for _ in range(5):  # answered though nobody gets on: the gate is shut
            refused = httpx.post(f"{url}/v1/ask", json=ASK)
            assert "waiting" in error_of(refused, 503, "service_unavailable")
            assert int(refused.headers["retry-after"]) >= 1
        assert httpx.get(f"{url}/livez").status_code == 200
        generator.gate.set()
        assert [each.result().status_code for each in first] == [200] * 3
        assert httpx.post(f"{url}/v1/ask", json=ASK).status_code == 200
    assert app.state.admission.active == 0


# -- time, and clients that leave -----------------------------------------------------------------


@pytest.mark.slow
def test_an_answer_that_takes_too_long_is_ended(config: Config, docs: Path) -> None:
    """503 deadline_exceeded, streamed as the last event; the generator is stopped."""
    generator = Slow("Once upon a time ")
    with running(app_of(replace(config, deadline=0.4), generator)) as (url, _):
        response = httpx.post(f"{url}/v1/ask", json=ASK, timeout=20)
        error_of(response, 503, "deadline_exceeded")
        assert response.headers["retry-after"] and generator.closed.wait(5)
        text = httpx.post(f"{url}/v1/ask", json=ASK | {"stream": True}, timeout=20).text
        assert events(text)[-1][1]["error"]["code"] == "deadline_exceeded"


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True])
def test_clients_that_leave_free_their_slots(config: Config, docs: Path, stream: bool) -> None:
    """Sixteen hang up while the model writes: all slots are free, though it would write on."""
    generator = Gated()
    app = app_of(config, generator)
    with running(app) as (url, _):
        clients = [httpx.Client(timeout=30) for _ in range(16)]

        def ask(client: httpx.Client) -> None:
            with suppress(httpx.HTTPError):  # hung up
                client.post(f"{url}/v1/ask", json=ASK | {"stream": stream})

        threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        until(lambda: generator.writing == 16)
        for client in clients:
            hang_up(client)
        until(lambda: generator.writing == 0 and app.state.admission.active == 0)
        for thread in threads:
            thread.join(10)
        for client in clients:
            client.close()


@pytest.mark.slow
def test_a_client_that_leaves_the_line_makes_room_in_it(config: Config, docs: Path) -> None:
    """Whoever hangs up while waiting keeps nobody out, though no slot has come free."""
    generator = Gated()
    app = app_of(replace(config, max_active=1, max_waiting=1), generator)
    admission = app.state.admission
    with running(app) as (url, _), ThreadPoolExecutor(2) as pool:
        served = pool.submit(httpx.post, f"{url}/v1/ask", json=ASK, timeout=30)
        until(lambda: generator.writing == 1)
        with httpx.Client(timeout=30) as client:
            waiting = pool.submit(client.post, f"{url}/v1/ask", json=ASK)
            until(lambda: admission.waiting == 1)
            hang_up(client)
            until(lambda: admission.waiting == 0)
            assert isinstance(waiting.exception(), httpx.HTTPError)
        assert generator.writing == admission.active == 1
        generator.gate.set()
        assert served.result().status_code == 200
    assert admission.active == 0


def hang_up(client: httpx.Client) -> None:
    """Close a client's connections under it, as a process that dies would."""
    import socket

    for connection in client._transport._pool.connections:  # type: ignore[attr-defined]
        stream = connection._connection._network_stream
        stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


# -- the end --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_server_that_ends_finishes_what_it_took(
    config: Config, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM: not ready and no new work at once, for a moment; what was asked is answered."""
    import signal

    moment = threading.Event()  # which a loaded machine could not keep

    def later(close: Callable[[int, None], None], number: int, frame: None) -> None:
        moment.wait(20)
        close(number, frame)

    monkeypatch.setattr(server, "_later", later)
    generator = Gated()
    app = app_of(replace(config, max_active=1), generator)
    with running(app) as (url, served), ThreadPoolExecutor(4) as pool:
        taken = [pool.submit(httpx.post, f"{url}/v1/ask", json=ASK, timeout=30) for _ in range(3)]
        until(lambda: app.state.admission.waiting == 2)
        served.handle_exit(signal.SIGTERM, None)
        assert "about to end" in error_of(httpx.get(f"{url}/readyz"), 503, "not_ready")
        refused = httpx.post(f"{url}/v1/ask", json=ASK)
        assert "about to end" in error_of(refused, 503, "service_unavailable")
        assert httpx.post(f"{url}/v1/documents").status_code == 503
        assert not served.should_exit
        moment.set()
        until(lambda: served.should_exit)
        generator.gate.set()
        assert [each.result().status_code for each in taken] == [200] * 3
