"""How much a request may carry: checked before anything of it is parsed."""

from collections.abc import Collection, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import error_response

MAX_BODY = 1_000_000
# A source of 100,000 words, in a script that JSON writes with six bytes a character.
MAX_SOURCES = 8_000_000


class BodyLimit:
    """Refuses bodies over a limit (413), whether or not their length is announced.

    A body within the limit is read whole before the application runs, so no thread waits for
    one that comes slowly.
    """

    def __init__(
        self,
        app: ASGIApp,
        limit: int = MAX_BODY,
        by_path: Mapping[str, int] | None = None,
        streamed: Collection[str] = (),
    ) -> None:
        """Wrap an application; limits are in bytes, those of some paths their own.

        Bodies of `streamed` paths pass as they come: their routes count themselves.
        """
        self._app = app
        self._streamed = streamed
        self._limit = limit
        self._by_path = by_path or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope.get("path") in self._streamed:
            await self._app(scope, receive, send)
            return
        limit = self._by_path.get(scope.get("path", ""), self._limit)
        body = None if self._announced(scope) > limit else await self._read(receive, limit)
        if body is None:
            message = f"the request's body is too large; expected at most {limit:,} bytes"
            # What is still on its way is not read, so the connection can not be used again.
            close = {"connection": "close"}
            response = error_response(413, "content_too_large", message, close)
            await response(scope, receive, send)
            return
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return pending.pop() if pending else await receive()

        await self._app(scope, replay, send)

    def _announced(self, scope: Scope) -> int:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                return int(value)
        return 0

    async def _read(self, receive: Receive, limit: int) -> bytes | None:
        """Return the body, None when it is over the limit; what came before a disconnect."""
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > limit:
                return None
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                return bytes(body)
