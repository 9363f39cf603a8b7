"""From a name to a folder: the order of places, and what goes wrong on the way."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rag.errors import ModelError, ModelNotFound
from rag.models import (
    MODELS,
    cache,
    catalogue,
    hub,
    identify,
    lookup,
    resolve,
    weights_hash,
    wheels,
)
from tests.models import tiny

pytestmark = pytest.mark.slow  # processes, locks and damage

ROOT = Path(__file__).parents[2]
CHILD = [sys.executable, "-m", tiny.__name__]


def leftovers(model_dir: Path) -> list[str]:
    return [path.name for path in model_dir.glob(".*.part")]


def asked(tmp_path: Path) -> int:
    log = tmp_path / "pip.asked"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    """A name that is a folder with a model needs no cache and no network."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"x")
    assert resolve(str(tmp_path), offline=True) == tmp_path


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """A folder that holds no model is not looked for on the hub."""
    with pytest.raises(ModelError, match="is a folder without a model"):
        resolve(str(tmp_path))


@pytest.mark.usefixtures("registered")
def test_the_wheel_becomes_a_folder(model_dir: Path) -> None:
    """The first use fetches, unpacks and records what was fetched."""
    place = resolve(tiny.NAME, model_dir=model_dir)
    assert place == model_dir / "example--tiny"
    assert {name: (place / name).read_bytes() for name in tiny.FILES} == tiny.FILES
    manifest = json.loads((place / cache.MANIFEST).read_text())
    assert manifest["name"] == tiny.NAME
    assert manifest["sources"][0]["requirement"] == "tiny-model==1.0"
    assert identify("other", place) == tiny.NAME
    assert not leftovers(model_dir)


@pytest.mark.usefixtures("registered")
def test_the_second_use_fetches_nothing(model_dir: Path, tmp_path: Path) -> None:
    """A model that is in the cache is used, offline too."""
    first = resolve(tiny.NAME, model_dir=model_dir)
    assert resolve(tiny.NAME, model_dir=model_dir, offline=True) == first
    assert asked(tmp_path) == 1


@pytest.mark.usefixtures("registered")
def test_a_damaged_folder_is_built_again(model_dir: Path, tmp_path: Path) -> None:
    """A file that went missing or was cut short makes the folder count as absent."""
    place = resolve(tiny.NAME, model_dir=model_dir)
    (place / "model.safetensors").write_bytes(b"w")
    assert resolve(tiny.NAME, model_dir=model_dir) == place
    assert (place / "model.safetensors").read_bytes() == b"weights"
    assert asked(tmp_path) == 2
    assert not leftovers(model_dir)


@pytest.mark.usefixtures("registered")
def test_offline_names_the_remedies(model_dir: Path, tmp_path: Path) -> None:
    """Offline, pip is not asked and one line says what to do."""
    with pytest.raises(ModelNotFound) as caught:
        resolve(tiny.NAME, model_dir=model_dir, offline=True)
    message = str(caught.value)
    assert "\n" not in message
    for remedy in ("rag models pull example/tiny", "--embedder DIR", "RAG_MODEL_DIR", "offline"):
        assert remedy in message
    assert "--generator" not in message
    assert asked(tmp_path) == 0


def test_no_network_names_both_reasons(
    registered: Path, model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where neither index nor hub answers, the error carries what each said."""
    command = tiny.fake_pip(tmp_path, tiny.FAILING_PIP, registered)
    monkeypatch.setattr(wheels, "pip_command", lambda: command)
    with pytest.raises(ModelNotFound, match=r"service not known.*hub: no network") as caught:
        resolve(tiny.NAME, model_dir=model_dir)
    assert "\n" not in str(caught.value)
    assert not leftovers(model_dir)


@pytest.mark.usefixtures("registered")
def test_an_unknown_name_goes_to_the_hub(model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name outside the registry is the hub's, and where that fails both flags are named."""
    with pytest.raises(ModelNotFound, match="--embedder DIR or --generator DIR"):
        resolve("someone/model", model_dir=model_dir)
    monkeypatch.setattr(hub, "download", lambda name: Path("/hub") / name)
    assert resolve("someone/model", model_dir=model_dir) == Path("/hub/someone/model")


@pytest.mark.usefixtures("registered")
def test_the_hub_cache_comes_before_the_wheel(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published weights that are on the machine already are preferred to a download."""
    monkeypatch.setattr(hub, "cached", lambda name: tmp_path)
    assert resolve(tiny.NAME, model_dir=model_dir) == tmp_path
    assert asked(tmp_path) == 0


def test_a_changed_wheel_is_not_used(registered: Path, model_dir: Path, tmp_path: Path) -> None:
    """A wheel with another SHA-256 than the pinned one leaves nothing behind."""
    tiny.make_wheel(registered.parent, {"config.json": b"changed"})
    with pytest.raises(ModelError, match="SHA-256") as caught:
        resolve(tiny.NAME, model_dir=model_dir)
    assert not isinstance(caught.value, ModelNotFound)
    assert not (model_dir / "example--tiny").exists()
    assert not leftovers(model_dir)


@pytest.mark.usefixtures("registered")
def test_a_failing_conversion_leaves_nothing(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a library raises becomes one ModelError, and the next use starts afresh."""

    def fail(*_: object) -> None:
        raise RuntimeError("no such operator")

    with monkeypatch.context() as patch:
        patch.setattr(lookup, "_convert", fail)
        with pytest.raises(ModelError, match="could not be converted: no such operator"):
            resolve(tiny.NAME, model_dir=model_dir)
    assert not leftovers(model_dir)
    assert resolve(tiny.NAME, model_dir=model_dir).is_dir()


@pytest.mark.usefixtures("registered")
def test_an_interrupt_leaves_nothing(model_dir: Path) -> None:
    """Ctrl-C in the middle removes the work folder."""

    def interrupt(label: str, done: int, total: int) -> None:
        if label.startswith("converting"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resolve(tiny.NAME, model_dir=model_dir, progress=interrupt)
    assert not leftovers(model_dir)
    assert not (model_dir / "example--tiny").exists()


@pytest.mark.usefixtures("registered")
def test_a_full_disk_is_one_line(model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk without room is told before anything is fetched, or when it fills up."""
    with monkeypatch.context() as patch:
        patch.setattr(lookup, "_check_room", _no_room)
        with pytest.raises(ModelError, match="No space left on device; make room") as caught:
            resolve(tiny.NAME, model_dir=model_dir)
    assert "\n" not in str(caught.value)


def _no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.usefixtures("registered")
def test_too_little_room_is_told_with_numbers(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The free and the needed room are both named."""
    usage = type("Usage", (), {"free": 50})
    monkeypatch.setattr(lookup.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ModelError, match=r"0 MB are free, \d+ MB are needed"):
        resolve(tiny.NAME, model_dir=model_dir)


@pytest.mark.usefixtures("registered")
def test_a_cache_that_can_not_be_written(tmp_path: Path) -> None:
    """A model folder that can not be made is one ModelError with the remedy."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ModelError, match=r"can not be stored.*RAG_MODEL_DIR"):
        resolve(tiny.NAME, model_dir=tmp_path / "file" / "models")


def test_a_killed_process_leaves_no_trace(
    registered: Path, model_dir: Path, tmp_path: Path
) -> None:
    """After kill -9 in the middle, the next one clears up and succeeds."""
    hanging = tmp_path / "hanging"
    hanging.mkdir()
    command = tiny.fake_pip(hanging, tiny.HANGING_PIP, registered)
    process = subprocess.Popen([*CHILD, str(registered), str(model_dir), *command], cwd=ROOT)
    deadline = time.monotonic() + 30
    while not list(model_dir.glob(".*.part/*/half.whl")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert leftovers(model_dir)
    assert (resolve(tiny.NAME, model_dir=model_dir) / "model.safetensors").is_file()
    assert not leftovers(model_dir)


def test_two_processes_fetch_once(registered: Path, model_dir: Path, tmp_path: Path) -> None:
    """Of two that start together one fetches, and both get the same folder."""
    command = tiny.fake_pip(tmp_path, tiny.SLOW_PIP, registered)
    arguments = [*CHILD, str(registered), str(model_dir), *command]
    pipe = subprocess.PIPE
    both = [subprocess.Popen(arguments, stdout=pipe, text=True, cwd=ROOT) for _ in range(2)]
    places = [process.communicate(timeout=60)[0].strip() for process in both]
    assert places == [str(model_dir / "example--tiny")] * 2
    assert asked(tmp_path) == 1


@pytest.mark.usefixtures("registered")
def test_waiting_for_another_process_is_told(model_dir: Path) -> None:
    """Whoever waits for the lock hears why, and then uses what the other built."""
    import filelock

    place = model_dir / "example--tiny"
    model_dir.mkdir(parents=True)
    lock = filelock.FileLock(model_dir / f".{place.name}.lock")
    lock.acquire()
    labels: list[str] = []

    def listen(label: str, done: int, total: int) -> None:
        labels.append(label)
        lock.release(force=True)

    assert resolve(tiny.NAME, model_dir=model_dir, progress=listen) == place
    assert labels[0] == "waiting for another process that fetches example/tiny"


@pytest.mark.usefixtures("registered")
def test_the_catalogue_tells_what_is_here(model_dir: Path) -> None:
    """Every model of the registry is listed, with its place once it is here."""
    before = {entry.model.name: entry for entry in catalogue(model_dir=model_dir)}
    assert set(before) == set(MODELS)
    assert before[tiny.NAME].place is None
    assert before[tiny.NAME].origin == "package index (tiny-model==1.0)"
    place = resolve(tiny.NAME, model_dir=model_dir)
    after = {entry.model.name: entry for entry in catalogue(model_dir=model_dir)}
    assert after[tiny.NAME].place == place
    assert after[tiny.NAME].megabytes == 0


@pytest.mark.usefixtures("registered")
def test_the_weights_hash_is_that_of_the_files(model_dir: Path, tmp_path: Path) -> None:
    """A copied folder has the hash of its source, with and without manifest; other weights not."""
    place = resolve(tiny.NAME, model_dir=model_dir)
    known = weights_hash(place)
    (place / cache.MANIFEST).unlink()
    assert weights_hash(place) == known
    (place / "config.json").write_text('{"anything": 1}')
    assert weights_hash(place) == known
    (place / "tokenizer.json").write_bytes(b"others")
    assert weights_hash(place) != known


def test_importing_the_registry_is_cheap() -> None:
    """`import rag.models` loads no library that takes time."""
    heavy = "torch transformers huggingface_hub numpy safetensors tokenizers platformdirs"
    code = f"import sys, rag.models; print(*set(sys.modules) & set({heavy.split()!r}))"
    found = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT)
    assert found.strip() == ""
