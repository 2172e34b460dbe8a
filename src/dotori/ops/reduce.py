"""Reductions: operations that make one number of many along some axes.

`axis` is None, an int or a tuple; `keepdims` keeps the axes at length 1; `shape` is
that of the input, which a rule needs where it needs nothing else of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample


def kept_shape(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """`shape` with the axes that a reduction takes away at length 1."""
    if axis is None:
        return (1,) * len(shape)
    axes = {a % len(shape) for a in ((axis,) if isinstance(axis, int) else axis)}
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def stretch(dy: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """`dy` with the axes that were reduced away put back at length 1."""
    return dy.reshape(kept_shape(shape, axis))


#: An axis that is longer is summed in blocks of this many.
BLOCK = 1024


def total(xp: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The sum of numbers; integers and booleans are counted in int64.

    NumPy adds up pairs of halves along the last axis, but row after row along any
    other, where the rounding error grows with the length. There a long axis is summed
    in blocks (Higham, "The accuracy of floating point summation", 1993), for the same
    time.
    """
    if hasattr(x, "node"):  # a tensor
        return x.sum(axis=axis, keepdims=keepdims)
    dtype = np.int64 if x.dtype.kind in "bui" else None
    if type(axis) is int and x.dtype.kind == "f":
        place, n = axis % x.ndim, x.shape[axis]
        if n > 4 * BLOCK and place < x.ndim - 1:
            whole = n // BLOCK * BLOCK
            before = (slice(None),) * place
            shape = (*x.shape[:place], -1, BLOCK, *x.shape[place + 1 :])
            blocks = x[(*before, slice(whole))].reshape(shape)
            sums = xp.add.reduce(blocks, axis=place + 1)
            rest = xp.add.reduce(x[(*before, slice(whole, None))], place, keepdims=True)
            x = xp.concatenate([sums, rest], axis=place)
    return xp.add.reduce(x, axis=axis, keepdims=keepdims, dtype=dtype)


class Reduction(Op, abstract=True):
    """An operation along axes."""

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((2, 3, 4))
        for axis, keepdims in ((None, False), (1, False), ((0, 2), True), (-1, True)):
            attrs = {"axis": axis, "keepdims": keepdims, "shape": x.shape}
            yield Sample((x,), attrs)


def _torch(name: str, **extra: Any) -> Callable[..., Any]:
    """PyTorch's function of this name, called with `dim` and `keepdim`."""

    def call(x: Any, *, axis: Any, keepdims: bool, shape: Any = None) -> Any:
        import torch

        dims = tuple(range(x.ndim)) if axis is None else axis
        return getattr(torch, name)(x, dim=dims, keepdim=keepdims, **extra)

    return call


class Sum(Reduction):
    """y = sum of x; dy/dx_i = 1."""

    torch = _torch("sum")

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: Any, keepdims: bool, shape: Any) -> Any:
        return total(xp, x, axis, keepdims)

    @staticmethod
    def backward(xp: Any, dy: Any, *, axis: Any, keepdims: bool, shape: Any) -> Any:
        return xp.broadcast_to(stretch(dy, shape, axis), shape)


class Mean(Reduction):
    """y = sum of x / n; dy/dx_i = 1/n."""

    torch = _torch("mean")

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: Any, keepdims: bool, shape: Any) -> Any:
        n = math.prod(shape) // max(math.prod(kept_shape(shape, axis)), 1)
        return total(xp, x, axis, keepdims) / (n or math.nan)

    @staticmethod
    def backward(xp: Any, dy: Any, *, axis: Any, keepdims: bool, shape: Any) -> Any:
        n = math.prod(shape) // max(math.prod(kept_shape(shape, axis)), 1)
        return xp.broadcast_to(stretch(dy / (n or 1), shape, axis), shape)


class Amax(Reduction):
    """y = largest x; ties share the gradient evenly."""

    real = True
    saves = ("x", "y")
    torch = _torch("amax")

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: Any, keepdims: bool, shape: Any) -> Any:
        return x.max(axis=axis, keepdims=keepdims)

    @staticmethod
    def backward(
        xp: Any, dy: Any, x: Any, y: Any, *, axis: Any, keepdims: bool, shape: Any
    ) -> Any:
        return _to_extremes(xp, dy, x, y, axis, shape)


class Amin(Reduction):
    """y = smallest x; ties share the gradient evenly."""

    real = True
    saves = ("x", "y")
    torch = _torch("amin")

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: Any, keepdims: bool, shape: Any) -> Any:
        return x.min(axis=axis, keepdims=keepdims)

    @staticmethod
    def backward(
        xp: Any, dy: Any, x: Any, y: Any, *, axis: Any, keepdims: bool, shape: Any
    ) -> Any:
        return _to_extremes(xp, dy, x, y, axis, shape)


def _to_extremes(xp: Any, dy: Any, x: Any, y: Any, axis: Any, shape: Any) -> Any:
    y = stretch(y, shape, axis)
    chosen = (x == y) | (xp.isnan(x) & xp.isnan(y))
    count = chosen.sum(axis=axis, keepdims=True)
    return chosen * (stretch(dy, shape, axis) / count)


class Var(Reduction):
    """y = sum (x - mean)^2 / (n - correction); y' = 2 (x - mean)/(n - correction)."""

    saves = ("x",)

    @staticmethod
    def forward(
        xp: Any, x: Any, *, axis: Any, keepdims: bool, shape: Any, correction: float
    ) -> Any:
        n = math.prod(shape) // max(math.prod(kept_shape(shape, axis)), 1)
        d = x - total(xp, x, axis, True) / (n or 1)
        squares = total(xp, d * d, axis, keepdims)
        return squares / np.float64(max(n - correction, 0)).astype(x.dtype)

    @staticmethod
    def backward(
        xp: Any,
        dy: Any,
        x: Any,
        *,
        axis: Any,
        keepdims: bool,
        shape: Any,
        correction: float,
    ) -> Any:
        n = math.prod(shape) // max(math.prod(kept_shape(shape, axis)), 1)
        d = x - total(xp, x, axis, True) / (n or 1)
        return d * (stretch(dy, shape, axis) * (2 / max(n - correction, 1e-300)))

    @staticmethod
    def torch(x: Any, *, correction: float, **attrs: Any) -> Any:
        return _torch("var", correction=correction)(x, **attrs)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for sample in Reduction.samples(rng):
            yield Sample(sample.inputs, {**sample.attrs, "correction": 1})
            yield Sample(sample.inputs, {**sample.attrs, "correction": 0})


class LogSumExp(Reduction):
    """y = ln sum e^x, shifted by max x; dy/dx_i = e^(x_i - y)."""

    saves = ("x", "y")
    floats = True
    torch = _torch("logsumexp")

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: Any, keepdims: bool, shape: Any) -> Any:
        if not x.size:
            return xp.log(x.sum(axis=axis, keepdims=keepdims))
        top = x.max(axis=axis, keepdims=True)
        top = xp.where(xp.isfinite(top), top, 0)
        y = xp.log(xp.exp(x - top).sum(axis=axis, keepdims=True)) + top
        return y if keepdims else y.squeeze(axis)

    @staticmethod
    def backward(
        xp: Any, dy: Any, x: Any, y: Any, *, axis: Any, keepdims: bool, shape: Any
    ) -> Any:
        y = stretch(y, shape, axis)
        # where all is -inf, so is the difference, and no x counts
        return stretch(dy, shape, axis) * xp.exp(xp.where(x == -np.inf, x, x - y))


def product_before(xp: Any, x: Any, axis: int) -> Any:
    """The product of all elements before each one along an axis; 1 for the first."""
    x = xp.moveaxis(x, axis, -1)
    one = np.ones((*x.shape[:-1], min(x.shape[-1], 1)), x.dtype)
    found = xp.concatenate([one, xp.cumprod(x[..., :-1], axis=-1)], axis=-1)
    return xp.moveaxis(found, -1, axis)


class Prod(Op):
    """y = product of x along one axis; dy/dx_i = product of the others.

    It is that of all before times that of all after, without a division by zero.
    """

    saves = ("x",)
    torch = staticmethod(lambda x, *, axis: x.prod(dim=axis))

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: int) -> Any:
        return x.prod(axis=axis, dtype=np.int64 if x.dtype.kind in "bui" else None)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, *, axis: int) -> Any:
        after = xp.flip(product_before(xp, xp.flip(x, axis), axis), axis)
        rest = product_before(xp, x, axis) * after
        return rest * stretch(dy, x.shape, axis)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((2, 3, 4))
        x[0, 1, 2] = 0.0
        yield Sample((x,), {"axis": 1})
        yield Sample((x,), {"axis": -1})


class CumSum(Op):
    """y_i = x_0 + ... + x_i along an axis; the gradient sums from the end."""

    torch = staticmethod(lambda x, *, axis: x.cumsum(dim=axis))

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: int) -> Any:
        return x.cumsum(axis=axis, dtype=np.int64 if x.dtype.kind in "bui" else None)

    @staticmethod
    def backward(xp: Any, dy: Any, *, axis: int) -> Any:
        return xp.flip(xp.cumsum(xp.flip(dy, axis), axis), axis)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((2, 3, 4))
        yield Sample((x,), {"axis": 0})
        yield Sample((x,), {"axis": -1})
