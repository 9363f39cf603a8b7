"""The features of a claim beside its sources, worked by hand, and the model's form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.config import DEFAULT_EMBEDDER
from rag.exact import ExactFindings, Finding
from rag.support import (
    EXACT,
    LEXICAL,
    SIMILARITY,
    Sides,
    best_window,
    coverage,
    exact_features,
    features,
    in_order,
    lexical_features,
    load_model,
    read_model,
    similarity_features,
    weight,
    windows,
)

CLAIM = ("bridg", "is", "1600", "metre", "long")
SENTENCES = (
    ("bridg", "is", "old"),
    ("it", "is", "1600", "metre"),
    ("train", "cross"),
    ("long", "days"),
)
SIDES = Sides(CLAIM, SENTENCES, None)
NAN = float("nan")
NEAR = np.array(
    [[0.9, 0.5, 0.4, 0.2], [0.1, 0.8, 0.4, 0.3], [NAN] * 4, [0.3, 0.9, 0.7, 0.6]], np.float32
)
WORD = Finding("1600", 0, 4)
WRITTEN = {"intercept": 0.0, "coefficients": {"coverage": 1.0}}


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("the", 0.1),
        ("на", 0.1),
        ("és", 0.1),
        ("bridg", 1.0),
        ("12", 1.0),
        ("猫", 1.0),
        ("牛奶", 1.0),
    ],
)
def test_short_words_say_little(term: str, expected: float) -> None:
    """Three letters and fewer, but not numbers, and not Chinese."""
    assert weight(term) == expected


def test_coverage_is_a_share_of_weight() -> None:
    """Of 4.1 the sentence holds "is", "1600", "metre": 2.1. Repeats count once."""
    assert coverage(CLAIM, set(SENTENCES[1])) == pytest.approx(2.1 / 4.1)
    assert coverage((*CLAIM, "bridg"), set(SENTENCES[1])) == pytest.approx(2.1 / 4.1)
    assert coverage((), {"bridg"}) == coverage(CLAIM, set()) == 0.0


def test_lexical_features_worked_by_hand() -> None:
    """The first of two equal windows, in which "long" is missing."""
    window = best_window(SIDES, across=False)
    assert window == slice(0, 3)
    assert lexical_features(SIDES, window) == pytest.approx(
        {
            "coverage_sentence": 2.1 / 4.1,
            "coverage_window": 3.1 / 4.1,
            "pairs": 3 / 4,  # all but "metre long"
            "order": 4 / 5,
            "missing_window": 1 / 5,
        }
    )


def test_similarity_features_worked_by_hand() -> None:
    """Means of the best cosines, and the worst of four; the row that is not known is left out."""
    sides = Sides(CLAIM, SENTENCES, NEAR)
    assert best_window(sides, across=True) == slice(1, 4)  # 0.675 on average; 0.6 before it
    assert similarity_features(sides, slice(0, 3)) == pytest.approx(
        {
            "near_sentence": (0.3 + 0.9 + 0.7 + 0.6) / 4,
            "near_window": (0.9 + 0.8 + 0.4 + 0.3) / 4,
            "near_worst": 0.6,
            "near_worst_window": 0.3,
        }
    )


def test_nothing_embedded_is_near_to_nothing() -> None:
    """Zeros, not NaN."""
    sides = Sides(CLAIM, SENTENCES, np.full((4, 3), np.nan, np.float32))
    assert set(similarity_features(sides, slice(0, 3)).values()) == {0.0}


def test_exact_features_worked_by_hand() -> None:
    """One of two numbers and dates is nowhere, another only beside the window; names likewise."""
    everywhere = ExactFindings(
        missing_dates=(WORD,), numbers_total=1, dates_total=1, names_total=4, missing_names=(WORD,)
    )
    window = ExactFindings(
        missing_numbers=(WORD,),
        missing_dates=(WORD,),
        missing_names=(WORD,) * 3,
        negation=True,
    )
    assert exact_features(everywhere, window) == {
        "numbers_missing": 0.5,
        "names_missing": 0.25,
        "negation": 1.0,
        "numbers_apart": 0.5,
        "names_apart": 0.5,
    }
    assert set(exact_features(ExactFindings(), ExactFindings()).values()) == {0.0}


def test_all_features_have_their_names() -> None:
    """Those of meaning only where something was embedded."""
    none = ExactFindings()
    assert tuple(features(SIDES, slice(0, 3), none, none)) == LEXICAL + EXACT
    sides = Sides(CLAIM, SENTENCES, NEAR)
    assert tuple(features(sides, slice(0, 3), none, none)) == LEXICAL + EXACT + SIMILARITY


@pytest.mark.parametrize(("count", "starts"), [(1, [0]), (3, [0]), (4, [0, 1]), (6, [0, 1, 2, 3])])
def test_windows_hold_three_sentences(count: int, starts: list[int]) -> None:
    """One where there are fewer, and no sentence is left out."""
    found = list(windows(count))
    assert [window.start for window in found] == starts
    assert {i for window in found for i in range(count)[window]} == set(range(count))


@pytest.mark.parametrize(
    ("wanted", "given_terms", "expected"),
    [
        ("abc", "abc", 1.0),
        ("abc", "xaxbxc", 1.0),
        ("abc", "cba", 1 / 3),
        ("ab", "", 0),
        ("", "a", 0),
    ],
)
def test_order_counts(wanted: str, given_terms: str, expected: float) -> None:
    """True words in another order are fewer."""
    assert in_order(list(wanted), list(given_terms)) == pytest.approx(expected)


@pytest.mark.slow
@given(st.lists(st.sampled_from("abcd"), min_size=1), st.lists(st.lists(st.sampled_from("abcd"))))
def test_features_are_shares(claim: list[str], sentences: list[list[str]]) -> None:
    """From 0 to 1 but for the lengths; a window holds no more than all, nor less than its best."""
    sides = Sides(claim, sentences or [[]], None)
    found = lexical_features(sides, best_window(sides, across=False))
    shares = [value for name, value in found.items() if not name.endswith("_length")]
    assert all(0 <= value <= 1 for value in shares)
    assert found["coverage_sentence"] <= found["coverage_window"] <= 1.0


def test_a_model_is_read_as_it_is_written() -> None:
    """All parts, thresholds as numbers."""
    parts = {"same": WRITTEN, "across": WRITTEN, "lexical": WRITTEN}
    model = read_model({**parts, "embedder": "e", "supported": 0.7, "partial": "0.3", "data": []})
    assert (model.embedder, model.supported, model.partial) == ("e", 0.7, 0.3)
    assert model.same == model.lexical and model.same.probability({"coverage": 0.0}) == 0.5
    for missing in ("same", "lexical", "embedder", "partial"):
        rest = {**parts, "embedder": "e", "supported": 0.7, "partial": 0.3}
        del rest[missing]
        with pytest.raises(ValueError, match=missing):
            read_model(rest)


def test_the_model_that_ships_weighs_features_that_there_are() -> None:
    """Without an embedder none of meaning; thresholds are in order."""
    model = load_model()
    assert set(model.lexical.coefficients) <= {*LEXICAL, *EXACT}
    for part in (model.same, model.across):
        assert set(part.coefficients) <= {*LEXICAL, *EXACT, *SIMILARITY}
    assert model.embedder == DEFAULT_EMBEDDER and 0 < model.partial < model.supported < 1
