"""Reductions: operations that make one number of many along some axes.

`axis` is None, an int or a tuple; `keepdims` keeps the axes at length 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample


def stretch(dy: Any, like: Any, axis: Any, keepdims: bool) -> Any:
    """Give `dy` back the axes that a reduction of `like` took away, at length 1."""
    if keepdims or (axis is None and not like.ndim):
        return dy
    axes = range(like.ndim) if axis is None else axis
    axes = {a % like.ndim for a in ((axes,) if isinstance(axes, int) else axes)}
    return dy.reshape(tuple(1 if i in axes else n for i, n in enumerate(like.shape)))


class Reduction(Op, abstract=True):
    """An operation along axes."""

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((2, 3, 4))
        for axis, keepdims in ((None, False), (1, False), ((0, 2), True), (-1, True)):
            yield Sample((x,), {"axis": axis, "keepdims": keepdims})


def _torch(name: str) -> Any:
    def call(x: Any, *, axis: Any, keepdims: bool) -> Any:
        import torch

        function = getattr(torch, name)
        axis = tuple(range(x.ndim)) if axis is None else axis
        return function(x, dim=axis, keepdim=keepdims)

    return call


class Sum(Reduction):
    """y = sum of x; dy/dx_i = 1."""

    saves = ("x",)
    torch = _torch("sum")

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return x.sum(axis=axis, keepdims=keepdims)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return xp.broadcast_to(stretch(dy, x, axis, keepdims), x.shape)


class Mean(Reduction):
    """y = sum of x / n; dy/dx_i = 1/n."""

    saves = ("x",)
    floats = True
    torch = _torch("mean")

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return x.mean(axis=axis, keepdims=keepdims)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
        dy = stretch(dy, x, axis, keepdims)
        count = x.size if isinstance(x, np.ndarray) else x.numel()
        share = dy * (dy.size if isinstance(dy, np.ndarray) else dy.numel()) / count
        return xp.broadcast_to(share, x.shape)


class Amax(Reduction):
    """y = largest x; ties share the gradient evenly."""

    saves = ("x", "y")
    torch = _torch("amax")

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return x.max(axis=axis, keepdims=keepdims)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, y: Any, *, axis: Any, keepdims: bool) -> Any:
        return _to_extremes(dy, x, y, axis, keepdims)


class Amin(Reduction):
    """y = smallest x; ties share the gradient evenly."""

    saves = ("x", "y")
    torch = _torch("amin")

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return x.min(axis=axis, keepdims=keepdims)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, y: Any, *, axis: Any, keepdims: bool) -> Any:
        return _to_extremes(dy, x, y, axis, keepdims)


def _to_extremes(dy: Any, x: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    chosen = x == stretch(y, x, axis, keepdims)
    count = chosen.sum(axis=axis, keepdims=True)
    return chosen * (stretch(dy, x, axis, keepdims) / count)
