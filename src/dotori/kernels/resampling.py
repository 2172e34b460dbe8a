"""Sparse matrices along one axis of an array: what `ops.resampling` is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._pair import paired

Array = NDArray[Any]


def resample_numpy(x: Array, starts: Array, columns: Array, w: Array, y: Array) -> None:
    """y[o, i] = sum of w[k] x[o, columns[k]] for k from starts[i] to starts[i + 1].

    `x` has the shape (outer, inputs, inner) and `y`, written in place, (outer, outputs,
    inner). An output without a k is 0.
    """
    counts = np.diff(starts)
    if (counts == 0).any():
        y[...] = 0
    for k in range(int(counts.max(initial=0))):  # the first tap of all, the second ...
        rows = np.flatnonzero(counts > k)
        taps = starts[rows] + k
        part = x[:, _as_slice(columns[taps])]
        if (w[taps] != 1).any():
            part = part * w[taps].reshape(-1, 1)
        if k == 0:
            y[:, _as_slice(rows)] = part
        else:
            y[:, _as_slice(rows)] += part


def _as_slice(places: Array) -> Any:
    """Evenly spaced places as a slice, which NumPy need not copy."""
    if places.size == 1:
        return slice(int(places[0]), int(places[0]) + 1)
    steps = np.diff(places)
    if steps[0] > 0 and (steps == steps[0]).all():
        return slice(int(places[0]), int(places[-1]) + 1, int(steps[0]))
    return places


@paired(resample_numpy, passes=3)
def resample(x: Array, starts: Array, columns: Array, w: Array, y: Array) -> None:
    """Output after output, each written once and then added to while it is at hand."""
    for o in range(y.shape[0]):
        for i in range(y.shape[1]):
            row = y[o, i]
            first, end = starts[i], starts[i + 1]
            if first == end:
                row[:] = 0
            for k in range(first, end):
                weight, seen = w[k], x[o, columns[k]]
                if k == first:
                    for c in range(row.size):
                        row[c] = weight * seen[c]
                else:
                    for c in range(row.size):
                        row[c] += weight * seen[c]
