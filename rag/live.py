"""An answer on a terminal, printed as its claims become certain."""

from collections.abc import Callable
from contextlib import closing

from rag.console import Printer
from rag.dialogue import Reply, Replying, replied
from rag.types import Claimed
from rag.views import Json


class Live:
    """Prints the text of one answer piece by piece, and then what stands behind it.

    What was printed is never taken back, and is the answer's text in the end.
    """

    def __init__(self, before: Callable[[], None]) -> None:
        """Begin; `before` is called ahead of the first piece."""
        self._before = before
        self._begun = False
        self._printer = Printer()

    def follow(self, replying: Replying) -> Reply:
        """Print the claims of a reply as they come; return it."""
        with closing(replying):
            try:
                return replied(self._printed(replying))
            finally:
                if self._begun:
                    self._printer.piece("\n")

    def _printed(self, replying: Replying) -> Replying:
        for event in replying:
            if isinstance(event, Claimed):
                if not self._begun:
                    self._before()
                self._begun = True
                self._printer.piece(event.text)
            yield event

    def show(self, printer: Printer, view: Json) -> None:
        """Print what of an answer is not printed yet."""
        if self._begun:
            printer.sources(view)
        else:
            printer.answer(view)
