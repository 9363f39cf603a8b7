"""What a browser may be tricked into: pages of other sites that talk to this machine.

A page anywhere can make the browser send requests to 127.0.0.1, and by DNS rebinding under its
own name. Where no key protects the service, requests must name this machine as their host; and a
request that changes something, or asks, must not come from another site's page, keys or not.
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import error_response

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Refuses requests that a strange page made (403)."""

    def __init__(self, app: ASGIApp, *, origins: Collection[str], local_hosts: bool) -> None:
        """Wrap an application.

        Args:
            origins: other sites whose pages may call it.
            local_hosts: only names of this machine are taken as the host.
        """
        self._app = app
        self._origins = frozenset(origins)
        self._local_hosts = local_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and (reason := self._refused(scope)):
            await error_response(403, "forbidden", reason)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refused(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._local_hosts and not is_local(host):
            return "the host named is not this machine; expected localhost, 127.0.0.1 or [::1]"
        origin = headers.get("origin")
        if origin is None or scope["method"] in SAFE or origin in self._origins:
            return None
        if _netloc(origin) == host:
            return None
        return "pages of other sites may not call this; the setting cors_origins names who may"


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


def is_local(host: str) -> bool:
    """Tell whether a Host header names this machine: localhost or a loopback address."""
    try:
        name = urlsplit("//" + host).hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
