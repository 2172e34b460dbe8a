"""Elementwise functions of tensors, under PyTorch's names; NumPy's reach them too."""

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
    "clamp",
    "clip",
    "cos",
    "div",
    "eq",
    "exp",
    "expm1",
    "ge",
    "gt",
    "isfinite",
    "isnan",
    "le",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "lt",
    "maximum",
    "minimum",
    "mul",
    "ne",
    "neg",
    "pow",
    "sigmoid",
    "sign",
    "sin",
    "sqrt",
    "square",
    "sub",
    "tanh",
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


@implements(np.exp)
def exp(x: TensorLike) -> Tensor:
    """e^x.

    Examples
    --------
    >>> exp([0.0]).tolist()
    [1.0]
    """
    return unary(op.Exp, x)


@implements(np.log)
def log(x: TensorLike) -> Tensor:
    """The natural logarithm; -inf at 0, NaN below.

    Examples
    --------
    >>> log([1.0]).tolist()
    [0.0]
    """
    return unary(op.Log, x)


@implements(np.log1p)
def log1p(x: TensorLike) -> Tensor:
    """ln(1 + x), accurate for small x.

    Examples
    --------
    >>> log1p([0.0]).tolist()
    [0.0]
    """
    return unary(op.Log1p, x)


@implements(np.expm1)
def expm1(x: TensorLike) -> Tensor:
    """e^x - 1, accurate for small x.

    Examples
    --------
    >>> expm1([0.0]).tolist()
    [0.0]
    """
    return unary(op.Expm1, x)


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


@implements(np.tanh)
def tanh(x: TensorLike) -> Tensor:
    """The hyperbolic tangent.

    Examples
    --------
    >>> tanh([0.0]).tolist()
    [0.0]
    """
    return unary(op.Tanh, x)


@implements(np.sin)
def sin(x: TensorLike) -> Tensor:
    """The sine.

    Examples
    --------
    >>> sin([0.0]).tolist()
    [0.0]
    """
    return unary(op.Sin, x)


@implements(np.cos)
def cos(x: TensorLike) -> Tensor:
    """The cosine.

    Examples
    --------
    >>> cos([0.0]).tolist()
    [1.0]
    """
    return unary(op.Cos, x)


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
    """-1, 0 or 1.

    Examples
    --------
    >>> sign([-2.0]).tolist()
    [-1.0]
    """
    return unary(op.Sign, x)


def sigmoid(x: TensorLike) -> Tensor:
    """1 / (1 + e^-x), without overflow at any x.

    Examples
    --------
    >>> sigmoid([0.0]).tolist()
    [0.5]
    """
    return unary(op.Sigmoid, x)


@implements(np.isnan)
def isnan(x: TensorLike) -> Tensor:
    """Whether each element is NaN.

    Examples
    --------
    >>> isnan([1.0]).tolist()
    [False]
    """
    return unary(op.IsNan, x)


@implements(np.isfinite)
def isfinite(x: TensorLike) -> Tensor:
    """Whether each element is finite.

    Examples
    --------
    >>> isfinite([1.0]).tolist()
    [True]
    """
    return unary(op.IsFinite, x)


@implements(np.logical_not)
def logical_not(x: TensorLike) -> Tensor:
    """Whether each element is zero.

    Examples
    --------
    >>> logical_not([1.0]).tolist()
    [False]
    """
    return unary(op.LogicalNot, x)


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


@implements(np.equal)
def eq(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a = b.

    Examples
    --------
    >>> eq([1], [1]).tolist()
    [True]
    """
    return binary(op.Eq, a, b)


@implements(np.not_equal)
def ne(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a differs from b.

    Examples
    --------
    >>> ne([1], [1]).tolist()
    [False]
    """
    return binary(op.Ne, a, b)


@implements(np.less)
def lt(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a < b.

    Examples
    --------
    >>> lt([1], [2]).tolist()
    [True]
    """
    return binary(op.Lt, a, b)


@implements(np.less_equal)
def le(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a <= b.

    Examples
    --------
    >>> le([1], [2]).tolist()
    [True]
    """
    return binary(op.Le, a, b)


@implements(np.greater)
def gt(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a > b.

    Examples
    --------
    >>> gt([1], [2]).tolist()
    [False]
    """
    return binary(op.Gt, a, b)


@implements(np.greater_equal)
def ge(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether a >= b.

    Examples
    --------
    >>> ge([1], [2]).tolist()
    [False]
    """
    return binary(op.Ge, a, b)


@implements(np.logical_and)
def logical_and(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether both are not zero.

    Examples
    --------
    >>> logical_and([1], [0]).tolist()
    [False]
    """
    return binary(op.LogicalAnd, a, b)


@implements(np.logical_or)
def logical_or(a: TensorLike, b: TensorLike) -> Tensor:
    """Whether one is not zero.

    Examples
    --------
    >>> logical_or([1], [0]).tolist()
    [True]
    """
    return binary(op.LogicalOr, a, b)


@implements(np.where)
def where(condition: TensorLike, a: TensorLike, b: TensorLike) -> Tensor:
    """`a` where the condition holds, else `b`.

    Examples
    --------
    >>> where([True, False], [1.0, 2.0], 0.0).tolist()
    [1.0, 0.0]
    """
    from dotori.dtypes import promote_operands

    mask = as_variable(condition)
    values = [getattr(v, "array", v) for v in (a, b)]
    x, y = promote_operands(*values, floats=False)
    given = [
        v if hasattr(v, "node") and v.array is w else w for v, w in ((a, x), (b, y))
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


clip = clamp
