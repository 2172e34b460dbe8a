"""Inputs for the kernel of `dotori.kernels.resampling`."""

import numpy as np


def sparse(outer, n_out, n_in, inner, most=3):
    def make(rng, dtype):
        counts = rng.integers(0, most + 1, n_out)
        starts = np.concatenate(([0], np.cumsum(counts)))
        columns = rng.integers(0, n_in, starts[-1])
        w = rng.choice([1.0, 0.3, -0.7], starts[-1]).astype(dtype)
        x = rng.standard_normal((outer, n_in, inner)).astype(dtype)
        return x, starts, columns, w, np.full((outer, n_out, inner), np.nan, dtype)

    return make


def twice(rng, dtype):
    """Every input repeated, with values that must come through as they are."""
    x = np.array([[[-0.0], [np.inf], [np.nan]]], dtype)
    columns = np.repeat(np.arange(3), 2)
    return x, np.arange(7), columns, np.ones(6, dtype), np.empty((1, 6, 1), dtype)


SHAPED = {
    "resample": [
        sparse(2, 5, 4, 3),
        sparse(3, 1, 7, 8, most=9),
        sparse(0, 3, 3, 2),
        sparse(2, 3, 3, 0),
        sparse(2, 6, 3, 1, most=0),
        twice,
    ]
}
