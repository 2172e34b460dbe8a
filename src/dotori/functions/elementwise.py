"""Arithmetic on each element of tensors, under PyTorch's names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from dotori.autograd import apply, as_variable, binary, unary
from dotori.dtypes import float16, float32, float64, result_type
from dotori.errors import ArgumentError
from dotori.functions._numpy import TensorLike, implements
from dotori.ops import arithmetic
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

_FLOATS = (float32, float64, float16)
_ROUNDED = {"trunc": arithmetic.DivTrunc, "floor": arithmetic.DivFloor}


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


def sign(x: TensorLike) -> Tensor:
    """-1, 0 or 1; 0 of NaN (NumPy gives NaN).

    Examples
    --------
    >>> sign([-2.0, float("nan")]).tolist()
    [-1.0, 0.0]
    """
    return unary(op.Sign, x)


@implements(np.sign)
def _numpys_sign(x: TensorLike) -> Tensor:
    """NaN of NaN."""
    t = as_variable(x)
    return where(t != t, math.nan, sign(t)) if t.dtype.kind == "f" else sign(t)


@implements(np.add)
def add(a: TensorLike, other: TensorLike, *, alpha: float = 1) -> Tensor:
    """a + alpha other.

    Examples
    --------
    >>> add([1.0, 2.0], 10).tolist()
    [11.0, 12.0]
    """
    return binary(op.Add, a, other if alpha == 1 else mul(other, alpha))


@implements(np.subtract)
def sub(a: TensorLike, other: TensorLike, *, alpha: float = 1) -> Tensor:
    """a - alpha other.

    Examples
    --------
    >>> sub([1.0, 2.0], 1).tolist()
    [0.0, 1.0]
    """
    return binary(op.Sub, a, other if alpha == 1 else mul(other, alpha))


@implements(np.multiply)
def mul(a: TensorLike, other: TensorLike) -> Tensor:
    """a * other.

    Examples
    --------
    >>> mul([1.0, 2.0], [3.0, 4.0]).tolist()
    [3.0, 8.0]
    """
    return binary(op.Mul, a, other)


@implements(np.divide)
def div(
    a: TensorLike, other: TensorLike, *, rounding_mode: str | None = None
) -> Tensor:
    """a / other; rounded towards 0 with "trunc", down with "floor".

    Examples
    --------
    >>> div([1.0], 2).tolist()
    [0.5]
    >>> div([-7], 2, rounding_mode="trunc").tolist()
    [-3]
    """
    if rounding_mode is None:
        return binary(op.Div, a, other)
    if rounding_mode not in _ROUNDED:
        raise ArgumentError(
            "div: rounding_mode must be None, 'trunc' or 'floor', "
            f"got {rounding_mode!r}"
        )
    _refuse_zero("div", a, other)
    return binary(_ROUNDED[rounding_mode], a, other)


def _refuse_zero(place: str, a: TensorLike, b: TensorLike) -> None:
    """Integers have no infinity to show that something was divided by zero."""
    divisor = getattr(b, "array", b)
    if isinstance(divisor, float) or getattr(divisor, "dtype", None) in _FLOATS:
        return
    kinds = {as_variable(v).dtype.kind for v in (a, b)}
    if kinds <= set("bui") and not np.all(divisor):
        raise ArgumentError(f"{place}: integers cannot be divided by 0")


@implements(np.power)
def pow(a: TensorLike, exponent: TensorLike) -> Tensor:
    """a^exponent.

    Raises
    ------
    ArgumentError
        For integers to the power of a negative integer.

    Examples
    --------
    >>> pow([2.0], 3).tolist()
    [8.0]
    """
    if (
        isinstance(exponent, int)
        and exponent < 0
        and as_variable(a).dtype.kind in "bui"
    ):
        raise ArgumentError(
            f"pow: integers have no power {exponent} among the integers; use .float()"
        )
    return binary(op.Pow, a, exponent)


@implements(np.maximum)
def maximum(a: TensorLike, other: TensorLike) -> Tensor:
    """The larger of both.

    Examples
    --------
    >>> maximum([1.0], [2.0]).tolist()
    [2.0]
    """
    return binary(op.Maximum, a, other)


@implements(np.minimum)
def minimum(a: TensorLike, other: TensorLike) -> Tensor:
    """The smaller of both.

    Examples
    --------
    >>> minimum([1.0], [2.0]).tolist()
    [1.0]
    """
    return binary(op.Minimum, a, other)


@overload
def where(condition: TensorLike) -> tuple[Tensor, ...]: ...
@overload
def where(
    condition: TensorLike,
    a: TensorLike = ...,
    b: TensorLike = ...,
    *,
    input: TensorLike = ...,
    other: TensorLike = ...,
) -> Tensor: ...
@implements(np.where)
def where(
    condition: TensorLike,
    a: TensorLike = None,
    b: TensorLike = None,
    *,
    input: TensorLike = None,
    other: TensorLike = None,
) -> Any:
    """`a` where the condition holds, else `b`; or the places where it holds.

    Without `a` and `b` it is ``nonzero(condition, as_tuple=True)``. PyTorch's names of
    the two are `input` and `other`.

    Examples
    --------
    >>> where([True, False], [1.0, 2.0], 0.0).tolist()
    [1.0, 0.0]
    """
    from dotori.dtypes import promote_operands
    from dotori.functions.shape import cast

    a, b = input if a is None else a, other if b is None else b
    mask = as_variable(condition)
    if a is None and b is None:
        from dotori.functions.gathering import nonzero

        return nonzero(mask, as_tuple=True)
    if a is None or b is None:
        raise ArgumentError("where: give both alternatives, or none")
    values = [getattr(v, "array", v) for v in (a, b)]
    x, y = promote_operands(*values, floats=False)
    given = [
        cast(v, w.dtype) if getattr(v, "node", None) is not None else w
        for v, w in ((a, x), (b, y))
    ]
    result: Tensor = apply(op.Where, mask, *given)
    return result


def clamp(x: TensorLike, min: TensorLike = None, max: TensorLike = None) -> Tensor:
    """x kept within [min, max], each a number or a tensor.

    The gradient passes inside, bounds included. Tensors as bounds get it elsewhere;
    where min > max the result is max.

    Examples
    --------
    >>> clamp([-2.0, 0.5, 2.0], 0, 1).tolist()
    [0.0, 0.5, 1.0]
    """
    if min is None and max is None:
        raise ArgumentError("clamp: give min, max or both")
    t = as_variable(x)
    if any(hasattr(v, "dtype") or isinstance(v, list) for v in (min, max)):
        return _clamp_between(t, min, max)
    if t.dtype.kind != "f":
        t = t.astype(result_type(t.array, *(v for v in (min, max) if v is not None)))
    result: Tensor = apply(op.Clamp, t, min=min, max=max)
    return result


def _clamp_between(t: Tensor, low: TensorLike, high: TensorLike) -> Tensor:
    """`clamp` with tensors as bounds; a NaN stays, and gets no gradient."""
    nan = t != t
    if low is not None:
        t = where(t >= low, t, where(nan, math.nan, low) if nan.array.any() else low)
    if high is not None:
        t = where(t <= high, t, where(nan, math.nan, high) if nan.array.any() else high)
    return t


@implements(np.clip)
def _numpys_clip(
    x: TensorLike, a_min: TensorLike = None, a_max: TensorLike = None, **names: Any
) -> Tensor:
    """NumPy's own names for the bounds, the old ones and the new."""
    return clamp(x, names.get("min", a_min), names.get("max", a_max))


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
def remainder(a: TensorLike, other: TensorLike) -> Tensor:
    """The remainder of a / other, with the sign of other, as Python has it.

    Examples
    --------
    >>> remainder([-5.0], [3.0]).tolist()
    [1.0]
    """
    _refuse_zero("remainder", a, other)
    return binary(op.Remainder, a, other)


@implements(np.fmod)
def fmod(a: TensorLike, other: TensorLike) -> Tensor:
    """The remainder of a / other, with the sign of a, as C has it.

    Examples
    --------
    >>> fmod([-5.0], [3.0]).tolist()
    [-2.0]
    """
    _refuse_zero("fmod", a, other)
    return binary(op.Fmod, a, other)


@implements(np.floor_divide)
def floor_divide(a: TensorLike, other: TensorLike) -> Tensor:
    """The quotient, rounded down.

    Examples
    --------
    >>> floor_divide([-5], [3]).tolist()
    [-2]
    """
    _refuse_zero("floor_divide", a, other)
    return binary(op.FloorDivide, a, other)


@implements(np.hypot)
def hypot(a: TensorLike, other: TensorLike) -> Tensor:
    """The length of the vector (a, other).

    Examples
    --------
    >>> hypot([3.0], [4.0]).tolist()
    [5.0]
    """
    return binary(op.Hypot, a, other)


def lerp(a: TensorLike, end: TensorLike, weight: TensorLike) -> Tensor:
    """a + weight (end - a): from `a` to `end` along a line.

    Reckoned from the nearer end, so that weights of 0 and 1 give the ends exactly.

    Examples
    --------
    >>> lerp([0.0], [10.0], 0.25).tolist()
    [2.5]
    """
    way = sub(end, a)
    if isinstance(weight, (int, float)):
        if -0.5 < weight < 0.5:
            return add(a, mul(weight, way))
        return sub(end, mul(1 - weight, way))
    weight = as_variable(weight)
    from_a, from_end = add(a, mul(weight, way)), sub(end, mul(sub(1, weight), way))
    return where(abs(weight) < 0.5, from_a, from_end)


clip = clamp
