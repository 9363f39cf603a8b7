"""Which items a report shows: the worst ones, of every language."""

from collections.abc import Sequence
from dataclasses import dataclass

from rag.evaluation.runs import Item, ShownClaim
from rag.evaluation.suite_metrics import PRODUCT, higher_is_better, parted

MOST = 60
MOST_OF_A_LANGUAGE = 15
ACCEPTED = "supported"


@dataclass(frozen=True, slots=True)
class Shown:
    """An item with how far it falls short, from 0 to 1 or more."""

    item: Item
    shortfall: float
    values: tuple[tuple[str, float], ...]


def worst(items: Sequence[Item]) -> list[Shown]:
    """Return items that fall short, the worst first, at most `MOST_OF_A_LANGUAGE` of a language.

    The shortfall of an item is the mean over its metrics from 0 to 1 of what is missing to the
    best value; a claim judged wrongly, or an answer that is wrong, counts with how sure the
    system was.
    """
    ranked = sorted(
        (Shown(item, _shortfall(item), _values(item)) for item in items),
        key=lambda shown: -shown.shortfall,
    )
    chosen: list[Shown] = []
    counts: dict[str, int] = {}
    for shown in ranked:
        language = shown.item.lang
        if shown.shortfall <= 0 or counts.get(language, 0) == MOST_OF_A_LANGUAGE:
            continue
        counts[language] = counts.get(language, 0) + 1
        chosen.append(shown)
    return chosen[:MOST]


def is_abstained(item: Item) -> bool:
    """Tell whether the product refused to answer."""
    return item.columns.get("abstained", 0) > 0


def is_unanswerable(item: Item) -> bool:
    """Tell whether the question has no answer, so that whatever is answered is wrong."""
    return item.columns.get("answerable", 1) < 1


def _values(item: Item) -> tuple[tuple[str, float], ...]:
    return tuple((name, value) for name, value in item.values.items() if parted(name)[1] == PRODUCT)


def _shortfall(item: Item) -> float:
    missing = [
        1 - value if _higher(name) else value for name, value in _values(item) if 0 <= value <= 1
    ]
    if {"gold", "score"} <= item.columns.keys() and 0 <= item.columns["score"] <= 1:
        missing.append(abs(item.columns["gold"] - item.columns["score"]))
    if item.columns.get("correct", 1) < 0.5 and not item.columns.get("abstained", 0):
        missing.append(item.columns.get("confidence", 1.0))
    missing += [_wrong(claim) for claim in item.claims if claim.gold is not None]
    return sum(missing) / len(missing) if missing else 0.0


def _wrong(claim: ShownClaim) -> float:
    """Return how surely a claim was judged wrongly; 0 where it was judged rightly."""
    if (claim.verdict == ACCEPTED) == (claim.gold == ACCEPTED):
        return 0.0
    return max(claim.score, 1 - claim.score)


def _higher(name: str) -> bool:
    try:
        return higher_is_better(name)
    except KeyError:
        return True
