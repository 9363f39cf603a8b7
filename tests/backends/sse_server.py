"""A real HTTP server on this machine that speaks the streaming protocol of chat completions."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Exchange"], None]


class Exchange:
    """One request, and the ways to answer it."""

    def __init__(self, handler: BaseHTTPRequestHandler, body: dict[str, Any], server: Any) -> None:
        self.body = body
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.path = handler.path
        self.disconnected: threading.Event = server.disconnected
        self.release: threading.Event = server.release
        self._handler = handler

    def begin(self, content_type: str = "text/event-stream") -> None:
        """Send the status 200 and the headers."""
        self._handler.send_response(200)
        self._handler.send_header("Content-Type", content_type)
        self._handler.end_headers()

    def send(self, data: str) -> None:
        """Send one server-sent event, at once."""
        self.raw(f"data: {data}\n\n")

    def raw(self, text: str) -> None:
        """Send text as it is; note when nobody listens any more."""
        try:
            self._handler.wfile.write(text.encode("utf-8"))
            self._handler.wfile.flush()
        except OSError:
            self.disconnected.set()
            raise

    def reply(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        """Answer with a status and a text, whole."""
        data = text.encode("utf-8")
        self._handler.send_response(status)
        for name, value in {**(headers or {}), "Content-Type": "application/json"}.items():
            self._handler.send_header(name, value)
        self._handler.send_header("Content-Length", str(len(data)))
        self._handler.end_headers()
        self._handler.wfile.write(data)


def chunk(content: object = None, reason: object = None) -> str:
    """Return the JSON of a chunk that adds content, or ends the answer."""
    delta = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return json.dumps({"id": "1", "object": "chat.completion.chunk", "choices": [choice]})


def saying(pieces: Sequence[str], reason: str = "stop") -> Behaviour:
    """Return the behaviour of a server that is well: a role, the pieces, an end, the usage."""

    def behave(exchange: Exchange) -> None:
        exchange.begin()
        exchange.send(chunk(""))
        for piece in pieces:
            exchange.send(chunk(piece))
        exchange.send(chunk(None, reason))
        exchange.send(json.dumps({"id": "1", "choices": [], "usage": {"total_tokens": 3}}))
        exchange.send("[DONE]")

    return behave


def failing(status: int, error: Any, headers: dict[str, str] | None = None) -> Behaviour:
    """Return the behaviour of a server that refuses."""
    return lambda exchange: exchange.reply(status, json.dumps({"error": error}), headers)


class Running:
    """A running server: its address, what was asked of it, and what it noticed."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        self.exchanges: list[Exchange] = server.exchanges
        self.disconnected: threading.Event = server.disconnected
        self.release: threading.Event = server.release

    def behave(self, *behaviours: Behaviour) -> None:
        """Answer the next requests in these ways; the last way stays."""
        self._server.behaviours = list(behaviours)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        exchange = Exchange(self, body, server)
        server.exchanges.append(exchange)
        behaviours = server.behaviours
        behave = behaviours.pop(0) if len(behaviours) > 1 else behaviours[0]
        try:
            behave(exchange)
        except OSError:
            server.disconnected.set()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running() -> Iterator[Running]:
    """Run a server on a free port of this machine until the end of the block."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.behaviours = [saying(["Yes."])]
    server.exchanges, server.disconnected = [], threading.Event()
    server.release = threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Running(server)
    finally:
        server.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
