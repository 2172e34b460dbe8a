"""Arguments for the kernel that sends rows down trees."""

import numpy as np


def _trees(rng, count, depth, columns, words):
    """Full trees of random questions, their nodes in a row (heap order)."""
    inner, nodes = 2**depth - 1, 2 ** (depth + 1) - 1
    number = np.arange(nodes)
    left = np.where(number < inner, 2 * number + 1, -1)
    right = np.where(number < inner, 2 * number + 2, -1)
    total = count * nodes
    categories = np.zeros((total, words), np.uint64)
    if words:
        subsets = rng.random(total) < 0.5
        bits = rng.integers(1, 2**63, (total, words), dtype=np.uint64)
        categories[subsets] = bits[subsets]
    return (
        np.arange(count) * nodes,
        np.tile(left, count),
        np.tile(right, count),
        rng.integers(0, columns, total),
        rng.standard_normal(total),
        rng.random(total) < 0.5,
        categories,
    )


def _case(n, columns, count, depth, words=0, missing=0.0):
    def make(rng, dtype):
        x = rng.standard_normal((n, columns)).astype(dtype)
        if words:
            x = np.round(x * 40).astype(dtype)  # some numbers are no category
        x[rng.random(x.shape) < missing] = np.nan
        return [
            x,
            np.zeros((n, count), np.int64),
            *_trees(rng, count, depth, columns, words),
        ]

    return make


SHAPED = {
    "tree_leaves": [
        _case(300, 5, 3, 4),
        _case(0, 5, 3, 4),
        _case(7, 1, 1, 0),
        _case(1200, 4, 2, 5, missing=0.2),
        _case(300, 3, 4, 5, words=2, missing=0.1),
    ]
}
