"""A verifier from any cross-encoder or NLI model, through sentence-transformers.

What its outputs mean is read from its own configuration: one logit is a reranker's or a regressor's
and goes through a sigmoid; several go through a softmax, and their names tell entailment from
contradiction. A premise of any length is read in full, in windows; the best window counts.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.analysis import language
from rag.backends.device import pick_device, pick_dtype
from rag.errors import ModelError
from rag.types import Judgement, Verdict
from rag.windows import windows

logger = logging.getLogger(__name__)

SUPPORTED = 0.5
PARTIAL = 0.25
CONTRADICTED = 0.5

LONGEST_WINDOW = 512
"""Tokens of premise and hypothesis. What such models learnt from is shorter still."""
LARGEST_HYPOTHESIS = 0.75
"""Share of a window; a longer claim leaves too little room for what is to support it."""

_BATCH = 16


@dataclass(frozen=True, slots=True)
class Labels:
    """Which outputs tell what; None where no output tells it."""

    support: int
    contradiction: int | None


def read_labels(id2label: Mapping[int, str], name: str) -> Labels:
    """Return what the outputs of a model mean, by their names in its configuration.

    Raises:
        ModelError: there are several, and not exactly one is named entailment or support.
    """
    if len(id2label) == 1:
        return Labels(support=0, contradiction=None)
    words = {i: label.lower().replace("-", "_").replace(" ", "_") for i, label in id2label.items()}
    against = [i for i, word in words.items() if "contra" in word or "refut" in word]
    denied = ("not_", "non_", "no_", "un", "not")
    support = [
        i
        for i, word in words.items()
        if ("entail" in word or "support" in word) and not word.startswith(denied)
    ]
    if len(support) != 1 or len(against) > 1:
        raise ModelError(
            f"{name} has the labels {', '.join(id2label.values())}; expected one for entailment or"
            " support, and at most one for contradiction: use an NLI model or a reranker"
        )
    return Labels(support[0], against[0] if against else None)


class CrossEncoderVerifier:
    """A Verifier; safe to share between threads."""

    def __init__(self, name: str, folder: Path, device: str = "auto") -> None:
        """Load the model.

        Args:
            name: as the user gives it.
            folder: with safetensors and tokenizer, from `rag.models.resolve`.
            device: auto, cpu or cuda.
        Raises:
            ModelError: the folder holds no such model, or its labels tell nothing.
        """
        self.name = name
        self._model = _load(folder, pick_device(device))
        self._labels = read_labels(self._model.config.id2label, name)
        self._limit = _limit(self._model)
        self._lock = threading.Lock()

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        """Return one judgement for each (premise, hypothesis).

        The score is the probability of support in the window where it is highest. An empty
        premise or hypothesis is unsupported, and so is a hypothesis too long to be read beside a
        premise: what was not read never counts.
        """
        # The tokenizer is a part of the model that remembers how it was last asked to cut.
        with self._lock:
            parts = [self._windows(premise, hypothesis) for premise, hypothesis in pairs]
            inputs = [
                (part, hypothesis)
                for (_, hypothesis), found in zip(pairs, parts, strict=True)
                for part in found
            ]
            support, against = self._predict(inputs)
        judgements, start = [], 0
        for found in parts:
            rows = slice(start, start + len(found))
            judgements.append(_judgement(support[rows], against[rows]))
            start += len(found)
        return judgements

    def _windows(self, premise: str, hypothesis: str) -> list[str]:
        if not premise.strip() or not hypothesis.strip():
            return []
        if self._length("", hypothesis) > LARGEST_HYPOTHESIS * self._limit:
            logger.warning(
                "%s can not read a claim of %d characters: unsupported", self.name, len(hypothesis)
            )
            return []
        spans = windows(
            premise,
            lambda part: self._length(part, hypothesis) <= self._limit,
            language(premise),
        )
        return [premise[start:end] for start, end in spans]

    def _length(self, premise: str, hypothesis: str) -> int:
        encoded = self._model.tokenizer(premise, hypothesis, truncation=False, verbose=False)
        return len(encoded["input_ids"])

    def _predict(self, inputs: list[tuple[str, str]]) -> tuple[NDArray[np.float64], ...]:
        """Return the probabilities (n,) of support, and (n,) of contradiction."""
        import torch

        if not inputs:
            return np.zeros(0), np.zeros(0)
        raw = self._model.predict(
            inputs,
            batch_size=_BATCH,
            activation_fn=torch.nn.Identity(),
            show_progress_bar=False,
        )
        logits = np.asarray(raw, dtype=np.float64)
        if logits.ndim == 1:
            return 1 / (1 + np.exp(-logits)), np.zeros(len(logits))
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        against = self._labels.contradiction
        return (
            shares[:, self._labels.support],
            np.zeros(len(shares)) if against is None else shares[:, against],
        )


def _judgement(support: NDArray[np.float64], against: NDArray[np.float64]) -> Judgement:
    """Return what the windows of one pair come to; support in one outweighs all others."""
    best = float(support.max(initial=0.0))
    worst = float(against.max(initial=0.0))
    if best >= SUPPORTED:
        verdict = Verdict.SUPPORTED
    elif worst >= CONTRADICTED:
        verdict = Verdict.CONTRADICTED
    else:
        verdict = Verdict.PARTIAL if best >= PARTIAL else Verdict.UNSUPPORTED
    return Judgement(verdict, round(best, 4))


def _load(folder: Path, device: str) -> Any:
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging as library

    library.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = CrossEncoder(
            str(folder),
            device=device,
            local_files_only=True,
            model_kwargs={"dtype": pick_dtype(device), "use_safetensors": True},
        )
    except Exception as error:  # whatever the libraries make of a damaged folder
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise ModelError(
            f"{folder} could not be loaded as a verifier: {reason[0]}; expected a model for pairs"
            " of texts, in safetensors"
        ) from error
    return model.eval()


def _limit(model: Any) -> int:
    """Return the tokens of a pair, special tokens included, that the model reads."""
    positions = int(getattr(model.config, "max_position_embeddings", None) or LONGEST_WINDOW)
    limit = model.max_seq_length or positions
    # A tokenizer without a limit gives a huge one; RoBERTa keeps two positions for itself.
    return min(LONGEST_WINDOW, int(limit) if limit <= positions else positions - 2)
