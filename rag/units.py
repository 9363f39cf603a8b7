"""Scales ("million", "тыс.", "亿") and units ("km", "Prozent", "éves") as they stand by a number.

A unit has a dimension and its size in that dimension's base, so that 2 GB is 2000 MB and 2 weeks
are 14 days. Money of different currencies, and miles and metres, do not convert: whoever
converts them rounds.
"""

import re
from fractions import Fraction
from functools import cache

UNITS: dict[str, tuple[str, Fraction]] = {
    "%": ("share", Fraction(1)),
    "‰": ("share", Fraction(1, 10)),
    "pp": ("points", Fraction(1)),
    **{
        name: ("length", Fraction(size))
        for name, size in {"km": 10**6, "m": 1000, "cm": 10, "mm": 1}.items()
    },
    "µm": ("length", Fraction(1, 1000)),
    "nm": ("length", Fraction(1, 10**6)),
    "mi": ("length", Fraction(1609344)),
    "ft": ("length", Fraction(3048, 10)),
    "yd": ("length", Fraction(9144, 10)),
    "inch": ("length", Fraction(254, 10)),
    "km²": ("area", Fraction(10**6)),
    "m²": ("area", Fraction(1)),
    "ha": ("area", Fraction(10**4)),
    "acre": ("area", Fraction(40468564224, 10**7)),
    "sq mi": ("area", Fraction(2589988110336, 10**6)),
    "t": ("mass", Fraction(10**6)),
    "kg": ("mass", Fraction(1000)),
    "g": ("mass", Fraction(1)),
    "mg": ("mass", Fraction(1, 1000)),
    "lb": ("mass", Fraction(45359237, 10**5)),
    "l": ("volume", Fraction(1)),
    "ms": ("time", Fraction(1, 1000)),
    "s": ("time", Fraction(1)),
    "min": ("time", Fraction(60)),
    "h": ("time", Fraction(3600)),
    "day": ("time", Fraction(86400)),
    "week": ("time", Fraction(604800)),
    # No number of days: months and years convert to each other only.
    "month": ("time of the calendar", Fraction(1)),
    "year": ("time of the calendar", Fraction(12)),
    "century": ("century", Fraction(1)),
    "°C": ("temperature", Fraction(1)),
    "°F": ("temperature", Fraction(0)),
    # "70 miles per hour" is 每小时70英里, whose hour is elsewhere: told from a length by nothing.
    "km/h": ("length", Fraction(10**6)),
    "mph": ("length", Fraction(1609344)),
    "Gt": ("mass", Fraction(10**15)),
    **{f"{p}B": ("bytes", Fraction(1000**i)) for i, p in enumerate(("", "k", "M", "G", "T", "P"))},
    **{f"{p}iB": ("bytes", Fraction(1024**i)) for i, p in enumerate("KMGTP", start=1)},
    **{f"{p}bit": ("bits", Fraction(1000**i)) for i, p in enumerate(("", "k", "M", "G", "T"))},
    "Hz": ("frequency", Fraction(1)),
    "kHz": ("frequency", Fraction(10**3)),
    "MHz": ("frequency", Fraction(10**6)),
    "GHz": ("frequency", Fraction(10**9)),
    "W": ("power", Fraction(1)),
    "kW": ("power", Fraction(10**3)),
    "MW": ("power", Fraction(10**6)),
    **{
        name: ("money", Fraction(0))
        for name in ("dollar", "cent", "euro", "pound", "ruble", "forint")
    },
    **{name: ("money", Fraction(0)) for name in ("yuan", "yen")},
}
"""Canonical unit: its dimension, and its size in the base of the dimension; 0: not convertible."""

# Spellings, as patterns, longer ones before those they begin with. Case matters in `_SYMBOLS`.
_WORDS = {
    "pp": r"percentage[ -]points?|prozentpunkte?n?|процентн\w+ пункт\w*|százalékpont\w*|个?百分点",
    "%": r"%|per ?cent(?!\w)|percent(?!\w)|prozent\w*|процент\w*|százalék\w*|pct",
    "‰": r"‰|promille|промилле|ezrelék\w*",
    "km²": r"km²|km\^?2(?!\d)|(?:square|sq\.?) (?:kilomet(?:er|re)s?|km)|quadratkilometern?"
    r"|кв(?:адратн\w+|\.) ?"
    r"(?:километр\w*|км)|км²|négyzetkilométer\w*|平方公里|平方千米",
    "m²": r"m²|square met(?:er|re)s?|quadratmetern?|кв(?:адратн\w+|\.) ?(?:метр\w*|м)|м²"
    r"|négyzetméter\w*"
    r"|平方米",
    "sq mi": r"(?:square|sq\.?) (?:miles?|mi)|quadratmeilen?|квадратн\w+ мил\w+"
    r"|négyzetmérföld\w*|平方英里",
    "km/h": r"km/h|kmh|kph|км/ч\w*|kilomet(?:er|re)s? (?:per|an) hour|километр\w* в час"
    r"|stundenkilometern?|公里/小时",
    "mph": r"mph|miles? (?:per|an) hour|миль в час",
    "km": r"kilomet(?:er|re)s?|kilometern?|километр\w*|км|kilométer\w*|公里|千米",
    "m": r"met(?:er|re)s?|metern?|метр(?:а|ов|ы|ах|ам|ами|овый|овой)?|méter\w*|米",
    "cm": r"centimet(?:er|re)s?|zentimetern?|сантиметр\w*|см|centiméter\w*|厘米",
    "mm": r"millimet(?:er|re)s?|millimetern?|миллиметр\w*|мм|milliméter\w*|毫米",
    "µm": r"micromet(?:er|re)s?|microns?|mikrometern?|микрометр\w*|мкм|mikrométer\w*|微米",
    "nm": r"nanomet(?:er|re)s?|nanometern?|нанометр\w*|нм|nanométer\w*|纳米",
    "mi": r"miles?|meilen?|миля|мил[иьюя]\w{0,2}|mérföld\w*|英里",
    "ft": r"foot|feet|fuß|фут\w*|láb(?:nyi)?|英尺",
    "yd": r"yards?|ярд\w*|yard\w*|码",
    "inch": r"inch(?:es)?|zoll|дюйм\w*|hüvelyk\w*|英寸",
    "ha": r"hectares?|hektar\w?|гектар\w*|га|hektár\w*|公顷",
    "acre": r"acres?|акр\w{0,3}|英亩",
    "Gt": r"giga ?ton(?:ne)?s?|gigatonnen?|гигатонн\w*|gigatonn\w*",
    "t": r"tons?|tonnes?|tonnen?|тонн\w*|tonna|tonnás|吨",
    "kg": r"kilograms?|kilogramm\w*|kilos?|килограмм\w*|кг|公斤|千克",
    "g": r"gram(?:me)?s?|gramm\w{0,3}|грамм\w*|克",
    "mg": r"milligrams?|milligramm\w*|миллиграмм\w*|мг|毫克",
    "lb": r"pounds of|lbs?",
    "l": r"lit(?:er|re)s?|litern?|литр\w*|升",
    "ms": r"milliseconds?|millisekunden?|миллисекунд\w*|мс|ezredmásodperc\w*|毫秒",
    "s": r"seconds?|sekunden?|sekundige\w?|секунд\w*|másodperc\w*|秒",
    "min": r"minutes?|minuten?|minütig\w*|минут\w*|perc\w{0,4}|分钟",
    "h": r"hours?|stunden?|stündig\w*|час(?:а|ов|ы|ам|ами|ах|ового|овой|овая)?|óra|órás?|órán?"
    r"|个?小时",
    "day": r"days?|tag(?:en?)?|tägige\w?|день|дня|дней|дням|днями|nap(?:ig|on|os|ot|ja)?|天|日",
    "week": r"weeks?|wochen?|wöchig\w*|недел\w+|hét(?:ig|en|es)?|个?星期|周",
    "month": r"months?|monate?n?|monatig\w*|месяц\w*|hónap\w*|个月",
    "year": r"years?(?:[ -]old)?|jahren?|jahre?s?|jährig\w*|год(?:а|у|ом|ов|ы|ах|ами)?"
    r"|лет(?:н\w+)?|года|éve?s?"
    r"|évvel|évig|éven|年|岁|歲|周岁",
    "century": r"century|centuries|jahrhunderts?|век(?:а|е|у|ов|и)?|столети\w+|század\w*|世纪",
    "°C": r"° ?c(?!\w)|℃|degrees? (?:celsius|centigrade)|grad celsius|градус\w* (?:по )?цельси\w+"
    r"|celsius[ -]fok\w*|摄氏度",
    "°F": r"° ?f(?!\w)|℉|degrees? fahrenheit|grad fahrenheit|градус\w* по фаренгейту|华氏度",
    "dollar": r"(?:us[- ]?)?\$|(?:us[- ]|canadian |австралийск\w+ |american "
    r"|американск\w+ )?(?:dollars?|доллар\w*)"
    r"|dollár\w*|usd|долл\.?|美元|美金",
    "cent": r"cents?|centet?|центов|цента?|центы|美分",
    "euro": r"€|euros?|eur|евро|euró\w*|欧元",
    "pound": r"£|pounds sterling|pfund sterling|фунт\w* стерлингов|gbp|英镑",
    "ruble": r"₽|rubles?|roubles?|rubel|руб(?:л\w+|\.)?|rub|卢布",
    "forint": r"forint\w*|huf|форинт\w*|福林",
    "yuan": r"yuan|rmb|cny|юан\w+|jüan\w*|人民币|元",
    "yen": r"yens?|jpy|иен\w*|jen|日元",
    "B": r"bytes?|байт\w*|bájt\w*|字节",
    "bit": r"bits?|бит(?:а|ов)?|比特",
    "kB": r"kilobytes?|килобайт\w*|кб|kilobájt\w*",
    "MB": r"megabytes?|мегабайт\w*|мб|megabájt\w*",
    "GB": r"gigabytes?|гигабайт\w*|гб|gigabájt\w*",
    "TB": r"terabytes?|терабайт\w*|тб|terabájt\w*",
}
_SYMBOLS = {
    **{name: name for name in ("km", "m", "cm", "mm", "nm", "µm", "kg", "mg", "ms", "min")},
    **{name: name for name in ("kHz", "MHz", "GHz", "Hz", "kW", "MW", "g", "l", "h", "yd")},
    **{f"{p}iB": f"{p}iB" for p in "KMGTP"},
    **{f"{p}B": f"{p}B" for p in "MGTP"},
    **{f"{p}b(?:it|ps|/s)?": f"{p}bit" for p in "kMGT"},
    "[kK]B": "kB",
    # "1990s" is a decade.
    "(?<=[ \u00a0])s": "s",
    "t": "t",
    "W": "W",
    "sec|sek": "s",
    "hrs?|Std": "h",
    "yrs?": "year",
    "ft": "ft",
    "м": "m",
    "г": "g",
    r"т(?!\.)": "t",
    "ч": "h",
    "Ft": "forint",
    "мин": "min",
    "сек": "s",
}
_BEFORE = {
    "$": "dollar",
    "€": "euro",
    "£": "pound",
    "₽": "ruble",
    "USD": "dollar",
    "EUR": "euro",
    "GBP": "pound",
    "RUB": "ruble",
    "HUF": "forint",
}
_SCALES = {
    10**2: r"hundert|hundred|百",
    10**3: r"thousand|tausend|tsd\.?|тысяч\w*|тыс\.?|ezer\w{0,4}|ezres|千",
    10**4: r"万|萬",
    10**6: r"millions?|millionen|mln\.?|mio\.?|миллион\w*|млн\.?|millió\w{0,4}|百万|mn",
    10**7: r"千万",
    10**8: r"亿|億",
    10**9: r"milliarden?|mrd\.?|bn|миллиард\w*|млрд\.?|milliárd\w{0,4}|十亿",
    10**10: r"百亿",
    10**11: r"千亿",
    10**12: r"万亿|billionen|trillions?|bio\.?|триллион\w*|трлн\.?|billió\w{0,4}",
}
_BILLION = {"de": 10**12}
_ATTACHED = {"k": 10**3, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}

# A unit in letters ends where the letters do, unless Chinese goes on.
_END = r"(?![^\W\d_\u3400-\u9fff])"
_GAP = r"[ \u00a0]?-?[ \u00a0]?"


@cache
def _unit_pattern() -> tuple[re.Pattern[str], list[str]]:
    """Return the pattern of what follows a number, and the unit of each of its groups."""
    parts, units = [], []
    for unit, spelling in _WORDS.items():
        parts.append(f"((?i:{spelling}))")
        units.append(unit)
    for spelling, unit in _SYMBOLS.items():
        # "5-t" is an accusative.
        parts.append(f"((?<!-)(?:{spelling}))")
        units.append(unit)
    return re.compile(f"{_GAP}(?:{'|'.join(parts)}){_END}"), units


@cache
def _scale_pattern() -> tuple[re.Pattern[str], list[int]]:
    scales = sorted(_SCALES, reverse=True)
    parts = [f"((?i:{_SCALES[scale]}))" for scale in scales]
    attached = "".join(_ATTACHED)
    pattern = rf"(?:{_GAP}[多余餘几幾]?(?:{'|'.join(parts)}|((?i:billions?)))|([{attached}])){_END}"
    return re.compile(pattern), scales


_MONEY_BEFORE = re.compile(r"([$€£₽]|(?<!\w)(?:USD|EUR|GBP|RUB|HUF))[ \u00a0]?$")
_MONEY_MILLION = re.compile(rf"[mM]{_END}")


def unit_after(text: str, at: int) -> tuple[str, int] | None:
    """Return the canonical unit that follows a number's end, and where it ends."""
    pattern, units = _unit_pattern()
    match = pattern.match(text, at)
    if match is None or match.lastindex is None:
        return None
    return units[match.lastindex - 1], match.end()


def unit_before(text: str, at: int) -> tuple[str, int] | None:
    """Return the currency that precedes a number's start, and where it starts."""
    match = _MONEY_BEFORE.search(text, max(0, at - 5), at)
    return (_BEFORE[match[1]], match.start()) if match else None


def scale_after(text: str, at: int, language: str, *, money: bool = False) -> tuple[int, int]:
    """Return the scale that follows a number's end and where it ends; (1, at) without one.

    Args:
        language: decides what a "billion" is.
        money: the number is one of money, so that "5m" are millions.
    """
    if money and (match := _MONEY_MILLION.match(text, at)):
        return 10**6, match.end()
    pattern, scales = _scale_pattern()
    match = pattern.match(text, at)
    if match is None or match.lastindex is None:
        return 1, at
    if match.lastindex <= len(scales):
        return scales[match.lastindex - 1], match.end()
    if match.lastindex == len(scales) + 1:
        return _BILLION.get(language, 10**9), match.end()
    return _ATTACHED[match[match.lastindex]], match.end()
