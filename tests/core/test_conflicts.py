"""Sources that say the same but for one place disagree; those that only sound alike do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.conflicts import ConflictKind, disagreements
from rag.types import Evidence, Passage

NUMBER, DATE = ConflictKind.NUMBER, ConflictKind.DATE
NEGATION, STATEMENT = ConflictKind.NEGATION, ConflictKind.STATEMENT


def evidence(text: str, language: str = "en", document: str = "") -> Evidence:
    """Return a sentence that is a passage of its own."""
    name = document or text
    passage = Passage(name, name, "s", "t", text, 0, len(text), None, "", language)
    return Evidence(passage, text, 0, len(text), 1.0)


def found(first: str, second: str, language: str = "en") -> list[tuple[str, str, str]]:
    """Return kind and words of what two sentences disagree on."""
    pair = [evidence(first, language), evidence(second, language)]
    return [(item.kind, item.says_first, item.says_second) for item in disagreements(pair)]


GOLDEN = [
    ("en", NUMBER, "The tower on the hill is 40 metres high.",
     "The tower on the hill is 55 metres high.", "40", "55"),
    ("de", NUMBER, "Der Turm auf dem Hügel ist 40 Meter hoch.",
     "Der Turm auf dem Hügel ist 55 Meter hoch.", "40", "55"),
    ("ru", NUMBER, "Высота башни на холме составляет 40 метров.",
     "Высота башни на холме составляет 55 метров.", "40", "55"),
    ("hu", NUMBER, "A dombon álló torony pontosan 40 méter magas.",
     "A dombon álló torony pontosan 55 méter magas.", "40", "55"),
    ("zh", NUMBER, "山上的那座塔高40米。", "山上的那座塔高55米。", "40", "55"),
    ("en", DATE, "The bridge was opened to traffic on 4 May 1931.",
     "The bridge was opened to traffic on 9 June 1931.", "4 May", "9 June"),
    ("de", STATEMENT, "Die Brücke wurde von Ivan Horvat im Auftrag der Stadt gebaut.",
     "Die Brücke wurde von Elena Markova im Auftrag der Stadt gebaut.",
     "Ivan Horvat", "Elena Markova"),
    ("en", STATEMENT, "The capital of the northern province is the town of Arden.",
     "The capital of the northern province is the town of Belmont.", "Arden", "Belmont"),
    ("ru", STATEMENT, "Столицей северной провинции является старый город Арден.",
     "Столицей северной провинции является старый город Бельмон.", "Арден", "Бельмон"),
    ("hu", STATEMENT, "Az északi tartomány fővárosa régóta Arden városa.",
     "Az északi tartomány fővárosa régóta Belmont városa.", "Arden", "Belmont"),
    ("zh", STATEMENT, "北方省份的首府是红河市。", "北方省份的首府是青山市。", "红河", "青山"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "kind", "one", "other", "says", "against"), GOLDEN)
def test_one_place_that_differs_is_a_disagreement(
    language: str, kind: ConflictKind, one: str, other: str, says: str, against: str
) -> None:
    """The kind, and the words of each in which they differ; either way round."""
    assert found(one, other, language) == [(kind, says, against)]
    assert found(other, one, language) == [(kind, against, says)]


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "The bridge over the Sava was damaged in the flood of spring.",
         "The bridge over the Sava was not damaged in the flood of spring."),
        ("de", "Die Brücke über die Save wurde im Frühjahr bei der Flut beschädigt.",
         "Die Brücke über die Save wurde im Frühjahr bei der Flut nicht beschädigt."),
        ("ru", "Старый мост через реку Сава был повреждён весной во время наводнения.",
         "Старый мост через реку Сава не был повреждён весной во время наводнения."),
        ("hu", "A Száván álló régi híd tavasszal az áradás idején járható volt.",
         "A Száván álló régi híd tavasszal az áradás idején nem járható volt."),
        ("zh", "萨瓦河上的桥在春天的洪水中被损坏。", "萨瓦河上的桥在春天的洪水中没有被损坏。"),
    ],
)  # fmt: skip
def test_a_denial_is_a_disagreement(language: str, one: str, other: str) -> None:
    """Both sentences in full: what they differ in is a word that only one of them has."""
    assert found(one, other, language) == [(NEGATION, one, other)]


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "The last lap of the race took 04 seconds less.",
         "The last lap of the race took 4 seconds less."),
        ("en", "The lake in the valley is 1.5 km long.", "The lake in the valley is 1500 m long."),
        ("en", "The city in the plain has 1,600 inhabitants.",
         "The city in the plain has 1600 inhabitants."),
        ("en", "The king of the island had four sons.", "The king of the island had 4 sons."),
        ("de", "Die Stadt in der Ebene hat 1.600 Einwohner.",
         "Die Stadt in der Ebene hat 1600 Einwohner."),
        ("ru", "В городе на равнине живёт 3 млн человек.",
         "В городе на равнине живёт 3000000 человек."),
        ("hu", "A síkságon fekvő városnak 1,5 millió lakosa van.",
         "A síkságon fekvő városnak 1500000 lakosa van."),
        ("zh", "平原上的那座城市有3亿居民。", "平原上的那座城市有300000000居民。"),
        ("de", "Die Brücke wurde am 4. Mai 1931 für den Verkehr geöffnet.",
         "Die Brücke wurde am 04.05.1931 für den Verkehr geöffnet."),
        ("en", "The tower is high.", "The tower is low."),
        ("en", "The tower on the hill is 40 metres high.",
         "On a hill nearby stands a tower, which at 55 metres is higher than any other."),
        ("en", "Cats sleep for most of the day in the barn.",
         "The Danube flows through ten countries to the sea."),
        ("en", "", "!"),
    ],
)  # fmt: skip
def test_what_agrees_or_speaks_of_other_things_is_none(language: str, one: str, other: str) -> None:
    """Equal amounts and dates in another form; sentences that are short, or not alike."""
    assert found(one, other, language) == []


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("The walk from the mill takes just 4 km.", "The walk from the mill takes just 4 miles.",
         None),
        ("The island in the bay has 4 cats.", "The island in the bay has 04 dogs.", NUMBER),
    ],
)  # fmt: skip
def test_an_equal_number_of_something_else_is_no_agreement(
    one: str, other: str, kind: ConflictKind | None
) -> None:
    """Another unit, another noun: the number alone does not make it the same."""
    ((told, *_),) = found(one, other)
    assert kind is None or told is kind


def test_a_passage_does_not_disagree_with_itself() -> None:
    """Nor do two copies of one sentence."""
    one, other = GOLDEN[0][2:4]
    assert disagreements([evidence(one, document="d"), evidence(other, document="d")]) == []
    assert disagreements([evidence(one, document="a"), evidence(one, document="b")]) == []


@given(st.lists(st.text(alphabet="ab 41.不нет", max_size=30), max_size=5))
def test_any_text_can_be_compared(texts: list[str]) -> None:
    """What a disagreement says is in the sentence that is said to say it."""
    for item in disagreements([evidence(text) for text in texts]):
        assert item.says_first in item.first.text and item.says_second in item.second.text
        assert item.says_first != item.says_second
