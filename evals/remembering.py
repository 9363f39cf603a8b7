"""An embedder for measurements, which ask many questions of the same few passages."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rag.protocols import Embedder, TokenVectors, Vectors


class Remembering:
    """An embedder that reads each passage once: the same few come back for every question."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._tokens: dict[str, TokenVectors] = {}
        self._passages: dict[str, Vectors] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the vectors of the tokens of each text."""
        if new := [text for text in texts if text not in self._tokens]:
            self._tokens.update(zip(new, self._embedder.embed_tokens(new), strict=True))
        return [self._tokens[text] for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return the vector of each text."""
        if new := [text for text in texts if text not in self._passages]:
            self._passages.update(zip(new, self._embedder.embed_passages(new), strict=True))
        return np.array([self._passages[text] for text in texts])
