"""The folder of models that are ready to load: one sub-folder each, whole or not there at all.

A model is built in a folder beside its place, written through to the disk, and moved there by
one rename; its manifest says what it was made from. A lock that dies with its process keeps two
from building the same one, and whoever holds it removes what an interrupted one left behind.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

MANIFEST = "manifest.json"
WEIGHT_FILES = ("*.safetensors", "*.bin")
# Files that decide which vector or token a text comes to.
DECISIVE_FILES = (*WEIGHT_FILES, "tokenizer.json", "tokenizer.model", "vocab.txt", "*.bpe.model")
# Copies of the same weights for other programs.
FOREIGN_FOLDERS = frozenset({"onnx", "openvino"})


def models_folder(model_dir: Path | None) -> Path:
    """Return the folder that holds the models: model_dir, or one in the user's cache."""
    if model_dir is not None:
        return model_dir.expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("rag")) / "models"


def place_of(name: str, model_dir: Path | None) -> Path:
    """Return the folder in which the model of that name belongs."""
    return models_folder(model_dir) / name.replace("/", "--")


def is_whole(folder: Path) -> bool:
    """Return whether folder was built by us and no file has since gone or changed its length."""
    files = read_manifest(folder).get("files")
    if not isinstance(files, Mapping) or not files:
        return False
    try:
        return all((folder / name).stat().st_size == f["size"] for name, f in files.items())
    except (OSError, KeyError, TypeError):
        return False


def read_manifest(folder: Path) -> Mapping[str, object]:
    """Return the manifest of a folder; empty when there is none that can be read."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def identify(name: str, folder: Path) -> str:
    """Return the hub id of the model in folder where its manifest tells, else name."""
    return str(read_manifest(folder).get("name", name))


def weights_hash(folder: Path) -> str:
    """Return a SHA-256 (hex) over the weights and the tokenizer in folder.

    Taken from the manifest of a folder that we built, else from the files: 1 to 3 s a gigabyte,
    once in a process.
    """
    known = read_manifest(folder).get("weights")
    return str(known) if known and is_whole(folder) else _combine(_digests(folder))


def write_manifest(folder: Path, name: str, sources: list[dict[str, str]], version: int) -> None:
    """Record in folder what it holds and what it was made from."""
    files = {
        path.relative_to(folder).as_posix(): {"sha256": digest(path), "size": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    decisive = {path.relative_to(folder).as_posix() for path in _decisive(folder)}
    weights = _combine({n: str(f["sha256"]) for n, f in files.items() if n in decisive})
    manifest = {
        "name": name,
        "sources": sources,
        "converter": version,
        "weights": weights,
        "files": files,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def digest(path: Path) -> str:
    """Return the SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _decisive(folder: Path) -> list[Path]:
    found = {path for pattern in DECISIVE_FILES for path in folder.rglob(pattern)}
    return sorted(p for p in found if not FOREIGN_FOLDERS & set(p.relative_to(folder).parts))


def _digests(folder: Path) -> dict[str, str]:
    found = {}
    for path in _decisive(folder):
        status = path.stat()
        name = path.relative_to(folder).as_posix()
        found[name] = _digest_of(path, status.st_size, status.st_mtime_ns)
    return found


@lru_cache(maxsize=256)
def _digest_of(path: Path, size: int, mtime_ns: int) -> str:
    """Return the SHA-256 of a file, read once for each state of it."""
    return digest(path)


def _combine(digests: Mapping[str, str]) -> str:
    lines = "".join(f"{value} {name}\n" for name, value in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


@contextmanager
def building(place: Path) -> Iterator[Path]:
    """Yield an empty work folder; its sub-folder "model" becomes place when the block ends well.

    The caller holds the lock of place. Whatever goes wrong, place is as it was before.
    """
    for stale in place.parent.glob(f".{place.name}.*.part"):
        shutil.rmtree(stale, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent))
    try:
        (work / "model").mkdir()
        yield work
        for path in [*(work / "model").rglob("*"), work / "model"]:
            # Some writers make files that only their owner may read.
            path.chmod(0o755 if path.is_dir() else 0o644)
            _sync(path)
        if place.exists():
            place.rename(work / "replaced")
        (work / "model").rename(place)
        _sync(place.parent)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
