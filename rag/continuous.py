"""Texts of several threads written together: continuous batching.

A language model takes little longer for a step of sixteen answers than for a step of one, since
either reads all of its weights. Answers join between two steps, in the order in which they were
asked for, and leave when they end or when nobody reads them any more (iteration-level scheduling:
Yu et al. 2022, Orca, OSDI). One thread works, and is there only while there is something to write.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

MOST_TOKENS = 16_384
"""That answers written together may come to hold; of the default model they take 720 MiB."""

MOST_READ = 512
"""Tokens of new prompts that are read before the others get their next token."""

MOMENT = 0.1
"""Seconds after which one who waits is given the word, to see whether to wait on."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """An answer to write.

    Attributes:
        prompt: its tokens, at least one.
        shared: length of the prompt's beginning that other prompts have too.
        most: new tokens, >= 1.
        ends: tokens that end it.
        choose: takes the scores of the next token and tells which it is; called for one token after
            the other, in the thread that writes.
    """

    prompt: Sequence[int]
    shared: int
    most: int
    ends: frozenset[int]
    choose: Callable[[Any], int]

    @property
    def new(self) -> int:
        """Tokens of the prompt that are read for this answer alone."""
        return len(self.prompt) - self.shared

    @property
    def room(self) -> int:
        """Tokens that it may come to hold."""
        return len(self.prompt) + self.most


class Rows(Protocol):
    """The answers that are being written, numbered from 0; used by one thread."""

    def join(self, jobs: Sequence[Job]) -> None:
        """Read prompts, all but their last tokens, and add a row for each.

        Raises:
            Exception: the model failed; no row was added.
        """
        ...

    def step(self, first: int, last: int) -> list[int | Exception]:
        """Return the next token of rows first … last − 1, or why a row has none.

        Raises:
            Exception: the model failed; no row has gone on, and the step can be tried again.
        """
        ...

    def leave(self, row: int) -> None:
        """Remove a row; the last one gets its number."""
        ...

    def rest(self) -> None:
        """Let go of all rows, if any is left, and of memory."""
        ...


@dataclass(slots=True, eq=False)
class _Writing:
    job: Job
    tokens: "queue.SimpleQueue[int | BaseException]" = field(default_factory=queue.SimpleQueue)
    written: int = 0
    over: bool = False  # it has ended, or nobody reads it


class ContinuousBatch:
    """Writes the answers of several threads together, over rows of one model."""

    def __init__(self, rows: Rows, most_tokens: int = MOST_TOKENS) -> None:
        """Take the rows, which nobody else may use.

        Args:
            most_tokens: rows times the room of the longest, for every row is as long as that; an
                answer that needs more is written alone.
        """
        self._model = rows
        self._most_tokens = most_tokens
        self._line: deque[_Writing] = deque()
        self._rows: list[_Writing] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def active(self) -> int:
        """Answers that are being written."""
        return len(self._rows)

    def tokens(self, job: Job) -> Generator[int | None, None, None]:
        """Yield the tokens of an answer, an end token as the last; closing it gives up its row.

        None is yielded each moment in which there is no token, so that who waits can leave.
        Tokens are written ahead of their reader: one who does not read holds up nobody.

        Raises:
            Exception: what the model or `job.choose` raised for this answer.
        """
        writing = _Writing(job)
        self._enter(writing)
        try:
            for _ in range(job.most):
                while (token := _next(writing)) is None:
                    yield None
                yield token
                if token in job.ends:
                    return
        finally:
            writing.over = True

    def _enter(self, writing: _Writing) -> None:
        with self._lock:
            self._line.append(writing)
            if self._thread is None:
                # No daemon: it ends with what is read, and torch must not be cut off in a step.
                self._thread = threading.Thread(target=self._work, name="writing")
                self._thread.start()

    # -- the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while self._round():
                pass
        except BaseException as error:
            self._give_up(error)

    def _round(self) -> bool:
        """Take one step with all; return False, and the thread has ended, when nothing is left."""
        self._clear()
        with self._lock:
            joining = self._admitted()
            if not joining and not self._rows:
                self._model.rest()
                self._thread = None
                return False
        self._join(joining)
        for writing, token in zip(self._rows, self._step(0, len(self._rows)), strict=True):
            _hand(writing, token)
        return True

    def _clear(self) -> None:
        for row in reversed(range(len(self._rows))):
            if self._rows[row].over:
                self._model.leave(row)
                last = self._rows.pop()
                if row < len(self._rows):
                    self._rows[row] = last

    def _admitted(self) -> list[_Writing]:
        """Take from the line what has room, and is read without keeping the others for long."""
        taken: list[_Writing] = []
        while self._line:
            following = self._line[0]
            if not following.over:
                if not self._fits([*taken, following]):
                    break
                taken.append(following)
            self._line.popleft()
        return taken

    def _fits(self, joining: Sequence[_Writing]) -> bool:
        together = [*self._rows, *joining]
        room = len(together) * max(writing.job.room for writing in together)
        new = len(joining) * max(writing.job.new for writing in joining)
        # One alone is written whatever it needs, and read whatever its length: else it never were.
        return (len(together) == 1 or room <= self._most_tokens) and (
            len(joining) == 1 or new <= MOST_READ
        )

    def _join(self, joining: Sequence[_Writing]) -> None:
        if not joining:
            return
        try:
            self._model.join([writing.job for writing in joining])
        except Exception as error:
            if len(joining) == 1:
                _hand(joining[0], error)
                return
            for writing in joining:  # one that can not be read must not fail the others
                self._join([writing])
        else:
            self._rows += joining

    def _step(self, first: int, last: int) -> list[int | Exception]:
        if first == last:
            return []
        try:
            return self._model.step(first, last)
        except Exception as error:
            if last - first == 1:
                return [error]
            middle = (first + last) // 2
            return [*self._step(first, middle), *self._step(middle, last)]

    def _give_up(self, error: BaseException) -> None:
        """Tell everybody of an error that is our own: none may wait for what never comes."""
        with self._lock:
            left = [*self._rows, *self._line]
            self._line.clear()
            self._rows.clear()
            with suppress(Exception):  # what is told is the first error
                self._model.rest()
            self._thread = None
        for writing in left:
            _hand(writing, RuntimeError(f"writing answers together failed: {error!r}"))


def _next(writing: _Writing) -> int | None:
    try:
        token = writing.tokens.get(timeout=MOMENT)
    except queue.Empty:
        return None
    if isinstance(token, BaseException):
        raise token
    return token


def _hand(writing: _Writing, token: int | Exception) -> None:
    writing.tokens.put(token)
    writing.written += 1
    ended = isinstance(token, Exception) or token in writing.job.ends
    if ended or writing.written == writing.job.most:
        writing.over = True
