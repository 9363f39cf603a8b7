"""What is written down of each request: ids, sizes and times, never what it holds.

The path is that of the route ("/v1/documents/{document_id}"), so that no id or name that a client
made up gets into the log, and neither query nor headers do.
"""

import logging
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import unexpected
from api.metrics import Metrics
from api.request_id import HEADER, begin

logger = logging.getLogger(__name__)

UNKNOWN = "unknown"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestLog:
    """Gives each request its id and logs its end; counts it where there are metrics."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Wrap an application."""
        self._app = app
        self._metrics = metrics
        self._log = structlog.get_logger("rag.requests")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = begin(scope["headers"])
        started, status, size = time.perf_counter(), 0, 0

        async def sending(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (HEADER, identity.encode())]
                message = {**message, "headers": headers}
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            # Answered here: further out, the server would log what the error quotes.
            logger.exception("a request failed")
            if not status:
                await unexpected()(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - started
            method, path = _named(scope)
            self._metrics.request(method, path, status, seconds)
            if structlog.is_configured():  # else it would print to standard output
                self._log.info(
                    "request",
                    id=identity,
                    method=method,
                    path=path,
                    status=status,
                    bytes=size,
                    seconds=round(seconds, 4),
                    key=scope.get("state", {}).get("key"),
                )


def _named(scope: Scope) -> tuple[str, str]:
    method = scope["method"] if scope["method"] in METHODS else UNKNOWN
    return method, getattr(scope.get("route"), "path", UNKNOWN)
