"""Exact inner-product search by FAISS, on the CPU or on an NVIDIA GPU.

Filters never go through FAISS: its GPU indexes have ignored id selectors without a word
(faiss issues 3114 and 3924). `scores` computes the allowed rows exactly from the matrix in
host memory instead.
"""

import logging
import threading
from types import ModuleType

import numpy as np

from rag.errors import ConfigError
from rag.protocols import Rows, Scores, VectorIndex, Vectors
from rag.vectors import as_matrix, as_queries, exact_scores, order_ties

logger = logging.getLogger(__name__)

GPU_MAX_K = 2048
"""FAISS on a GPU selects at most this many rows (faiss, GPU_MAX_SELECTION_K)."""
GPU_TEMP_BYTES = 256 << 20
"""Scratch memory on the GPU; FAISS would take 1.5 GB or more by itself."""
_ADD_ROWS = 65_536


def flat_index(matrix: Vectors, device: str) -> VectorIndex:
    """Return an exact index over the rows of matrix.

    Args:
        matrix: (n, dim) float32; may be a read-only memory map. It is not copied on the CPU
            and must not change.
        device: auto (the GPU where FAISS can use one), cpu or cuda.
    Raises:
        ConfigError: device is cuda, and FAISS can not use a GPU here.
    """
    import faiss

    if device == "cpu":
        return FlatIndex(matrix)
    reason = _why_no_gpu(faiss)
    if not reason:
        try:
            return GpuFlatIndex(matrix, faiss)
        except RuntimeError as error:
            reason = f"the GPU failed ({str(error).splitlines()[0]})"
    if device == "cuda":
        raise ConfigError(f"device is 'cuda', but {reason}; set device to cpu or auto")
    logger.info("FAISS searches on the CPU: %s", reason)
    return FlatIndex(matrix)


def _why_no_gpu(faiss: ModuleType) -> str:
    if not hasattr(faiss, "StandardGpuResources"):
        return f"faiss {faiss.__version__} is built without GPU support (install faiss-gpu)"
    return "" if faiss.get_num_gpus() > 0 else "faiss sees no GPU"


class FlatIndex:
    """Search on the CPU. Safe to use from many threads."""

    def __init__(self, matrix: Vectors) -> None:
        """Wrap a (n, dim) float32 matrix.

        Raises:
            ValueError: matrix has not two dimensions.
        """
        self._matrix = as_matrix(matrix)

    def __len__(self) -> int:
        return len(self._matrix)

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """See `rag.protocols.VectorIndex.search`; ties among the returned go by row."""
        queries = as_queries(queries, self._matrix.shape[1], k)
        return _search_host(self._matrix, queries, k)

    def scores(self, queries: Vectors, rows: Rows) -> Scores:
        """See `rag.protocols.VectorIndex.scores`."""
        return exact_scores(self._matrix, queries, rows)


def _search_host(matrix: Vectors, queries: Vectors, k: int) -> tuple[Scores, Rows]:
    import faiss

    k = min(k, len(matrix))
    if k == 0 or len(queries) == 0:
        return _empty(len(queries), k)
    # The brute-force search behind IndexFlatIP, over our own memory: an IndexFlatIP would copy
    # the matrix, and processes would no longer share the pages of a memory map.
    scores, rows = faiss.knn(queries, matrix, k, metric=faiss.METRIC_INNER_PRODUCT)
    return order_ties(scores, rows)


def _empty(queries: int, k: int) -> tuple[Scores, Rows]:
    return np.empty((queries, k), np.float32), np.empty((queries, k), np.int64)


class GpuFlatIndex:
    """Search on one GPU, in float32; one search at a time, whoever calls.

    A FAISS GPU index and its resources serve one thread only (faiss issue 1572), hence the
    lock.
    """

    def __init__(self, matrix: Vectors, faiss: ModuleType, device: int = 0) -> None:
        """Copy a (n, dim) float32 matrix to the GPU; the one given stays for `scores`.

        Args:
            faiss: a faiss with GPU support.
            device: number of the GPU.
        Raises:
            ValueError: matrix has not two dimensions.
            RuntimeError: from FAISS, when the GPU's memory does not suffice.
        """
        self._matrix = as_matrix(matrix)
        self._lock = threading.Lock()
        # Kept for as long as the index: FAISS's Python class does not hold on to it.
        self._resources = faiss.StandardGpuResources()
        self._resources.setTempMemory(GPU_TEMP_BYTES)
        config = faiss.GpuIndexFlatConfig()
        config.device = device
        config.useFloat16 = False
        self._index = faiss.GpuIndexFlatIP(self._resources, self._matrix.shape[1], config)
        for start in range(0, len(self._matrix), _ADD_ROWS):
            self._index.add(self._matrix[start : start + _ADD_ROWS])

    def __len__(self) -> int:
        return len(self._matrix)

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """See `rag.protocols.VectorIndex.search`; ties among the returned go by row."""
        queries = as_queries(queries, self._matrix.shape[1], k)
        k = min(k, len(self))
        if k > GPU_MAX_K:
            return _search_host(self._matrix, queries, k)
        if k == 0 or len(queries) == 0:
            return _empty(len(queries), k)
        with self._lock:
            scores, rows = self._index.search(queries, k)
        return order_ties(scores, rows)

    def scores(self, queries: Vectors, rows: Rows) -> Scores:
        """See `rag.protocols.VectorIndex.scores`; computed on the CPU."""
        return exact_scores(self._matrix, queries, rows)
