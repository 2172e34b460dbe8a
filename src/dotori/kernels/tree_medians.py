"""For growing trees by absolute errors: how a median moves from sample to sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._compiler import borrowing, inner

Array = NDArray[Any]


@borrowing
def _remove(r: int, chain: Array, y: Array, w: Array, state: Array) -> Any:
    """Take a target out of a sorted list; the sum of |y - median| of those left.

    `state` holds the weight and sum of all, those below the median, and its place.
    """
    after, before = chain
    c, amount = int(state[4]), w[r] * y[r]
    state[0] -= w[r]
    state[1] -= amount
    if r < c:
        state[2] -= w[r]
        state[3] -= amount
    elif r == c:
        c = after[r]
        if c == len(y):
            c = before[r]
            if c < 0:
                return 0.0
            state[2] -= w[c]
            state[3] -= w[c] * y[c]
    if after[r] < len(y):
        before[after[r]] = before[r]
    if before[r] >= 0:
        after[before[r]] = after[r]
    half = state[0] / 2
    while state[2] + w[c] < half and after[c] < len(y):
        state[2] += w[c]
        state[3] += w[c] * y[c]
        c = after[c]
    while state[2] >= half and before[c] >= 0:
        c = before[c]
        state[2] -= w[c]
        state[3] -= w[c] * y[c]
    state[4] = c
    above = state[1] - state[3] - w[c] * y[c]
    far = state[0] - state[2] - w[c]
    return y[c] * state[2] - state[3] + (above - y[c] * far)


@borrowing
def _median(y: Array, w: Array, after: Array, state: Array) -> Any:
    c = int(state[4])
    if state[2] + w[c] == state[0] / 2 and after[c] < len(y):
        return (y[c] + y[after[c]]) / 2
    return y[c]


@inner
def errors(
    ys: Array,
    medians: Array,
    chain: Array,
    k: int,
    p: int,
    m: int,
    missing_left: bool,
) -> None:
    """Add output k's absolute errors on both sides of each place, and its medians.

    A side loses one sample after the other, so the median moves by little.
    """
    q, state = ys.shape[1], np.empty(5)
    y, w = medians[k, :m], medians[q + k, :m]
    for right in range(2):
        for i in range(5):
            state[i] = 0.0
        for i in range(m):
            chain[0, i], chain[1, i] = i + 1, i - 1
            state[0] += w[i]
            state[1] += w[i] * y[i]
        gone = m - p if (right == 1) == missing_left else 0  # on the other side
        here = p if right == 1 and p < m and not missing_left else p - 1
        for i in range(gone + here):
            j = m - 1 - i if i < gone else (i - gone if right else p - 1 - (i - gone))
            error = _remove(int(ys[j, k]), chain, y, w, state)
            at = j if right else j - 1
            if (i >= gone) if right else (j <= p):
                medians[2 * q + right, at] += error
                medians[2 * q + 2 + right, at] = _median(y, w, chain[0], state)
