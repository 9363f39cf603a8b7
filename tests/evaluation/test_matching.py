"""Answers against gold answers in five languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.matching import contains_gold, exact_match, token_f1, tokens


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("The Cat's  hat!", "en", ["cats", "hat"]),
        ("1,600 kg, 5.5% and $3.", "en", ["1600", "kg", "5.5", "and", "3"]),
        ("1 600 fő, az 5,5 pedig", "hu", ["1600", "fő", "5.5", "pedig"]),
        ("1\u00a0600 и 3.141.592", "ru", ["1600", "и", "3141592"]),
        ("in 2003 100 people", "en", ["in", "2003", "100", "people"]),
        ("Die Franko-Preußische Straße", "de", ["franko", "preussische", "strasse"]),
        ("在2003年,GPT-3有96层。", "zh", [*"在", "2003", "年", "gpt", "3", "有", "96", "层"]),
        ("只有1.96%。2024年", "zh", [*"只有", "1.96", "2024", "年"]),
        ("１，６００人（约）", "zh", ["1600", *"人约"]),
        ("1234", "zh", ["1234"]),
        ("the", "en", ["the"]),
        ("…", "en", []),
    ],
)
def test_tokens(text: str, language: str, expected: list[str]) -> None:
    """Case, punctuation and articles go; numbers keep their value; Han goes by characters."""
    assert tokens(text, language) == expected


def test_exact_match() -> None:
    """Any gold answer will do; "24–10" is "24-10"; 5.5 is not 55."""
    assert exact_match("The Denver Broncos.", ["Broncos", "Denver Broncos"])
    assert exact_match("24–10", ["24-10"])
    assert not exact_match("5.5", ["55"])
    assert not exact_match("", ["x"])


def test_token_f1_by_hand() -> None:
    """Two of three said tokens in a gold of two: 2·2/5; the best gold counts."""
    assert token_f1("Denver Broncos team", ["Denver Broncos"]) == pytest.approx(0.8)
    assert token_f1("丹佛野马", ["丹佛野马队"], "zh") == pytest.approx(8 / 9)
    assert token_f1("a b b", ["b b b"], "ru") == pytest.approx(4 / 6)
    assert token_f1("nothing", ["Denver"]) == 0.0


@pytest.mark.parametrize(
    ("answer", "gold", "language", "expected"),
    [
        ("It was held in 2015.", "2015", "en", True),
        ("It was held in 20151.", "2015", "en", False),
        ("He scored 11 points", "1", "en", False),
        ("A Budapesten élő", "Budapest", "hu", True),
        ("В Лондоне живёт", "Лондон", "ru", True),
        ("an artist", "art", "en", False),
        ("超级碗于2016年举行", "2016", "zh", True),
        ("总部在丹佛野马队附近", "丹佛野马", "zh", True),
        ("Am 7. Februar 2016 gespielt", "7. Februar 2016", "de", True),
        ("three 1,600 items", "1600", "en", True),
        ("the west of the city", "city of the west", "en", False),
        ("short", "a longer gold answer than this", "en", False),
    ],
)
def test_contains_gold(answer: str, gold: str, language: str, expected: bool) -> None:
    """Whole tokens in a row, endings allowed on longer words, never on numbers."""
    assert contains_gold(answer, [gold], language) is expected


def test_gold_of_punctuation_alone_is_never_contained() -> None:
    """Nothing is not in everything."""
    assert not contains_gold("anything", ["?"])


@pytest.mark.parametrize("gold", [[], [""], ["x", "  "]])
def test_gold_must_be_there(gold: list[str]) -> None:
    """An empty gold list would score every answer 0 without a word."""
    for measure in (exact_match, token_f1, contains_gold):
        with pytest.raises(ValueError, match="at least one answer"):
            measure("x", gold)


@given(st.text(min_size=1).filter(str.strip), st.sampled_from(["en", "zh", "ru", "hu", "de"]))
def test_a_text_matches_itself(text: str, language: str) -> None:
    """Exactly, fully, and inside itself, where it has any token."""
    assert exact_match(text, [text], language)
    if tokens(text, language):
        assert token_f1(text, [text], language) == 1.0
        assert contains_gold(text, [text], language)
