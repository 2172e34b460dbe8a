"""Arguments for stochastic gradient descent: every loss, rate and kind of penalty."""

import numpy as np

ALPHA, L1_RATIO = 0.01, 0.4


def _about(rng, n, d, loss, rate, penalty, average):
    y = np.where(rng.random(n) < 0.5, -1.0, 1.0) if loss <= 3 else rng.normal(size=n)
    ratio = {"none": 0.0, "l2": 0.0, "l1": 1.0, "both": L1_RATIO}[penalty]
    margin = 1.0 if loss <= 3 else 0.1
    numbers = np.array(
        [
            ALPHA,
            ratio,
            0.3,
            0.25,
            9.0,
            margin,
            2.0,
            0.5,
            average,
            1.0,
            penalty in ("l2", "both"),
        ],
        np.float64,
    )
    state = np.zeros(11)
    state[1] = state[2] = 1
    state[6] = 0.3
    z = np.zeros(d if average else 0)
    q = np.zeros(d if ratio else 0)
    order = rng.permutation(n)
    rest = (order, rng.normal(size=d) * 0, z, q, state, numbers, loss, rate)
    return y, rng.uniform(0.5, 2, n), rest


def _dense(loss, rate, penalty="l2", average=0.0, n=23, d=5, scale=1.0):
    def make(rng, dtype):
        x = (scale * rng.standard_normal((n, d))).astype(dtype)
        y, weight, rest = _about(rng, n, d, loss, rate, penalty, average)
        square = np.square(x.astype(np.float64)).sum(axis=1)
        return (x, y, weight, square, *rest)

    return make


def _sparse(loss, rate, penalty="l2", average=0.0, n=23, d=9):
    def make(rng, dtype):
        full = rng.standard_normal((n, d)) * (rng.random((n, d)) < 0.4)
        counts = (full != 0).sum(axis=1)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        columns = np.nonzero(full)[1].astype(np.int32)
        values = full[full != 0].astype(dtype)
        y, weight, rest = _about(rng, n, d, loss, rate, penalty, average)
        square = np.square(full.astype(dtype).astype(np.float64)).sum(axis=1)
        return (values, columns, starts, y, weight, square, *rest)

    return make


_KINDS = [
    *[(loss, 1 + loss % 2) for loss in range(8)],
    (0, 4),
    (6, 5),
    (4, 0, "none"),
    (0, 1, "l1"),
    (2, 1, "both", 3.0),
    (4, 2, "l2", 1.0),
    (2, 0, "l1", 7.0),
]
SHAPED = {
    "sgd_dense": [
        *[_dense(*kind) for kind in _KINDS],
        _dense(0, 3, "l2", 2.0, scale=30.0),  # the scale falls to zero
        _dense(4, 2, d=1),
    ],
    "sgd_sparse": [_sparse(*kind) for kind in _KINDS],
}
