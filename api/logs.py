"""The server's log: a line of JSON for each thing that happened, on standard error.

Ids, sizes and times only. Errors come with the names of what raised them and where, not with what
they say: messages may quote a document or a question.
"""

import logging
import sys
import traceback
from typing import Any

import structlog

from api.request_id import request_id

# Frames of a traceback, the innermost last.
FRAMES = 12


def configure_logs() -> None:
    """Send what this process logs, and its libraries, to standard error as lines of JSON."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *names: _StandardError(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [Contentless()]
    root.setLevel(logging.WARNING)


class _StandardError:
    """Writes lines to whatever standard error is at the time."""

    def msg(self, message: str) -> None:
        # One write a line: those of several threads and processes do not run together.
        sys.stderr.write(message + "\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = msg


class Contentless(logging.Handler):
    """Passes records of the standard library's loggers on, without what they quote.

    Of a message the template is kept ("%s could not be read"), of an exception its class and
    the places in the code.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record."""
        told: dict[str, Any] = {"logger": record.name, "where": f"{record.module}:{record.lineno}"}
        if request := request_id():
            told["id"] = request
        if record.exc_info and record.exc_info[0] is not None:
            told["error"] = record.exc_info[0].__name__
            told["trace"] = [
                f"{frame.name} {frame.filename.rpartition('/')[2]}:{frame.lineno}"
                for frame in traceback.extract_tb(record.exc_info[2])[-FRAMES:]
            ]
        level = record.levelname.lower()
        # A message that was put together before it came here may hold anything.
        template = str(record.msg) if record.args or not record.name.startswith("uvicorn") else ""
        own = record.name.startswith(("api", "rag"))
        event = template if own or record.args else "library"
        structlog.get_logger().log(getattr(logging, level.upper(), logging.INFO), event, **told)
