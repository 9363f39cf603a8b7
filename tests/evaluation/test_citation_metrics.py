"""Citation recall and precision, worked by hand."""

from collections.abc import Sequence

import pytest

from rag.evaluation.citation_metrics import CitedAnswer, CitedClaim, Pair, citation_scores

SOURCES = {"1": "a", "2": "b", "3": "c"}


def judge(pairs: Sequence[Pair]) -> list[bool]:
    """A claim is a set of letters, supported when the texts hold all of them."""
    return [set(claim) <= set("".join(texts)) for claim, texts in pairs]


def answer(*claims: CitedClaim) -> CitedAnswer:
    return CitedAnswer(claims, SOURCES)


def test_supported_and_uncited_claims() -> None:
    """One claim holds, one cites nothing: recall 1/2, precision 1."""
    scores = citation_scores([answer(CitedClaim("a", ("1",)), CitedClaim("b", ()))], judge)
    assert (scores.recall, scores.precision) == (0.5, 1.0)


def test_claim_that_needs_both_sources() -> None:
    """Neither supports alone, both are needed: each counts."""
    scores = citation_scores([answer(CitedClaim("ab", ("1", "2")))], judge)
    assert (scores.recall, scores.precision) == (1.0, 1.0)


def test_needless_citation_counts_nothing() -> None:
    """ "c" supports nothing of it and is not missed: 1 of 2."""
    scores = citation_scores([answer(CitedClaim("a", ("1", "3")))], judge)
    assert (scores.recall, scores.precision) == (1.0, 0.5)


def test_citations_of_an_unsupported_claim_count_nothing() -> None:
    """ "ax" is not supported, so its citation is wrong however near it is."""
    scores = citation_scores([answer(CitedClaim("ax", ("1",)))], judge)
    assert (scores.recall, scores.precision) == (0.0, 0.0)


def test_invented_id_stays_in_the_denominator() -> None:
    """[1] holds, [9] does not exist: precision 1/2; alone, both figures are 0."""
    scores = citation_scores([answer(CitedClaim("a", ("1", "9")))], judge)
    assert (scores.recall, scores.precision) == (1.0, 0.5)
    scores = citation_scores([answer(CitedClaim("a", ("9",)))], judge)
    assert (scores.recall, scores.precision) == (0.0, 0.0)


def test_an_id_cited_twice_is_one_citation() -> None:
    """ "[1][1]" is no better and no worse than "[1]"."""
    once = citation_scores([answer(CitedClaim("a", ("1", "3")))], judge)
    twice = citation_scores([answer(CitedClaim("a", ("1", "3", "3", "1")))], judge)
    assert once.each == twice.each


def test_answers_weigh_the_same() -> None:
    """An answer of one good claim and one of three bad ones: means of 1 and 0."""
    bad = answer(*[CitedClaim("x", ("1",))] * 3)
    scores = citation_scores([answer(CitedClaim("a", ("1",))), bad], judge)
    assert (scores.recall, scores.precision) == (0.5, 0.5)


def test_abstention_is_an_outcome_of_its_own() -> None:
    """Refusals and empty answers are counted and change no mean."""
    refused = CitedAnswer((), SOURCES, abstained=True)
    empty = answer(CitedClaim("Here is what I found:", (), factual=False))
    scores = citation_scores([refused, answer(CitedClaim("a", ("1",))), empty], judge)
    assert (scores.recall, scores.precision) == (1.0, 1.0)
    assert (scores.answered, scores.abstained, scores.empty) == (1, 1, 1)
    assert [score is None for score in scores.each] == [True, False, True]


def test_sentence_that_claims_nothing_needs_no_citation() -> None:
    """It is no miss of recall; what it cites all the same has to hold."""
    plain = CitedClaim("z", ("1",), factual=False)
    scores = citation_scores([answer(CitedClaim("a", ("1",)), plain)], judge)
    assert (scores.recall, scores.precision) == (1.0, 0.5)


def test_judge_is_asked_each_pair_once() -> None:
    """Judging costs a model's time."""
    asked: list[Pair] = []

    def recording(pairs: Sequence[Pair]) -> list[bool]:
        asked.extend(pairs)
        return judge(pairs)

    citation_scores([answer(CitedClaim("ab", ("1", "2")), CitedClaim("ab", ("1", "2")))], recording)
    assert len(asked) == len(set(asked)) == 3  # both, each alone (and so each left out)


def test_errors_name_what_is_missing() -> None:
    """No claims at all, or a judge that loses pairs."""
    with pytest.raises(ValueError, match="none of 0 answers"):
        citation_scores([], judge)
    with pytest.raises(ValueError, match="asked 1 pairs and told 0"):
        citation_scores([answer(CitedClaim("a", ("1",)))], lambda pairs: [])


def test_nothing_cited_anywhere() -> None:
    """Both figures are 0, and the judge is not called."""
    scores = citation_scores([answer(CitedClaim("a", ()))], lambda pairs: 1 / 0)  # type: ignore[arg-type,return-value]
    assert (scores.recall, scores.precision) == (0.0, 0.0)
