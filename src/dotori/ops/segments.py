"""Sums over stretches of an axis, which may overlap and differ in length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample, follow

Bounds = tuple[tuple[int, int], ...]


class SegmentSum(Op):
    """y_i = the sum of x from begin_i to end_i along an axis of `length`.

    `order` names the axes as they are to lie in memory, the innermost last.
    """

    @staticmethod
    def forward(
        xp: Any, x: Any, *, bounds: Bounds, axis: int, length: int, order: Any
    ) -> Any:
        y = _laid_out(xp, x, _resized(x, axis, len(bounds)), order)
        into, parts = xp.moveaxis(y, axis, 0), xp.moveaxis(x, axis, 0)
        for i, (begin, end) in enumerate(bounds):
            into[i] = parts[begin:end].sum(axis=0)
        return y

    @staticmethod
    def backward(xp: Any, dy: Any, **attrs: Any) -> Any:
        return follow(SegmentSpread, xp, dy, **attrs)

    @staticmethod
    def torch(x: Any, *, bounds: Bounds, axis: int, **rest: Any) -> Any:
        import torch

        parts = [x.narrow(axis, i, j - i).sum(axis, keepdim=True) for i, j in bounds]
        return torch.cat(parts, axis)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((2, 3, 5, 4))
        for axis, bounds in ((2, ((0, 2), (1, 4), (3, 5))), (3, ((0, 2), (2, 4)))):
            attrs = {"bounds": bounds, "axis": axis, "length": x.shape[axis]}
            yield Sample((x,), {**attrs, "order": (0, 2, 3, 1)})


class SegmentSpread(Op):
    """dx_j = the sum of dy_i over all stretches with j: `SegmentSum` backwards."""

    @staticmethod
    def forward(
        xp: Any, dy: Any, *, bounds: Bounds, axis: int, length: int, order: Any
    ) -> Any:
        dx = _laid_out(xp, dy, _resized(dy, axis, length), order)
        dx[...] = 0
        into, parts = xp.moveaxis(dx, axis, 0), xp.moveaxis(dy, axis, 0)
        for i, (begin, end) in enumerate(bounds):
            into[begin:end] += parts[i]
        return dx

    @staticmethod
    def backward(xp: Any, dy: Any, **attrs: Any) -> Any:
        return follow(SegmentSum, xp, dy, **attrs)

    @staticmethod
    def torch(dy: Any, *, bounds: Bounds, axis: int, length: int, order: Any) -> Any:
        import torch

        zeros = torch.zeros(_resized(dy, axis, length), dtype=dy.dtype)
        for i, (begin, end) in enumerate(bounds):
            rows = torch.arange(begin, end)
            part = dy.narrow(axis, i, 1).expand(_resized(dy, axis, end - begin))
            zeros = zeros.index_add(axis, rows, part)
        return zeros

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        dy = rng.standard_normal((2, 3, 5))
        for axis, bounds in ((1, ((0, 2), (1, 4), (3, 5))), (0, ((0, 3), (2, 4)))):
            attrs = {"bounds": bounds, "axis": axis, "length": 6}
            yield Sample((dy,), {**attrs, "order": (0, 2, 1)})


def _resized(x: Any, axis: int, n: int) -> tuple[int, ...]:
    return (*x.shape[:axis], n, *x.shape[axis + 1 :])


def order_of(x: Any) -> tuple[int, ...]:
    """The axes of `x` as they lie in memory, the innermost last."""
    return tuple(sorted(range(x.ndim), key=lambda d: -x.strides[d]))


def _laid_out(xp: Any, x: Any, shape: tuple[int, ...], order: Any) -> Any:
    """A new array of the type of `x` whose axes lie in this order."""
    y = xp.empty([shape[d] for d in order], x.dtype)
    return y.transpose(sorted(range(len(order)), key=lambda i: order[i]))


def largest_along(xp: Any, x: Any, bounds: Bounds, axis: int) -> Any:
    """Where along an axis the largest number of each stretch is.

    The first of equals; of several NaN the last, as in PyTorch.
    """
    found = xp.empty(_resized(x, axis, len(bounds)), np.int64)
    into, parts = xp.moveaxis(found, axis, 0), xp.moveaxis(x, axis, 0)
    for i, (begin, end) in enumerate(bounds):
        part = parts[begin:end]
        into[i] = begin + part.argmax(axis=0)
        bad = xp.isnan(part)
        if bad.any():
            last = end - 1 - bad[::-1].argmax(axis=0)
            into[i] = xp.where(bad.any(axis=0), last, into[i])
    return found
