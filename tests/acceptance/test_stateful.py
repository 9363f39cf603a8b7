"""Any sequence of edits, runs and crashes: an index is as one made from scratch of its folder."""

import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from rag import base, derived
from rag.errors import IndexNotFound
from rag.retriever import Retriever
from rag.types import Mode
from tests.acceptance.conftest import scaled
from tests.conftest import MEMORY
from tests.core.bench import Bench, check, texts

NAMES = st.sampled_from([f"{folder}{n}.md" for folder in ("", "a/", "a/b/") for n in range(4)])
WORDS = [
    "heron",
    "river",
    "stone",
    "milk",
    "river stone",
    "цапля",
    "苍鹭 在 河",
    "gólya",
    "1,600 m",
]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
QUERIES = ("heron river", "1600", "цапля", "milk stone gólya")
SETTINGS: dict[str, Any] = {"passage_tokens": 16, "overlap_tokens": 4}


def answers(retriever: Retriever) -> list[list[tuple[str, tuple[str, ...], str, float]]]:
    """Return what an index finds: sources, passages and scores, for each query and mode.

    Which of several files with the same bytes is the first is no matter of the course of events.
    What has the same score comes in the order in which it was stored, and by name here.
    """
    return [
        sorted(
            (
                (hit.passage.source, hit.passage.also_in, hit.passage.text, hit.score)
                for hit in retriever.search(q, 50, m).hits
            ),
            key=lambda found: (-found[3], *found[:3]),
        )
        for q in QUERIES
        for m in Mode
    ]


class Folder(RuleBasedStateMachine):
    """A folder that is edited, an index that follows it, and a dictionary that knows better."""

    def __init__(self) -> None:
        super().__init__()
        # In memory where that can be: each run waits for the disk a dozen times.
        memory = MEMORY if os.access(MEMORY, os.W_OK) else None
        self.place = Path(tempfile.mkdtemp(prefix="stateful-", dir=memory))
        self.bench = Bench(self.place, settings=SETTINGS)
        self.bench.docs.mkdir()
        self.files: dict[str, str] = {}
        self.indexed: dict[str, str] | None = None
        self.server: Retriever | None = None

    @initialize(text=TEXTS)
    def begin(self, text: str) -> None:
        """A file that stays, so that the folder is never empty."""
        self._write("stays.md", text)

    @rule(name=NAMES, text=TEXTS)
    def write(self, name: str, text: str) -> None:
        """A new file, or another text in an old one."""
        self._write(name, text)

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        """A file is gone."""
        if self.files.pop(name, None) is not None:
            (self.bench.docs / name).unlink()

    @rule(old=NAMES, new=NAMES)
    def move(self, old: str, new: str) -> None:
        """A file is elsewhere, maybe in the place of another."""
        if old in self.files and old != new:
            (self.bench.docs / new).parent.mkdir(parents=True, exist_ok=True)
            (self.bench.docs / old).replace(self.bench.docs / new)
            self.files[new] = self.files.pop(old)

    @rule(old=NAMES, new=NAMES)
    def copy(self, old: str, new: str) -> None:
        """The same bytes twice."""
        if old in self.files and old != new:
            self._write(new, self.files[old])

    @rule()
    def ingest(self) -> None:
        """The index follows."""
        self.bench.ingest(confirm=lambda gone, total: True)
        self.indexed = dict(self.files)

    @rule(moment=st.integers(0, 12))
    def crash(self, moment: int) -> None:
        """A run is killed at one of its reports: what it had committed is whole."""
        child = os.fork()
        if not child:
            self._die_at(moment)
        _, status = os.waitpid(child, 0)
        assert status in (0, signal.SIGKILL), status
        if not self.bench.database.exists():
            assert self.indexed is None
            return
        check_committed(self.bench, self.indexed or {}, self.files)
        # The run that follows a crash is what a user does next.
        self.ingest()

    @rule()
    def derived_files_are_lost(self) -> None:
        """What is derived can be deleted at any time."""
        shutil.rmtree(self.bench.index / base.FOLDER, ignore_errors=True)

    @invariant()
    def what_is_indexed_is_found(self) -> None:
        """The index holds what the folder held when it last followed; a server follows it."""
        if self.indexed is None:
            return
        if self.server is None:
            self.server = self.bench.retriever()
        assert texts(self.bench.database) == self.indexed
        if self.indexed:
            hits = self.server.search("heron river", 50, Mode.DENSE).hits
            found = {name for hit in hits for name in (hit.passage.source, *hit.passage.also_in)}
            assert found == set(self.indexed)

    def teardown(self) -> None:
        """The index answers as one made from scratch, then all is removed."""
        try:
            self.ingest()
            check(self.bench.store())
            fresh = Bench(self.place / "fresh", settings=SETTINGS)
            shutil.copytree(self.bench.docs, fresh.docs)
            fresh.ingest()
            assert answers(self.bench.retriever()) == answers(fresh.retriever())
            assert self.bench.copies() == fresh.copies()
            if self.server is not None:
                assert answers(self.server) == answers(self.bench.retriever())
        finally:
            shutil.rmtree(self.place, ignore_errors=True)

    def _write(self, name: str, text: str) -> None:
        self.bench.write({name: text})
        self.files[name] = text

    def _die_at(self, moment: int) -> None:
        """Run in a child, which never returns."""
        left = [moment]

        def listener(progress: object) -> None:
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

        try:
            self.bench.ingest(confirm=lambda gone, total: True, listener=listener)
        finally:
            os._exit(0)


def check_committed(bench: Bench, before: dict[str, str], after: dict[str, str]) -> None:
    """Check that each document of an index is one that was, or is, in the folder."""
    try:
        check(bench.store())
    except IndexNotFound:
        return
    for source, text in texts(bench.database).items():
        assert text in (before.get(source), after.get(source)), source


def test_any_course_of_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adds, edits, moves, copies, deletes, runs and crashes, in any order.

    With low bounds, so that some runs write a new base and others leave it to be caught up.
    """
    monkeypatch.setattr(derived, "LEAST_CHANGES", 8)
    monkeypatch.setattr(derived, "CHANGED_SHARE", 2)
    monkeypatch.setattr(derived, "ERASED_ROWS", 0)
    run_state_machine_as_test(
        Folder,
        settings=settings(
            max_examples=scaled(200, 4),
            stateful_step_count=scaled(50, 15),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
