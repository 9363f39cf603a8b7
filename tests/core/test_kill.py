"""A run that is killed leaves an index of whole documents, and the next run completes it."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.errors import IndexLocked, IndexNotFound
from rag.writer import write_lock
from tests.core.bench import Bench, check, contents, program, put, run

# Forks a process for each line it reads, so that only the first has to import and load.
RUNNER = """
import os, sys, time
from pathlib import Path
from rag import analysis, derived, ingest as module
from rag.config import Config
from rag.testing import HashEmbedder

module.SLAB_PASSAGES = 8
commit, save = module._Run._commit, derived.save

def slow_commit(self, slab):
    commit(self, slab)
    time.sleep(0.01)

def slow_save(store):
    time.sleep(0.02)
    save(store)

module._Run._commit, derived.save = slow_commit, slow_save
analysis.language("Load what is loaded on first use, please.")
docs, tokens = Path(sys.argv[1]), int(sys.argv[2])
from rag import loaders, chunking
chunking.chunk(loaders.load(next(docs.rglob("*.md"))), HashEmbedder.tokenizer)
for line in sys.stdin:
    child = os.fork()
    if not child:
        config = Config(index_dir=Path(line.rstrip("\\n")), passage_tokens=tokens, overlap_tokens=8)
        module.ingest([docs], "default", HashEmbedder(), config, confirm=lambda *a: True)
        os._exit(0)
    print(child, flush=True)
    sys.stdin.readline()  # until then its id is its own, dead or alive
    print(os.waitpid(child, 0)[1], flush=True)
"""
MOMENTS = 10
LOCK_SECONDS = 5.0
TOKENS = 32


class Runner:
    """Runs ingests in processes that can be killed."""

    def __init__(self, docs: Path) -> None:
        self._process = program(RUNNER, docs, TOKENS, stdin=subprocess.PIPE)

    def ingest(self, index_dir: Path, kill_after: float | None = None) -> tuple[bool, float]:
        """Ingest into an index; return whether it came to its end, and the seconds it took."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(f"{index_dir}\n")
        stdin.flush()
        child = int(stdout.readline())
        started = time.perf_counter()
        if kill_after is not None:
            time.sleep(kill_after)
            os.kill(child, signal.SIGKILL)
        stdin.write("\n")
        stdin.flush()
        status = int(stdout.readline())
        assert status in (0, signal.SIGKILL)
        return status == 0, time.perf_counter() - started

    def close(self) -> None:
        """End the runner."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def runner(bench: Bench) -> Iterator[Runner]:
    """A runner over the folder, which holds one file at least."""
    put(bench.docs / "first.md", "# First\n\nA file.\n")
    runner = Runner(bench.docs)
    yield runner
    runner.close()


def text(n: int, edition: int) -> str:
    """Return a file of several passages, some of which are the same in each edition."""
    parts = (f"Part {m} of file {n}, edition {edition * (m % 2)}. " * 3 for m in range(3))
    return f"# File {n}\n\n" + "\n\n".join(parts) + "\n\nThe same end in every file.\n"


def write(bench: Bench, edition: int) -> None:
    """Bring the folder to its first or second edition: edits, deletions, moves, new files."""
    if edition == 1:
        bench.write({f"{n}.md": text(n, 1) for n in range(60)})
        return
    bench.write({f"{n}.md": text(n, 2) for n in range(20)})
    bench.write({f"new/{n}.md": text(n, 2) for n in range(60, 70)})
    for n in range(20, 35):
        (bench.docs / f"{n}.md").unlink()
    for n in range(35, 45):
        (bench.docs / f"{n}.md").rename(bench.docs / f"new/{n}.md")


def at(bench: Bench, name: str) -> Bench:
    """The same folder with another index."""
    other = Bench(bench.place / name, settings={"passage_tokens": TOKENS, "overlap_tokens": 8})
    other.place.mkdir()
    return other


def _free(index: Path) -> None:
    """Wait until the lock of a killed run is free.

    A worker that was just being started has it, too, until its own program begins.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            with write_lock(index):
                return
        except IndexLocked:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def survives(bench: Bench, allowed: list[dict[str, Any]]) -> None:
    """Check an index after a kill: whole documents, each of one edition; a free lock."""
    if not bench.index.exists():
        return
    _free(bench.index)
    try:
        check(bench.store())
    except IndexNotFound:
        return
    for source, found in contents(bench.database).items():
        assert any(found == edition.get(source) for edition in allowed), source
    bench.retriever().search("file", 5)


@pytest.mark.slow
def test_a_killed_ingest_leaves_whole_documents_and_a_rerun_completes_it(
    bench: Bench, runner: Runner
) -> None:
    """SIGKILL at ten random moments, of first runs and of runs over a folder that changed."""
    write(bench, 1)
    old = at(bench, "old")
    runner.ingest(old.config.index_dir)
    write(bench, 2)
    fresh, updated = at(bench, "fresh"), at(bench, "updated")
    shutil.copytree(old.index, updated.index)
    seconds = {
        each.place.name: runner.ingest(each.config.index_dir)[1] for each in (fresh, updated)
    }
    expected = {each.place.name: contents(each.database) for each in (old, fresh, updated)}
    assert set(expected["fresh"]) == set(expected["updated"]) != set(expected["old"])
    killed = 0
    chance = random.Random(20240501)
    for moment in range(MOMENTS):
        kind = ("fresh", "updated")[moment % 2]
        trial = at(bench, f"trial{moment}")
        if kind == "updated":
            shutil.copytree(old.index, trial.index)
        share = (moment // 2 + chance.random()) / (MOMENTS // 2)
        finished, _ = runner.ingest(trial.config.index_dir, kill_after=share * seconds[kind])
        killed += not finished
        survives(trial, [expected[kind], expected["old"] if kind == "updated" else {}])
        trial.ingest(bench.docs, confirm=lambda gone, total: True)
        check(trial.store())
        assert contents(trial.database) == expected[kind]
        assert trial.ingest(bench.docs).embedded == 0
    assert killed >= MOMENTS // 2


@pytest.mark.slow
def test_an_index_killed_in_its_making_is_made_by_the_next_run(bench: Bench) -> None:
    """Killed on creating the database: there is no index, and the next run makes one."""
    bench.write({"a.txt": "A text."})
    with pytest.raises(AssertionError):
        run(
            "import os, sys\n"
            "from pathlib import Path\n"
            "from rag.ingest import ingest\n"
            "from rag.config import Config\n"
            "from rag.testing import HashEmbedder\n"
            "Path.replace = lambda *a: os.kill(os.getpid(), 9)\n"
            "ingest([Path(sys.argv[1])], 'default', HashEmbedder(),"
            " Config(index_dir=Path(sys.argv[2])))\n",
            bench.docs,
            bench.config.index_dir,
        )
    with pytest.raises(IndexNotFound):
        bench.store()
    assert bench.ingest().added == 1
    check(bench.store())
