"""Split rows into training, validation and test, with exact counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dotori.errors import ArgumentError, DataError
from dotori.random import Generator

Index = NDArray[np.int64]


class Split(NamedTuple):
    """The row numbers of each part, in increasing order."""

    train: Index
    valid: Index
    test: Index


def train_valid_test_split(
    n: int,
    fractions: tuple[float, float, float] = (0.7, 0.15, 0.15),
    generator: Generator | None = None,
    stratify: ArrayLike | None = None,
    class_names: Sequence[object] | None = None,
) -> Split:
    """Split n rows at random into training, validation and test.

    Parameters
    ----------
    n : int
        The number of rows.
    fractions : (float, float, float)
        The shares of training, validation and test; they add up to 1. The counts are
        the nearest whole numbers that add up to n (largest remainder), and at least 1
        where the share is not 0.
    generator : Generator, optional
        Where the random numbers come from; a fresh one without it.
    stratify : int array of shape (n,), optional
        The class of each row. Each part then has each class in its share, as nearly as
        whole numbers allow; a class with three rows or more is in all three parts, and
        one with two in training and in one other, as far as the parts' sizes allow.
    class_names : sequence, optional
        The classes' names, for messages.

    Raises
    ------
    ArgumentError
        If the fractions are negative or do not add up to 1.
    DataError
        If there are fewer rows than parts, or a class has only one row.

    Examples
    --------
    >>> split = train_valid_test_split(10, (0.6, 0.2, 0.2), Generator(0))
    >>> [len(part) for part in split]
    [6, 2, 2]
    """
    generator = Generator() if generator is None else generator
    sizes = _sizes(n, fractions)
    if stratify is None:
        order = generator.permutation(n)
        parts = np.split(order, np.cumsum(sizes)[:-1])
        return Split(*map(np.sort, parts))
    classes = np.asarray(stratify)
    if classes.shape != (n,):
        raise DataError(
            f"split: stratify of shape ({n},) was wanted, got {classes.shape}"
        )
    return _stratified(classes, sizes, fractions, generator, class_names)


def apportion(
    total: int,
    quotas: NDArray[np.float64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Whole numbers near the quotas that add up to `total`, within bounds.

    The method of the largest remainder (Hamilton): everybody gets the whole part of
    the quota, and what is left goes to the largest remainders.

    Examples
    --------
    >>> none, all_ = np.zeros(3, np.int64), np.full(3, 9)
    >>> apportion(4, np.array([1.6, 1.5, 0.9]), none, all_).tolist()
    [2, 1, 1]
    """
    given = np.clip(np.floor(quotas + 1e-9).astype(np.int64), low, high)
    while (left := total - int(given.sum())) != 0:
        step = 1 if left > 0 else -1
        room = given < high if left > 0 else given > low
        if not room.any():
            raise DataError(f"cannot divide {total} between bounds {low} and {high}")
        claim = np.where(room, (quotas - given) * step, -np.inf)
        chosen = np.argsort(-claim, kind="stable")[: min(abs(left), int(room.sum()))]
        given[chosen] += step
    return given


def _sizes(n: int, fractions: tuple[float, float, float]) -> NDArray[np.int64]:
    shares = np.array(fractions, dtype=np.float64)
    if shares.shape != (3,) or not (shares >= 0).all() or abs(shares.sum() - 1) > 1e-6:
        raise ArgumentError(
            "split: three fractions >= 0 that add up to 1 were wanted, got "
            f"{tuple(fractions)}"
        )
    low = (shares > 0).astype(np.int64)
    if n < low.sum():
        raise DataError(
            f"split: {n} rows cannot be split into {low.sum()} parts; get more rows"
        )
    return apportion(n, n * shares, low, np.where(shares > 0, n, 0))


def _stratified(
    classes: NDArray[np.generic],
    sizes: NDArray[np.int64],
    fractions: tuple[float, float, float],
    generator: Generator,
    names: Sequence[object] | None,
) -> Split:
    values, coded, counts = np.unique(classes, return_inverse=True, return_counts=True)
    parts = int(np.count_nonzero(sizes))
    if parts > 1 and counts.min() == 1:
        value = values[np.argmin(counts)]
        name = value if names is None else names[int(value)]
        raise DataError(
            f"split: the class {str(name)!r} has a single row, which cannot be in both "
            "training and test; get more rows of it, or remove it"
        )
    quota = _class_counts(counts, sizes, np.array(fractions))
    order = generator.permutation(len(classes))
    # The rows of each class, in random order, one class after the other.
    order = order[np.argsort(coded[order], kind="stable")]
    part = np.concatenate([np.repeat([0, 1, 2], row) for row in quota])
    return Split(*(np.sort(order[part == k]) for k in range(3)))


def _class_counts(
    counts: NDArray[np.int64], sizes: NDArray[np.int64], shares: NDArray[np.float64]
) -> NDArray[np.int64]:
    """How many rows of each class go to each part: rows add up to `counts`, columns to
    `sizes`. Test is dealt first, then validation; training takes what is left."""
    result = np.zeros((len(counts), 3), np.int64)
    left = counts.copy()
    for part in (2, 1):
        if sizes[part] == 0:
            continue
        others = int(np.count_nonzero(sizes[:part]))
        low = (counts > others).astype(np.int64) if part == 2 else (left > others) * 1
        if low.sum() > sizes[part]:
            low = np.zeros_like(counts)
        high = np.maximum(left - np.minimum(others, left - 1), 0)
        if sizes[0] == 0:
            high = left
        if high.sum() < sizes[part]:
            high = left
        low = np.minimum(low, high)
        quota = counts * shares[part]
        result[:, part] = apportion(int(sizes[part]), quota, low, high)
        left -= result[:, part]
    result[:, 0] = left
    return result
