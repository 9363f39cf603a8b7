"""How near the words of one text come to the sentences of another, token by token.

Late interaction (ColBERT, arXiv:2004.12832) with an embedder's own token vectors: a token of
the question is as near to a sentence as to the nearest of its tokens. A sentence's own vector is
the mean of its tokens in their passage, so a passage is read once for both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.protocols import TokenVectors, Vectors

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Near:
    """Sentences of one text beside another text.

    Attributes:
        tokens: (sentences, t) float32, the best cosine of each of the other text's t word
            tokens in a sentence.
        means: (sentences, dim) float32, unit L2 norm, or zero for a sentence without tokens.
    """

    tokens: Matrix
    means: Vectors


def lay(words: Vectors, tokens: TokenVectors, sentences: Sequence[tuple[int, int]]) -> Near:
    """Lay a text, given by its word tokens (t, dim), against the sentences of another.

    Args:
        tokens: of the whole other text.
        sentences: their spans in it; a token belongs to the one that holds its middle.
    """
    cosines = tokens.vectors @ words.T
    middles = tokens.spans.mean(axis=1) if len(tokens.spans) else np.empty(0)
    near = np.zeros((len(sentences), len(words)), np.float32)
    means = np.zeros((len(sentences), words.shape[1]), np.float32)
    for row, (start, end) in enumerate(sentences):
        own = (start <= middles) & (middles <= end)
        if own.any():
            near[row] = cosines[own].max(axis=0)
            mean = tokens.vectors[own].mean(axis=0)
            means[row] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return Near(near, means)
