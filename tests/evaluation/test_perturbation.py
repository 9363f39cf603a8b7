"""The perturbation set over a small collection made for it."""

from collections import Counter
from random import Random

import pytest

from rag.evaluation import perturbation as p

CITIES = ["Aalborg", "Bergen", "Cork", "Derby", "Essen", "Fano", "Genk", "Hull", "Imola", "Jena"]
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"


def word(random: Random) -> str:
    """A made-up word, so that paragraphs have next to no words in common."""
    return "".join(random.choice(CONSONANTS) + random.choice(VOWELS) for _ in range(4))


def text(article: int, number: int) -> p.Text:
    """A paragraph of two sentences on which every maker of falsehoods can work."""
    random = Random(f"{article} {number}")
    city = CITIES[article]
    one, two, three, four, five, six = (word(random) for _ in range(6))
    body = (
        f"The {one} {two} {three} of {city} was founded in {1300 + 17 * article + number}. "
        f"It kept {37 + article * 11 + number} kilograms {four} {five} {six} for {city} traders."
    )
    half = ("dev", "test")[article % 2]
    names = {"Where": (city, f"New{city}")}
    return p.Text(f"{city}/{number}", city, half, "en", body, names)


TEXTS = [text(article, number) for article in range(10) for number in range(8)]
POOL = p.Pool(TEXTS)
BASES = [
    p.Base(f"{t.id}/{i}", sentence, p.COPIED, t, t)
    for t in TEXTS
    for i, sentence in enumerate(p.whole_sentences(t.text, "en"))
]
CASES = list(p.cases(BASES, POOL, p.Plan(each=3, seed=1)))


def test_the_collection_gives_claims() -> None:
    """Two whole sentences a paragraph."""
    assert len(BASES) == 160


def test_counts_are_balanced() -> None:
    """Three of each kind in each half, as many true claims as false ones, all paddings."""
    for half in ("dev", "test"):
        counts = Counter(c.kind for c in CASES if c.half == half and c.padding == 1)
        assert counts == dict.fromkeys(p.KINDS, 3) | {p.TRUE: 21}
    paddings = Counter(case.padding for case in CASES)
    assert set(paddings) == set(p.PADDINGS) and len(set(paddings.values())) == 1


def test_ids_are_unique_and_labels_follow_the_kind() -> None:
    """Only what was not changed is supported."""
    assert len({case.id for case in CASES}) == len(CASES)
    assert all(case.supported is (case.kind == p.TRUE) for case in CASES)


def test_copied_claims_stand_in_their_sources_when_true_only() -> None:
    """Substring search tells them apart: that is what "copied" means."""
    for case in CASES:
        assert any(case.claim in source for source in case.sources) is case.supported


def test_padding_is_other_paragraphs_of_the_half() -> None:
    """As many sources as the padding says, none twice, none of the other half."""
    of_half = {half: {t.text for t in TEXTS if t.half == half} for half in ("dev", "test")}
    for case in CASES:
        assert len(case.sources) == len(set(case.sources)) == case.padding
        assert set(case.sources) <= of_half[case.half]


def test_gold_is_anywhere_but_with_a_neighbour_nowhere() -> None:
    """The paragraph of a claim is among its sources, at more than one place; a swap lacks it."""
    by_id = {t.id: t.text for t in TEXTS}
    places = set()
    for case in CASES:
        assert (by_id[case.cluster] in case.sources) is (case.kind != "neighbour")
        if case.padding == 10 and case.kind != "neighbour":
            places.add(case.sources.index(by_id[case.cluster]))
    assert len(places) > 5


def test_half_true_has_one_half_from_its_source() -> None:
    """One sentence of the gold paragraph, one of another article whose paragraph is kept away."""
    found = [case for case in CASES if case.kind == "half-true"]
    assert found
    for case in found:
        assert sum(city in case.claim for city in CITIES) == 2


@pytest.mark.slow
def test_the_same_seed_gives_the_same_cases() -> None:
    """And another seed others."""
    assert list(p.cases(BASES, POOL, p.Plan(each=3, seed=1))) == CASES
    assert list(p.cases(BASES, POOL, p.Plan(each=3, seed=2))) != CASES


def test_nothing_to_make_from() -> None:
    """No bases, no cases; an unknown kind is refused."""
    assert list(p.cases([], POOL, p.Plan(3, 0))) == []
    with pytest.raises(ValueError, match="kind must be one of number"):
        list(p.drafts(BASES[0], "typo", POOL, Random(0)))
    with pytest.raises(ValueError, match="twice in en"):
        p.Pool([TEXTS[0], TEXTS[0]])


def test_padding_that_the_collection_does_not_give_is_left_out() -> None:
    """Five other paragraphs are no padding of ten."""
    few = TEXTS[:6]
    bases = [base for base in BASES if base.text in few]
    made = list(p.cases(bases, p.Pool(few), p.Plan(1, 0)))
    assert made and {case.padding for case in made} == {1}


@pytest.mark.parametrize(
    "sentence",
    [
        "Too short to be one.",
        "this one does not begin like a sentence although it has the length.",
        "This sentence stops at an abbreviation that is hardly its end, by Smith et al.",
        "| a | table | row | is not a sentence | even if it is long enough to be one.",
    ],
)
def test_fragments_are_no_claims(sentence: str) -> None:
    """What is cut short or no sentence is not claimed."""
    assert p.whole_sentences(sentence, "en") == []
