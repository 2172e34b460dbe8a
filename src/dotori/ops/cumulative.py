"""What runs along an axis: each output has seen the inputs up to its own place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample, follow


def _samples(rng: Any) -> Iterator[Sample]:
    x = rng.standard_normal((2, 3, 4))
    yield Sample((x,), {"axis": 0})
    yield Sample((x,), {"axis": -1})


class Recurrence(Op):
    """y_i = b_i + a_i y_(i-1) along an axis, from y_(-1) = 0.

    With g_i = dy_i + a_(i+1) g_(i+1), the same backwards: db_i = g_i and
    da_i = g_i y_(i-1). Nothing is divided, so the a_i may be 0.
    """

    saves = ("a", "y")

    @staticmethod
    def forward(xp: Any, a: Any, b: Any, *, axis: int) -> Any:
        a, b = xp.moveaxis(a, axis, 0), xp.moveaxis(b, axis, 0)
        y = b.copy()
        for i in range(1, len(y)):
            y[i] += a[i] * y[i - 1]
        return xp.moveaxis(y, 0, axis)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, y: Any, *, axis: int) -> Any:
        g = backwards(xp, _following(xp, a, axis), dy, axis)
        before = xp.flip(_following(xp, xp.flip(y, axis), axis), axis)
        return (g * before if needs[0] else None), g

    @staticmethod
    def torch(a: Any, b: Any, *, axis: int) -> Any:
        import torch

        rows: list[Any] = []
        for ai, bi in zip(a.unbind(axis), b.unbind(axis), strict=True):
            rows.append(bi + ai * rows[-1] if rows else bi)
        return torch.stack(rows, axis)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for axis in (0, -1):
            a, b = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 3, 4))
            a[1, 1, 1] = 0.0
            yield Sample((a, b), {"axis": axis})


def backwards(xp: Any, a: Any, b: Any, axis: int) -> Any:
    """s_i = b_i + a_i s_(i+1), from the end; on arrays and on tensors."""
    a, b = xp.flip(a, axis), xp.flip(b, axis)
    return xp.flip(follow(Recurrence, xp, a, b, axis=axis), axis)


def _following(xp: Any, x: Any, axis: int, end: float = 0.0) -> Any:
    """x_(i+1) at place i, and `end` at the last."""
    x = xp.moveaxis(x, axis, -1)
    last = np.full((*x.shape[:-1], min(x.shape[-1], 1)), end, x.dtype)
    return xp.moveaxis(xp.concatenate([x[..., 1:], last], axis=-1), -1, axis)


class CumProd(Op):
    """y_i = x_0 ... x_i along an axis; dx_i = (dy_i y_i + ... + dy_n y_n) / x_i.

    Where an x is 0, the same without a division: the product of all before x_i, times
    s_i = dy_i + x_(i+1) s_(i+1).
    """

    saves = ("x", "y")
    torch = staticmethod(lambda x, *, axis: x.cumprod(dim=axis))

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: int) -> Any:
        return x.cumprod(axis=axis, dtype=np.int64 if x.dtype.kind in "bui" else None)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, y: Any, *, axis: int) -> Any:
        if getattr(x, "array", x).all():
            return xp.flip(xp.cumsum(xp.flip(dy * y, axis), axis), axis) / x
        one_more = xp.flip(_following(xp, xp.flip(y, axis), axis), axis)
        first = np.zeros(x.shape, x.dtype)
        np.moveaxis(first, axis, 0)[:1] = 1  # the empty product
        return (one_more + first) * backwards(xp, _following(xp, x, axis), dy, axis)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield from _samples(rng)
        x = rng.standard_normal((3, 5))
        x[0, 2] = x[1, 0] = x[1, 3] = 0.0
        yield Sample((x,), {"axis": 1})


class LogCumSumExp(Op):
    """y_i = ln(e^(x_0) + ... + e^(x_i)) along an axis.

    dx_i = e^(x_i - y_i) s_i with s_i = dy_i + e^(y_i - y_(i+1)) s_(i+1). The y_i never
    fall, so that no exponential is above 1.
    """

    real = True
    saves = ("x", "y")
    floats = True
    torch = staticmethod(lambda x, *, axis: x.logcumsumexp(dim=axis))

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: int) -> Any:
        return xp.logaddexp.accumulate(x, axis=axis)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, y: Any, *, axis: int) -> Any:
        down = _ratio(xp, y, _following(xp, y, axis, np.inf))
        return _ratio(xp, x, y) * backwards(xp, down, dy, axis)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield from _samples(rng)


def _ratio(xp: Any, a: Any, b: Any) -> Any:
    """e^(a - b), and 0 where both are -inf."""
    nothing = a == -np.inf
    return xp.where(nothing, 0.0, xp.exp(xp.where(nothing, 0.0, a) - b))
