"""How much is worked on at once: a slot a request, taken before anything of it is tokenised.

Who finds no slot waits in a line that is bounded in requests and in tokens; who finds that full is
refused at once (503, Retry-After). All on the event loop: no thread waits.
"""

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from rag.config import Config
from rag.stopping import Stopped

# JSON of questions and sources, in bytes a token; fewer than in any of our languages.
BYTES_A_TOKEN = 3
# Each may fill max_upload_mb of the disk.
MOST_UPLOADS = 8
# Of the mean time that a request takes, this share is the newest one's.
NEWEST = 0.2


@dataclass(slots=True)
class _Waiting:
    tokens: int
    turn: asyncio.Future[None]


class Admission:
    """The slots of one process, and the line before them."""

    def __init__(self, config: Config) -> None:
        """Take the settings max_active, max_waiting and max_waiting_tokens."""
        self._config = config
        self._line: deque[_Waiting] = deque()
        self._lock = threading.Lock()
        self._mean = 1.0
        self._uploads = 0
        self.active = 0
        self.draining = False

    @property
    def waiting(self) -> int:
        """Requests in the line."""
        return len(self._line)

    @property
    def waiting_tokens(self) -> int:
        """Their tokens together, estimated."""
        return sum(each.tokens for each in list(self._line))

    def refuse_if_draining(self) -> None:
        """Raise 503 when the server is about to end."""
        if self.draining:
            raise self._busy("the server is about to end", close=True)

    @contextmanager
    def upload(self) -> Iterator[None]:
        """Count an upload; they wait for their clients, so they hold no slot.

        Raises:
            HTTPException: 503 too many come at once, or the server is about to end.
        """
        self.refuse_if_draining()
        if self._uploads >= MOST_UPLOADS:
            raise self._busy("too many uploads come at once", close=True)
        self._uploads += 1
        try:
            yield
        finally:
            self._uploads -= 1

    @asynccontextmanager
    async def slot(
        self, tokens: int, patience: float, left: asyncio.Task[None] | None = None
    ) -> AsyncIterator[None]:
        """Hold a slot; those who came first get theirs first.

        Args:
            tokens: of the request, estimated.
            patience: seconds to wait for a turn.
            left: is done when the client has gone, who keeps no place in the line then.
        Raises:
            HTTPException: 503 the line is full, or the turn did not come in time.
            Stopped: the client left before it came.
        """
        self.refuse_if_draining()
        await self._enter(tokens, patience, left)
        begun = time.monotonic()
        try:
            yield
        finally:
            self._mean += NEWEST * (time.monotonic() - begun - self._mean)
            self._leave()

    async def _enter(self, tokens: int, patience: float, left: asyncio.Task[None] | None) -> None:
        with self._lock:
            if self.active < self._config.max_active and not self._line:
                self.active += 1
                return
            if self._full(tokens):
                raise self._busy("too many questions are waiting")
            mine = _Waiting(tokens, asyncio.get_running_loop().create_future())
            self._line.append(mine)
        waited = (mine.turn, left) if left else (mine.turn,)
        try:
            await asyncio.wait(waited, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            self._give_up(mine)
            raise
        if mine.turn.done():
            return
        self._give_up(mine)
        if left and left.done():
            raise Stopped
        raise self._busy("no turn came within the time a question may take")

    def _full(self, tokens: int) -> bool:
        most = self._config.max_waiting_tokens
        # One alone may wait however long it is: else it could never be asked.
        over = bool(self._line) and self.waiting_tokens + tokens > most
        return over or len(self._line) >= self._config.max_waiting

    def _give_up(self, mine: _Waiting) -> None:
        with self._lock:
            if mine in self._line:
                self._line.remove(mine)
                return
        self._leave()  # the turn came at the last moment

    def _leave(self) -> None:
        """Hand the slot to the first in the line, or put it back."""
        with self._lock:
            if not self._line:
                self.active -= 1
                return
            following = self._line.popleft().turn
        loop = following.get_loop()
        with suppress(RuntimeError):  # a loop that has ended: its requests have too
            loop.call_soon_threadsafe(_call, following)

    def _busy(self, why: str, *, close: bool = False) -> HTTPException:
        rounds = (len(self._line) + 1) / self._config.max_active
        wait = str(min(60, max(1, math.ceil(self._mean * rounds))))
        headers = {"Retry-After": wait} | ({"Connection": "close"} if close else {})
        return HTTPException(503, f"{why}; try again in {wait} s", headers)


def _call(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


@dataclass(slots=True)
class Work:
    """A request that holds a slot: whether to go on with it.

    Attributes:
        left: the client has gone.
        late: its time is over.
    """

    left: threading.Event = field(default_factory=threading.Event)
    late: threading.Event = field(default_factory=threading.Event)

    def is_over(self) -> bool:
        """Tell whether anything still waits for it."""
        return self.left.is_set() or self.late.is_set()

    def go_on(self, *found: object) -> None:
        """Raise `Stopped` if nothing waits for it any more."""
        if self.is_over():
            raise Stopped


async def admitted(request: Request) -> AsyncIterator[Work]:
    """Hold a slot from before the endpoint runs until its response is sent."""
    admission: Admission = request.app.state.admission
    seconds = request.app.state.engine.config.deadline
    tokens = max(1, len(await request.body()) // BYTES_A_TOKEN)
    work, loop = Work(), asyncio.get_running_loop()
    timer = loop.call_later(seconds, work.late.set)
    watcher = asyncio.create_task(_watch(request, work))
    try:
        async with admission.slot(tokens, seconds, watcher):
            yield work
    finally:
        timer.cancel()
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher


async def _watch(request: Request, work: Work) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    work.left.set()


Admitted = Annotated[Work, Depends(admitted)]
