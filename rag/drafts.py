"""What a generator wrote, and whether it was done. Pure functions.

An answer never ends in the middle of a claim: of a draft that its token limit cut off, only the
sentences that are surely whole are kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.sentences import sentences

# A marker or a closing quote behind the full stop belongs to the sentence before it.
_CLOSED = re.compile(r"[.!?…。\uff01\uff1f．।؟]+[\"'”’»」』)\])]*(?:\s*\[\d{1,3}\])*\Z")
# "3." can be the beginning of "3.5", "2." that of "2. Februar" and "II." that of "II. Vilmos".
_OPEN = re.compile(r"(?:\d|\b[IVXLCDM]+|[.…])[.…]\Z|…\Z")
# What could follow: only where the splitter sees an end before each of them, there is one.
_NEXT = (" Smith", " x", " 5")


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of a generator's answer; `cut` when its token limit ended it."""

    text: str
    cut: bool


def read(stream: Iterator[str]) -> Draft:
    """Return what a generator's stream yields to its end, and whether it was cut off.

    Args:
        stream: from `Generator.stream`; what it returns at its end tells whether it was cut. An
            iterator that returns nothing counts as not cut.
    """
    pieces: list[str] = []
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            return Draft("".join(pieces), bool(end.value))


def finished(draft: Draft, language: str) -> str:
    """Return the draft's text without the sentence that the token limit cut, if it cut one.

    The last sentence is kept only if it surely is whole: closed by a line break or a full stop
    that is not that of a number, a Roman numeral, an abbreviation or an ellipsis. What is not cut
    is returned as it is.

    Args:
        language: ISO 639-1; decides which abbreviations do not end a sentence.
    """
    text = draft.text.rstrip(" \t")
    if not draft.cut or not text or text.endswith("\n"):
        return draft.text
    spans = sentences(text, language, wraps=False)
    if not spans or _is_whole(text, language):
        return draft.text
    return text[: spans[-1][0]].rstrip()


def _is_whole(text: str, language: str) -> bool:
    """Tell whether a text that may go on ends where its last sentence does."""
    end = _CLOSED.search(text)
    if end is None or _OPEN.search(text):
        return False
    return all(
        any(stop == len(text) for _, stop in sentences(text + following, language, wraps=False))
        for following in _NEXT
    )
