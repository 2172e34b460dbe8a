"""Arguments of the kernels that grow trees, and of the one that sends rows down.

The tables are always float32, whatever type is asked for: trees compare in float32.
"""

import numpy as np

from dotori.algorithms.tree.growth import Growth
from dotori.algorithms.tree.split import problem


def growing(criterion, *, classes=0, outputs=1, missing=False, numbers=False, **rules):
    """Arguments for a random table of 90 rows; two columns are categories on demand."""

    def made(rng, dtype):
        n, d = 90, 5
        x = np.round(rng.standard_normal((n, d)), 1).astype(np.float32)
        categorical = np.arange(d) < (0 if numbers else 2)
        x[:, categorical] = rng.integers(0, 70, (n, int(categorical.sum())))
        if missing:
            x[rng.random(x.shape) < 0.1] = np.nan
        y = rng.integers(0, classes, (n, outputs)) if classes else abs(x[:, -1:]) + 1
        y = np.nan_to_num(np.broadcast_to(y, (n, outputs)), nan=2.0)
        weight = rng.uniform(0.5, 2.0, n) if rules.get("splitter") else None
        growth = Growth(criterion, **rules)
        sizes = np.full(outputs, max(classes, 1))
        task = problem(x, y, weight, growth, sizes, 0, categorical)
        return [
            x,
            task.table,
            task.rules,
            task.rows,
            np.arange(d),
            np.array([11], np.uint64),
            np.array([-np.inf, np.inf]),
            0,
            np.zeros((2 * n, 4), np.int32),
            np.zeros((2 * n, 4)),
            np.zeros((2 * n, outputs, max(classes, 1))),
            np.zeros((2 * n, task.words), np.uint64),
            np.zeros(1, np.int64),
        ]

    return made


SHAPED = {
    "grow_nodes": [
        growing("gini", classes=2, numbers=True),
        growing("gini", classes=3, numbers=True, missing=True, max_features=2),
        growing("entropy", classes=2, numbers=True, min_samples_leaf=3),
        growing("squared_error", numbers=True, missing=True, splitter="random"),
        growing("squared_error", numbers=True, max_features=1),
    ],
    "grow_more_nodes": [
        growing("gini", classes=3, missing=True),
        growing("entropy", classes=2, outputs=2, splitter="random"),
        growing("squared_error", outputs=2),
        growing("absolute_error", missing=True),
        growing("poisson", monotonic=np.array([0, 0, 1, -1, 0])),
    ],
}
