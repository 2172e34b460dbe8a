"""Questions about the elements of tensors: comparison and logic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dotori.autograd import as_variable, binary, unary, wrap
from dotori.backend import as_array
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.ops import comparison as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "allclose",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "eq",
    "equal",
    "ge",
    "gt",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "ne",
]


@implements(np.equal)
def eq(a: TensorLike, other: TensorLike) -> Tensor:
    """Whether a = other.

    Examples
    --------
    >>> eq([1], [1]).tolist()
    [True]
    """
    return binary(op.Eq, a, other)


@implements(np.not_equal)
def ne(a: TensorLike, other: TensorLike) -> Tensor:
    """Whether a differs from other.

    Examples
    --------
    >>> ne([1], [1]).tolist()
    [False]
    """
    return binary(op.Ne, a, other)


@implements(np.less)
def lt(a: TensorLike, other: TensorLike) -> Tensor:
    """Whether a < other.

    Examples
    --------
    >>> lt([1], [2]).tolist()
    [True]
    """
    return binary(op.Lt, a, other)


@implements(np.less_equal)
def le(a: TensorLike, other: TensorLike) -> Tensor:
    """Whether a <= other.

    Examples
    --------
    >>> le([1], [2]).tolist()
    [True]
    """
    return binary(op.Le, a, other)


@implements(np.greater)
def gt(a: TensorLike, other: TensorLike) -> Tensor:
    """Whether a > other.

    Examples
    --------
    >>> gt([1], [2]).tolist()
    [False]
    """
    return binary(op.Gt, a, other)


@implements(np.greater_equal)
def ge(a: TensorLike, other: TensorLike) -> Tensor:
    """Whether a >= other.

    Examples
    --------
    >>> ge([1], [2]).tolist()
    [False]
    """
    return binary(op.Ge, a, other)


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


@implements(np.logical_and)
def logical_and(a: TensorLike, other: TensorLike) -> Tensor:
    """Whether both are not zero.

    Examples
    --------
    >>> logical_and([1], [0]).tolist()
    [False]
    """
    return binary(op.LogicalAnd, a, other)


@implements(np.logical_or)
def logical_or(a: TensorLike, other: TensorLike) -> Tensor:
    """Whether one is not zero.

    Examples
    --------
    >>> logical_or([1], [0]).tolist()
    [True]
    """
    return binary(op.LogicalOr, a, other)


@implements(np.isinf)
def isinf(x: TensorLike) -> Tensor:
    """Whether each element is infinite.

    Examples
    --------
    >>> isinf([float("inf")]).tolist()
    [True]
    """
    return unary(op.IsInf, x)


@implements(np.logical_xor)
def logical_xor(a: TensorLike, other: TensorLike) -> Tensor:
    """Whether one of both is not zero.

    Examples
    --------
    >>> logical_xor([1], [0]).tolist()
    [True]
    """
    return binary(op.LogicalXor, a, other)


def isclose(
    a: TensorLike,
    other: TensorLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """Whether |a - other| <= atol + rtol |other|; NaN is close to NaN if `equal_nan`.

    Raises
    ------
    ArgumentError
        If a tolerance is negative.

    Examples
    --------
    >>> isclose([1.0, 2.0], [1.0, 2.1]).tolist()
    [True, False]
    """
    x, y = as_variable(a).array, as_variable(other).array
    if not (rtol >= 0 and atol >= 0):
        raise ArgumentError(
            f"isclose: tolerances must not be negative, got rtol={rtol}, atol={atol}"
        )
    try:
        close = np.isclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan)
    except ValueError as error:
        raise ShapeError(
            f"isclose: the shapes {x.shape} and {y.shape} do not go together; from the "
            "last axis backwards, sizes must be equal or 1"
        ) from error
    return wrap(as_array(close))


@implements(np.allclose)
def allclose(
    a: TensorLike,
    other: TensorLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> bool:
    """Whether all elements are close: see `isclose`.

    Examples
    --------
    >>> allclose([1.0], [1.0 + 1e-9])
    True
    """
    return bool(isclose(a, other, rtol, atol, equal_nan).array.all())


@implements(np.array_equal)
def equal(a: TensorLike, other: TensorLike) -> bool:
    """Whether both have the same shape and elements.

    Examples
    --------
    >>> equal([1, 2], [1, 2])
    True
    """
    return bool(np.array_equal(as_variable(a).array, as_variable(other).array))


@implements(np.bitwise_and)
def bitwise_and(a: TensorLike, other: TensorLike) -> Tensor:
    """The bits that both have; for booleans, and.

    Examples
    --------
    >>> bitwise_and([6], [3]).tolist()
    [2]
    """
    return binary(op.BitwiseAnd, a, other)


@implements(np.bitwise_or)
def bitwise_or(a: TensorLike, other: TensorLike) -> Tensor:
    """The bits that one of both has; for booleans, or.

    Examples
    --------
    >>> bitwise_or([6], [3]).tolist()
    [7]
    """
    return binary(op.BitwiseOr, a, other)


@implements(np.bitwise_xor)
def bitwise_xor(a: TensorLike, other: TensorLike) -> Tensor:
    """The bits in which both differ.

    Examples
    --------
    >>> bitwise_xor([6], [3]).tolist()
    [5]
    """
    return binary(op.BitwiseXor, a, other)


@implements(np.invert)
def bitwise_not(x: TensorLike) -> Tensor:
    """All bits the other way round; for booleans, not.

    Examples
    --------
    >>> bitwise_not([True]).tolist()
    [False]
    """
    return unary(op.BitwiseNot, x)
