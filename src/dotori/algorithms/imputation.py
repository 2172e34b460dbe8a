"""Filling gaps: which values are missing, and what stands in for them.

A gap in a column is filled by the mean, the median or the most frequent of the values
that are there. All three shrink the column's variance, as filled values lie in its
middle; a column that says where the gaps were keeps what was known of them (R. J. A.
Little, D. B. Rubin, *Statistical Analysis with Missing Data*, chapter 4).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.moments import block_rows
from dotori.kernels import in_parallel

Array = NDArray[Any]


def is_nan(value: Any) -> bool:
    """Whether a single value is a NaN.

    Examples
    --------
    >>> is_nan(float("nan")), is_nan(None), is_nan("nan")
    (True, False, False)
    """
    return isinstance(value, (float, np.floating)) and value != value


def is_missing(x: Array, marker: Any) -> NDArray[np.bool_]:
    """Where `x` holds what marks a gap: NaN, None, pandas.NA, or a value.

    Examples
    --------
    >>> is_missing(np.array([1.0, np.nan]), np.nan).tolist()
    [False, True]
    >>> is_missing(np.array(["a", None, ""], dtype=object), None).tolist()
    [False, True, False]
    """
    if _is_na(marker):
        flat = [value is None or _is_na(value) or is_nan(value) for value in x.flat]
        return np.array(flat, bool).reshape(x.shape)
    if is_nan(marker):
        if x.dtype.kind == "f":
            return np.isnan(x)
        if x.dtype.kind != "O":
            return np.zeros(x.shape, bool)
        return np.array([is_nan(value) for value in x.flat], bool).reshape(x.shape)
    if marker is None or x.dtype.kind == "O":
        same = [not _is_na(v) and bool(v == marker) for v in x.flat]
        return np.array(same, bool).reshape(x.shape)
    return np.asarray(x == marker)


def _is_na(value: Any) -> bool:
    """pandas.NA, told by its name, so that pandas need not be imported."""
    return type(value).__name__ == "NAType"


def most_frequent(values: Array, zeros: int = 0) -> Any:
    """The value that occurs most often, the smallest of several; NaN if there is none.

    `zeros` more zeros are counted, for sparse columns.

    Examples
    --------
    >>> most_frequent(np.array([3.0, 1.0, 3.0, 1.0])).item()
    1.0
    """
    if values.dtype.kind == "O":
        counts = Counter(values.tolist())
    else:
        found, numbers = np.unique(values, return_counts=True)
        counts = Counter(dict(zip(found, numbers.tolist(), strict=True)))
    if zeros:
        counts[0] += zeros
    if not counts:
        return np.nan
    most = max(counts.values())
    return _smallest([value for value, n in counts.items() if n == most])


def _smallest(values: list[Any]) -> Any:
    try:
        return min(values)
    except TypeError:  # types that have no order: by type, then by value
        return min(values, key=lambda v: (str(type(v)), v))


def fill(x: Array, values: Array, missing: Array | None = None) -> None:
    """``x[i, j] = values[j]`` wherever `missing`, or NaN, in place.

    Examples
    --------
    >>> x = np.array([[1.0, np.nan], [np.nan, 4.0]])
    >>> fill(x, np.array([5.0, 6.0]))
    >>> x.tolist()
    [[1.0, 6.0], [5.0, 4.0]]
    """
    rows = block_rows(x.shape)

    def run(start: int, stop: int) -> None:
        place = slice(start * rows, stop * rows)
        for i in range(start, stop):
            place = slice(i * rows, (i + 1) * rows)
            gaps = np.isnan(x[place]) if missing is None else missing[place]
            if gaps.any():
                np.copyto(x[place], values, where=gaps)

    in_parallel(-(-len(x) // rows), run, least=4)
