"""Nearest neighbours: by definition, and by blocks that look at few pairs closely.

The k nearest points of a query are those with the smallest distances; of equally near
ones, those that come first. `nearest` says it in one line, `k_nearest` finds the same
for large tables in a bounded amount of memory:

1. lower bounds of the distances of a block of queries to a tile of points, for the
   Euclidean distance by a product of matrices (see `distances`);
2. the exact distances of those pairs alone whose bound lies below the k-th smallest
   exact distance so far;
3. the k smallest of these and of those that were known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.neighbors.distances import QUERIES, Finder
from dotori.errors import ArgumentError
from dotori.kernels import in_parallel
from dotori.kernels._threads import one_blas_thread

Array = NDArray[Any]

#: More candidates than this for each query and tile: the lower bounds are too loose.
_CROWD = 64
#: Among so many points the first guess is made.
_LOOK = 800


def nearest(points: Array, queries: Array, k: int) -> tuple[Array, Array]:
    """Euclidean distances and indices of the k nearest points, by definition.

    Parameters
    ----------
    points : array of shape (n, d)
    queries : array of shape (m, d)
    k : int

    Returns
    -------
    distances, indices : arrays of shape (m, k)
        By rising distance; of equally near points the first come first.

    Examples
    --------
    >>> points = np.array([[0.0], [2.0], [7.0]])
    >>> distances, indices = nearest(points, np.array([[3.0]]), 2)
    >>> distances.tolist(), indices.tolist()
    ([[1.0, 3.0]], [[1, 0]])
    """
    distances = np.sqrt(np.square(queries[:, None, :] - points).sum(axis=2))
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distances, order, axis=1), order


def k_nearest(finder: Finder, queries: Any, k: int) -> tuple[Array, Array]:
    """Distances and indices of the k nearest points, exactly, by blocks.

    Parameters
    ----------
    finder : Finder
        What knows the points, and distances to them.
    queries : array or sparse matrix of shape (m, d)
    k : int
        At most the number of points.

    Returns
    -------
    distances : float64 array of shape (m, k)
    indices : int64 array of shape (m, k)

    Examples
    --------
    >>> from dotori.algorithms.neighbors.distances import Euclidean
    >>> points = np.array([[0.0], [2.0], [7.0]])
    >>> finder = Euclidean(points, np.float64)
    >>> k_nearest(finder, np.array([[3.0]]), 2)[1].tolist()
    [[1, 0]]
    """
    n = finder.points.shape[0]
    if not 1 <= k <= n:
        raise ArgumentError(f"k_nearest: k from 1 to {n} points was wanted, got {k}")
    queries, m = finder.prepare(queries), queries.shape[0]
    distances, indices = np.empty((m, k)), np.empty((m, k), np.int64)

    def run(start: int, stop: int) -> None:
        for i in range(start, stop):
            place = slice(i * QUERIES, min((i + 1) * QUERIES, m))
            reduced, indices[place] = _search(finder, queries[place], k)
            distances[place] = finder.distance(reduced)

    with one_blas_thread:
        in_parallel(-(-m // QUERIES), run)
    return distances, indices


def _search(finder: Finder, queries: Any, k: int) -> tuple[Array, Array]:
    """Reduced distances and indices for a block of queries."""
    m = queries.shape[0]
    best = np.empty((m, 0)), np.empty((m, 0), np.int64)
    for start, tile in finder.tiles(queries, k):
        if start == 0:
            best = _first(finder, queries, tile, k)
        bound = finder.threshold(best[0].max(axis=1))
        r, c = _places(tile <= bound[:, None])
        if len(r) > (_CROWD + 8 * k) * m:
            stricter = finder.stricter()
            if stricter is not None:
                return _search(stricter, queries, k)
        if start == 0:
            best = np.empty((m, 0)), np.empty((m, 0), np.int64)
        if len(r):
            exact = finder.exact(queries, tile, start, r, c)
            best = _smallest(best, r, exact, start + c, k)
    return best


def _first(finder: Finder, queries: Any, tile: Array, k: int) -> tuple[Array, Array]:
    """Exact distances of k of the first points that seem nearest."""
    m, tile = queries.shape[0], tile[:, : max(_LOOK, 4 * k)]
    if tile.shape[1] > k:
        columns = np.argpartition(tile, k - 1, axis=1)[:, :k]
    else:
        columns = np.tile(np.arange(k), (m, 1))
    rows = np.repeat(np.arange(m), k)
    exact = finder.exact(queries, tile, 0, rows, columns.ravel())
    return exact.reshape(m, k), columns


def _places(mask: Array) -> tuple[Array, Array]:
    """``np.nonzero``, which is several times as fast on one axis as on two."""
    rows, columns = np.divmod(np.flatnonzero(mask), mask.shape[1])
    return rows, columns


def _smallest(
    best: tuple[Array, Array], rows: Array, exact: Array, index: Array, k: int
) -> tuple[Array, Array]:
    """The k smallest of each row, of those that were known and of new pairs."""
    m, known = best[0].shape
    all_rows = np.concatenate([np.repeat(np.arange(m), known), rows])
    all_exact = np.concatenate([best[0].ravel(), exact])
    all_index = np.concatenate([best[1].ravel(), index])
    order = np.lexsort((all_index, all_exact, all_rows))
    sizes = np.bincount(all_rows, minlength=m)
    starts = np.cumsum(sizes) - sizes
    chosen = order[starts[:, None] + np.arange(k)]
    return all_exact[chosen], all_index[chosen]


def within(
    finder: Finder, queries: Any, radius: float
) -> tuple[list[Array], list[Array]]:
    """Distances and indices of all points that are no farther than `radius`.

    Returns
    -------
    distances, indices : lists of m arrays
        By rising index.

    Examples
    --------
    >>> from dotori.algorithms.neighbors.distances import Minkowski
    >>> finder = Minkowski(np.array([[0.0], [2.0], [7.0]]), p=1)
    >>> within(finder, np.array([[3.0]]), 3.0)[1][0].tolist()
    [0, 1]
    """
    queries, m = finder.prepare(queries), queries.shape[0]
    limit = finder.reduce(radius)
    distances: list[Any] = [None] * m
    indices: list[Any] = [None] * m

    def run(start: int, stop: int) -> None:
        for i in range(start, stop):
            block = queries[i * QUERIES : (i + 1) * QUERIES]
            parts = []
            for first, tile in finder.tiles(block, 1):
                r, c = _places(tile <= finder.threshold(np.array(limit)))
                exact = finder.exact(block, tile, first, r, c)
                near = exact <= limit
                parts.append((r[near], exact[near], first + c[near]))
            r, exact, index = map(np.concatenate, zip(*parts, strict=True))
            order = np.argsort(r, kind="stable")
            ends = np.cumsum(np.bincount(r, minlength=block.shape[0]))[:-1]
            place = slice(i * QUERIES, i * QUERIES + block.shape[0])
            distances[place] = np.split(finder.distance(exact[order]), ends)
            indices[place] = np.split(index[order], ends)

    with one_blas_thread:
        in_parallel(-(-m // QUERIES), run)
    return distances, indices


def weights_of(distances: Array, kind: Any) -> Array | None:
    """What each neighbour counts: None for all alike, 1 / distance, or a function's.

    A neighbour at distance 0 counts alone, together with others there.

    Examples
    --------
    >>> weights_of(np.array([[0.5, 2.0], [0.0, 1.0]]), "distance").tolist()
    [[2.0, 0.5], [1.0, 0.0]]
    """
    if kind in (None, "uniform"):
        return None
    if kind != "distance":
        return np.asarray(kind(distances))
    with np.errstate(divide="ignore"):
        inverse = 1.0 / distances
    same = np.isinf(inverse)
    return np.where(same.any(axis=1, keepdims=True), same, inverse)


def votes(labels: Array, weights: Array | None, classes: int) -> Array:
    """How much of the weight each class gets; shape (m, classes).

    Parameters
    ----------
    labels : int array of shape (m, k)
        The classes of the neighbours, from 0 on.
    weights : array of shape (m, k), optional
    classes : int

    Examples
    --------
    >>> votes(np.array([[0, 2, 2, 2]]), None, 3).tolist()
    [[0.25, 0.0, 0.75]]
    """
    m, k = labels.shape
    if weights is None:
        weights = np.ones((m, k))
    places = labels + np.arange(m)[:, None] * classes
    sums = np.bincount(places.ravel(), weights.ravel(), minlength=m * classes)
    shares = sums.reshape(m, classes)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
