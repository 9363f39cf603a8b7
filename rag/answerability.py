"""Do the passages found answer the question? A probability, from how near they come to it.

Features of the five best hits, weighed by a logistic model for questions in the language of the
best hit and one for questions in another. Fitted by evals/fit_answerability.py; weights and
provenance lie in rag/answerability.json; docs/decisions/0013-answerability.md has the figures.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from rag.analysis import terms
from rag.evidence import Gathered, with_before
from rag.fusion import Retrieval
from rag.logistic import Logistic

FEATURES = (
    "topic",
    "stands_out",
    "overlap_two",
    "near_two",
    "near_worst",
    "heaviest_found",
    "number_missing",
    "number_wanted",
)
"""What a model weighs, in units named in `features`."""

# "how many", "when" and the like, in en zh ru hu de: the answer holds a number.
_NUMBER_WANTED = re.compile(
    r"\bhow (?:many|much|long|old|far|tall|large|big|often)\b|\bwhen\b"
    r"|\bwhat (?:year|percent\w*|date)\b"
    r"|\bсколько\b|\bкогда\b|\bв каком году\b|\bкакой процент\b|\bwie ?viele?\b|\bwann\b"
    r"|\bwelche\w* jahr\b|\bhány\w*|\bmennyi\w*|\bmikor\b|\bmelyik évben\b"
    r"|多少|几|何时|哪一?年|什么时候",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class AnswerabilityModel:
    """What was fitted.

    Attributes:
        same, across: for a question in the language of the best hit, and in another.
        embedder: the model whose cosines they were fitted with.
    """

    same: Logistic
    across: Logistic
    embedder: str


def features(found: Retrieval, gathered: Gathered) -> dict[str, float]:
    """Return the features of a question's hits, at least one, read with an embedder.

    topic and stands_out are deviations (`rag.fusion`): of the index above neutral text, and of the
    best hit above the index, overlap included. overlap_two: the best share of term weight in two
    neighbouring sentences; near_two: the weighted mean nearness of the question's words to such
    two. near_worst: nearness of the worst quarter of the words to any hit. heaviest_found: 1 less
    the weight of the heaviest term that no hit has. number_missing: a number of the question is
    in no hit; number_wanted: one is asked for, and the best two sentences have none.
    """
    assert gathered.nearness is not None and gathered.weights is not None
    best = found.hits[0]
    two = with_before(gathered)
    near_two = two @ gathered.weights
    reach = gathered.nearness.max(axis=0)
    given: set[str] = set().union(*(terms(hit.passage.text) for hit in found.hits))
    absent = {t: w for t, w in found.term_weights.items() if t not in given}
    return {
        "topic": found.background.topic(best.passage.language),
        "stands_out": best.score,
        "overlap_two": _overlap_two(found, gathered),
        "near_two": float(near_two.max()),
        "near_worst": float(np.sort(reach)[: max(1, len(reach) // 4)].mean()),
        "heaviest_found": 1.0 - max(absent.values(), default=0.0),
        "number_missing": float(any(term[0].isdigit() for term in absent)),
        "number_wanted": float(_number_wanted(found, gathered, int(np.argmax(near_two)))),
    }


def _overlap_two(found: Retrieval, gathered: Gathered) -> float:
    held = [set(terms(item.text)) for item in gathered.sentences]
    both = (
        held[i] | held[i - 1] if gathered.follows(i) else held[i]
        for i in range(len(gathered.sentences))
    )
    return max(sum(w for t, w in found.term_weights.items() if t in given) for given in both)


def _number_wanted(found: Retrieval, gathered: Gathered, row: int) -> bool:
    if not _NUMBER_WANTED.search(found.question):
        return False
    near = gathered.sentences[max(0, row - 1) : row + 1]
    return not any(re.search(r"\d", item.text) for item in near)


def probability(model: AnswerabilityModel, values: Mapping[str, float], across: bool) -> float:
    """Return the probability that the passages answer the question."""
    return (model.across if across else model.same).probability(values)


@cache
def load_model() -> AnswerabilityModel:
    """Return the model that ships with the package."""
    text = (resources.files("rag") / "answerability.json").read_text(encoding="utf-8")
    values = json.loads(text)
    return AnswerabilityModel(
        Logistic.read(values["same"]), Logistic.read(values["across"]), values["embedder"]
    )
