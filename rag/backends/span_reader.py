"""A reader from an encoder of the BERT family and an adapter with a head for spans.

Question and passage go through the encoder together; the head gives each token two scores, as the
first and as the last token of the answer. `rag.spanning` cuts the windows and reads the scores.
"""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.backends.device import pick_device, pick_dtype
from rag.backends.embedder import plan_batches
from rag.errors import ModelError
from rag.models import prompts
from rag.models.adapter import Adapter, check_base
from rag.spanning import Floats, Marks, Window, read_window, windows_of
from rag.types import Reading

BATCH_TOKENS = 2048
HEAD = ("span.weight", "span.bias")
NOTHING = Reading(0, 0, 0.0, float("inf"))


class PairTokenizer:
    """Cuts questions and passages into the windows that a model reads."""

    def __init__(self, folder: Path, prefix: str) -> None:
        """Load the tokenizer of a model's folder; `prefix` goes before every question."""
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from tokenizers import Tokenizer

        try:
            self._backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the library raises nothing narrower
            raise ModelError(f"{folder} has no tokenizer that can be read: {error}") from error
        self._backend.no_truncation()
        self._backend.no_padding()
        self._prefix = prefix
        self.marks = Marks(*(self._number(mark, folder) for mark in ("<s>", "</s>", "<pad>")))

    def _number(self, mark: str, folder: Path) -> int:
        number: int | None = self._backend.token_to_id(mark)
        if number is None:
            raise ModelError(f"the tokenizer of {folder} has no {mark}; expected one like XLM-R's")
        return number

    def windows(self, question: str, passages: Sequence[str]) -> list[list[Window]]:
        """Return the windows of each passage, none for an empty one."""
        asked = self._backend.encode(self._prefix + question, add_special_tokens=False).ids
        read = self._backend.encode_batch(list(passages), add_special_tokens=False)
        return [
            list(windows_of(asked, part.ids, part.offsets, self.marks)) if part.ids else []
            for part in read
        ]


class SpanReader:
    """An `rag.protocols.Reader`; safe to share between threads."""

    def __init__(self, folder: Path, adapter: Adapter, device: str = "auto") -> None:
        """Load the encoder and add what was learnt.

        Args:
            folder: with the adapter's base, from `rag.models.resolve`.
            adapter: with the head's weight (2, dim) and bias (2,).
            device: auto, cpu or cuda.
        Raises:
            ModelError: the folder holds other weights, or the adapter does not fit them.
            ConfigError: cuda is asked for and absent.
        """
        check_base(adapter, folder)
        self.name = f"{adapter.base} + {adapter.name}"
        self._lock = threading.Lock()
        self._device = pick_device(device)
        self._tokenizer = PairTokenizer(folder, prompts(adapter.base, folder)[0])
        self._model = merged(load_encoder(folder), adapter)
        self._model.to(self._device, pick_dtype(self._device))
        self._weight, self._bias = _head(adapter)

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        """Return one reading for each passage, in their order.

        A passage longer than a window is read in several that overlap; the one with the least
        null counts.
        """
        found = self._tokenizer.windows(question, passages)
        windows = [window for each in found for window in each]
        scores = self._scores(windows)
        readings, row = [], 0
        for text, own in zip(passages, found, strict=True):
            read = [
                read_window(w, s, text)
                for w, s in zip(own, scores[row : row + len(own)], strict=True)
            ]
            readings.append(min((r for r in read if r), key=lambda r: r.null, default=NOTHING))
            row += len(own)
        return readings

    def _scores(self, windows: Sequence[Window]) -> list[Floats]:
        """Return for each window (t, 2): its tokens as the first and as the last of the answer."""
        scores: list[Floats] = [np.zeros((0, 2), np.float32)] * len(windows)
        for batch in plan_batches([len(window.ids) for window in windows], BATCH_TOKENS):
            output = self._forward([windows[i].ids for i in batch])
            for i, values in zip(batch, output, strict=True):
                scores[i] = values[: len(windows[i].ids)] @ self._weight.T + self._bias
        return scores

    def _forward(self, rows: Sequence[Sequence[int]]) -> Floats:
        """Return the encoder's last layer, (n, longest row, dim)."""
        import torch

        ids, mask = padded(rows, self._tokenizer.marks.pad)
        with self._lock, torch.inference_mode():
            output = self._model(
                input_ids=torch.from_numpy(ids).to(self._device),
                attention_mask=torch.from_numpy(mask).to(self._device),
            ).last_hidden_state
        found: Floats = output.float().cpu().numpy()
        return found


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[Any, Any]:
    """Return token numbers and mask, both (n, longest row) int64."""
    width = max(len(row) for row in rows)
    ids = np.full((len(rows), width), pad, np.int64)
    mask = np.zeros((len(rows), width), np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask


def load_encoder(folder: Path) -> Any:
    """Return the encoder of a folder in float32, ready to read.

    Raises:
        ModelError: the folder holds none.
    """
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = AutoModel.from_pretrained(str(folder), local_files_only=True, use_safetensors=True)
    except Exception as error:  # whatever the library makes of a damaged folder
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise ModelError(f"{folder} could not be loaded as a reader: {reason[0]}") from error
    return model.float().eval()


def merged(model: Any, adapter: Adapter) -> Any:
    """Return the model with the adapter's changes added to its matrices, in place.

    Raises:
        ModelError: a change is for a matrix that the model has not, or has in another shape.
    """
    import torch

    matrices = dict(model.named_parameters())
    with torch.no_grad():
        for name, change in adapter.changes.items():
            matrix = matrices.get(f"{name}.weight")
            if matrix is None or tuple(matrix.shape) != change.shape:
                raise ModelError(
                    f"the adapter {adapter.name} changes {name} of shape {change.shape}, which"
                    f" {adapter.base} has not"
                )
            matrix += torch.from_numpy(change)
    return model


def _head(adapter: Adapter) -> tuple[Floats, Floats]:
    try:
        weight, bias = (adapter.heads[name] for name in HEAD)
    except KeyError as error:
        raise ModelError(
            f"the adapter {adapter.name} has no {error}; expected {', '.join(HEAD)}"
        ) from error
    return weight, bias
