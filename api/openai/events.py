"""Streams to OpenAI's clients: errors as their last event, and signs of life between events."""

import asyncio
import logging
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass

from starlette.types import Message, Receive, Scope, Send

from api.errors import INTERNAL
from api.openai.answering import Telling, Told
from api.openai.errors import error_json, told
from api.streaming import EventStream
from rag.errors import RagError
from rag.stopping import Stopped
from rag.types import Claimed
from rag.views import Json

logger = logging.getLogger(__name__)

Pieces = Generator[bytes, None, None]
# Proxies give up on a connection that is silent for a minute; readers of events skip comments.
BEAT_SECONDS = 15.0
BEAT = b": still at work\n\n"


@dataclass(frozen=True, slots=True)
class Ending:
    """An error that ended an answer on its way, as the body of an error."""

    body: Json


def told_or_failed(telling: Telling) -> Generator[Claimed | Told | Ending, None, None]:
    """Yield what is told; an error comes last, and nothing after the client has left."""
    with closing(telling):
        try:
            yield from telling
        except Stopped:
            return
        except RagError as error:
            yield Ending(told(error)[1])
        except Exception:
            # The status is sent already, so the handlers of the route come too late.
            logger.exception("an answer failed while it was streamed")
            yield Ending(error_json(500, INTERNAL, RagError.code))


class LivingStream(EventStream):
    """An event stream that sends a comment when it has been silent for long."""

    beat_seconds = BEAT_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        heart = _Heart(send, self.beat_seconds)
        beating = asyncio.create_task(heart.beat())
        try:
            await super().__call__(scope, receive, heart.send)
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await beating


class _Heart:
    """Sends what it is given, and a comment after each silence; one at a time."""

    def __init__(self, send: Send, seconds: float) -> None:
        self._send = send
        self._seconds = seconds
        self._sending = asyncio.Lock()
        self._spoke = asyncio.Event()
        self._open = False

    async def send(self, message: Message) -> None:
        async with self._sending:
            self._open = message["type"] != "http.response.body" or message["more_body"]
            self._spoke.set()
            await self._send(message)

    async def beat(self) -> None:
        while True:
            self._spoke.clear()
            try:
                await asyncio.wait_for(self._spoke.wait(), self._seconds)
            except TimeoutError:
                await self._sign()

    async def _sign(self) -> None:
        async with self._sending:
            if self._open:
                body = {"type": "http.response.body", "body": BEAT, "more_body": True}
                await self._send(body)
