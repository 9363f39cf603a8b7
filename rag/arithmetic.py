"""Amounts read out of quotes and computed with, the computation shown. Pure.

Conservative: nothing is computed unless each item has one amount, all in the same unit.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from rag.analysis import terms
from rag.computation import Computation, Operation
from rag.types import Citation
from rag.wording import content_words

# How far behind a number the noun may stand that says what is counted.
NOUN_WITHIN = 30


class Measured(Protocol):
    """A number of a text with its unit: `rag.quantities.Quantity`."""

    @property
    def value(self) -> Fraction: ...
    @property
    def unit(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def certain(self) -> bool: ...
    @property
    def also(self) -> tuple[Fraction, ...]: ...


Read = Callable[[str, str], Sequence[Measured]]
"""Reads the quantities of a text in a language: `rag.quantities.quantities`."""


@dataclass(frozen=True, slots=True)
class Operand:
    """The amount of one item, and the quote in which it stands; `text` is as it is written."""

    item: str
    value: Fraction
    unit: str
    text: str
    citation: Citation


def operands(
    wanted: Computation, item: str, citations: Sequence[Citation], language: str, read: Read
) -> list[Operand]:
    """Return the amounts of an item that the quotes give, each value once; one is unambiguous.

    A number belongs to the item if it stands behind its name and before another item's; before
    the name only where the quote names no other item. It has to be followed by the noun, or to be
    the one number with a unit.

    Args:
        language: of the quotes.
    """
    found: dict[tuple[Fraction, str], Operand] = {}
    for citation in citations:
        for quantity in _belonging(wanted, item, citation.quote, language, read):
            key = quantity.value, quantity.unit
            amount = Operand(item, *key, quantity.text.strip(), citation)
            found.setdefault(key, amount)
    return list(found.values())


def _belonging(
    wanted: Computation, item: str, quote: str, language: str, read: Read
) -> list[Measured]:
    mine = _mentions(item, quote)
    theirs = [span for other in wanted.items if other != item for span in _mentions(other, quote)]
    if not mine:
        return []
    numbers = [q for q in read(_without(quote, [*mine, *theirs]), language) if q.certain]
    behind = [q for q in numbers if any(_follows(q.start, at, theirs) for _, at in mine)]
    if right := _of_noun(behind, wanted.noun, quote, language):
        return right
    return [] if theirs else _of_noun(numbers, wanted.noun, quote, language)


def _mentions(item: str, quote: str) -> list[tuple[int, int]]:
    """Return where a quote names an item; "GPT-3" is not named by "GPT-3.5"."""
    pattern = rf"(?<![^\W\u3400-\u9fff]){re.escape(item)}(?![.-]?[^\W\u3400-\u9fff])"
    return [match.span() for match in re.finditer(pattern, quote, re.IGNORECASE)]


def _without(quote: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return the quote with letters in place of the spans: in "GPT-3 175" there is one number."""
    for start, end in spans:
        quote = quote[:start] + "x" * (end - start) + quote[end:]
    return quote


def _follows(start: int, mention_end: int, others: Sequence[tuple[int, int]]) -> bool:
    between = any(mention_end <= other < start for other, _ in others)
    return mention_end <= start and not between


def _of_noun(numbers: Sequence[Measured], noun: str, quote: str, language: str) -> list[Measured]:
    wanted = set(terms(noun))
    counted = [
        q
        for q in numbers
        if wanted & set(_next_terms(quote[q.end : q.end + NOUN_WITHIN], language))
    ]
    if counted:
        return counted
    measured = [q for q in numbers if q.unit]
    return measured if len(measured) == 1 else []


def _next_terms(text: str, language: str) -> list[str]:
    """Return the terms of the next two words, up to a mark that ends a clause."""
    clause = re.split(r"[,;:.!?，。；：！？、(（]", text, maxsplit=1)[0]
    if language == "zh":
        return terms(clause[:6])
    return terms(" ".join(content_words(clause, language)[:2]))


# -- computing -----------------------------------------------------------------------------------


def computed(wanted: Computation, amounts: Sequence[Operand], language: str, read: Read) -> str:
    """Return the computation as it is shown, or nothing where it can not be made.

    Args:
        amounts: one an item, in the order of items.
        language: of the question; decides words and separators.
    """
    if len({amount.unit for amount in amounts}) != 1 or len(amounts) != len(wanted.items):
        return ""
    values = [amount.value for amount in amounts]
    if wanted.operation is Operation.RATIO and not values[1]:
        return ""
    label = LABELS[language][wanted.operation]
    shown = [f"{amount.text} ({amount.item})" for amount in amounts]
    if wanted.operation is Operation.RATIO:
        return f"{label}: {shown[0]} / {shown[1]} {_equals(values[0] / values[1], '', language)}"
    result, expression = {
        Operation.DIFFERENCE: (values[0] - values[1], " − ".join(shown)),
        Operation.SUM: (sum(values, Fraction()), " + ".join(shown)),
        Operation.AVERAGE: (
            sum(values, Fraction()) / len(values),
            f"({' + '.join(shown)}) / {len(values)}",
        ),
    }[wanted.operation]
    scale, suffix = _common_suffix(amounts, language, read)
    if not suffix.strip() and amounts[0].unit:
        suffix = f" {amounts[0].unit}"
    if amounts[0].unit == "" and language != "zh":
        suffix = f"{suffix.rstrip()} {wanted.noun}"
    elif amounts[0].unit == "":
        suffix += wanted.noun
    return f"{label}: {expression} {_equals(result / scale, suffix, language)}"


LABELS = {
    "en": dict(zip(Operation, ("Difference", "Ratio", "Sum", "Average"), strict=True)),
    "de": dict(zip(Operation, ("Differenz", "Verhältnis", "Summe", "Durchschnitt"), strict=True)),
    "ru": dict(zip(Operation, ("Разность", "Отношение", "Сумма", "Среднее"), strict=True)),
    "hu": dict(zip(Operation, ("Különbség", "Arány", "Összeg", "Átlag"), strict=True)),
    "zh": dict(zip(Operation, ("差", "比", "和", "平均"), strict=True)),
}
_DIGITS = re.compile(r"[−-]?[0-9](?:[0-9.,'\u00a0\u202f ]*[0-9])?")
DECIMALS = 3


def _common_suffix(amounts: Sequence[Operand], language: str, read: Read) -> tuple[Fraction, str]:
    """Return the scale that all amounts are written in and the words for it; 1 if they differ."""
    scales, suffixes = set[Fraction](), set[str]()
    for amount in amounts:
        digits = _DIGITS.match(amount.text)
        bare = read(digits.group(), language) if digits else ()
        if digits is None or len(bare) != 1 or not bare[0].value:
            return Fraction(1), ""
        scales.add(amount.value / bare[0].value)
        suffixes.add(amount.text[digits.end() :])
    return (
        (scales.pop(), suffixes.pop()) if len(scales) == len(suffixes) == 1 else (Fraction(1), "")
    )


def _equals(value: Fraction, suffix: str, language: str) -> str:
    """Return "= 173.5 billion"; "≈" where the value is not written out in full."""
    rounded = round(value, DECIMALS)
    sign = "=" if rounded == value else "≈"
    written = f"{abs(rounded.numerator / rounded.denominator):,.{DECIMALS}f}".rstrip("0").rstrip(
        "."
    )
    separators = {"de": ".,", "ru": "\u00a0,", "hu": "\u00a0,"}.get(language, ",.")
    written = written.translate(str.maketrans(",.", separators))
    return f"{sign} {'−' if rounded < 0 else ''}{written}{suffix}"
