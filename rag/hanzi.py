"""Numerals in Chinese characters: 三百零五, 二〇二四, 3亿5000万 in its parts."""

import re
from collections.abc import Iterator
from fractions import Fraction

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


def chinese(text: str) -> Iterator[tuple[Fraction, int, int, bool]]:
    """Yield value, start, end and certainty of the numerals in a Chinese text."""
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
        yield Fraction(value), start, end, certain and run not in ("千万", "百万")
    for match in _ZH_LOOSE_RUN.finditer(text):
        yield _ZH_LOOSE[match[0]], *match.span(), False


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
