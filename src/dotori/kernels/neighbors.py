"""Nearest neighbours in a k-d tree: whole parts of it are passed over at once.

The tree is a complete binary one: node i has the children 2i + 1 and 2i + 2, and the
last level are leaves, whose points lie side by side. Each node knows the smallest box
around its points. A node is passed over if its box is farther away than the k-th
nearest point so far. Rounding does not spoil that: the distance to the box is computed
by the same operations in the same order, and each of them is monotone.

The neighbours are the k smallest pairs (distance, index), so that they do not depend on
how the tree is walked: the loop goes down to the nearer child first, query by query;
the twin goes down level by level, with all queries at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._pair import paired

Array = NDArray[Any]
_QUERIES = 512  # that go down the tree together
_PAIRS = 1 << 20  # of queries and points that are looked at together


def tree_neighbors_numpy(
    points: Array,
    index: Array,
    starts: Array,
    lower: Array,
    upper: Array,
    queries: Array,
    p: int,
    distances: Array,
    nearest: Array,
) -> None:
    """The k nearest points of each query, by rising distance, then rising index.

    `points`, of shape (n, d), lie leaf by leaf, from `starts[l]` on for leaf l, and
    `index` holds their numbers. `lower` and `upper`, of shape (nodes, d), are the
    boxes. Sums of |q - x|^p are compared, or the largest |q - x| for p = 0. The results
    are written to `distances` and `nearest`, of shape (m, k).
    """
    for i in range(0, len(queries), _QUERIES):
        place = slice(i, i + _QUERIES)
        some = queries[place]
        bound = _bounds(points, starts, lower, upper, some, p, nearest.shape[1])
        rows, leaves = _near_leaves(lower, upper, some, p, bound, len(starts) - 1)
        sizes = starts[leaves + 1] - starts[leaves]
        for part in _parts(rows, sizes):
            row, size, leaf = rows[part], sizes[part], leaves[part]
            offsets = np.repeat(np.cumsum(size) - size, size)
            inside = np.arange(len(offsets)) - offsets
            at = np.repeat(starts[leaf], size) + inside
            row = np.repeat(row, size)
            away = _distances(some, row, points, at, points, at, p)
            near = away <= bound[row]
            row, away, at = row[near], away[near], index[at[near]]
            order = np.lexsort((at, away, row))
            counts = np.bincount(row, minlength=len(some))
            some_rows = np.flatnonzero(counts)
            first = (np.cumsum(counts) - counts)[some_rows]
            chosen = order[first[:, None] + np.arange(nearest.shape[1])]
            distances[i + some_rows] = away[chosen]
            nearest[i + some_rows] = at[chosen]


def _distances(
    queries: Array, q: Array, lower: Array, low: Array, upper: Array, up: Array, p: int
) -> Array:
    """Reduced distances from queries `q` to boxes, which may be points."""
    total = np.zeros(len(q), queries.dtype)
    for j in range(queries.shape[1]):
        x = queries[q, j]
        away = np.maximum(np.maximum(lower[low, j] - x, x - upper[up, j]), 0)
        if p == 0:
            total = np.maximum(total, away)
        else:
            total = total + (away * away if p == 2 else away)
    return total


def _bounds(
    points: Array,
    starts: Array,
    lower: Array,
    upper: Array,
    queries: Array,
    p: int,
    k: int,
) -> Array:
    """What the k-th distance is at most: that among k or more points near a leaf."""
    rows = np.arange(len(queries))
    node = np.zeros(len(queries), np.int64)
    while 2 * node[0] + 2 < len(lower):  # all are on one level
        left, right = 2 * node + 1, 2 * node + 2
        to_left = _distances(queries, rows, lower, left, upper, left, p)
        to_right = _distances(queries, rows, lower, right, upper, right, p)
        node = np.where(to_left <= to_right, left, right)
    leaf = node - (len(starts) - 2)
    width = max(k, int((starts[1:] - starts[:-1]).max()))
    first = np.clip(starts[leaf], 0, len(points) - width)
    at = (first[:, None] + np.arange(width)).ravel()
    away = _distances(queries, np.repeat(rows, width), points, at, points, at, p)
    return np.partition(away.reshape(-1, width), k - 1, axis=1)[:, k - 1]


def _near_leaves(
    lower: Array, upper: Array, queries: Array, p: int, bound: Array, leaves: int
) -> tuple[Array, Array]:
    """Pairs of queries and leaves that may hold a neighbour, by query."""
    rows, node = np.arange(len(queries)), np.zeros(len(queries), np.int64)
    level = 1
    while level < leaves:
        rows = np.repeat(rows, 2)
        node = np.stack([2 * node + 1, 2 * node + 2], axis=1).ravel()
        near = _distances(queries, rows, lower, node, upper, node, p) <= bound[rows]
        rows, node = rows[near], node[near]
        level *= 2
    return rows, node - (leaves - 1)


def _parts(rows: Array, sizes: Array) -> list[slice]:
    """Cuts between queries, so that no part has many more than `_PAIRS` points."""
    if not len(rows):
        return []
    begins = np.flatnonzero(np.diff(rows, prepend=-1))
    before = np.cumsum(sizes) - sizes
    cuts = begins[np.flatnonzero(np.diff(before[begins] // _PAIRS, prepend=-1))]
    ends = [*cuts[1:].tolist(), len(rows)]
    return [slice(a, b) for a, b in zip(cuts.tolist(), ends, strict=True)]


@paired(tree_neighbors_numpy)
def tree_neighbors(
    points: Array,
    index: Array,
    starts: Array,
    lower: Array,
    upper: Array,
    queries: Array,
    p: int,
    distances: Array,
    nearest: Array,
) -> None:
    """Query by query, to the nearer child first."""
    d, k, leaves = points.shape[1], nearest.shape[1], starts.shape[0] - 1
    stack = np.empty(128, np.int64)
    apart = np.empty(128, points.dtype)
    for i in range(queries.shape[0]):
        for s in range(k):
            distances[i, s] = np.inf
            nearest[i, s] = -1
        stack[0], apart[0], top = 0, queries[i, 0] - queries[i, 0], 1
        while top > 0:
            top -= 1
            node = stack[top]
            if apart[top] > distances[i, k - 1]:
                continue
            if node >= leaves - 1:
                leaf = node - (leaves - 1)
                for at in range(starts[leaf], starts[leaf + 1]):
                    total = queries[i, 0] - queries[i, 0]
                    for j in range(d):
                        away = abs(queries[i, j] - points[at, j])
                        if p == 0:
                            total = max(total, away)
                        else:
                            total = total + (away * away if p == 2 else away)
                    if total > distances[i, k - 1]:
                        continue
                    s = k - 1
                    if total == distances[i, s] and nearest[i, s] >= 0:
                        if index[at] > nearest[i, s]:
                            continue
                    while s > 0 and (
                        total < distances[i, s - 1]
                        or (
                            total == distances[i, s - 1]
                            and (nearest[i, s - 1] < 0 or index[at] < nearest[i, s - 1])
                        )
                    ):
                        distances[i, s] = distances[i, s - 1]
                        nearest[i, s] = nearest[i, s - 1]
                        s -= 1
                    distances[i, s] = total
                    nearest[i, s] = index[at]
                continue
            for side in range(2):
                child = 2 * node + 1 + side
                total = queries[i, 0] - queries[i, 0]
                for j in range(d):
                    x = queries[i, j]
                    away = max(lower[child, j] - x, x - upper[child, j], x - x)
                    if p == 0:
                        total = max(total, away)
                    else:
                        total = total + (away * away if p == 2 else away)
                stack[top + side] = child
                apart[top + side] = total
            if apart[top] < apart[top + 1]:  # the nearer one is taken first
                stack[top], stack[top + 1] = stack[top + 1], stack[top]
                apart[top], apart[top + 1] = apart[top + 1], apart[top]
            top += 2
