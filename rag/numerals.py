"""Numbers written in words: English, Chinese, Russian, Hungarian and German.

A numeral is certain when it can be nothing else. "one", "first", "ein", "egy", "一" or a "三"
inside a word are uncertain: they may answer for a number of a claim, but no claim is held to
them. Words for a count that is no numeral ("both", "dozen", "Jahrzehnt", "вдвое") are uncertain
numerals too.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from rag.characters import bare


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number in words, from start to end (code points, half-open)."""

    value: Fraction
    start: int
    end: int
    certain: bool = True


def numerals(text: str, language: str) -> list[Numeral]:
    """Return the numerals of text in order; none in a language that is not known here.

    Args:
        text: in lower case.
        language: ISO 639-1.
    """
    if language == "zh":
        return list(_chinese(text))
    if language not in _WORDS:
        return []
    return list(_spaced(text, language))


# --- languages with spaces -------------------------------------------------------------------

_ENGLISH = """0 zero|2 two|3 three|4 four|5 five|6 six|7 seven|8 eight|9 nine|10 ten|11 eleven
|12 twelve|13 thirteen|14 fourteen|15 fifteen|16 sixteen|17 seventeen|18 eighteen|19 nineteen
|20 twenty|30 thirty|40 forty|50 fifty|60 sixty|70 seventy|80 eighty|90 ninety
|4 fourth|5 fifth|6 sixth|7 seventh|8 eighth|9 ninth|10 tenth|11 eleventh|12 twelfth
|13 thirteenth|14 fourteenth|15 fifteenth|16 sixteenth|17 seventeenth|18 eighteenth
|19 nineteenth|20 twentieth|30 thirtieth|40 fortieth|50 fiftieth|60 sixtieth|70 seventieth
|80 eightieth|90 ninetieth"""
_ENGLISH_UNCERTAIN = """1 one once first single sole another|2 second both twice double doubled
pair couple dual twin two-fold twofold secondly|3 third triple thrice threefold trio thirdly
|4 quadruple fourfold quartet|10 decade tenfold|12 dozen|100 century hundredth centuries
|1000 millennium thousandth|1/2 half halves halved|1/4 quarter"""

_GERMAN_UNCERTAIN = """1 ein eine einen einem einer eines eins erste ersten erster erstes erstmals
einmal einzige einzigen einzelne|2 beide beiden beider doppelt doppelte verdoppelt zweimal paar
verdoppelte|3 dreifach dritte dritten|4 vierfach|10 jahrzehnt jahrzehnte jahrzehnts|12 dutzend
|100 jahrhundert jahrhunderts jahrhunderte|1000 jahrtausend|1/2 hälfte halb halbe halben
|1/3 drittel|1/4 viertel"""

_RUSSIAN = """0 ноль нуль|2 два две двух двум двумя|3 три трех трем тремя|4 четыре четырех четырем
четырьмя|5 пять пяти пятью|6 шесть шести шестью|7 семь семи семью|8 восемь восьми восемью
|9 девять девяти девятью|10 десять десяти десятью|11 одиннадцат*|12 двенадцат*|13 тринадцат*
|14 четырнадцат*|15 пятнадцат*|16 шестнадцат*|17 семнадцат*|18 восемнадцат*|19 девятнадцат*
|20 двадцат*|30 тридцат*|40 сорок сорока|50 пятьдесят пятидесят*|60 шестьдесят шестидесят*
|70 семьдесят семидесят*|80 восемьдесят восьмидесят*|90 девяносто девяноста девяностых
|100 сто|200 двести двухсот|300 триста трехсот|400 четыреста четырехсот
|500 пятьсот пятисот|600 шестьсот шестисот|700 семьсот семисот|800 восемьсот восьмисот
|900 девятьсот девятисот|2 двое двоих|3 трое троих|4 четверо четверых|5 пятеро"""
_RUSSIAN_UNCERTAIN = """1 один одна одно одного одной одному одним одном одну перв* однажды
единственн* впервые|2 втор* оба обе обоих обеих обеими вдвое дважды двойн* удво* пара пары пару
двухлетн*|3 трет* трижды втрое тройн*|4 четверт*|5 пятый пятая пятое пятого пятой пятом пятую
|6 шестой шестая шестого шестое|7 седьм*|8 восьмой восьмая восьмого восьмое|9 девятый девятая девятого
|10 десятый десятого десятое десятилет*|12 дюжин*|40 сороков*|50 пятидесятых|60 шестидесятых
|90 девяност*|100 столет* век века веков веке сотый сотня ста|1000 тысячелет*|1/2 половин* полтор*
|1/3 треть трети|1/4 четверть четверти"""

_HUNGARIAN_UNCERTAIN = """1 egy egyik első egyetlen először elsőként|2 mindkét mindkettő második kétszer
dupla pár megduplázódott kettős|3 harmadik háromszor|6 hat|7 hét|10 évtized*|100 évszázad* század*
|1000 évezred*|12 tucat|1/2 fél fele felét felére|1/3 harmada|1/4 negyede negyed"""

_DECADES = """20 twenties|30 thirties|40 forties|50 fifties|60 sixties|70 seventies|80 eighties
|90 nineties"""

_HUNDRED_UP = {
    "en": {
        "hundred": 100,
        "thousand": 1000,
        "million": 10**6,
        "billion": 10**9,
        "trillion": 10**12,
    },
    "ru": {"тысяча": 1000, "тысячи": 1000, "тысяч": 1000, "тысячу": 1000}
    | dict.fromkeys(("миллион", "миллиона", "миллионов"), 10**6)
    | dict.fromkeys(("миллиард", "миллиарда", "миллиардов"), 10**9)
    | dict.fromkeys(("триллион", "триллиона", "триллионов"), 10**12),
    "de": dict.fromkeys(("million", "millionen"), 10**6)
    | dict.fromkeys(("milliarde", "milliarden"), 10**9)
    | dict.fromkeys(("billion", "billionen"), 10**12),
    "hu": {"millió": 10**6, "milliárd": 10**9, "billió": 10**12},
}
# "a million", "миллион": one of it, where no number stands before; a plural is no number.
_ALONE = {
    "en": {"hundred", "thousand", "million", "billion", "trillion"},
    "ru": {"тысяча", "тысячу", "миллион", "миллиард", "триллион"},
    "de": {"million", "milliarde", "billion"},
    "hu": {"millió", "milliárd", "billió"},
}


def _table(rows: str) -> tuple[dict[str, Fraction], list[tuple[str, Fraction]]]:
    words: dict[str, Fraction] = {}
    stems: list[tuple[str, Fraction]] = []
    for row in rows.split("|"):
        value, *forms = row.split()
        for form in forms:
            if form.endswith("*"):
                stems.append((form[:-1], Fraction(value)))
            else:
                words[form] = Fraction(value)
    return words, stems


_WORDS = {
    "en": (_table(_ENGLISH), _table(_ENGLISH_UNCERTAIN + "|" + _DECADES)),
    "ru": (_table(_RUSSIAN), _table(_RUSSIAN_UNCERTAIN)),
    "de": (_table("0 null|2 zwei|2 zweite zweiten zweiter zweites"), _table(_GERMAN_UNCERTAIN)),
    "hu": (_table("0 nulla"), _table(_HUNGARIAN_UNCERTAIN)),
}
_PREFIXES = {
    "ru": {
        **{"двадцати": 20, "тридцати": 30, "сорока": 40, "пятидесяти": 50, "двух": 2, "дву": 2},
        **{"трех": 3, "четырех": 4, "пяти": 5, "шести": 6, "семи": 7, "восьми": 8},
        **{"девяти": 9, "десяти": 10, "сто": 100},
    },
    "de": {
        **{"zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "neun": 9},
        **{"zehn": 10, "zwölf": 12, "dreißig": 30, "hundert": 100},
    },
    "hu": {
        **{"két": 2, "kettő": 2, "három": 3, "négy": 4, "öt": 5, "hat": 6, "hét": 7, "nyolc": 8},
        **{"kilenc": 9, "tíz": 10, "harminc": 30, "száz": 100},
    },
}
_WORD = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=1 << 15)
def _word(word: str, language: str) -> tuple[Fraction, bool] | None:
    """Return the value of a single word and whether it is certain; None for no numeral."""
    if language == "ru":
        word = word.replace("ё", "е")
    for certain, (words, stems) in zip((False, True), reversed(_WORDS[language]), strict=True):
        if word in words:
            return words[word], certain
        for stem, value in stems:
            if word.startswith(stem) and len(word) <= len(stem) + 4:
                return value, certain
    compound = _COMPOUND.get(language)
    if compound and (found := compound(word)):
        return found
    for stem, count in _PREFIXES.get(language, {}).items():
        # "zweispurig", "семилетний": a count of something within a word.
        if word.startswith(stem) and len(word) > len(stem) + 3:
            return Fraction(count), False
    return None


def _spaced(text: str, language: str) -> Iterator[Numeral]:
    words = list(_WORD.finditer(text))
    alone = _ALONE[language]
    opens = {w for w in {word[0] for word in words} if w in alone or _word(w, language)}
    done = 0
    for at, word in enumerate(words):
        if at >= done and word[0] in opens and (found := _run(text, words, at, language)):
            numeral, done = found
            yield numeral


def _run(
    text: str, words: list[re.Match[str]], at: int, language: str
) -> tuple[Numeral, int] | None:
    """Return the longest numeral from a word on, and the place of the word after it."""
    big = _HUNDRED_UP[language]
    total = current = Fraction(0)
    certain, used, last = True, at, Fraction(0)
    scale_before = Fraction(10**15)
    while used < len(words):
        step = used
        if used > at:
            gap = text[words[used - 1].end() : words[used].start()]
            if gap not in (" ", "-", "\u00a0"):
                break
            if language == "en" and words[used][0] == "and" and last >= 100:
                step += 1
                if step == len(words):
                    break
        word = words[step][0]
        if (scale := big.get(word)) is not None:
            if used == at and word not in _ALONE[language]:
                return None
            if scale == 100:
                if used > at and not 0 < current < 100:
                    break
                current = (current or Fraction(1)) * scale
            else:
                if scale >= scale_before:
                    break
                total += (current or Fraction(1)) * scale
                current, scale_before = Fraction(0), Fraction(scale)
            certain &= used > at
            last = Fraction(scale)
        elif (value := _word(word, language)) is not None:
            if used > at and not _may_follow(value[0], last):
                break
            if used > at and not value[1] and value[0].denominator == 1 and last < 20:
                break
            current += value[0]
            certain = value[1] if used == at or value[0] else certain
            last = value[0]
        else:
            break
        used = step + 1
    if used == at:
        return None
    return Numeral(total + current, words[at].start(), words[used - 1].end(), certain), used


def _may_follow(value: Fraction, last: Fraction) -> bool:
    """Tell whether a word of this value adds to the one before: "twenty" + "five"."""
    if value.denominator != 1 or value == 0:
        return False
    if last >= 1000:
        return value < 1000
    if last >= 100:
        return value < 100
    return last >= 20 and last % 10 == 0 and value < 10


# --- one-word compounds ----------------------------------------------------------------------

_DE_UNITS = dict(
    zip("ein zwei drei vier fünf sechs sieben acht neun".split(), range(1, 10), strict=True)
)
_DE_TEENS = dict(
    zip(
        "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn".split(),
        range(10, 20),
        strict=True,
    )
)
_DE_TENS = dict(
    zip(
        "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split(),
        range(20, 100, 10),
        strict=True,
    )
)
_DE_BELOW_100 = rf"(?:(?:{'|'.join(_DE_UNITS)})und(?:{'|'.join(_DE_TENS)})|" + "|".join(
    sorted({**_DE_UNITS, **_DE_TEENS, **_DE_TENS}, key=len, reverse=True)
)
_DE_BELOW_1000 = (
    rf"(?:(?P<h>{'|'.join(_DE_UNITS)})?(?P<hundert>hundert))?(?:und)?(?P<r>{_DE_BELOW_100}))?"
)
_DE_ORDINAL = r"(?P<ordinal>s?te[nrsm]?|er)?"
_DE = re.compile(
    rf"(?:(?P<t>{_DE_BELOW_100})|(?P<th>{'|'.join(_DE_UNITS)})hundert)?(?P<tausend>tausend))?"
    rf"{_DE_BELOW_1000}{_DE_ORDINAL}(?:fach|mal|jährige[nrsm]?|köpfige[nrsm]?|tägige[nrsm]?)?"
)
_DE_IRREGULAR = {"siebte": 7, "siebten": 7, "siebter": 7, "siebtes": 7, "achte": 8, "achten": 8}


def _below_100(word: str) -> int:
    if word in _DE_UNITS:
        return _DE_UNITS[word]
    if word in _DE_TEENS:
        return _DE_TEENS[word]
    if word in _DE_TENS:
        return _DE_TENS[word]
    unit, ten = word.split("und", 1)
    return _DE_UNITS[unit] + _DE_TENS[ten]


def _german(word: str) -> tuple[Fraction, bool] | None:
    if word in _DE_IRREGULAR:
        return Fraction(_DE_IRREGULAR[word]), True
    match = _DE.fullmatch(word)
    if not match or not (match["tausend"] or match["hundert"] or match["r"]):
        return None
    value = _below_100(match["r"]) if match["r"] else 0
    if match["hundert"]:
        value += 100 * _DE_UNITS.get(match["h"] or "ein", 1)
    if match["tausend"]:
        thousands = _below_100(match["t"]) if match["t"] else 1
        value += 1000 * (100 * _DE_UNITS[match["th"]] if match["th"] else thousands)
    return Fraction(value), value > 1 and word not in ("hundert", "tausend")


_HU_UNITS = {
    "egy": 1,
    "két": 2,
    "kettő": 2,
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


def _hungarian(word: str) -> tuple[Fraction, bool] | None:
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


_COMPOUND: dict[str, Callable[[str], tuple[Fraction, bool] | None]] = {
    "de": _german,
    "hu": _hungarian,
}

# --- Chinese ---------------------------------------------------------------------------------

_ZH_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
    "兩": 2,
    "壹": 1,
    "贰": 2,
    "叁": 3,
}
_ZH_SMALL = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_ZH_LARGE = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12}
_ZH_RUN = re.compile(f"[{''.join([*_ZH_DIGITS, *_ZH_SMALL, *_ZH_LARGE])}]{{1,40}}")
# A numeral before one of these counts something.
_ZH_COUNTED = re.compile(
    "[个個名位只隻条條张張座次种種项項家所支本天月周岁歲人倍点届届艘架辆辆台层层部篇段块根组组群场场章"
    "句枚公英美欧日年世季米元吨]|小时|分钟|秒|千克|公斤|星期|%"
)
_ZH_LOOSE = {"一半": Fraction(1, 2), "半": Fraction(1, 2), "双": Fraction(2), "首": Fraction(1)}
_ZH_LOOSE_RUN = re.compile("|".join(_ZH_LOOSE))


def _chinese(text: str) -> Iterator[Numeral]:
    for match in _ZH_RUN.finditer(text):
        run, start, end = match[0], *match.span()
        if all(char in _ZH_LARGE for char in run) or "一一" in run:
            continue  # a scale of the digits before it; "only"
        value = chinese_value(run)
        nth = text[start - 1 : start] == "第"
        vague = (
            text[start - 1 : start] in ("几", "数", "數", "幾") or text[end : end + 1] in "几幾分"
        )
        counted = nth or _ZH_COUNTED.match(text, end) is not None
        certain = value > 1 and not (vague and end < len(text)) and (counted or len(run) > 2)
        yield Numeral(Fraction(value), start, end, certain and run not in ("千万", "百万"))
    for match in _ZH_LOOSE_RUN.finditer(text):
        yield Numeral(_ZH_LOOSE[match[0]], *match.span(), certain=False)


def chinese_value(run: str) -> int:
    """Return the value of a run of Chinese numerals: "三百零五" 305, "一九四五" 1945."""
    if len(run) > 1 and all(char in _ZH_DIGITS for char in run):
        return int("".join(str(_ZH_DIGITS[char]) for char in run))
    total = section = digit = 0
    for char in run:
        if char in _ZH_DIGITS:
            digit = _ZH_DIGITS[char]
        elif char in _ZH_SMALL:
            section += (digit or 1) * _ZH_SMALL[char]
            digit = 0
        else:
            # 万亿: the larger scale takes all before it.
            section += digit
            if _ZH_LARGE[char] > 10**4 and total and not section:
                total *= _ZH_LARGE[char]
            else:
                total += (section or 1) * _ZH_LARGE[char]
            section = digit = 0
    return total + section + digit


__all__ = ["Numeral", "bare", "chinese_value", "numerals"]
