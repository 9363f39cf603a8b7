"""What the tests of the service start from."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from rag.config import Config
from rag.ingest import ingest
from rag.store import DATABASE
from rag.testing import HashEmbedder
from tests.cli.runner import DOCUMENTS, write
from tests.core.bench import sql


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Settings without models."""
    return Config(index_dir=tmp_path / "indexes", embedder="hash", generator="none")


@pytest.fixture(scope="session")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of documents and its index, made once; not to be changed."""
    place = tmp_path_factory.mktemp("ingested")
    folder = write(place / "docs", DOCUMENTS)
    ingest([folder], "default", HashEmbedder(), Config(index_dir=place / "indexes"))
    return place


@pytest.fixture
def docs(ingested: Path, tmp_path: Path) -> Path:
    """A folder of documents, ingested."""
    shutil.copytree(ingested, tmp_path, dirs_exist_ok=True)
    sql(
        tmp_path / "indexes/default" / DATABASE, "UPDATE roots SET path = ?", str(tmp_path / "docs")
    )
    return tmp_path / "docs"


@pytest.fixture
def client(config: Config, docs: Path) -> Iterator[TestClient]:
    """The service over the folder, started."""
    with TestClient(create_app(config), raise_server_exceptions=False) as client:
        yield client
