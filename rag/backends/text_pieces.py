"""Tokens of a language model to text, piece by piece."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class TextPieces:
    """Text of a growing list of tokens; characters appear once all of their bytes are there."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        """Begin without a token."""
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._done = 0
        """Characters of the text of _ids that have been given out."""

    def push(self, token: int, hold: bool) -> str:
        """Return the text that this token completes; nothing yet when hold is set."""
        self._ids.append(token)
        if hold:
            return ""
        text = self._decode()
        if text.endswith("\ufffd"):
            return ""
        piece = text[self._done :]
        # Decoders look one token back (a space, a byte): the last token stays as context.
        self._ids = self._ids[-1:]
        self._done = len(self._decode())
        return piece

    def rest(self, cut: bool) -> str:
        """Return what is still held back; cut drops an open marker, and half a character goes."""
        piece = self._decode()[self._done :].rstrip("\ufffd")
        return piece[: piece.rindex("[")] if cut else piece

    def _decode(self) -> str:
        text = self._tokenizer.decode(
            self._ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        assert isinstance(text, str)
        return text
