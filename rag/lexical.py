"""BM25 over integer terms: a cache beside the store, which can always be rebuilt from it.

Postings lie term by term (compressed columns): the rows that hold a term, ascending, and how
often. Document frequencies stay integers and weights are computed per question, so that
several indexes (a large base, a small delta) rank like one when they share a `Corpus`, and rows
can be declared dead.

Score of row d for the query terms t (Lucene's variant; S. Robertson and H. Zaragoza, The
Probabilistic Relevance Framework: BM25 and Beyond, 2009; variants compared in C. Kamphuis et
al., Which BM25 Do You Mean?, ECIR 2020):

    sum over t of idf(t) · tf / (tf + k1 · (1 − b + b · |d| / mean |d|))
    idf(t) = ln(1 + (N − df + ½) / (df + ½))
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rag.protocols import Rows, Scores

K1 = 1.2
B = 0.75
UNKNOWN = -1
"""Stands for a query term that the vocabulary lacks."""

BLOCK_ROWS = 4096
"""Rows that are sorted together when an index is built."""

ARRAYS = ("starts", "rows", "counts", "lengths")
_NONE: Rows = np.empty(0, dtype=np.int64)
_PAIR = np.dtype([("term", "<u4"), ("count", "<u4")])


def encode_terms(pairs: Iterable[tuple[int, int]]) -> bytes:
    """Return (term id, count) pairs as little-endian uint32, eight bytes a pair."""
    return np.array(list(pairs), dtype=_PAIR).tobytes()


def decode_terms(blob: bytes) -> list[tuple[int, int]]:
    """Return the pairs that `encode_terms` packed.

    Raises:
        ValueError: blob is not a whole number of pairs.
    """
    pairs: list[tuple[int, int]] = np.frombuffer(blob, dtype=_PAIR).tolist()
    return pairs


class LexicalIndex:
    """BM25 over rows 0 … n − 1. Immutable; safe to read from many threads."""

    def __init__(
        self,
        starts: NDArray[np.int64],
        rows: NDArray[np.int32],
        counts: NDArray[np.uint16],
        lengths: NDArray[np.int32],
        dead: Rows = _NONE,
    ) -> None:
        """Wrap postings.

        Args:
            starts: (terms + 1); the postings of term t are starts[t] : starts[t + 1].
            rows: (postings), ascending within a term.
            counts: (postings), how often the term occurs in the row.
            lengths: (n), terms in each row, repeats counted.
            dead: rows that are to be as if they were not there, ascending.
        """
        self._starts = starts
        self._rows = rows
        self._counts = counts
        self._lengths = lengths
        self._dead = dead
        self.alive = len(lengths) - len(dead)
        self.length = int(lengths.sum(dtype=np.int64) - lengths[dead].sum(dtype=np.int64))
        self._norms = (0.0, np.empty(0, dtype=np.float32))

    def __len__(self) -> int:
        return len(self._lengths)

    def without(self, dead: Rows) -> Self:
        """Return an index over the same postings in which these rows, ascending, are dead: they
        are not found, and count in no weight. Nothing is copied."""
        return type(self)(self._starts, self._rows, self._counts, self._lengths, dead)

    @classmethod
    def build(cls, blobs: Iterable[bytes]) -> Self:
        """Return the index whose row i holds the terms of the i-th blob (see `encode_terms`).

        Args:
            blobs: iterated over twice, so that never more is held than the index and a block.
        Raises:
            ValueError: a blob is not a whole number of pairs.
        """
        sizes = np.zeros(0, dtype=np.int64)
        lengths = [np.zeros(0, dtype=np.int32)]
        for _, pairs, rows in _blocks(blobs):
            found = np.bincount(pairs["term"])
            sizes = np.pad(sizes, (0, max(0, len(found) - len(sizes))))
            sizes[: len(found)] += found
            size = len(rows.sizes)
            lengths.append(
                np.bincount(rows.each(), weights=pairs["count"], minlength=size).astype(np.int32)
            )
        starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        postings = np.empty(starts[-1], dtype=np.int32)
        counts = np.empty(starts[-1], dtype=np.uint16)
        free = starts[:-1].copy()
        for first, pairs, rows in _blocks(blobs):
            order = _stable_order(np.ascontiguousarray(pairs["term"]))
            ids = pairs["term"][order]
            # The n-th posting of a term in this block goes to its n-th free place.
            begins = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1])))
            begins = begins[begins < len(ids)]
            rank = np.arange(len(ids)) - np.repeat(begins, np.diff(begins, append=len(ids)))
            places = free[ids] + rank
            postings[places] = rows.each()[order] + first
            counts[places] = np.minimum(pairs["count"][order], np.iinfo(np.uint16).max)
            found = np.bincount(ids)
            free[: len(found)] += found
        return cls(starts, postings, counts, np.concatenate(lengths))

    def save(self, folder: Path) -> None:
        """Write the postings as .npy files into folder, which is made if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, f"_{name}"), allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the index saved in folder, memory-mapped. Checksums are the caller's care.

        Raises:
            OSError, ValueError: a file is missing, or is no array.
        """
        arrays: list[Any] = [
            np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in ARRAYS
        ]
        return cls(*arrays)

    def same_as(self, other: "LexicalIndex") -> bool:
        """Tell whether both hold the same postings of rows that are not dead."""
        return all(map(np.array_equal, self._living(), other._living()))

    def _living(self) -> tuple[NDArray[Any], ...]:
        """Return sizes of terms, rows, counts and lengths, without what is of dead rows."""
        kept = np.ones(len(self), dtype=np.bool_)
        kept[self._dead] = False
        postings = kept[self._rows]
        ends = np.concatenate(([0], np.cumsum(postings)))[self._starts]
        sizes = np.trim_zeros(np.diff(ends), "b")
        return sizes, self._rows[postings], self._counts[postings], self._lengths * kept

    def frequencies(self, terms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return in how many rows each term occurs, dead ones left out; 0 for unknown terms."""
        known = (terms >= 0) & (terms < len(self._starts) - 1)
        at = np.where(known, terms, 0)
        if len(self._starts) < 2:
            return np.zeros(len(terms), dtype=np.int64)
        found = np.where(known, self._starts[at + 1] - self._starts[at], 0)
        if len(self._dead):
            found -= np.array([self._dead_holders(term) for term in terms.tolist()], np.int64)
        return found

    def _dead_holders(self, term: int) -> int:
        """Return how many dead rows hold a term."""
        holders, _ = self._postings(term)
        if len(holders) < len(self._dead):
            return int(_contained(holders, self._dead).sum())
        return int(_contained(self._dead, holders).sum())

    def search(
        self,
        terms: ArrayLike,
        k: int,
        allowed: NDArray[np.bool_] | None = None,
        corpus: "Corpus | None" = None,
    ) -> tuple[Scores, Rows]:
        """Return the k rows that score highest, ties by row.

        Args:
            terms: ids of the query's terms; a repeated term weighs as often, and UNKNOWN is
                passed over.
            k: rows wanted, >= 1; fewer return when fewer rows share a term with the query.
            allowed: (n) which rows may return; all by default.
            corpus: what weights are computed over; this index by default.
        Returns:
            scores (m,) float32, descending, above 0; rows (m,) int64.
        """
        ids, repeats = _distinct(np.asarray(terms, dtype=np.int64))
        corpus = corpus or Corpus((self,))
        weights = corpus.idf(ids) * repeats
        norms = self._norms_for(corpus.mean_length)
        scores = np.zeros(len(self), dtype=np.float32)
        for term, weight in zip(ids.tolist(), weights.tolist(), strict=True):
            rows, counts = self._postings(term)
            if len(rows):
                part = counts.astype(np.float32)
                part /= part + norms[rows]
                part *= np.float32(weight)
                scores[rows] += part
        scores[self._dead] = 0
        if allowed is not None:
            scores[~allowed] = 0
        return _best(scores, k)

    def overlap(
        self, terms: ArrayLike, rows: Rows, corpus: "Corpus | None" = None
    ) -> NDArray[np.float32]:
        """Return, for each row, the share of the query's IDF weight that occurs in it.

        Args:
            terms: ids of the query's terms, repeats counted once; a term that no row holds,
                or UNKNOWN, counts with the highest weight there is.
            rows: (r,) rows of this index.
        Returns:
            (r,) float32 from 0 to 1; 0 when the query has no terms.
        """
        given = np.asarray(terms, dtype=np.int64)
        # Every unknown term is a term of its own: they are not told apart by their ids.
        unknown = int((given == UNKNOWN).sum())
        ids, _ = _distinct(given[given != UNKNOWN])
        corpus = corpus or Corpus((self,))
        weights = corpus.idf(ids)
        total = float(weights.sum()) + unknown * float(corpus.idf(np.array([UNKNOWN]))[0])
        found = np.zeros(len(rows), dtype=np.float64)
        for term, weight in zip(ids.tolist(), weights.tolist(), strict=True):
            found += weight * _contained(rows, self._postings(term)[0])
        return (found / total if total else found).astype(np.float32)

    def _norms_for(self, mean_length: float) -> Scores:
        """Return k1 · (1 − b + b · length / mean) of every row, from the last search if it can."""
        known, norms = self._norms
        if known != mean_length:
            norms = (K1 * (1 - B + B / mean_length * self._lengths)).astype(np.float32)
            self._norms = (mean_length, norms)
        return norms

    def _postings(self, term: int) -> tuple[NDArray[np.int32], NDArray[np.uint16]]:
        if not 0 <= term < len(self._starts) - 1:
            return self._rows[:0], self._counts[:0]
        part = slice(int(self._starts[term]), int(self._starts[term + 1]))
        return self._rows[part], self._counts[part]


class Corpus:
    """What BM25 weights are computed over: one index, or several that rank like one."""

    def __init__(self, indexes: Sequence[LexicalIndex]) -> None:
        self._indexes = tuple(indexes)
        self.rows = sum(index.alive for index in self._indexes)
        self.mean_length = max(sum(index.length for index in self._indexes), 1) / max(self.rows, 1)

    def idf(self, terms: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the weight of each term; UNKNOWN and unseen terms get the highest."""
        frequencies = np.zeros(len(terms), dtype=np.int64)
        for index in self._indexes:
            frequencies += index.frequencies(terms)
        weights: NDArray[np.float64] = np.log1p(
            (self.rows - frequencies + 0.5) / (frequencies + 0.5)
        )
        return weights


@dataclass(frozen=True, slots=True)
class _Rows:
    """How many pairs each row of a block has."""

    sizes: NDArray[np.int64]

    def each(self) -> NDArray[np.int32]:
        """Return the row of each pair, from 0."""
        return np.repeat(np.arange(len(self.sizes), dtype=np.int32), self.sizes)


def _blocks(blobs: Iterable[bytes]) -> Iterator[tuple[int, NDArray[np.void], _Rows]]:
    """Yield the first row of each block, its pairs of term and count, and its rows."""
    first, remaining = 0, iter(blobs)
    while block := list(islice(remaining, BLOCK_ROWS)):
        if any(len(blob) % _PAIR.itemsize for blob in block):
            raise ValueError("a blob of terms is cut short; expected pairs of uint32")
        sizes = np.array([len(blob) // _PAIR.itemsize for blob in block], dtype=np.int64)
        yield first, np.frombuffer(b"".join(block), dtype=_PAIR), _Rows(sizes)
        first += len(block)


def _stable_order(ids: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return what np.argsort(ids, kind="stable") does, several times faster.

    Id and position are packed into 64 bits and sorted as one number.
    """
    keys = ids.astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= np.arange(len(ids), dtype=np.uint32)
    keys.sort()
    keys &= np.uint64(0xFFFFFFFF)
    return keys.view(np.int64)


def _distinct(terms: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the different terms, and how often each is given, in the order in which they are.

    Sums of floats depend on the order: that of ids would make scores those of one index only.
    """
    ids, first, repeats = np.unique(terms, return_index=True, return_counts=True)
    order = np.argsort(first)
    return ids[order], repeats[order]


def _contained(rows: NDArray[Any], holders: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which rows are among the holders, which ascend."""
    if not len(holders):
        return np.zeros(len(rows), dtype=np.bool_)
    rows = rows.astype(holders.dtype, copy=False)  # or numpy would copy the holders instead
    at = np.minimum(np.searchsorted(holders, rows), len(holders) - 1)
    found: NDArray[np.bool_] = holders[at] == rows
    return found


def _best(scores: Scores, k: int) -> tuple[Scores, Rows]:
    rows = np.flatnonzero(scores)
    if len(rows) > k:
        kept = scores[rows]
        # Every row that ties with the k-th stays in until ties are broken by row.
        rows = rows[kept >= np.partition(kept, len(kept) - k)[len(kept) - k]]
    order = np.lexsort((rows, -scores[rows]))[:k]
    rows = rows[order].astype(np.int64)
    return scores[rows], rows
