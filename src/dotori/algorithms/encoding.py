"""Categories as numbers: which there are, where a value is among them, which are rare.

Categories are in their natural order; None and NaN are categories too and come last.
"""

from __future__ import annotations

from collections import Counter
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.imputation import is_nan
from dotori.errors import DTypeError

Array = NDArray[Any]

#: Types whose values NumPy sorts and searches.
_SORTED = "biufmM"
#: Whole numbers in a range up to this many times their number are counted in a table.
_DENSE = 4
_LARGEST = 2**62


def distinct(values: Array) -> tuple[Array, Array]:
    """The categories in a column, sorted, and how often each occurs.

    Parameters
    ----------
    values : array of shape (n,)
        Numbers, strings, or objects that can be compared with each other; None and NaN
        are allowed.

    Raises
    ------
    DTypeError
        If there are values that cannot be compared, such as strings and numbers.

    Examples
    --------
    >>> distinct(np.array(["b", None, "a", "b"], dtype=object))
    (array(['a', 'b', None], dtype=object), array([1, 2, 1]))
    """
    if values.dtype.kind in _SORTED:
        return _distinct_numbers(values)
    try:
        found = Counter(values.tolist())
        nan = [value for value in found if is_nan(value)]  # each is a key of its own
        nans, nones = sum(found.pop(v) for v in nan), found.pop(None, 0)
        categories = sorted(found)
    except TypeError:
        types = sorted({type(value).__qualname__ for value in values.tolist()})
        raise DTypeError(
            "Encoders require their input argument must be uniformly strings or "
            f"numbers. Got {types}"
        ) from None
    numbers = [found[value] for value in categories]
    categories += [None] * (nones > 0) + [np.nan] * (nans > 0)
    numbers += [n for n in (nones, nans) if n]
    return as_categories(categories, values.dtype), np.array(numbers, np.int64)


def as_categories(values: list[Any], dtype: Any) -> Array:
    """A list as an array, object by object where it is one of objects.

    Examples
    --------
    >>> as_categories([(1, 2), (3, 4)], object).shape
    (2,)
    """
    if np.dtype(dtype).kind != "O":
        return np.array(values, dtype)
    found = np.empty(len(values), object)
    for i, value in enumerate(values):
        found[i] = value
    return found


def _distinct_numbers(values: Array) -> tuple[Array, Array]:
    if values.dtype.kind in "iu" and len(values):
        low, high = int(values.min()), int(values.max())
        if high - low < _DENSE * len(values) and max(-low, high) < _LARGEST:
            counts = np.bincount(values.astype(np.int64) - low)
            there = np.flatnonzero(counts)
            found = (there + low).astype(values.dtype)
            return found, counts[there]
    return np.unique(values, return_counts=True)


def codes(values: Array, categories: Array) -> NDArray[np.int64]:
    """The place of each value among the categories; -1 if it is none of them.

    Examples
    --------
    >>> codes(np.array([3.0, np.nan, 4.0]), np.array([1.0, 3.0, np.nan])).tolist()
    [1, 2, -1]
    >>> codes(np.array(["b", "?"]), np.array(["a", "b"], dtype=object)).tolist()
    [1, -1]
    """
    both = values.dtype.kind in _SORTED and categories.dtype.kind in _SORTED
    if both and len(categories):
        return _codes_of_numbers(values, categories)
    table = {value: i for i, value in enumerate(categories.tolist())}
    listed = values.tolist()
    found = np.array([table.get(value, -1) for value in listed], np.int64)
    if len(categories) and is_nan(categories[-1]):
        for i in np.flatnonzero(found < 0):  # a NaN is not equal to itself
            if is_nan(listed[i]):
                found[i] = len(categories) - 1
    return found


def _codes_of_numbers(values: Array, categories: Array) -> NDArray[np.int64]:
    if values.dtype.kind in "iu" and categories.dtype.kind in "iu":
        low, high = int(categories[0]), int(categories[-1])
        near = 0 <= high - low < _DENSE * len(values) + 1000
        if near and max(-low, high) < _LARGEST:
            table = np.full(high - low + 3, -1, np.int64)  # an end for all beyond
            table[categories.astype(np.int64) - low + 1] = np.arange(len(categories))
            info = np.iinfo(values.dtype)
            inside = np.clip(values, max(low - 1, info.min), min(high + 1, info.max))
            return table[inside.astype(np.int64) - low + 1]
    places = np.searchsorted(categories, values)
    places = np.minimum(places, len(categories) - 1)
    at = categories[places]
    same = (at == values) | ((at != at) & (values != values))
    return np.where(same, places, -1)


def rare(
    counts: Array, rows: int, min_frequency: float | None, max_categories: int | None
) -> Array | None:
    """The categories that are too rare to stand alone, or None.

    Parameters
    ----------
    counts : array of shape (categories,)
        How often each occurs in the `rows` rows.
    min_frequency : int or float, optional
        Rarer ones than this, in rows or as a share of them.
    max_categories : int, optional
        The rarest, so that at most so many are left, what is rare counted as one.

    Examples
    --------
    >>> rare(np.array([5, 1, 3, 1]), 10, 2, None).tolist()
    [1, 3]
    >>> rare(np.array([5, 1, 3, 1]), 10, None, 2).tolist()
    [1, 2, 3]
    """
    too_rare = np.zeros(len(counts), bool)
    if min_frequency is not None:
        whole = isinstance(min_frequency, Integral)
        too_rare = counts < (min_frequency if whole else rows * min_frequency)
    left = len(counts) - int(too_rare.sum()) + 1
    if max_categories is not None and max_categories < left:
        # of equally frequent ones, the later stay
        order = np.argsort(counts, kind="stable")
        too_rare[order[: len(counts) - (max_categories - 1)]] = True
    places = np.flatnonzero(too_rare)
    return places if len(places) else None


def grouped(n: int, together: Array | None) -> Array:
    """New places of n categories, when some become one that comes last.

    Examples
    --------
    >>> grouped(4, np.array([0, 2])).tolist()
    [2, 0, 2, 1]
    """
    alone = np.ones(n, bool)
    if together is not None:
        alone[together] = False
    places = np.cumsum(alone) - 1
    return np.where(alone, places, alone.sum())
