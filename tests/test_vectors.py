"""One contract for every vector index, and the file that vectors are kept in."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faiss
import numpy as np
import pytest

from rag import vectors
from rag.backends import faiss_index
from rag.backends.faiss_index import FlatIndex, GpuFlatIndex, flat_index
from rag.errors import ConfigError
from rag.protocols import VectorIndex, Vectors
from rag.vectors import ExactIndex, file_checksum, write_vectors

DIM = 16
Make = Callable[[Vectors], VectorIndex]


class FakeGpu:
    """Stands in for a faiss with GPU support, and fails where the real one would."""

    def __init__(self, gpus: int = 1, memory_rows: int = 1 << 20) -> None:
        self.gpus, self.memory_rows = gpus, memory_rows
        self.temp_bytes: int | None = None
        self.busy = threading.Lock()
        self.configs: list[Any] = []
        self.adds: list[int] = []
        self.GpuIndexFlatConfig = SimpleNamespace
        self.__version__ = "fake"

    def get_num_gpus(self) -> int:
        return self.gpus

    def StandardGpuResources(self) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(setTempMemory=lambda size: setattr(self, "temp_bytes", size))

    def GpuIndexFlatIP(self, resources: object, dim: int, config: Any) -> "FakeGpuIndex":  # noqa: N802
        self.configs.append(config)
        return FakeGpuIndex(self, dim)


class FakeGpuIndex:
    """Answers with scores that are right and rows in an order that ties leave open."""

    def __init__(self, gpu: FakeGpu, dim: int) -> None:
        self.gpu, self.rows = gpu, np.empty((0, dim), np.float32)

    def add(self, block: Vectors) -> None:
        self.gpu.adds.append(len(block))
        self.rows = np.concatenate([self.rows, block])
        if len(self.rows) > self.gpu.memory_rows:
            raise RuntimeError("Error in allocMemory: out of memory\nmore lines")

    def search(self, queries: Vectors, k: int) -> tuple[Vectors, np.ndarray[Any, Any]]:
        assert queries.flags.c_contiguous and queries.dtype == np.float32
        assert k <= 2048, "a GPU refuses a larger k"
        assert self.gpu.busy.acquire(blocking=False), "a GPU index serves one thread"
        scores = queries @ self.rows.T
        rows = np.argsort(-scores[:, ::-1], axis=1, kind="stable")[:, :k]
        rows = scores.shape[1] - 1 - rows
        self.gpu.busy.release()
        return np.take_along_axis(scores, rows, axis=1), rows


def fake_gpu(matrix: Vectors) -> VectorIndex:
    faiss_with_gpu: Any = FakeGpu()
    return GpuFlatIndex(matrix, faiss_with_gpu)


def real_gpu(matrix: Vectors) -> VectorIndex:
    if not hasattr(faiss, "StandardGpuResources") or faiss.get_num_gpus() == 0:
        pytest.skip("this faiss has no GPU support, or there is no GPU")
    return GpuFlatIndex(matrix, faiss)


@pytest.fixture(
    params=[
        pytest.param(ExactIndex, id="exact"),
        pytest.param(FlatIndex, id="cpu"),
        pytest.param(fake_gpu, id="fake-gpu"),
        pytest.param(real_gpu, id="gpu"),
    ]
)
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    yield request.param


def unit(rows: int, seed: int = 0, dim: int = DIM) -> Vectors:
    matrix: Vectors = np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
    return matrix


def test_finds_the_most_similar(make: Make) -> None:
    """Scores are inner products, descending; rows are int64 and point at their vectors."""
    matrix, queries = unit(300), unit(7, seed=1)
    scores, rows = make(matrix).search(queries, 10)
    assert (scores.dtype.name, rows.dtype.name) == ("float32", "int64")
    assert scores.shape == rows.shape == (7, 10)
    expected = -np.sort(-(queries @ matrix.T), axis=1)[:, :10]
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    np.testing.assert_allclose(scores, np.einsum("qd,qkd->qk", queries, matrix[rows]), atol=1e-5)
    assert (np.diff(scores, axis=1) <= 0).all()


def test_fewer_rows_than_wanted(make: Make) -> None:
    """With k above n every row returns once, and nothing else."""
    index = make(unit(3))
    scores, rows = index.search(unit(2, seed=1), 10)
    assert scores.shape == (2, 3)
    assert [sorted(line) for line in rows.tolist()] == [[0, 1, 2]] * 2


def test_large_k(make: Make) -> None:
    """A k beyond what a GPU selects returns as many rows as were wanted."""
    matrix = unit(3000)
    scores, rows = make(matrix).search(unit(1, seed=1), 2500)
    assert scores.shape == (1, 2500)
    assert len(set(rows[0].tolist())) == 2500


def test_empty_index(make: Make) -> None:
    """An index without rows finds nothing."""
    index = make(np.empty((0, DIM), np.float32))
    assert len(index) == 0
    scores, rows = index.search(unit(2), 5)
    assert scores.shape == rows.shape == (2, 0)
    assert index.scores(unit(2), np.empty(0, np.int64)).shape == (2, 0)


def test_no_queries(make: Make) -> None:
    """No queries are answered with no lines."""
    scores, rows = make(unit(5)).search(np.empty((0, DIM), np.float32), 3)
    assert scores.shape == rows.shape == (0, 3)


@pytest.mark.parametrize("queries", [unit(2, dim=DIM + 1), unit(2)[0]])
def test_wrong_dimension(make: Make, queries: Vectors) -> None:
    """Queries of another length or shape are refused, in both methods."""
    index = make(unit(5))
    with pytest.raises(ValueError, match="expected"):
        index.search(queries, 3)
    with pytest.raises(ValueError, match="expected"):
        index.scores(queries, np.array([0]))


def test_k_below_one(make: Make) -> None:
    """A k of 0 is a mistake."""
    with pytest.raises(ValueError, match="at least 1"):
        make(unit(5)).search(unit(1), 0)


def test_ties_go_by_row(make: Make) -> None:
    """Equal vectors return in the order of their rows."""
    matrix = unit(6)
    matrix[[1, 3, 4]] = matrix[5]
    _, rows = make(matrix).search(matrix[5:6], 6)
    assert rows[0, :4].tolist() == [1, 3, 4, 5]


def test_awkward_queries(make: Make) -> None:
    """Queries that are not contiguous, or of another float type, give the same answer."""
    queries = unit(8, seed=1)
    index = make(unit(50))
    expected = index.search(np.ascontiguousarray(queries[::2]), 5)[1]
    for variant in (queries[::2], np.asfortranarray(queries[::2]), queries[::2].astype("f8")):
        np.testing.assert_array_equal(index.search(variant, 5)[1], expected)


def test_scores_of_given_rows(make: Make) -> None:
    """Scores come in the order of the rows asked for, repeats and all."""
    matrix, queries = unit(20_000, dim=4), unit(3, seed=1, dim=4)
    rows = np.random.default_rng(2).integers(0, 20_000, 17_000)
    scores = make(matrix).scores(queries, rows)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, queries @ matrix[rows].T, atol=1e-6)


def test_unknown_rows_are_an_error(make: Make) -> None:
    """A row beyond the index raises; it is not passed over."""
    with pytest.raises(IndexError):
        make(unit(5)).scores(unit(1), np.array([5]))


def test_read_only_map(make: Make, tmp_path: Path) -> None:
    """A memory-mapped matrix that may not be written is searched as it is."""
    matrix = unit(40)
    write_vectors(tmp_path / "v.npy", [matrix], 40, DIM)
    index = make(np.load(tmp_path / "v.npy", mmap_mode="r", allow_pickle=False))
    assert index.search(matrix[7:8], 1)[1].tolist() == [[7]]


def test_many_threads(make: Make) -> None:
    """Searches from many threads answer like one after another."""
    index, queries = make(unit(500)), unit(40, seed=1)
    expected = [index.search(query[None], 5)[1].tolist() for query in queries]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda query: index.search(query[None], 5)[1].tolist(), queries))
    assert found == expected


def test_matrix_of_wrong_shape(make: Make) -> None:
    """A single vector is no matrix."""
    with pytest.raises(ValueError, match="expected"):
        make(unit(1)[0])


def test_gpu_settings() -> None:
    """The GPU keeps float32, its scratch memory is bounded, and rows go over in blocks."""
    gpu = FakeGpu()
    GpuFlatIndex(unit(70_000, dim=2), gpu)  # type: ignore[arg-type]
    assert gpu.configs[0].useFloat16 is False
    assert gpu.temp_bytes == faiss_index.GPU_TEMP_BYTES
    assert gpu.adds == [65_536, 70_000 - 65_536]


@pytest.mark.parametrize(
    ("fake", "reason"),
    [
        (FakeGpu(gpus=0), "faiss sees no GPU"),
        (FakeGpu(memory_rows=3), "out of memory"),
        (SimpleNamespace(__version__="1.15.1"), "without GPU support"),
    ],
)
def test_without_a_gpu(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fake: Any, reason: str
) -> None:
    """Without a usable GPU, auto searches on the CPU and says why; cuda is an error."""
    monkeypatch.setitem(__import__("sys").modules, "faiss", fake)
    with caplog.at_level(logging.INFO):
        assert isinstance(flat_index(unit(5), "auto"), FlatIndex)
    assert reason in caplog.text
    with pytest.raises(ConfigError, match=reason):
        flat_index(unit(5), "cuda")


def test_with_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a GPU, auto and cuda use it, and cpu does not."""
    monkeypatch.setitem(__import__("sys").modules, "faiss", FakeGpu())
    assert isinstance(flat_index(unit(5), "auto"), GpuFlatIndex)
    assert isinstance(flat_index(unit(5), "cuda"), GpuFlatIndex)
    assert isinstance(flat_index(unit(5), "cpu"), FlatIndex)


def test_file_holds_what_was_written(tmp_path: Path) -> None:
    """Blocks come back as one matrix; nothing else is left behind."""
    path = tmp_path / "v.npy"
    matrix = unit(25)
    write_vectors(path, (matrix[i : i + 10] for i in range(0, 25, 10)), 25, DIM)
    np.testing.assert_array_equal(np.load(path, allow_pickle=False), matrix)
    assert [entry.name for entry in tmp_path.iterdir()] == ["v.npy"]


def test_empty_file(tmp_path: Path) -> None:
    """A matrix without rows can be written and read."""
    write_vectors(tmp_path / "v.npy", [], 0, DIM)
    assert np.load(tmp_path / "v.npy", allow_pickle=False).shape == (0, DIM)


@pytest.mark.parametrize("size", [0, 30, 64, 65, 192])
def test_any_other_byte_or_length_is_another_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """In any block, and where two blocks change places."""
    monkeypatch.setattr(vectors, "BLOCK", 64)
    path = tmp_path / "file"

    def checksum(content: bytes) -> str:
        path.write_bytes(content)
        return file_checksum(path)

    content = bytes(range(size))
    flipped = [content[:at] + b"\xff" + content[at + 1 :] for at in range(0, size, 29)]
    moved = content[64:128] + content[:64] + content[128:]
    others = {content + b"\0", content[:-1], moved, *flipped} - {content}
    found = {checksum(other) for other in (content, *others)}
    assert len(found) == 1 + len(others)


@pytest.mark.parametrize(("rows", "dim"), [(26, DIM), (24, DIM), (25, DIM + 1)])
def test_blocks_must_add_up(tmp_path: Path, rows: int, dim: int) -> None:
    """Blocks of another size than announced leave no file behind."""
    with pytest.raises(ValueError, match="expected"):
        write_vectors(tmp_path / "v.npy", [unit(25)], rows, dim)
    assert list(tmp_path.iterdir()) == []
