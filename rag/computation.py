"""Questions whose answer is not written anywhere but computed from numbers that are. Pure.

"How many more parameters has A than B" becomes one question an item; the amounts are read from
what those answers quote, and computed with only if each item has exactly one, in the same unit.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from rag.wording import WORD

LONGEST = 1000
LONGEST_ITEM = 5


class Operation(StrEnum):
    """What is computed."""

    DIFFERENCE = "difference"
    RATIO = "ratio"
    SUM = "sum"
    AVERAGE = "average"


@dataclass(frozen=True, slots=True)
class Computation:
    """A question to be computed.

    Attributes:
        noun: what is counted or measured, "" where the question does not name it.
        items: whose amounts, in order; the first less, or divided by, the second.
        questions: one an item, in the order of items.
    """

    operation: Operation
    noun: str
    items: tuple[str, ...]
    questions: tuple[str, ...]


_ITEM = r"(?P<{}>[^,，?？]+?)"
_A, _B = _ITEM.format("a"), _ITEM.format("b")
_N = r"(?P<noun>[^\W\d][\w -]*?)"
# The same, where a pattern has two orders of words.
_C, _M = _ITEM.format("c"), r"(?P<other>[^\W\d][\w -]*?)"
_HAT = r"(?:hat|haben|hatte|hatten)"
_HU_A, _HU_B = (rf"(?:az? )?{item}(?:-?(?:n[ae]k|b[ae]n))?" for item in (_A, _B))
_DIFFERENCE, _RATIO = Operation.DIFFERENCE, Operation.RATIO
_SUM, _AVERAGE = Operation.SUM, Operation.AVERAGE

_PATTERNS: dict[str, tuple[tuple[Operation, str], ...]] = {
    "en": (
        (
            _RATIO,
            rf"how many times (?:as many|more|fewer) {_N} (?:does|do|did|has|have) {_A}"
            rf"(?: have| had)? (?:as|than) {_B}",
        ),
        (_DIFFERENCE, rf"how (?:many|much) more {_N} (?:does|do|did) {_A} have than {_B}"),
        (_DIFFERENCE, rf"what (?:is|was) the difference in {_N} between {_A} and {_B}"),
        (
            _DIFFERENCE,
            rf"what (?:is|was) the difference between the {_N} of {_A} and"
            rf" (?:that of |those of )?{_B}",
        ),
        (
            _SUM,
            rf"how (?:many|much) {_N} (?:do|did) {_A} and {_B} have"
            r" (?:in total|together|altogether|combined)",
        ),
        (_SUM, rf"what (?:is|was) the (?:total|combined|sum of the) {_N} of {_A} and {_B}"),
        (_AVERAGE, rf"what (?:is|was) the (?:average|mean) {_N} of {_A} and {_B}"),
    ),
    "de": (
        (_RATIO, rf"wie ?viel ?mal (?:so viele?|mehr) {_N} {_HAT} {_A} (?:wie|als) {_B}"),
        (_DIFFERENCE, rf"wie ?viele? mehr {_N} {_HAT} {_A} als {_B}"),
        (_SUM, rf"wie ?viele? {_N} {_HAT} {_A} und {_B} (?:insgesamt|zusammen)"),
        (_AVERAGE, rf"wie ?viele? {_N} {_HAT} {_A} und {_B} (?:im durchschnitt|durchschnittlich)"),
    ),
    "ru": (
        (_RATIO, rf"во сколько раз (?:больше {_N} у {_A}|у {_C} больше {_M}),? чем у {_B}"),
        (_DIFFERENCE, rf"на сколько (?:больше {_N} у {_A}|у {_C} больше {_M}),? чем у {_B}"),
        (_SUM, rf"сколько (?:всего|вместе) {_N} у {_A} и(?: у)? {_B}"),
        (_SUM, rf"сколько {_N} у {_A} и(?: у)? {_B} (?:вместе|всего|в сумме)"),
        (_AVERAGE, rf"сколько в среднем {_N} у {_A} и(?: у)? {_B}"),
    ),
    "hu": (
        (_RATIO, rf"hányszor (?:több|annyi) {_N} van {_HU_A},? mint {_HU_B}"),
        (_DIFFERENCE, rf"(?:mennyivel|hánnyal) több {_N} van {_HU_A},? mint {_HU_B}"),
        (_SUM, rf"hány {_N} van (?:összesen|együtt) {_HU_A} és {_HU_B}"),
        (_SUM, rf"hány {_N} van {_HU_A} és {_HU_B} (?:összesen|együtt)"),
        (_AVERAGE, rf"átlagosan hány {_N} van {_HU_A} és {_HU_B}"),
    ),
    "zh": (
        (_RATIO, rf"{_A}的{_N}是{_B}的(?:多少|几)倍"),
        (_DIFFERENCE, rf"{_A}比{_B}多(?:了)?(?:多少|几)[个名篇]?{_N}"),
        (_DIFFERENCE, rf"{_A}(?:和|与|跟){_B}的{_N}(?:相差|差)(?:了)?多少"),
        (_SUM, rf"{_A}(?:和|与|跟){_B}(?:一共|总共|合计|加起来)(?:有)?(?:多少|几)[个名篇]?{_N}"),
        (_SUM, rf"{_A}(?:和|与|跟){_B}的{_N}(?:总和|之和|总数)是多少"),
        (_AVERAGE, rf"{_A}(?:和|与|跟){_B}的平均{_N}是多少"),
    ),
}
_QUESTIONS = {
    "en": "How many {noun} does {item} have?",
    "de": "Wie viele {noun} hat {item}?",
    "ru": "Сколько {noun} у {item}?",
    "hu": "Hány {noun} van a(z) {item} esetében?",
    "zh": "{item}有多少{noun}？",
}
_OF = "What is the {noun} of {item}?"
_MARKS = re.compile(
    r"\b(?:more|times|difference|total|combined|sum|together|altogether|average|mean"
    r"|mehr|mal|insgesamt|zusammen|durchschnitt\w*|раз|на сколько|всего|вместе|в сумме|среднем"
    r"|hányszor|mennyivel|hánnyal|összesen|együtt|átlagosan)\b|倍|比|差|共|总|合计|加起来|之和|平均",
    re.IGNORECASE,
)


def computable(question: str) -> bool:
    """Tell whether a question can ask for a computation, in any language; takes microseconds."""
    return len(question) <= LONGEST and _MARKS.search(question) is not None


def computation(question: str, language: str) -> Computation | None:
    """Return what is to be computed; None for a question that asks for no computation."""
    if not computable(question):
        return None
    stem = " ".join(question.split()).rstrip("?？.。 ")
    for operation, pattern in _compiled(language):
        if match := pattern.fullmatch(stem):
            found = match.groupdict()
            noun = found["noun"] or found.get("other") or ""
            items = tuple(
                (item or "").strip() for item in (found["a"] or found.get("c"), found["b"])
            )
            if all(map(_nameable, items)) and items[0].casefold() != items[1].casefold():
                ask = _OF if stem.casefold().startswith("what ") else _QUESTIONS[language]
                asked = tuple(ask.format(noun=noun, item=item) for item in items)
                return Computation(operation, noun.strip(), items, asked)
    return None


@cache
def _compiled(language: str) -> list[tuple[Operation, re.Pattern[str]]]:
    rows = _PATTERNS.get(language, ())
    return [(operation, re.compile(pattern, re.IGNORECASE)) for operation, pattern in rows]


def _nameable(item: str) -> bool:
    words = WORD.findall(item)
    return 0 < len(words) <= LONGEST_ITEM and not re.search(r"\b(?:and|und|и|és)\b|[和与、]", item)
