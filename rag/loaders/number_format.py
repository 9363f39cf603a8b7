"""What a spreadsheet program shows for a value: ECMA-376 Part 1, 18.8.30 and 18.8.31.

Numbers are written as in an English locale ("1,234.50", "12.5%"). Dates are written as ISO 8601
has them, with the parts that the format shows: 05/06 would be two days, by the reader's locale.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from itertools import pairwise
from math import isfinite

from rag.loaders.source import one_line

Value = str | bool | int | float | datetime | date | time | timedelta | None

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|[_*].|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<exponent>E[+-][0#?]+)|(?P<digits>[0#?][0#?,]*(?:\.[0#?]*,*)?|\.[0#?]+,*)|(?P<other>.)",
    re.S | re.I,
)
_SECTION = re.compile(r'(?:"[^"]*"|\\.|\[[^\]]*\]|[^;])*', re.S)
_UNREADABLE = re.compile(r"\[[<>=]|[?#0]\s*/\s*[?#0\d]|General|@", re.I)
_QUOTED = re.compile(r'"[^"]*"|\\.', re.S)
_LITERALS = re.compile(r'"[^"]*"|\\.|[_*].|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.I)
_EXACT = Context(prec=400)
_SIGNIFICANT = 15  # digits, as Excel keeps


@dataclass(frozen=True, slots=True)
class _Section:
    """A section of a format code: literals and, between them, groups of digit places."""

    parts: tuple[tuple[str, str], ...]  # ("text" | "digits" | "exponent", what stands there)
    percents: int

    @property
    def groups(self) -> list[str]:
        return [what for kind, what in self.parts if kind == "digits"]


def shown(value: Value, code: str) -> str:
    """Return a cell's value as its number format shows it, on one line; "" for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return one_line(_number(value, code))
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, datetime | date | time):
        return _moment(value, code)
    return one_line(value)


def _number(value: int | float, code: str) -> str:
    sections = _sections(code)
    if not sections or not isfinite(value):
        return _general(value)
    number = Decimal(repr(value))
    at = 1 if number < 0 and len(sections) > 1 else 2 if not number and len(sections) > 2 else 0
    section = sections[at]
    filled = _filled(abs(number), section)
    # A section of its own says how negative numbers look; a number rounded to zero has no sign.
    signed = number < 0 and at == 0 and re.search(r"[1-9]", filled)
    return f"-{filled}" if signed else filled


def _general(value: int | float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.{_SIGNIFICANT}g}"


@lru_cache(maxsize=1024)
def _sections(code: str) -> tuple[_Section, ...]:
    """Return the sections for positive numbers, negative ones and zero; () for no format.

    That is the general format, and what is shown as if it were: fractions and conditions.
    """
    if not code or _UNREADABLE.search(_QUOTED.sub("", code)):
        return ()
    found = [match.group() for match in _SECTION.finditer(code)]
    # finditer adds an empty match behind every section but an empty one.
    texts = [text for at, text in enumerate(found) if text or at == 0 or not found[at - 1]]
    return tuple(_section(text) for text in texts[:3])


def _section(code: str) -> _Section:
    parts: list[tuple[str, str]] = []
    percents = 0
    for match in _TOKEN.finditer(code):
        kind, what = match.lastgroup or "", match[match.lastgroup] if match.lastgroup else ""
        if kind in ("digits", "exponent"):
            parts.append((kind, what))
        elif kind == "bracket":  # a colour, or a currency and its locale: "$€-407"
            parts.append(("text", what[1:].split("-")[0] if what.startswith("$") else ""))
        elif kind:
            percents += kind == "other" and what == "%"
            parts.append(("text", what))
    return _Section(tuple(parts), percents)


def _filled(number: Decimal, section: _Section) -> str:
    """Return a number that is not negative in its places, literals around it."""
    number = number.scaleb(2 * section.percents, _EXACT)
    groups = section.groups
    if any(kind == "exponent" for kind, _ in section.parts):
        written = iter([_scientific(number, groups[0])] if groups else [])
    elif len(groups) > 1:
        written = _spread(number, groups)
    else:
        written = iter([_fixed(number, groups[0])] if groups else [])
    return "".join(
        what if kind == "text" else next(written, "") if kind == "digits" else ""
        for kind, what in section.parts
    )


def _scientific(number: Decimal, places: str) -> str:
    # Decimal writes E+4, programs E+04.
    return f"{float(number):.{len(places.partition('.')[2])}E}"


def _fixed(number: Decimal, places: str) -> str:
    """Return number with the decimals, leading zeros and thousands that places ask for."""
    whole, _, decimals = places.partition(".")
    decimals = decimals.rstrip(",")
    # Commas that end the places divide by a thousand each; those between them group.
    thousands = sum(len(part) - len(part.rstrip(",")) for part in places.split("."))
    number = number.scaleb(-3 * thousands, _EXACT)
    rounded = number.quantize(Decimal(1).scaleb(-len(decimals)), ROUND_HALF_UP, _EXACT)
    digits, _, fraction = f"{rounded:f}".partition(".")
    least = decimals.rfind("0") + 1
    fraction = fraction[:least] + fraction[least:].rstrip("0")
    digits = digits.lstrip("0").rjust(whole.count("0"), "0")
    if "," in whole.rstrip(","):
        digits = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", digits)
    return f"{digits}.{fraction}" if fraction else digits or ("" if decimals else "0")


def _spread(number: Decimal, groups: list[str]) -> Iterator[str]:
    """Yield the digits for each of several groups, as in telephone numbers: "000-0000"."""
    rounded = number.quantize(Decimal(1), ROUND_HALF_UP, _EXACT)
    digits = f"{rounded:f}".rjust(sum(map(len, groups)), "0")
    ends = [sum(map(len, groups[at:])) for at in range(1, len(groups))]
    cuts = [0, *(len(digits) - end for end in ends), len(digits)]
    return (digits[start:end] for start, end in pairwise(cuts))


@lru_cache(maxsize=1024)
def _letters(code: str) -> str:
    """Return the letters of a date's format ("yyyymmdd") without its literals."""
    return _LITERALS.sub("", code.split(";")[0]).lower()


def _moment(value: datetime | date | time, code: str) -> str:
    letters = _letters(code)
    if isinstance(value, time):
        return value.isoformat("seconds" if "s" in letters or value.second else "minutes")
    day = value.isoformat()[:10]
    if not isinstance(value, datetime) or not re.search("[hs]", letters):
        return _shortened(day, letters)
    clock = value.time().isoformat("seconds" if "s" in letters else "minutes")
    return f"{day} {clock}" if re.search("[yd]", letters) else clock


def _shortened(day: str, letters: str) -> str:
    """Return the year or the month alone where a format shows no more."""
    if "d" in letters:
        return day
    return day[:7] if "m" in letters else day[:4] if "y" in letters else day


def _duration(value: timedelta) -> str:
    seconds = round(abs(value).total_seconds())
    sign = "-" if value < timedelta() and seconds else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
