"""Arguments for the kernels of neighbour searches."""

import numpy as np

from dotori.algorithms.neighbors.kd_tree import KDTree


def tree(n, m, d, k, p, grid):
    def make(rng, dtype):
        points, queries = rng.normal(size=(n, d)), rng.normal(size=(m, d))
        if grid:  # ties, and many equal points
            points, queries = np.round(points), np.round(queries)
        points = points.astype(dtype).astype(float)
        made = KDTree(points, {0: np.inf}.get(p, p))
        arrays = [made.points, made.lower, made.upper, queries]
        x, lower, upper, q = (a.astype(dtype) for a in arrays)
        index, starts = made.index, made.starts
        out = np.empty((m, k), dtype), np.empty((m, k), np.int64)
        return [x, index, starts, lower, upper, q, p, *out]

    return make


SHAPED = {
    "tree_neighbors": [
        tree(1, 3, 2, 1, 2, False),
        tree(500, 700, 3, 5, 2, False),
        tree(500, 60, 3, 5, 2, True),
        tree(300, 40, 2, 300, 2, True),
        tree(400, 50, 6, 40, 1, True),
        tree(400, 50, 5, 3, 0, True),
    ]
}
