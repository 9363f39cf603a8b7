"""Characters that are written in several ways, made one, without moving any other.

Every result is as long as its text, so that offsets into one are offsets into the other.
"""

import unicodedata

GROUPING_SPACE = "\u00a0"
"""What spaces that do not break a line become; inside a number they group digits."""

_UNBREAKING = "\u00a0\u2007\u2009\u202f"
_HYPHENS = "\u2010\u2011\u2012\u2013\ufe63\uff0d"
_APOSTROPHES = "‘’ʼ′＇"
# Their compatibility forms would be digits: "km²" would hold a number.
_RAISED_OR_LOWERED = ("<super>", "<sub>")


class _Flat(dict[int, str]):
    """A translation table that is filled as characters are met."""

    def __missing__(self, code: int) -> str:
        self[code] = _flat(chr(code))
        return self[code]


class _Lower(dict[int, str]):
    def __missing__(self, code: int) -> str:
        lower = chr(code).lower()
        self[code] = lower if len(lower) == 1 else chr(code)
        return self[code]


class _Bare(dict[int, str]):
    def __missing__(self, code: int) -> str:
        char = chr(code)
        # й is a letter of its own; ё is usually written е.
        base = char if char in "йЙ" else unicodedata.normalize("NFD", char)[0]
        self[code] = base if base.isalpha() else char
        return self[code]


_FLAT, _LOWER, _BARE = _Flat(), _Lower(), _Bare()


def flatten(text: str) -> str:
    """Return text with plain digits, spaces, hyphens, apostrophes and full-width forms."""
    return text if text.isascii() else text.translate(_FLAT)


def lowered(text: str) -> str:
    """Return text in lower case, except letters whose lower case is longer."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def bare(text: str) -> str:
    """Return text without accents on its letters; "ё" is "е", "й" stays."""
    return text if text.isascii() else text.translate(_BARE)


def _flat(char: str) -> str:
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if char in _UNBREAKING:
        return GROUPING_SPACE
    if char in _HYPHENS:
        return "-"
    if char in _APOSTROPHES:
        return "'"
    if unicodedata.decomposition(char).startswith(_RAISED_OR_LOWERED):
        return char
    same = unicodedata.normalize("NFKC", char)
    return same if len(same) == 1 else char
