"""Texts of several threads embedded together, and not twice.

A model reads eight short texts in little more time than one. What threads ask for while the model
is busy, or within a few milliseconds, goes through it at once, in one thread of its own.
"""

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np

from rag.delegating import DelegatingEmbedder
from rag.protocols import Embedder, TokenVectors, Vectors

# An ingest embeds many at a time, and would only fill the cache.
MOST_TEXTS = 128
CACHE_BYTES = 128 << 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Asked:
    kind: str
    texts: Sequence[str]
    found: Future[list[Any]] = field(default_factory=Future)


class BatchingEmbedder(DelegatingEmbedder):
    """Another embedder, shared by threads. What it gives for a text is what the other gives, to
    the last digits, which in low precision depend on the texts beside it."""

    def __init__(self, embedder: Embedder, wait: float, cache_bytes: int = CACHE_BYTES) -> None:
        """Wrap an embedder.

        Args:
            wait: seconds that texts wait for others, when the model is idle.
            cache_bytes: of vectors that are remembered.
        """
        self._embedder = embedder
        self._wait = wait
        self._queue: queue.SimpleQueue[_Asked] = queue.SimpleQueue()
        self._cache: _Cache[Any] = _Cache(cache_bytes)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._run: dict[str, Callable[[Sequence[str]], Sequence[Any]]] = {
            # Copied: a row of a matrix would keep the whole of it in memory.
            "queries": lambda texts: [row.copy() for row in embedder.embed_queries(texts)],
            "passages": lambda texts: [row.copy() for row in embedder.embed_passages(texts)],
            "tokens": embedder.embed_tokens,
        }

    @property
    def inner(self) -> Embedder:
        """The embedder that the texts go through."""
        return self._embedder

    @property
    def cached(self) -> tuple[int, int]:
        """How many texts were found in the cache, and how many were not."""
        return self._cache.hits, self._cache.misses

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dim) float32, unit L2 norm, in the order of texts."""
        if len(texts) > MOST_TEXTS:
            return super().embed_queries(texts)
        return self._stacked(self._ask("queries", texts))

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dim) float32, unit L2 norm, in the order of texts."""
        if len(texts) > MOST_TEXTS:
            return super().embed_passages(texts)
        return self._stacked(self._ask("passages", texts))

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the vectors of the tokens of each text; raises what the embedder does."""
        if len(texts) > MOST_TEXTS:
            return super().embed_tokens(texts)
        return self._ask("tokens", texts)

    def _stacked(self, vectors: list[Vectors]) -> Vectors:
        if not vectors:
            return np.zeros((0, self.dim), np.float32)
        return np.stack(vectors)

    def _ask(self, kind: str, texts: Sequence[str]) -> list[Any]:
        known = self._cache.get([(kind, text) for text in texts])
        missing = list(dict.fromkeys(text for text in texts if (kind, text) not in known))
        if missing:
            asked = _Asked(kind, missing)
            self._started()
            self._queue.put(asked)
            for text, found in zip(missing, asked.found.result(), strict=True):
                known[kind, text] = found
        return [known[kind, text] for text in texts]

    # -- the thread ---------------------------------------------------------------------------

    def _started(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="embedding", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            asked = self._collect()
            for kind in {each.kind for each in asked}:
                self._embed(kind, [each for each in asked if each.kind == kind])

    def _collect(self) -> list[_Asked]:
        asked = [self._queue.get()]
        count, until = len(asked[0].texts), time.monotonic() + self._wait
        while count < MOST_TEXTS:
            try:
                asked.append(self._queue.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                break
            count += len(asked[-1].texts)
        return asked

    def _embed(self, kind: str, asked: list[_Asked]) -> None:
        texts = list(dict.fromkeys(text for each in asked for text in each.texts))
        try:
            found = dict(zip(texts, self._run[kind](texts), strict=True))
        except Exception as error:
            if len(asked) == 1:
                asked[0].found.set_exception(error)
            else:  # one text that can not be embedded must not fail the others
                for each in asked:
                    self._embed(kind, [each])
            return
        self._cache.put({(kind, text): vector for text, vector in found.items()})
        for each in asked:
            each.found.set_result([found[text] for text in each.texts])


class _Cache(Generic[T]):
    """Vectors by kind and text, the least lately used dropped; safe to share between threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._held: OrderedDict[tuple[str, str], T] = OrderedDict()
        self._lock = threading.Lock()
        self.hits = self.misses = 0

    def get(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], T]:
        with self._lock:
            found = {key: self._held[key] for key in keys if key in self._held}
            for key in found:
                self._held.move_to_end(key)
            self.hits += len(found)
            self.misses += len(set(keys)) - len(found)
        return found

    def put(self, values: dict[tuple[str, str], T]) -> None:
        with self._lock:
            for key, value in values.items():
                if key not in self._held:
                    self._held[key] = value
                    self._size += _bytes(key, value)
            while self._size > self._limit:
                (key,) = islice(self._held, 1)
                self._size -= _bytes(key, self._held.pop(key))


def _bytes(key: tuple[str, str], value: object) -> int:
    vectors = value.vectors if isinstance(value, TokenVectors) else value
    assert isinstance(vectors, np.ndarray)
    return 200 + 4 * len(key[1]) + vectors.nbytes
