"""Does a premise support a hypothesis? The default verifier needs no further model.

Score: the share of the hypothesis's terms that the premise has in the same order (their longest
common subsequence), less 0.3 times the share of its numbers that the premise lacks. Order counts
because a small model writes true words in false relations: "Kuechly had 5½ sacks" out of "Davis
compiled 5½ sacks, while Kuechly led in tackles". A term that the premise lacks, or a negation on
one side only, is at best partial. So what passes is source text made shorter; paraphrase is
refused. What it can not see: words left out, or a negation moved, that change the sense.
docs/decisions/0009-answers.md.
"""

import re
from collections.abc import Sequence

from rag.analysis import terms
from rag.support import in_order
from rag.types import Judgement, Verdict

MISSING_NUMBER_PENALTY = 0.3
SUPPORTED = 0.8
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
    """Judges by shared terms and numbers.

    A claim with a number that its premise lacks is never supported, nor one that is negated
    where its premise is not.
    """

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        """Return one judgement for each (premise, hypothesis)."""
        return [judge(premise, hypothesis) for premise, hypothesis in pairs]


def judge(premise: str, hypothesis: str) -> Judgement:
    """Judge one pair; an empty hypothesis or premise is unsupported."""
    wanted, given = terms(hypothesis), terms(premise)
    if not wanted or not given:
        return Judgement(Verdict.UNSUPPORTED, 0.0)
    numbers = {term for term in wanted if term[0].isdigit()}
    missing = len(numbers.difference(given)) / len(numbers) if numbers else 0.0
    score = max(0.0, in_order(wanted, given) - MISSING_NUMBER_PENALTY * missing)
    if not set(given).issuperset(wanted) or _negates(hypothesis) != _negates(premise):
        # At best a part of the claim stands: one word can turn it ("increased", "London").
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
