"""What every metric refuses: nothing to measure, and columns that do not belong together."""

from collections.abc import Sequence, Sized

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]


class Undefined(ValueError):
    """The metric has no value on these rows (one class only, say), whatever the scores are."""


def same_length(**columns: Sized) -> int:
    """Return the length that all columns share.

    Raises:
        ValueError: a column is empty or they differ; names each with its length.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    told = ", ".join(f"{name} {length}" for name, length in lengths.items())
    if len(set(lengths.values())) != 1:
        raise ValueError(f"columns differ in length: {told}")
    if 0 in lengths.values():
        raise ValueError(f"nothing to measure: {told}")
    return next(iter(lengths.values()))


def flags(name: str, values: Sequence[bool] | Flags) -> Flags:
    """Return values as (n,) bool; ValueError for anything but true and false (or 1 and 0)."""
    array = np.asarray(values)
    if array.ndim != 1 or not np.isin(array, (0, 1)).all():
        raise ValueError(f"{name} must be a list of true and false")
    return array.astype(np.bool_)


def numbers(name: str, values: Sequence[float] | Numbers) -> Numbers:
    """Return values as (n,) float64; ValueError unless each is finite."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ValueError(f"{name} must be a list of finite numbers")
    return array
