"""Find the passages of an index that answer a question: dense and lexical, fused."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag import derived
from rag.analysis import ANALYSIS_VERSION, terms
from rag.derived import Derived, Group, VectorIndexFactory
from rag.errors import ConfigError
from rag.fusion import NO_BACKGROUND, Background, Retrieval, background, fuse, sample_rows
from rag.lexical import UNKNOWN, Corpus
from rag.protocols import Embedder, Rows, Scores, Vectors
from rag.store import Store
from rag.types import Filters, Hit, Mode

# Candidates taken from each ranking.
DEPTH = 100
MAX_QUESTION = 4_000


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Positions in the derived indexes, best first, with what is known of each."""

    positions: Rows
    scores: Scores
    similarity: Scores | None
    overlap: NDArray[np.float32]
    background: Background


def check_question(question: str) -> str:
    """Return the question trimmed.

    Raises:
        ConfigError: it is empty, longer than a question can be, or no valid text.
    """
    trimmed = question.strip()
    if not trimmed:
        raise ConfigError("the question is empty; expected some words")
    if len(trimmed) > MAX_QUESTION:
        raise ConfigError(
            f"the question has {len(trimmed):,} characters; expected at most {MAX_QUESTION:,}: "
            "shorten it"
        )
    if any("\ud800" <= character <= "\udfff" for character in trimmed):
        raise ConfigError("the question is not valid text; expected UTF-8")
    return trimmed


class Retriever:
    """Searches one index; follows the store when another process changes it."""

    def __init__(
        self, store: Store, embedder: Embedder | None, make_index: VectorIndexFactory
    ) -> None:
        """Open the indexes. Without an embedder only lexical searches can be made.

        Raises:
            IndexMismatch: the index was made with another model.
            IndexCorrupt: the index is damaged.
        """
        self.store = store
        self.embedder = embedder
        self._check()
        self._make_index = make_index
        self._lock = threading.Lock()
        self._derived = derived.load(store, make_index)

    def _check(self) -> None:
        self.store.check(analysis=str(ANALYSIS_VERSION))
        if self.embedder is not None:
            self.store.check(embedder_fingerprint=self.embedder.fingerprint)

    def search(
        self,
        question: str,
        k: int,
        mode: Mode = Mode.HYBRID,
        filters: Filters | None = None,
    ) -> Retrieval:
        """Find the k best passages for a question, fewer where fewer are found.

        All is read in one transaction: hits are of one version of the index.

        Raises:
            ConfigError: the question is empty or too long; or vectors are wanted of a retriever
                without an embedder.
            IndexCorrupt: what was found does not match its checksum.
        """
        question = check_question(question)
        queries = self._embed(question) if mode is not Mode.LEXICAL else None
        found = terms(question)
        with self.store.reading():
            indexes = self._current()
            known = self.store.term_ids(set(found))
            ids = [known.get(term, UNKNOWN) for term in found]
            allowed = indexes.positions(self.store.allowed(filters)) if filters else None
            ranked = self._rank(indexes, ids, queries, mode, allowed)
            hits = self._hits(indexes, ranked, k)
        return Retrieval(question, hits, _term_weights(indexes, known, found), ranked.background)

    def _embed(self, question: str) -> Vectors:
        if self.embedder is None:
            raise ConfigError("this search has no embedding model; expected mode lexical")
        return self.embedder.embed_queries([question])

    def _current(self) -> Derived:
        """Return indexes of the store's present version, made anew when it has changed."""
        version = self.store.version()
        with self._lock:
            if self._derived.version != version:
                # Restored or migrated: what was made by another model must not be searched.
                self.store.refresh()
                self._check()
                self._derived = derived.load(self.store, self._make_index)
            return self._derived

    def _rank(
        self,
        indexes: Derived,
        ids: list[int],
        queries: Vectors | None,
        mode: Mode,
        allowed: Rows | None,
    ) -> _Ranked:
        if queries is None:
            scores, positions = _lexical(indexes, ids, allowed)
            overlap = indexes.lexical.overlap(ids, positions)
            return _Ranked(positions, scores, None, overlap, NO_BACKGROUND)
        found_at = _dense(indexes, queries, allowed)
        if mode is Mode.HYBRID:
            found_at = np.union1d(found_at, _lexical(indexes, ids, allowed)[1])
        return _score(indexes, queries, found_at, ids, mode)

    def _hits(self, indexes: Derived, ranked: _Ranked, k: int) -> tuple[Hit, ...]:
        rows = indexes.rows[ranked.positions[:k]].tolist()
        passages = self.store.passages(rows)
        return tuple(
            Hit(
                passage=passages[row],
                rank=i + 1,
                score=float(ranked.scores[i]),
                similarity=None if ranked.similarity is None else float(ranked.similarity[i]),
                overlap=float(ranked.overlap[i]),
            )
            for i, row in enumerate(rows)
        )


def _term_weights(
    indexes: Derived, known: Mapping[str, int], found: Sequence[str]
) -> dict[str, float]:
    unique = sorted(set(found))
    ids = np.array([known.get(term, UNKNOWN) for term in unique], dtype=np.int64)
    weights = Corpus((indexes.lexical,)).idf(ids)
    return dict(zip(unique, (weights / max(weights.sum(), 1e-9)).tolist(), strict=True))


def _dense(indexes: Derived, queries: Vectors, allowed: Rows | None) -> Rows:
    """Return the positions of the best passages of each language, ascending."""
    found: list[Rows] = [np.empty(0, dtype=np.int64)]
    for group in indexes.groups:
        if allowed is None:
            found.append(group.start + group.vectors.search(queries, DEPTH)[1][0])
        else:
            members = _members(allowed, group)
            scores = group.vectors.scores(queries, members - group.start)[0]
            found.append(members[np.argsort(-scores, kind="stable")[:DEPTH]])
    return np.sort(np.concatenate(found))


def _members(positions: Rows, group: Group) -> Rows:
    """Return those of the ascending positions that lie in the group."""
    first, last = np.searchsorted(positions, [group.start, group.start + len(group.vectors)])
    return positions[first:last]


def _background(indexes: Derived, queries: Vectors) -> Background:
    sizes = {group.language: len(group.vectors) for group in indexes.groups}
    samples = {
        group.language: group.vectors.scores(queries, sample_rows(len(group.vectors)))[0]
        for group in indexes.groups
    }
    reference = {
        language: (vectors @ queries[0]).astype(np.float32)
        for language, vectors in indexes.reference.items()
    }
    return background(samples, sizes, reference)


def _score(
    indexes: Derived, queries: Vectors, positions: Rows, ids: list[int], mode: Mode
) -> _Ranked:
    """Score candidates, given by ascending positions, and put them in order."""
    ground = _background(indexes, queries)
    similarity = [np.empty(0, dtype=np.float32)]
    standardised = [np.empty(0, dtype=np.float32)]
    for group in indexes.groups:
        cosines = group.vectors.scores(queries, _members(positions, group) - group.start)[0]
        similarity.append(cosines)
        standardised.append((cosines - ground.means[group.language]) / ground.deviation)
    overlap = indexes.lexical.overlap(ids, positions)
    scores = np.concatenate(standardised)
    if mode is Mode.HYBRID:
        scores = fuse(scores, overlap)
    order = np.lexsort((positions, -scores))
    return _Ranked(
        positions[order],
        scores[order],
        np.concatenate(similarity)[order],
        overlap[order],
        ground,
    )


def _lexical(indexes: Derived, ids: list[int], allowed: Rows | None) -> tuple[Scores, Rows]:
    mask = None
    if allowed is not None:
        mask = np.zeros(len(indexes.lexical), dtype=np.bool_)
        mask[allowed] = True
    return indexes.lexical.search(ids, DEPTH, mask)
