"""A constraint on decoding: "[n]" can be written only for an evidence sentence that exists.

Every "[" must be followed by a number from 1 to `markers`, without leading zeros, and by "]".
That is a regular language, so a state is nothing but the digits written since an open "[",
and a token is a step from state to state. For each number of markers the steps are worked out
once (a few milliseconds); applying them costs one indexed write a token. A "[" that starts
anything else ("[sic]", "[0", "[ 1") can not be written, and none at all when there is no
marker to write: an answer has no other use for brackets, and so no text can pass for one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

State = str | None
"""None outside a marker, else the digits since its "["."""

_DIGITS = frozenset("0123456789")
_SPECIAL = _DIGITS | {"[", "]"}


@dataclass(frozen=True, slots=True)
class Steps:
    """What may follow in one state.

    Attributes:
        ids: token ids; the forbidden ones outside a marker, the allowed ones inside (each is
            the shorter list). int64 on the model's device.
        moves: where a token leads, for the tokens that do not lead out of every marker.
    """

    ids: "Tensor"
    moves: Mapping[int, State]


def advance(state: State, text: str, markers: int) -> tuple[State, bool]:
    """Return the state after text, and whether text may be written at all."""
    for character in text:
        if state is None:
            state = "" if character == "[" else None
        elif character == "]" and _in_range(state, markers):
            state = None
        elif character in _DIGITS and _in_range(state + character, markers):
            # A longer number is larger: when the digits so far are too large, so is the number.
            state += character
        else:
            return state, False
    return state, True


def _in_range(digits: str, markers: int) -> bool:
    return digits != "" and digits[0] != "0" and int(digits) <= markers


def marker_tokens(tokenizer: "PreTrainedTokenizerBase") -> dict[int, str]:
    """Return the tokens with a bracket or a digit, and the text that each of them adds.

    Printable ASCII stands for itself in every vocabulary in use, and the spelling of a byte
    ("<0x5B>") has a digit in it, so that no other token can touch a marker. A token is decoded
    behind another one, because decoders strip the space at the start of a text.
    """
    ids = [i for token, i in tokenizer.get_vocab().items() if not _SPECIAL.isdisjoint(token)]
    anchor = tokenizer.encode("a", add_special_tokens=False)
    start = len(tokenizer.decode(anchor))
    texts = tokenizer.batch_decode([[*anchor, i] for i in ids], skip_special_tokens=True)
    return {i: text[start:] for i, text in zip(ids, texts, strict=True)}


class MarkerGrammar:
    """The steps for one vocabulary and one number of markers; shared between requests."""

    def __init__(self, tokens: Mapping[int, str], markers: int, device: str = "cpu") -> None:
        """Work out every state.

        Args:
            tokens: from `marker_tokens`.
            markers: numbers that exist, >= 0.
            device: where the scores will lie.
        """
        states: list[State] = [None, "", *map(str, range(1, markers + 1))]
        moves = {state: _moves(tokens, state, markers) for state in states}
        _drop_dead_ends(moves)
        self._steps = {
            state: _steps(tokens, state, allowed, device) for state, allowed in moves.items()
        }

    def steps(self, state: State) -> Steps:
        """Return what may follow in a state reached by allowed tokens."""
        return self._steps[state]


def _moves(tokens: Mapping[int, str], state: State, markers: int) -> dict[int, State]:
    """Return the allowed tokens of `tokens` in this state, and where each leads."""
    moves: dict[int, State] = {}
    for token, text in tokens.items():
        after, allowed = advance(state, text, markers)
        # Inside a marker a token without text (a special one) would only waste a step.
        if allowed and (text or state is None):
            moves[token] = after
    return moves


def _drop_dead_ends(moves: dict[State, dict[int, State]]) -> None:
    """Forbid tokens into a state that nothing leads out of, until there is none left."""
    while dead := {state for state, found in moves.items() if state is not None and not found}:
        for state in dead:
            del moves[state]
        for found in moves.values():
            for token in [token for token, after in found.items() if after in dead]:
                del found[token]


def _steps(
    tokens: Mapping[int, str], state: State, allowed: Mapping[int, State], device: str
) -> Steps:
    import torch

    ids: Sequence[int] = (
        [token for token in tokens if token not in allowed] if state is None else list(allowed)
    )
    moves = {token: after for token, after in allowed.items() if after is not None}
    return Steps(torch.tensor(ids, dtype=torch.long, device=device), moves)


class MarkerConstraint:
    """The state of one answer: `mask` the scores, choose a token, `accept` it."""

    def __init__(self, grammar: MarkerGrammar) -> None:
        self._grammar = grammar
        self._state: State = None

    @property
    def open(self) -> bool:
        """Whether a "[" has been written and its "]" has not."""
        return self._state is not None

    def mask(self, scores: "Tensor") -> "Tensor":
        """Return scores (vocabulary,) with forbidden tokens at −inf; may write into them."""
        ids = self._grammar.steps(self._state).ids
        if self._state is None:
            return scores.index_fill_(0, ids, float("-inf"))
        kept = scores[ids]
        return scores.fill_(float("-inf")).index_copy_(0, ids, kept)

    def accept(self, token: int) -> None:
        """Take note of the token chosen."""
        self._state = self._grammar.steps(self._state).moves.get(token)
