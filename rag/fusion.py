"""One ranking out of cosine similarity and the share of the query's terms, fair to languages.

score = (cosine − mean of the language) / deviation + 4 · overlap

Embedding models rank a passage in the query's own language above a better one in another: over
mixed collections that hid most answers in other languages (XQuAD mixed: recall@5 .48, corrected
.91).
So a cosine counts by how far it lies above what the query has with passages of that language.
Overlap is the share of the query's IDF weight that a passage holds; across languages it is near
nothing, and the dense ranking stands alone. docs/decisions/0008-fusion.md has this and
reciprocal-rank fusion measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.protocols import Scores
from rag.types import Hit

OVERLAP_WEIGHT = 4.0
SAMPLE = 256
# A language's mean is mixed with that of so many sentences about nothing in particular
# (rag.reference): a few passages, all of which may be to the point, say little themselves.
PRIOR = 5
# Of a few passages the deviation says nothing; multilingual-e5's is about 0.02.
LEAST_DEVIATION = 0.01


@dataclass(frozen=True, slots=True)
class Background:
    """A query's cosines to text that does not answer it.

    Attributes:
        means: over the index's passages and neutral sentences, by language of the passages.
        deviation: from those means.
        neutral_means: over neutral sentences alone, by language of the passages.
        neutral_deviation: from those means.
    """

    means: Mapping[str, float]
    deviation: float
    neutral_means: Mapping[str, float]
    neutral_deviation: float

    def standardise(self, cosine: float, language: str) -> float:
        """Return a cosine as deviations above the mean of its language."""
        return (cosine - self.means[language]) / self.deviation

    def lift(self, cosine: float, language: str) -> float:
        """Return a cosine as deviations above neutral sentences, whatever the index holds."""
        return (cosine - self.neutral_means[language]) / self.neutral_deviation

    def topic(self, language: str) -> float:
        """Return how far the index's passages lie above neutral sentences on the whole: near
        nothing where it holds many subjects, some deviations where all of it is on the
        question's."""
        above = self.means[language] - self.neutral_means[language]
        return above / self.neutral_deviation


NO_BACKGROUND = Background({}, 1.0, {}, 1.0)


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What a search found, and what scoring sentences of it needs.

    Attributes:
        question: as it was searched, trimmed.
        term_weights: the share of the question's IDF weight of each of its terms; they sum to 1.
        background: of the question; without means when no vectors were used.
    """

    question: str
    hits: tuple[Hit, ...]
    term_weights: Mapping[str, float]
    background: Background


def background(
    samples: Mapping[str, Scores], sizes: Mapping[str, int], reference: Mapping[str, Scores]
) -> Background:
    """Return the background of a query.

    Args:
        samples: for each language, the query's cosines to some of its passages, at least one.
        sizes: passages in each language.
        reference: for some languages, the query's cosines to sentences that have nothing to do
            with it; those of all languages stand in for one that is missing.
    """
    if not samples:
        return NO_BACKGROUND
    everything = np.concatenate(list(reference.values()))
    means: dict[str, float] = {}
    neutral_means: dict[str, float] = {}
    squares = 0.0
    for language, cosines in samples.items():
        # In order of size: a sum of floats depends on the order, which is that of ingestion.
        sample = np.sort(cosines)
        size, neutral = sizes[language], reference.get(language, everything)
        mean = (float(sample.mean()) * size + float(neutral.mean()) * PRIOR) / (size + PRIOR)
        means[language] = mean
        neutral_means[language] = float(neutral.mean())
        squares += size * float(((sample - mean) ** 2).mean())
        squares += PRIOR * float(((neutral - mean) ** 2).mean())
    variance = squares / (sum(sizes.values()) + PRIOR * len(sizes))
    spread = np.mean([cosines.var() for cosines in reference.values()])
    return Background(
        means,
        max(variance**0.5, LEAST_DEVIATION),
        neutral_means,
        max(float(spread) ** 0.5, LEAST_DEVIATION),
    )


def fuse(standardised: Scores, overlap: NDArray[np.float32]) -> Scores:
    """Return fused scores from standardised cosines and shares of term weight, each (n,)."""
    return standardised + np.float32(OVERLAP_WEIGHT) * overlap


def sample_rows(count: int) -> NDArray[np.int64]:
    """Return rows spread evenly over a group of `count` >= 1, at most `SAMPLE`."""
    return np.linspace(0, count - 1, min(count, SAMPLE)).astype(np.int64)
