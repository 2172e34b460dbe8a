"""Arguments for coordinate descent on a quadratic with an L1 penalty."""

import numpy as np


def _quadratic(p, level, sweeps, tolerance=0.0, constant=False):
    def make(rng, dtype):
        x = rng.standard_normal((3 * p + 1, p))
        if constant:
            x[:, p // 2] = 0  # a column without curvature stays as it is
        h = np.ascontiguousarray(x.T @ x / len(x), dtype)
        slope = rng.standard_normal(p).astype(dtype)
        point = np.zeros(p, dtype)
        penalty = np.full(p, level, dtype)
        penalty[p - 1 :] = 0
        return (h, slope, point, penalty, np.zeros(1, dtype), sweeps, tolerance)

    return make


SHAPED = {
    "quadratic_lasso": [
        _quadratic(1, 0.1, 3),
        _quadratic(6, 0.3, 40, 1e-4),
        _quadratic(17, 0.05, 9, constant=True),
        _quadratic(5, 10.0, 4),
    ]
}
