"""Find the passages of an index that answer a question: dense and lexical, fused."""

import threading
from collections.abc import Mapping, Sequence

import numpy as np

from rag import derived
from rag.analysis import ANALYSIS_VERSION, terms
from rag.candidates import Ranked, Search, rank
from rag.errors import ConfigError, IndexCorrupt
from rag.fusion import Retrieval
from rag.layers import Derived, VectorIndexFactory
from rag.lexical import UNKNOWN
from rag.protocols import Embedder, Vectors
from rag.store import Store
from rag.types import Filters, Hit, Mode

MAX_QUESTION = 4_000

KEPT = 3
"""Versions whose indexes are kept: who began to read before a commit searches as of then."""


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
        first = derived.load(store, make_index)
        self._known = {first.version: first}

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
            allowed = self.store.allowed(filters) if filters else None
            ranked = rank(indexes, Search(ids, queries, mode, allowed))
            hits = self._hits(indexes, ranked, k)
        return Retrieval(question, hits, _term_weights(indexes, known, found), ranked.background)

    def _embed(self, question: str) -> Vectors:
        if self.embedder is None:
            raise ConfigError("this search has no embedding model; expected mode lexical")
        return self.embedder.embed_queries([question])

    def _current(self) -> Derived:
        """Return indexes of the version that is being read, brought up to date when it is new."""
        version = self.store.version()
        known = self._known.get(version)
        if known is not None:
            return known
        with self._lock:
            if version not in self._known:
                # Restored or migrated: what was made by another model must not be searched.
                self.store.refresh()
                self._check()
                kept = {**self._known, version: self._made(version)}
                # Another dictionary: who looks into the one before takes no lock.
                self._known = dict(list(kept.items())[-KEPT:])
            return self._known[version]

    def _made(self, version: int) -> Derived:
        earlier = [each for each in self._known if each < version]
        if not earlier:
            return derived.load(self.store, self._make_index)
        return derived.followed(self._known[max(earlier)], self.store, self._make_index)

    def _hits(self, indexes: Derived, ranked: Ranked, k: int) -> tuple[Hit, ...]:
        rows = indexes.rows_at(ranked.places[:k]).tolist()
        passages = self.store.passages(rows)
        if len(passages) < len(rows):
            raise IndexCorrupt(
                f"{self.store.database} is damaged: passages are gone; repair it, then ingest its "
                "folders again"
            )
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
    weights = indexes.corpus.idf(ids)
    return dict(zip(unique, (weights / max(weights.sum(), 1e-9)).tolist(), strict=True))
