"""Files read as documents by other processes, several at a time, within limits.

A file may crash its parser, or make it run or grow without end; then that file fails and the rest
goes on. A process reads many files before it is replaced: starting one takes longer than most
files do.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

from rag import loaders
from rag.errors import LoadError
from rag.types import Heading, Parsed

# Of wall clock and of a CPU: for any file, and for each megabyte of it, by its kind.
SECONDS = 8
SECONDS_PER_MEGABYTE = {".pdf": 10.0}
ELSE_PER_MEGABYTE = 1.0
# Of memory: beside what a parser is, a document in memory is several times its file.
BYTES = 400 << 20
BYTES_PER_BYTE = 5
# A process that has read so many files, or so many bytes, is replaced.
MOST_FILES = 200
MOST_BYTES = 64 << 20


class Parser(Protocol):
    """Reads files; the result of a future is the document, or raises LoadError."""

    @property
    def ahead(self) -> int:
        """How many files it is worth giving before the first is taken back."""
        ...

    def submit(self, path: Path, size: int, sidecar: Path | None = None) -> Future[Parsed]:
        """Begin to read a file of `size` bytes, and the file of its metadata."""
        ...

    def close(self) -> None:
        """Give up what has not been taken, and end the processes."""
        ...


def open_parser(processes: int, ocr: str) -> Parser:
    """Return what reads files in so many processes; none reads them in this one."""
    return Workers(processes, ocr) if processes else InProcess(ocr)


class InProcess:
    """Reads files where it is called, without limits."""

    ahead = 1

    def __init__(self, ocr: str = "auto") -> None:
        """Take how scanned pages are read (`rag.config.Config.ocr`)."""
        self._ocr = ocr

    def submit(self, path: Path, size: int, sidecar: Path | None = None) -> Future[Parsed]:
        """Read a file; the future is done."""
        future: Future[Parsed] = Future()
        try:
            future.set_result(loaders.load(path, sidecar, self._ocr))
        except (LoadError, OSError) as error:
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Nothing to end."""


class Workers:
    """Reads files in processes of their own, started when they are needed."""

    def __init__(self, processes: int, ocr: str = "auto", program: str | None = None) -> None:
        """Take how many processes, how they read scans, and the Python program that each runs.

        By default it is `rag.loaders.worker`.
        """
        self.ahead = 2 * processes
        self._ocr = ocr
        self._program = program or _program()
        self._threads = ThreadPoolExecutor(processes, "parsing")
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._all: list[_Worker] = []
        for _ in range(processes):
            self._idle.put(self._made())

    def submit(self, path: Path, size: int, sidecar: Path | None = None) -> Future[Parsed]:
        """Begin to read a file as soon as a process is free."""
        return self._threads.submit(self._read, path, size, sidecar)

    def processes(self) -> list[int]:
        """Return the ids of the processes that run."""
        return [worker.pid for worker in self._all if worker.pid is not None]

    def close(self) -> None:
        """End all processes, whatever they do."""
        for worker in self._all:
            worker.stop()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._all:
            worker.stop()

    def _made(self) -> "_Worker":
        self._all.append(_Worker(self._program, self._ocr))
        return self._all[-1]

    def _read(self, path: Path, size: int, sidecar: Path | None) -> Parsed:
        worker = self._idle.get()
        try:
            return worker.read(path, size, sidecar)
        finally:
            self._idle.put(worker)


class _Worker:
    """One process at a time, and the files it reads."""

    def __init__(self, program: str, ocr: str) -> None:
        self._program = program
        self._ocr = ocr
        self._process: subprocess.Popen[bytes] | None = None
        self._files = self._bytes = 0
        self._stopped = False

    @property
    def pid(self) -> int | None:
        """The id of the process; None while there is none."""
        process = self._process
        return process.pid if process else None

    def read(self, path: Path, size: int, sidecar: Path | None) -> Parsed:
        """Return what a file holds.

        Raises:
            LoadError: as `rag.loaders.load`, or it took too long, or its parser died.
        """
        process = self._running()
        megabytes = size / (1 << 20)
        each = SECONDS_PER_MEGABYTE.get(path.suffix.lower(), ELSE_PER_MEGABYTE)
        seconds = SECONDS + round(each * megabytes)
        request: dict[str, object] = {
            "path": os.fsencode(path).hex(),
            "sidecar": os.fsencode(sidecar).hex() if sidecar else None,
            "ocr": self._ocr,
            "seconds": seconds,
            "bytes": BYTES + BYTES_PER_BYTE * size,
        }
        clock = _Clock(process, seconds)
        try:
            parsed = _exchange(process, request, clock)
        except (OSError, EOFError, ValueError):
            # Its pipes are broken: it has died, or is about to.
            self._drop()
            raise _failed(path, process, clock) from None
        finally:
            clock.stop()
        self._files += 1
        self._bytes += size
        if self._files >= MOST_FILES or self._bytes >= MOST_BYTES:
            self._drop()
        return _result(parsed)

    def stop(self) -> None:
        """End the process, now and for good."""
        self._stopped = True
        self._drop()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._drop()
            self._files = self._bytes = 0
            self._process = _start(self._program)
        if self._stopped:
            self._drop()
            raise LoadError("was not read: the run has ended")
        return self._process

    def _drop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        process.wait()


def _program() -> str:
    package = str(Path(__file__).resolve().parent.parent)
    return (
        f"import sys; sys.path.insert(0, {package!r}); from rag.loaders.worker import main; main()"
    )


def _start(program: str) -> "subprocess.Popen[bytes]":
    # Isolated from the folder it is started in, where hostile files may lie; Ctrl-C is ours.
    return subprocess.Popen(
        [sys.executable, "-I", "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


class _Clock:
    """Kills a process, with what it has started, when its time is over."""

    def __init__(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        self.rang = False
        self._process = process
        self.start(seconds)

    def start(self, seconds: float) -> None:
        """Let it have so many seconds from now."""
        self.seconds = seconds
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """Let it have all the time."""
        self._timer.cancel()

    def _ring(self) -> None:
        self.rang = True
        # It leads its own group.
        with suppress(ProcessLookupError, PermissionError, AttributeError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()


Reply = tuple[dict[str, Any], str]


def _exchange(
    process: "subprocess.Popen[bytes]", request: dict[str, object], clock: _Clock
) -> Reply:
    """Send a request and return the reply; EOFError or OSError when the process dies."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
    process.stdin.flush()
    while "seconds" in (told := _line(process.stdout)):
        clock.stop()
        clock.start(told["seconds"])
    return told, _text(process.stdout, told.get("characters", 0))


def _line(pipe: IO[bytes]) -> dict[str, Any]:
    line = pipe.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    told = json.loads(line)
    if not isinstance(told, dict):
        raise ValueError(told)
    return told


def _text(pipe: IO[bytes], characters: int) -> str:
    blocks: list[str] = []
    while characters > 0:
        length = int.from_bytes(_exactly(pipe, 8), "little")
        blocks.append(_exactly(pipe, length).decode("utf-8"))
        characters -= len(blocks[-1])
    return blocks[0] if len(blocks) == 1 else "".join(blocks)


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    found = pipe.read(count)
    if len(found) != count:
        raise EOFError
    return found


def _result(told: Reply) -> Parsed:
    head, text = told
    if "problem" in head:
        raise LoadError(head["problem"], head["name"])
    if "errno" in head:
        raise OSError(head["errno"], head["strerror"], head["file"])
    return Parsed(
        text,
        head["title"],
        tuple(Heading(*heading) for heading in head["headings"]),
        tuple(head["pages"]),
        head["metadata"],
        head["unit"],
    )


def _failed(path: Path, process: "subprocess.Popen[bytes]", clock: _Clock) -> LoadError:
    """Return what is told of a file whose parser has died."""
    name = path.name.encode("utf-8", "replace").decode("utf-8")
    if clock.rang or process.returncode == -signal.SIGXCPU:
        problem = (
            f"took more than {clock.seconds:.0f} seconds to be read; split it, or save it anew"
        )
    elif process.returncode in (-signal.SIGKILL, 0):
        problem = "ended the process that read it; save it anew, or split it"
    else:
        problem = f"crashed the process that read it ({_named(process.returncode)}); save it anew"
    return LoadError(problem, name)


def _named(code: int | None) -> str:
    with suppress(ValueError, TypeError):
        return signal.Signals(-(code or 0)).name
    return f"exit status {code}"
