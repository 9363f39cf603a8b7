"""What tests of several folders share."""

import os
from pathlib import Path

import pytest

# Beside the checkout, unless RAG_TEST_DATA says otherwise.
DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of development data; tests that need it skip, saying so, without it."""
    folder = Path(os.environ.get("RAG_TEST_DATA") or DEFAULT)
    if not folder.is_dir():
        pytest.skip(f"the development data is not at {folder}; set RAG_TEST_DATA to its folder")
    return folder
