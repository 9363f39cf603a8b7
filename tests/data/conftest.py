"""The default models over the development data."""

import pytest

from rag.build import build_embedder
from rag.config import Config
from rag.protocols import Embedder


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The default embedding model, loaded once."""
    return build_embedder(Config())
