"""Arguments for the kernel that sends rows down trees."""

import numpy as np


def _trees(rng, dtype, count, depth, columns, words):
    """Full trees of random questions, their nodes in a row (heap order)."""
    roots = np.arange(count) * (2 ** (depth + 1) - 1)
    inner, nodes = 2**depth - 1, 2 ** (depth + 1) - 1
    number = np.arange(nodes)
    base = np.repeat(roots, nodes)
    no = np.where(number < inner, 2 * number + 2, number)
    yes = np.where(number < inner, 2 * number + 1, number)
    total = count * nodes
    categories = np.zeros((total, words), np.uint64)
    if words:
        subsets = rng.random(total) < 0.5
        bits = rng.integers(1, 2**63, (total, words), dtype=np.uint64)
        categories[subsets] = bits[subsets]
    links = np.stack(
        [
            rng.integers(0, columns, total),
            np.tile(no, count) + base,
            np.tile(yes, count) + base,
            rng.random(total) < 0.5,
        ],
        axis=1,
    ).astype(np.int32)
    return roots, links, rng.standard_normal(total).astype(dtype), categories


def _case(n, columns, count, depth, words=0, missing=0.0):
    def make(rng, dtype):
        x = rng.standard_normal((n, columns)).astype(dtype)
        if words:
            x = np.round(x * 40).astype(dtype)  # some numbers are no category
        x[rng.random(x.shape) < missing] = np.nan
        return [
            x,
            np.zeros((n, count), np.int64),
            *_trees(rng, dtype, count, depth, columns, words),
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
