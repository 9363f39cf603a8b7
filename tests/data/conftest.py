"""The default models over the development data."""

import pytest

from rag.build import build_embedder
from rag.config import Config
from rag.evaluation.remembering import Remembering
from rag.protocols import Embedder


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The default embedding model, loaded once; it reads the same question once."""
    return Remembering(build_embedder(Config()), most_readings=50)
