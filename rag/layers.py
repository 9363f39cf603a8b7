"""Passages that are searched: a large base that is saved, and small layers of what came since.

A layer is immutable. What goes, or changes, is dead in the layer that holds it; what comes, or
changed, is alive in a new layer on top. All layers together answer exactly as one made whole:
their statistics are sums over what is alive, and wherever order matters it is that of languages,
then of rows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, islice
from typing import Self

import numpy as np

from rag.fusion import sample_rows
from rag.lexical import Corpus, LexicalIndex
from rag.protocols import Rows, Scores, VectorIndex, Vectors
from rag.store import Store

BLOCK = 4096
NONE: Rows = np.empty(0, dtype=np.int64)

VectorIndexFactory = Callable[[Vectors], VectorIndex]


@dataclass(frozen=True, slots=True)
class Group:
    """The passages of a layer in one language: positions start … start + len(vectors)."""

    language: str
    start: int
    vectors: VectorIndex

    @property
    def end(self) -> int:
        """The position after its last."""
        return self.start + len(self.vectors)

    def part(self, positions: Rows) -> Rows:
        """Return those of the ascending positions that lie in the group."""
        first, last = np.searchsorted(positions, [self.start, self.end])
        return positions[first:last]


@dataclass(frozen=True, slots=True)
class Layer:
    """Passages that were indexed together; position i holds the passage in store row rows[i].

    Attributes:
        rows: (n,), ascending within each group.
        groups: by language.
        lexical: over the positions, dead ones declared.
        dead: positions of passages that are not searched here any more, ascending.
    """

    rows: Rows
    groups: tuple[Group, ...]
    lexical: LexicalIndex
    dead: Rows

    @property
    def alive(self) -> int:
        """How many passages are searched here."""
        return len(self.rows) - len(self.dead)

    def living(self, group: Group) -> Rows:
        """Return the positions of a group that are not dead, ascending."""
        return np.setdiff1d(np.arange(group.start, group.end), group.part(self.dead), True)

    def living_rows(self) -> Rows:
        """Return the rows of the passages that are searched here, by position."""
        return np.delete(self.rows, self.dead)

    def positions(self, rows: Rows) -> Rows:
        """Return where these rows, ascending, stand and are alive, ascending."""
        found = [NONE]
        for group in self.groups:
            own = self.rows[group.start : group.end]
            at = np.minimum(np.searchsorted(own, rows), len(own) - 1)
            found.append(group.start + at[own[at] == rows])
        return np.setdiff1d(np.concatenate(found), self.dead, True)

    def without(self, rows: Rows) -> Self:
        """Return the layer in which these rows, ascending, are dead too; itself if none is here."""
        found = self.positions(rows)
        if not len(found):
            return self
        dead = np.union1d(self.dead, found)
        return replace(self, lexical=self.lexical.without(dead), dead=dead)


@dataclass(frozen=True)
class Derived:
    """Indexes over the passages of one version of the store.

    A place counts through all layers, dead positions included.

    Attributes:
        base: the version that the lowest layer was saved for; None if it was made in memory.
        layers: the lowest first; each row is alive in one of them at most.
        reference: the vectors of `rag.reference`'s sentences, by language.
    """

    version: int
    base: int | None
    layers: tuple[Layer, ...]
    reference: Mapping[str, Vectors]

    @cached_property
    def corpus(self) -> Corpus:
        """What lexical weights are computed over."""
        return Corpus([layer.lexical for layer in self.layers])

    @cached_property
    def sizes(self) -> dict[str, int]:
        """How many passages are alive in each language that has any, by language."""
        sizes: dict[str, int] = {}
        for layer in self.layers:
            for group in layer.groups:
                alive = len(group.vectors) - len(group.part(layer.dead))
                sizes[group.language] = sizes.get(group.language, 0) + alive
        return {language: sizes[language] for language in sorted(sizes) if sizes[language]}

    @cached_property
    def starts(self) -> Rows:
        """The place at which each layer starts, and the one after the last."""
        return np.cumsum([0, *(len(layer.rows) for layer in self.layers)]).astype(np.int64)

    @property
    def changed(self) -> int:
        """How many passages are not as the lowest layer holds them: dead there, or above it."""
        return len(self.layers[0].dead) + sum(layer.alive for layer in self.layers[1:])

    @cached_property
    def languages(self) -> list[str]:
        """The languages of all groups, in order."""
        return sorted({group.language for layer in self.layers for group in layer.groups})

    @cached_property
    def samples(self) -> dict[str, Rows]:
        """Places of passages spread evenly over those of each language."""
        return {
            language: self.chosen(language, sample_rows(size))
            for language, size in self.sizes.items()
        }

    def groups(self, language: str) -> Iterator[tuple[int, Layer, Group]]:
        """Yield the groups of a language, each with its layer and the number of that."""
        for i, layer in enumerate(self.layers):
            for group in layer.groups:
                if group.language == language:
                    yield i, layer, group

    def by_layer(self, places: Rows) -> Iterator[tuple[Layer, Rows, Rows]]:
        """Yield each layer with which of the places are its own, and their positions in it."""
        for i, layer in enumerate(self.layers):
            at = np.flatnonzero((self.starts[i] <= places) & (places < self.starts[i + 1]))
            if len(at):
                yield layer, at, places[at] - self.starts[i]

    def rows_at(self, places: Rows) -> Rows:
        """Return the store rows at places."""
        rows = np.empty(len(places), dtype=np.int64)
        for layer, at, positions in self.by_layer(places):
            rows[at] = layer.rows[positions]
        return rows

    def languages_at(self, places: Rows) -> Rows:
        """Return the languages at places, as indexes into `languages`."""
        numbers = np.empty(len(places), dtype=np.int64)
        for layer, at, positions in self.by_layer(places):
            own = np.array([self.languages.index(group.language) for group in layer.groups])
            starts = [group.start for group in layer.groups]
            numbers[at] = own[np.searchsorted(starts, positions, "right") - 1]
        return numbers

    def order(self, places: Rows, scores: Scores) -> Rows:
        """Return the order by descending score, then by language, then by row."""
        return np.lexsort((self.rows_at(places), self.languages_at(places), -scores))

    def chosen(self, language: str, ranks: Rows) -> Rows:
        """Return the places of the passages of a language that stand at given ranks, from 0, among
        all of it that are alive, by row.

        As if they were in one group: those of the largest are found by counting what is dead
        before them, so that nothing of its size is made.
        """
        (i, layer, largest), *others = sorted(
            self.groups(language), key=lambda found: -len(found[2].vectors)
        )
        dead = largest.part(layer.dead) - largest.start
        above = [(self.starts[j], each, each.living(group)) for j, each, group in others]
        rows = np.concatenate([NONE, *(each.rows[at] for _, each, at in above)])
        places = np.concatenate([NONE, *(start + at for start, _, at in above)])[np.argsort(rows)]
        # The rank of each passage of the other layers: what is alive before it, here and there.
        at = np.searchsorted(layer.rows[largest.start : largest.end], np.sort(rows))
        own_ranks = at - np.searchsorted(dead, at) + np.arange(len(rows))
        among = np.searchsorted(own_ranks, ranks, "right")
        behind = ranks - among
        behind += np.searchsorted(dead - np.arange(len(dead)), behind, "right")
        found: Rows = self.starts[i] + largest.start + behind
        other = np.isin(ranks, own_ranks)
        found[other] = places[among[other] - 1]
        return found


def make_layer(store: Store, rows: Rows | None, make_index: VectorIndexFactory) -> Layer:
    """Return a layer of the passages of the store's present version.

    Args:
        rows: of these rows, so far as they are there; of all by default.
    Raises:
        IndexCorrupt: the store is damaged.
    """
    found, languages = store.rows(rows)
    terms = Terms(store, found)
    # Building reads them twice: those of all passages are too many to be held.
    lexical = LexicalIndex.build(terms if rows is None else list(terms))
    groups = groups_of(matrix_of(store, found), counted(languages), make_index)
    return Layer(found, groups, lexical, NONE)


def counted(languages: Sequence[str]) -> list[tuple[str, int]]:
    """Return each language with how many follow upon one another."""
    return [(language, len(list(members))) for language, members in groupby(languages)]


def groups_of(
    matrix: Vectors, counts: Sequence[tuple[str, int]], make_index: VectorIndexFactory
) -> tuple[Group, ...]:
    """Return the groups whose vectors follow upon one another in a matrix."""
    groups: list[Group] = []
    start = 0
    for language, count in counts:
        groups.append(Group(language, start, make_index(matrix[start : start + count])))
        start += count
    return tuple(groups)


def blocks_of(store: Store, rows: Rows) -> Iterator[Vectors]:
    """Yield the vectors of passages, (n, dim) float32, a block at a time."""
    vectors, dim = store.vectors(rows), int(store.meta["dim"])
    while block := list(islice(vectors, BLOCK)):
        yield np.frombuffer(b"".join(block), dtype="<f4").reshape(len(block), dim)


def matrix_of(store: Store, rows: Rows) -> Vectors:
    """Return the vectors of passages, (n, dim) float32."""
    matrix = np.empty((len(rows), int(store.meta["dim"])), dtype=np.float32)
    first = 0
    for block in blocks_of(store, rows):
        matrix[first : first + len(block)] = block
        first += len(block)
    return matrix


class Terms:
    """The terms of passages, read anew each time they are iterated over."""

    def __init__(self, store: Store, rows: Rows) -> None:
        self._store = store
        self._rows = rows

    def __iter__(self) -> Iterator[bytes]:
        return self._store.terms(self._rows)
