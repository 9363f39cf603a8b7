"""Sentences that say the same but for one place: what stands there, and what does not count."""

import pytest

from rag.slots import denied, other_thing

SAME = 0.7
BRIDGE = "The bridge over the Danube was opened in Budapest by the mayor in 1896."


def other(claim: str, *sentences: str) -> tuple[str, str] | None:
    """Return the words of the claim, and what a sentence has in their place."""
    found = other_thing(claim, sentences, SAME)
    if found is None:
        return None
    mine, (sentence, theirs) = found
    return claim[slice(*mine)], sentence[slice(*theirs)]


@pytest.mark.parametrize(
    ("claim", "sentence", "mine", "theirs"),
    [
        (BRIDGE.replace("Budapest", "Vienna"), BRIDGE, "Vienna", "Budapest"),
        (BRIDGE.replace("1896", "1996"), BRIDGE, "1996", "1896"),
        (
            "К 1980 году три главные сети обладали 70% всей аудитории.",
            "К 1980 году три главные сети обладали 90% всей аудитории.",
            "70",
            "90",
        ),
        (
            "The fund has a budget of 230 cents for the year.",
            "The fund has a budget of 230 dollars for the year.",
            "cents",
            "dollars",
        ),
        ("这座大桥全长3公里横跨多瑙河", "这座大桥全长5公里横跨多瑙河", "3", "5"),
    ],
)
def test_another_name_number_or_unit(claim: str, sentence: str, mine: str, theirs: str) -> None:
    """The words of both sides are told."""
    assert other(claim, sentence) == (mine, theirs)


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        (BRIDGE, BRIDGE),
        (BRIDGE.replace("opened", "inaugurated"), BRIDGE),
        # forms of one name, and of one number
        (BRIDGE.replace("Budapest", "the Budapests"), BRIDGE),
        ("It cost the city 1,600 forints to build the bridge.",
         "It cost the city 1600 forints to build the bridge."),
        # what is added or left out is no other thing
        (BRIDGE.replace(" by the mayor", ""), BRIDGE),
        (BRIDGE.replace("the mayor", "the mayor John Smith"), BRIDGE),
        # two places: another statement
        ("The bridge over the Rhine was opened in Cologne by the mayor in 1896.", BRIDGE),
        ("Too short 5.", "Too short 6."),
    ],
)  # fmt: skip
def test_what_is_no_other_thing(claim: str, sentence: str) -> None:
    """Forms of the same, other words, additions, several differences, and few words."""
    assert other(claim, sentence) is None


def test_the_sentence_that_is_nearest_counts() -> None:
    """Of two similar sentences, the one that says the claim decides."""
    neighbour = BRIDGE.replace("1896", "1996")
    assert other(f"{BRIDGE} Indeed", neighbour, BRIDGE) is None


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("The bridge was not opened by the mayor in 1896.",
         "The bridge was opened by the mayor in 1896."),
        ("The old engine does not need any oil on cold days.",
         "The old engine needs any oil on cold days."),
        ("Сегодня они не могут работать на крупные компании.",
         "Сегодня они могут работать на крупные компании."),
        ("Jelenleg van törvény, amely az Alsóház elé került.",
         "Jelenleg nincs törvény, amely az Alsóház elé került."),
        ("Die Brücke hat heute kein Geländer an der Seite.",
         "Die Brücke hat heute ein Geländer an der Seite."),
        ("这座大桥没有在一九九六年完工通车", "这座大桥在一九九六年完工通车"),
    ],
)  # fmt: skip
def test_a_negation_that_one_side_lacks(claim: str, sentence: str) -> None:
    """Either may have it."""
    assert denied(claim, [sentence], SAME)
    assert denied(sentence, [claim], SAME)


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("The bridge was not opened by the mayor in 1896.",
         "The bridge was never opened by the mayor in 1896."),
        # the clause that is negated is left out
        ("The bridge was opened by the mayor of the city in 1896.",
         "The bridge was opened by the mayor of the city in 1896, not by the king."),
        ("The bridge is not only long but also rather wide.",
         "The bridge is both long but also rather wide."),
        ("Nothing here.", "Something here."),
        ("Cats never drink cold milk in the morning.", "The sun is far from the earth today."),
    ],
)  # fmt: skip
def test_what_denies_nothing(claim: str, sentence: str) -> None:
    """Both negate, the negation is of something else, taken back at once, or nothing is alike."""
    assert not denied(claim, [sentence], SAME)
