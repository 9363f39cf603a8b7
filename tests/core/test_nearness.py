"""Words laid against sentences: the best cosine of each, worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.nearness import lay
from rag.protocols import TokenVectors
from rag.testing import HashEmbedder

EAST, NORTH, BETWEEN = [1.0, 0.0], [0.0, 1.0], [0.6, 0.8]


def tokens(*found: tuple[int, int, list[float]]) -> TokenVectors:
    """Return tokens given as start, end, vector."""
    spans = np.array([token[:2] for token in found], np.int64).reshape(-1, 2)
    vectors = np.array([token[2] for token in found], np.float32).reshape(-1, 2)
    return TokenVectors(spans, vectors)


def words(*vectors: list[float]) -> np.ndarray:
    return np.array(vectors, np.float32)


def test_each_word_is_as_near_as_the_nearest_token() -> None:
    """Two sentences, two words; 0.6 and 0.8 are the cosines of the token between."""
    text = tokens((0, 3, EAST), (4, 8, BETWEEN), (9, 12, BETWEEN))
    near = lay(words(EAST, NORTH), text, [(0, 8), (9, 12)])
    np.testing.assert_allclose(near.tokens, [[1.0, 0.8], [0.6, 0.8]], atol=1e-6)
    # (1.6, 0.8) / √3.2 is the mean of the first two tokens at unit length.
    np.testing.assert_allclose(near.means[0], [1.6 / 3.2**0.5, 0.8 / 3.2**0.5], atol=1e-6)
    np.testing.assert_allclose(near.means[1], BETWEEN, atol=1e-6)
    assert near.tokens.dtype == near.means.dtype == np.float32


def test_a_token_belongs_to_the_sentence_that_holds_its_middle() -> None:
    """Tokenizers count the space before a word as its part."""
    text = tokens((0, 4, EAST), (4, 10, NORTH))
    near = lay(words(EAST, NORTH), text, [(0, 4), (5, 10)])
    np.testing.assert_allclose(near.tokens, [[1.0, 0.0], [0.0, 1.0]])


def test_a_sentence_without_tokens_is_near_to_nothing() -> None:
    """Zeros, and no warning of an empty mean; likewise a text without any token."""
    near = lay(words(EAST), tokens((0, 3, EAST)), [(0, 3), (5, 9)])
    assert near.tokens.tolist() == [[1.0], [0.0]] and near.means[1].tolist() == [0.0, 0.0]
    empty = lay(words(EAST, NORTH), tokens(), [(0, 3)])
    assert empty.tokens.tolist() == [[0.0, 0.0]]
    assert lay(words(EAST), tokens(), []).tokens.shape == (0, 1)


@given(st.lists(st.sampled_from(["cat", "dog", "milk", "1994", "кошка", "猫"]), min_size=1))
def test_words_of_a_text_are_nearest_to_themselves(said: list[str]) -> None:
    """Every word of a text has cosine 1 with the text itself."""
    text = " ".join(said)
    (found,) = HashEmbedder().embed_tokens([text])
    near = lay(found.vectors, found, [(0, len(text))])
    assert near.tokens == pytest.approx(1.0, abs=1e-5)
    assert float(np.linalg.norm(near.means[0])) == pytest.approx(1.0, abs=1e-5)
