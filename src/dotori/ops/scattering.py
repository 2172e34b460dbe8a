"""What is added, multiplied or compared into elements that an index names.

An index is NumPy's and may name an element several times. `dotori.ops.indexing` has
what is written over elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample, follow
from dotori.ops.indexing import add_at


def _gathered(dy: Any, index: Any) -> Any:
    return dy[index]


def _raw(x: Any) -> Any:
    """The array behind `x`: for masks and counts, which have no gradient."""
    return getattr(x, "array", x)


def _samples(rng: Any) -> Iterator[Sample]:
    x, v = rng.standard_normal((4, 5)), rng.standard_normal((3, 5))
    yield Sample((x, v), {"index": (np.array([0, 0, 3]),)})
    rows, columns = np.array([[0], [1], [0]]), np.arange(5)
    yield Sample((x, v), {"index": (rows, columns)})


def _torch(reduce: str) -> Any:
    """PyTorch's way of the same, on indices of rows."""

    def function(x: Any, v: Any, *, index: Any) -> Any:
        import torch

        rows = torch.as_tensor(index[0]).reshape(-1, 1).expand(v.shape)
        return x.scatter_reduce(0, rows, v, reduce)

    return staticmethod(function)


class AddInto(Op):
    """y = x, but y[index] += v."""

    @staticmethod
    def forward(xp: Any, x: Any, v: Any, *, index: Any) -> Any:
        y = x.copy(order="C")
        add_at(xp, y, index, v)
        return y

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, *, index: Any) -> Any:
        return dy, _gathered(dy, index) if needs[1] else None

    torch = _torch("sum")
    samples = staticmethod(_samples)


class MultiplyInto(Op):
    """y = x, but y[index] *= v.

    The derivative for one factor is the product of the others. Let P be the product of
    those that are not zero: it is P over the factor, if that is not zero, times the
    other factors that are zero. These stay in the formula, as the second derivative
    does not vanish with them.
    """

    saves = ("x", "v")

    @staticmethod
    def forward(xp: Any, x: Any, v: Any, *, index: Any) -> Any:
        y = x.copy(order="C")
        xp.multiply.at(y, index, v)
        return y

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, x: Any, v: Any, *, index: Any) -> Any:
        x_zero, v_zero = _raw(x) == 0, _raw(v) == 0
        some_x, some_v = xp.where(x_zero, 1, x), xp.where(v_zero, 1, v)
        dx = dy * follow(MultiplyInto, xp, some_x, some_v, index=index)
        dv = _gathered(dx, index) / some_v if needs[1] else None
        dx = dx / some_x
        if x_zero.any() or v_zero.any():
            rest_x, rest_v = _other_zeros(xp, x, v, x_zero, v_zero, index)
            dx = dx * rest_x
            dv = dv * rest_v if needs[1] else None
        return dx if needs[0] else None, dv

    torch = _torch("prod")
    samples = staticmethod(_samples)


def _other_zeros(
    xp: Any, x: Any, v: Any, x_zero: Any, v_zero: Any, index: Any
) -> tuple[Any, Any]:
    """For each factor, the product of the other factors that are zero, 1 for none.

    To second order: of two zeros, the other one is their sum minus the one.
    """
    zeros = x_zero.astype(np.intp)
    np.add.at(zeros, index, v_zero)
    if not hasattr(x, "node") and not hasattr(v, "node"):  # the first order: 0 or 1
        return zeros == x_zero, zeros[index] == v_zero
    zero_x, zero_v = xp.where(x_zero, x, 0), xp.where(v_zero, v, 0)
    total = follow(AddInto, xp, zero_x, zero_v, index=index)
    ones_x, ones_v = xp.where(x_zero, x, 1), xp.where(v_zero, v, 1)
    product = follow(MultiplyInto, xp, ones_x, ones_v, index=index)
    found = []
    for value, zero, at in ((x, x_zero, ...), (v, v_zero, index)):
        counts = zeros[at]
        other = xp.where(counts == 2, total[at] - value, 0)
        other = xp.where(counts == 1, 1, other)
        found.append(xp.where(zero, other, product[at]))
    return found[0], found[1]


class CompareInto(Op):
    """y = x, but y[index] = max(y[index], v), or min; equals share the gradient."""

    real = True
    saves = ("x", "v", "y")

    @staticmethod
    def forward(xp: Any, x: Any, v: Any, *, index: Any, largest: bool) -> Any:
        y = x.copy(order="C")
        (xp.maximum if largest else xp.minimum).at(y, index, v)
        return y

    @staticmethod
    def backward(
        xp: Any,
        dy: Any,
        needs: Any,
        x: Any,
        v: Any,
        y: Any,
        *,
        index: Any,
        largest: bool,
    ) -> Any:
        result = _raw(y)
        x_won, v_won = _raw(x) == result, _raw(v) == result[index]
        winners = x_won.astype(result.dtype)
        np.add.at(winners, index, v_won)
        share = dy / xp.where(winners == 0, 1, winners)  # 0 where y is NaN
        dx = xp.where(x_won, share, 0) if needs[0] else None
        return dx, xp.where(v_won, _gathered(share, index), 0) if needs[1] else None

    @staticmethod
    def torch(x: Any, v: Any, *, index: Any, largest: bool) -> Any:
        import torch

        rows = torch.as_tensor(index[0]).reshape(-1, 1).expand(v.shape)
        return x.scatter_reduce(0, rows, v, "amax" if largest else "amin")

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for sample in _samples(rng):
            for largest in (False, True):
                yield Sample(sample.inputs, {**sample.attrs, "largest": largest})
