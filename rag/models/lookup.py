"""From a model's name to a local folder that sentence-transformers or transformers loads.

Looked for in this order: a folder of that name; our own cache; the hub's cache on this machine;
the pinned wheels of the registry; the hub. `offline` stops after the caches.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ModelError, ModelNotFound
from rag.models import cache, hub, wheels
from rag.models.registry import MODELS, Format, Kind, Model
from rag.models.wheels import Progress

# Raised whenever a converter starts to write something else from the same wheel.
CONVERTER_VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the registry and where it is: `place` when here, `origin` in words."""

    model: Model
    origin: str
    place: Path | None

    @property
    def megabytes(self) -> int:
        """What is left to download, or, once here, what it takes on the disk."""
        size = self.model.size if self.place else sum(w.size for w in self.model.wheels)
        return round(size / 1e6)


def catalogue(*, model_dir: Path | None = None) -> list[Entry]:
    """Return the models of the registry; looks at this machine only."""
    entries = []
    for model in MODELS.values():
        place = _cached(model.name, model_dir)
        wheel = ", ".join(wheel.requirement for wheel in model.wheels[:1])
        origin = "on this machine" if place else f"package index ({wheel})"
        entries.append(Entry(model, origin, place))
    return entries


def resolve(
    name: str,
    *,
    model_dir: Path | None = None,
    offline: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Return a local folder with the model of that name, fetched and converted if need be.

    Args:
        name: a folder, or a hub id.
        model_dir: our cache of models; rag/models in the user's cache folder by default.
        offline: never look beyond this machine.
        progress: told what is being done; see `rag.models.wheels.Progress`.
    Raises:
        ModelNotFound: the weights are nowhere to be had; the message names the remedies.
        ModelError: what was fetched is not what was expected, or can not be stored.
    """
    folder = Path(name).expanduser()
    if hub.has_model(folder):
        return folder
    if folder.is_dir() and name not in MODELS:
        raise ModelError(f"{name} is a folder without a model; expected config.json and weights")
    place = _cached(name, model_dir)
    if place is not None:
        return place
    if offline:
        raise ModelNotFound(_not_found(name, model_dir, ["looked on this machine only: offline"]))
    return _fetch(name, model_dir, progress or _silent)


def _silent(label: str, done: int, total: int) -> None:
    pass


def _cached(name: str, model_dir: Path | None) -> Path | None:
    place = cache.place_of(name, model_dir)
    return place if cache.is_whole(place) else hub.cached(name)


def _fetch(name: str, model_dir: Path | None, progress: Progress) -> Path:
    reasons = []
    model = MODELS.get(name)
    if model is not None:
        try:
            return _build(model, cache.place_of(name, model_dir), progress)
        except ModelNotFound as error:
            reasons.append(str(error))
    progress(f"asking the hub for {name}", 0, 0)
    try:
        return hub.download(name)
    except ModelNotFound as error:
        reasons.append(str(error))
        raise ModelNotFound(_not_found(name, model_dir, reasons)) from error


def _not_found(name: str, model_dir: Path | None, reasons: list[str]) -> str:
    model = MODELS.get(name)
    flags = [f"--{kind} DIR" for kind in Kind if model is None or model.kind is kind]
    return (
        f"no weights for {name} in {cache.models_folder(model_dir)} or the hub's cache "
        f"({'; '.join(reasons)}); run `rag models pull {name}` where there is a network and copy "
        f"the folder it names here, give a folder with {' or '.join(flags)}, or set RAG_MODEL_DIR"
    )


def _build(model: Model, place: Path, progress: Progress) -> Path:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _locked(place, model.name, progress):
            if not cache.is_whole(place):  # else another process has built it meanwhile
                _check_room(model, place.parent)
                with cache.building(place) as work:
                    _fill(model, work, progress)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelError(
            f"{model.name} can not be stored in {place.parent}: {reason}; make room or set "
            "RAG_MODEL_DIR to a folder that can be written"
        ) from error
    return place


@contextmanager
def _locked(place: Path, name: str, progress: Progress) -> Iterator[None]:
    import filelock

    lock = filelock.FileLock(place.with_name(f".{place.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        progress(f"waiting for another process that fetches {name}", 0, 0)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _check_room(model: Model, folder: Path) -> None:
    # The wheel and what it held lie side by side; so do, later, that and the folder to load.
    need = model.size + 2 * sum(wheel.size for wheel in model.wheels)
    free = shutil.disk_usage(folder).free
    if free < need:
        raise OSError(f"{free / 1e6:.0f} MB are free, {need / 1e6:.0f} MB are needed")


def _fill(model: Model, work: Path, progress: Progress) -> None:
    source = wheels.fetch(model, work, progress)
    progress(f"converting {model.name} (once, up to a minute)", 0, 0)
    try:
        _convert(model.format, source, work / "model")
    except (OSError, ModelError):
        raise
    except Exception as error:  # whatever the libraries at work may raise
        raise ModelError(f"{model.name} could not be converted: {error}") from error
    origins = [{"requirement": w.requirement, "sha256": w.sha256} for w in model.wheels]
    cache.write_manifest(work / "model", model.name, origins, CONVERTER_VERSION)


def _convert(kind: Format, source: Path, target: Path) -> None:
    if kind is Format.E5_Q4:
        from rag.models import e5

        e5.convert(source, target)
    elif kind is Format.GGUF:
        from rag.models import gguf

        gguf.convert(source, target)
    else:
        target.rmdir()
        source.rename(target)
