"""Answers as server-sent events: `hits`, then `citation`s and `claim`s, then `answer` or `error`.

A claim carries what it adds to the text and to the citations, which were sent just before it, and
is never taken back. `answer` is the whole as it comes without streaming; after `error`, which has
the body of all errors, what was sent is all there is. While there is nothing to send, a comment
every few seconds keeps proxies from closing the connection.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Generator
from contextlib import closing

from fastapi.sse import format_sse_event
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from api.errors import INTERNAL, LATE, OUT_OF_TIME, error_body, message_of
from rag.console import json_line
from rag.dialogue import Reply, Replying
from rag.errors import RagError
from rag.stopping import Stopped
from rag.types import Claimed
from rag.views import Json, citation_view, claimed_view

logger = logging.getLogger(__name__)

# Neither browsers nor proxies (nginx knows the second) may keep pieces back.
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

HEARTBEAT = b": still here\n\n"
HEARTBEAT_SECONDS = 5.0
# Who does not read for so long is taken for gone: a slot is not held for nobody.
STALL_SECONDS = 30.0

Pieces = Generator[bytes, None, None]


class Outbox:
    """Lets what works on the next piece send something before it: only from its own thread."""

    def __init__(self) -> None:
        self.send: Callable[[bytes], None] = lambda piece: None

    def event(self, name: str, value: Json) -> None:
        """Send an event now."""
        self.send(sse(name, value))


def answer_events(
    replying: Replying, view: Callable[[Reply], Json], late: Callable[[], bool] = lambda: False
) -> Pieces:
    """Yield a reply that is being made as server-sent events; errors become the last of them.

    Args:
        view: of the reply at the end, as it comes without streaming.
        late: whether an answer that was stopped ran out of time; else nobody listens any more.
    """
    with closing(replying):
        try:
            for event in replying:
                if isinstance(event, Claimed):
                    for citation in event.citations:
                        yield sse("citation", citation_view(citation))
                    yield sse("claim", claimed_view(event))
                else:
                    yield sse("answer", view(event))
        except Stopped:
            if late():
                yield sse("error", error_body(OUT_OF_TIME, LATE))
        except RagError as error:
            yield sse("error", error_body(error.code, message_of(error)))
        except Exception:
            # The status is sent already, so the handlers of the application come too late.
            logger.exception("an answer failed while it was streamed")
            yield sse("error", error_body(RagError.code, INTERNAL))


def sse(name: str, value: Json) -> bytes:
    """Return a server-sent event with a line of JSON."""
    return format_sse_event(event=name, data_str=json_line(value))


class EventStream(StreamingResponse):
    """Sends events as they are made, and stops their making when the client leaves.

    Starlette's own response waits for the next piece before it looks whether anybody listens, and
    leaves the iterator to the garbage collector. Here the iterator runs in one thread from
    beginning to end and is closed there; `stopped` is set as soon as the server tells of the
    disconnect, for what works between two events to see.
    """

    def __init__(
        self,
        pieces: Pieces,
        stopped: threading.Event,
        outbox: Outbox | None = None,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        """Take the events, and what tells their maker that nobody waits for them.

        Args:
            outbox: through which the maker sends events of its own.
            heartbeat: seconds without an event before a comment is sent.
        """
        super().__init__(pieces, headers=HEADERS, media_type="text/event-stream")
        self._pieces = pieces
        self._stopped = stopped
        self._outbox = outbox or Outbox()
        self._heartbeat = heartbeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        sender = _Sender(send, asyncio.get_running_loop())
        helpers = [
            asyncio.create_task(self._watch(receive)),
            asyncio.create_task(sender.heartbeats(self._heartbeat)),
        ]
        try:
            start = {"status": self.status_code, "headers": self.raw_headers}
            await send({"type": "http.response.start", **start})
            self._outbox.send = sender.from_thread
            await run_in_threadpool(self._send_all, sender)
            await sender.end()
        except OSError:
            pass  # some servers tell of a disconnect so
        finally:
            self._stopped.set()
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def _watch(self, receive: Receive) -> None:
        await self.listen_for_disconnect(receive)
        self._stopped.set()

    def _send_all(self, sender: "_Sender") -> None:
        with closing(self._pieces) as pieces:
            for piece in pieces:
                if self._stopped.is_set():
                    return
                sender.from_thread(piece)


class _Sender:
    """Sends pieces of a body, one at a time, whoever sends."""

    def __init__(self, send: Send, loop: asyncio.AbstractEventLoop) -> None:
        self._send = send
        self._loop = loop
        self._lock = asyncio.Lock()
        self._sent = loop.time()

    def from_thread(self, piece: bytes) -> None:
        sending = asyncio.run_coroutine_threadsafe(self._piece(piece), self._loop)
        try:
            sending.result(STALL_SECONDS)
        except TimeoutError as error:
            sending.cancel()
            raise OSError("the client does not read") from error

    async def end(self) -> None:
        async with self._lock:
            await self._send(_body(b"", more=False))

    async def heartbeats(self, every: float) -> None:
        while True:
            await asyncio.sleep(max(0.0, self._sent + every - self._loop.time()))
            if self._loop.time() >= self._sent + every:
                await self._piece(HEARTBEAT)

    async def _piece(self, piece: bytes) -> None:
        async with self._lock:
            await self._send(_body(piece, more=True))
            self._sent = self._loop.time()


def _body(piece: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": piece, "more_body": more}
