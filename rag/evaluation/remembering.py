"""An embedder for measurements, which ask many questions of the same few passages."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np

from rag.delegating import DelegatingEmbedder
from rag.protocols import Embedder, TokenVectors, Vectors

MOST_VECTORS = 20_000
"""Vectors of texts that are kept, of passages and of queries; some 1.5 KB each."""
MOST_READINGS = 1_500
"""Texts of which the vectors of all tokens are kept; some 0.35 MB each, of a whole passage."""

Value = TypeVar("Value")


class Remembering(DelegatingEmbedder):
    """An embedder that reads each text once, while it is among the last that were read."""

    def __init__(
        self, embedder: Embedder, most: int = MOST_VECTORS, most_readings: int = MOST_READINGS
    ) -> None:
        """Take the embedder that reads what is new, and how much is kept."""
        self._embedder = embedder
        self._tokens = _Memory[TokenVectors](embedder.embed_tokens, most_readings)
        self._passages = _Memory[Vectors](lambda texts: list(embedder.embed_passages(texts)), most)
        self._queries = _Memory[Vectors](lambda texts: list(embedder.embed_queries(texts)), most)

    @property
    def inner(self) -> Embedder:
        """The embedder that reads what is new."""
        return self._embedder

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dim) float32, unit L2 norm."""
        return np.array(self._passages.read(texts), np.float32).reshape(-1, self.dim)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dim) float32, unit L2 norm."""
        return np.array(self._queries.read(texts), np.float32).reshape(-1, self.dim)

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the vectors of the tokens of each text."""
        return self._tokens.read(texts)


class _Memory(Generic[Value]):
    """The last values made of texts; safe to share between threads."""

    def __init__(self, make: Callable[[Sequence[str]], list[Value]], most: int) -> None:
        self._make = make
        self._most = most
        self._known: OrderedDict[str, Value] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, texts: Sequence[str]) -> list[Value]:
        with self._lock:
            known = {text: self._known[text] for text in texts if text in self._known}
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            known |= zip(new, self._make(new), strict=True)
        with self._lock:
            for text in texts:
                self._known[text] = known[text]
                self._known.move_to_end(text)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return [known[text] for text in texts]
