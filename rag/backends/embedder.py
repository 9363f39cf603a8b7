"""Text to vectors with any sentence-transformers model.

Texts are tokenised once, sorted by length and batched by tokens, padding counted: on a CPU time
goes by tokens, and a batch of like lengths holds hardly any padding.
"""

import math
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.backends.device import pick_device, pick_dtype
from rag.errors import ModelError
from rag.models import fingerprint, prompts
from rag.protocols import TokenVectors, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Encoding

# For models that do not say how long a text may be.
DEFAULT_WINDOW = 512
BATCH_TOKENS = 4096
NO_SPANS = np.zeros((0, 2), np.int64)


class FastTokenizer:
    """A model's own tokenizer, untruncated; safe to use from several threads."""

    def __init__(self, backend: Any) -> None:
        # The model's configuration may have set these; we batch and cut ourselves.
        backend.no_truncation()
        backend.no_padding()
        self._backend = backend
        self.special_tokens: int = backend.num_special_tokens_to_add(False)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the code-point span of each token of text, no special tokens, untruncated."""
        spans: list[tuple[int, int]] = self._backend.encode(text, add_special_tokens=False).offsets
        return spans

    def count(self, text: str) -> int:
        """Return the number of tokens of text, no special tokens."""
        return len(self._backend.encode(text, add_special_tokens=False))

    def encode(self, texts: Sequence[str]) -> list["Encoding"]:
        """Return the tokens of each text, no special tokens, untruncated."""
        found: list[Encoding] = self._backend.encode_batch(list(texts), add_special_tokens=False)
        return found

    def post_process(self, encoding: "Encoding") -> "Encoding":
        """Return the tokens of a text with the special tokens added."""
        finished: Encoding = self._backend.post_process(encoding)
        return finished

    def finish(self, encoding: "Encoding") -> list[int]:
        """Return the token numbers of a text with the special tokens added."""
        ids: list[int] = self.post_process(encoding).ids
        return ids


class SentenceTransformerEmbedder:
    """An `rag.protocols.Embedder` over sentence-transformers; safe to use from several threads."""

    def __init__(
        self, name: str, folder: Path, *, device: str = "auto", batch_tokens: int = BATCH_TOKENS
    ) -> None:
        """Load a model.

        Args:
            name: as the user gives it.
            folder: with the weights, from `rag.models.resolve`.
            device: auto, cpu or cuda.
            batch_tokens: most tokens, padding counted, that go through the model at once.
        Raises:
            ModelError: the folder does not hold a usable embedding model.
            ConfigError: cuda is asked for and absent.
        """
        self._name = name
        self._batch_tokens = batch_tokens
        self._lock = threading.Lock()
        self._model = _load(folder, pick_device(device))
        self._tokenizer = FastTokenizer(_backend_of(self._model, name))
        self._pad = int(self._model.tokenizer.pad_token_id or 0)
        self._query, self._passage = prompts(name, folder)
        self._window = _window(self._model)
        self._dim = int(self._model.get_embedding_dimension() or 0)
        self._fingerprint = fingerprint(name, folder)

    @property
    def name(self) -> str:
        """The model's name, as the user gave it."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """What decides the vectors; see `rag.models.fingerprint`."""
        return self._fingerprint

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    @property
    def max_tokens(self) -> int:
        """Tokens of passage text that fit beside the prefix and the special tokens."""
        prefix = self._tokenizer.count(self._passage)
        return self._window - self._tokenizer.special_tokens - prefix

    @property
    def tokenizer(self) -> FastTokenizer:
        """The model's tokenizer, for chunking in the units that the model counts."""
        return self._tokenizer

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dim) float32, unit L2 norm, in the order of texts.

        Raises:
            ValueError: a text is longer than the window; a passage is never cut.
        """
        return self._embed(self._encode_passages(texts), self._passage)

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the vectors of the tokens of each text, read as a passage.

        They are the model's last layer before pooling; prefix and special tokens are left out.

        Raises:
            ValueError: a text is longer than the window.
        """
        encodings = self._encode_passages(texts)
        rows = [self._tokenizer.finish(encoding) for encoding in encodings]
        found: list[TokenVectors] = [TokenVectors(NO_SPANS, np.zeros((0, self._dim), np.float32))]
        found *= len(rows)
        for batch in plan_batches([len(row) for row in rows], self._batch_tokens):
            output = self._forward([rows[i] for i in batch], self._passage, "token_embeddings")
            for i, vectors in zip(batch, output, strict=True):
                found[i] = self._without_prefix(encodings[i], vectors)
        return found

    def _without_prefix(self, encoding: "Encoding", vectors: Vectors) -> TokenVectors:
        """Return the tokens of the text alone, given those of the whole row, padding and all."""
        finished = self._tokenizer.post_process(encoding)
        offsets = np.array(finished.offsets, np.int64).reshape(-1, 2) - len(self._passage)
        special = np.array(finished.special_tokens_mask, np.bool_)
        kept = ~special & (offsets[:, 1] > 0) & (offsets[:, 1] > offsets[:, 0])
        own = vectors[: len(kept)][kept]
        norms = np.linalg.norm(own, axis=1, keepdims=True)
        unit = (own / np.where(norms > 0, norms, 1)).astype(np.float32, copy=False)
        return TokenVectors(np.maximum(offsets[kept], 0), unit)

    def _encode_passages(self, texts: Sequence[str]) -> list["Encoding"]:
        encodings = self._tokenizer.encode([self._passage + text for text in texts])
        room = self._window - self._tokenizer.special_tokens
        longest = max((len(encoding) for encoding in encodings), default=0)
        if longest > room:
            raise ValueError(f"a passage has {longest} tokens with its prefix; {room} fit")
        return encodings

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dim) float32, unit L2 norm, in the order of texts.

        A query longer than the window is cut there: its beginning decides.
        """
        encodings = self._tokenizer.encode([self._query + text for text in texts])
        for encoding in encodings:
            encoding.truncate(self._window - self._tokenizer.special_tokens)
        return self._embed(encodings, self._query)

    def _embed(self, encodings: list["Encoding"], prefix: str) -> Vectors:
        rows = [self._tokenizer.finish(encoding) for encoding in encodings]
        vectors = np.zeros((len(rows), self._dim), np.float32)
        for batch in plan_batches([len(row) for row in rows], self._batch_tokens):
            output = self._forward([rows[i] for i in batch], prefix, "sentence_embedding")
            vectors[batch] = output
        # In bfloat16 the model's own norm is 1 to two or three digits only.
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= np.where(norms > 0, norms, 1)
        return vectors

    def _forward(self, rows: list[list[int]], prefix: str, output: str) -> Vectors:
        """Return one output of the model: (n, dim), or (n, longest row, dim) for tokens."""
        import torch

        width = max(len(row) for row in rows)
        ids = np.full((len(rows), width), self._pad, np.int64)
        mask = np.zeros((len(rows), width), np.int64)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
            mask[i, : len(row)] = 1
        features: dict[str, Any] = {
            "input_ids": torch.from_numpy(ids).to(self._model.device),
            "attention_mask": torch.from_numpy(mask).to(self._model.device),
        }
        if prefix:
            # For the models that leave their prompt out of the pooling.
            features["prompt_length"] = self._tokenizer.count(prefix)
        with self._lock, torch.inference_mode():
            result = self._model(features)[output]
        found: Vectors = result.float().cpu().numpy()
        return found


def plan_batches(lengths: Sequence[int], batch_tokens: int) -> list[list[int]]:
    """Return the places of texts, longest first, in batches of at most batch_tokens.

    A batch counts as its longest text times its texts: what the model works through. A text
    longer than batch_tokens is a batch of its own.
    """
    batches: list[list[int]] = []
    room = 0
    for place in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if room < 1:
            batches.append([])
            room = max(1, batch_tokens // max(1, lengths[place]))
        batches[-1].append(place)
        room -= 1
    return batches


def _load(folder: Path, device: str) -> "SentenceTransformer":
    # Otherwise the tokenizer warns of forks, and reading weights draws a bar.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = SentenceTransformer(
            str(folder),
            device=device,
            local_files_only=True,
            model_kwargs={"dtype": pick_dtype(device)},
        )
    except Exception as error:  # whatever the libraries make of a damaged folder
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise ModelError(f"{folder} could not be loaded as an embedder: {reason[0]}") from error
    return model.eval()


def _backend_of(model: "SentenceTransformer", name: str) -> Any:
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"{name} has no fast tokenizer; expected a folder with tokenizer.json")
    return backend


def _window(model: "SentenceTransformer") -> int:
    config = getattr(model.transformers_model, "config", None)
    positions = int(getattr(config, "max_position_embeddings", DEFAULT_WINDOW))
    limit = model.max_seq_length or math.inf
    # A tokenizer without a limit gives a huge one; RoBERTa keeps two positions for itself.
    return int(limit) if limit <= positions else positions - 2
