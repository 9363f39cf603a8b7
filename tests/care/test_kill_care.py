"""Care of an index that is killed at any moment leaves the old contents or the new ones."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from rag.care.compact import compact
from rag.care.migrate import migrate
from rag.care.snapshot import restore, snapshot
from rag.care.verify import verify
from rag.errors import IndexNotFound
from rag.store import DATABASE
from tests.care.test_migrate import NarrowEmbedder
from tests.core.bench import Bench, contents, program, put

# Forks a process for each line it reads, so that only the first has to import and load.
RUNNER = """
import os, sys
from pathlib import Path
from rag import analysis
from rag.care.compact import compact
from rag.care.migrate import migrate
from rag.care.snapshot import restore
from rag.config import Config
from tests.care.test_migrate import NarrowEmbedder

analysis.language("Load what is loaded on first use, please.")
for line in sys.stdin:
    use, index, file = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if not child:
        if use == "restore":
            restore(Path(index), Path(file), replace=True)
        elif use == "compact":
            compact(Path(index))
        else:
            migrate(Path(index), NarrowEmbedder(), Config())
        os._exit(0)
    print(child, flush=True)
    sys.stdin.readline()  # until then its id is its own, dead or alive
    print(os.waitpid(child, 0)[1], flush=True)
"""
MOMENTS = 6


@pytest.fixture(scope="module")
def runner() -> Iterator["subprocess.Popen[str]"]:
    """What cares for indexes in processes that can be killed."""
    with program(RUNNER, stdin=subprocess.PIPE) as process:
        yield process
        _of(process.stdin).close()


def _of(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def use(
    runner: "subprocess.Popen[str]", name: str, index: Path, file: Path, kill_after: float | None
) -> float:
    """Run a use case over an index; return the seconds that it took."""
    print(name, index, file, sep="\t", file=_of(runner.stdin), flush=True)
    child = int(_of(runner.stdout).readline())
    started = time.perf_counter()
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    print(file=_of(runner.stdin), flush=True)
    status = int(_of(runner.stdout).readline())
    assert status in (0, signal.SIGKILL)
    return time.perf_counter() - started


@pytest.mark.slow
@pytest.mark.parametrize("name", ["restore", "migrate", "compact", "restore anew"])
def test_killed_at_any_moment(bench: Bench, runner: "subprocess.Popen[str]", name: str) -> None:
    """Old or new and in order; the next run comes to the end, with nothing left behind."""
    bench.write({f"{n}.txt": "".join(f"Dog {n} barks {m}. " for m in range(60)) for n in range(6)})
    bench.ingest()
    file = bench.place / "file"
    snapshot(bench.index, file)
    put(bench.docs / "0.txt", "Edited.")
    bench.ingest()
    if name == "restore anew":
        shutil.rmtree(bench.index)
    before = _contents(bench.index)
    trial, case = bench.place / "trial", name.split()[0]
    seconds = _whole(runner, case, bench.index, trial, file)
    after = _contents(trial)
    for moment in range(MOMENTS):
        _fresh(bench.index, trial)
        use(runner, case, trial, file, seconds * (moment + 0.5) / MOMENTS)
        found = _contents(trial)
        assert found in (before, after)
        if found:
            assert all(each.part.value == "derived" for each in verify(trial).findings)
        _finish(case, trial, file, bench)
        assert _contents(trial) == after
        assert verify(trial).findings == ()
        assert sorted(each.name for each in trial.iterdir() if each.is_dir()) == ["derived"]


def _whole(
    runner: "subprocess.Popen[str]", case: str, index: Path, trial: Path, file: Path
) -> float:
    """Return how long it takes undisturbed; the second time, when all is loaded."""
    for _ in range(2):
        _fresh(index, trial)
        seconds = use(runner, case, trial, file, None)
    return seconds


def _fresh(index: Path, trial: Path) -> None:
    shutil.rmtree(trial, ignore_errors=True)
    if index.exists():
        shutil.copytree(index, trial)


def _contents(index: Path) -> dict[str, Any]:
    return contents(index / DATABASE) if (index / DATABASE).exists() else {}


def _finish(case: str, index: Path, file: Path, bench: Bench) -> None:
    if case == "restore":
        restore(index, file, replace=True)
    elif case == "compact":
        compact(index)
    else:
        migrate(index, NarrowEmbedder(), bench.config)


def test_a_kill_between_names_leaves_no_half_index(bench: Bench) -> None:
    """A folder with drafts only is no index."""
    (bench.index / "restoring").mkdir(parents=True)
    (bench.index / "restoring" / DATABASE).write_bytes(b"x")
    with pytest.raises(IndexNotFound):
        bench.store()
