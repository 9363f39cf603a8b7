"""Measuring a checker: the runner, the figures, the parts."""

from dataclasses import replace

import pytest

from rag.evaluation import support
from rag.evaluation.records import Attribution, Entailment, WiceClaim
from rag.types import Judgement, Verdict


class Said:
    """Judges a claim by what it says of itself: "+ 0.9" is supported with .9."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def check(self, claims: list[tuple[str, list[str]]]) -> list[Judgement]:
        self.batches.append(len(claims))
        words = [claim.split() for claim, _ in claims]
        return [
            Judgement(Verdict.SUPPORTED if sign == "+" else Verdict.PARTIAL, float(score))
            for sign, score in words
        ]


def case(claim: str, gold: bool, source: str = "a", **labels: str) -> support.SupportCase:
    return support.SupportCase(claim, ("text",), gold, source, claim, labels)


CASES = [
    case("+ 0.9", True, kind="true", claim_type="copied", lang="en", padding="1"),
    case("+ 0.8", True, "b", kind="true", claim_type="copied", lang="de", padding="1"),
    case("- 0.6", True, kind="true", claim_type="copied", lang="en", padding="1"),
    case("- 0.2", False, kind="unit", claim_type="copied", lang="en", padding="1"),
    case("+ 0.7", False, "b", kind="number", claim_type="copied", lang="en", padding="1"),
]


def test_run_keeps_order_over_batches() -> None:
    """Batches of two and the rest; anything but "supported" is not accepted."""
    checker = Said()
    outcome = support.run(checker, CASES, batch=2)
    assert checker.batches == [2, 2, 1]
    assert outcome.accepted == [True, True, False, False, True]
    assert outcome.scores == [0.9, 0.8, 0.6, 0.2, 0.7]


def test_run_notices_lost_judgements() -> None:
    """A checker that skips claims would shift all that follow."""

    class Lossy:
        def check(self, claims: list[tuple[str, list[str]]]) -> list[Judgement]:
            return []

    with pytest.raises(ValueError, match="claims 5, judgements 0"):
        support.run(Lossy(), CASES)


@pytest.mark.slow
def test_figures_by_hand() -> None:
    """Two of three accepted, one of two falsely; five of six pairs are in order."""
    cases = [replace(one, cluster=f"{copy} {one.claim}") for copy in range(8) for one in CASES]
    found = support.figures(support.run(Said(), cases), resamples=50)
    values = {name: interval.estimate for name, interval in found.values.items()}
    assert values["true_acceptance"] == pytest.approx(2 / 3)
    assert values["false_acceptance"] == pytest.approx(1 / 2)
    assert values["balanced_accuracy"] == pytest.approx(7 / 12)
    assert values["auroc"] == pytest.approx(5 / 6)
    assert values["far_at_90_ta"] == pytest.approx(1 / 2)
    # Bins .2 .6 .7 .8 .9: |0-.2| + |1-.6| + |0-.7| + |1-.8| + |1-.9| over five
    assert values["ece"] == pytest.approx((0.2 + 0.4 + 0.7 + 0.2 + 0.1) / 5)
    # a: 2/3 and 2/3; b: 2/3 of supported, nothing of the rest
    assert values["macro_f1_over_sources"] == pytest.approx((2 / 3 + 1 / 3) / 2)


@pytest.mark.slow
def test_few_clusters_have_no_interval() -> None:
    """Five clusters leave a class out of a resample too often: said, not guessed."""
    found = support.figures(support.run(Said(), CASES), resamples=200)
    assert "auroc" in found.missing and "resamples" in found.missing["auroc"]
    assert "macro_f1" in found.values


def test_parts() -> None:
    """By claim type, and within it by language, padding and kind, whose true claims are none's."""
    found = support.parts(support.run(Said(), CASES))
    assert list(found) == [
        "copied",
        "copied, lang en",
        "copied, lang de",
        "copied, padding 1",
        "copied, kind unit",
        "copied, kind number",
    ]
    assert len(found["copied, lang en"].cases) == 4
    assert found["copied, kind number"].accepted == [True]
    figures = support.acceptance(found["copied, kind number"], resamples=20)
    assert figures.values["false_acceptance"].estimate == 1.0
    assert "true_acceptance" in figures.missing


def test_sets_become_cases() -> None:
    """Clusters are questions, claims or premises; partial support is none."""
    one = support.attribution_cases([Attribution("1", "q", "c", ("r", "s"), True, "X")])[0]
    assert (one.sources, one.supported, one.source, one.cluster) == (("r", "s"), True, "X", "X/q")
    two = support.wice_cases([WiceClaim("w", "c", ("a", "b"), "partially_supported", (), "")])[0]
    assert (two.sources, two.supported, two.cluster) == (("a\nb",), False, "w")
    three = support.entailment_cases([Entailment("1", "p", "h", True)])[0]
    assert (three.claim, three.sources, three.cluster) == ("h", ("p",), "p")
