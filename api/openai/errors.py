"""Errors as OpenAI's clients read them.

The body is {"error": {"message", "type", "param", "code"}}. Statuses are those of `api.errors`, but
a request that can not be served as given is a 400, not a 422, and a collection that is not there a
404 whose code is "model_not_found". Clients try again by themselves after 409, 429 and 5xx, so what
would fail again says that it is not worth it (x-should-retry).
"""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import LATE, OUT_OF_TIME, faults_of, message_of, place_of, status_of
from rag.errors import ConfigError, IndexNotFound, ModelError, RagError
from rag.stopping import Stopped
from rag.views import Json

PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/models")
RETRY = "x-should-retry"
TOO_LONG = "context_length_exceeded"
NO_MODEL = "model_not_found"
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_CODES = defaultdict[int, str | None](
    lambda: None, {401: "invalid_api_key", 429: "rate_limit_exceeded", 503: "overloaded"}
)


class Refused(ConfigError):
    """A request asks for what this service can not do, or is not usable as given.

    Attributes:
        param: the field that is at fault.
        code: overrides the class's.
    """

    def __init__(
        self, message: str, param: str | None = None, code: str = ConfigError.code
    ) -> None:
        """Take what is wrong and where."""
        super().__init__(message)
        self.param = param
        self.told = code


class UnknownModel(IndexNotFound):
    """No collection, nor the embedding model, has this name."""


def error_json(
    status: int, message: str, code: str | None = None, param: str | None = None
) -> Json:
    """Return the body of an error."""
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def told(error: RagError) -> tuple[int, Json]:
    """Return the status and the body of one of our errors."""
    if isinstance(error, Refused):
        return 400, error_json(400, str(error), error.told, error.param)
    if isinstance(error, IndexNotFound):
        message = str(error) if isinstance(error, UnknownModel) else message_of(error)
        return 404, error_json(404, message, NO_MODEL, "model")
    status = 400 if (found := status_of(error)) == 422 else found
    return status, error_json(status, str(error), error.code)


def out_of_time() -> Json:
    """Return the body of an answer that took longer than the server allows."""
    return error_json(503, LATE, OUT_OF_TIME)


class OpenAIRoute(APIRoute):
    """A route whose errors have OpenAI's shape, dependencies included."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Return the handler of the route, with its errors caught."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except RagError as error:
                # Models that are still being loaded will be there; the rest stays as it is.
                retry = "true" if isinstance(error, ModelError) else "false"
                status, body = told(error)
                return JSONResponse(body, status, {RETRY: retry})
            except RequestValidationError as error:
                return JSONResponse(_malformed(error), 400)
            except HTTPException as error:
                body = error_json(error.status_code, str(error.detail), _CODES[error.status_code])
                return JSONResponse(body, error.status_code, dict(error.headers or {}))
            except Stopped:
                return JSONResponse(out_of_time(), 503, {RETRY: "false"})

        return answer


def _malformed(error: RequestValidationError) -> Json:
    first = error.errors()[0]
    whole = first["type"] == "json_invalid" or len(first["loc"]) < 2
    return error_json(400, faults_of(error), ConfigError.code, None if whole else place_of(first))


class OpenAIErrors:
    """Gives errors from outside of the routes (too large a body, a bug) the same shape."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith(PATHS):
            send = _Reshaped(send).send
        await self._app(scope, receive, send)


class _Reshaped:
    """Holds an error back until it is whole, and sends it in OpenAI's shape."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self._start = message
            return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        start, self._start = self._start, None
        body = reshaped(start["status"], bytes(self._body))
        kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        length = (b"content-length", str(len(body)).encode())
        await self._send({**start, "headers": [*kept, length]})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


def reshaped(status: int, body: bytes) -> bytes:
    """Return an error's body in OpenAI's shape; what is no error of ours stays as it is."""
    try:
        error: Any = json.loads(body)["error"]
    except (ValueError, TypeError, KeyError):
        return body
    if not isinstance(error, Mapping) or "type" in error or "message" not in error:
        return body
    shown = error_json(status, str(error["message"]), error.get("code"))
    return json.dumps(shown, ensure_ascii=False).encode()
