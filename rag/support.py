"""How far sources support a claim, in numbers: features, and the model that weighs them.

A claim is laid against the sentences of its sources: which of its terms they hold, in what
order, and how near each of its tokens comes to one of theirs. Models of the world are not
asked. The weights are fitted by evals/fit_support.py and lie in rag/support.json, with the data
they come from; docs/decisions/0014-support.md has the figures.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rag.exact import ExactFindings
from rag.logistic import Logistic

# Words of three letters and fewer are mostly grammar ("the", "of", "на", "és").
GRAMMAR_LETTERS = 3
GRAMMAR_WEIGHT = 0.1
# Consecutive sentences that may support a claim together.
WINDOW = 3
# Sentences of a source that are all embedded; of more, only the likeliest.
EMBEDDED_WITHOUT_CHOICE = 24
# A claim that misses so many terms misses most; further ones change little.
MANY_MISSING = 5

LEXICAL = (
    "coverage_sentence",
    "coverage_window",
    "pairs",
    "order",
    "missing_window",
)
EXACT = ("numbers_missing", "names_missing", "negation", "numbers_apart", "names_apart")
SIMILARITY = ("near_sentence", "near_window", "near_worst", "near_worst_window")


@dataclass(frozen=True, slots=True)
class Sides:
    """A claim beside its sources.

    Attributes:
        claim: terms of the claim, in order, repeats kept.
        sentences: terms of each sentence of the sources, in order.
        nearness: (sentences, tokens of the claim) float32, the best cosine of each of the
            claim's tokens with one of the sentence's; NaN rows were not embedded. None without
            an embedder.
    """

    claim: Sequence[str]
    sentences: Sequence[Sequence[str]]
    nearness: NDArray[np.float32] | None


def weight(term: str) -> float:
    """Return how much a term says, from 0.1 to 1."""
    grammar = len(term) <= GRAMMAR_LETTERS and term[0].isalpha() and ord(term[0]) < 0x600
    return GRAMMAR_WEIGHT if grammar else 1.0


def coverage(claim: Sequence[str], given: set[str]) -> float:
    """Return the share of the claim's term weight that is given, 0 to 1."""
    weights = {term: weight(term) for term in claim}
    total = sum(weights.values())
    return sum(w for term, w in weights.items() if term in given) / total if total else 0.0


def windows(count: int) -> Iterator[slice]:
    """Yield the runs of WINDOW consecutive sentences among count; one when there are fewer."""
    for start in range(max(1, count - WINDOW + 1)):
        yield slice(start, start + WINDOW)


def best_window(sides: Sides, across: bool) -> slice:
    """Return the sentences that hold most of the claim: by terms, across languages by nearness,
    the earliest among equals."""
    found = list(windows(len(sides.sentences)))
    if across and sides.nearness is not None:
        near = [_mean(_reach(sides.nearness[window])) for window in found]
        return found[int(np.argmax(near))]
    held = [set(terms) for terms in sides.sentences]
    worth = [coverage(sides.claim, set().union(*held[window])) for window in found]
    return found[int(np.argmax(worth))]


def features(
    sides: Sides, window: slice, everywhere: ExactFindings, inside: ExactFindings
) -> dict[str, float]:
    """Return all features; those of `SIMILARITY` only with nearness.

    Args:
        window: of `best_window`.
        everywhere, inside: the claim against all sources, and against the window alone.
    """
    found = lexical_features(sides, window) | exact_features(everywhere, inside)
    return found | similarity_features(sides, window) if sides.nearness is not None else found


def lexical_features(sides: Sides, window: slice) -> dict[str, float]:
    """Return the features named in `LEXICAL`; all need both sides to be in one language."""
    everything: set[str] = set().union(*sides.sentences)
    held = _held(sides, window)
    pairs = set(pairwise(sides.claim))
    given = {pair for terms_ in sides.sentences for pair in pairwise(terms_)}
    inside = [term for terms_ in sides.sentences[window] for term in terms_]
    unique = set(sides.claim)
    heavy = {term for term in unique if weight(term) == 1.0}
    return {
        "coverage_sentence": max(coverage(sides.claim, set(s)) for s in sides.sentences),
        "coverage_window": coverage(sides.claim, held),
        "pairs": len(pairs & given) / len(pairs) if pairs else coverage(sides.claim, everything),
        "order": in_order(sides.claim, inside),
        "missing_window": min(1.0, len(heavy - held) / MANY_MISSING),
    }


def similarity_features(sides: Sides, window: slice) -> dict[str, float]:
    """Return the features named in `SIMILARITY`: means over the claim's tokens of the best
    cosine with the sources, one sentence, or the window; and over its worst quarter."""
    assert sides.nearness is not None
    known = sides.nearness[~np.isnan(sides.nearness).any(axis=1)]
    everywhere, inside = _reach(known), _reach(sides.nearness[window])
    return {
        "near_sentence": float(known.mean(axis=1).max()) if known.size else 0.0,
        "near_window": _mean(inside),
        "near_worst": _worst(everywhere),
        "near_worst_window": _worst(inside),
    }


def exact_features(everywhere: ExactFindings, window: ExactFindings) -> dict[str, float]:
    """Return the features named in `EXACT`, from the claim against all of its sources and
    against the window alone: "apart" is what stands in the sources but not in the window."""
    numbers = max(1, everywhere.numbers_total + everywhere.dates_total)
    names = max(1, everywhere.names_total)
    absent = len(everywhere.missing_numbers) + len(everywhere.missing_dates)
    absent_window = len(window.missing_numbers) + len(window.missing_dates)
    return {
        "numbers_missing": absent / numbers,
        "names_missing": len(everywhere.missing_names) / names,
        "negation": float(window.negation),
        "numbers_apart": max(0, absent_window - absent) / numbers,
        "names_apart": max(0, len(window.missing_names) - len(everywhere.missing_names)) / names,
    }


def in_order(wanted: Sequence[str], given: Sequence[str]) -> float:
    """Return the longest common subsequence as a share of `wanted`; 0 when that is empty.

    Order counts because true words can stand in false relations.
    """
    best = [0] * (len(given) + 1)
    for term in wanted:
        before = 0
        for i, other in enumerate(given, start=1):
            above = best[i]
            best[i] = before + 1 if term == other else max(above, best[i - 1])
            before = above
    return best[-1] / len(wanted) if wanted else 0.0


def _held(sides: Sides, window: slice) -> set[str]:
    return set().union(*sides.sentences[window])


def _reach(nearness: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return for each token of the claim the best cosine in some sentences; empty if unknown."""
    known = nearness[~np.isnan(nearness).any(axis=1)]
    return known.max(axis=0) if known.size else np.empty(0, np.float32)


def _mean(values: NDArray[np.float32]) -> float:
    return float(values.mean()) if values.size else 0.0


def _worst(values: NDArray[np.float32]) -> float:
    return float(np.sort(values)[: max(1, values.size // 4)].mean()) if values.size else 0.0


@dataclass(frozen=True, slots=True)
class SupportModel:
    """What was fitted.

    Attributes:
        same: for a claim in the language of its sources.
        across: for a claim in another language.
        lexical: for any pair, without an embedder that the others were fitted with.
        embedder: the model whose cosines `same` and `across` were fitted with.
        supported, partial: least probabilities of these verdicts.
    """

    same: Logistic
    across: Logistic
    lexical: Logistic
    embedder: str
    supported: float
    partial: float


@cache
def load_model() -> SupportModel:
    """Return the model that ships with the package."""
    text = (resources.files("rag") / "support.json").read_text(encoding="utf-8")
    return read_model(json.loads(text))


def read_model(values: Mapping[str, object]) -> SupportModel:
    """Return a model from what evals/fit_support.py writes.

    Raises:
        ValueError: a part is missing or of another form.
    """
    try:
        return SupportModel(
            same=Logistic.read(values["same"]),
            across=Logistic.read(values["across"]),
            lexical=Logistic.read(values["lexical"]),
            embedder=str(values["embedder"]),
            supported=float(str(values["supported"])),
            partial=float(str(values["partial"])),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no support model: {error}; expected what fit_support writes") from error
