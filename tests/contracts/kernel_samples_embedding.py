"""Inputs for the kernel of `dotori.kernels.embedding`."""

import numpy as np


def rows(n, d, length):
    def make(rng, dtype):
        v = rng.standard_normal((n, d)).astype(dtype)
        index = rng.integers(0, length, n)
        return v, index, rng.standard_normal((length, d)).astype(dtype)

    return make


def strange(rng, dtype):
    """Infinities, NaN and both zeros, which must come to where they belong."""
    v = np.array([[np.inf, -0.0], [-np.inf, 0.0], [np.nan, -0.0]], dtype)
    return v, np.array([2, 2, 0]), np.zeros((3, 2), dtype)


SHAPED = {
    "add_rows": [
        rows(0, 3, 4),
        rows(5, 0, 4),
        rows(200, 3, 7),
        rows(3000, 64, 50),  # more than one block
        strange,
    ]
}
