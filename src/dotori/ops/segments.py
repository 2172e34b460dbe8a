"""Sums over stretches of an axis, which may overlap and differ in length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample, follow

Bounds = tuple[tuple[int, int], ...]


class SegmentSum(Op):
    """y_i = the sum of x from begin_i to end_i along an axis of `length`."""

    @staticmethod
    def forward(xp: Any, x: Any, *, bounds: Bounds, axis: int, length: int) -> Any:
        y = xp.empty_like(x, shape=_resized(x, axis, len(bounds)))
        into, parts = xp.moveaxis(y, axis, 0), xp.moveaxis(x, axis, 0)
        for i, (begin, end) in enumerate(bounds):
            into[i] = parts[begin:end].sum(axis=0)
        return y

    @staticmethod
    def backward(xp: Any, dy: Any, **attrs: Any) -> Any:
        return follow(SegmentSpread, xp, dy, **attrs)

    @staticmethod
    def torch(x: Any, *, bounds: Bounds, axis: int, length: int) -> Any:
        import torch

        parts = [x.narrow(axis, i, j - i).sum(axis, keepdim=True) for i, j in bounds]
        return torch.cat(parts, axis)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((2, 3, 5, 4))
        for axis, bounds in ((2, ((0, 2), (1, 4), (3, 5))), (3, ((0, 2), (2, 4)))):
            attrs = {"bounds": bounds, "axis": axis, "length": x.shape[axis]}
            yield Sample((x,), attrs)


class SegmentSpread(Op):
    """dx_j = the sum of dy_i over all stretches with j: `SegmentSum` backwards."""

    @staticmethod
    def forward(xp: Any, dy: Any, *, bounds: Bounds, axis: int, length: int) -> Any:
        dx = xp.empty_like(dy, shape=_resized(dy, axis, length))
        dx[...] = 0
        into, parts = xp.moveaxis(dx, axis, 0), xp.moveaxis(dy, axis, 0)
        for i, (begin, end) in enumerate(bounds):
            into[begin:end] += parts[i]
        return dx

    @staticmethod
    def backward(xp: Any, dy: Any, **attrs: Any) -> Any:
        return follow(SegmentSum, xp, dy, **attrs)

    @staticmethod
    def torch(dy: Any, *, bounds: Bounds, axis: int, length: int) -> Any:
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
            yield Sample((dy,), {"bounds": bounds, "axis": axis, "length": 6})


def _resized(x: Any, axis: int, n: int) -> tuple[int, ...]:
    return (*x.shape[:axis], n, *x.shape[axis + 1 :])


def largest_along(x: Any, bounds: Bounds, axis: int) -> Any:
    """Where along an axis the largest number of each stretch is.

    The first of equals; of several NaN the last, as in PyTorch.
    """
    found = np.empty(_resized(x, axis, len(bounds)), np.int64)
    into, parts = np.moveaxis(found, axis, 0), np.moveaxis(x, axis, 0)
    for i, (begin, end) in enumerate(bounds):
        part = parts[begin:end]
        into[i] = begin + part.argmax(axis=0)
        bad = np.isnan(part)
        if bad.any():
            last = end - 1 - bad[::-1].argmax(axis=0)
            into[i] = np.where(bad.any(axis=0), last, into[i])
    return found
