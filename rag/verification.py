"""Does a premise support a hypothesis? The default verifier needs no further model.

Score: the share of the hypothesis's content terms that occur in the premise, less 0.3 times the
share of its numbers that do not. On AttributionBench out-of-distribution this floor, with a
threshold from development data, reaches macro-F1 83 (docs/decisions/0009-verification.md).
"""

import re
from collections.abc import Sequence

from rag.analysis import terms
from rag.types import Judgement, Verdict

MISSING_NUMBER_PENALTY = 0.3
SUPPORTED = 0.75
PARTIAL = 0.5

NEGATIONS = frozenset(
    word
    for line in (
        "not no never none nothing neither nor cannot without",
        "nicht kein keine keinen keiner nie niemals ohne",
        "не нет ни никогда без",
        "nem nincs nincsenek sem soha nélkül",
    )
    for word in line.split()
)
NEGATION_CHARACTERS = frozenset("不没沒無无未非")


class OverlapVerifier:
    """Judges by shared terms and numbers; a number that is missing is never supported."""

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        """Return one judgement for each (premise, hypothesis)."""
        return [judge(premise, hypothesis) for premise, hypothesis in pairs]


def judge(premise: str, hypothesis: str) -> Judgement:
    """Judge one pair; an empty hypothesis or premise is unsupported."""
    wanted = set(terms(hypothesis))
    found = set(terms(premise))
    if not wanted or not found:
        return Judgement(Verdict.UNSUPPORTED, 0.0)
    coverage = len(wanted & found) / len(wanted)
    claimed = {term for term in wanted if term[0].isdigit()}
    missing = len(claimed - found) / len(claimed) if claimed else 0.0
    score = max(0.0, coverage - MISSING_NUMBER_PENALTY * missing)
    if missing or (_negates(hypothesis) != _negates(premise) and coverage >= PARTIAL):
        # Not in evidence: at best a part of the claim stands.
        score = min(score, SUPPORTED - 0.01)
    return Judgement(_verdict(score), round(score, 4))


def _verdict(score: float) -> Verdict:
    if score >= SUPPORTED:
        return Verdict.SUPPORTED
    return Verdict.PARTIAL if score >= PARTIAL else Verdict.UNSUPPORTED


def _negates(text: str) -> bool:
    lowered = text.casefold().replace("’", "'")
    if "n't" in lowered or not NEGATION_CHARACTERS.isdisjoint(lowered):
        return True
    return not NEGATIONS.isdisjoint(re.findall(r"\w+", lowered))
