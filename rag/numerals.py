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

from rag.compounds import german, hungarian
from rag.hanzi import chinese


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
        return [Numeral(*found) for found in chinese(text)]
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
|6 шестой шестая шестого шестое|7 седьм*|8 восьмой восьмая восьмого восьмое
|9 девятый девятая девятого
|10 десятый десятого десятое десятилет*|12 дюжин*|40 сороков*|50 пятидесятых|60 шестидесятых
|90 девяност*|100 столет* век века веков веке сотый сотня ста|1000 тысячелет*|1/2 половин* полтор*
|1/3 треть трети|1/4 четверть четверти"""

_HUNGARIAN_UNCERTAIN = """1 egy egyik első egyetlen először elsőként
|2 mindkét mindkettő második kétszer
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


_COMPOUND: dict[str, Callable[[str], tuple[Fraction, bool] | None]] = {
    "de": german,
    "hu": hungarian,
}
