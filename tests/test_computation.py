"""Amounts in quotes, computed with only where nothing is in doubt."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.arithmetic import Measured, Operand, computed, operands
from rag.computation import Computation, Operation, computation
from rag.quantities import quantities
from rag.types import Citation

SCALES = {"billion": 10**9, "Milliarden": 10**9, "млрд": 10**9, "milliárd": 10**9}
SCALES |= {"million": 10**6, "亿": 10**8}


@dataclass(frozen=True)
class Amount:
    """A number as the reader of quantities gives it."""

    value: Fraction
    unit: str
    start: int
    end: int
    text: str
    certain: bool = True
    also: tuple[Fraction, ...] = ()


def read(text: str, language: str) -> Sequence[Measured]:
    """Read digits with a scale and metres: as much of quantities as these tests need."""
    found = []
    pattern = rf"\d+(?:[.,]\d+)*(?: ?({'|'.join(SCALES)}))?(?: (m)\b)?"
    for match in re.finditer(pattern, text):
        digits = re.match(r"[\d.,]+", match.group())
        assert digits is not None
        plain = digits.group()
        if language in ("de", "ru", "hu"):
            plain = plain.replace(".", "").replace(",", ".")
        value = Fraction(plain.replace(",", "")) * SCALES.get(match[1] or "", 1)
        found.append(Amount(value, match[2] or "", *match.span(), match.group()))
    return found


def quote(text: str, n: int = 1) -> Citation:
    return Citation(n, f"p{n}", "d", "s", "t", None, 0, len(text), text)


GOLDEN = [
    (
        "en",
        "How many more parameters does GPT-3 have than GPT-2?",
        "GPT-3 has 175 billion parameters.",
        "GPT-2 has 48 layers and 1.5 billion parameters.",
        "Difference: 175 billion (GPT-3) − 1.5 billion (GPT-2) = 173.5 billion parameters",
    ),
    (
        "en",
        "How many times more parameters does GPT-3 have than GPT-2?",
        "GPT-2 has 1.5 billion parameters, while GPT-3 has 175 billion parameters.",
        "GPT-2 has 1.5 billion parameters, while GPT-3 has 175 billion parameters.",
        "Ratio: 175 billion (GPT-3) / 1.5 billion (GPT-2) ≈ 116.667",
    ),
    (
        "en",
        "What is the average height of Everest and K2?",
        "Everest is 8,848 m high.",
        "K2 rises to 8,611 m.",
        "Average: (8,848 m (Everest) + 8,611 m (K2)) / 2 = 8,729.5 m",
    ),
    (
        "en",
        "How many parameters do Alpha and Beta have in total?",
        "Alpha has 2 billion parameters.",
        "Beta has 500 million parameters.",
        "Sum: 2 billion (Alpha) + 500 million (Beta) = 2,500,000,000 parameters",
    ),
    (
        "de",
        "Wie viele Einwohner haben Ulm und Köln zusammen?",
        "Ulm hat 126.000 Einwohner.",
        "Köln hat 1.087.000 Einwohner.",
        "Summe: 126.000 (Ulm) + 1.087.000 (Köln) = 1.213.000 Einwohner",
    ),
    (
        "ru",
        "На сколько больше параметров у GPT-3, чем у GPT-2?",
        "У GPT-3 175 млрд параметров.",
        "У GPT-2 1,5 млрд параметров.",
        "Разность: 175 млрд (GPT-3) − 1,5 млрд (GPT-2) = 173,5 млрд параметров",
    ),
    (
        "hu",
        "Mennyivel több paramétere van a GPT-3-nak, mint a GPT-2-nek?",
        "A GPT-3 175 milliárd paraméterrel rendelkezik.",
        "A GPT-2 1,5 milliárd paraméterrel rendelkezik.",
        "Különbség: 175 milliárd (GPT-3) − 1,5 milliárd (GPT-2) = 173,5 milliárd paramétere",
    ),
    (
        "zh",
        "GPT-3比GPT-2多多少参数？",
        "GPT-3有1750亿参数。",
        "GPT-2有15亿参数。",
        "差: 1750亿 (GPT-3) − 15亿 (GPT-2) = 1,735亿参数",
    ),
]


@pytest.mark.parametrize(("language", "question", "first", "second", "shown"), GOLDEN)
def test_a_computation_is_shown(
    language: str, question: str, first: str, second: str, shown: str
) -> None:
    """Worked by hand: the amounts as they are written, and what they come to."""
    wanted = computation(question, language)
    assert wanted is not None and len(wanted.questions) == 2
    amounts = [
        operand
        for item, text in zip(wanted.items, (first, second), strict=True)
        for operand in operands(wanted, item, [quote(text)], language, read)
    ]
    assert computed(wanted, amounts, language, read) == shown


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "What is the difference between BPE and WordPiece?"),
        ("en", "How many parameters does GPT-3 have?"),
        ("en", "How many times was the bridge rebuilt?"),
        ("en", "What is the total number of passengers?"),
        ("en", "How many more parameters does it have than before and after?"),
        ("en", "What was the average temperature in July?"),
        ("de", "Wie viele Einwohner hat Ulm insgesamt?"),
        ("ru", "Сколько всего слоёв у BERT?"),
        ("hu", "Hányszor nyert bajnokságot a csapat?"),
        ("zh", "GPT-3有多少参数？"),
        ("zh", "英国与法国人移民者的比例是多少？"),
        ("fr", "Combien de paramètres GPT-3 a-t-il de plus que GPT-2 ?"),
    ],
)
def test_a_plain_question_is_not_computed(language: str, question: str) -> None:
    """One number that the documents may state is none to compute."""
    assert computation(question, language) is None


WANTED = Computation(Operation.DIFFERENCE, "parameters", ("GPT-3", "GPT-2"), ("?", "?"))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("GPT-3 has 175 billion parameters.", [175 * 10**9]),
        ("It has 175 billion parameters.", []),
        ("GPT-3.5 has 20 billion parameters.", []),
        ("GPT-3 has 96 layers.", []),
        ("GPT-3 has 125 million parameters or 175 billion parameters.", [125 * 10**6, 175 * 10**9]),
        ("GPT-2 has 1.5 billion parameters and GPT-3 is larger.", []),
        ("GPT-3 and GPT-2 have 175 and 1.5 billion parameters, respectively.", []),
        ("With 175 billion parameters GPT-3 was the largest.", [175 * 10**9]),
    ],
)
def test_an_amount_belongs_to_its_item(text: str, values: list[int]) -> None:
    """Behind its name and before another's, with the noun; else it is nobody's."""
    found = operands(WANTED, "GPT-3", [quote(text)], "en", read)
    assert [operand.value for operand in found] == values


def test_what_can_not_be_computed_is_not() -> None:
    """Different units, a missing amount, and a division by nothing come to nothing."""
    metres = Operand("A", Fraction(3), "m", "3 m", quote("A"))
    bare = Operand("B", Fraction(0), "", "0", quote("B"))
    assert computed(WANTED, [metres, bare], "en", read) == ""
    assert computed(WANTED, [metres], "en", read) == ""
    ratio = Computation(Operation.RATIO, "", ("A", "B"), ("?", "?"))
    assert computed(ratio, [bare, bare], "en", read) == ""


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.sampled_from(["en", "de", "ru", "zh"]))
def test_the_result_is_exact(one: int, other: int, language: str) -> None:
    """What stands behind the equals sign is the difference, digit by digit."""
    amounts = [
        Operand(item, Fraction(value), "", str(value), quote(item))
        for item, value in (("A", one), ("B", other))
    ]
    result = computed(WANTED, amounts, language, read).split(" = ")[1]
    digits = re.sub(r"[^\d−]", "", result).replace("−", "-")
    assert int(digits) == one - other


def test_the_shipped_reader_fits() -> None:
    """`rag.quantities` reads what the operands need."""
    found = operands(WANTED, "GPT-3", [quote(GOLDEN[0][2])], "en", quantities)
    assert [operand.value for operand in found] == [Fraction(175 * 10**9)]
