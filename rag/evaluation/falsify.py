"""Making a true claim false in one place, by kind of falsehood.

A maker yields claims that differ from the given one in one thing only, and says nothing where
it can not be sure: after "more than", a smaller number would still be true.
"""

import re
from collections.abc import Collection, Iterator
from random import Random

from rag.analysis import numbers, terms
from rag.evaluation.wording import wording

_NUMBER = re.compile(
    r"(?<![A-Za-z0-9А-я.,:–/-])(\d{1,3}(?:[,.\u00a0 ]\d{3})+|\d+(?:[.,]\d+)?)"
    r"(?![A-Za-z0-9А-я:–/]|[.,]\d|-[A-Z0-9])"
)
_YEAR = re.compile(r"(?<![\d.,A-Za-z:/-])(1(?!000)\d{3}|20\d{2})(?!\d|[.,]\d|[–/]\d| ?[kK]?m\b)")
# A bound stays true when it is widened, so nothing near one of these is changed.
_BOUND_WORDS = "|".join(
    word.replace("_", " ")
    for line in (
        "more less fewer over under least most up_to exceeds? exceeded exceeding below above",
        "almost nearly before after since older younger aged until by than within beyond",
        "mehr weniger über unter mindestens höchstens älter jünger bis vor nach seit ab als",
        "fast beinahe minimum maximum",
        "старше младше более больше менее меньше свыше до после с около почти максимум минимум",
        "раньше позже legalább legfeljebb több kevesebb csaknem majdnem max maximum minimum",
    )
    for word in line.split()
)
_CHINESE_BOUND = "超过|多于|少于|不到|至少|最多|以上|以下|之前|之后|近|约|不足|高达|自|从|逾|截至"
_BOUND = re.compile(
    rf"\b(?:{_BOUND_WORDS})\W+(?:\w+\W+){{0,2}}$|(?:{_CHINESE_BOUND})\D{{0,4}}$", re.IGNORECASE
)
_BOUND_AFTER = re.compile(
    r"\W{0,2}(?:or (?:more|less|older|over)|(?:und|oder) (?:mehr|älter)|и (?:старше|более)"
    r"|(?:vagy|és) (?:több|idősebb)|előtt|után|fölött|felett|alatt|óta"
    r"|\S{0,4}(?:以上|以下|以前|之前|之后|以后|以来|以内|多))",
)
# Capitalised in English without being a name that can be exchanged.
_NO_NAME = frozenset(
    word
    for line in (
        "I The A An This That These Those It He She They We In On At By For From With As If When",
        "While After Before During Since Although However Monday Tuesday Wednesday Thursday",
        "Friday Saturday Sunday",
    )
    for word in line.split()
)
_COUNT_WORDS = {
    "en": ("two three four five six seven eight nine ten",),
    "de": ("zwei drei vier fünf sechs sieben acht neun zehn",),
    "ru": ("пять шесть семь восемь девять десять", "три четыре", "двух трех четырех"),
    "hu": ("három négy nyolc kilenc tíz",),
    "zh": (),
}
_QUANTITY = {
    "en": r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|hundred|hundreds)",
    "de": r"\d|\b(?:zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|hundert)",
    "ru": r"\d|\b(?:пять|шесть|семь|восемь|девять|десять|сто)",
    "hu": r"\d|\b(?:két|három|négy|öt|nyolc|kilenc|tíz|száz|ezer)",
    "zh": r"\d",
}


def changed_numbers(claim: str, language: str, source: str, random: Random) -> Iterator[str]:
    """Yield the claim with a number, not a year, made another that its source does not hold."""
    known = numbers(source) | numbers(claim)
    found = [m for m in _NUMBER.finditer(claim) if not _YEAR.fullmatch(m[1])]
    for match in random.sample(found, len(found)):
        if _bounded(claim, *match.span()) or _in_date(claim, *match.span(), language):
            continue
        digits = [d for d in "23456789" if d != match[1][0]]
        for digit in random.sample(digits, len(digits)):
            other = digit + match[1][1:]
            if not numbers(other) & known:
                yield claim[: match.start()] + other + claim[match.end() :]
                break
    yield from _changed_words(claim, language, source, random)


def _changed_words(claim: str, language: str, source: str, random: Random) -> Iterator[str]:
    present = set(re.findall(r"\w+", source.lower()))
    for group in _COUNT_WORDS[language]:
        words = group.split()
        for match in re.finditer(rf"\b(?:{'|'.join(words)})\b", claim):
            others = [word for word in words if word not in present and word != match[0]]
            if others and not _bounded(claim, *match.span()):
                yield claim[: match.start()] + random.choice(others) + claim[match.end() :]


def changed_units(claim: str, language: str) -> Iterator[str]:
    """Yield the claim with the unit behind a number made another."""
    table = wording(language).units
    units = "|".join(re.escape(unit) for unit in sorted(table, key=len, reverse=True))
    end = "" if language == "zh" else r"(?!\w)"
    pattern = re.compile(rf"({_QUANTITY[language]})([ \u00a0-]?)({units}){end}")
    for match in pattern.finditer(claim):
        before = claim[: match.start(3)]
        amount = before.rstrip(" \u00a0-").rsplit(" ", 1)[-1]
        if _bounded(claim, before.rindex(amount), match.end()):
            continue
        if _YEAR.fullmatch(amount) or re.search(r"\d{4} ?年$", before + match[3]):
            continue  # "2015 года" is a date
        if match[3] == "年" and claim[match.end() :].startswith("代"):
            continue
        other = table[match[3]]
        if before.endswith("-") and other.endswith("s") and not match[3].endswith("s"):
            other = other[:-1]
        yield before + other + claim[match.end() :]


def changed_dates(claim: str, language: str, source: str, random: Random) -> Iterator[str]:
    """Yield the claim with a year or a month made another that its source does not hold."""
    for match in _YEAR.finditer(claim):
        years = [int(match[1]) + step for step in (-31, -12, -7, -4, 3, 6, 11, 23)]
        fitting = [year for year in years if str(year) not in source and year < 2025]
        if fitting and not _bounded(claim, *match.span()):
            yield claim[: match.start()] + str(random.choice(fitting)) + claim[match.end() :]
    months = wording(language).months
    names = "|".join(sorted(months, key=len, reverse=True))
    for match in re.finditer(rf"(?<!\d)(?:{names})(?=\W|$|[一-龥]|\d)", claim):
        near = claim[max(0, match.start() - 6) : match.end() + 8]
        others = [month for month in months if month not in source and month not in claim]
        dated = re.search(r"\d", near.replace(match[0], "")) is not None
        if dated and others and not _bounded(claim, *match.span()):
            yield claim[: match.start()] + random.choice(others) + claim[match.end() :]


def names(text: str, language: str) -> list[str]:
    """Return the names in running text, by their capitals; German has capitals elsewhere too.

    A sentence's first word is never one. In Chinese only names in Latin letters are found.
    """
    if language == "de":
        return []
    if language == "zh":
        return re.findall(r"(?<![A-Za-z\d-])[A-Z][A-Za-z]{2,}(?:[ -][A-Z\d][A-Za-z\d.]*)*", text)
    word = r"[A-ZА-ЯЁÁÉÍÓÖŐÚÜŰ][\wÀ-ÿа-яё'’-]*[^\W\d_]"
    found = re.findall(rf"(?<=[a-zа-яёáéíóöőúüű,»”)] ){word}(?: {word})*", text)
    ignored = _NO_NAME.union(wording("en").months)
    return [name for name in found if not ignored & set(name.split())]


def swapped_entities(claim: str, others: Collection[str], own: Collection[str]) -> Iterator[str]:
    """Yield the claim with one of its `own` names exchanged for one of `others`.

    Both should be of one type. Names that share a word may be the same thing, and are passed
    over, as are names inside a longer one.
    """
    for name in own:
        if claim.count(name) != 1:
            continue
        start = claim.index(name)
        end = start + len(name)
        if re.match(r" ?[-’'A-ZА-ЯЁ0-9]|\w(?<![一-龥])", claim[end:]) or re.search(
            r"(?:[A-ZА-ЯЁ][\w.]*[ -]|[A-Za-zА-я])$", claim[:start]
        ):
            continue
        for other in others:
            if other not in claim and not _alike(name, other):
                changed = claim[:start] + other + claim[end:]
                yield changed[0].upper() + changed[1:]


def _alike(one: str, other: str) -> bool:
    """Tell whether two names share a word, or one is short for the other."""
    if set(terms(one)) & set(terms(other)):
        return True
    initials = ["".join(word[0] for word in re.findall(r"\w+", name)) for name in (one, other)]
    return one.upper() == initials[1].upper() or other.upper() == initials[0].upper()


def _bounded(claim: str, start: int, end: int) -> bool:
    return bool(_BOUND.search(claim[:start]) or _BOUND_AFTER.match(claim[end:]))


def _in_date(claim: str, start: int, end: int, language: str) -> bool:
    """Tell whether a number is the day or month of a date, which are another kind of change."""
    near = claim[max(0, start - 12) : end + 14]
    if language == "zh":
        return claim[end : end + 1] in ("月", "日")
    return any(month in near for month in wording(language).months)
