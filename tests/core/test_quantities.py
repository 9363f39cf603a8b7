"""Numbers, units and scales in five languages: the same amount is the same wherever written."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.quantities import Quantity, quantities, same

# Patterns are compiled on first use, which can take longer than hypothesis allows.
patient = settings(deadline=None)


def amounts(text: str, language: str) -> list[tuple[Fraction, str]]:
    """Return value and unit of the certain quantities."""
    return [(q.value, q.unit) for q in quantities(text, language) if q.certain]


EQUAL = {
    "grouped": (
        1600,
        "",
        [
            ("1,600", "en"),
            ("1 600", "ru"),
            ("1\xa0600", "hu"),
            ("1.600", "de"),
            ("1600", "zh"),
            ("１,６００", "zh"),
            ("1'600", "de"),
            ("١٦٠٠", "en"),
            ("1\u202f600", "ru"),
        ],
    ),
    "million": (
        300_000_000,
        "",
        [
            ("3亿", "zh"),
            ("300 million", "en"),
            ("300 млн", "ru"),
            ("300 миллионов", "ru"),
            ("300 millió", "hu"),
            ("300 Millionen", "de"),
            ("300 Mio.", "de"),
            ("300M", "en"),
        ],
    ),
    "percent": (
        50,
        "%",
        [
            ("50%", "en"),
            ("50 percent", "en"),
            ("50 per cent", "en"),
            ("fifty percent", "en"),
            ("百分之五十", "zh"),
            ("50％", "zh"),
            ("50 százalék", "hu"),
            ("50%-a", "hu"),
            ("50 Prozent", "de"),
            ("50 процентов", "ru"),
            ("50 %", "de"),
        ],
    ),
    "decimal": (
        Fraction(11, 2),
        "",
        [("5½", "en"), ("5.5", "en"), ("5,5", "hu"), ("5,5", "ru"), ("5,5", "de"), ("5.5", "zh")],
    ),
    "thousands": (5200, "", [("5.2k", "en"), ("5,2 тыс.", "ru"), ("5,2 ezer", "hu")]),
    "billions": (
        1_500_000_000,
        "",
        [
            ("1.5B", "en"),
            ("1.5 billion", "en"),
            ("1,5 Mrd.", "de"),
            ("15亿", "zh"),
            ("1,5 млрд", "ru"),
            ("1,5 milliárd", "hu"),
            ("1.5bn", "en"),
        ],
    ),
    "words": (
        25,
        "",
        [
            ("twenty-five", "en"),
            ("twenty five", "en"),
            ("二十五", "zh"),
            ("двадцать пять", "ru"),
            ("huszonöt", "hu"),
            ("fünfundzwanzig", "de"),
        ],
    ),
    "three": (
        3,
        "",
        [("three", "en"), ("三个", "zh"), ("три", "ru"), ("három", "hu"), ("drei", "de")],
    ),
    "long words": (
        250_000,
        "",
        [
            ("two hundred and fifty thousand", "en"),
            ("двести пятьдесят тысяч", "ru"),
            ("kétszázötvenezer", "hu"),
            ("zweihundertfünfzigtausend", "de"),
            ("二十五万", "zh"),
        ],
    ),
    "money": (
        5_000_000,
        "dollar",
        [
            ("$5 million", "en"),
            ("US$5m", "en"),
            ("5 млн долларов", "ru"),
            ("500万美元", "zh"),
            ("5 millió dollár", "hu"),
            ("5 Millionen Dollar", "de"),
            ("USD 5 million", "en"),
        ],
    ),
    "ordinal": (
        20,
        "century",
        [
            ("20th century", "en"),
            ("XX век", "ru"),
            ("20世纪", "zh"),
            ("20. Jahrhundert", "de"),
            ("a 20. század", "hu"),
            ("twentieth century", "en"),
            ("XX. század", "hu"),
        ],
    ),
    "parts": (
        Fraction(2, 3),
        "",
        [
            ("two thirds", "en"),
            ("2/3", "en"),
            ("две трети", "ru"),
            ("三分之二", "zh"),
            ("zwei Drittel", "de"),
            ("⅔", "hu"),
        ],
    ),
    "age": (
        42,
        "year",
        [
            ("42-year-old", "en"),
            ("42岁", "zh"),
            ("42-летний", "ru"),
            ("42 éves", "hu"),
            ("42-jährige", "de"),
            ("42 years", "en"),
        ],
    ),
    "mixed": (350_000_000, "", [("3亿5000万", "zh"), ("350 million", "en")]),
    "negative": (
        -5,
        "°C",
        [("-5 °C", "en"), ("−5 °C", "de"), ("минус 5 °C", "ru"), ("零下5℃", "zh")],
    ),
}


@pytest.mark.parametrize(
    ("value", "unit", "text", "language"),
    [(v, u, t, la) for v, u, texts in EQUAL.values() for t, la in texts],
)
def test_spellings_of_one_amount(value: Fraction, unit: str, text: str, language: str) -> None:
    """Each spelling is the value and the unit it stands for, and nothing else."""
    assert amounts(f"x {text} y" if language != "zh" else text, language) == [(value, unit)]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("one of the first", "en"),
        ("ein anderer", "de"),
        ("egy másik", "hu"),
        ("统一的一些", "zh"),
        ("один из первых", "ru"),
        ("GPT-3 and H200", "en"),
        ("三星和四川", "zh"),
        ("millions of people", "en"),
        ("Sie gab acht", "en"),
    ],
)
def test_what_is_no_certain_number(text: str, language: str) -> None:
    """Articles, pronouns, product names and numerals inside words bind no claim."""
    assert amounts(text, language) == []


def test_the_language_decides_a_lone_separator() -> None:
    """1.500 is one and a half in English, fifteen hundred in German; the other stays known."""
    english, german = (quantities("1.500", language)[0] for language in ("en", "de"))
    assert (english.value, german.value) == (Fraction(3, 2), 1500)
    assert same(english, german)


def test_ranges_share_unit_and_scale() -> None:
    """The first number of a range is one of the same kind as the second."""
    low, high = quantities("3–5 km", "en")
    assert (low.value, low.unit, high.value, high.unit) == (3, "km", 5, "km")
    low, high = quantities("between 3 and 5 million", "en")
    assert 3_000_000 in low.readings and high.value == 5_000_000


def test_the_end_of_a_span_of_years() -> None:
    """1939–45 ends in 1945, and the nineties are the 1990s."""
    assert 1945 in quantities("1939–45", "en")[1].readings
    assert 1990 in quantities("20世纪90年代", "zh")[1].readings
    assert 1990 in quantities("90-е годы", "ru")[0].readings


def test_a_list_without_spaces_is_no_decimal() -> None:
    """Years parted by a comma only stay years."""
    assert [q.value for q in quantities("1665,1691", "zh")] == [1665, 1691]


def first(text: str) -> Quantity:
    return quantities(text, "en")[0]


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("2 GB", "2000 MB", True),
        ("2 GiB", "2 GB", False),
        ("2 GiB", "2048 MiB", True),
        ("5 km", "5000 m", True),
        ("5 km", "5 miles", False),
        ("50%", "50", True),
        ("50%", "50 percentage points", False),
        ("$5", "€5", False),
        ("2 weeks", "14 days", True),
        ("1 year", "12 months", True),
        ("5 days", "5 years", False),
        ("$5 million", "$5,000,000", True),
    ],
)
def test_units_compare_by_their_base(one: str, other: str, equal: bool) -> None:
    """With a unit on both sides amounts count, else bare values."""
    assert same(first(one), first(other)) is equal


LANGUAGES = st.sampled_from(["en", "zh", "ru", "hu", "de", "", "fr"])
ODD = st.text(
    st.sampled_from("0123456789.,'% \u00a0-–½/$mkB万亿百分之一十两世纪年xцőß第twohsXIV\n")
)


@patient
@given(text=st.one_of(st.text(), ODD), language=LANGUAGES)
def test_offsets_are_those_of_the_text(text: str, language: str) -> None:
    """Whatever the text, quantities lie in it, in order, without overlap."""
    found = quantities(text, language)
    assert all(text[q.start : q.end] == q.text and q.start < q.end for q in found)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))


@patient
@given(number=st.integers(1000, 10**15), language=st.sampled_from(["en", "zh", "ru", "hu", "de"]))
def test_grouping_does_not_matter(number: int, language: str) -> None:
    """A number grouped by its language's separators is the number."""
    separators = {"en": ",", "zh": ",", "de": "."}.get(language, "\u00a0")
    grouped = f"{number:,}".replace(",", separators)
    (found,) = quantities(grouped, language)
    assert number in found.readings


@patient
@given(st.integers(2, 999_999))
def test_chinese_numerals(number: int) -> None:
    """Numbers written in Chinese characters have their value."""
    assert [q.value for q in quantities(f"共{chinese(number)}个", "zh")] == [number]


def chinese(number: int) -> str:
    """Write a number below a million the long way, every place named."""
    if number >= 10_000:
        rest = number % 10_000
        return (
            chinese(number // 10_000)
            + "万"
            + (("零" if rest < 1000 else "") + chinese(rest) if rest else "")
        )
    digits, text = str(number), ""
    for place, digit in enumerate(digits):
        unit = ["", "十", "百", "千"][len(digits) - place - 1]
        if digit != "0":
            text += "一二三四五六七八九"[int(digit) - 1] + unit
        elif text and not text.endswith("零") and set(digits[place:]) != {"0"}:
            text += "零"
    return text


@pytest.mark.slow
def test_noise_is_survived() -> None:
    """A run of a million digits is no number, and costs no time to say so."""
    assert quantities("9" * 1_000_000, "en") == ()
    assert quantities("1,2" * 10_000, "en") == ()
    assert all(len(q.text) < 100 for q in quantities("一" * 10_000 + "两" * 10_000, "zh"))
