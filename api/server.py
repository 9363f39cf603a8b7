"""Running the application on a port: one process, or several that share a socket."""

import ipaddress
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

import uvicorn

from api.app import Exposure, create_app
from api.database import DATABASE, ServiceDatabase
from api.keys import Keys
from api.logs import configure_logs
from api.tracing import instrument
from rag.config import Config
from rag.errors import ConfigError

# Answers that are being written when the server is told to end may take so long.
GRACE_SECONDS = 25
# After SIGTERM readiness says no for so long before the socket closes: load balancers look now
# and then. Who asks meanwhile is told to come again.
LINGER_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Serving:
    """What is served, and how.

    Attributes:
        index: of requests that name none.
        exposed: beyond this machine.
        processes: that share the socket.
    """

    config: Config
    index: str
    exposed: bool = False
    processes: int = 1


def listen(host: str, port: int, *, keyed: bool = False) -> socket.socket:
    """Return a socket that listens; port 0 takes one that is free.

    Args:
        keyed: there is a key that is good, without which only this machine is listened on.
    Raises:
        ConfigError: the address is not of this machine alone and there is no key, or the port is
            taken.
    """
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"host {host!r} is not known; expected 127.0.0.1 or ::1") from error
    family, _, _, _, address = found[0]
    if not keyed and not is_loopback(str(address[0])):
        raise ConfigError(
            f"host {host!r} is beyond this machine, where anybody could read the documents: "
            "make a key first with 'rag keys create NAME', or listen on 127.0.0.1"
        )
    try:
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise ConfigError(
            f"port {port} on {host} can not be used: {reason}; choose another with --port"
        ) from error


def is_loopback(address: str) -> bool:
    """Tell whether an IP address is of this machine alone."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def has_key(config: Config) -> bool:
    """Tell whether there is a key that is good."""
    keys = Keys(ServiceDatabase(config.index_dir / DATABASE))
    return any(key.revoked is None for key in keys.all())


def url_of(listener: socket.socket) -> str:
    """Return the URL at which a socket is reached."""
    address, port = listener.getsockname()[:2]
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def serve(
    config: Config, index: str, listener: socket.socket, announce: Callable[[str], None]
) -> None:
    """Serve until interrupted or told to end.

    Args:
        index: the index of requests that name none.
        listener: from `listen`.
        announce: told the URL.
    """
    announce(url_of(listener))
    exposed = not is_loopback(str(listener.getsockname()[0]))
    run(Serving(config, index, exposed), listener)


def run(serving: Serving, listener: socket.socket) -> None:
    """Serve in this process until interrupted or told to end."""
    configure_logs()
    exposure = Exposure(
        keys_required=serving.exposed,
        local_hosts=not serving.exposed,
        processes=serving.processes,
    )
    app = create_app(serving.config, index=serving.index, exposure=exposure)
    instrument(app)
    settings = uvicorn.Config(
        app,
        log_level="warning",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        # Slow headers and idle connections are cut off; bodies wait for nobody's thread.
        timeout_keep_alive=15,
    )

    def drain() -> None:
        app.state.admission.draining = True

    server = Server(settings, drain)
    # uvicorn raises the signal again when its work is done: that is the end which was asked for.
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


class Server(uvicorn.Server):
    """uvicorn's, which after SIGTERM refuses new work for a moment before it closes the socket.

    SIGINT ends at once, as ever: there somebody waits at a keyboard.
    """

    def __init__(self, config: uvicorn.Config, drain: Callable[[], None]) -> None:
        """Take the settings, and what makes the application refuse new work."""
        super().__init__(config)
        self._drain = drain
        self._draining = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; a second signal ends at once."""
        self._drain()
        if sig != signal.SIGTERM or self._draining:
            super().handle_exit(sig, frame)
            return
        self._draining = True
        close = super().handle_exit
        threading.Thread(target=_later, args=(close, sig, frame), daemon=True).start()


def _later(
    close: Callable[[int, FrameType | None], None], sig: int, frame: FrameType | None
) -> None:
    time.sleep(LINGER_SECONDS)
    close(sig, frame)
