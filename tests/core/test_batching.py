"""Texts of several threads embedded together: the same vectors, in fewer calls."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.batching import MOST_TEXTS, BatchingEmbedder
from rag.protocols import TokenVectors, Vectors
from rag.testing import HashEmbedder


class Counting(HashEmbedder):
    """Remembers the texts of each call; waits for a gate, and fails on one text."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[str]] = []
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed, once the gate is open."""
        self.entered.set()
        self.gate.wait(10)
        self.calls.append(list(texts))
        if "bad" in texts:
            raise ValueError("bad")
        return super().embed_queries(texts)

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embed, and count."""
        self.calls.append(list(texts))
        return super().embed_tokens(texts)


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.sampled_from(["a b", "c", "дом", "猫", ""]), max_size=4), max_size=6))
def test_the_vectors_are_those_of_the_embedder(asked: list[list[str]]) -> None:
    """Whoever asks at the same time, in the order of the texts, repeated ones too."""
    plain, batching = HashEmbedder(), BatchingEmbedder(HashEmbedder(), wait=0.001)
    with ThreadPoolExecutor(4) as pool:
        for texts, found in zip(asked, pool.map(batching.embed_queries, asked), strict=True):
            assert found.shape == (len(texts), batching.dim) and found.dtype == np.float32
            assert np.array_equal(found, plain.embed_queries(texts))
        for texts, tokens in zip(asked, pool.map(batching.embed_tokens, asked), strict=True):
            for ours, theirs in zip(tokens, plain.embed_tokens(texts), strict=True):
                assert np.array_equal(ours.vectors, theirs.vectors)
                assert np.array_equal(ours.spans, theirs.spans)


def test_what_is_asked_while_the_model_is_busy_goes_together() -> None:
    """Sixteen questions in two calls: the first, and all that came meanwhile."""
    inner = Counting()
    inner.gate.clear()
    batching = BatchingEmbedder(inner, wait=0.0)
    with ThreadPoolExecutor(16) as pool:
        first = pool.submit(batching.embed_queries, ["q0"])
        assert inner.entered.wait(10)
        rest = [pool.submit(batching.embed_queries, [f"q{i}"]) for i in range(1, 16)]
        until = time.monotonic() + 10
        while batching._queue.qsize() < 15 and time.monotonic() < until:
            time.sleep(0.001)
        inner.gate.set()
        for i, each in enumerate([first, *rest]):
            assert np.array_equal(each.result(), HashEmbedder().embed_queries([f"q{i}"]))
    assert [len(call) for call in inner.calls] == [1, 15]


def test_nothing_is_embedded_twice_until_it_is_forgotten() -> None:
    """The cache holds so many bytes, the least lately used is dropped; kinds are apart."""
    inner = Counting()
    batching = BatchingEmbedder(inner, wait=0.0, cache_bytes=3 * (4 * inner.dim + 250))
    for text in ("a", "b", "c", "a", "a"):
        batching.embed_queries([text])
    assert inner.calls == [["a"], ["b"], ["c"]] and batching.cached == (2, 3)
    batching.embed_queries(["d", "a"])
    batching.embed_queries(["b"])
    assert inner.calls[3:] == [["d"], ["b"]]
    batching.embed_tokens(["a"])
    assert inner.calls[-1] == ["a"]


def test_one_bad_text_fails_its_own_request_only() -> None:
    """The others of its batch are embedded after all."""
    inner = Counting()
    inner.gate.clear()
    batching = BatchingEmbedder(inner, wait=0.05)
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(batching.embed_queries, [text]) for text in ("a", "bad", "b")]
        inner.gate.set()
        with pytest.raises(ValueError, match="bad"):
            asked[1].result()
        for found, text in ((asked[0], "a"), (asked[2], "b")):
            assert np.array_equal(found.result(), HashEmbedder().embed_queries([text]))


def test_many_texts_at_once_pass_by() -> None:
    """An ingest does not wait for questions, nor they for it, and fills no cache."""
    inner = Counting()
    batching = BatchingEmbedder(inner, wait=0.0)
    texts = [str(i) for i in range(MOST_TEXTS + 1)]
    assert batching.embed_queries(texts).shape == (len(texts), inner.dim)
    assert batching.embed_passages(texts).shape == (len(texts), inner.dim)
    assert batching.cached == (0, 0) and len(inner.calls) == 1
