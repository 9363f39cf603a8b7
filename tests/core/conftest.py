"""What the tests of the core start from."""

import shutil
from pathlib import Path

import pytest

from tests.core.bench import ANIMALS, CORPUS, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty folder and no index yet."""
    (tmp_path / "docs").mkdir()
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Four small documents, ingested once; not to be changed."""
    bench = Bench(tmp_path_factory.mktemp("zoo"))
    bench.write(ANIMALS)
    bench.ingest()
    return bench


@pytest.fixture
def animals(zoo: Bench, tmp_path: Path) -> Bench:
    """Four small documents, ingested, to do with as one likes."""
    shutil.copytree(zoo.place, tmp_path, dirs_exist_ok=True)
    bench = Bench(tmp_path)
    bench.sql("UPDATE roots SET path = ?", str(bench.docs))
    return bench


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The sample corpus, ingested once; not to be changed."""
    bench = Bench(tmp_path_factory.mktemp("corpus"))
    bench.ingest(CORPUS)
    return bench
