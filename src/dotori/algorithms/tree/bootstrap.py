"""Bootstrap samples: as many draws as there are samples, with replacement.

A draw is a place on a line on which each sample is as long as its weight. The samples
lie on it in an order of their content, not of their rows. So a forest is the same after
the rows were shuffled, and a whole-number weight is the same as that many copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms._stored import storable
from dotori.errors import DataError
from dotori.random import Generator

Array = NDArray[Any]
_BLOCK = 4096  # rows that are hashed at a time
_STREAM = 0xB0075  # apart from the numbers that a tree draws with the same seed


@storable
@dataclass(frozen=True)
class Bootstrap:
    """How the sample of a tree is drawn, from the tree's seed alone.

    Parameters
    ----------
    draws : int
        The size of a sample.
    order : ndarray of int, shape (n,)
        The rows as they lie on the line.
    ends : ndarray of float64, shape (n,), optional
        Where each ends; None where all have the length 1.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [3.0]], np.float32)
    >>> y = np.array([[0], [1], [1]])
    >>> bootstrap = Bootstrap.of(x, y, weight=np.array([0.0, 1.0, 2.0]))
    >>> counts = bootstrap.counts(seed=7)
    >>> counts[0], counts.sum()  # as many as the weights say, and none without weight
    (np.float64(0.0), np.float64(3.0))
    """

    draws: int
    order: Array
    ends: Array | None

    @classmethod
    def of(
        cls, x: Array, y: Array, weight: Array | None = None, draws: int | None = None
    ) -> Bootstrap:
        """For a table, its targets and weights.

        Parameters
        ----------
        x : ndarray of float32, shape (n, d)
        y : ndarray, shape (n, outputs)
        weight : ndarray, shape (n,), optional
        draws : int, optional
            n if left out, or the sum of the weights where these are whole numbers.

        Raises
        ------
        DataError
            If a weight is negative, or all are zero.
        """
        order = content_order(x, y)
        if weight is None:
            return cls(len(x) if draws is None else draws, order, None)
        if np.any(weight < 0) or not weight.sum() > 0:
            raise DataError(
                "a bootstrap sample needs weights that are not negative, and not all 0"
            )
        if draws is None:
            whole = np.array_equal(weight, np.floor(weight))
            draws = int(weight.sum()) if whole else len(x)
        return cls(draws, order, np.cumsum(weight[order], dtype=np.float64))

    def rows(self, seed: int) -> Array:
        """The rows of the sample with this seed: int64, shape (draws,)."""
        random = Generator(seed).derive(_STREAM)
        n = len(self.order)
        if self.ends is None:
            return self.order[random.integers(0, n, (self.draws,))].astype(np.int64)
        length = float(self.ends[-1])
        if length == int(length) < 2**53:
            places = random.integers(0, int(length), (self.draws,)).astype(np.float64)
        else:
            places = random.uniform((self.draws,), 0.0, length, np.float64)
        found = np.searchsorted(self.ends, places, side="right")
        return self.order[np.minimum(found, n - 1)].astype(np.int64)

    def counts(self, seed: int) -> Array:
        """How often each row is in the sample with this seed: float64, shape (n,)."""
        times = np.bincount(self.rows(seed), minlength=len(self.order))
        return times.astype(np.float64)


def content_order(x: Array, y: Array) -> Array:
    """An order of the rows that depends on what they hold, not on where they are.

    Equal rows lie side by side, others as their hash has it.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [1.0]], np.float32)
    >>> order = content_order(x, np.zeros((3, 1)))
    >>> x[order].ravel().tolist() in ([1.0, 1.0, 2.0], [2.0, 1.0, 1.0])
    True
    """
    kind = np.int32 if len(x) < 2**31 else np.int64
    hashes = np.zeros(len(x), np.uint64)
    for start in range(0, len(x), _BLOCK):
        part = slice(start, start + _BLOCK)
        block = hashes[part]
        for column in [*x[part].T, *y[part].T]:
            _mix(block, column)
    return np.argsort(hashes, kind="stable").astype(kind)


def _mix(hashes: Array, column: Array) -> None:
    """Stir the bits of a column into the hashes of its rows, in place."""
    bits = (column + 0.0).astype(np.float64).view(np.uint64)  # + 0.0: no -0.0
    hashes ^= bits
    hashes *= np.uint64(0x9E3779B97F4A7C15)
    hashes ^= hashes >> np.uint64(32)
