"""Inputs for the kernel of `dotori.kernels.coordinate_descent`."""

import numpy as np


def lasso(n, d, l1, l2, positive=False, sweeps=20, tolerance=1e-3, constant=False):
    def make(rng, dtype):
        x = rng.standard_normal((n, d))
        if constant:
            x[:, ::3] = 0
        y = x[:, : d // 2].sum(axis=1) + rng.standard_normal(n)
        w = np.where(rng.random(d) < 0.5, rng.standard_normal(d), 0)
        gram = (x.T @ x / n).astype(dtype)
        slope = (x.T @ (y - x @ w) / n).astype(dtype)
        order = np.array([rng.permutation(d) for _ in range(3)])
        done = np.zeros(3, dtype)
        w = w.astype(dtype)
        return w, slope, gram, l1, l2, positive, order, sweeps, tolerance, done

    return make


SHAPED = {
    "descend": [
        lasso(20, 1, 0.1, 0.0),
        lasso(50, 9, 0.1, 0.0),
        lasso(50, 40, 0.3, 0.2),
        lasso(50, 9, 0.1, 0.0, positive=True),
        lasso(50, 9, 0.1, 0.0, constant=True),
        lasso(50, 9, 0.0, 0.0, sweeps=3, tolerance=0.0),
        lasso(50, 9, 100.0, 0.0),  # nothing is worth its price
        lasso(50, 9, 0.1, 0.0, sweeps=0),
    ]
}
