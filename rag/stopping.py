"""Answers that are given up from outside: a generator that another thread can stop.

Closing an iterator stops the work only between two of its values, and a model may write for long
before the first claim stands.
"""

from collections.abc import Callable, Sequence
from contextlib import closing

from rag.answerer import Answerer
from rag.protocols import Decoding, Generator, Message, TextStream


class Stopped(Exception):
    """The answer was given up. No RagError: nothing may take it for a failure and go on."""


class StoppableGenerator:
    """Another generator, which raises `Stopped` at the first piece after it is told to."""

    def __init__(
        self,
        generator: Generator,
        stopped: Callable[[], bool],
        on_piece: Callable[[], None] = lambda: None,
    ) -> None:
        """Wrap a generator.

        Args:
            stopped: tells whether to give up, and is called from its thread.
            on_piece: told of each piece that is not empty.
        """
        self._on_piece = on_piece
        self.name = generator.name
        self.languages = generator.languages
        self._generator = generator
        self._stopped = stopped

    @property
    def max_tokens(self) -> int:
        """The model's window: prompt and answer together."""
        return self._generator.max_tokens

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the length of the whole prompt, chat template included."""
        return self._generator.count_tokens(messages)

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Yield the answer's text as it is decoded; raises `Stopped` besides what others raise."""
        with closing(self._generator.stream(messages, decoding)) as stream:
            while True:
                if self._stopped():
                    raise Stopped
                try:
                    piece = next(stream)
                except StopIteration as end:
                    return bool(end.value)
                if piece:
                    self._on_piece()
                yield piece


def stoppable(
    answerer: Answerer, stopped: Callable[[], bool], on_piece: Callable[[], None] = lambda: None
) -> Answerer:
    """Return the same answerer for one question, which can be stopped as it writes."""
    if answerer.generator is None:
        return answerer
    generator = StoppableGenerator(answerer.generator, stopped, on_piece)
    return Answerer(answerer.retriever, generator, answerer.verifier, answerer.config)
