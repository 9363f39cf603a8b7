"""Files read by other processes: what comes back, and what becomes of hostile ones."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rag import loaders, parsing
from rag.errors import LoadError
from rag.parsing import InProcess, Parser, Workers
from tests.core.bench import CORPUS
from tests.loaders.loader_files import FILES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """Two processes that read files."""
    with closing(Workers(2)) as made:
        yield made


def read(parser: Parser, path: Path) -> object:
    """Read a file."""
    return parser.submit(path, path.stat().st_size).result()


def scripted(step: str) -> str:
    """Return a program that does something for each request."""
    lines = ["import sys, json, os, signal, time", "for line in sys.stdin.buffer:", f"    {step}"]
    return "\n".join(lines)


def test_what_comes_back_is_what_is_read(workers: Workers) -> None:
    """Every file of the corpus, as read in this process."""
    files = [path for path in sorted(CORPUS.rglob("*.*")) if loaders.kind(path)]
    futures = [workers.submit(path, path.stat().st_size) for path in files]
    assert [future.result() for future in futures] == [loaders.load(path) for path in files]


def test_any_name_and_any_text(workers: Workers, tmp_path: Path) -> None:
    """A name that is no UTF-8, and text over several blocks with wide characters."""
    odd = tmp_path / os.fsdecode(b"n\xff\n.txt")
    odd.write_text("a word\n", encoding="utf-8")
    long = tmp_path / "long.txt"
    long.write_text("字😀 word\n" * 400_000, encoding="utf-8")
    assert read(workers, odd) == loaders.load(odd)
    assert read(workers, long) == loaders.load(long)


@pytest.mark.parametrize("parser", [InProcess(), None], ids=["here", "there"])
def test_what_can_not_be_read_is_told_alike(
    parser: Parser | None, workers: Workers, tmp_path: Path
) -> None:
    """The message, and the problem without the name."""
    path = tmp_path / "broken.pdf"
    path.write_bytes(b"%PDF-1.7 nothing")
    with pytest.raises(LoadError) as here:
        loaders.load(path)
    with pytest.raises(LoadError) as there:
        read(parser or workers, path)
    assert (str(there.value), there.value.problem) == (str(here.value), here.value.problem)


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", r"crashed the process that read it \(SIGSEGV\)"),
        ("sys.exit(3)", r"crashed the process that read it \(exit status 3\)"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "ended the process that read it"),
        ("while True: time.sleep(1)", "took more than 1 seconds"),
        ("sys.stdout.write('no json' + chr(10)); sys.stdout.flush()", "process that read it"),
        (
            "sys.stdout.write(json.dumps({'characters': 5}) + chr(10)); sys.exit()",
            "process that read it",
        ),
    ],
)
def test_a_process_that_fails_fails_one_file(
    step: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told why, at once, and the next file is read by another process."""
    monkeypatch.setattr(parsing, "SECONDS", 1)
    path = tmp_path / "a.txt"
    path.write_text("text")
    with closing(Workers(1, program=scripted(step))) as parser:
        for _ in range(2):
            before = time.monotonic()
            with pytest.raises(LoadError, match=told) as caught:
                read(parser, path)
            assert str(caught.value).startswith("a.txt ")
            assert time.monotonic() - before < 20


@pytest.mark.skipif(sys.platform == "win32", reason="limits are those of Unix")
def test_memory_has_a_limit(tmp_path: Path) -> None:
    """A parser that grows without end is stopped by the system, not by the machine."""
    program = "\n".join(
        [
            parsing._program().replace("; main()", "; from rag.loaders import worker"),
            "worker.loaders.load = lambda *given: bytearray(1 << 31)",
            "main()",
        ]
    )
    path = tmp_path / "a.txt"
    path.write_text("text")
    with (
        closing(Workers(1, program=program)) as parser,
        pytest.raises(LoadError, match="more memory"),
    ):
        read(parser, path)


def test_what_is_given_up_ends_at_once(tmp_path: Path) -> None:
    """Closing ends processes in the middle of their work."""
    path = tmp_path / "a.txt"
    path.write_text("text")
    parser = Workers(1, program=scripted("time.sleep(600)"))
    futures = [parser.submit(path, 4) for _ in range(3)]
    time.sleep(0.5)
    before = time.monotonic()
    parser.close()
    assert time.monotonic() - before < 10
    assert all(f.cancelled() or isinstance(f.exception(), LoadError) for f in futures)


@pytest.mark.parametrize("made", [InProcess, lambda ocr: Workers(1, ocr=ocr)])
def test_the_setting_for_scans_reaches_the_parser(made: Callable[[str], Parser]) -> None:
    """A language that no tesseract has is told, wherever the file is read."""
    path = FILES / "scan.hu.pdf"
    with closing(made("klingon")) as parser, pytest.raises(LoadError, match="without klingon"):
        parser.submit(path, path.stat().st_size).result()
