"""Words by which sentences are reworded or made false, by language, from wording.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "zh", "ru", "de", "hu")


@dataclass(frozen=True, slots=True)
class Wording:
    """The tables of one language.

    Attributes:
        joiner: what joins two main clauses.
        months: the twelve, as they stand in dates.
        lowered: first words that lose their capital inside a sentence.
        openers: what can be left out at the start of a sentence.
        synonyms: words with what can stand for them in any sentence.
        units: what follows a number, and what makes it another amount.
    """

    joiner: str
    months: tuple[str, ...]
    lowered: frozenset[str]
    openers: tuple[str, ...]
    synonyms: Mapping[str, str]
    units: Mapping[str, str]


@cache
def wording(language: str) -> Wording:
    """Return the tables of a language.

    Raises:
        ValueError: it is not one of LANGUAGES.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, not {language!r}")
    text = files("rag.evaluation").joinpath("wording.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)[language]
    return Wording(
        joiner=table["joiner"],
        months=tuple(table["months"]),
        lowered=frozenset(table["lowered"]),
        openers=tuple(table["openers"]),
        synonyms=table["synonyms"],
        units=table["units"],
    )
