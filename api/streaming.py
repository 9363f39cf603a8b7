"""Answers as server-sent events: `claim` by claim, then `answer`, or `error` in its place.

A claim carries what it adds to the text and to the citations, and is never taken back. `answer`
is the whole as it comes without streaming; after `error`, which has the body of all errors, what
was sent is all there is.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Generator
from contextlib import closing, suppress

from fastapi.sse import format_sse_event
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from api.errors import INTERNAL, error_body
from rag.console import json_line
from rag.dialogue import Reply, Replying
from rag.errors import RagError
from rag.stopping import Stopped
from rag.types import Claimed
from rag.views import Json, claimed_view

logger = logging.getLogger(__name__)

# Neither browsers nor proxies (nginx knows the second) may keep pieces back.
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

Pieces = Generator[bytes, None, None]


def answer_events(replying: Replying, view: Callable[[Reply], Json]) -> Pieces:
    """Yield a reply that is being made as server-sent events; errors become the last of them.

    Args:
        view: of the reply at the end, as it comes without streaming.
    """
    with closing(replying):
        try:
            for event in replying:
                if isinstance(event, Claimed):
                    yield _event("claim", claimed_view(event))
                else:
                    yield _event("answer", view(event))
        except Stopped:
            return
        except RagError as error:
            yield _event("error", error_body(error.code, str(error)))
        except Exception:
            # The status is sent already, so the handlers of the application come too late.
            logger.exception("an answer failed while it was streamed")
            yield _event("error", error_body(RagError.code, INTERNAL))


def _event(name: str, value: Json) -> bytes:
    return format_sse_event(event=name, data_str=json_line(value))


class EventStream(StreamingResponse):
    """Sends events as they are made, and stops their making when the client leaves.

    Starlette's own response waits for the next piece before it looks whether anybody listens, and
    leaves the iterator to the garbage collector. Here the iterator runs in one thread from
    beginning to end and is closed there; `stopped` is set as soon as the server tells of the
    disconnect, for what works between two events to see.
    """

    def __init__(self, pieces: Pieces, stopped: threading.Event) -> None:
        """Take the events, and what tells their maker that nobody waits for them."""
        super().__init__(pieces, headers=HEADERS, media_type="text/event-stream")
        self._pieces = pieces
        self._stopped = stopped

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        watcher = asyncio.create_task(self._watch(receive))
        try:
            start = {"status": self.status_code, "headers": self.raw_headers}
            await send({"type": "http.response.start", **start})
            loop = asyncio.get_running_loop()
            await run_in_threadpool(self._send_all, loop, send)
            await send(_body(b"", more=False))
        except OSError:
            pass  # some servers tell of a disconnect so
        finally:
            self._stopped.set()
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher

    async def _watch(self, receive: Receive) -> None:
        await self.listen_for_disconnect(receive)
        self._stopped.set()

    def _send_all(self, loop: asyncio.AbstractEventLoop, send: Send) -> None:
        with closing(self._pieces) as pieces:
            for piece in pieces:
                if self._stopped.is_set():
                    return
                asyncio.run_coroutine_threadsafe(_sent(send, piece), loop).result()


async def _sent(send: Send, piece: bytes) -> None:
    await send(_body(piece, more=True))


def _body(piece: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": piece, "more_body": more}
