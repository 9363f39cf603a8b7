"""What is derived from the store and searched: the vectors' matrix and the lexical index.

Both can always be rebuilt from one version of the store. They are saved with that version and a
checksum of every file, because a damaged index file loads without complaint and then ranks
wrongly. What does not match is not used: the indexes are built anew from the store.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

import numpy as np

from rag.errors import IndexCorrupt
from rag.lexical import LexicalIndex
from rag.protocols import Rows, VectorIndex, Vectors
from rag.schema import translating
from rag.store import Store
from rag.vectors import file_checksum, read_vectors, write_vectors

FOLDER = "derived"
MANIFEST = "manifest.json"
VECTORS = "vectors.npy"
LEXICAL = "lexical"
BLOCK = 4096

VectorIndexFactory = Callable[[Vectors], VectorIndex]


@dataclass(frozen=True, slots=True)
class Group:
    """The passages in one language: positions start … start + len(vectors)."""

    language: str
    start: int
    vectors: VectorIndex


@dataclass(frozen=True, slots=True)
class Derived:
    """Indexes over the passages of one version of the store.

    A position counts through all groups; position i holds the passage in store row rows[i].
    `reference` holds the vectors of `rag.reference`'s sentences, by language.
    """

    version: int
    rows: Rows
    groups: tuple[Group, ...]
    lexical: LexicalIndex
    reference: Mapping[str, Vectors]

    def positions(self, rows: Rows) -> Rows:
        """Return where store rows stand, ascending; rows that are not there are left out."""
        return np.flatnonzero(np.isin(self.rows, rows))


def load(store: Store, make_index: VectorIndexFactory) -> Derived:
    """Return the indexes of the store's present version: the saved ones, or new ones.

    Raises:
        IndexCorrupt: the store itself is damaged.
    """
    with store.reading():
        version = store.version()
        rows, languages = store.rows()
        saved = _read(store.path / FOLDER, version)
        manifest = _manifest(store.path / FOLDER) if saved else {}
        matrix, lexical = saved or (_matrix(store, len(rows)), _lexical(store))
        reference = store.reference()
    if manifest.get("version") == version and manifest["passages"] != _digest(rows, languages):
        raise _gone(store, "passages")
    if len(rows) and not reference:
        raise _gone(store, "its reference vectors")
    groups = tuple(_groups(matrix, languages, make_index))
    return Derived(version, rows, groups, lexical, reference)


def _gone(store: Store, what: str) -> IndexCorrupt:
    """Damage can make rows vanish without a trace but that they were there."""
    return IndexCorrupt(
        f"{store.database} is damaged: {what} are gone; repair it, then ingest its folders again"
    )


def _digest(rows: Rows, languages: Sequence[str]) -> str:
    """Return 16 hex digits over which passages there are, in what order and language."""
    digest = hashlib.blake2b(rows.astype("<i8").tobytes(), digest_size=8)
    digest.update("\n".join(languages).encode("utf-8"))
    return digest.hexdigest()


def _groups(
    matrix: Vectors, languages: list[str], make_index: VectorIndexFactory
) -> Iterator[Group]:
    start = 0
    for language, members in groupby(languages):
        end = start + len(list(members))
        yield Group(language, start, make_index(matrix[start:end]))
        start = end


def save(store: Store) -> None:
    """Write the indexes of the store's present version, whole or not at all.

    The caller holds the write lock.

    Raises:
        IndexCorrupt: the store is damaged.
        StoreError: the disk is full or not writable.
    """
    folder = store.path / FOLDER
    draft = store.path / (FOLDER + ".new")
    with store.reading(), translating(folder):
        version = store.version()
        if _read(folder, version) is not None:
            return
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        rows, languages = store.rows()
        write_vectors(draft / VECTORS, _blocks(store), len(rows), _dim(store))
        _lexical(store).save(draft / LEXICAL)
        files = {
            path.relative_to(draft).as_posix(): file_checksum(path)
            for path in sorted(draft.rglob("*.npy"))
        }
        told = {"version": version, "passages": _digest(rows, languages), "files": files}
        (draft / MANIFEST).write_text(json.dumps(told, indent=1), encoding="utf-8")
        # Readers have the old files mapped, which outlive their names.
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(draft, folder)


def is_saved(store: Store) -> bool:
    """Tell whether the indexes of the store's present version are saved whole."""
    return _read(store.path / FOLDER, store.version()) is not None


def differences(store: Store) -> Iterator[str]:
    """Yield in what way what is saved is not what the store's present version gives; reads all.

    Raises:
        IndexCorrupt: the store itself is damaged.
    """
    folder = store.path / FOLDER
    manifest, version = _manifest(folder), store.version()
    if manifest.get("version") != version:
        yield (
            f"is of version {manifest.get('version')}; expected {version}"
            if manifest
            else ("has no manifest")
        )
        return
    saved = _read(folder, version)
    if saved is None:
        yield "has a file that is missing or does not match its checksum"
        return
    matrix, lexical = saved
    first, rows = 0, len(store.rows()[0])
    same = matrix.shape == (rows, _dim(store))
    for block in _blocks(store):
        same = same and np.array_equal(matrix[first : first + len(block)], block)
        first += len(block)
    if not same:
        yield f"holds other vectors than the store: {VECTORS}"
    if not lexical.same_as(_lexical(store)):
        yield f"holds other terms than the store: {LEXICAL}"


def _manifest(folder: Path) -> dict[str, object]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _read(folder: Path, version: int) -> tuple[Vectors, LexicalIndex] | None:
    """Return what is saved for the version, or None where it is missing, old or damaged."""
    manifest = _manifest(folder)
    files = manifest.get("files")
    of_it = manifest.get("version") == version and "passages" in manifest
    if not of_it or not isinstance(files, dict):
        return None
    try:
        if any(file_checksum(folder / name) != found for name, found in files.items()):
            return None
        vectors = read_vectors(folder / VECTORS, files[VECTORS])
        lexical = LexicalIndex.load(folder / LEXICAL)
    except (OSError, ValueError, KeyError, IndexCorrupt):
        return None
    # Another process may have put a new folder in the place of the one that was checked.
    return (vectors, lexical) if _manifest(folder) == manifest else None


def _dim(store: Store) -> int:
    return int(store.meta["dim"])


def _blocks(store: Store) -> Iterator[Vectors]:
    vectors = store.vectors()
    while block := list(islice(vectors, BLOCK)):
        yield np.frombuffer(b"".join(block), dtype="<f4").reshape(len(block), _dim(store))


def _matrix(store: Store, rows: int) -> Vectors:
    matrix = np.empty((rows, _dim(store)), dtype=np.float32)
    first = 0
    for block in _blocks(store):
        matrix[first : first + len(block)] = block
        first += len(block)
    return matrix


def _lexical(store: Store) -> LexicalIndex:
    return LexicalIndex.build(_Terms(store))


class _Terms:
    """The terms of a store's passages, read anew each time they are iterated over."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __iter__(self) -> Iterator[bytes]:
        return self._store.terms()
