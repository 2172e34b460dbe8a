"""Resampling along one axis: each output is a weighted sum of a few inputs.

A linear map between axes, ``y_i = sum_j W_ij x_j`` with a matrix W that is mostly
zeros. Its gradient is the transposed map, ``dx_j = sum_i W_ij dy_i``, which is sparse
as well: so one operation is its own rule, to any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from dotori.errors import ShapeError
from dotori.ops._op import Op, Sample, follow


class Taps:
    """A sparse matrix (n_out, n_in): W[rows[k], columns[k]] = weights[k], summed.

    Weights of zero are left out, so that what they would meet (infinity, NaN) does not
    count.
    """

    def __init__(
        self, n_out: int, n_in: int, rows: Any, columns: Any, weights: Any
    ) -> None:
        kept = weights != 0
        rows, columns, weights = rows[kept], columns[kept], weights[kept]
        order = np.lexsort((columns, rows))
        self.n_out, self.n_in = n_out, n_in
        self.rows, self.columns = rows[order], columns[order]
        self.weights = weights[order]

    @cached_property
    def transposed(self) -> Taps:
        """The way back: W^T."""
        return Taps(self.n_in, self.n_out, self.columns, self.rows, self.weights)

    @cached_property
    def passes(self) -> list[tuple[Any, Any, Any]]:
        """(rows, columns, weights), in each of which a row occurs once at most.

        The first tap of every row, then the second, and so on. Weights that are all
        one are None.
        """
        first = np.searchsorted(self.rows, self.rows)  # where the row of each begins
        rank = np.arange(self.rows.size) - first
        found = []
        for k in range(int(rank.max(initial=-1)) + 1):
            chosen = rank == k
            weights = self.weights[chosen]
            found.append(
                (
                    _as_slice(self.rows[chosen]),
                    _as_slice(self.columns[chosen]),
                    None if (weights == 1).all() else weights,
                )
            )
        return found

    def matrix(self) -> Any:
        """W in full."""
        w = np.zeros((self.n_out, self.n_in))
        np.add.at(w, (self.rows, self.columns), self.weights)
        return w

    def __repr__(self) -> str:
        return f"Taps({self.n_in} -> {self.n_out})"


def _as_slice(places: Any) -> Any:
    """Evenly spaced places as a slice, which NumPy need not copy."""
    if places.size == 1:
        return slice(int(places[0]), int(places[0]) + 1)
    steps = np.diff(places)
    if steps[0] > 0 and (steps == steps[0]).all():
        return slice(int(places[0]), int(places[-1]) + 1, int(steps[0]))
    return places


def memory_order(x: Any) -> tuple[int, ...]:
    """The axes of `x` from the one with the largest stride to the one with the least.

    ``x.transpose(memory_order(x))`` lies in memory row by row if `x` is any transposed
    view, such as a picture with channels last.
    """
    return tuple(sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis])))


class Resample(Op):
    """y_i = sum_j W_ij x_j along `axis`, with W from `taps`; dx = W^T dy."""

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
    """The sum, pass by pass. Every row of the first pass is written, not added to."""
    lead = (slice(None),) * axis
    shape = (*x.shape[:axis], taps.n_out, *x.shape[axis + 1 :])
    passes = taps.passes
    if len(passes) == 1 and _is_all(passes[0][0], taps.n_out):
        return xp.ascontiguousarray(_weighted(xp, x, passes[0], axis))
    y = xp.zeros(shape, x.dtype)
    for k, found in enumerate(passes):
        part = _weighted(xp, x, found, axis)
        if _is_all(found[0], taps.n_out):
            y = part if k == 0 and found[2] is not None else xp.add(y, part, out=y)
        else:
            y[(*lead, found[0])] += part
    return y


def _is_all(rows: Any, n: int) -> bool:
    return isinstance(rows, slice) and rows == slice(0, n, 1)


def _weighted(xp: Any, x: Any, found: tuple[Any, Any, Any], axis: int) -> Any:
    """The inputs of one pass, times their weights."""
    _, columns, weights = found
    if isinstance(columns, slice):
        part = x[(slice(None),) * axis + (columns,)]
    else:
        part = xp.take(x, columns, axis=axis)
    if weights is None:
        return part
    after = (1,) * (x.ndim - axis - 1)
    w = xp.asarray(weights, dtype=x.dtype).reshape(-1, *after)
    return part * w
