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

from dotori.algorithms.kmeans.lloyd import is_sparse, square_norms
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
    n, draw, order = x.shape[0], generator.numpy(), fixed_order(x)
    trials = trials or 2 + int(math.log(k))
    w = np.ones(n) if weights is None else weights.astype(np.float64)
    squares = square_norms(x).astype(np.float64)
    chosen = np.empty(k, np.int64)
    chosen[0] = drawn(draw.random(1), w, order)[0]
    closest = _lowered(x, chosen[:1], np.full(n, np.inf), w)[0][0]
    for j in range(1, k):
        masses = np.maximum(closest + squares, 0)
        masses *= w
        candidates = drawn(draw.random(trials), masses, order)
        lowered, sums = _lowered(x, candidates, closest, w)
        best = int(np.argmin(sums))
        chosen[j], closest = candidates[best], lowered[best].copy()
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
    x: Any, candidates: Array, closest: Array, weights: Array
) -> tuple[Array, Array]:
    """min(closest, |c|^2 - 2 x . c) for each candidate, and sum w of it.

    |x|^2, which is the same for all candidates, is left out of squared distances here.
    """
    n, d = x.shape
    rows = x[candidates]
    c = (rows.toarray() if is_sparse(x) else rows).astype(np.float64)
    norms = square_norms(c)[:, None]
    c *= -2
    step = max(_BLOCK // max(d, len(c)), 1)
    blocks = -(-n // step)
    found, sums = np.empty((len(c), n)), np.empty((blocks, len(c)))

    def run(first: int, last: int) -> None:
        for b in range(first, last):
            part = slice(b * step, min((b + 1) * step, n))
            # float32 would see rows at distance zero as apart
            inner = x[part].astype(np.float64, copy=False)
            lowered = np.asarray((inner @ c.T).T if is_sparse(x) else c @ inner.T)
            lowered += norms
            np.minimum(lowered, closest[part], out=lowered)
            sums[b] = lowered @ weights[part]
            found[:, part] = lowered

    if blocks < 4:
        run(0, blocks)
    else:
        with one_blas_thread:
            in_parallel(blocks, run, least=2)
    return found, sums.sum(axis=0)
