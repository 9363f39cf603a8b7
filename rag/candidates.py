"""Which passages of an index come into question, and in what order: dense and lexical, fused.

What is found does not depend on how the passages lie in layers: candidates are the best by exact
scores, and where scores are equal the order is that of languages, then of rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.fusion import NO_BACKGROUND, Background, background, fuse
from rag.layers import NONE, Derived, Group, Layer
from rag.protocols import Rows, Scores, Vectors
from rag.types import Mode

DEPTH = 100
"""Candidates taken from each ranking; of the dense one, in each language."""
SPARE = 28
"""Rows asked of a vector index beyond those wanted: dead ones, and those of nearly equal score."""
MOST = 2_048
"""No index is asked for more rows; a GPU gives no more."""
ROUNDING = 5e-5
"""By more than this no index's inner product of unit vectors differs from the exact one: n · u =
2.3e-5 in single precision and 384 dimensions (N. Higham, Accuracy and Stability of Numerical
Algorithms, 2002, section 3.1)."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for.

    Attributes:
        ids: of the query's terms.
        queries: (1, dim), None where only words count.
        allowed: rows that may be found, ascending; None for all.
    """

    ids: Sequence[int]
    queries: Vectors | None
    mode: Mode
    allowed: Rows | None


@dataclass(frozen=True, slots=True)
class Ranked:
    """Places in the derived indexes, best first, with what is known of each."""

    places: Rows
    scores: Scores
    similarity: Scores | None
    overlap: NDArray[np.float32]
    background: Background


def rank(indexes: Derived, search: Search) -> Ranked:
    """Return the candidates for a search, best first."""
    allowed = _allowed(indexes, search.allowed)
    if search.queries is None:
        places, scores = _by_words(indexes, search.ids, allowed)
        overlap = _overlap(indexes, search.ids, places)
        return Ranked(places, scores, None, overlap, NO_BACKGROUND)
    places = _by_vectors(indexes, search.queries, allowed)
    if search.mode is Mode.HYBRID:
        places = np.union1d(places, _by_words(indexes, search.ids, allowed)[0])
    return _scored(indexes, search, search.queries, places)


def _allowed(indexes: Derived, rows: Rows | None) -> list[Rows] | None:
    """Return the positions of allowed rows in each layer, ascending."""
    return None if rows is None else [layer.positions(rows) for layer in indexes.layers]


# -- dense ----------------------------------------------------------------------------------


def _by_vectors(indexes: Derived, queries: Vectors, allowed: list[Rows] | None) -> Rows:
    """Return the places of the best passages of each language."""
    best = [NONE]
    for language in indexes.sizes:
        places, scores = [NONE], [np.empty(0, dtype=np.float32)]
        for i, layer, group in indexes.groups(language):
            if allowed is None:
                positions, similarity = nearest(layer, group, queries)
            else:
                positions, similarity = _best(group, queries, group.part(allowed[i]))
            places.append(indexes.starts[i] + positions)
            scores.append(similarity)
        everything = np.concatenate(places)
        order = np.lexsort((indexes.rows_at(everything), -np.concatenate(scores)))
        best.append(everything[order[:DEPTH]])
    return np.concatenate(best)


def nearest(layer: Layer, group: Group, queries: Vectors) -> tuple[Rows, Scores]:
    """Return the positions of the `DEPTH` living passages of a group that are most similar, and
    their exact scores, descending, ties by position.

    A vector index knows nothing of the dead: it is asked for more, and those are left out, until
    no row that it has not given can belong to the best. Where it can not give so many, all are
    scored.
    """
    dead = group.part(layer.dead)
    wanted = DEPTH + SPARE
    while wanted < len(group.vectors) and wanted <= MOST:
        scores, found = group.vectors.search(queries, wanted)
        living = np.setdiff1d(found[0] + group.start, dead)
        best = _best(group, queries, living)
        if len(best[0]) == DEPTH and scores[0, -1] < best[1][-1] - ROUNDING:
            return best
        wanted *= 4
    return _best(group, queries, layer.living(group))


def _best(group: Group, queries: Vectors, positions: Rows) -> tuple[Rows, Scores]:
    """Return the best of the given positions, which ascend, with their exact scores."""
    scores = group.vectors.scores(queries, positions - group.start)[0]
    order = np.argsort(-scores, kind="stable")[:DEPTH]
    return positions[order], scores[order]


# -- lexical --------------------------------------------------------------------------------


def _by_words(
    indexes: Derived, ids: Sequence[int], allowed: list[Rows] | None
) -> tuple[Rows, Scores]:
    """Return the places of the best passages, best first, and their scores."""
    places, scores = [NONE], [np.empty(0, dtype=np.float32)]
    for i, layer in enumerate(indexes.layers):
        mask = None
        if allowed is not None:
            mask = np.zeros(len(layer.lexical), dtype=np.bool_)
            mask[allowed[i]] = True
        found, positions = layer.lexical.search(list(ids), DEPTH, mask, indexes.corpus)
        places.append(indexes.starts[i] + positions)
        scores.append(found)
    everything, values = np.concatenate(places), np.concatenate(scores)
    order = indexes.order(everything, values)[:DEPTH]
    return everything[order], values[order]


def _overlap(indexes: Derived, ids: Sequence[int], places: Rows) -> NDArray[np.float32]:
    overlap = np.empty(len(places), dtype=np.float32)
    for layer, at, positions in indexes.by_layer(places):
        overlap[at] = layer.lexical.overlap(list(ids), positions, indexes.corpus)
    return overlap


# -- both -----------------------------------------------------------------------------------


def _scored(indexes: Derived, search: Search, queries: Vectors, places: Rows) -> Ranked:
    """Score candidates and put them in order."""
    ground = _background(indexes, queries)
    similarity = _cosines(indexes, queries, places)
    languages = [indexes.languages[number] for number in indexes.languages_at(places)]
    means = np.array([ground.means[language] for language in languages], dtype=np.float32)
    scores = (similarity - means) / np.float32(ground.deviation)
    overlap = _overlap(indexes, search.ids, places)
    if search.mode is Mode.HYBRID:
        scores = fuse(scores, overlap)
    order = indexes.order(places, scores)
    return Ranked(places[order], scores[order], similarity[order], overlap[order], ground)


def _cosines(indexes: Derived, queries: Vectors, places: Rows) -> Scores:
    """Return the exact similarity of passages, in the order of places."""
    scores = np.empty(len(places), dtype=np.float32)
    for layer, at, positions in indexes.by_layer(places):
        for group in layer.groups:
            here = (group.start <= positions) & (positions < group.end)
            scores[at[here]] = group.vectors.scores(queries, positions[here] - group.start)[0]
    return scores


def _background(indexes: Derived, queries: Vectors) -> Background:
    samples = {
        language: _cosines(indexes, queries, places) for language, places in indexes.samples.items()
    }
    reference = {
        language: (vectors @ queries[0]).astype(np.float32)
        for language, vectors in indexes.reference.items()
    }
    return background(samples, indexes.sizes, reference)
