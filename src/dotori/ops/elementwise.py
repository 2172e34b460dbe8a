"""Arithmetic on each element of one or two arrays: value and gradient rule.

`dy` is the gradient of the output; a rule returns the gradient of the input. Formulas
are those of any table of derivatives (Abramowitz and Stegun, 1964, chapter 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample


class Unary(Op, abstract=True):
    """An operation of one array; tried on numbers that stay clear of singularities."""

    low, high = -2.0, 2.0

    def __init_subclass__(cls, abstract: bool = False) -> None:
        if not abstract and cls.samples is Op.samples:
            low, high = cls.low, cls.high

            def samples(rng: Any) -> Iterator[Sample]:
                yield Sample((rng.uniform(low, high, (3, 4)),))
                yield Sample((rng.uniform(low, high, ()),))

            cls.samples = staticmethod(samples)  # type: ignore[method-assign]
        super().__init_subclass__(abstract)


class Binary(Op, abstract=True):
    """An operation of two arrays that broadcast."""

    low, high = -2.0, 2.0

    def __init_subclass__(cls, abstract: bool = False) -> None:
        if not abstract and cls.samples is Op.samples:
            low, high = cls.low, cls.high

            def samples(rng: Any) -> Iterator[Sample]:
                yield from pairs(rng, low, high)

            cls.samples = staticmethod(samples)  # type: ignore[method-assign]
        super().__init_subclass__(abstract)


def pairs(rng: Any, low: float = -2.0, high: float = 2.0) -> Iterator[Sample]:
    """Two arrays of equal shape, broadcast shapes, and an array beside a number."""
    for a, b in (((3, 4), (3, 4)), ((3, 1), (1, 4)), ((2, 3), ()), ((3,), (2, 1, 3))):
        yield Sample((rng.uniform(low, high, a), rng.uniform(low, high, b)))


class Neg(Unary):
    """y = -x."""

    torch = "neg"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return -x

    @staticmethod
    def backward(xp: Any, dy: Any) -> Any:
        return -dy


class Sqrt(Unary):
    """y = x^(1/2); y' = 1/(2y)."""

    saves = ("y",)
    floats = True
    low, high = 0.2, 3.0
    torch = "sqrt"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.sqrt(x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy / (2 * y)


class Square(Unary):
    """y = x^2; y' = 2x."""

    saves = ("x",)
    torch = "square"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return x * x if x.dtype.kind != "b" else x.astype(np.int64)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy * 2 * x


class Abs(Unary):
    """y = |x|; y' = sign x, 0 at 0; of complex numbers x / |x|."""

    saves = ("x",)
    torch = "abs"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.abs(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        if x.dtype.kind != "c":
            return dy * xp.sign(x)
        zero = x == 0
        safe = xp.where(zero, 1.0, x)
        return xp.where(zero, 0.0, dy * (safe / xp.abs(safe)))


class Sign(Unary):
    """y = -1, 0 or 1, and 0 of NaN; y' = 0."""

    real = True
    torch = "sign"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return (x > 0).astype(x.dtype) - (x < 0) if x.dtype.kind in "fiu" else x > 0

    @staticmethod
    def backward(xp: Any, dy: Any) -> Any:
        return dy * 0


class Add(Binary):
    """y = a + b."""

    torch = "add"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a + b

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any) -> Any:
        return dy, dy


class Sub(Binary):
    """y = a - b."""

    torch = "sub"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a - b

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any) -> Any:
        return dy, (-dy if needs[1] else None)


class Mul(Binary):
    """y = a b; dy/da = b."""

    saves = ("a", "b")
    torch = "mul"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a * b

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any) -> Any:
        return (dy * b if needs[0] else None), (dy * a if needs[1] else None)


class Div(Binary):
    """y = a / b; dy/da = 1/b, dy/db = -a/b^2."""

    saves = ("a", "b")
    floats = True
    low, high = 0.5, 2.0
    torch = "div"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a / b

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any) -> Any:
        return (dy / b if needs[0] else None), (-dy * a / (b * b) if needs[1] else None)


class Maximum(Binary):
    """y = max(a, b); at a tie each input gets half of the gradient."""

    real = True
    saves = ("a", "b")
    torch = "maximum"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.maximum(a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any) -> Any:
        return _at_larger(xp, dy, a, b)


class Minimum(Binary):
    """y = min(a, b); at a tie each input gets half of the gradient."""

    real = True
    saves = ("a", "b")
    torch = "minimum"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.minimum(a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any) -> Any:
        return _at_larger(xp, dy, a, b)[::-1]


def _at_larger(xp: Any, dy: Any, a: Any, b: Any) -> Any:
    """What of `dy` goes to each: all to the larger, one half where they are equal.

    By comparing, as the difference of two infinities is NaN.
    """
    share = xp.where(a == b, dy * 0.5, dy)
    return xp.where(a < b, 0.0, share), xp.where(a > b, 0.0, share)


class Pow(Op):
    """y = a^b; dy/da = b a^(b-1), dy/db = y ln a, taken as 0 where a = 0 and b >= 0."""

    saves = ("a", "b", "y")
    torch = "pow"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        if hasattr(b, "dtype") and b.dtype.kind == "i":
            return _whole_power(xp, a, b)
        return a**b

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any, y: Any) -> Any:
        da = db = None
        if needs[0]:
            da = dy * xp.where(b == 0, 0.0, b * a ** (b - 1))
        if needs[1]:
            zero = (a == 0) & (b >= 0)
            db = dy * xp.where(zero, 0.0, y * xp.log(xp.where(zero, 1.0, a)))
        return da, db

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield from pairs(rng, 0.5, 2.0)


def _whole_power(xp: Any, a: Any, b: Any) -> Any:
    """a^b of integers; where b < 0, 1 and -1 alone have a power that is not 0."""
    negative = b < 0
    if not negative.any():
        return a**b
    inverse = xp.where(abs(a) == 1, a ** (b % 2), 0)
    return xp.where(negative, inverse, a ** xp.where(negative, 0, b))


class Where(Op):
    """y = a where the condition holds, else b."""

    torch = "where"
    saves = ("condition",)

    @staticmethod
    def forward(xp: Any, condition: Any, a: Any, b: Any) -> Any:
        return xp.where(condition, a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, condition: Any) -> Any:
        da = xp.where(condition, dy, 0.0) if needs[1] else None
        return None, da, (xp.where(condition, 0.0, dy) if needs[2] else None)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        condition = rng.uniform(-1, 1, (3, 4)) > 0
        a, b = rng.standard_normal((3, 4)), rng.standard_normal((1, 4))
        yield Sample((condition, a, b))


class Clamp(Op):
    """y = x kept within [low, high]; the gradient passes inside, bounds included."""

    real = True
    saves = ("x",)
    torch = "clamp"

    @staticmethod
    def forward(xp: Any, x: Any, *, min: Any, max: Any) -> Any:
        return xp.clip(x, min, max)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, *, min: Any, max: Any) -> Any:
        inside = (x == x) if min is None else (x >= min)
        if max is not None:
            inside = inside & (x <= max)
        return dy * inside

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.uniform(-2, 2, (3, 4)),), {"min": -1.0, "max": 1.0})
        yield Sample((rng.uniform(-2, 2, (3, 4)),), {"min": 0.1, "max": None})


class Reciprocal(Unary):
    """y = 1/x; y' = -y^2."""

    saves = ("y",)
    floats = True
    low, high = 0.5, 2.0
    torch = "reciprocal"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return 1 / x

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return -dy * y * y


class Rsqrt(Unary):
    """y = x^(-1/2); y' = -y^3/2."""

    saves = ("y",)
    floats = True
    low, high = 0.5, 2.0
    torch = "rsqrt"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return 1 / xp.sqrt(x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy * y * y * y * -0.5


class Floor(Unary):
    """y = the largest whole number up to x; y' = 0."""

    real = True
    torch = "floor"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.floor(x)

    @staticmethod
    def backward(xp: Any, dy: Any) -> Any:
        return dy * 0


class Ceil(Unary):
    """y = the smallest whole number from x; y' = 0."""

    real = True
    torch = "ceil"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.ceil(x)

    @staticmethod
    def backward(xp: Any, dy: Any) -> Any:
        return dy * 0


class Trunc(Unary):
    """y = x without its fraction; y' = 0."""

    real = True
    torch = "trunc"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.trunc(x)

    @staticmethod
    def backward(xp: Any, dy: Any) -> Any:
        return dy * 0


class Round(Unary):
    """y = the nearest whole number, the even one of two; y' = 0."""

    real = True
    torch = "round"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return x.copy() if x.dtype.kind in "bui" else xp.rint(x)

    @staticmethod
    def backward(xp: Any, dy: Any) -> Any:
        return dy * 0


class Remainder(Binary):
    """y = a - b floor(a/b), with the sign of b; dy/da = 1, dy/db = -floor(a/b)."""

    real = True
    saves = ("a", "b")
    low, high = 0.6, 2.3
    torch = "remainder"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.remainder(a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any) -> Any:
        return dy, (-dy * xp.floor(a / b) if needs[1] else None)


class Fmod(Binary):
    """y = a - b trunc(a/b), with the sign of a; dy/da = 1, dy/db = -trunc(a/b)."""

    real = True
    saves = ("a", "b")
    low, high = 0.6, 2.3
    torch = "fmod"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.fmod(a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any) -> Any:
        return dy, (-dy * xp.trunc(a / b) if needs[1] else None)


class FloorDivide(Binary):
    """y = floor(a/b)."""

    real = True
    differentiable = False
    low, high = 0.6, 2.3
    torch = "floor_divide"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.floor_divide(a, b)


class Hypot(Binary):
    """y = (a^2 + b^2)^(1/2); dy/da = a/y."""

    real = True
    saves = ("a", "b", "y")
    floats = True
    low, high = 0.5, 2.0
    torch = "hypot"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.hypot(a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any, y: Any) -> Any:
        return (dy * a / y if needs[0] else None), (dy * b / y if needs[1] else None)
