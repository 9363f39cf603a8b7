"""Running the application on a port of this machine."""

import ipaddress
import os
import socket
from collections.abc import Callable

import uvicorn

from api.app import create_app
from rag.config import Config
from rag.errors import ConfigError

# Answers that are being written when the server is told to stop may take so long.
GRACE_SECONDS = 10


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on this machine; port 0 takes one that is free.

    Raises:
        ConfigError: the address is not of this machine alone, or the port is taken.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"host {host!r} is not known; expected 127.0.0.1 or ::1") from error
    family, _, _, _, address = found[0]
    if not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise ConfigError(
            f"host {host!r} is beyond this machine, where anybody could read the documents: "
            "there are no keys yet; listen on 127.0.0.1, behind a proxy that knows its users"
        )
    try:
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise ConfigError(
            f"port {port} on {host} can not be used: {reason}; choose another with --port"
        ) from error


def serve(
    config: Config, index: str, listener: socket.socket, announce: Callable[[str], None]
) -> None:
    """Serve until interrupted; ends with KeyboardInterrupt.

    Args:
        index: the index of requests that name none.
        listener: from `listen`.
        announce: told the URL.
    """
    address, port = listener.getsockname()[:2]
    announce(f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}")
    settings = uvicorn.Config(
        create_app(config, index=index),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(settings)
    server.run(sockets=[listener])
    # uvicorn raises the signal again when its work is done, now and then too late for asyncio.
    if server.started and server.should_exit:
        raise KeyboardInterrupt
