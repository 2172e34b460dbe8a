"""Exponentials, logarithms, trigonometric and hyperbolic functions of tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dotori.autograd import binary, unary
from dotori.functions._numpy import TensorLike, implements
from dotori.ops import transcendental as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "sigmoid",
    "sin",
    "sinh",
    "tan",
    "tanh",
]


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


def sigmoid(x: TensorLike) -> Tensor:
    """1 / (1 + e^-x), without overflow at any x.

    Examples
    --------
    >>> sigmoid([0.0]).tolist()
    [0.5]
    """
    return unary(op.Sigmoid, x)


@implements(np.exp2)
def exp2(x: TensorLike) -> Tensor:
    """2^x.

    Examples
    --------
    >>> exp2([3.0]).tolist()
    [8.0]
    """
    return unary(op.Exp2, x)


@implements(np.log2)
def log2(x: TensorLike) -> Tensor:
    """The logarithm to base 2.

    Examples
    --------
    >>> log2([8.0]).tolist()
    [3.0]
    """
    return unary(op.Log2, x)


@implements(np.log10)
def log10(x: TensorLike) -> Tensor:
    """The logarithm to base 10.

    Examples
    --------
    >>> log10([100.0]).tolist()
    [2.0]
    """
    return unary(op.Log10, x)


@implements(np.sinh)
def sinh(x: TensorLike) -> Tensor:
    """The hyperbolic sine.

    Examples
    --------
    >>> sinh([0.0]).tolist()
    [0.0]
    """
    return unary(op.Sinh, x)


@implements(np.cosh)
def cosh(x: TensorLike) -> Tensor:
    """The hyperbolic cosine.

    Examples
    --------
    >>> cosh([0.0]).tolist()
    [1.0]
    """
    return unary(op.Cosh, x)


@implements(np.tan)
def tan(x: TensorLike) -> Tensor:
    """The tangent.

    Examples
    --------
    >>> tan([0.0]).tolist()
    [0.0]
    """
    return unary(op.Tan, x)


@implements(np.arcsin)
def asin(x: TensorLike) -> Tensor:
    """The angle whose sine is x; NaN beyond [-1, 1].

    Examples
    --------
    >>> asin([0.0]).tolist()
    [0.0]
    """
    return unary(op.Asin, x)


@implements(np.arccos)
def acos(x: TensorLike) -> Tensor:
    """The angle whose cosine is x; NaN beyond [-1, 1].

    Examples
    --------
    >>> acos([1.0]).tolist()
    [0.0]
    """
    return unary(op.Acos, x)


@implements(np.arctan)
def atan(x: TensorLike) -> Tensor:
    """The angle whose tangent is x.

    Examples
    --------
    >>> atan([0.0]).tolist()
    [0.0]
    """
    return unary(op.Atan, x)


@implements(np.arcsinh)
def asinh(x: TensorLike) -> Tensor:
    """The inverse of sinh.

    Examples
    --------
    >>> asinh([0.0]).tolist()
    [0.0]
    """
    return unary(op.Asinh, x)


@implements(np.arccosh)
def acosh(x: TensorLike) -> Tensor:
    """The inverse of cosh; NaN below 1.

    Examples
    --------
    >>> acosh([1.0]).tolist()
    [0.0]
    """
    return unary(op.Acosh, x)


@implements(np.arctanh)
def atanh(x: TensorLike) -> Tensor:
    """The inverse of tanh; NaN beyond [-1, 1].

    Examples
    --------
    >>> atanh([0.0]).tolist()
    [0.0]
    """
    return unary(op.Atanh, x)


@implements(np.arctan2)
def atan2(a: TensorLike, other: TensorLike) -> Tensor:
    """The angle of the point (other, a), from -pi to pi.

    Examples
    --------
    >>> atan2([0.0], [1.0]).tolist()
    [0.0]
    """
    return binary(op.Atan2, a, other)


@implements(np.logaddexp)
def logaddexp(a: TensorLike, other: TensorLike) -> Tensor:
    """ln(e^a + e^other), without overflow.

    Examples
    --------
    >>> logaddexp([-1000.0], [0.0]).tolist()
    [0.0]
    """
    return binary(op.LogAddExp, a, other)
