"""Who may do what. Checked for every route of the application, before its endpoint runs.

What a caller may reach is asked where collections are opened (`api.engine`), not in each route,
so none can forget it. A collection that a key does not reach is, to it, not there.
"""

import math
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from api.keys import Key, Keys, Scope
from api.rates import RateLimit

OPEN = frozenset({"/livez", "/readyz"})
"""Paths that need no key."""

_SCOPES = {
    ("GET", "/metrics"): Scope.ADMIN,
    ("POST", "/v1/collections"): Scope.ADMIN,
    ("DELETE", "/v1/collections/{name}"): Scope.ADMIN,
    ("POST", "/v1/documents"): Scope.WRITE,
    ("DELETE", "/v1/documents/{document_id}"): Scope.WRITE,
}
"""What a route needs, by its method and path; every other one needs READ."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: a key, or anybody where no keys are in use."""

    key: Key | None = None

    @property
    def id(self) -> str | None:
        """The key's id."""
        return self.key.id if self.key else None

    def reaches(self, collection: str) -> bool:
        """Tell whether a collection is there for the caller."""
        return self.key is None or self.key.reaches(collection)

    def may(self, scope: Scope) -> bool:
        """Tell whether the caller has a scope."""
        return self.key is None or scope in self.key.scopes

    def owns(self, key: str | None) -> bool:
        """Tell whether what was made with a key is the caller's to see."""
        return self.id == key or self.may(Scope.ADMIN)


_CALLER: ContextVar[Caller] = ContextVar("caller")
_INSIDE = Caller()


def caller() -> Caller:
    """Return who sent the request that is being served; outside of any, the server itself."""
    return _CALLER.get(_INSIDE)


class Access:
    """Lets callers in."""

    def __init__(self, keys: Keys, limit: RateLimit, *, required: bool) -> None:
        """Take the keys.

        Args:
            limit: how often each may ask.
            required: nobody passes without one, though there may be none yet.
        """
        self._keys = keys
        self._limit = limit
        self._required = required

    def admit(self, token: str | None, scope: Scope) -> Caller:
        """Return who a token is of; without keys in use anybody passes, whatever the token.

        Raises:
            HTTPException: 401 no key or none that is good, 403 not for this, 429 too often.
        """
        if not self._required and not self._keys.in_use():
            return Caller()
        key = self._keys.find(token) if token else None
        if key is None:
            raise HTTPException(
                401,
                "this needs a key that is good: send 'Authorization: Bearer KEY'; whoever runs "
                "the server makes one with 'rag keys create'",
                {"WWW-Authenticate": "Bearer"},
            )
        seconds = self._limit.wait(key.id)
        if seconds:
            wait = str(math.ceil(seconds))
            raise HTTPException(
                429, f"too many requests; try again in {wait} s", {"Retry-After": wait}
            )
        if scope not in key.scopes:
            raise HTTPException(403, f"this key may not do this; expected one with scope {scope}")
        return Caller(key)


_bearer = HTTPBearer(auto_error=False, description="a key of `rag keys create`")


async def authenticated(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Let the request pass, or refuse it; the dependency of all routes."""
    path = getattr(request.scope.get("route"), "path", request.url.path)
    if path in OPEN:
        return
    access: Access = request.app.state.access
    token = credentials.credentials if credentials else None
    scope = _SCOPES.get((request.method, path), Scope.READ)
    # Set in this task, so that the threads which it starts know it.
    found = await run_in_threadpool(access.admit, token, scope)
    _CALLER.set(found)
    request.state.key = found.id  # for the log


CallerIn = Annotated[Caller, Depends(caller)]
