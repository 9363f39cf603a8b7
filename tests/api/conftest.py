"""What the tests of the service start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from rag.config import Config
from rag.ingest import ingest
from rag.testing import HashEmbedder
from tests.cli.runner import DOCUMENTS, write


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Settings without models."""
    return Config(index_dir=tmp_path / "indexes", embedder="hash", generator="none")


@pytest.fixture
def docs(tmp_path: Path, config: Config) -> Path:
    """A folder of documents, ingested."""
    folder = write(tmp_path / "docs", DOCUMENTS)
    ingest([folder], "default", HashEmbedder(), config)
    return folder


@pytest.fixture
def client(config: Config, docs: Path) -> Iterator[TestClient]:
    """The service over the folder, started."""
    with TestClient(create_app(config), raise_server_exceptions=False) as client:
        yield client
