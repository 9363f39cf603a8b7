"""A text read once, so that many claims can be compared with it: what `rag.exact` works on."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from rag.alignment import Sentences
from rag.analysis import language as language_of
from rag.characters import bare, flatten, lowered
from rag.dates import Date, dates
from rag.names import KEY, script, squeezed
from rag.quantities import Quantity, base, quantities


@dataclass(frozen=True, slots=True)
class ExactProfile:
    """A text read once, for any number of checks. Make it with `profile`."""

    text: str
    language: str
    plain: str  # as long as text: flattened, in lower case, without accents
    script: str
    quantities: tuple[Quantity, ...]
    dates: tuple[Date, ...]
    sentences: Sentences
    by_value: dict[Fraction, tuple[Quantity, ...]]
    amounts: frozenset[tuple[str, Fraction]]
    surfaces: frozenset[str]
    words: dict[str, frozenset[str]]  # by their first letters
    initials: str  # of all words, for acronyms
    identifiers: frozenset[str]


def profile(text: str, language: str = "") -> ExactProfile:
    """Read a text for `check_profile`.

    Args:
        language: ISO 639-1; found from the text if not given.
    """
    language = language or language_of(text)
    plain = plain_form(text)
    found = quantities(text, language)
    found_dates = dates(text)
    by_value: dict[Fraction, list[Quantity]] = {}
    for quantity in (*found, *_parts(text, found_dates)):
        for value in quantity.readings:
            by_value.setdefault(value, []).append(quantity)
    return ExactProfile(
        text=text,
        language=language,
        plain=plain,
        script=_main_script(text, language),
        quantities=found,
        dates=found_dates,
        sentences=Sentences.of(text),
        by_value={value: tuple(same) for value, same in by_value.items()},
        amounts=frozenset(base(v, q.unit) for q in found if q.unit for v in q.readings),
        surfaces=frozenset(plain[q.start : q.end] for q in found),
        words=_words(plain),
        initials=_initials(plain),
        identifiers=frozenset(_identifiers(plain)),
    )


def plain_form(text: str) -> str:
    """Return text flattened, in lower case and without accents; as long as it was."""
    return bare(lowered(flatten(text)))


def _parts(text: str, found: Iterable[Date]) -> Iterator[Quantity]:
    """Yield the numbers in dates, which answer for numbers of a claim."""
    for date in found:
        for part in (date.year, date.month, date.day):
            if part:
                text_of = text[date.start : date.end]
                yield Quantity(Fraction(part), "", date.start, date.end, text_of, certain=False)


_WORD = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff]+\d*")
_DOTTED = re.compile(r"(?<!\w)(?:[^\W\d_]\.[ ]?){2,5}")
# Both begin where a run begins: tried from within one, a run of 50,000 would take minutes.
_IDENTIFIER = re.compile(r"(?<![^\W\d_])([^\W\d_]+)[ -]?(\d[\d.]*)([^\W\d_]*)")
_VERSION = re.compile(r"(?<!\d)(?:\d+(?:\.\d+){2,}|\d+[^\W\d_]{1,2}(?!\w))")


def _words(plain: str) -> dict[str, frozenset[str]]:
    found = set(_WORD.findall(plain))
    found.update(re.sub(r"\W", "", match) for match in _DOTTED.findall(plain))
    by_key: dict[str, set[str]] = {}
    for word in found:
        by_key.setdefault(word[:KEY], set()).add(word)
    return {key: frozenset(words) for key, words in by_key.items()}


_LINKS = frozenset(
    ["of", "the", "and", "for", "in", "de", "la", "und", "für", "der", "и", "по", "és"]
)


def _initials(plain: str) -> str:
    """Return the first letters of all words, then of all but those that acronyms leave out."""
    found = _WORD.findall(plain)
    rest = (word for word in found if word not in _LINKS)
    return "".join(word[0] for word in found) + " " + "".join(word[0] for word in rest)


def _identifiers(plain: str) -> Iterator[str]:
    for match in _IDENTIFIER.finditer(plain):
        yield squeezed(match[1] + match[2])
        yield squeezed(match[0])
    for match in _VERSION.finditer(plain):
        yield squeezed(match[0])


def _main_script(text: str, language: str) -> str:
    return {"zh": "han", "ru": "cyrillic"}.get(language) or script(text)
