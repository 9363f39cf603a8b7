"""What gold passages and gold answers say of an answer. No checker of ours is asked.

An answer is right when it says every thing that the gold answer says, in one of its spellings;
where only a long gold answer is known, when it has half of its words. A citation is right when
its quote is in a gold document and overlaps gold evidence or holds a gold answer.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.analysis import terms
from rag.evaluation.cases import AnswerCase
from rag.evaluation.citation_metrics import (
    AnswerScore,
    CitedAnswer,
    CitedClaim,
    Pair,
    citation_scores,
)
from rag.evaluation.floors import words_recalled
from rag.evaluation.matching import contains_gold
from rag.sentences import sentences

MOST_OF_IT = 0.5
"""Share of a long gold answer's words from which an answer counts as right."""
# Characters that a quote shares with evidence that it overlaps; of short ones, half.
_SHARED = 20


@dataclass(frozen=True, slots=True)
class Given:
    """A quote and the document it is from."""

    source: str
    quote: str


def right(text: str, case: AnswerCase) -> bool:
    """Tell whether an answer says what the gold answer says; ValueError if the case has none."""
    if case.gold and all(contains_gold(text, spellings, case.lang) for spellings in case.gold):
        return True
    if case.reference:
        return words_recalled(text, case.reference) >= MOST_OF_IT
    if not case.gold:
        raise ValueError(f"case {case.id} has no gold answer")
    return False


def claim_precision(claims: Sequence[str], reference: str) -> float:
    """Return the share of an answer's claims that a long gold answer holds half the words of."""
    return sum(_held(claim, reference) for claim in claims) / len(claims)


def claim_recall(text: str, reference: str, lang: str) -> float:
    """Return the share of a long gold answer's sentences that an answer holds half the words of."""
    spans = sentences(reference, lang)
    return sum(_held(reference[start:end], text) for start, end in spans) / len(spans)


def _held(claim: str, text: str) -> bool:
    return bool(terms(claim)) and words_recalled(text, claim) >= MOST_OF_IT


def is_gold(given: Given, case: AnswerCase) -> bool:
    """Tell whether a quote is one that answers the question."""
    if case.sources and given.source not in case.sources:
        return False
    if any(_overlaps(given.quote, evidence) for evidence in case.evidence):
        return True
    spellings = [spelling for group in case.gold for spelling in group]
    if spellings and contains_gold(given.quote, spellings, case.lang):
        return True
    return bool(case.sources) and not case.evidence and not spellings


def _overlaps(quote: str, evidence: str) -> bool:
    """Tell whether texts share a stretch of `_SHARED` characters, or one holds half of the other.

    White space counts for nothing: a file's lines break where they will.
    """
    one, other = (re.sub(r"\s+", "", text).casefold() for text in (quote, evidence))
    if not one or not other:
        return False
    if one in other or other in one:
        return True
    size = min(_SHARED, max(1, min(len(one), len(other)) // 2))
    seen = {one[at : at + size] for at in range(len(one) - size + 1)}
    return any(other[at : at + size] in seen for at in range(len(other) - size + 1))


def cited_score(
    claims: Sequence[tuple[str, tuple[int, ...]]], given: Mapping[int, Given], case: AnswerCase
) -> AnswerScore:
    """Return citation recall and precision of one answer, judged by gold alone.

    Cited texts support a claim when one of them is gold, and the claim states a gold answer or
    stands in that text word for word. So a quote of something else supports nothing here, true
    as it may be: it does not answer the question.
    """
    texts = {str(n): str(n) for n in given}
    answer = CitedAnswer(
        tuple(CitedClaim(text, tuple(map(str, numbers))) for text, numbers in claims), texts
    )

    def judge(pairs: Sequence[Pair]) -> list[bool]:
        return [
            any(_supports(given[int(number)], claim, case) for number in numbers)
            for claim, numbers in pairs
        ]

    (score,) = citation_scores([answer], judge).each
    assert score is not None
    return score


def _supports(given: Given, claim: str, case: AnswerCase) -> bool:
    if not is_gold(given, case):
        return False
    if " ".join(claim.split()) in " ".join(given.quote.split()):
        return True
    spellings = [spelling for group in case.gold for spelling in group]
    if spellings:
        return contains_gold(claim, spellings, case.lang)
    return _held(claim, case.reference)
