"""Vectors on disk and exact search over them, without FAISS.

A matrix of vectors is one `.npy` file: memory-mapped, so that processes share its pages, and used
only when its checksum holds (`rag.base`). FAISS 1.15 loads a damaged file of its own without
complaint and then ranks wrongly, so none is written.
"""

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from rag.protocols import Rows, Scores, Vectors

THREADS = 4
BLOCK = 8 * 1024 * 1024
"""Bytes of a file that one thread reads at a time for its checksum."""


def write_vectors(path: Path, blocks: Iterable[Vectors], rows: int, dim: int) -> None:
    """Write blocks as one (rows, dim) float32 matrix.

    The file appears under its name only when it is whole and on disk.

    Raises:
        ValueError: the blocks are not (rows, dim) together.
        OSError: the disk is full, or may not be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            _write(file, blocks, rows, dim)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _write(file: BinaryIO, blocks: Iterable[Vectors], rows: int, dim: int) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": (rows, dim)}
    npy.write_array_header_1_0(file, header)
    written = 0
    for block in blocks:
        if block.ndim != 2 or block.shape[1] != dim:
            raise ValueError(f"a block has shape {block.shape}; expected (n, {dim})")
        written += len(block)
        file.write(np.ascontiguousarray(block, dtype="<f4").data)
    if written != rows:
        raise ValueError(f"the blocks hold {written} vectors; expected {rows}")


def file_checksum(path: Path) -> str:
    """Return the SHA-256 over those of a file's blocks, in hexadecimal.

    Blocks are read by several threads: hashing holds no lock of the interpreter, and most
    processors have instructions for this hash.
    """

    def digest(start: int) -> bytes:
        with path.open("rb") as file:
            file.seek(start)
            return hashlib.sha256(file.read(BLOCK)).digest()

    starts = range(0, path.stat().st_size, BLOCK)
    if len(starts) < 2:  # threads take longer to start
        return hashlib.sha256(b"".join(map(digest, starts))).hexdigest()
    with ThreadPoolExecutor(THREADS) as pool:
        return hashlib.sha256(b"".join(pool.map(digest, starts))).hexdigest()


class ExactIndex:
    """Inner-product search in numpy: what every other index is checked against."""

    def __init__(self, matrix: Vectors) -> None:
        """Wrap a (n, dim) float32 matrix, which is not copied and must not change.

        Raises:
            ValueError: matrix has not two dimensions.
        """
        self._matrix = as_matrix(matrix)

    def __len__(self) -> int:
        return len(self._matrix)

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """See `rag.protocols.VectorIndex.search`; ties are broken by row."""
        queries = as_queries(queries, self._matrix.shape[1], k)
        scores = queries @ self._matrix.T
        rows = np.argsort(-scores, axis=1, kind="stable")[:, :k].astype(np.int64)
        return np.take_along_axis(scores, rows, axis=1), rows

    def scores(self, queries: Vectors, rows: Rows) -> Scores:
        """See `rag.protocols.VectorIndex.scores`."""
        return exact_scores(self._matrix, queries, rows)


def as_matrix(matrix: Vectors) -> Vectors:
    """Return matrix as C-contiguous float32, uncopied where it is that already.

    Raises:
        ValueError: matrix has not two dimensions.
    """
    if matrix.ndim != 2:
        raise ValueError(f"the matrix has shape {matrix.shape}; expected (n, dim)")
    return np.ascontiguousarray(matrix, dtype=np.float32)


def as_queries(queries: Vectors, dim: int, k: int = 1) -> Vectors:
    """Return queries as C-contiguous float32.

    Raises:
        ValueError: queries are not (q, dim), or k is below 1.
    """
    if queries.ndim != 2 or queries.shape[1] != dim:
        raise ValueError(f"the queries have shape {queries.shape}; expected (q, {dim})")
    if k < 1:
        raise ValueError(f"k is {k}; expected at least 1")
    return np.ascontiguousarray(queries, dtype=np.float32)


def exact_scores(matrix: Vectors, queries: Vectors, rows: Rows) -> Scores:
    """Return (q, len(rows)) inner products of queries with the given rows of matrix.

    Raises:
        ValueError: dim differs.
        IndexError: a row is not in the matrix.
    """
    queries = as_queries(queries, matrix.shape[1])
    scores = np.empty((len(queries), len(rows)), dtype=np.float32)
    # In blocks, so that filtering a large index does not copy it whole.
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        # Not a product of matrices: in that the last bits of a row's score may depend on which
        # other rows are asked for, and then base and delta would not rank like one index.
        scores[:, part] = np.einsum("qd,rd->qr", queries, matrix[rows[part]], optimize=False)
    return scores


def order_ties(scores: Scores, rows: Rows) -> tuple[Scores, Rows]:
    """Return both sorted along each line by descending score, then by ascending row."""
    order = np.lexsort((rows, -scores), axis=1)
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(rows, order, axis=1)


_BLOCK = 16_384
