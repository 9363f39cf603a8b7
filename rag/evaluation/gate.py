"""Has anything become worse than a baseline that was kept?"""

from collections.abc import Sequence

from rag.evaluation.runs import Figure
from rag.evaluation.suite_metrics import PRODUCT

_ROUNDING = 1e-9


def fallen(baseline: Sequence[Figure], now: Sequence[Figure]) -> list[str]:
    """Return, in words, the metrics that lie beyond their interval of the baseline, on the worse
    side; those of the product over all items, times and costs left out.

    A metric that the baseline has and the new run lacks has fallen too.
    """
    values = {figure.metric: figure.value for figure in now if _counts(figure)}
    found = []
    for figure in filter(_counts, baseline):
        interval = f"{figure.value:.3f} ({figure.low:.3f}–{figure.high:.3f})"
        value = values.get(figure.metric)
        if value is None:
            found.append(f"{figure.metric} was {interval}, now there is none")
        elif (
            value < figure.low - _ROUNDING
            if figure.higher_is_better
            else value > figure.high + _ROUNDING
        ):
            found.append(f"{figure.metric} was {interval}, now {value:.3f}")
    return found


def _counts(figure: Figure) -> bool:
    timed = figure.metric.startswith(("seconds, ", "cost, "))
    return figure.system == PRODUCT and not figure.part and not timed
