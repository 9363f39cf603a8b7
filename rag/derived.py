"""What is derived from the store and searched: a saved base, and what came and went since.

All of it can always be rebuilt from one version of the store. The base was made from some version
and is brought to the present one by the log of changes: what has gone is dead in it, what came is
indexed in memory. No file is written for a small change; when the changes are many, a new base is.
"""

from collections.abc import Iterator

import numpy as np

from rag import base, changes
from rag.base import FOLDER, LEXICAL, VECTORS, Manifest
from rag.changes import Changes
from rag.errors import IndexCorrupt
from rag.layers import (
    Derived,
    Layer,
    Terms,
    VectorIndexFactory,
    blocks_of,
    counted,
    make_layer,
)
from rag.lexical import LexicalIndex
from rag.protocols import Rows, Vectors
from rag.schema import connect, translating
from rag.store import Store
from rag.vectors import ExactIndex

LEAST_CHANGES = 4_096
CHANGED_SHARE = 20
"""A new base is written when more passages than this, and than one in so many, have changed."""
ERASED_ROWS = 16_384
"""A base of at most so many passages is written anew as soon as one of them is dead: a deleted
passage's vector and terms are in no file then. A larger one keeps them until it is written anew."""
READ_BYTES = 256 << 20
"""A base of at most this size is read by each run that writes, to be written anew if damaged."""


def load(store: Store, make_index: VectorIndexFactory) -> Derived:
    """Return the indexes of the store's present version: the saved base caught up, or new ones.

    Raises:
        IndexCorrupt: the store itself is damaged.
    """
    # A second look: another process may have put a new base there, of a version after the one
    # that is being read. Making all anew takes far longer.
    return _saved(store, make_index) or _saved(store, make_index) or _anew(store, make_index)


def followed(known: Derived, store: Store, make_index: VectorIndexFactory) -> Derived:
    """Return the indexes of the store's present version, starting from those of another one.

    Raises:
        IndexCorrupt: the store itself is damaged.
    """
    with store.reading():
        found = store.changes_since(known.version)
        if found is None:
            return load(store, make_index)
        saved = _saved(store, make_index) if _outgrown(known, store) else None
        return saved or _caught_up(known, found, store)


def _outgrown(known: Derived, store: Store) -> bool:
    """Tell whether much has changed since its base, and a later one is saved."""
    if not _many(known.changed, len(known.layers[0].rows)):
        return False
    told = base.manifest(store.path / FOLDER)
    return told is not None and told.version != known.base


def _many(changed: int, passages: int) -> bool:
    return changed > max(LEAST_CHANGES, passages // CHANGED_SHARE)


def _saved(store: Store, make_index: VectorIndexFactory) -> Derived | None:
    folder = store.path / FOLDER
    with store.reading():
        told = base.manifest(folder)
        found = store.changes_since(told.version) if told else None
        if told is None or found is None:
            return None
        layer = base.read(folder, told, make_index)
        if layer is None:
            return None
        lowest = Derived(told.version, told.version, (layer,), {})
        derived = _caught_up(lowest, found, store)
        _check_tally(derived, store)
        return derived


def _anew(store: Store, make_index: VectorIndexFactory) -> Derived:
    with store.reading():
        layer = make_layer(store, None, make_index)
        return Derived(store.version(), None, (layer,), _reference(store, layer.alive))


def _caught_up(known: Derived, found: Changes, store: Store) -> Derived:
    """Return indexes brought to the present version by what the log tells of the way there."""
    touched = found.touched
    lowest, *above = (layer.without(touched) for layer in known.layers)
    above = [layer for layer in above if layer.alive]
    rows = found.present
    # Small layers are made one with what comes, so that there are few: each was, when the next came
    # on top, more than twice as large as that.
    while above and above[-1].alive <= 2 * len(rows):
        rows = np.union1d(rows, above.pop().living_rows())
    if len(rows):
        top = make_layer(store, rows, ExactIndex)
        if len(top.rows) != len(rows):
            raise _gone(store, "passages")
        above.append(top)
    layers = (lowest, *above)
    alive = sum(layer.alive for layer in layers)
    return Derived(store.version(), known.base, layers, _reference(store, alive))


def _check_tally(derived: Derived, store: Store) -> None:
    """Check that the store holds the passages that the indexes hold."""
    rows = [layer.living_rows() for layer in derived.layers]
    held = sum(len(each) for each in rows), sum(int(each.sum()) for each in rows)
    if held != store.tally():
        raise _gone(store, "passages")


def _reference(store: Store, passages: int) -> dict[str, Vectors]:
    reference = store.reference()
    if passages and not reference:
        raise _gone(store, "its reference vectors")
    return reference


def _gone(store: Store, what: str) -> IndexCorrupt:
    """Damage can make rows vanish without a trace but that they were there."""
    return IndexCorrupt(
        f"{store.database} is damaged: {what} are gone; repair it, then ingest its folders again"
    )


# -- saving ---------------------------------------------------------------------------------


def save(store: Store, *, anew: bool = False) -> bool:
    """Write a new base of the store's present version where one is needed, whole or not at all.

    One is needed where the saved one is missing, damaged, of another index, or far from the present
    version, or would keep what was deleted from a small index. The caller holds the write lock.

    Args:
        anew: write one in any case.
    Returns:
        whether one was written.
    Raises:
        IndexCorrupt: the store is damaged.
        StoreError: the disk is full or not writable.
    """
    folder = store.path / FOLDER
    with store.reading(), translating(folder):
        base.tidy(folder)
        if not anew and _serves(store):
            return False
        version = store.version()
        rows, languages = store.rows()
        lexical = LexicalIndex.build(Terms(store, rows))
        dim = int(store.meta["dim"])
        counts = counted(languages)
        base.write(folder, version, rows, counts, blocks_of(store, rows), lexical, dim)
    # After the base is in place: until then readers may need the way from the one before it.
    connection = connect(store.database, writable=True)
    try:
        with translating(store.database):
            changes.prune(connection, version)
    finally:
        connection.close()
    return True


def _serves(store: Store) -> bool:
    """Tell whether the saved base is whole, so far as that is looked at, and good enough."""
    folder = store.path / FOLDER
    told = base.manifest(folder)
    found = store.changes_since(told.version) if told else None
    if told is None or found is None or _many(len(found), told.passages):
        return False
    if told.passages <= ERASED_ROWS and base.holds(folder, found.touched):
        return False
    if told.bytes > READ_BYTES:
        return base.complete(folder, told)
    return base.intact(folder, told)


def is_saved(store: Store) -> bool:
    """Tell whether a whole base is saved that leads to the store's present version; reads it."""
    folder = store.path / FOLDER
    with store.reading():
        told = base.manifest(folder)
        if told is None or store.changes_since(told.version) is None:
            return False
        return base.intact(folder, told)


# -- comparing ------------------------------------------------------------------------------


def differences(store: Store) -> Iterator[str]:
    """Yield in what way what is saved is not what the store's present version gives; reads all.

    Raises:
        IndexCorrupt: the store itself is damaged.
    """
    folder = store.path / FOLDER
    told = base.manifest(folder)
    if told is None:
        yield "has no manifest that is whole"
        return
    found = store.changes_since(told.version)
    if found is None:
        yield (
            f"is of version {told.version}, from which the log of changes does not lead to "
            f"{store.version()}"
        )
        return
    layer = base.read(folder, told, ExactIndex)
    if layer is None:
        yield "has a file that is missing or does not match its checksum"
        return
    yield from _compared(layer, told, found, store)


def _compared(layer: Layer, told: Manifest, found: Changes, store: Store) -> Iterator[str]:
    """Compare what is alive of the base with the store; the rest is read from the store itself."""
    layer = layer.without(found.touched)
    rows, languages = store.rows()
    kept = ~np.isin(rows, found.present)
    named = [language for language, count in told.languages for _ in range(count)]
    living = np.setdiff1d(np.arange(len(layer.rows)), layer.dead, True)
    if not np.array_equal(rows[kept], layer.living_rows()) or [
        language for language, keep in zip(languages, kept.tolist(), strict=True) if keep
    ] != [named[position] for position in living.tolist()]:
        yield "holds other passages than the store"
        return
    if not _same_vectors(store, layer, living):
        yield f"holds other vectors than the store: {VECTORS}"
    if not layer.lexical.same_as(LexicalIndex.build(_LivingTerms(store, layer))):
        yield f"holds other terms than the store: {LEXICAL}"


def _same_vectors(store: Store, layer: Layer, living: Rows) -> bool:
    matrix = np.load(store.path / FOLDER / VECTORS, mmap_mode="r", allow_pickle=False)
    first = 0
    for block in blocks_of(store, layer.rows[living]):
        if not np.array_equal(matrix[living[first : first + len(block)]], block):
            return False
        first += len(block)
    return True


class _LivingTerms(Terms):
    """The terms of a layer's passages by position, none where one is dead."""

    def __init__(self, store: Store, layer: Layer) -> None:
        super().__init__(store, layer.living_rows())
        self._layer = layer

    def __iter__(self) -> Iterator[bytes]:
        dead = set(self._layer.dead.tolist())
        terms = super().__iter__()
        for position in range(len(self._layer.rows)):
            yield b"" if position in dead else next(terms)
