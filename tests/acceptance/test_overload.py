"""Overload, clients that leave, and a long time under load: a service with fakes, over sockets.

The limits of time are those of a machine that does nothing else, and hold in the full form only:
the reduced one may run beside other work.
"""

import gc
import os
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from rag.config import Config
from rag.ingest import ingest
from rag.protocols import Decoding, Message, TextStream
from rag.testing import HashEmbedder, ScriptedGenerator
from tests.acceptance.conftest import FULL, scaled
from tests.api.test_api_streaming import plain
from tests.api.test_service_load import app_of, hang_up, running, until
from tests.cli.runner import DOCUMENTS, QUESTION, write

QUESTIONS = (QUESTION, "What barks at strangers?", "Where does the Danube end?", "Кто пьёт?")
# Seconds; may be set, as the whole of it takes half an hour.
SOAK_SECONDS = float(os.environ.get("RAG_SOAK_SECONDS", scaled(1800, 6)))


class Paced(ScriptedGenerator):
    """Quotes the evidence of its prompt, in a time that does not depend on the machine."""

    def __init__(self, seconds: float) -> None:
        super().__init__(lambda messages: messages[-1].content.splitlines()[0])
        self._seconds = seconds
        self.writing = 0
        self._lock = threading.Lock()

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Say it after a while, with an empty piece for each hundredth of a second."""
        with self._lock:
            self.writing += 1
            self.prompts.clear()  # which would grow as long as it is asked
        try:
            end = time.monotonic() + self._seconds
            while time.monotonic() < end:
                time.sleep(0.01)
                yield ""
            return (yield from super().stream(messages, decoding))
        finally:
            with self._lock:
                self.writing -= 1


@dataclass
class Load:
    """What clients that ask in a loop were told.

    Attributes:
        refusals: seconds that each 503 took.
        wrong: answers that are not the one given alone, and other statuses.
    """

    url: str
    alone: dict[str, dict[str, Any]]
    answered: int = 0
    refusals: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def ask(self, client: httpx.Client, question: str) -> bool:
        """Ask once; return whether it was answered."""
        started = time.monotonic()
        response = client.post(f"{self.url}/v1/ask", json={"question": question})
        seconds = time.monotonic() - started
        if response.status_code == 503:
            self.refusals.append(seconds)
            if int(response.headers["Retry-After"]) < 1:
                self.wrong.append("Retry-After")
            return False
        if response.status_code != 200 or plain(response.json()) != self.alone[question]:
            self.wrong.append(response.text[:200])
        self.answered += 1
        return True

    def run(self, clients: int, seconds: float) -> float:
        """Let so many clients ask for so long; return answers a second."""
        began, before = time.monotonic(), self.answered
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(lambda n: self._loop(n, began + seconds), range(clients)))
        return (self.answered - before) / (time.monotonic() - began)

    def _loop(self, number: int, end: float) -> None:
        with httpx.Client(timeout=60) as client:
            asked = number
            while time.monotonic() < end:
                if not self.ask(client, QUESTIONS[asked % len(QUESTIONS)]):
                    time.sleep(1)  # the least that Retry-After says
                asked += 1


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Settings without models, over a small index."""
    folder = write(tmp_path / "docs", DOCUMENTS)
    config = Config(index_dir=tmp_path / "indexes", embedder="hash", generator="none", rate_limit=0)
    ingest([folder], "default", HashEmbedder(), config)
    return config


@contextmanager
def loaded(config: Config, generator: Paced) -> Iterator[tuple[Load, FastAPI]]:
    """Serve, and learn what each question is answered when it is asked alone."""
    app = app_of(config, generator)
    with running(app) as (url, _):
        alone = {
            question: plain(
                httpx.post(f"{url}/v1/ask", json={"question": question}, timeout=60).json()
            )
            for question in QUESTIONS
        }
        yield Load(url, alone), app
    assert app.state.admission.active == app.state.admission.waiting == 0


def test_overload_costs_those_who_are_refused_only(config: Config) -> None:
    """Five times as many clients as there is room for: goodput stays, answers stay the same, the
    others are refused quickly, and afterwards all is as before within seconds."""
    slots, line, seconds = 4, 4, scaled(120, 8)
    config = replace(config, max_active=slots, max_waiting=line)
    with loaded(config, Paced(1.0)) as (load, app):
        capacity = load.run(slots + line, seconds / 2)
        goodput = load.run(5 * (slots + line), seconds)
        over = time.monotonic()
        until(lambda: app.state.admission.active == 0, 30)
        with httpx.Client(timeout=30) as client:
            assert load.ask(client, QUESTION)
        back = time.monotonic() - over
    assert not load.wrong, load.wrong[:3]
    quick = sorted(load.refusals)
    p95 = quick[int(0.95 * len(quick))]
    print(
        f"{capacity:.1f} answers/s at capacity, {goodput:.1f} at five times that;"
        f" {len(quick)} refused in {statistics.median(quick):.3f} s (p95 {p95:.3f});"
        f" as before after {back:.1f} s; load {os.getloadavg()[0]:.1f}"
    )
    assert load.refusals
    if FULL:
        assert goodput >= 0.9 * capacity
        assert back < 5
        assert p95 < 0.1


@pytest.mark.parametrize("stream", [False, True])
def test_clients_that_leave_free_their_slots(config: Config, stream: bool) -> None:
    """Two hundred hang up, some at work and some in the line: all is free within a second."""
    leaving = scaled(200, 40)
    generator = Paced(60)
    config = replace(config, max_active=16, max_waiting=leaving)
    app = app_of(config, generator)
    with running(app) as (url, _):
        clients = [httpx.Client(timeout=60) for _ in range(leaving)]

        def ask(client: httpx.Client) -> None:
            with suppress(httpx.HTTPError):  # hung up
                client.post(f"{url}/v1/ask", json={"question": QUESTION, "stream": stream})

        threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        admission = app.state.admission
        until(lambda: generator.writing == 16 and admission.waiting == leaving - 16, 60)
        left = time.monotonic()
        for client in clients:
            hang_up(client)
        until(lambda: admission.active == admission.waiting == generator.writing == 0, 60)
        seconds = time.monotonic() - left
        for thread in threads:
            thread.join(10)
        for client in clients:
            client.close()
        print(f"{leaving} left, free after {seconds:.2f} s; load {os.getloadavg()[0]:.1f}")
    if FULL:
        assert seconds < 1


def test_a_long_time_under_load_leaves_nothing_behind(config: Config) -> None:
    """Clients that ask, are refused and leave: memory and descriptors stay as they were."""
    config = replace(config, max_active=4, max_waiting=4)
    with loaded(config, Paced(0.05)) as (load, _):
        load.run(16, max(2.0, SOAK_SECONDS / 10))  # caches fill, pools grow
        before = _held()
        seen: list[tuple[int, int]] = []
        for _ in range(5):
            load.run(16, max(1.0, SOAK_SECONDS / 5))
            _leave(load.url, 8)
            seen.append(_held())
    assert not load.wrong, load.wrong[:3]
    minutes = SOAK_SECONDS / 60
    print(f"{load.answered} answers in {minutes:.1f} min; KiB, descriptors: {before}, {seen}")
    memory, descriptors = zip(*seen, strict=True)
    assert min(descriptors[-2:]) <= before[1] + 8
    # Allocators keep some: a leak of 1 KiB an answer would be more.
    assert min(memory[-2:]) <= before[0] + 16 * 1024 + load.answered // 2


def _leave(url: str, clients: int) -> None:
    """Ask and hang up at once."""

    def ask(_: int) -> None:
        with suppress(httpx.HTTPError), httpx.Client(timeout=0.02) as client:
            client.post(f"{url}/v1/ask", json={"question": QUESTION, "stream": True})

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(ask, range(clients)))


def _held() -> tuple[int, int]:
    """Return the resident memory of this process in KiB, and its open descriptors."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(resident.split()[1]), len(os.listdir("/proc/self/fd"))
