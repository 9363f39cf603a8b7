"""How a language model reads a prompt and goes on from it: decoder-only models, and those with an
encoder. A `Step` takes the tokens that are new and gives the scores of the next one, a `Weigh` the
tokens of a text and gives the scores at each of them."""

import copy
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from rag.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

Step: TypeAlias = Callable[[list[int]], "Tensor"]
"""New tokens to the scores (vocabulary,) float32 of what follows them."""

Weigh: TypeAlias = Callable[[list[int]], "Tensor"]
"""n tokens that follow a prompt to the scores (n, vocabulary) float32 at the place of each."""

_PREFIXES_KEPT = 4
_LONGEST_KEPT = 1024
"""Tokens; of the default model a token takes 46 KB in float32."""


class Reader(Protocol):
    """Begins answers; every answer has a state of its own."""

    def begin(self, prompt: list[int], shared: int) -> tuple[list[int], Step]:
        """Return the tokens that the first step takes, and the step.

        Args:
            prompt: the whole of it.
            shared: length of its beginning that other prompts have too.
        """
        ...

    def weigh(self, prompt: list[int], shared: int) -> Weigh:
        """Return what weighs texts after the prompt, which is read once for all of them.

        Args:
            prompt: the whole of it, not empty.
            shared: as for `begin`, less than the length of prompt.
        """
        ...


class CausalReader:
    """Reads with a decoder-only model; keeps the last few prefixes that prompts share."""

    def __init__(self, model: Any, device: str) -> None:
        """Take a model of transformers that lies on device."""
        self._model = model
        self._device = device
        accepted = inspect.signature(model.forward).parameters
        self._keeps = "logits_to_keep" in accepted
        self.prefixes: dict[tuple[int, ...], Any] = {}

    def begin(self, prompt: list[int], shared: int) -> tuple[list[int], Step]:
        """Return what is left of the prompt behind the prefix, and the step."""
        cache = copy.deepcopy(self.kept(tuple(prompt[:shared])))
        return prompt[shared:], lambda new: self._scores(new, cache)[0]

    def weigh(self, prompt: list[int], shared: int) -> Weigh:
        """Return what weighs texts; the last token of the prompt is read with each of them."""
        cache = copy.deepcopy(self.kept(tuple(prompt[:shared])))
        if rest := prompt[shared:-1]:
            self._scores(rest, cache)

        def weigh(following: list[int]) -> "Tensor":
            new = [prompt[-1], *following[:-1]]
            return self._scores(new, copy.deepcopy(cache), len(following))

        return weigh

    def kept(self, prefix: tuple[int, ...]) -> Any:
        """Return a cache that has read prefix, not to be written to; the last few are kept.

        Only whole prefixes are reused, never what two prompts happen to share: how long an
        answer takes must not tell one user how another's question begins.
        """
        from transformers import DynamicCache

        kept = self.prefixes.pop(prefix, None)
        if kept is None:
            kept = DynamicCache(config=self._model.config)
            if prefix:
                self._scores(list(prefix), kept)
            if len(prefix) > _LONGEST_KEPT:
                return kept
        self.prefixes[prefix] = kept
        if len(self.prefixes) > _PREFIXES_KEPT:
            del self.prefixes[next(iter(self.prefixes))]
        return kept

    def only(self, last: int) -> dict[str, int]:
        """Return what tells the model to score the last tokens only, where it can be told."""
        return {"logits_to_keep": last} if self._keeps else {}

    def _scores(self, new: list[int], cache: Any, last: int = 1) -> "Tensor":
        """Read new tokens into the cache; return the scores (last, vocabulary) behind the last."""
        import torch

        ids = torch.tensor([new], device=self._device)
        output = self._model(ids, past_key_values=cache, use_cache=True, **self.only(last))
        scores: Tensor = output.logits[0, -last:].float()
        return scores


class Seq2SeqReader:
    """Reads with the encoder of a model, once for a prompt, and writes with its decoder."""

    def __init__(self, model: Any, device: str) -> None:
        """Take a model of transformers that lies on device.

        Raises:
            ModelError: its configuration names no token for the decoder to start with.
        """
        self._model = model
        self._device = device
        named = (model.generation_config, model.config)
        start = _first(named, "decoder_start_token_id", "bos_token_id")
        if start is None:
            raise ModelError(
                f"{model.config.model_type} names no decoder_start_token_id; expected one in"
                " generation_config.json or config.json"
            )
        # BART and its kin: generate() would force this token as the first one.
        forced = _first(named, "forced_bos_token_id")
        self._first_tokens = [start] if forced is None else [start, forced]

    def begin(self, prompt: list[int], shared: int) -> tuple[list[int], Step]:
        """Return the tokens that open every answer, and the step; an encoder shares nothing."""
        import torch
        from transformers import DynamicCache, EncoderDecoderCache

        read = self._read(prompt)
        config = self._model.config.get_text_config(decoder=True)
        cache = EncoderDecoderCache(DynamicCache(config=config), DynamicCache(config=config))

        def step(new: list[int]) -> "Tensor":
            output = self._model(
                encoder_outputs=read,
                decoder_input_ids=torch.tensor([new], device=self._device),
                past_key_values=cache,
                use_cache=True,
            )
            scores: Tensor = output.logits[0, -1].float()
            return scores

        return list(self._first_tokens), step

    def weigh(self, prompt: list[int], shared: int) -> Weigh:
        """Return what weighs texts; the encoder reads the prompt once."""
        import torch

        read = self._read(prompt)

        def weigh(following: list[int]) -> "Tensor":
            new = [*self._first_tokens, *following[:-1]]
            output = self._model(
                encoder_outputs=read,
                decoder_input_ids=torch.tensor([new], device=self._device),
            )
            scores: Tensor = output.logits[0, -len(following) :].float()
            return scores

        return weigh

    def _read(self, prompt: list[int]) -> Any:
        import torch

        ids = torch.tensor([prompt], device=self._device)
        # The encoder looks both ways: what it makes of a prefix depends on what follows.
        return self._model.get_encoder()(input_ids=ids, return_dict=True)


def _first(configs: tuple[Any, ...], *names: str) -> int | None:
    """Return the first of these settings that a configuration has, by name, then by place."""
    for name in names:
        for config in configs:
            value = getattr(config, name, None)
            if isinstance(value, int):
                return value
    return None
