"""Resampling along one axis: each output is a weighted sum of a few inputs.

A linear map between axes, ``y_i = sum_j W_ij x_j`` with a matrix W that is mostly
zeros. Its gradient is the transposed map, ``dx_j = sum_i W_ij dy_i``, which is sparse
as well: so one operation is its own rule, to any order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from dotori.errors import ShapeError
from dotori.kernels import in_parallel
from dotori.kernels.resampling import resample
from dotori.ops._op import Op, Sample, follow

#: The fewest numbers that are worth a thread.
_WORTH_A_THREAD = 50_000


class Taps:
    """A sparse matrix (n_out, n_in): W[rows[k], columns[k]] = weights[k], summed.

    Weights of zero are left out, so that what they would meet (infinity, NaN) does not
    count. The taps are kept by rows: those of row i are `starts[i]` to `starts[i + 1]`.
    """

    def __init__(
        self, n_out: int, n_in: int, rows: Any, columns: Any, weights: Any
    ) -> None:
        kept = weights != 0
        rows, columns, weights = rows[kept], columns[kept], weights[kept]
        order = np.lexsort((columns, rows))
        self.n_out, self.n_in = n_out, n_in
        self.rows, self.columns = rows[order], columns[order].astype(np.int64)
        self.weights = weights[order]
        self.starts = np.searchsorted(self.rows, np.arange(n_out + 1)).astype(np.int64)

    @cached_property
    def transposed(self) -> Taps:
        """The way back: W^T."""
        return Taps(self.n_in, self.n_out, self.columns, self.rows, self.weights)

    def matrix(self) -> Any:
        """W in full."""
        w = np.zeros((self.n_out, self.n_in))
        np.add.at(w, (self.rows, self.columns), self.weights)
        return w

    def __repr__(self) -> str:
        return f"Taps({self.n_in} -> {self.n_out})"


def memory_order(x: Any) -> tuple[int, ...]:
    """The axes of `x` from the one with the largest stride to the one with the least.

    ``x.transpose(memory_order(x))`` lies in memory row by row if `x` is any transposed
    view, such as a picture with channels last.
    """
    return tuple(sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis])))


class Resample(Op):
    """y_i = sum_j W_ij x_j along `axis`, with W from `taps`; dx = W^T dy."""

    whole = True

    @staticmethod
    def forward(xp: Any, x: Any, *, taps: Taps, axis: int) -> Any:
        if x.shape[axis] != taps.n_in:
            raise ShapeError(
                f"Resample: axis {axis} of shape {x.shape} should have {taps.n_in}"
            )
        order = memory_order(x)
        x = x.transpose(order)
        axis = order.index(axis)
        y = _resampled(xp, x, taps, axis)
        return y.transpose(tuple(np.argsort(order)))

    @staticmethod
    def backward(xp: Any, dy: Any, *, taps: Taps, axis: int) -> Any:
        return follow(Resample, xp, dy, taps=taps.transposed, axis=axis)

    @staticmethod
    def torch(x: Any, *, taps: Taps, axis: int) -> Any:
        import torch

        w = torch.tensor(taps.matrix(), dtype=x.dtype)
        return torch.tensordot(x, w, dims=([axis], [1])).movedim(-1, axis)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        rows, columns = np.array([0, 0, 1, 3, 3, 3]), np.array([1, 2, 2, 0, 2, 2])
        taps = Taps(4, 3, rows, columns, rng.uniform(0.2, 2.0, 6))
        yield Sample((rng.standard_normal((2, 3, 4)),), {"taps": taps, "axis": 1})
        picture = rng.standard_normal((2, 3, 4)).transpose(0, 2, 1)  # channels last
        yield Sample((picture,), {"taps": taps, "axis": 2})


def _resampled(xp: Any, x: Any, taps: Taps, axis: int) -> Any:
    """`x` as (outer, inputs, inner), through the kernel, and back to its axes."""
    shape = x.shape
    outer, inner = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    x = xp.ascontiguousarray(x).reshape(outer, taps.n_in, inner)
    if xp is not np:
        w = xp.asarray(taps.matrix(), dtype=x.dtype)
        return xp.matmul(w, x).reshape(*shape[:axis], taps.n_out, *shape[axis + 1 :])
    y = np.empty((outer, taps.n_out, inner), x.dtype)
    w = taps.weights.astype(x.dtype)
    compiled = x.dtype.char in "fd" and x.dtype.isnative
    kernel = resample if compiled else resample.twin

    def piece(start: int, stop: int) -> None:
        kernel(x[start:stop], taps.starts, taps.columns, w, y[start:stop])

    if compiled:
        most = max(taps.n_out, taps.n_in) * inner
        in_parallel(outer, piece, _WORTH_A_THREAD // max(most, 1))
    else:
        piece(0, outer)
    return y.reshape(*shape[:axis], taps.n_out, *shape[axis + 1 :])
