"""What goes wrong, over HTTP: one table from errors to statuses, one shape of body.

    ConfigError, malformed requests   422  invalid_request
    IndexNotFound                     404  index_not_found
    IndexLocked                       409  index_locked
    IndexMismatch                     409  index_mismatch: made with other models than are served
    ModelError                        503  model_unavailable
    IndexCorrupt, StoreError          500  index_corrupt, storage
    GenerationError, anything else    500  generation_failed, internal

Refusals of the service itself are HTTPExceptions: 401 unauthorized, 403 forbidden, 404 not_found,
413 content_too_large, 429 too_many_requests, 503 service_unavailable; the last two say when to
come again (Retry-After). `Stopped` is an answer that ran out of time: 503 deadline_exceeded.

The body is {"error": {"code", "message", "request_id"}} for all of them.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.request_id import request_id
from rag.errors import (
    ConfigError,
    IndexLocked,
    IndexMismatch,
    IndexNotFound,
    ModelError,
    RagError,
)
from rag.stopping import Stopped

STATUS: Mapping[type[RagError], int] = {
    ConfigError: 422,
    IndexNotFound: 404,
    IndexLocked: 409,
    IndexMismatch: 409,
    ModelError: 503,
    RagError: 500,
}
INTERNAL = "something went wrong on the server; its log tells more"
# Python renamed two of these.
_CODES = {400: ConfigError.code, 413: "content_too_large", 422: ConfigError.code}
OUT_OF_TIME = "deadline_exceeded"
NO_JSON = "the body is not said to be JSON; send the header 'Content-Type: application/json'"
LATE = "the answer took longer than the server allows; try again, or ask for fewer passages"
# Of a malformed request, so many faults are told.
FAULTS = 3


def error_response(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return an error in the shape of all errors."""
    return JSONResponse(error_body(code, message), status, dict(headers or {}))


def error_body(code: str, message: str) -> dict[str, dict[str, str]]:
    """Return the body of all errors."""
    return {"error": {"code": code, "message": message, "request_id": request_id()}}


def status_of(error: RagError) -> int:
    """Return the status of the error's class, or of the nearest class above it."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def install(app: FastAPI) -> None:
    """Make the app answer every error in this shape."""
    app.add_exception_handler(RagError, _rag_error)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Stopped, _out_of_time)


# Starlette's signature of handlers names no narrower class than Exception.
def _rag_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RagError)
    return error_response(status_of(error), error.code, message_of(error))


def message_of(error: RagError) -> str:
    """Return the message, with a remedy that a client of the service has."""
    if isinstance(error, IndexNotFound) and error.name:
        return (
            f"there is no collection {error.name!r}; GET /v1/collections lists those there are, "
            f"'rag ingest FOLDER --index {error.name}' makes one"
        )
    return str(error)


def _malformed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["loc"] == ("body",) and first["type"] != "missing" and not _says_json(request):
        return error_response(422, ConfigError.code, NO_JSON)
    return error_response(422, ConfigError.code, faults_of(error))


def faults_of(error: RequestValidationError) -> str:
    """Return what is wrong with a request, by the names of its fields."""
    return "; ".join(map(_fault, error.errors()[:FAULTS]))


def _fault(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "json_invalid":
        return f"the body is no JSON: {fault['ctx']['error']}, at character {fault['loc'][-1]}"
    return f"{place_of(fault)}: {fault['msg']}"


def _says_json(request: Request) -> bool:
    return "json" in request.headers.get("content-type", "").lower()


def place_of(fault: Mapping[str, Any]) -> str:
    """Return the field that a fault is in, or where it was looked for ("body")."""
    location = fault["loc"]
    return ".".join(str(part) for part in location[1:]) or str(location[0])


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code) or HTTPStatus(error.status_code).name.lower()
    return error_response(error.status_code, code, str(error.detail), error.headers)


def _out_of_time(request: Request, error: Exception) -> JSONResponse:
    return error_response(503, OUT_OF_TIME, LATE, {"Retry-After": "5"})


def unexpected() -> JSONResponse:
    """Return the error of a bug, of which only the log tells more."""
    return error_response(500, RagError.code, INTERNAL)
