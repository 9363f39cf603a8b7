"""The id of a request, by which its response, its errors and its lines in the log are found."""

import re
import secrets
from contextvars import ContextVar

HEADER = b"x-request-id"
# What clients send goes into logs and headers: plain names only.
USABLE = re.compile(rb"[A-Za-z0-9._-]{1,64}")

_CURRENT: ContextVar[str] = ContextVar("request_id", default="")


def request_id() -> str:
    """Return the id of the request that is being served, "" outside of any."""
    return _CURRENT.get()


def begin(headers: list[tuple[bytes, bytes]]) -> str:
    """Take the id that a client gave its request, or a new one, for all that serves it."""
    given = next((value for name, value in headers if name == HEADER), b"")
    identity = given.decode() if USABLE.fullmatch(given) else secrets.token_hex(8)
    _CURRENT.set(identity)
    return identity
