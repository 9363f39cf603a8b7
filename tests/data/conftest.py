"""The development data: found by RAG_TEST_DATA, by default beside the checkout."""

import os
from pathlib import Path

import pytest

from rag.build import build_embedder
from rag.config import Config
from rag.protocols import Embedder

DEFAULT = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of development data; tests that need it skip, saying so, without it."""
    folder = Path(os.environ.get("RAG_TEST_DATA") or DEFAULT)
    if not folder.is_dir():
        pytest.skip(f"the development data is not at {folder}; set RAG_TEST_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The default embedding model, loaded once."""
    return build_embedder(Config())
