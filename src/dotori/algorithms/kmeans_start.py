"""Where k-means starts: k-means++, which spreads the centres, and random points.

k-means++ takes the first centre at random, and each further one among the points with
probability w_i D_i^2, where D_i is the distance to the nearest centre so far. Its
expected inertia is at most 8 (2 + ln k) times the least possible one. The greedy form
draws 2 + ln k candidates each time and keeps the one that lowers the inertia most.

Reference: D. Arthur, S. Vassilvitskii, *k-means++: the advantages of careful seeding*,
SODA 2007 (the greedy form: section 7).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.kmeans import is_sparse, square_norms
from dotori.kernels import in_parallel, one_blas_thread
from dotori.random import Generator

Array = NDArray[Any]

#: Numbers in a block of rows: it should stay in the cache.
_BLOCK = 1 << 17
#: Up to so many rows, draws do not depend on the order of the rows.
_ORDERED = 20_000


def kmeans_plusplus(
    x: Any,
    k: int,
    generator: Generator,
    weights: Array | None = None,
    trials: int | None = None,
) -> Array:
    """The places of k rows of `x` to start from.

    Parameters
    ----------
    x : array or sparse matrix, shape (n, d)
        At least k rows. Centred around zero, rounding errors are smallest.
    k : int
    generator : Generator
    weights : array, shape (n,), optional
    trials : int, optional
        Candidates for each centre: 2 + ln k of them unless given.

    Returns
    -------
    int64 array, shape (k,)

    Examples
    --------
    >>> x = np.array([[0.0], [0.1], [9.0], [9.1]])
    >>> chosen = kmeans_plusplus(x, 2, Generator(0))
    >>> sorted(round(v) for v in x[chosen, 0])
    [0, 9]
    """
    n = x.shape[0]
    trials = trials or 2 + int(math.log(k))
    draw = generator.numpy()
    w = np.ones(n) if weights is None else weights.astype(np.float64)
    squares = square_norms(x)
    order = fixed_order(x)
    chosen = np.empty(k, np.int64)
    chosen[0] = drawn(draw.random(1), w, order)[0]
    closest, _ = _lowered(x, squares, chosen[:1], np.full(n, np.inf), w)
    for j in range(1, k):
        candidates = drawn(draw.random(trials), w * closest, order)
        best = candidates[:1]
        if trials > 1:
            _, left = _lowered(x, squares, candidates, closest, w, keep=False)
            best = candidates[[np.argmin(left)]]
        chosen[j] = best[0]
        closest, _ = _lowered(x, squares, best, closest, w)
    return chosen


def random_rows(n: int, k: int, generator: Generator, weights: Array | None) -> Array:
    """The places of k different rows; probabilities are as the weights.

    Examples
    --------
    >>> sorted(random_rows(3, 3, Generator(0), None).tolist())
    [0, 1, 2]
    """
    p = None if weights is None else weights.astype(np.float64)
    p = None if p is None else p / p.sum()
    return np.asarray(generator.numpy().choice(n, size=k, replace=False, p=p))


def fixed_order(x: Any) -> Array | None:
    """An order of the rows by what is in them, for small tables; None for large ones.

    Drawn in this order, equal random numbers give equal rows, wherever a row stands in
    the table, and a row with weight two is as good as the row twice.

    Examples
    --------
    >>> x = np.array([[3.0], [1.0], [2.0]])
    >>> x[fixed_order(x)].ravel().tolist()
    [3.0, 2.0, 1.0]
    """
    if x.shape[0] > _ORDERED:
        return None
    direction = np.cos(np.arange(2, x.shape[1] + 2))
    along = x @ direction if is_sparse(x) else (x * direction).sum(axis=1)
    return np.asarray(np.argsort(along, kind="stable"))


def drawn(uniform: Array, masses: Array, order: Array | None) -> Array:
    """Places with probabilities as their masses; any, where there is no mass left.

    Parameters
    ----------
    uniform : float64 array, shape (m,)
        Random numbers in [0, 1).
    masses : float64 array, shape (n,)
    order : array, shape (n,), optional
        As of `fixed_order`.

    Examples
    --------
    >>> drawn(np.array([0.1, 0.9]), np.array([0.0, 1.0, 1.0]), None)
    array([1, 2])
    """
    ends = np.cumsum(masses if order is None else masses[order])
    if ends[-1] > 0:
        found = np.searchsorted(ends, uniform * ends[-1], side="right")
        # rounding must not lead to a place behind the last that counts
        found = np.minimum(found, np.searchsorted(ends, ends[-1]))
    else:
        found = (uniform * len(ends)).astype(np.int64)
    return np.asarray(found if order is None else order[found])


def _lowered(
    x: Any,
    squares: Array,
    candidates: Array,
    closest: Array,
    weights: Array,
    keep: bool = True,
) -> tuple[Array, Array]:
    """min(closest, |x - c|^2) for the last candidate, and sum w of it for each of them.

    Several candidates are only summed up (``keep=False``): n numbers are enough.
    """
    n, d = x.shape
    rows = x[candidates]
    c = rows.toarray() if is_sparse(x) else rows
    norms = square_norms(c).astype(np.float64)
    left = np.empty(len(closest) if keep else 0)
    step = max(_BLOCK // max(d, len(c)), 1)
    blocks = -(-n // step)
    sums = np.empty((blocks, len(c)))

    def run(first: int, last: int) -> None:
        for b in range(first, last):
            part = slice(b * step, min((b + 1) * step, n))
            # float32 would see rows at distance zero as apart
            inner = x[part].astype(np.float64, copy=False)
            apart = np.asarray(inner @ c.T.astype(np.float64))
            apart *= -2
            apart += squares[part, None]
            apart += norms
            np.clip(apart, 0, closest[part, None], out=apart)
            sums[b] = weights[part] @ apart
            if keep:
                left[part] = apart[:, 0]

    with one_blas_thread:
        in_parallel(blocks, run, least=2)
    return left, sums.sum(axis=0)
