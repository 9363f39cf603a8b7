"""Numerals that German and Hungarian write as one word: "zweihundertfünfzig", "kétszázötven"."""

import re
from fractions import Fraction

_DE_UNITS = dict(
    zip(
        ["ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
        range(1, 10),
        strict=True,
    )
)
_DE_TEENS = dict(
    zip(
        [
            "zehn",
            "elf",
            "zwölf",
            "dreizehn",
            "vierzehn",
            "fünfzehn",
            "sechzehn",
            "siebzehn",
            "achtzehn",
            "neunzehn",
        ],
        range(10, 20),
        strict=True,
    )
)
_DE_TENS = dict(
    zip(
        ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"],
        range(20, 100, 10),
        strict=True,
    )
)
_DE_WORDS = {
    **_DE_UNITS,
    **_DE_TEENS,
    **_DE_TENS,
    **{f"{u}und{t}": _DE_UNITS[u] + _DE_TENS[t] for u in _DE_UNITS for t in _DE_TENS},
}
# Ordinals, decades and what is counted: "dritte" aside, "zwanzigste", "dreifach", "zehnjährige".
_DE_ENDING = re.compile(r"(?<=.)(?:s?te[nrsm]?|er|(?:fach|mal|jährig|köpfig|tägig)(?:e[nrsm]?)?)$")
_DE_IRREGULAR = {"siebte": 7, "siebten": 7, "siebter": 7, "siebtes": 7, "achte": 8, "achten": 8}


def german(word: str) -> tuple[Fraction, bool] | None:
    """Return the value of a word in lower case, and whether it is certain; None for no numeral."""
    if word in _DE_IRREGULAR:
        return Fraction(_DE_IRREGULAR[word]), True
    for root in (word, _DE_ENDING.sub("", word)):
        thousands, tausend, rest = root.rpartition("tausend")
        value = _de_below_1000(rest) if rest else 0
        many = (_de_below_1000(thousands) if thousands else 1) if tausend else 0
        if root and value is not None and many is not None:
            total = 1000 * many + value
            return Fraction(total), total > 1 and root not in ("hundert", "tausend")
    return None


def _de_below_1000(word: str) -> int | None:
    """Return the value of "zweihundertfünfzig"; None for what is no numeral."""
    hundreds, hundert, rest = word.rpartition("hundert")
    if not hundert:
        return _DE_WORDS.get(word)
    many = _DE_UNITS.get(hundreds) if hundreds else 1
    value = _DE_WORDS.get(rest.removeprefix("und")) if rest else 0
    return None if many is None or value is None else 100 * many + value


_HU_UNITS = {
    "egy": 1,
    "két": 2,
    "kettő": 2,
    "három": 3,
    "négy": 4,
    "öt": 5,
    "hat": 6,
    "hét": 7,
    "nyolc": 8,
    "kilenc": 9,
}
_HU_TENS = {
    "tizen": 10,
    "tíz": 10,
    "huszon": 20,
    "húsz": 20,
    "harminc": 30,
    "negyven": 40,
    "ötven": 50,
    "hatvan": 60,
    "hetven": 70,
    "nyolcvan": 80,
    "kilencven": 90,
}
_HU_ORDINALS = {
    "negyedik": 4,
    "ötödik": 5,
    "hatodik": 6,
    "hetedik": 7,
    "nyolcadik": 8,
    "kilencedik": 9,
    "tizedik": 10,
    "huszadik": 20,
}
_HU_BELOW_1000 = (
    rf"(?:(?:{'|'.join(_HU_UNITS)})?száz)?(?:{'|'.join(_HU_TENS)})?(?:{'|'.join(_HU_UNITS)})?"
)
_HU = re.compile(
    rf"(?P<thousands>(?P<t>{_HU_BELOW_1000})ezer)?(?P<rest>{_HU_BELOW_1000})"
    r"(?P<suffix>an|en|at|et|ot|t|ban|ben|ból|ből|ra|re|nak|nek|szor|szer|szoros|szeres|féle|éves)?"
)


def hungarian(word: str) -> tuple[Fraction, bool] | None:
    """Return the value of a word in lower case, and whether it is certain; None for no numeral."""
    for ending in ("", "ben", "ban", "et", "nek", "re", "ként"):
        if word.endswith(ending) and (value := _HU_ORDINALS.get(word.removesuffix(ending))):
            return Fraction(value), True
    match = _HU.fullmatch(word)
    if not match or not (match["thousands"] or match["rest"]):
        return None
    value = _hu_below_1000(match["rest"])
    if match["thousands"]:
        value += 1000 * (_hu_below_1000(match["t"]) if match["t"] else 1)
    root = word.removesuffix(match["suffix"] or "")
    certain = value > 1 and root not in ("száz", "ezer") and (len(root) > 3 or not match["suffix"])
    return Fraction(value), certain


def _hu_below_1000(word: str) -> int:
    value = 0
    if "száz" in word:
        hundreds, word = word.split("száz", 1)
        value = 100 * _HU_UNITS.get(hundreds, 1)
    for name in sorted(_HU_TENS, key=len, reverse=True):
        if word.startswith(name) and (word == name or word[len(name) :] in _HU_UNITS):
            return value + _HU_TENS[name] + _HU_UNITS.get(word[len(name) :], 0)
    return value + _HU_UNITS.get(word, 0)
