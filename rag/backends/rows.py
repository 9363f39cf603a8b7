"""The rows of `rag.continuous` over a model of transformers: one step for all, or one for each."""

import inspect
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from rag.backends.readers import CausalReader, Reader, Step
from rag.backends.row_cache import RowCache, View
from rag.continuous import Job

if TYPE_CHECKING:
    from torch import Tensor

# Angles that depend on nothing but the place; others on the longest text of the batch.
_FIXED_ROTATIONS = {"default", "linear", "llama3", "yarn"}


def together(model: Any) -> bool:
    """Tell whether rows of one buffer suit a model: each layer looks at all that was read, and a
    place is told by its rotation (RoPE) alone, which comes from the places that are given."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    config = model.config.get_text_config(decoder=True)
    if config.is_encoder_decoder or getattr(config, "alibi", False):
        return False
    rotation = (getattr(config, "rope_parameters", None) or {}).get("rope_type")
    layers = DynamicCache(config=config).layers
    accepted = inspect.signature(model.forward).parameters
    return (
        rotation in _FIXED_ROTATIONS
        and bool(layers)
        and all(type(layer) is DynamicLayer for layer in layers)
        and {"attention_mask", "position_ids"} <= set(accepted)
    )


class TogetherRows:
    """Rows of a decoder-only model that take each step together."""

    def __init__(
        self, model: Any, reader: CausalReader, device: str, lock: AbstractContextManager[Any]
    ) -> None:
        """Take a model for which `together` holds.

        Args:
            reader: of the same model; reads the prefixes, and keeps them.
            lock: held for a run of the model at a time.
        """
        self._model = model
        self._reader = reader
        self._device = device
        self._lock = lock
        self.rest()

    def join(self, jobs: Sequence[Job]) -> None:
        """Read the prompts together, all but their last tokens, and add their rows."""
        import torch

        first = len(self._jobs)
        new = [list(job.prompt[job.shared : -1]) for job in jobs]
        longest = max(len(tokens) for tokens in new)
        with self._lock, torch.inference_mode():
            self._cache.grow(
                first + len(jobs), max(max(job.room, job.shared + longest) for job in jobs)
            )
            for row, job in enumerate(jobs, first):
                prefix = self._reader.kept(tuple(job.prompt[: job.shared]))
                self._cache.fill(row, prefix, job.shared)
            if longest:
                padded = [tokens + [0] * (longest - len(tokens)) for tokens in new]
                self._run(first, padded, [job.shared for job in jobs])
        self._cache.lengths += [len(job.prompt) - 1 for job in jobs]
        self._jobs += jobs
        self._last += [job.prompt[-1] for job in jobs]

    def step(self, first: int, last: int) -> list[int | Exception]:
        """Let rows first … last − 1 go on by a token."""
        import torch

        with self._lock, torch.inference_mode():
            read = [[token] for token in self._last[first:last]]
            scores = self._run(first, read, self._cache.lengths[first:last])
            rows = zip(self._jobs[first:last], scores, strict=True)
            chosen = [_chosen(job, row) for job, row in rows]
        for row, token in enumerate(chosen, first):
            if isinstance(token, int):
                self._cache.lengths[row] += 1
                self._last[row] = token
        return chosen

    def leave(self, row: int) -> None:
        """Remove a row; the last one gets its number."""
        import torch

        if row < len(self._jobs) - 1:
            with torch.inference_mode():
                self._cache.move(len(self._jobs) - 1, row)
        self._cache.lengths.pop()
        _take_out(self._jobs, row)
        _take_out(self._last, row)

    def rest(self) -> None:
        """Let go of all rows and of the buffer."""
        from transformers import Cache

        self._jobs: list[Job] = []
        self._last: list[int] = []
        """Of each row, the token that the next step reads."""
        self._cache = RowCache(self._model.config.get_text_config(decoder=True).num_hidden_layers)
        layers: list[Any] = [*self._cache.layers]
        self._made = Cache(layers=layers)

    def _run(self, first: int, tokens: list[list[int]], at: list[int]) -> "Tensor":
        """Read tokens (b, t) into the rows from `first` on, each from its place `at`; return the
        scores (b, vocabulary) float32 behind the last."""
        import torch

        ids = torch.tensor(tokens, device=self._device)
        places = torch.tensor(at, device=self._device)[:, None]
        places = places + torch.arange(ids.shape[1], device=self._device)
        visible = max(at) + ids.shape[1]
        self._cache.show(View(first, first + len(at), places, visible))
        output = self._model(
            ids,
            attention_mask=self._mask(places, visible),
            position_ids=places,
            past_key_values=self._made,
            use_cache=True,
            **self._reader.only(1),
        )
        scores: Tensor = output.logits[:, -1].float()
        return scores

    def _mask(self, places: "Tensor", visible: int) -> "Tensor":
        """Return what is added to the attention (b, 1, t, visible): a token looks at itself and at
        what comes before it in its row."""
        import torch

        unseen = torch.arange(visible, device=self._device) > places[:, None, :, None]
        mask = torch.zeros(unseen.shape, dtype=self._model.dtype, device=self._device)
        return mask.masked_fill_(unseen, torch.finfo(self._model.dtype).min)


class SingleRows:
    """Rows of any model, which take their steps one after the other."""

    def __init__(self, reader: Reader, lock: AbstractContextManager[Any]) -> None:
        """Take what reads the prompts, and the lock that is held for a run of the model."""
        self._reader = reader
        self._lock = lock
        self._rows: list[_Single] = []

    def join(self, jobs: Sequence[Job]) -> None:
        """Add rows; a prompt is read with the first step."""
        import torch

        with self._lock, torch.inference_mode():
            begun = [self._reader.begin(list(job.prompt), job.shared) for job in jobs]
        self._rows += [
            _Single(job, new, step) for job, (new, step) in zip(jobs, begun, strict=True)
        ]

    def step(self, first: int, last: int) -> list[int | Exception]:
        """Let rows first … last − 1 go on by a token."""
        return [self._step(row) for row in self._rows[first:last]]

    def leave(self, row: int) -> None:
        """Remove a row; the last one gets its number."""
        _take_out(self._rows, row)

    def rest(self) -> None:
        """Let go of all rows; nothing else is held."""
        self._rows.clear()

    def _step(self, row: "_Single") -> int | Exception:
        import torch

        try:
            with self._lock, torch.inference_mode():
                token = row.job.choose(row.step(row.new))
        except Exception as error:  # of this row: the others go on
            return error
        row.new = [token]
        return token


class _Single:
    def __init__(self, job: Job, new: list[int], step: Step) -> None:
        self.job = job
        self.new = new
        self.step = step


def _chosen(job: Job, scores: "Tensor") -> int | Exception:
    try:
        return job.choose(scores)
    except Exception as error:  # of this row: the others go on
        return error


def _take_out(values: list[Any], row: int) -> None:
    """Remove a value; the last one gets its place."""
    last = values.pop()
    if row < len(values):
        values[row] = last
