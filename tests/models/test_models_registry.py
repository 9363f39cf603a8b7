"""The table of models and the prefixes that go by name."""

import pytest

from rag.config import DEFAULT_EMBEDDER, DEFAULT_GENERATOR
from rag.models import MODELS, Kind, prefixes


def test_the_defaults_are_in_the_registry() -> None:
    """What the settings name works where only a package index can be reached."""
    assert MODELS[DEFAULT_EMBEDDER].kind is Kind.EMBEDDER
    assert MODELS[DEFAULT_GENERATOR].kind is Kind.GENERATOR


def test_every_wheel_is_pinned() -> None:
    """Each has one exact version and a whole SHA-256."""
    for model in MODELS.values():
        for wheel in model.wheels:
            assert wheel.requirement.count("==") == 1
            assert len(bytes.fromhex(wheel.sha256)) == 32


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("intfloat/multilingual-e5-small", "query: "),
        ("intfloat/multilingual-e5-large", "query: "),
        ("/models/e5-base-v2/", "query: "),
        ("intfloat/multilingual-e5-large-instruct", ""),
        ("sentence-transformers/all-MiniLM-L6-v2", ""),
        ("someone/large", ""),
    ],
)
def test_prefixes_go_by_name(name: str, query: str) -> None:
    """The E5 family has prefixes, its instruct models and all others have none."""
    assert prefixes(name) == (query, "passage: " if query else "")
