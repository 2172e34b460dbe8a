"""Arithmetic on each element of tensors, under PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dotori.autograd import apply, as_variable, binary, unary
from dotori.functions._numpy import TensorLike, implements
from dotori.ops import elementwise as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "abs",
    "add",
    "ceil",
    "clamp",
    "clip",
    "div",
    "floor",
    "floor_divide",
    "fmod",
    "frac",
    "hypot",
    "lerp",
    "maximum",
    "minimum",
    "mul",
    "neg",
    "pow",
    "reciprocal",
    "remainder",
    "round",
    "rsqrt",
    "sign",
    "sqrt",
    "square",
    "sub",
    "trunc",
    "where",
]


@implements(np.negative)
def neg(x: TensorLike) -> Tensor:
    """-x.

    Examples
    --------
    >>> neg([1.0, -2.0]).tolist()
    [-1.0, 2.0]
    """
    return unary(op.Neg, x)


@implements(np.sqrt)
def sqrt(x: TensorLike) -> Tensor:
    """The square root; NaN below 0.

    Examples
    --------
    >>> sqrt([4.0]).tolist()
    [2.0]
    """
    return unary(op.Sqrt, x)


@implements(np.square)
def square(x: TensorLike) -> Tensor:
    """x^2.

    Examples
    --------
    >>> square([3.0]).tolist()
    [9.0]
    """
    return unary(op.Square, x)


@implements(np.absolute)
def abs(x: TensorLike) -> Tensor:
    """|x|.

    Examples
    --------
    >>> abs([-2.0]).tolist()
    [2.0]
    """
    return unary(op.Abs, x)


@implements(np.sign)
def sign(x: TensorLike) -> Tensor:
    """-1, 0 or 1; NaN of NaN (PyTorch gives 0).

    Examples
    --------
    >>> sign([-2.0]).tolist()
    [-1.0]
    """
    return unary(op.Sign, x)


@implements(np.add)
def add(a: TensorLike, b: TensorLike, *, alpha: float = 1) -> Tensor:
    """a + alpha b.

    Examples
    --------
    >>> add([1.0, 2.0], 10).tolist()
    [11.0, 12.0]
    """
    return binary(op.Add, a, b if alpha == 1 else mul(b, alpha))


@implements(np.subtract)
def sub(a: TensorLike, b: TensorLike, *, alpha: float = 1) -> Tensor:
    """a - alpha b.

    Examples
    --------
    >>> sub([1.0, 2.0], 1).tolist()
    [0.0, 1.0]
    """
    return binary(op.Sub, a, b if alpha == 1 else mul(b, alpha))


@implements(np.multiply)
def mul(a: TensorLike, b: TensorLike) -> Tensor:
    """a b.

    Examples
    --------
    >>> mul([1.0, 2.0], [3.0, 4.0]).tolist()
    [3.0, 8.0]
    """
    return binary(op.Mul, a, b)


@implements(np.divide)
def div(a: TensorLike, b: TensorLike) -> Tensor:
    """a / b.

    Examples
    --------
    >>> div([1.0], 2).tolist()
    [0.5]
    """
    return binary(op.Div, a, b)


@implements(np.power)
def pow(a: TensorLike, b: TensorLike) -> Tensor:
    """a^b.

    Examples
    --------
    >>> pow([2.0], 3).tolist()
    [8.0]
    """
    return binary(op.Pow, a, b)


@implements(np.maximum)
def maximum(a: TensorLike, b: TensorLike) -> Tensor:
    """The larger of both.

    Examples
    --------
    >>> maximum([1.0], [2.0]).tolist()
    [2.0]
    """
    return binary(op.Maximum, a, b)


@implements(np.minimum)
def minimum(a: TensorLike, b: TensorLike) -> Tensor:
    """The smaller of both.

    Examples
    --------
    >>> minimum([1.0], [2.0]).tolist()
    [1.0]
    """
    return binary(op.Minimum, a, b)


@implements(np.where)
def where(condition: TensorLike, a: TensorLike, b: TensorLike) -> Tensor:
    """`a` where the condition holds, else `b`.

    Examples
    --------
    >>> where([True, False], [1.0, 2.0], 0.0).tolist()
    [1.0, 0.0]
    """
    from dotori.dtypes import promote_operands
    from dotori.functions.shape import cast

    mask = as_variable(condition)
    values = [getattr(v, "array", v) for v in (a, b)]
    x, y = promote_operands(*values, floats=False)
    given = [
        cast(v, w.dtype) if getattr(v, "node", None) is not None else w
        for v, w in ((a, x), (b, y))
    ]
    result: Tensor = apply(op.Where, mask, *given)
    return result


@implements(np.clip)
def clamp(x: TensorLike, min: float | None = None, max: float | None = None) -> Tensor:
    """x kept within [min, max].

    Examples
    --------
    >>> clamp([-2.0, 0.5, 2.0], 0, 1).tolist()
    [0.0, 0.5, 1.0]
    """
    result: Tensor = apply(op.Clamp, as_variable(x), min=min, max=max)
    return result


@implements(np.reciprocal)
def reciprocal(x: TensorLike) -> Tensor:
    """1 / x.

    Examples
    --------
    >>> reciprocal([4.0]).tolist()
    [0.25]
    """
    return unary(op.Reciprocal, x)


def rsqrt(x: TensorLike) -> Tensor:
    """One over the square root.

    Examples
    --------
    >>> rsqrt([4.0]).tolist()
    [0.5]
    """
    return unary(op.Rsqrt, x)


@implements(np.floor)
def floor(x: TensorLike) -> Tensor:
    """The largest whole number up to x.

    Examples
    --------
    >>> floor([-1.5]).tolist()
    [-2.0]
    """
    return unary(op.Floor, x)


@implements(np.ceil)
def ceil(x: TensorLike) -> Tensor:
    """The smallest whole number from x.

    Examples
    --------
    >>> ceil([-1.5]).tolist()
    [-1.0]
    """
    return unary(op.Ceil, x)


@implements(np.trunc)
def trunc(x: TensorLike) -> Tensor:
    """x without its fraction.

    Examples
    --------
    >>> trunc([-1.5]).tolist()
    [-1.0]
    """
    return unary(op.Trunc, x)


@implements(np.round, np.rint)
def round(x: TensorLike, decimals: int = 0) -> Tensor:
    """The nearest number with so many decimals; of two, the one with an even end.

    Examples
    --------
    >>> round([0.5, 1.5, 2.6]).tolist()
    [0.0, 2.0, 3.0]
    """
    if not decimals:
        return unary(op.Round, x)
    scale = 10.0**decimals
    return div(unary(op.Round, mul(x, scale)), scale)


def frac(x: TensorLike) -> Tensor:
    """The fraction of x, with its sign.

    Examples
    --------
    >>> frac([-1.5]).tolist()
    [-0.5]
    """
    return sub(x, trunc(x))


@implements(np.remainder)
def remainder(a: TensorLike, b: TensorLike) -> Tensor:
    """The remainder of a / b, with the sign of b, as Python has it.

    Examples
    --------
    >>> remainder([-5.0], [3.0]).tolist()
    [1.0]
    """
    return binary(op.Remainder, a, b)


@implements(np.fmod)
def fmod(a: TensorLike, b: TensorLike) -> Tensor:
    """The remainder of a / b, with the sign of a, as C has it.

    Examples
    --------
    >>> fmod([-5.0], [3.0]).tolist()
    [-2.0]
    """
    return binary(op.Fmod, a, b)


@implements(np.floor_divide)
def floor_divide(a: TensorLike, b: TensorLike) -> Tensor:
    """The quotient, rounded down.

    Examples
    --------
    >>> floor_divide([-5], [3]).tolist()
    [-2]
    """
    return binary(op.FloorDivide, a, b)


@implements(np.hypot)
def hypot(a: TensorLike, b: TensorLike) -> Tensor:
    """The length of the vector (a, b).

    Examples
    --------
    >>> hypot([3.0], [4.0]).tolist()
    [5.0]
    """
    return binary(op.Hypot, a, b)


def lerp(a: TensorLike, b: TensorLike, weight: TensorLike) -> Tensor:
    """a + weight (b - a): from `a` to `b` along a line.

    Examples
    --------
    >>> lerp([0.0], [10.0], 0.25).tolist()
    [2.5]
    """
    return add(a, mul(weight, sub(b, a)))


clip = clamp
