"""An ingest that is killed, or whose calls fail, at any point of its writing."""

import itertools
import os
import random
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from rag.config import Config
from rag.errors import IndexNotFound
from rag.ingest import ingest
from rag.store import Store
from rag.testing import HashEmbedder
from tests.acceptance.conftest import scaled
from tests.acceptance.faults import WRITES, calls, faulty, usable
from tests.core.bench import Bench, check, contents

pytestmark = pytest.mark.skipif(not usable(), reason="strace is not there, or may not trace")

REOPEN_SECONDS = 2.0
SETTINGS: dict[str, Any] = {"passage_tokens": 32, "overlap_tokens": 8, "parsers": 0}


def text(n: int, edition: int) -> str:
    """Return a file of a few passages, some the same in each edition."""
    parts = (f"Part {m} of file {n}, edition {edition * (m % 2)}. " * 3 for m in range(3))
    return f"# File {n}\n\n" + "\n\n".join(parts) + "\n\nThe same end in every file.\n"


class Trial:
    """A folder in its second edition, an index of its first, and what may be found in it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.bench = Bench(place, settings=SETTINGS)
        self.bench.write({f"{n}.md": text(n, 1) for n in range(6)})
        self.bench.ingest()
        self.old = contents(self.bench.database)
        shutil.copytree(self.bench.index.parent, place / "old")
        self.bench.write({"0.md": text(0, 2), "new.md": text(9, 2)})
        (self.bench.docs / "1.md").unlink()
        (self.bench.docs / "2.md").rename(self.bench.docs / "moved.md")
        self.bench.ingest(confirm=lambda gone, total: True)
        self.new = contents(self.bench.database)

    def indexes(self, name: str) -> Path:
        """Return a fresh copy of the old index's folder."""
        shutil.rmtree(self.place / name, ignore_errors=True)
        return Path(shutil.copytree(self.place / "old", self.place / name))

    def survives(self, indexes: Path, *, acknowledged: bool) -> None:
        """Check an index: whole documents of one edition, all new where that was acknowledged."""
        database = indexes / "default" / "store.sqlite3"
        started = time.perf_counter()
        try:
            store = Store(indexes / "default")
        except IndexNotFound:
            assert not acknowledged
            return
        assert time.perf_counter() - started < REOPEN_SECONDS
        check(store)
        store.close()
        found = contents(database)
        for source, document in found.items():
            assert document in (self.old.get(source), self.new.get(source)), source
        assert not acknowledged or found == self.new

    def completes(self, indexes: Path) -> None:
        """Check that another run comes to the same end."""
        config = Config(index_dir=indexes, **SETTINGS)
        ingest([self.bench.docs], "default", HashEmbedder(), config, confirm=lambda *_: True)
        assert contents(indexes / "default" / "store.sqlite3") == self.new


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """The trial, made once."""
    return Trial(tmp_path_factory.mktemp("faults"))


def chosen(total: int, count: int, seed: int) -> list[int]:
    """Return so many of 1 … total, spread evenly, each at random in its share."""
    chance = random.Random(seed)
    count = min(count, total)
    edges = [round(i * total / count) for i in range(count + 1)]
    return [chance.randint(a + 1, b) for a, b in itertools.pairwise(edges) if b > a]


def test_killed_at_any_write(trial: Trial) -> None:
    """SIGKILL at a write, fsync, rename or unlink: old or new documents, none lost, none mixed."""
    total = calls(trial.bench.docs, trial.indexes("count"), WRITES, trial.place / "log")
    assert total > 20
    killed = 0
    for point in chosen(total, scaled(500, 8), seed=1):
        indexes = trial.indexes("trial")
        ended = faulty(trial.bench.docs, indexes, f"{WRITES}:signal=SIGKILL:when={point}")
        killed += ended.code != 0
        trial.survives(indexes, acknowledged=ended.out == "done\n")
        trial.completes(indexes)
        shutil.rmtree(indexes)
    assert killed > 0


@pytest.mark.parametrize(
    ("names", "error"),
    [
        ("pwrite64,write,ftruncate", "ENOSPC"),
        ("pwrite64,write", "EIO"),
        ("fsync,fdatasync", "EIO"),
        ("openat", "EMFILE"),
        ("rename,unlink", "EIO"),
    ],
)
def test_calls_that_fail(trial: Trial, names: str, error: str) -> None:
    """From a point on they all fail: the run says so in one line, and the old state is served."""
    log = trial.place / f"log-{os.getpid()}"
    total = calls(trial.bench.docs, trial.indexes(f"count-{error}-{names}"), names, log)
    for point in chosen(total, scaled(60, 1), seed=2):
        indexes = trial.indexes("faulty")
        ended = faulty(trial.bench.docs, indexes, f"{names}:error={error}:when={point}+")
        acknowledged = ended.code == 0 and ended.out == "done\n"
        told = ended.err.startswith("error: ") and ended.err.count("\n") == 1
        # Before the run begins, Python itself can not be started.
        python = "Traceback" in ended.err or "Python" in ended.err or not ended.err
        python = python or "error while loading shared libraries" in ended.err
        assert acknowledged or ended.out == "failed\n" or told or python, (point, ended)
        assert acknowledged == (ended.code == 0), (point, ended)
        trial.survives(indexes, acknowledged=acknowledged)
        trial.completes(indexes)
        shutil.rmtree(indexes)
