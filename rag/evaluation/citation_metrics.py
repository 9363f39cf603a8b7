"""Citation recall and precision, after ALCE (Gao et al. 2023) with three changes.

An id that no source has counts 0 and stays in the denominator (ALCE's script drops it); an
answer without text is no reason to skip a question, it abstained; and which claim a citation
belongs to is told by the caller, who has parsed the answer, not by splitting it anew.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Pair = tuple[str, tuple[str, ...]]
Judge = Callable[[Sequence[Pair]], Sequence[bool]]
"""(claim, texts) pairs, texts never empty, to whether the texts together support the claim."""


@dataclass(frozen=True, slots=True)
class CitedClaim:
    """A claim of an answer with the ids that it cites, made-up ones included.

    `factual` is false for a sentence that states nothing to support ("Here is what I found:").
    """

    text: str
    cited: tuple[str, ...]
    factual: bool = True


@dataclass(frozen=True, slots=True)
class CitedAnswer:
    """An answer with the texts that could be cited, by id."""

    claims: tuple[CitedClaim, ...]
    sources: Mapping[str, str]
    abstained: bool = False


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """Of one answer: recall over its factual claims, precision over its citations."""

    recall: float
    precision: float


@dataclass(frozen=True, slots=True)
class CitationScores:
    """Means over the answers that claim something.

    Attributes:
        each: of each answer, in order; None where it abstained or claims nothing.
        answered, abstained, empty: how many claim something, abstained, or did neither.
    """

    recall: float
    precision: float
    each: tuple[AnswerScore | None, ...]
    answered: int
    abstained: int
    empty: int


def citation_scores(answers: Sequence[CitedAnswer], judge: Judge) -> CitationScores:
    """Return citation recall and precision: per answer first, then over answers.

    Recall: share of factual claims whose cited texts together support them; one that cites
    nothing counts 0. Precision: a citation counts 1 iff its claim is supported and it supports
    the claim alone, or the others fail without it; an answer that cites nothing has 0. An id
    cited twice for a claim is one citation.

    Args:
        judge: called once, with each pair that has to be known.
    Raises:
        ValueError: no answer claims anything, or the judge returns too few or too many.
    """
    counted = [a for a in answers if not a.abstained and _says_something(a)]
    if not counted:
        raise ValueError(f"nothing to measure: none of {len(answers)} answers claims anything")
    wanted = list(dict.fromkeys(pair for answer in counted for pair in _pairs(answer)))
    verdicts = list(judge(wanted)) if wanted else []
    if len(verdicts) != len(wanted):
        raise ValueError(f"the judge was asked {len(wanted)} pairs and told {len(verdicts)}")
    known = dict(zip(wanted, map(bool, verdicts), strict=True))
    each = tuple(
        None if a.abstained or not _says_something(a) else _score(a, known) for a in answers
    )
    scores = [score for score in each if score is not None]
    abstained = sum(a.abstained for a in answers)
    return CitationScores(
        recall=sum(score.recall for score in scores) / len(scores),
        precision=sum(score.precision for score in scores) / len(scores),
        each=each,
        answered=len(scores),
        abstained=abstained,
        empty=len(answers) - len(scores) - abstained,
    )


def _says_something(answer: CitedAnswer) -> bool:
    return any(claim.factual for claim in answer.claims)


def _valid(claim: CitedClaim, answer: CitedAnswer) -> list[str]:
    return [cited for cited in dict.fromkeys(claim.cited) if cited in answer.sources]


def _pair(claim: CitedClaim, ids: Sequence[str], answer: CitedAnswer) -> Pair:
    return claim.text, tuple(answer.sources[cited] for cited in ids)


def _pairs(answer: CitedAnswer) -> Iterator[Pair]:
    """Yield all together, each alone and each left out, for every claim."""
    for claim in answer.claims:
        ids = _valid(claim, answer)
        if ids:
            yield _pair(claim, ids, answer)
        if len(ids) > 1:
            for cited in ids:
                yield _pair(claim, [cited], answer)
                yield _pair(claim, [other for other in ids if other != cited], answer)


def _score(answer: CitedAnswer, known: Mapping[Pair, bool]) -> AnswerScore:
    supported = right = citations = factual = 0
    for claim in answer.claims:
        ids = _valid(claim, answer)
        stands = bool(ids) and known[_pair(claim, ids, answer)]
        citations += len(set(claim.cited))
        right += sum(stands and _needed(claim, cited, ids, answer, known) for cited in ids)
        factual += claim.factual
        supported += claim.factual and stands
    return AnswerScore(supported / factual, right / citations if citations else 0.0)


def _needed(
    claim: CitedClaim,
    cited: str,
    ids: Sequence[str],
    answer: CitedAnswer,
    known: Mapping[Pair, bool],
) -> bool:
    if len(ids) == 1 or known[_pair(claim, [cited], answer)]:
        return True
    return not known[_pair(claim, [other for other in ids if other != cited], answer)]
