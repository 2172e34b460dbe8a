"""A k-d tree: points cut in half again and again, so that far halves are passed over.

Each node holds the box around its points and cuts them at the median of the coordinate
in which they are spread widest. A query's neighbours lie in few leaves as long as there
are few coordinates; with many, nearly all boxes are about equally far away, and a
search through all points (`dotori.algorithms.neighbors.search`) is faster.

Reference: J. H. Friedman, J. L. Bentley, R. A. Finkel, *An algorithm for finding best
matches in logarithmic expected time*, ACM Trans. on Mathematical Software 3, 1977.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.neighbors.distances import IN_ORDER
from dotori.errors import ArgumentError
from dotori.kernels import in_parallel
from dotori.kernels._compiler import is_on_disk
from dotori.kernels._pair import WORTH_LOADING, WORTH_WAITING, compiling
from dotori.kernels.neighbors import tree_neighbors

Array = NDArray[Any]

#: Points of a leaf, at most.
LEAF = 32
#: Nodes of up to so many points are cut in half all at once.
_TOGETHER = 2048
_AT_A_TIME = 1 << 16  # points, for memory's sake
#: What the search of one query takes in NumPy, in seconds, with one coordinate; with
#: more, so many times as long for each.
_SECONDS, _GROWTH = 8e-6, 1.6
#: What a search through all points takes for each of them.
_BRUTE = 5e-9
#: Trees of fewer points, or searches of fewer pairs, are not worth their while.
_FEWEST, _SMALL = 500, 1 << 20
#: With so many coordinates the tree is worth its while in NumPy as well.
_FEW = 4


class KDTree:
    """The points of a table, in boxes within boxes.

    Parameters
    ----------
    points : array of shape (n, d)
        Finite numbers, n >= 1.
    p : {1, 2, inf}
        Manhattan, Euclidean or Chebyshev distance.

    Examples
    --------
    >>> tree = KDTree(np.array([[0.0, 0.0], [2.0, 1.0], [7.0, 7.0]]))
    >>> distances, indices = tree.k_nearest(np.array([[3.0, 1.0]]), 2)
    >>> indices.tolist(), distances[0, 0].item()
    ([[1, 0]], 1.0)
    """

    def __init__(self, points: Array, p: float = 2) -> None:
        if p not in (1, 2, np.inf):
            raise ArgumentError(f"KDTree: p must be 1, 2 or infinity, got {p}")
        self.power = 0 if p == np.inf else int(p)
        wide = np.ascontiguousarray(points, np.float64)
        self.index, self.starts = _leaf_by_leaf(wide)
        self.points = wide[self.index]
        self.lower, self.upper = _boxes(self.points, self.starts)

    @staticmethod
    def serves(points: Any) -> bool:
        """Whether a tree of these points can be faster than looking at all of them."""
        return bool(points.shape[0] >= _FEWEST and points.shape[1] <= IN_ORDER)

    def pays(self, queries: Array, k: int) -> bool:
        """Whether a search in the tree is faster than one through all points.

        With few coordinates it is. With more, it is if compiled; a long search waits
        for that.
        """
        n, d = self.points.shape
        if d <= _FEW:
            return bool(len(queries) * n > _SMALL)
        seconds = len(queries) * n * _BRUTE
        if not compiling() or seconds < WORTH_LOADING:
            return False
        return seconds > WORTH_WAITING or is_on_disk(tree_neighbors.loop)

    def k_nearest(self, queries: Array, k: int) -> tuple[Array, Array]:
        """Distances and indices of the k nearest points of each query.

        Parameters
        ----------
        queries : array of shape (m, d)
        k : int
            From 1 to n.

        Returns
        -------
        distances : float64 array of shape (m, k)
        indices : int64 array of shape (m, k)
            By rising distance; of equally near points the first come first.
        """
        if not 1 <= k <= len(self.points):
            raise ArgumentError(
                f"KDTree.k_nearest: k from 1 to {len(self.points)} points was wanted, "
                f"got {k}"
            )
        wide = np.ascontiguousarray(queries, np.float64)
        distances, indices = (
            np.empty((len(wide), k)),
            np.empty((len(wide), k), np.int64),
        )
        n, d = self.points.shape
        seconds = _SECONDS * len(wide) * _GROWTH**d
        if d > _FEW:  # see `pays`: only called for when it is worth compiling
            seconds = max(seconds, len(wide) * n * _BRUTE)

        def run(i: int, j: int) -> None:
            tree_neighbors.run(
                seconds,
                self.points,
                self.index,
                self.starts,
                self.lower,
                self.upper,
                wide[i:j],
                self.power,
                distances[i:j],
                indices[i:j],
            )

        in_parallel(len(wide), run, least=256)
        return np.sqrt(distances) if self.power == 2 else distances, indices


def _leaf_by_leaf(points: Array) -> tuple[Array, Array]:
    """An order of the points, and where in it each leaf begins; the end is last."""
    n = len(points)
    index, starts = np.arange(n), np.array([0, n])
    while np.diff(starts).max() > LEAF:
        middles = (starts[:-1] + starts[1:]) // 2
        if np.diff(starts).max() > _TOGETHER:
            for a, middle, b in zip(starts[:-1], middles, starts[1:], strict=True):
                part = points[index[a:b]]
                widest = np.argmax(part.max(axis=0) - part.min(axis=0))
                order = np.argpartition(part[:, widest], middle - a)
                index[a:b] = index[a:b][order]
        else:
            nodes = max(1, _AT_A_TIME // int(np.diff(starts).max()))
            for i in range(0, len(middles), nodes):
                _halve_all(points, index, starts[i : i + nodes + 1])
        starts = np.sort(np.concatenate([starts, middles]))
    return index, starts


def _halve_all(points: Array, index: Array, starts: Array) -> None:
    """Sort each node's points by the coordinate in which they are spread widest."""
    sizes = np.diff(starts)
    inside = np.arange(sizes.max())
    there = inside < sizes[:, None]
    # a last place that is not there repeats the node's first point
    at = starts[:-1, None] + np.where(there, inside, 0)
    held = index[at]
    columns = [points[held, j] for j in range(points.shape[1])]
    spread = np.stack([c.max(axis=1) - c.min(axis=1) for c in columns], axis=1)
    widest = spread.argmax(axis=1)
    values = np.where(there, points[held, widest[:, None]], np.inf)
    ordered = np.take_along_axis(held, values.argsort(axis=1), axis=1)
    index[at[there]] = ordered[there]


def _boxes(points: Array, starts: Array) -> tuple[Array, Array]:
    """The boxes of all nodes: of the leaves, then of each two of them together."""
    low = np.minimum.reduceat(points, starts[:-1], axis=0)
    high = np.maximum.reduceat(points, starts[:-1], axis=0)
    lower, upper = [low], [high]
    while len(lower[0]) > 1:
        lower.insert(0, np.minimum(lower[0][::2], lower[0][1::2]))
        upper.insert(0, np.maximum(upper[0][::2], upper[0][1::2]))
    return np.concatenate(lower), np.concatenate(upper)
