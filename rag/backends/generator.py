"""Text from a language model of transformers, decoder-only or with an encoder.

Answers of several threads are written together (`rag.continuous`). The loop is our own: closing the
iterator leaves it, and the marker constraint and the sampling are each answer's own.
"""

import re
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.backends.device import pick_device, pick_dtype
from rag.backends.markers import MarkerConstraint, MarkerGrammar, marker_tokens
from rag.backends.readers import CausalReader, Reader, Seq2SeqReader
from rag.backends.rows import SingleRows, TogetherRows, together
from rag.backends.text_pieces import TextPieces
from rag.backends.weighing import weighed
from rag.continuous import MOST_TOKENS, ContinuousBatch, Job, Rows
from rag.errors import GenerationError, ModelError
from rag.protocols import Decoding, Message, TextStream
from rag.types import LogProbability

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

_UNLIMITED = 10**6  # a tokenizer that knows no limit states 10^30

_END_TOKENS = ("<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "<|endoftext|>", "</s>")
_LABELS = {"system": "", "user": "Question: ", "assistant": "Answer: "}


class TransformersGenerator:
    """A Generator over a folder of weights."""

    def __init__(
        self,
        path: Path,
        name: str,
        device: str = "auto",
        languages: Iterable[str] = (),
        most_tokens: int = MOST_TOKENS,
    ) -> None:
        """Load the model.

        Args:
            path: folder with config.json, safetensors and tokenizer files.
            name: the model's name, as the user gives it.
            device: auto, cpu or cuda.
            languages: ISO 639-1 codes that it writes well; empty means any.
            most_tokens: that answers written together may hold.
        Raises:
            ModelError: the folder does not hold a causal or sequence-to-sequence language model.
        """
        self._name = name
        self._languages = frozenset(languages)
        self._device = pick_device(device)
        self._model, self._tokenizer = _load(path, self._device)
        self._window = _window(self._model.config, self._tokenizer)
        self._ends = _end_ids(self._model, self._tokenizer)
        self._chat = bool(self._tokenizer.chat_template)
        self._seq2seq = seq2seq = bool(self._model.config.is_encoder_decoder)
        self._lock = threading.Lock()
        self._reader, rows = self._readers()
        self._batch = ContinuousBatch(rows, most_tokens)
        # Without a chat template nothing tells a decoder-only model that its turn is over.
        self._one_line = not self._chat and not seq2seq
        self._grammars: dict[int, MarkerGrammar] = {}

    def _readers(self) -> tuple[Reader, Rows]:
        if self._seq2seq:
            reader = Seq2SeqReader(self._model, self._device)
            return reader, SingleRows(reader, self._lock)
        causal = CausalReader(self._model, self._device)
        if not together(self._model):
            return causal, SingleRows(causal, self._lock)
        return causal, TogetherRows(self._model, causal, self._device, self._lock)

    @property
    def name(self) -> str:
        """The model's name, as the user gives it."""
        return self._name

    @property
    def max_tokens(self) -> int:
        """The model's window: prompt and answer together."""
        return self._window

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of the languages that it writes well; empty means any."""
        return self._languages

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the length of the whole prompt, chat template included."""
        return len(self._encode(messages))

    def stream(self, messages: Sequence[Message], decoding: Decoding) -> TextStream:
        """Yield the answer's text as it is decoded; closing the iterator stops the work.

        A marker is yielded whole, or not at all when max_tokens cuts it. When the last message
        is the assistant's, the answer goes on from it, and only what is new is yielded.
        Several streams may be open, and are written together, ahead of their readers: one that
        stops reading holds up nobody. An empty piece says that there is none yet.

        Returns:
            at its end, whether max_tokens cut the answer off.
        Raises:
            GenerationError: prompt and max_tokens exceed the window, or the model failed.
        """
        prompt = self._encode(messages)
        if len(prompt) + decoding.max_tokens > self._window:
            raise GenerationError(
                f"the prompt has {len(prompt)} tokens and the answer may have"
                f" {decoding.max_tokens}, but the window of {self._name} holds {self._window};"
                " shorten the question or show less evidence"
            )
        return self._write(prompt, self._shared(prompt, messages), decoding)

    def log_probabilities(
        self, messages: Sequence[Message], continuations: Sequence[str]
    ) -> list[LogProbability]:
        """Return, for each text, log p(text | prompt): as the answer's beginning, each on its own.

        The prompt is read once. Special tokens, a start or an end among them, do not count.

        Raises:
            GenerationError: prompt and text exceed the window, or the model failed.
        """
        prompt = self._encode(messages)
        parts = [self._parted(prompt, messages, text) for text in continuations]
        longest = max((len(begun) + len(rest) for begun, rest in parts), default=0)
        if longest > self._window:
            raise GenerationError(
                f"the prompt and the text to weigh have {longest} tokens, but the window of"
                f" {self._name} holds {self._window}; show less evidence"
            )
        shared = self._shared(prompt, messages)
        try:
            return weighed(self._reader, self._lock, parts, shared, self._specials)
        except RuntimeError as error:
            raise self._failed(error) from error

    def _parted(
        self, prompt: list[int], messages: Sequence[Message], text: str
    ) -> tuple[list[int], list[int]]:
        """Return the tokens of the prompt, and those of a text behind it.

        A decoder-only model's are told apart in the whole that it would read, so that the first
        word is cut into tokens as it stands there.
        """
        if self._seq2seq:
            inner = self._control.sub(" ", text)
            return prompt, self._tokenizer.encode(inner, add_special_tokens=False)
        whole = self._encode([*messages, Message("assistant", text)])
        at = _common(prompt, whole)
        return whole[:at], whole[at:]

    def _shared(self, prompt: list[int], messages: Sequence[Message]) -> int:
        """Return how long the prompt's beginning is that is the same for every question: what
        comes before the last message (the examples)."""
        empty = self._encode([*messages[:-1], Message("user", "")])
        return _common(prompt[:-1], empty)

    def _failed(self, error: RuntimeError) -> GenerationError:
        return GenerationError(
            f"{self._name} failed on {self._device}: {error}; ask with less evidence"
        )

    def _write(self, prompt: list[int], shared: int, decoding: Decoding) -> TextStream:
        grammar = self._grammar(decoding.markers)
        job = self._job(prompt, shared, decoding, MarkerConstraint(grammar))
        # What was chosen may be ahead of what was read here.
        seen, text = MarkerConstraint(grammar), TextPieces(self._tokenizer)
        cut = True
        try:
            with closing(self._batch.tokens(job)) as tokens:
                for token in tokens:
                    if token in self._ends:
                        cut = False
                        break
                    piece = ""
                    if token is not None:
                        seen.accept(token)
                        piece = text.push(token, hold=seen.open)
                    if self._one_line and "\n" in piece:
                        yield piece.split("\n", 1)[0]
                        return False
                    if piece or token is None:
                        yield piece
        except RuntimeError as error:
            raise self._failed(error) from error
        if piece := text.rest(cut=seen.open):
            yield piece
        return cut

    def _job(
        self, prompt: list[int], shared: int, decoding: Decoding, constraint: MarkerConstraint
    ) -> Job:
        import torch

        sampler = torch.Generator(device=self._device).manual_seed(decoding.seed)

        def choose(scores: "Tensor") -> int:
            token = _choose(constraint.mask(scores), decoding, sampler)
            if token not in self._ends:
                constraint.accept(token)
            return token

        return Job(prompt, shared, decoding.max_tokens, self._ends, choose)

    def _grammar(self, markers: int) -> MarkerGrammar:
        if markers not in self._grammars:
            self._grammars[markers] = MarkerGrammar(self._marker_tokens, markers, self._device)
        return self._grammars[markers]

    @cached_property
    def _marker_tokens(self) -> dict[int, str]:
        scored = self._model.config.get_text_config(decoder=True).vocab_size
        return {i: text for i, text in marker_tokens(self._tokenizer).items() if i < scored}

    @cached_property
    def _specials(self) -> frozenset[int]:
        return self._ends | frozenset(self._tokenizer.all_special_ids)

    @cached_property
    def _control(self) -> re.Pattern[str]:
        tokens = self._tokenizer.added_tokens_decoder.values()
        names = [token.content for token in tokens if token.special and token.content.strip()]
        return re.compile("|".join(map(re.escape, names)) or r"(?!)")

    def _encode(self, messages: Sequence[Message]) -> list[int]:
        # A document that spells "<|im_end|>" must not end the turn.
        turns = [Message(m.role, self._control.sub(" ", m.content)) for m in messages]
        text = _chat(self._tokenizer, turns) if self._chat else _plain(turns)
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=not self._chat)
        return ids


def _load(path: Path, device: str) -> tuple[Any, "PreTrainedTokenizerBase"]:
    from transformers import (
        AutoConfig,
        AutoModelForCausalLM,
        AutoModelForSeq2SeqLM,
        AutoTokenizer,
    )

    try:
        config = AutoConfig.from_pretrained(path, local_files_only=True)
        kind: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        model: Any = kind.from_pretrained(
            path, dtype=pick_dtype(device), local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"{path} does not load as a generator: {error}; expected a causal or sequence-to-"
            "sequence language model in safetensors, as `rag models pull` leaves it"
        ) from error
    return model.to(device).eval(), tokenizer


def _window(config: Any, tokenizer: "PreTrainedTokenizerBase") -> int:
    positions = getattr(config.get_text_config(decoder=True), "max_position_embeddings", None)
    limits = (positions, tokenizer.model_max_length)
    return int(min(_UNLIMITED, *(limit for limit in limits if limit)))


def _end_ids(model: Any, tokenizer: "PreTrainedTokenizerBase") -> frozenset[int]:
    named = model.generation_config.eos_token_id
    ids = {*(named if isinstance(named, list) else [named]), tokenizer.eos_token_id}
    vocabulary = tokenizer.get_vocab()
    ids |= {vocabulary[token] for token in _END_TOKENS if token in vocabulary}
    return frozenset(i for i in ids if i is not None)


def _chat(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message]) -> str:
    from jinja2 import TemplateError

    goes_on = messages[-1].role == "assistant"
    turns = [{"role": m.role, "content": m.content} for m in messages]
    render = partial(
        tokenizer.apply_chat_template,
        tokenize=False,
        add_generation_prompt=not goes_on,
        continue_final_message=goes_on,
    )
    try:
        text = render(turns)
    except TemplateError:
        # Some templates know no system role: its text then opens the first user turn.
        first, second, *others = turns
        joined = {"role": "user", "content": f"{first['content']}\n\n{second['content']}"}
        text = render([joined, *others])
    assert isinstance(text, str)
    return text


def _plain(messages: Sequence[Message]) -> str:
    text = "\n\n".join(_LABELS[m.role] + m.content for m in messages)
    return text if messages[-1].role == "assistant" else f"{text}\n\nAnswer:"


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    """Return the length of the longest common prefix."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))


def _choose(scores: "Tensor", decoding: Decoding, sampler: Any) -> int:
    """Return the likeliest token, or one sampled as `decoding` says.

    top_p is nucleus sampling: Holtzman et al. 2020, arXiv:1904.09751.
    """
    import torch

    if decoding.temperature <= 0:
        return int(scores.argmax())
    shares = torch.softmax(scores / decoding.temperature, dim=-1)
    if decoding.top_p < 1:
        ordered, ids = shares.sort(descending=True)
        # A token is out when those before it have the share already; the first one never is.
        out = ordered.cumsum(-1) - ordered >= decoding.top_p
        out[0] = False
        shares = torch.zeros_like(shares).scatter_(0, ids, ordered.masked_fill(out, 0.0))
    return int(torch.multinomial(shares, 1, generator=sampler))
