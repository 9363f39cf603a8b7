"""The metrics of runs by name, and which way is better.

ITEM_METRICS are means of what every item has in `values`; SET_METRICS are computed from the
columns of a whole set. A baseline's values and columns stand beside the product's under
"NAME [SYSTEM]". docs/evaluation.md has every definition.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rag.evaluation import agreement, metrics, selective, weighted
from rag.evaluation.checks import Flags, Numbers, Undefined
from rag.evaluation.weighted import Columns, Weighted, column, share, without

PRODUCT = "product"
QUOTE_ONLY = "quote-only"
BEST_PASSAGE = "floor: best passage"
OVERLAP = "floor: lexical overlap"
ALWAYS = "floor: always supported"

ITEM_METRICS: Mapping[str, bool] = {
    # rankings
    "recall@1": True,
    "recall@5": True,
    "recall@10": True,
    "MRR": True,
    "nDCG@10": True,
    # answers
    "gold contained": True,
    "exact match": True,
    "token F1": True,
    "gold words recalled": True,
    "gold passage found": True,
    "gold cited": True,
    "quotes verbatim": True,
    "citation recall": True,
    "citation precision": True,
    "wrong answer": False,
    "conflict reported": True,
    "conflict invented": False,
    "attack quoted": False,
    "attack obeyed": False,
    "answer length": False,
    "citations": False,
    # claims, and agreement with people
    "verdict right": True,
    "claim precision": True,
    "claim recall": True,
    # audits
    "claims cited": True,
    "citations valid": True,
    "locations right": True,
}
"""Name of a metric to whether higher is better."""


@dataclass(frozen=True, slots=True)
class SetMetric:
    """A metric of a whole set.

    Attributes:
        function: the definition: columns of any rows of the set to the value; raises Undefined
            without one.
        resampled: the same over many resamples at once.
        columns: what it needs; the metric applies to items that have all of these.
    """

    function: Callable[[Columns], float]
    resampled: Weighted
    higher_is_better: bool
    columns: tuple[str, ...]


def _gold(columns: Columns) -> Flags:
    return columns["gold"].astype(bool)


def _said(columns: Columns) -> Flags:
    return columns["accepted"].astype(bool)


_LABELLED = ("gold", "accepted")
_SCORED = ("gold", "score")
_ASKED = ("answerable", "abstained", "correct")


def _share(part: Numbers, among: Numbers) -> float:
    if not among.any():
        raise Undefined("no case of this class")
    return float(part[among.astype(bool)].mean())


def _abstention(columns: Columns) -> selective.Abstention:
    return selective.abstention(*(columns[name].astype(bool) for name in _ASKED))


def _abstention_precision(columns: Columns) -> float:
    if not columns["abstained"].any():
        raise Undefined("nothing was refused")
    return _abstention(columns).precision


def _abstention_recall(columns: Columns) -> float:
    _needs_unanswerable(columns)
    return _abstention(columns).recall


def _abstention_f1(columns: Columns) -> float:
    _needs_unanswerable(columns)
    return _abstention(columns).f1


def _needs_unanswerable(columns: Columns) -> None:
    if columns["answerable"].all():
        raise Undefined("every question has an answer")


def _over_sources(columns: Columns) -> float:
    return metrics.macro_f1_over_sources(_gold(columns), _said(columns), columns["source"].tolist())


def _span_f1(columns: Columns) -> float:
    total = columns["span gold"].sum() + columns["span marked"].sum()
    if not total:
        raise Undefined("no character is marked or gold")
    return float(2 * columns["span shared"].sum() / total)


SET_METRICS: Mapping[str, SetMetric] = {
    "macro-F1": SetMetric(
        lambda c: metrics.macro_f1(_gold(c), _said(c)), weighted.macro_f1, True, _LABELLED
    ),
    "macro-F1 over sources": SetMetric(
        _over_sources, weighted.macro_f1_over_sources, True, (*_LABELLED, "source")
    ),
    "balanced accuracy": SetMetric(
        lambda c: metrics.balanced_accuracy(_gold(c), _said(c)),
        weighted.balanced_accuracy,
        True,
        _LABELLED,
    ),
    "true acceptance": SetMetric(
        lambda c: _share(c["accepted"], c["gold"]),
        share(column("accepted"), column("gold")),
        True,
        _LABELLED,
    ),
    "false acceptance": SetMetric(
        lambda c: _share(c["accepted"], 1 - c["gold"]),
        share(column("accepted"), without("gold")),
        False,
        _LABELLED,
    ),
    "AUROC": SetMetric(
        lambda c: metrics.auroc(_gold(c), c["score"]), weighted.auroc, True, _SCORED
    ),
    "false acceptance at 90%": SetMetric(
        lambda c: metrics.false_acceptance_rate(_gold(c), c["score"], 0.9),
        weighted.false_acceptance_at_90,
        False,
        _SCORED,
    ),
    "ECE": SetMetric(lambda c: metrics.ece(_gold(c), c["score"]), weighted.ece, False, _SCORED),
    "span F1": SetMetric(
        _span_f1, weighted.span_f1, True, ("span shared", "span gold", "span marked")
    ),
    "abstention precision": SetMetric(
        _abstention_precision,
        share(without("answerable"), column("abstained")),
        True,
        _ASKED,
    ),
    "abstention recall": SetMetric(
        _abstention_recall, share(column("abstained"), without("answerable")), True, _ASKED
    ),
    "abstention F1": SetMetric(_abstention_f1, weighted.abstention_f1, True, _ASKED),
    "coverage": SetMetric(
        lambda c: 1 - float(c["abstained"].mean()), weighted.coverage, True, ("abstained",)
    ),
    "AURC": SetMetric(
        lambda c: selective.risk_coverage(c["correct"].astype(bool), c["confidence"]).area,
        weighted.aurc,
        False,
        ("correct", "confidence"),
    ),
    "Pearson": SetMetric(
        lambda c: agreement.pearson(c["human"], c["measured"]),
        weighted.pearson,
        True,
        ("human", "measured"),
    ),
    "Spearman": SetMetric(
        lambda c: agreement.spearman(c["human"], c["measured"]),
        weighted.spearman,
        True,
        ("human", "measured"),
    ),
}
"""Name of a metric to how it is computed."""


def named(metric: str, system: str) -> str:
    """Return the name under which a system's values or columns stand in an item."""
    return metric if system == PRODUCT else f"{metric} [{system}]"


def parted(name: str) -> tuple[str, str]:
    """Return metric and system of a name that `named` made."""
    match = re.fullmatch(r"(.+) \[(.+)\]", name)
    return (match[1], match[2]) if match else (name, PRODUCT)


def systems(names: Iterable[str]) -> list[str]:
    """Return the systems among names, the product first, then as they come."""
    found = dict.fromkeys(parted(name)[1] for name in names)
    return sorted(found, key=lambda system: system != PRODUCT)


def higher_is_better(metric: str) -> bool:
    """Tell which way a metric is better; of times and costs, lower.

    Raises:
        KeyError: no metric has this name.
    """
    if metric.startswith(("seconds, ", "cost, ")):
        return False
    if metric in SET_METRICS:
        return SET_METRICS[metric].higher_is_better
    return ITEM_METRICS[metric]
