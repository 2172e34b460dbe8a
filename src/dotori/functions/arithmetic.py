"""More arithmetic on each element: fused forms, signs, bits and whole numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd import apply, as_variable, binary, unary, wrap
from dotori.dtypes import float64, promote_operands
from dotori.errors import DTypeError
from dotori.functions import comparison, elementwise
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.shape import cast, clone
from dotori.ops import arithmetic as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "addcdiv",
    "addcmul",
    "bitwise_left_shift",
    "bitwise_right_shift",
    "clamp_max",
    "clamp_min",
    "copysign",
    "deg2rad",
    "float_power",
    "fmax",
    "fmin",
    "frexp",
    "gcd",
    "heaviside",
    "isneginf",
    "isposinf",
    "lcm",
    "ldexp",
    "logaddexp2",
    "nan_to_num",
    "nextafter",
    "positive",
    "rad2deg",
    "rsub",
    "signbit",
]


class MantissaAndExponent(NamedTuple):
    """What `frexp` gives."""

    mantissa: Tensor
    exponent: Tensor


# ------------------------------------------------------------------ fused forms


def addcmul(
    x: TensorLike, tensor1: TensorLike, tensor2: TensorLike, *, value: float = 1
) -> Tensor:
    """x + value tensor1 tensor2.

    Examples
    --------
    >>> addcmul([1.0], [2.0], [3.0], value=10).tolist()
    [61.0]
    """
    return elementwise.add(x, elementwise.mul(tensor1, tensor2), alpha=value)


def addcdiv(
    x: TensorLike, tensor1: TensorLike, tensor2: TensorLike, *, value: float = 1
) -> Tensor:
    """x + value tensor1 / tensor2.

    Raises
    ------
    DTypeError
        If both parts of the quotient are integers.

    Examples
    --------
    >>> addcdiv([1.0], [3.0], [2.0], value=10).tolist()
    [16.0]
    """
    kinds = {as_variable(t).dtype.kind for t in (tensor1, tensor2)}
    if kinds <= set("bui"):
        raise DTypeError(
            "addcdiv: floats were wanted, got a quotient of integers; "
            "convert one with .float()"
        )
    return elementwise.add(x, elementwise.div(tensor1, tensor2), alpha=value)


def rsub(x: TensorLike, other: TensorLike, *, alpha: float = 1) -> Tensor:
    """other - alpha x.

    Examples
    --------
    >>> rsub([1.0], 3.0).tolist()
    [2.0]
    """
    return elementwise.sub(other, x, alpha=alpha)


def clamp_min(x: TensorLike, min: TensorLike) -> Tensor:
    """x, but at least `min`.

    Examples
    --------
    >>> clamp_min([-1.0, 2.0], 0).tolist()
    [0.0, 2.0]
    """
    return elementwise.clamp(x, min=min)


def clamp_max(x: TensorLike, max: TensorLike) -> Tensor:
    """x, but at most `max`.

    Examples
    --------
    >>> clamp_max([-1.0, 2.0], 0).tolist()
    [-1.0, 0.0]
    """
    return elementwise.clamp(x, max=max)


@implements(np.float_power)
def float_power(a: TensorLike, exponent: TensorLike) -> Tensor:
    """a^exponent in float64, or complex128.

    Examples
    --------
    >>> float_power([2], 0.5).dtype
    dtype('float64')
    """
    return elementwise.pow(_double(a), _double(exponent))


def _double(x: TensorLike) -> Tensor:
    t = as_variable(np.asarray(x) if isinstance(x, (int, float)) else x)
    return cast(t, np.complex128 if t.dtype.kind == "c" else float64)


@implements(np.logaddexp2)
def logaddexp2(a: TensorLike, other: TensorLike) -> Tensor:
    """log2(2^a + 2^other), without overflow.

    Examples
    --------
    >>> logaddexp2([1000.0], [1000.0]).tolist()
    [1001.0]
    """
    return binary(op.LogAddExp2, a, other)


# ------------------------------------------------------------------ choices


@implements(np.fmax)
def fmax(a: TensorLike, other: TensorLike) -> Tensor:
    """The larger of both, or the one that is not NaN; at a tie `a`.

    Examples
    --------
    >>> fmax([1.0, float("nan")], 2.0).tolist()
    [2.0, 2.0]
    """
    first = comparison.bitwise_or(comparison.ge(a, other), comparison.isnan(other))
    return elementwise.where(first, a, other)


@implements(np.fmin)
def fmin(a: TensorLike, other: TensorLike) -> Tensor:
    """The smaller of both, or the one that is not NaN; at a tie `a`.

    Examples
    --------
    >>> fmin([1.0, float("nan")], 2.0).tolist()
    [1.0, 2.0]
    """
    first = comparison.bitwise_or(comparison.le(a, other), comparison.isnan(other))
    return elementwise.where(first, a, other)


def heaviside(x: TensorLike, values: TensorLike) -> Tensor:
    """0 below 0, 1 above, and `values` at 0.

    Examples
    --------
    >>> heaviside([-2.0, 0.0, 3.0], [0.5]).tolist()
    [0.0, 0.5, 1.0]
    """
    types = {v.dtype for v in (x, values) if hasattr(v, "dtype")}
    if len(types) > 1:
        raise DTypeError(f"heaviside: x and values must have one type, got {types}")
    return binary(op.Heaviside, x, values)


@implements(np.heaviside)
def _numpys_heaviside(x: TensorLike, values: TensorLike) -> Tensor:
    """NaN of NaN."""
    nan = comparison.isnan(x)
    return elementwise.where(nan, math.nan, binary(op.Heaviside, x, values))


def nan_to_num(
    x: TensorLike,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """Numbers in place of NaN (0), inf (the largest of the type) and -inf (the least).

    Examples
    --------
    >>> nan_to_num([float("nan"), float("inf"), 1.0], posinf=9.0).tolist()
    [0.0, 9.0, 1.0]
    """
    t = as_variable(x)
    if t.dtype.kind not in "fc":
        return clone(t)
    limits = np.finfo(t.dtype)
    high = limits.max if posinf is None else posinf
    low = limits.min if neginf is None else neginf
    if t.dtype.kind == "c":
        return _each_part(t, nan, float(high), float(low))
    finite = elementwise.where(comparison.isnan(t), float(nan or 0), t)
    finite = elementwise.where(t.array == math.inf, float(high), finite)
    return elementwise.where(t.array == -math.inf, float(low), finite)


def _each_part(t: Tensor, *values: float | None) -> Tensor:
    from dotori.functions.complex import complex, imag, real

    return complex(nan_to_num(real(t), *values), nan_to_num(imag(t), *values))


@implements(np.nan_to_num)
def _numpys_nan_to_num(
    x: TensorLike,
    copy: bool = True,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    return nan_to_num(x, nan, posinf, neginf)


# ------------------------------------------------------------------ signs, neighbours


@implements(np.copysign)
def copysign(a: TensorLike, other: TensorLike) -> Tensor:
    """|a| with the sign of other, that of -0.0 included.

    Examples
    --------
    >>> copysign([1.0, -2.0], -0.0).tolist()
    [-1.0, -2.0]
    """
    x, y = promote_operands(_raw(a), _raw(other), floats=True)
    dtype = np.result_type(x, y) if hasattr(x, "dtype") else np.asarray(y).dtype
    signs = np.copysign(dtype.type(1), y)
    given = a if hasattr(a, "node") else np.asarray(x, dtype)
    return elementwise.mul(elementwise.abs(cast(given, dtype)), signs)


def _raw(x: TensorLike) -> Any:
    return getattr(x, "array", x)


@implements(np.signbit)
def signbit(x: TensorLike) -> Tensor:
    """Whether the sign is minus, that of -0.0 included.

    Examples
    --------
    >>> signbit([-1.0, -0.0, 0.0]).tolist()
    [True, True, False]
    """
    return unary(op.SignBit, x)


@implements(np.isposinf)
def isposinf(x: TensorLike) -> Tensor:
    """Whether each element is inf.

    Examples
    --------
    >>> isposinf([float("inf"), -float("inf")]).tolist()
    [True, False]
    """
    return comparison.eq(x, math.inf)


@implements(np.isneginf)
def isneginf(x: TensorLike) -> Tensor:
    """Whether each element is -inf.

    Examples
    --------
    >>> isneginf([float("inf"), -float("inf")]).tolist()
    [False, True]
    """
    return comparison.eq(x, -math.inf)


@implements(np.positive)
def positive(x: TensorLike) -> Tensor:
    """x itself.

    Examples
    --------
    >>> positive([-1.0]).tolist()
    [-1.0]
    """
    t = as_variable(x)
    if t.dtype.kind == "b":
        raise DTypeError("positive: numbers were wanted, got booleans")
    return t


@implements(np.nextafter)
def nextafter(a: TensorLike, other: TensorLike) -> Tensor:
    """The number of the type that comes next after `a` on the way to `other`.

    Examples
    --------
    >>> (nextafter([1.0], [2.0]) - 1).tolist()
    [1.1920928955078125e-07]
    """
    for x in (a, other):
        if as_variable(x).dtype.kind != "f":
            dtype = as_variable(x).dtype
            raise DTypeError(f"nextafter: floats were wanted, got {dtype}")
    return binary(op.NextAfter, a, other)


# ------------------------------------------------------------------ angles, powers of 2


@implements(np.deg2rad, np.radians)
def deg2rad(x: TensorLike) -> Tensor:
    """Degrees as radians: x pi / 180.

    Examples
    --------
    >>> deg2rad([180.0]).tolist()
    [3.1415927410125732]
    """
    return elementwise.mul(x, math.pi / 180)


@implements(np.rad2deg, np.degrees)
def rad2deg(x: TensorLike) -> Tensor:
    """Radians as degrees: x 180 / pi.

    Examples
    --------
    >>> rad2deg([0.0]).tolist()
    [0.0]
    """
    return elementwise.mul(x, 180 / math.pi)


@implements(np.ldexp)
def ldexp(x: TensorLike, other: TensorLike) -> Tensor:
    """x 2^other; exact where `other` holds integers.

    Examples
    --------
    >>> ldexp([3.0], [4]).tolist()
    [48.0]
    """
    t, power = as_variable(x), as_variable(other)
    if t.dtype.kind == "f" and power.dtype.kind == "i":
        exponent = power.array.clip(-5000, 5000).astype(np.int32)
        result: Tensor = apply(op.ScaleByPower, t, exponent=exponent)
        return result
    return elementwise.mul(t, elementwise.pow(2.0, power))


@implements(np.frexp)
def frexp(x: TensorLike) -> MantissaAndExponent:
    """The mantissa, from 1/2 to 1, and the exponent of x = mantissa 2^exponent.

    Examples
    --------
    >>> mantissa, exponent = frexp([12.0])
    >>> mantissa.tolist(), exponent.tolist()
    ([0.75], [4])
    """
    t = as_variable(x)
    if t.dtype.kind != "f":
        raise DTypeError(f"frexp: floats were wanted, got {t.dtype}")
    exponent = np.asarray(np.frexp(t.array)[1], np.int32)
    mantissa: Tensor = apply(op.ScaleByPower, t, exponent=-exponent)
    return MantissaAndExponent(mantissa, wrap(exponent))


# ------------------------------------------------------------------ whole numbers


def _integers(place: str, *values: TensorLike, booleans: bool = False) -> None:
    for value in values:
        dtype = as_variable(value).dtype
        if dtype.kind not in ("bui" if booleans else "ui"):
            raise DTypeError(f"{place}: integers were wanted, got {dtype}")


@implements(np.gcd)
def gcd(a: TensorLike, other: TensorLike) -> Tensor:
    """The greatest common divisor of integers.

    Examples
    --------
    >>> gcd([12], [18]).tolist()
    [6]
    """
    _integers("gcd", a, other)
    return binary(op.Gcd, a, other)


@implements(np.lcm)
def lcm(a: TensorLike, other: TensorLike) -> Tensor:
    """The least common multiple of integers.

    Examples
    --------
    >>> lcm([4], [6]).tolist()
    [12]
    """
    _integers("lcm", a, other)
    return binary(op.Lcm, a, other)


@implements(np.left_shift)
def bitwise_left_shift(a: TensorLike, other: TensorLike) -> Tensor:
    """The bits of `a`, moved `other` places to the left.

    Examples
    --------
    >>> bitwise_left_shift([3], 2).tolist()
    [12]
    """
    _integers("bitwise_left_shift", a, other)
    return binary(op.LeftShift, a, other)


@implements(np.right_shift)
def bitwise_right_shift(a: TensorLike, other: TensorLike) -> Tensor:
    """The bits of `a`, moved `other` places to the right; the sign stays.

    Examples
    --------
    >>> bitwise_right_shift([12, -12], 2).tolist()
    [3, -3]
    """
    _integers("bitwise_right_shift", a, other)
    return binary(op.RightShift, a, other)
