"""Distances from queries to points, a tile of them at a time, for neighbour searches.

A search needs little of most distances: that one is larger than some bound. So a
`Finder` gives *lower bounds* for a tile of pairs, and exact distances for the few pairs
that are asked for. Both are *reduced* where that saves work: squares for the Euclidean
distance, which have the same order.

The Euclidean distance by |x|^2 - 2 q.x + |q|^2 is one product of matrices, but it
cancels: for neighbours much nearer than the origin, no digit may be left. Here it is
only a bound. With u the unit roundoff of its type and d features, what is computed is
wrong by c (|q| + |x|)^2 <= 2 c (|q|^2 + |x|^2) at most, c = (d + 8) u (Higham,
*Accuracy and Stability of Numerical Algorithms*, section 3.1), so |x|^2 and |q|^2 enter
with the factor 1 - 2 c. Exact distances are computed from the differences q - x.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.moments import column_moments
from dotori.algorithms.scaling import column_range

Array = NDArray[Any]

#: Queries and points of a tile.
QUERIES, POINTS = 256, 4096
#: Numbers that are gathered at a time for exact distances.
_GATHERED = 1 << 19
#: Up to so many coordinates are added up in their order, as in a k-d tree.
IN_ORDER = 15


class Finder:
    """Distances from queries to the points that it was made for."""

    def __init__(self, points: Any) -> None:
        self.points = points

    def stricter(self) -> Finder | None:
        """A finder of the same reduced distances, for where these bounds say little."""
        return None

    def prepare(self, queries: Any) -> Any:
        """The queries as the other methods want them."""
        return queries

    def tiles(self, queries: Any, least: int) -> Iterator[tuple[int, Array]]:
        """The first point of each tile, and lower bounds of shape (queries, points).

        The first tile has `least` points or more.
        """
        n, width = self.points.shape[0], max(POINTS, least)
        for start in range(0, n, width):
            yield start, self.tile(queries, start, min(start + width, n))

    def tile(self, queries: Any, start: int, stop: int) -> Array:
        """Lower bounds for the points from `start` on."""
        raise NotImplementedError

    def exact(self, queries: Any, tile: Array, start: int, r: Array, c: Array) -> Array:
        """Reduced distances of the queries `r` to the points `start + c`."""
        return np.asarray(tile[r, c], np.float64)

    def threshold(self, reduced: Array) -> Array:
        """What a lower bound must not exceed for the distance to be no larger."""
        return reduced

    def distance(self, reduced: Array) -> Array:
        """What the reduced distances stand for."""
        return reduced

    def reduce(self, distance: float) -> float:
        """The inverse of `distance`."""
        return distance


class Euclidean(Finder):
    """sqrt(sum (q_j - x_j)^2), found by products of matrices of the type `kind`.

    Examples
    --------
    >>> finder = Euclidean(np.array([[0.0, 0.0], [3.0, 4.0]]), np.float64)
    >>> ((start, tile),) = finder.tiles(np.zeros((1, 2)), 1)
    >>> reduced = finder.exact(np.zeros((1, 2)), tile, 0, np.array([0]), np.array([1]))
    >>> finder.distance(reduced).tolist()
    [5.0]
    """

    def __init__(self, points: Array, kind: Any = np.float32) -> None:
        super().__init__(points)
        self.kind = np.dtype(kind)
        self.centre = column_moments(points, squares=False).mean
        low, high = column_range(points)
        largest = float(np.maximum(high - self.centre, self.centre - low).max())
        # A power of two, so that squares neither overflow nor vanish.
        self.unit = 2.0 ** np.ceil(np.log2(largest)) if 0 < largest < np.inf else 1.0
        d, info = points.shape[1], np.finfo(self.kind)
        self.shrink = 1 - (d + 8) * float(info.eps)
        self.vanished = 4 * (d + 2) * float(info.tiny)  # what is lost by underflow

    def stricter(self) -> Finder | None:
        return self._in_float64 if self.kind == np.float32 else None

    @cached_property
    def _in_float64(self) -> Euclidean:
        return Euclidean(self.points, np.float64)

    @cached_property
    def columns(self) -> Array:
        """Rows (-2 x, |x|^2, 1) of the points, made for the first search."""
        n, d = self.points.shape
        rows = np.empty((n, d + 2), self.kind)
        for i in range(0, n, POINTS):
            part = slice(i, i + POINTS)
            x = (self.points[part] - self.centre) / self.unit
            rows[part, :d] = -2 * x
            rows[part, d] = self._squares(x)
        rows[:, d + 1] = 1
        return rows

    def _squares(self, rows: Array) -> Array:
        """A little less than |x|^2, by what may be lost in rounding."""
        squares = np.einsum("ij,ij->i", rows, rows)
        return np.asarray(squares * self.shrink - self.vanished)

    def prepare(self, queries: Array) -> Array:
        """The points are made ready before threads ask for them."""
        assert len(self.columns) == len(self.points)
        return queries

    def tiles(self, queries: Array, least: int) -> Iterator[tuple[int, Array]]:
        """The queries are made ready once for all tiles."""
        q, (n, d) = (queries - self.centre) / self.unit, self.points.shape
        rows = np.ones((len(q), d + 2), self.kind)
        with np.errstate(over="ignore"):
            rows[:, :d], rows[:, d + 1] = q, self._squares(q)
        far = ~np.isfinite(rows[:, d + 1])  # beyond this type: no bound at all
        rows[far, :d], rows[far, d + 1] = 0, -np.inf
        width = max(POINTS, least)
        for start in range(0, n, width):
            yield start, rows @ self.columns[start : start + width].T

    def exact(
        self, queries: Array, tile: Array, start: int, r: Array, c: Array
    ) -> Array:
        found = np.empty(len(r))
        step = max(1, _GATHERED // max(1, self.points.shape[1]))
        for i in range(0, len(r), step):
            place = slice(i, i + step)
            away = queries[r[place]].astype(np.float64)
            away -= self.points[start + c[place]]
            if away.shape[1] > IN_ORDER:
                np.einsum("ij,ij->i", away, away, out=found[place])
                continue
            found[place] = 0
            for column in away.T:
                found[place] += column * column
        return found

    def threshold(self, reduced: Array) -> Array:
        with np.errstate(over="ignore"):
            above = (reduced / self.unit**2).astype(self.kind)
        return np.asarray(np.nextafter(above, self.kind.type(np.inf)))

    def distance(self, reduced: Array) -> Array:
        return np.asarray(np.sqrt(reduced))

    def reduce(self, distance: float) -> float:
        return distance**2


class SparseEuclidean(Finder):
    """The Euclidean distance of sparse rows."""

    def __init__(self, points: Any) -> None:
        super().__init__(points.astype(np.float64))
        d = int(points.shape[1])
        self.shrink = 1 - 2 * (d + 8) * float(np.finfo(np.float64).eps)
        self.squares = _sparse_squares(self.points) * self.shrink

    def tile(self, queries: Any, start: int, stop: int) -> Array:
        squares = _sparse_squares(queries.astype(np.float64))[:, None] * self.shrink
        products = queries.astype(np.float64) @ self.points[start:stop].T
        dense = products.toarray() if hasattr(products, "toarray") else products
        return np.asarray(squares + self.squares[start:stop] - 2 * dense)

    def exact(self, queries: Any, tile: Array, start: int, r: Array, c: Array) -> Array:
        return _sparse_squares(queries[r] - self.points[start + c])

    def distance(self, reduced: Array) -> Array:
        return np.asarray(np.sqrt(reduced))

    def reduce(self, distance: float) -> float:
        return distance**2


def _sparse_squares(rows: Any) -> Array:
    product = rows.multiply(rows)
    return np.asarray(product.sum(axis=1), np.float64).ravel()


class Cosine(Euclidean):
    """1 - cos(q, x) = |q/|q| - x/|x||^2 / 2, which does not cancel for small angles.

    The cosine with a row of zeros is 0. Two more coordinates see to that: zeros among
    the points lie at a right angle to all, and so do zeros among the queries.

    Examples
    --------
    >>> finder = Cosine(np.array([[2.0, 0.0], [0.0, 0.0]]), np.float64)
    >>> q = finder.prepare(np.array([[0.0, 3.0]]))
    >>> ((start, tile),) = finder.tiles(q, 1)
    >>> exact = finder.exact(q, tile, 0, np.array([0, 0]), np.array([0, 1]))
    >>> finder.distance(exact).round(9).tolist()
    [1.0, 1.0]
    """

    def __init__(self, points: Array, kind: Any = np.float32) -> None:
        super().__init__(_directions(points, of_points=True), kind)

    def prepare(self, queries: Array) -> Array:
        return super().prepare(_directions(queries, of_points=False))

    def distance(self, reduced: Array) -> Array:
        return np.asarray(reduced / 2)

    def reduce(self, distance: float) -> float:
        return 2 * distance


def _directions(rows: Array, of_points: bool) -> Array:
    n, d = rows.shape
    found = np.zeros((n, d + 2))
    found[:, :d] = rows
    found[:, :d] /= np.abs(found).max(axis=1, keepdims=True, initial=1e-300)
    length = np.sqrt(np.einsum("ij,ij->i", found, found))
    found[:, d if of_points else d + 1] = length == 0
    found /= np.where(length == 0, 1, length)[:, None]
    return found


class Minkowski(Finder):
    """(sum_j w_j |q_j - x_j|^p)^(1/p); the largest |q_j - x_j| for p = infinity.

    Examples
    --------
    >>> finder = Minkowski(np.array([[3.0, 4.0]]), p=1)
    >>> finder.distance(finder.tile(np.zeros((1, 2)), 0, 1)).tolist()
    [[7.0]]
    """

    def __init__(self, points: Array, p: float, weights: Array | None = None) -> None:
        super().__init__(points)
        self.p, self.weights = float(p), weights

    def tile(self, queries: Array, start: int, stop: int) -> Array:
        points = self.points[start:stop].astype(np.float64)
        total = np.zeros((len(queries), stop - start))
        away = np.empty_like(total)
        for j in range(points.shape[1]):
            np.subtract(queries[:, j, None], points[:, j], out=away)
            np.abs(away, out=away)
            if self.p == np.inf:
                np.maximum(total, away, out=total)
                continue
            if self.p == 2:
                np.multiply(away, away, out=away)
            elif self.p != 1:
                np.power(away, self.p, out=away)
            if self.weights is not None:
                away *= self.weights[j]
            total += away
        return total

    def distance(self, reduced: Array) -> Array:
        if self.p in (1, np.inf):
            return reduced
        return np.asarray(np.sqrt(reduced) if self.p == 2 else reduced ** (1 / self.p))

    def reduce(self, distance: float) -> float:
        return distance if self.p in (1, np.inf) else distance**self.p


class AnyDistance(Finder):
    """Whatever ``function(queries, points)`` says, of shape (queries, points)."""

    def __init__(self, points: Any, function: Callable[[Any, Any], Array]) -> None:
        super().__init__(points)
        self.function = function

    def tile(self, queries: Any, start: int, stop: int) -> Array:
        return np.asarray(self.function(queries, self.points[start:stop]), np.float64)


class Given(Finder):
    """Distances that were given: each query is its row of distances to all points."""

    def __init__(self, n: int) -> None:
        super().__init__(np.empty((n, 0)))

    def tile(self, queries: Array, start: int, stop: int) -> Array:
        return np.asarray(queries[:, start:stop], np.float64)
