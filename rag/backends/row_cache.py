"""What the answers that are written together have read, in one buffer a layer.

A row is an answer: its tokens begin at the left, and what lies behind the last one is masked. So
rows of any length take a step together, join and leave without moving the others, and a new token
is written in its place where a cache of transformers' would be copied as a whole.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

PAGE = 64
"""Tokens by which rows grow."""


@dataclass(frozen=True, slots=True)
class View:
    """The rows that a run of the model reads tokens into.

    Attributes:
        first, last: the rows, without the last.
        places: (rows, t) int64, where in its row each token lies.
        visible: tokens of a row that are looked at.
    """

    first: int
    last: int
    places: "Tensor"
    visible: int


class RowCache:
    """Keys and values of all rows; `layers` makes a cache of transformers' of them."""

    def __init__(self, layers: int) -> None:
        """Begin without a row; nothing is held yet."""
        self.lengths: list[int] = []
        """Tokens that each row has read."""
        self.layers = [_Layer() for _ in range(layers)]
        self._slots = self._capacity = 0

    def grow(self, rows: int, tokens: int) -> None:
        """See to it that so many rows fit, of so many tokens each."""
        while self._slots < rows:
            self._slots = max(1, 2 * self._slots)
        self._capacity = max(self._capacity, -(-tokens // PAGE) * PAGE)
        for layer in self.layers:
            layer.size = (self._slots, self._capacity)

    def fill(self, row: int, prefix: Any, length: int) -> None:
        """Copy what a cache of transformers' has read, length tokens, to the beginning of a row."""
        if length:
            for layer, read in zip(self.layers, prefix.layers, strict=True):
                layer.fill(row, read, length)

    def show(self, view: View) -> None:
        """Let the next run of the model read into these rows."""
        for layer in self.layers:
            layer.view = view

    def move(self, source: int, target: int) -> None:
        """Put a row in the place of another one."""
        length = self.lengths[source]
        for layer in self.layers:
            layer.move(source, target, length)
        self.lengths[target] = length


class _Layer:
    """One layer, as `transformers.Cache` asks for it (there CacheLayerMixin)."""

    is_sliding = False
    is_compileable = False

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None
        self.size = (0, 0)
        """Slots and capacity that are wanted."""
        self.view: View

    def update(
        self, key_states: "Tensor", value_states: "Tensor", *_: Any, **__: Any
    ) -> tuple["Tensor", "Tensor"]:
        """Take the keys and values (rows, heads, t, dim) of new tokens; return all of the rows."""
        import torch

        view = self.view
        self.keys = _sized(self.keys, key_states, self.size)
        self.values = _sized(self.values, value_states, self.size)
        rows = torch.arange(view.first, view.last, device=key_states.device)[:, None]
        self.keys[rows, :, view.places] = key_states.transpose(1, 2)
        self.values[rows, :, view.places] = value_states.transpose(1, 2)
        shown = (slice(view.first, view.last), slice(None), slice(view.visible))
        return self.keys[shown], self.values[shown]

    def fill(self, row: int, read: Any, length: int) -> None:
        self.keys = _sized(self.keys, read.keys, self.size)
        self.values = _sized(self.values, read.values, self.size)
        self.keys[row, :, :length] = read.keys[0, :, :length]
        self.values[row, :, :length] = read.values[0, :, :length]

    def move(self, source: int, target: int, length: int) -> None:
        for buffer in (self.keys, self.values):
            if buffer is not None:
                buffer[target, :, :length] = buffer[source, :, :length]

    def get_seq_length(self) -> int:
        """Return how many tokens the longest row had before those that are being read."""
        return self.view.visible - int(self.view.places.shape[1])

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Return how many tokens are looked at, and which is the first."""
        return self.view.visible, 0


def _sized(buffer: "Tensor | None", like: "Tensor", size: tuple[int, int]) -> "Tensor":
    """Return a buffer (slots, heads, capacity, dim) of the wanted size with what it held."""
    import torch

    slots, capacity = size
    if buffer is not None and buffer.shape[0] >= slots and buffer.shape[2] >= capacity:
        return buffer
    shape = (slots, like.shape[1], capacity, like.shape[3])
    # Zeros: what is masked is multiplied by nothing, which of not-a-number were not nothing.
    grown = torch.zeros(shape, dtype=like.dtype, device=like.device)
    if buffer is not None:
        grown[: buffer.shape[0], :, : buffer.shape[2]] = buffer
    return grown
