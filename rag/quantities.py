"""The numbers of a text, with their units, whatever language they are written in.

1,600 and 1 600 and 1600, 3亿 and 300 million and 300 млн, 50% and 百分之五十, 5½ and 5,5 are the
same. Where a separator can group digits or set off decimals, the language decides, and the other
reading is kept beside.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import zip_longest

from rag.characters import flatten, lowered
from rag.hanzi import chinese_value
from rag.numerals import numerals
from rag.units import UNITS, scale_after, unit_after, unit_before


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a text; `source[start:end] == text`, unit and scale included.

    Attributes:
        value: exact, scale applied; of an ordinal, its place ("third": 3).
        unit: canonical (a key of `rag.units.UNITS`), "" for none or an unknown one.
        certain: False where the words can mean something else ("first", "一"); such a number may
            answer for a claim's, but a claim is not held to it.
        also: other values that the same characters can stand for.
    """

    value: Fraction
    unit: str
    start: int
    end: int
    text: str
    certain: bool = True
    also: tuple[Fraction, ...] = ()

    @property
    def readings(self) -> tuple[Fraction, ...]:
        """The value and the others that it can stand for."""
        return (self.value, *self.also)


def base(value: Fraction, unit: str) -> tuple[str, Fraction]:
    """Return the dimension of a unit and the value in its base, so that equal amounts compare.

    What does not convert has its unit as its dimension.
    """
    dimension, size = UNITS[unit]
    return (dimension, value * size) if size else (unit, value)


def same(one: Quantity, other: Quantity) -> bool:
    """Tell whether two quantities can be the same amount.

    If both have a unit, the amounts must be equal in the units' common base. If one has none,
    the bare values count.
    """
    if one.unit and other.unit:
        amounts = {base(value, one.unit) for value in one.readings}
        return any(base(value, other.unit) in amounts for value in other.readings)
    return not set(one.readings).isdisjoint(other.readings)


def quantities(text: str, language: str = "") -> tuple[Quantity, ...]:
    """Return the quantities of text in order; those in dates too. They do not overlap.

    Args:
        language: ISO 639-1; decides the decimal separator and the words for numbers.
    """
    flat = flatten(text)
    low = lowered(flat)
    found = [*_digits(flat, language), *_roman(flat)]
    taken = bytearray(len(text))
    for quantity in found:
        taken[quantity.start : quantity.end] = b"\1" * (quantity.end - quantity.start)
    for word in _words(flat, low, language):
        if not any(taken[word.start : word.end]):
            found.append(word)
    found.sort(key=lambda quantity: quantity.start)
    found = _without_overlap([_fraction_of(low, q, language) for q in found])
    return tuple(replace(q, text=text[q.start : q.end]) for q in _ranges(flat, found))


LONGEST = 60
"""Longer runs of digits are no numbers: keys, hashes, noise."""

# --- digits ----------------------------------------------------------------------------------

_SPACE_GROUPS = (
    # A plain space groups digits only where no other number stands beside.
    r"(?<![\w.,])(?<![0-9] )[0-9]{1,3}(?: [0-9]{3})+(?! ?[0-9])(?:[.,][0-9]+)?"
    r"|[0-9]{1,3}(?:\u00a0[0-9]{3})+(?![0-9])(?:[.,][0-9]+)?"
)
_NUMBER = re.compile(rf"{_SPACE_GROUPS}|[0-9]+(?:[.,'][0-9]+)*")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}([.,'])[0-9]{3}(?:\1[0-9]{3})*(?:(?!\1)[.,][0-9]+)?")
# "1665,1691" in a text that sets no spaces.
_LIST = re.compile(r"[0-9]{2,},[0-9]{4}")
# ४,५०,००० is grouped by two.
_INDIAN = re.compile(r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]+)?")
_VULGAR = {
    **dict(zip("½⅓⅔¼¾", map(Fraction, ["1/2", "1/3", "2/3", "1/4", "3/4"]), strict=True)),
    **dict(zip("⅕⅖⅗⅘", map(Fraction, ["1/5", "2/5", "3/5", "4/5"]), strict=True)),
    **dict(zip("⅛⅜⅝⅞", map(Fraction, ["1/8", "3/8", "5/8", "7/8"]), strict=True)),
}
_VULGAR_AFTER = re.compile(f"[ \u00a0]?([{''.join(_VULGAR)}])")
_VULGAR_ALONE = re.compile(f"(?<![0-9])(?<![0-9] )[{''.join(_VULGAR)}]")
_SLASH = re.compile(r"(?<![\w/.,])([0-9]{1,2})[/⁄]([0-9]{1,3})(?![\w/])(?![.,][0-9])")
_ORDINAL = re.compile(
    r"(?:st|nd|rd|th)(?![^\W\d_])|\.(?= (?:Jahrh|századi?))|-?(?:го|му|ми|й|я|е|х|м|ый|ая|ое|ой"
    r"|ом)(?![^\W\d_])"
)
_DECADE = re.compile(r"'?s(?!\w)|er(?:n|-Jahren?)?(?!\w)|-[ея]|-х|-es év|年代")
_DECADE_AFTER = re.compile("[0-9]0年代")
_CENTURY_BEFORE = re.compile(r"([0-9]{1,2})世纪$")
_AFTERNOON = re.compile(r"(?::[0-5][0-9])?[ \u00a0]?[pP]\.?[mM](?!\w)")
# "H200", "GPT-3", "Super-Bowl-50", but not "oxygen-18".
_IDENTIFIER_BEFORE = re.compile(
    r"[^\W\d_\u3040-\u30ff\u3400-\u9fff]$|(?<![^\W\d_])(?:[^\W\d_]{1,3}|\w*[A-ZА-ЯЁÀ-Þ]\w*)-$"
)
_LETTER_AFTER = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff]")
_MINUS = re.compile(r"(?:(?<![\w)])-|−|(?i:minus|минус|mínusz|负|零下)[ \u00a0]?)$")
_PERCENT_BEFORE = re.compile(r"百分之$")
_POINT_COMMA = {"en": ",", "zh": ",", "ja": ",", "ko": ",", "he": ",", "th": ",", "hi": ","}
"""Languages that group by a comma; the others set off decimals by it."""


def _digits(flat: str, language: str) -> Iterator[Quantity]:
    for match in _VULGAR_ALONE.finditer(flat):
        yield _measured(flat, _VULGAR[match[0]], match.start(), match.end(), language)
    skipped_to = 0
    for match in _NUMBER.finditer(flat):
        if match.start() < skipped_to or len(match[0]) > LONGEST:
            continue
        if slash := _SLASH.match(flat, match.start()):
            upper, lower = int(slash[1]), int(slash[2])
            if 0 < upper < lower:
                value = Fraction(upper, lower)
                yield _measured(flat, value, *slash.span(), language)
                skipped_to = slash.end()
                continue
        for value, also, start, end in _values(match[0], match.start(), language):
            quantity = _measured(flat, value, start, end, language, also)
            skipped_to = max(skipped_to, quantity.end)
            yield quantity


def _values(
    number: str, at: int, language: str
) -> Iterator[tuple[Fraction, tuple[Fraction, ...], int, int]]:
    """Yield value, other readings, start and end for what a run of digits holds."""
    end = at + len(number)
    digits = re.sub("[ \u00a0]", "", number)
    separators = re.sub("[0-9]", "", digits)
    if _GROUPED.fullmatch(digits):
        whole = re.sub("[.,']", "", digits)
        if len(set(separators)) > 1:
            decimals = len(re.split("[.,']", digits)[-1])
            yield Fraction(int(whole), 10**decimals), (), at, end
        elif len(separators) > 1 or separators == "'" or len(digits) != len(number):
            yield Fraction(int(whole)), (), at, end
        else:
            grouped, decimal = Fraction(int(whole)), Fraction(int(whole), 1000)
            groups = (separators == ",") == (_POINT_COMMA.get(language) == ",")
            yield (grouped, (decimal,), at, end) if groups else (decimal, (grouped,), at, end)
    elif _INDIAN.fullmatch(digits):
        yield Fraction(digits.replace(",", "")), (), at, end
    elif len(separators) <= 1 and separators != "'" and not _LIST.fullmatch(digits):
        yield Fraction(digits.replace(",", ".")), (), at, end
    elif len(separators) > 1 and separators[-1] in ".," and _thousands(digits):
        yield Fraction(re.sub("[,']", "", digits)), (), at, end
    else:
        for part in re.finditer("[0-9]+", number):
            yield Fraction(int(part[0])), (), at + part.start(), at + part.end()


def _thousands(digits: str) -> bool:
    return re.fullmatch(r"[0-9]{1,3}(?:[,'][0-9]{3})+\.[0-9]+", digits) is not None


def _measured(
    flat: str,
    value: Fraction,
    start: int,
    end: int,
    language: str,
    also: tuple[Fraction, ...] = (),
) -> Quantity:
    """Return a number with the fraction, scale, unit and sign that stand around it."""
    certain = _IDENTIFIER_BEFORE.search(flat, max(0, start - 12), start) is None
    if also == () and value.denominator == 1 and (half := _VULGAR_AFTER.match(flat, end)):
        value, end = value + _VULGAR[half[1]], half.end()
    before = unit_before(flat, start)
    if (rank := _ORDINAL.match(flat, end)) and not _DECADE.match(flat, end):
        end = rank.end()
    scale, end = scale_after(flat, end, language, money=before is not None)
    value, also = value * scale, tuple(other * scale for other in also)
    if scale > 1 and language == "zh":
        value, end = _smaller_scale(flat, value, end, scale)
    unit = ""
    if scale == 1 and value.denominator == 1 and (decade := _DECADE.match(flat, end)):
        also += _decades(flat, int(value), start)
        if decade[0] != "年代":
            end = decade.end()
    elif before:
        unit, start = before
        if (after := unit_after(flat, end)) and after[0] == unit:
            end = after[1]
    elif after := unit_after(flat, end):
        unit, end = after
        certain &= not (unit == "century" and _DECADE_AFTER.match(flat, end))
        if unit == "year" and scale == 1 and 1000 <= value < 3000:
            unit = ""  # a date
    elif scale == 1 and _LETTER_AFTER.match(flat, end):
        certain = False
    elif _AFTERNOON.match(flat, end) and value < 12:
        also += (value + 12,)
    if sign := _PERCENT_BEFORE.search(flat, max(0, start - 3), start):
        unit, start = "%", sign.start()
    if sign := _MINUS.search(flat, max(0, start - 7), start):
        # The bare number is kept: what is a sign here can be a dash.
        value, also, start = -value, (*also, value), sign.start()
    return Quantity(value, unit, start, end, "", certain, also)


_ZH_SMALLER = re.compile(r"([0-9]+(?:\.[0-9]+)?)([万千百]?)")


def _smaller_scale(flat: str, value: Fraction, end: int, scale: int) -> tuple[Fraction, int]:
    """Add what follows a Chinese scale directly: 3亿5000万 is one number."""
    if match := _ZH_SMALLER.match(flat, end):
        size = {"万": 10**4, "千": 1000, "百": 100, "": 1}[match[2]]
        more = Fraction(match[1]) * size
        if more < scale:
            return value + more, match.end()
    return value, end


def _decades(flat: str, value: int, start: int) -> tuple[Fraction, ...]:
    """Return the other names of a decade: the 90s are the 1990s, 19世纪60年代 is 1860."""
    if century := _CENTURY_BEFORE.search(flat, max(0, start - 4), start):
        return (Fraction(100 * (int(century[1]) - 1) + value),)
    if value < 100:
        return (Fraction(1900 + value),)
    return (Fraction(value % 100),) if 1900 <= value < 2000 else ()


# --- Roman numerals and words ----------------------------------------------------------------

_ROMAN = re.compile(
    # Russian texts write the ten with their own letter.
    r"(?<![^\W\u3400-\u9fff])(?<![.&/-])(?=[IVXLХ]{2}|[VXХ]\.?[ \u00a0]?(?:век|стол|száz|Jahrh"
    r"|cent))"
    r"(XL|LX{0,3}|[XХ]{0,3})(IX|IV|V?I{0,3})(?![^\W_\u3400-\u9fff])(?!\.?[A-Z])"
)
_ROMAN_ONES = {"": 0, "I": 1, "II": 2, "III": 3, "IV": 4, "V": 5} | {
    "VI": 6,
    "VII": 7,
    "VIII": 8,
    "IX": 9,
}


def _roman(flat: str) -> Iterator[Quantity]:
    for match in _ROMAN.finditer(flat):
        value = Fraction(_roman_tens(match[1]) + _ROMAN_ONES[match[2]])
        end, unit = match.end(), ""
        if (after := unit_after(flat, end)) and after[0] == "century":
            unit, end = after
        elif (dotted := unit_after(flat, end + 1)) and flat[end : end + 2] == ". ":
            unit, end = dotted if dotted[0] == "century" else (unit, end)
        # "XL" and "LI" are more often something else.
        yield Quantity(value, unit, match.start(), end, "", certain="L" not in match[1])


def _roman_tens(letters: str) -> int:
    letters = letters.replace("Х", "X")
    if letters == "XL":
        return 40
    return 10 * letters.count("X") + 50 * letters.count("L")


_ZH_PERCENT = re.compile(
    "百分之([零〇一二三四五六七八九十百两]+)(?:点([零〇一二三四五六七八九]+))?"
)
_ZH_PARTS = re.compile("([二三四五六七八九十百]+)分之([一二三四五六七八九十两]+)")


def _words(flat: str, low: str, language: str) -> Iterator[Quantity]:
    parts = list(_chinese_parts(flat)) if language == "zh" else []
    yield from parts
    spans = [(part.start, part.end) for part in parts]
    for word in numerals(low, language):
        if any(start < word.end and word.start < end for start, end in spans):
            # The numerals of a fraction stay known, for "two of three".
            continue
        start, end, unit = word.start, word.end, ""
        scale, end = scale_after(flat, end, language)
        if after := unit_after(flat, end):
            unit, end = after
        if unit == "year" and word.value >= 1000:
            unit = ""
        yield Quantity(word.value * scale, unit, start, end, "", word.certain or scale > 1)


def _chinese_parts(flat: str) -> Iterator[Quantity]:
    for match in _ZH_PERCENT.finditer(flat):
        value = Fraction(chinese_value(match[1]))
        if match[2]:
            decimals = "".join(str(chinese_value(char)) for char in match[2])
            value += Fraction(int(decimals), 10 ** len(decimals))
        yield Quantity(value, "%", *match.span(), "")
    for match in _ZH_PARTS.finditer(flat):
        lower = chinese_value(match[1])
        if match[1] != "百" and lower:
            value = Fraction(chinese_value(match[2]), lower)
            yield Quantity(value, "", *match.span(), "")


# --- what neighbours make of each other ------------------------------------------------------


def _without_overlap(found: list[Quantity]) -> list[Quantity]:
    kept: list[Quantity] = []
    for quantity in found:
        if not kept or quantity.start >= kept[-1].end:
            kept.append(quantity)
    return kept


_PARTS = {
    "en": {"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4}
    | {"fifth": 5, "fifths": 5, "sixths": 6, "eighths": 8, "tenths": 10},
    "de": {"drittel": 3, "dritteln": 3, "viertel": 4, "vierteln": 4, "fünftel": 5, "zehntel": 10},
    "ru": {"трети": 3, "третей": 3, "четверти": 4, "четвертей": 4, "пятых": 5, "десятых": 10},
    "hu": {"harmad": 3, "harmada": 3, "harmadát": 3, "negyed": 4, "negyede": 4, "ötöde": 5},
}
_PART = re.compile(r"[ \u00a0-]?([^\W\d_]+)")


def _fraction_of(low: str, quantity: Quantity, language: str) -> Quantity:
    """Return "two thirds" for the "two" of it; a quantity that is no fraction as it is."""
    if quantity.unit or not 1 <= quantity.value < 10 or quantity.value.denominator != 1:
        return quantity
    match = _PART.match(low, quantity.end)
    parts = _PARTS.get(language, {}).get(match[1], 0) if match else 0
    if not match or parts <= quantity.value or (quantity.value == 1 and match[1].endswith("s")):
        return quantity
    value = quantity.value / parts
    return replace(quantity, value=value, end=match.end(), also=(quantity.value,))


_TO = re.compile(r" ?(?:[-~—–至到]| (?:to|bis|bis zu|до|and|und|и|és|és a) ) ?", re.IGNORECASE)


def _ranges(flat: str, found: list[Quantity]) -> Iterator[Quantity]:
    """Give the first number of "3–5 km" or "3 to 5 million" the unit and scale of the second."""
    before: Quantity | None = None
    for quantity, after in zip_longest(found, found[1:]):
        if before and _short_year(flat, before, quantity):
            century = before.value - before.value % 100
            quantity = replace(quantity, also=(*quantity.also, century + quantity.value))
        before = quantity
        if after and not quantity.unit and quantity.certain:
            between = flat[quantity.end : after.start]
            if len(between) < 9 and _TO.fullmatch(between):
                quantity = _as_in_range(flat, quantity, after)
        yield quantity


def _short_year(flat: str, before: Quantity, quantity: Quantity) -> bool:
    """Tell whether a number is the end of a span of years: the "45" of "1939–45"."""
    years = 1000 <= before.value < 2200 and quantity.end - quantity.start == 2
    return years and flat[before.end : quantity.start] in ("-", "/") and not quantity.unit


def _as_in_range(flat: str, quantity: Quantity, after: Quantity) -> Quantity:
    digits = re.match(r"[0-9]+(?:[.,][0-9]+)?", flat[after.start : after.end])
    if 1000 <= after.value < 10000 and 0 < quantity.value < 100:
        return quantity
    scale = after.value / Fraction(digits[0].replace(",", ".")) if digits and after.value else 1
    also = quantity.also
    if scale in (10**3, 10**4, 10**6, 10**8, 10**9, 10**12):
        also += (quantity.value * scale,)
    return replace(quantity, unit=after.unit, also=also)
