"""ReLU over large arrays: in one pass, on several threads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._pair import paired
from dotori.kernels._threads import in_parallel

Array = NDArray[Any]

#: The fewest elements that are worth a thread.
LEAST = 1 << 16


def relu(x: Array) -> Array:
    """max(x, 0) of an array that is large and has no gaps in memory."""
    y = np.empty_like(x)
    given, made = x.ravel("K"), y.ravel("K")
    in_parallel(
        x.size, lambda i, j: np.maximum(given[i:j], 0, out=made[i:j]), least=LEAST
    )
    return y


def relu_back(dy: Array, y: Array) -> Array:
    """dy where y > 0, of arrays that are large and lie alike, without gaps."""
    dx = np.empty_like(y)
    flat = [a.ravel("K") for a in (dx, dy, y)]
    in_parallel(
        y.size, lambda i, j: relu_gradient(*(a[i:j] for a in flat)), least=LEAST
    )
    return dx


def alike(*arrays: Array) -> bool:
    """Whether these floats are of one type and shape, and lie in one order of axes
    without gaps, so that they can be gone through as if they were flat.
    """
    first = arrays[0]
    if first.dtype.kind != "f":
        return False
    if not first.flags.c_contiguous:
        order = sorted(range(first.ndim), key=lambda i: -first.strides[i])
        if not first.transpose(order).flags.c_contiguous:
            return False
    return all(
        a.dtype == first.dtype and a.shape == first.shape and a.strides == first.strides
        for a in arrays[1:]
    )


def relu_gradient_numpy(dx: Array, dy: Array, y: Array) -> None:
    """dx = dy where y > 0, else 0 (infinities and NaN in dy come through as NaN)."""
    np.multiply(dy, y > 0, out=dx)


@paired(relu_gradient_numpy)
def relu_gradient(dx: Array, dy: Array, y: Array) -> None:
    """One pass, without the mask in memory."""
    one, zero = y.dtype.type(1), y.dtype.type(0)
    for i in range(dx.size):
        dx[i] = dy[i] * (one if y[i] > 0 else zero)
