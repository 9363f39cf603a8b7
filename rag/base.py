"""The saved base of what is derived from an index: arrays in its folder `derived`, under checksums.

The manifest names the version of the store that they were made from, how many passages of each
language follow upon one another, and the checksum of each file, its own too. A damaged index file
loads without complaint and then ranks wrongly: what does not match is not used.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from rag.layers import NONE, Layer, VectorIndexFactory, groups_of
from rag.lexical import ARRAYS, LexicalIndex
from rag.protocols import Rows, Vectors
from rag.vectors import file_checksum, write_vectors

FOLDER = "derived"
MANIFEST = "manifest.json"
VECTORS = "vectors.npy"
ROWS = "rows.npy"
LEXICAL = "lexical"
FILES = (VECTORS, ROWS, *(f"{LEXICAL}/{name}.npy" for name in ARRAYS))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a base says of itself.

    Attributes:
        version: of the store.
        languages: each with the number of its passages, in the order of the arrays.
        files: checksum and size in bytes of each, by name.
    """

    version: int
    languages: list[tuple[str, int]]
    files: dict[str, tuple[str, int]]

    @property
    def passages(self) -> int:
        """How many passages it holds."""
        return sum(count for _, count in self.languages)

    @property
    def bytes(self) -> int:
        """The size of its files together."""
        return sum(size for _, size in self.files.values())

    def text(self) -> str:
        """Return it as JSON, with a checksum over the rest."""
        told = asdict(self)
        return json.dumps({**told, "checksum": _checksum(told)}, indent=1)


def _checksum(told: Mapping[str, object]) -> str:
    text = json.dumps(told, sort_keys=True)
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).hexdigest()


def manifest(folder: Path) -> Manifest | None:
    """Return the manifest in a folder; None where there is none that is whole."""
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        found = told.pop("checksum")
        if _checksum(told) != found:
            return None
        languages = [(str(language), int(count)) for language, count in told["languages"]]
        files = {name: (str(digest), int(size)) for name, (digest, size) in told["files"].items()}
        named = all(name in files for name in FILES)
        return Manifest(int(told["version"]), languages, files) if named else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def write(
    folder: Path,
    version: int,
    rows: Rows,
    languages: list[tuple[str, int]],
    vectors: Iterable[Vectors],
    lexical: LexicalIndex,
    dim: int,
) -> Manifest:
    """Write a base into a folder beside `folder`, then put it in its place.

    Readers have the old files mapped, which outlive their names.

    Raises:
        OSError: the disk is full or not writable.
    """
    tidy(folder)
    draft, old = _beside(folder)
    draft.mkdir()
    write_vectors(draft / VECTORS, vectors, len(rows), dim)
    np.save(draft / ROWS, rows.astype("<i8"), allow_pickle=False)
    lexical.save(draft / LEXICAL)
    told = Manifest(
        version,
        languages,
        {
            path.relative_to(draft).as_posix(): (file_checksum(path), path.stat().st_size)
            for path in sorted(draft.rglob("*.npy"))
        },
    )
    (draft / MANIFEST).write_text(told.text(), encoding="utf-8")
    if folder.exists():
        os.replace(folder, old)
    os.replace(draft, folder)
    shutil.rmtree(old, ignore_errors=True)
    return told


def _beside(folder: Path) -> tuple[Path, Path]:
    """Return where a base is written, and where the one before it goes."""
    return folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")


def tidy(folder: Path) -> None:
    """Remove what a process that died while writing a base has left."""
    for left in _beside(folder):
        shutil.rmtree(left, ignore_errors=True)


def holds(folder: Path, rows: Rows) -> bool:
    """Tell whether the base holds one of the rows; True where that can not be read."""
    try:
        held = np.load(folder / ROWS, allow_pickle=False)
    except (OSError, ValueError):
        return True
    return bool(np.isin(held, rows).any())


def complete(folder: Path, told: Manifest) -> bool:
    """Tell whether all files are there and as long as they were."""
    try:
        return all((folder / name).stat().st_size == size for name, (_, size) in told.files.items())
    except OSError:
        return False


def intact(folder: Path, told: Manifest) -> bool:
    """Tell whether every file matches its checksum; all are read."""

    def matches(name: str) -> bool:
        try:
            return file_checksum(folder / name) == told.files[name][0]
        except OSError:
            return False

    return all(map(matches, told.files))


def read(folder: Path, told: Manifest, make_index: VectorIndexFactory) -> Layer | None:
    """Return the base as a layer, memory-mapped; None where a file is missing or damaged."""
    if not complete(folder, told) or not intact(folder, told):
        return None
    try:
        rows = np.load(folder / ROWS, allow_pickle=False)
        matrix = np.load(folder / VECTORS, mmap_mode="r", allow_pickle=False)
        lexical = LexicalIndex.load(folder / LEXICAL)
    except (OSError, ValueError):
        return None
    whole = len(rows) == len(matrix) == len(lexical) == told.passages
    # Another process may have put a new folder in the place of the one that was checked.
    if not whole or manifest(folder) != told:
        return None
    return Layer(rows, groups_of(matrix, told.languages, make_index), lexical, NONE)
