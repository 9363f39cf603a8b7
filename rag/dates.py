"""The dates of a text, whole or partial, in English, Chinese, Russian, Hungarian and German.

"2024-03-05", "March 5, 2024", "5. März 2024", "5 марта 2024 г.", "2024. március 5-én" and
"2024年3月5日" are one date; "March 2024" and "2024" are parts of it. Month names come from a
table of stems: what texts hold are inflected forms ("márciusban", "мартом"), which lists of
names such as CLDR's do not have.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from rag.characters import flatten
from rag.hanzi import chinese_value


@dataclass(frozen=True, slots=True)
class Date:
    """A date of a text, at `source[start:end]`; what it does not say is 0.

    Numbers that can be read as day and month in either order give two dates with one span.
    """

    year: int
    month: int
    day: int
    start: int
    end: int

    def implied_by(self, other: "Date") -> bool:
        """Tell whether the other date says at least all that this one does."""
        mine = (self.year, self.month, self.day)
        theirs = (other.year, other.month, other.day)
        return all(not part or part == known for part, known in zip(mine, theirs, strict=True))


def dates(text: str) -> tuple[Date, ...]:
    """Return the dates of text by place; no two overlap but readings of the same characters.

    A year alone counts if it stands as one: "in 2024", "2024年", "2024 г.", "2024-ben",
    "(2024)"; a month alone if its name can be nothing else.
    """
    flat = flatten(text)
    found: list[Date] = []
    taken = bytearray(len(text))
    for read in (
        _numeric,
        _chinese,
        _day_month,
        _month_day,
        _year_first,
        _month_year,
        _month,
        _year,
    ):
        new = [date for date in read(flat) if not any(taken[date.start : date.end])]
        for date in new:
            taken[date.start : date.end] = b"\1" * (date.end - date.start)
        found += new
    return tuple(sorted(found, key=lambda date: (date.start, date.end)))


_STEMS = (
    "january|jan|januar|januára?|января|январ[ьеюё]м?|янв|január\\w*|jänner|januars",
    "february|feb|februar|февраля|феврал[ьею]м?|февр?|február\\w*|febr|februars",
    "march|mar|märz|марта|март[еуо]?м?|március\\w*|márc",
    "april|apr|апреля|апрел[ьею]м?|апр|április\\w*|ápr|aprils",
    "may|mai|мая|ма[ейю]|май|май?ем|május\\w*|máj",
    "june|jun|juni|июня|июн[ьею]м?|június\\w*|jún|junis",
    "july|jul|juli|июля|июл[ьею]м?|július\\w*|júl|julis",
    "august|aug|августа|август[еу]?|августом|авг|augusztus\\w*|augusts",
    "september|sept?|сентября|сентябр[ьею]м?|сент?|szeptember\\w*|szept|septembers",
    "october|oct|oktober|okt|октября|октябр[ьею]м?|окт|október\\w*|oktobers",
    "november|nov|ноября|ноябр[ьею]м?|нояб|november\\w*|novembers",
    "december|dec|dezember|dez|декабря|декабр[ьею]м?|дек|december\\w*|dezembers",
)
# Alone these are verbs, first names, or too short to be sure.
_UNSURE = re.compile(
    r"may|march|mar|mai|ма[ею]|марта|марту|jan|feb|apr|jun|jul|juli|aug|sept?|oct|okt|nov|dec|dez"
    r"|янв|февр?|апр|авг|сент?|окт|нояб|дек|febr|márc|ápr|máj|jún|júl|szept|august|juni|april",
    re.IGNORECASE,
)
_NAME = (
    r"(?<![^\W\d_])(?P<name>(?i:"
    + "|".join(f"(?P<m{i}>{stems})" for i, stems in enumerate(_STEMS, start=1))
    + r"))(?![^\W\d_])"
)
_YEAR = r"(?P<year>(?:1[0-9]|20|21)[0-9]{2})(?![0-9])"
_DAY = r"(?<![0-9.,])(?P<day>[0-3]?[0-9])(?![0-9])"
_S = r"[ \u00a0]"


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _month_of(match: re.Match[str]) -> int:
    return next(i for i in range(1, 13) if match[f"m{i}"])


def _date(match: re.Match[str], year: int, month: int, day: int) -> Iterator[Date]:
    if 1 <= month <= 12 and 0 <= day <= 31:
        yield Date(year, month, day, *match.span())


_ISO = re.compile(
    r"(?<![\w.-])([12][0-9]{3})(?:-([01]?[0-9])-([0-3]?[0-9])|/([01]?[0-9])/([0-3]?[0-9])"
    r"|\.[ \u00a0]?([01]?[0-9])\.[ \u00a0]?([0-3]?[0-9])(?:\.|(?![0-9])))(?![0-9])"
)
_LOCAL = re.compile(
    r"(?<![\w./-])([0-3]?[0-9])(?:\.[ \u00a0]?([01]?[0-9])\.[ \u00a0]?|/([0-3]?[0-9])/)"
    r"([12][0-9]{3})(?![0-9])"
)


def _numeric(flat: str) -> Iterator[Date]:
    for match in _ISO.finditer(flat):
        year, month, day = (int(part) for part in match.groups() if part)
        if day:
            yield from _date(match, year, month, day)
    for match in _LOCAL.finditer(flat):
        first, second, year = (int(part) for part in match.groups() if part)
        if first and second:
            yield from _date(match, year, second, first)
            if match[3] and first != second:
                yield from _date(match, year, first, second)


_ZH_YEAR = "(?:[0-9]{4}|[零〇一二三四五六七八九]{4})"
_ZH_NUMBER = "(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})"
_ZH = re.compile(
    rf"(?:(?<![0-9])(?P<year>{_ZH_YEAR})[ ]?年)?"
    rf"(?:[ ]?(?<![0-9])(?P<month>{_ZH_NUMBER})[ ]?月"
    rf"(?:份|[ ]?(?P<day>{_ZH_NUMBER})[ ]?[日号號])?)?"
)


def _chinese(flat: str) -> Iterator[Date]:
    if "年" not in flat and "月" not in flat:
        return
    for match in _ZH.finditer(flat):
        if match[0]:
            year, month, day = (_zh_int(match[name]) for name in ("year", "month", "day"))
            if month <= 12 and day <= 31 and not (match["year"] and not 1000 <= year < 2200):
                yield Date(year, month, day, *match.span())


def _zh_int(digits: str | None) -> int:
    if not digits:
        return 0
    return int(digits) if digits.isdecimal() else chinese_value(digits)


_RU_YEAR = rf"(?:{_S}?(?:года?|году|г\.))?"
_HU_DAY = r"(?:\.|-?(?:j?[eé]n|[aáeé]n|j?[aáeé]ig|i|j?[aáeé]t[óő]l|j?[aáeé]))?(?![^\W\d_])"


def _day_month(flat: str) -> Iterator[Date]:
    """5 March 2024, the 5th of March, 5. März, 5 марта 2024 г."""
    text = (
        rf"{_DAY}(?:st|nd|rd|th|\.|-го|-е)?{_S}{{1,2}}(?:of{_S})?{_NAME}"
        rf"(?:\.?,?{_S}(?:of{_S})?{_YEAR}{_RU_YEAR})?"
    )
    for match in _pattern(text).finditer(flat):
        if int(match["day"]):
            yield from _date(match, int(match["year"] or 0), _month_of(match), int(match["day"]))


def _month_day(flat: str) -> Iterator[Date]:
    """March 5, 2024; March 5th."""
    text = (
        rf"{_NAME}\.?{_S}(?:the{_S})?{_DAY}(?:st|nd|rd|th)?(?!\.[0-9]|%)"
        rf"(?:,?{_S}{_YEAR})?(?!{_S}?(?:%|percent|Prozent|процент|million|Million|млн))"
    )
    for match in _pattern(text).finditer(flat):
        if int(match["day"]) and not _hungarian_year_before(flat, match.start()):
            end = match.end()
            if not match["year"] and (suffix := _pattern(_HU_DAY).match(flat, end)):
                end = suffix.end() if re.search("[áéűőú]|augusztus", match["name"]) else end
            month, day = _month_of(match), int(match["day"])
            if day <= 31:
                yield Date(int(match["year"] or 0), month, day, match.start(), end)


_HU_YEAR_BEFORE = re.compile(r"(?:1[0-9]|20|21)[0-9]{2}\.?[ \u00a0]$")


def _hungarian_year_before(flat: str, at: int) -> bool:
    return _HU_YEAR_BEFORE.search(flat, max(0, at - 6), at) is not None


def _year_first(flat: str) -> Iterator[Date]:
    """2024. március 5-én; 2024 March 5; 2024. március."""
    text = rf"(?<![0-9.,]){_YEAR}\.?{_S}{_NAME}(?:{_S}{_DAY}{_HU_DAY})?"
    for match in _pattern(text).finditer(flat):
        yield from _date(match, int(match["year"]), _month_of(match), int(match["day"] or 0))


def _month_year(flat: str) -> Iterator[Date]:
    """March 2024, März 2024, в марте 2024 года."""
    text = rf"{_NAME}\.?,?{_S}(?:of{_S})?{_YEAR}{_RU_YEAR}"
    for match in _pattern(text).finditer(flat):
        yield from _date(match, int(match["year"]), _month_of(match), 0)


def _month(flat: str) -> Iterator[Date]:
    for match in _pattern(_NAME).finditer(flat):
        if not _UNSURE.fullmatch(match["name"]):
            yield from _date(match, 0, _month_of(match), 0)


_YEAR_ALONE = re.compile(
    r"(?:(?<![^\W\d_])(?P<before>in|since|by|until|till|from|of|year|im|Jahre?|seit|bis|ab|von|в"
    r"|во|с|со"
    r"|до|к|circa|um|около|и|and|und)[ \u00a0]|(?<=\())?(?<![\w.,])"
    r"(?P<year>1[0-9]{3}|20[0-9]{2})(?![\w%]|[.,'][0-9]|[ \u00a0][0-9]{3})"
    r"(?P<after>[ \u00a0]?(?:год(?:а|у|ом|ы|ов)?|г\.|гг\.)(?![^\W\d_])|-(?:ben|ban|t[óő]l|ig|ra"
    r"|re|es|as|os|ös|i|nek|hoz|ot|et)"
    r"(?![^\W\d_])|\)|\.?[ \u00a0](?:évi|évben))?"
)
_OPENS = frozenset(
    [
        "in",
        "since",
        "by",
        "until",
        "till",
        "year",
        "im",
        "jahr",
        "jahre",
        "seit",
        "bis",
        "ab",
        "von",
        "from",
    ]
)


def _year(flat: str) -> Iterator[Date]:
    for match in _YEAR_ALONE.finditer(flat):
        bracketed = flat[max(0, match.start("year") - 1) : match.start("year")] == "("
        word = (match["before"] or "").lower()
        russian = match["after"] and match["after"] != ")"
        if russian or (bracketed and match["after"]) or word in _OPENS:
            yield Date(int(match["year"]), 0, 0, *match.span("year"))


__all__ = ["Date", "dates"]
