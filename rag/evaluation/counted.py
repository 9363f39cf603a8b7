"""A generator that counts what it reads and writes."""

import threading
from collections.abc import Sequence

from rag.protocols import Decoding, Generator, Message, TextStream


class Counted:
    """A generator with the tokens of its calls since `take` was last called, thread by thread."""

    def __init__(self, generator: Generator) -> None:
        """Take the generator to count."""
        self._generator = generator
        self._here = threading.local()

    @property
    def name(self) -> str:
        """That of the generator."""
        return self._generator.name

    @property
    def max_tokens(self) -> int:
        """That of the generator."""
        return self._generator.max_tokens

    @property
    def languages(self) -> frozenset[str]:
        """Those of the generator."""
        return self._generator.languages

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the length of the whole prompt."""
        return self._generator.count_tokens(messages)

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Yield what the generator yields; prompt and text are counted."""
        self._add("tokens in", self.count_tokens(messages))
        written: list[str] = []
        stream = self._generator.stream(messages, decoding)
        try:
            while True:
                try:
                    piece = next(stream)
                except StopIteration as stop:
                    return bool(stop.value)
                written.append(piece)
                yield piece
        finally:
            stream.close()
            empty, said = ([Message("assistant", text)] for text in ("", "".join(written)))
            self._add("tokens out", self.count_tokens(said) - self.count_tokens(empty))

    def take(self) -> dict[str, float]:
        """Return what this thread has spent since the last call, and begin anew."""
        spent: dict[str, float] = getattr(self._here, "spent", {})
        self._here.spent = {}
        return {"tokens in": 0.0, "tokens out": 0.0, **spent}

    def _add(self, name: str, tokens: int) -> None:
        spent: dict[str, float] = getattr(self._here, "spent", {})
        self._here.spent = spent | {name: spent.get(name, 0.0) + tokens}
