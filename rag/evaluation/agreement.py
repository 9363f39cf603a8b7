"""Do two columns of numbers go together? Pearson's and Spearman's correlation."""

from collections.abc import Sequence

import numpy as np

from rag.evaluation.checks import Numbers, Undefined, numbers, same_length


def pearson(first: Sequence[float] | Numbers, second: Sequence[float] | Numbers) -> float:
    """Return Pearson's r, from -1 to 1.

    Raises:
        Undefined: a column does not vary.
    """
    same_length(first=first, second=second)
    one, other = (_centred(name, values) for name, values in (("first", first), ("second", second)))
    return float(np.clip(one @ other / np.sqrt((one @ one) * (other @ other)), -1, 1))


def spearman(first: Sequence[float] | Numbers, second: Sequence[float] | Numbers) -> float:
    """Return Spearman's rho: Pearson's r of the ranks, ties sharing their mean rank.

    Raises:
        Undefined: a column does not vary.
    """
    same_length(first=first, second=second)
    return pearson(_ranks(numbers("first", first)), _ranks(numbers("second", second)))


def _centred(name: str, values: Sequence[float] | Numbers) -> Numbers:
    column = numbers(name, values)
    if np.ptp(column) == 0:
        raise Undefined(f"{name} does not vary: all {len(column)} values are {column[0]:g}")
    centred: Numbers = column - column.mean()
    return centred


def _ranks(values: Numbers) -> Numbers:
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Numbers = (np.cumsum(sizes) - (sizes - 1) / 2)[group]
    return ranks
