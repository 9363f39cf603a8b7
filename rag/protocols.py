"""The seams. What stands behind them lives in `rag.backends`; fakes ship in `rag.testing`."""

from collections import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rag.types import Judgement, LogProbability, Reading

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
Scores = NDArray[np.float32]

TextStream: TypeAlias = abc.Generator[str, None, bool]
"""An answer piece by piece; an empty one says that there is none yet. What it returns at its end
tells whether max_tokens cut it off; closing it stops the work. `rag.drafts.read` reads one to its
end."""


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """What the tokens of one text mean where they stand.

    Attributes:
        spans: (t, 2) int64, the code-point span of each token in the text, in order.
        vectors: (t, dim) float32, unit L2 norm.
    """

    spans: Rows
    vectors: Vectors


class Tokenizer(Protocol):
    """Counts text in a model's own tokens."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the code-point span of each token of text, no special tokens, untruncated."""
        ...


class Embedder(Protocol):
    """Turns text into vectors of unit length."""

    @property
    def name(self) -> str:
        """The model's name, as the user gives it."""
        ...

    @property
    def fingerprint(self) -> str:
        """What decides the vectors: weights hash, prefixes, pooling, length."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens of passage text that fit beside the prefix and the special tokens."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer, for chunking in the units that the model counts."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dim) float32, unit L2 norm, in the order of texts."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dim) float32, unit L2 norm, in the order of texts."""
        ...

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the vectors of the tokens of each text, read as a passage.

        Raises:
            ValueError: a text is longer than `max_tokens`.
        """
        ...


class VectorIndex(Protocol):
    """Exact or approximate inner-product search over rows 0 … n − 1."""

    def __len__(self) -> int: ...

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """Return the k rows most similar to each query.

        Args:
            queries: (q, dim) float32, unit L2 norm.
            k: rows wanted, >= 1; fewer return when the index is smaller.
        Returns:
            scores (q, min(k, n)) inner product, descending; rows, same shape, int64.
        Raises:
            ValueError: dim differs from the index.
        """
        ...

    def scores(self, queries: Vectors, rows: Rows) -> Scores:
        """Return the exact inner products (q, len(rows)) of each query with the given rows."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat: role is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Decoding:
    """How to decode.

    Attributes:
        max_tokens: most new tokens.
        markers: how many evidence sentences the prompt numbers; "[n]" outside 1 … markers
            can not be written.
        temperature: 0 is greedy.
        seed: of the sampling; unused when greedy.
        top_p: sample from the likeliest tokens that have this share of the probability together;
            unused when greedy.
    """

    max_tokens: int = 128
    markers: int = 0
    temperature: float = 0.0
    seed: int = 0
    top_p: float = 1.0


class Generator(Protocol):
    """Writes text after a prompt."""

    @property
    def name(self) -> str:
        """The model's name, as the user gives it."""
        ...

    @property
    def max_tokens(self) -> int:
        """The model's window: prompt and answer together."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of the languages that it writes well; empty means any."""
        ...

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the length of the whole prompt, chat template included."""
        ...

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Yield the answer's text as it is decoded; closing the iterator stops the work.

        Returns:
            at its end, whether max_tokens cut the answer off.
        Raises:
            GenerationError: prompt and max_tokens exceed the window, or the model failed.
        """
        ...


@runtime_checkable
class Scorer(Protocol):
    """Tells how likely texts are as answers; generators that run here can, servers can not."""

    def log_probabilities(
        self, messages: Sequence[Message], continuations: Sequence[str]
    ) -> list[LogProbability]:
        """Return, for each text, log p(text | prompt): as the answer's beginning, each on its own.

        Args:
            messages: the prompt; the last is not the assistant's.
            continuations: texts that the model might have answered with.
        Raises:
            GenerationError: prompt and text exceed the window, or the model failed.
        """
        ...


class Verifier(Protocol):
    """Judges whether premises support hypotheses."""

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        """Return one judgement for each (premise, hypothesis)."""
        ...


class Reader(Protocol):
    """Finds the stretch of a passage that answers a question, and tells whether any does."""

    @property
    def name(self) -> str:
        """What reads: the model's name and that of what was learnt on top of it."""
        ...

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        """Return one reading for each passage, in their order; a passage of any length is read."""
        ...
