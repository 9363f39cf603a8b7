"""Several processes on one socket: each with its models, all over the same pages of an index.

They are started anew, not forked: threads and CUDA survive no fork. One that dies is replaced;
when they die as soon as they are started, the service ends.
"""

import multiprocessing
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType

from api.metrics import MULTIPROCESS
from api.server import GRACE_SECONDS, LINGER_SECONDS, Serving, is_loopback, run, url_of
from rag.config import Config
from rag.errors import ModelError

# A worker that lived for less has failed at its start; so many of those are borne in a row.
SHORT_SECONDS = 10.0
MOST_SHORT = 3
END_SECONDS = GRACE_SECONDS + LINGER_SECONDS + 2

_SPAWN = multiprocessing.get_context("spawn")


def serve_workers(
    config: Config,
    index: str,
    listener: socket.socket,
    announce: Callable[[str], None],
    processes: int,
) -> None:
    """Serve in several processes until interrupted or told to end.

    Raises:
        ModelError: the processes die at their start.
    """
    announce(url_of(listener))
    exposed = not is_loopback(str(listener.getsockname()[0]))
    serving = Serving(config, index, exposed, processes)
    with tempfile.TemporaryDirectory(prefix="rag-metrics-") as shared:
        os.environ[MULTIPROCESS] = shared  # where processes add their numbers up
        try:
            _Supervisor(serving, listener).run()
        finally:
            del os.environ[MULTIPROCESS]


class _Supervisor:
    def __init__(self, serving: Serving, listener: socket.socket) -> None:
        self._serving = serving
        self._listener = listener
        self._workers: dict[BaseProcess, float] = {}
        self._short = 0
        self._ending = False

    def run(self) -> None:
        previous = {s: signal.signal(s, self._end) for s in (signal.SIGTERM, signal.SIGINT)}
        try:
            for _ in range(self._serving.processes):
                self._start()
            while not self._ending:
                wait([worker.sentinel for worker in self._workers], timeout=0.5)
                self._replace_dead()
        finally:
            self._stop_all()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._ending = True

    def _start(self) -> None:
        worker = _SPAWN.Process(target=_work, args=(self._serving, self._listener), name="worker")
        worker.start()
        self._workers[worker] = time.monotonic()

    def _replace_dead(self) -> None:
        for worker in [each for each in self._workers if not each.is_alive()]:
            lived = time.monotonic() - self._workers.pop(worker)
            self._short = self._short + 1 if lived < SHORT_SECONDS else 0
            if self._ending:
                return
            if self._short >= MOST_SHORT:
                raise ModelError("the processes of the service end as soon as they are started")
            self._start()

    def _stop_all(self) -> None:
        for worker in self._workers:
            worker.terminate()
        until = time.monotonic() + END_SECONDS
        for worker in self._workers:
            worker.join(max(0.0, until - time.monotonic()))
            if worker.is_alive():
                worker.kill()
                worker.join()


def _work(serving: Serving, listener: socket.socket) -> None:
    # Ctrl-C reaches all processes of a terminal; the supervisor tells the others to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    run(serving, listener)
