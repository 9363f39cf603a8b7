"""How likely a language model finds texts after a prompt: the sums of log p over their tokens."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rag.backends.readers import Reader
from rag.types import LogProbability

if TYPE_CHECKING:
    from torch import Tensor

Parted = tuple[list[int], list[int]]
"""The tokens of a prompt, and those of a text behind it."""


def weighed(
    reader: Reader,
    lock: AbstractContextManager[Any],
    parts: Sequence[Parted],
    shared: int,
    specials: frozenset[int],
) -> list[LogProbability]:
    """Return log p(text | prompt) for each of parts; a prompt that texts share is read once.

    Args:
        lock: held for a run of the model at a time.
        shared: length of the prompts' beginning that other prompts have too.
        specials: tokens that are read and do not count.
    """
    import torch

    found = []
    for prompt, texts in groupby(parts, key=lambda part: part[0]):
        with lock, torch.inference_mode():
            weigh = reader.weigh(prompt, min(shared, len(prompt) - 1))
        for _, text in texts:
            if not text:
                found.append(LogProbability(0.0, 0))
                continue
            with lock, torch.inference_mode():
                found.append(_summed(weigh(text), text, specials))
    return found


def _summed(scores: "Tensor", text: list[int], specials: frozenset[int]) -> LogProbability:
    """Return the sum over the tokens of text of log softmax(scores), (n, vocabulary)."""
    rows = [row for row, token in enumerate(text) if token not in specials]
    logs = scores.log_softmax(dim=-1)
    return LogProbability(float(logs[rows, [text[row] for row in rows]].sum()), len(rows))
