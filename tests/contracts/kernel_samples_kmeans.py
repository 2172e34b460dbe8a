"""Inputs for the kernels of `dotori.kernels.kmeans`."""

import numpy as np


def compared(k, n, starts, ties=False):
    def make(rng, dtype):
        products = rng.standard_normal((k, n)).astype(dtype)
        norms = np.abs(rng.standard_normal(k)).astype(dtype)
        if ties:  # small whole numbers: several centres are nearest
            products, norms = np.round(products), np.round(norms)
        out = np.empty(n, dtype), np.empty((len(starts) - 1, n), dtype)
        return products, norms, np.array(starts), np.full(n, -1, np.int32), *out

    return make


def loosened(n, k, groups, still=False):
    def make(rng, dtype):
        upper, slack = np.abs(rng.standard_normal((2, n))).astype(dtype)
        lower = (2 * rng.standard_normal((groups, n))).astype(dtype)
        labels = rng.integers(0, k, n).astype(np.int32)
        moved, half = np.abs(rng.standard_normal((2, k))).astype(dtype)
        drift = np.abs(rng.standard_normal(groups)).astype(dtype)
        if still:  # nothing moves, and bounds meet: rounding must not decide
            moved[:], drift[:], slack[:], half[:] = 0, 0, 0, 0
            lower[:] = upper
        return upper, lower, slack, labels, moved, drift, half, np.empty(n, np.bool_)

    return make


def renewed(n, m, groups, near=False):
    """The search's numbers have `dtype`, the bounds are float64."""

    def make(rng, dtype):
        upper, lower = np.zeros(n), np.zeros((groups, n))
        squares = rng.random(n)
        places = np.sort(rng.permutation(n)[:m])
        scores = (2 * rng.random(m) - 1).astype(dtype)
        others = (scores + (0 if near else 1) * rng.random((groups, m))).astype(dtype)
        about = 1.5, 1e-3, 1e-30
        lengths = np.sqrt(squares)
        close = np.empty(m, np.bool_)
        return upper, lower, squares, lengths, places, scores, others, *about, close

    return make


SHAPED = {
    "nearest_centers": [
        compared(1, 5, [0, 1]),
        compared(3, 0, [0, 1, 3]),
        compared(7, 500, [0, 1, 2, 3, 4, 5, 6, 7]),
        compared(50, 300, [0, 11, 12, 40, 50]),
        compared(6, 400, [0, 2, 6], ties=True),
    ],
    "renew_bounds": [
        renewed(3, 0, 2),
        renewed(600, 400, 1),
        renewed(600, 600, 5),
        renewed(50, 20, 2, near=True),
    ],
    "loosen_bounds": [
        loosened(0, 2, 1),
        loosened(700, 9, 1),
        loosened(700, 9, 4),
        loosened(50, 3, 2, still=True),
    ],
}
