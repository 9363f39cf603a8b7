"""The suite of docs/reliability.md: a reduced form with the other tests, all of it on request."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.bench import Bench

FULL = os.environ.get("RAG_ACCEPTANCE") == "full"


def scaled(full: int, reduced: int) -> int:
    """Return how many cases to run."""
    return full if FULL else reduced


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of it is slow."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A folder and its index."""
    made = Bench(tmp_path)
    made.docs.mkdir()
    yield made
