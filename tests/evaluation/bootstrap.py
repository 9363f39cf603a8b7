"""The clustered bootstrap as a textbook has it, one resample at a time: slow, and plain to read."""

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.evaluation.checks import Undefined


def one_by_one(
    statistic: Callable[[NDArray[np.int64]], float],
    clusters: Sequence[Hashable],
    resamples: int,
    seed: int,
) -> tuple[float, float]:
    """Return the 95% percentile interval of a statistic of row numbers, repeats allowed."""
    members: dict[Hashable, list[int]] = {}
    for row, cluster in enumerate(clusters):
        members.setdefault(cluster, []).append(row)
    groups = list(members.values())
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        chosen = random.integers(len(groups), size=len(groups))
        rows = [row for number in chosen for row in groups[number]]
        try:
            drawn.append(statistic(np.array(rows, dtype=np.int64)))
        except Undefined:
            continue
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)
