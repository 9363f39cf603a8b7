"""Streams to OpenAI's clients: an error is their last event."""

import logging
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

from api.errors import INTERNAL
from api.openai.answering import Telling, Told
from api.openai.errors import error_json, out_of_time, told
from rag.errors import RagError
from rag.stopping import Stopped
from rag.types import Claimed
from rag.views import Json

logger = logging.getLogger(__name__)

Pieces = Generator[bytes, None, None]
Late = Callable[[], bool]
"""Whether an answer that was stopped ran out of time; else nobody listens any more."""


@dataclass(frozen=True, slots=True)
class Ending:
    """An error that ended an answer on its way, as the body of an error."""

    body: Json


def never() -> bool:
    """Tell of an answer that has all the time there is that it is not late."""
    return False


def told_or_failed(telling: Telling, late: Late) -> Generator[Claimed | Told | Ending, None, None]:
    """Yield what is told; an error comes last, and nothing after the client has left."""
    with closing(telling):
        try:
            yield from telling
        except Stopped:
            if late():
                yield Ending(out_of_time())
        except RagError as error:
            yield Ending(told(error)[1])
        except Exception:
            # The status is sent already, so the handlers of the route come too late.
            logger.exception("an answer failed while it was streamed")
            yield Ending(error_json(500, INTERNAL, RagError.code))
