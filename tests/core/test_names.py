"""Names by their spelling; when in doubt, none."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.names import names, same_word, squeezed

# Patterns are compiled on first use, which can take longer than hypothesis allows.
patient = settings(deadline=None)


def found(text: str, language: str) -> list[str]:
    return [name.text for name in names(text, language)]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("In 1999 Barack Obama met the NASA chief.", "en", ["Barack Obama", "NASA"]),
        ("The model GPT-3 beats BERT.", "en", ["GPT-3", "BERT"]),
        ("Oxygen is a gas. However, it burns.", "en", []),
        ("He lives in March or on Monday.", "en", []),
        ("Он встретил Петра в Москве.", "ru", ["Петра", "Москве"]),
        ("Сегодня вода холодная.", "ru", []),
        ("Az egyik szerző Petőfi Sándor volt.", "hu", ["Petőfi Sándor"]),
        ("A kutya alszik.", "hu", []),
        ("Der Hund und die Katze im Haus.", "de", []),
        ("Gestern traf der Kanzler die NATO.", "de", ["NATO"]),
        ("路德写了《新约圣经》和GPT-3。", "zh", ["新约圣经", "GPT-3"]),
        ("威廉·廷代尔", "zh", ["威廉·廷代尔"]),
        ("氧气是一种气体。", "zh", []),
        ("Use version 3.11.7 or 3D.", "en", ["3.11.7", "3D"]),
        ("THIS LINE IS ALL IN CAPITALS", "en", []),
    ],
)
def test_names_of_a_sentence(text: str, language: str, expected: list[str]) -> None:
    """Capitals count where the language gives them to names only."""
    assert found(text, language) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("петра", "петр", True),
        ("москве", "москва", True),
        ("budapesten", "budapest", True),
        ("american", "america", True),
        ("obama", "obamas", True),
        ("marx", "mark", False),
        ("london", "lisbon", False),
        ("иванов", "петров", False),
    ],
)
def test_endings_do_not_part_a_name(one: str, other: str, same: bool) -> None:
    """Forms of a name are one, short names that begin alike are not."""
    assert same_word(one, other) is same
    assert same_word(other, one) is same


def test_identifiers_without_their_hyphens() -> None:
    """An identifier is the same with hyphen, space or nothing."""
    assert squeezed("GPT-3") == squeezed("GPT 3") == squeezed("gpt3")
    (name,) = names("about GPT-3 only", "en")
    assert name.literal


@patient
@given(st.text(), st.sampled_from(["en", "zh", "ru", "hu", "de", ""]))
def test_offsets_are_those_of_the_text(text: str, language: str) -> None:
    """Names of any text lie in it, in order, with words to look for."""
    result = names(text, language)
    assert all(text[name.start : name.end] == name.text and name.words for name in result)
    assert all(a.end <= b.start for a, b in itertools.pairwise(result))
