"""What supports a claim, and what only looks like it, in four languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.types import Verdict
from rag.verification import PARTIAL, OverlapVerifier, judge
from rag.verification import SUPPORTED as SUPPORTED_FROM

SUPPORTED = [
    ("The cat drinks cold milk every morning.", "The cat drinks milk."),
    ("In 1994 the bridge was 1,600 metres long.", "In 1994 the bridge was 1600 metres long."),
    ("The cat doesn't drink cold milk.", "The cat doesn’t drink milk."),
    ("As is known, 5 cats sleep all day.", "5 cats sleep all day."),
    ("猫每天早上喝冷牛奶,然后睡觉。", "猫每天早上喝冷牛奶。"),
    ("这座桥长1600米,建于1994年。", "这座桥长1600米。"),
    ("Кошка каждое утро пьёт холодное молоко.", "Кошка пьёт холодное молоко."),
    ("Мост длиной 1 600 метров построен в 1994 году.", "Мост построен в 1994 году."),
    ("A macska minden reggel hideg tejet iszik.", "A macska hideg tejet iszik."),
    ("A híd 3,14 km hosszú és 1994-ben épült.", "A híd 3.14 km hosszú."),
]
NUMBERS = [
    ("The bridge is 1600 metres long.", "The bridge is 1700 metres long."),
    ("The bridge was built in 1994.", "The bridge was built in 1994 for 20 million."),
    ("It costs 3.5 euros in the shop.", "It costs 35 euros in the shop."),
    ("这座桥长1600米。", "这座桥长1700米。"),
    ("Мост построен в 1994 году рабочими города.", "Мост построен в 1995 году рабочими города."),
    ("A híd 1994-ben épült a folyó fölé.", "A híd 1995-ben épült a folyó fölé."),
    ("Five cats and 2 dogs.", "Five cats and 2 dogs and 3 dogs."),
]
NEGATIONS = [
    ("The cat drinks milk.", "The cat does not drink milk."),
    ("The cat never drinks milk.", "The cat drinks milk."),
    ("The model can be used offline.", "The model can't be used offline."),
    ("Tea is served with sugar.", "Tea is served without sugar."),
    ("猫喝牛奶。", "猫不喝牛奶。"),
    ("这座桥没有建成。", "这座桥建成。"),
    ("Кошка пьёт молоко.", "Кошка не пьёт молоко."),
    ("На складе нет молока.", "На складе молока."),
    ("A macska tejet iszik.", "A macska nem iszik tejet."),
    ("Nincs tej a hűtőben.", "Tej a hűtőben."),
    ("Die Katze trinkt Milch.", "Die Katze trinkt keine Milch."),
]
UNRELATED = [
    ("The cat drinks cold milk.", "Saturn has rings of ice."),
    ("猫喝牛奶。", "土星有冰环。"),
    ("Кошка пьёт молоко.", "У Сатурна кольца изо льда."),
    ("A macska tejet iszik.", "A Szaturnusznak jéggyűrűi vannak."),
    ("猫喝牛奶。", "The cat drinks milk."),
]


@pytest.mark.parametrize(("premise", "hypothesis"), SUPPORTED)
def test_what_the_premise_says_is_supported(premise: str, hypothesis: str) -> None:
    """Shortened, or with numbers and apostrophes written otherwise."""
    assert judge(premise, hypothesis).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(("premise", "hypothesis"), NUMBERS)
def test_another_number_is_never_supported(premise: str, hypothesis: str) -> None:
    """However much else agrees."""
    assert judge(premise, hypothesis).verdict is not Verdict.SUPPORTED


@pytest.mark.parametrize(("premise", "hypothesis"), NEGATIONS)
def test_a_flipped_negation_is_never_supported(premise: str, hypothesis: str) -> None:
    """In neither direction."""
    assert judge(premise, hypothesis).verdict is not Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("premise", "hypothesis"),
    [
        ("Dogs chase cats in the yard.", "Cats chase dogs in the yard."),
        ("Ann led in tackles, while Bob had 5 sacks.", "Ann had 5 sacks, while Bob led."),
    ],
)
def test_true_words_in_a_false_relation_are_not_supported(premise: str, hypothesis: str) -> None:
    """The order of the words counts."""
    assert judge(premise, hypothesis).verdict is not Verdict.SUPPORTED


@pytest.mark.parametrize(("premise", "hypothesis"), UNRELATED)
def test_another_subject_is_unsupported(premise: str, hypothesis: str) -> None:
    """Sharing nothing, or next to nothing."""
    assert judge(premise, hypothesis).verdict is Verdict.UNSUPPORTED


@pytest.mark.parametrize("sentence", sorted({premise for premise, _ in SUPPORTED + NEGATIONS}))
def test_a_copied_sentence_is_supported(sentence: str) -> None:
    """Word for word, and inside more text that negates nothing else."""
    assert judge(sentence, sentence) == judge(f"{sentence} {sentence}", sentence)
    assert judge(sentence, sentence).verdict is Verdict.SUPPORTED
    assert judge(sentence, sentence).score == 1.0


@pytest.mark.parametrize(
    ("premise", "hypothesis"),
    [("", ""), ("The cat.", ""), ("", "The cat."), ("The cat.", "…!"), ("?", "The cat.")],
)
def test_nothing_supports_nothing(premise: str, hypothesis: str) -> None:
    """An empty side, or one of marks alone, is unsupported with score 0."""
    judgement = judge(premise, hypothesis)
    assert (judgement.verdict, judgement.score) == (Verdict.UNSUPPORTED, 0.0)


def test_half_of_a_claim_is_partial() -> None:
    """Two of three terms are there: partial, with a score between the thresholds."""
    judgement = judge("The cat sleeps.", "The cat barks.")
    assert judgement.verdict is Verdict.PARTIAL and PARTIAL <= judgement.score < SUPPORTED_FROM


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_texts_can_be_judged(premise: str, hypothesis: str) -> None:
    """The score is from 0 to 1 and says what the verdict says."""
    judgement = judge(premise, hypothesis)
    assert 0 <= judgement.score <= 1
    assert (judgement.verdict is Verdict.SUPPORTED) is (judgement.score >= SUPPORTED_FROM)


def test_pairs_are_judged_in_order() -> None:
    """One judgement a pair."""
    pairs = [SUPPORTED[0], UNRELATED[0], SUPPORTED[1]]
    assert OverlapVerifier().judge(pairs) == [judge(*pair) for pair in pairs]
    assert OverlapVerifier().judge([]) == []
