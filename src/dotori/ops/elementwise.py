"""Elementwise operations of one and two arrays: value and gradient rule.

`dy` is the gradient of the output; a rule returns the gradient of the input. Formulas
are those of any table of derivatives (Abramowitz and Stegun, 1964, chapter 4).
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


class Exp(Unary):
    """y = e^x; y' = y."""

    saves = ("y",)
    floats = True
    torch = "exp"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        with np.errstate(all="ignore"):
            return xp.exp(x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy * y


class Log(Unary):
    """y = ln x; y' = 1/x."""

    saves = ("x",)
    floats = True
    low, high = 0.2, 3.0
    torch = "log"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        with np.errstate(all="ignore"):
            return xp.log(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy / x


class Log1p(Unary):
    """y = ln(1 + x); y' = 1/(1 + x)."""

    saves = ("x",)
    floats = True
    low, high = -0.5, 3.0
    torch = "log1p"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        with np.errstate(all="ignore"):
            return xp.log1p(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy / (1 + x)


class Expm1(Unary):
    """y = e^x - 1; y' = y + 1."""

    saves = ("y",)
    floats = True
    torch = "expm1"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        with np.errstate(all="ignore"):
            return xp.expm1(x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy * (y + 1)


class Sqrt(Unary):
    """y = x^(1/2); y' = 1/(2y)."""

    saves = ("y",)
    floats = True
    low, high = 0.2, 3.0
    torch = "sqrt"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        with np.errstate(all="ignore"):
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
        return x * x

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy * 2 * x


class Tanh(Unary):
    """y = tanh x; y' = 1 - y^2."""

    saves = ("y",)
    floats = True
    torch = "tanh"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.tanh(x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy * (1 - y * y)


class Sin(Unary):
    """y = sin x; y' = cos x."""

    saves = ("x",)
    floats = True
    torch = "sin"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        with np.errstate(all="ignore"):
            return xp.sin(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy * xp.cos(x)


class Cos(Unary):
    """y = cos x; y' = -sin x."""

    saves = ("x",)
    floats = True
    torch = "cos"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        with np.errstate(all="ignore"):
            return xp.cos(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return -dy * xp.sin(x)


class Abs(Unary):
    """y = |x|; y' = sign x, 0 at 0."""

    saves = ("x",)
    torch = "abs"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.abs(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy * xp.sign(x)


class Sign(Unary):
    """y = -1, 0 or 1; y' = 0."""

    torch = "sign"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.sign(x)

    @staticmethod
    def backward(xp: Any, dy: Any) -> Any:
        return dy * 0


class Sigmoid(Unary):
    """y = 1/(1 + e^-x); y' = y (1 - y). Exactly 0 and 1 far out."""

    saves = ("y",)
    floats = True
    torch = "sigmoid"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        with np.errstate(over="ignore"):  # e^-x may be infinite: 1/inf is the 0 wanted
            y = xp.exp(-x)
        y += 1
        return 1 / y

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy * (y * (1 - y))


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
        with np.errstate(all="ignore"):
            return a / b

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any) -> Any:
        return (dy / b if needs[0] else None), (-dy * a / (b * b) if needs[1] else None)


class Maximum(Binary):
    """y = max(a, b); at a tie each input gets half of the gradient."""

    saves = ("a", "b")
    torch = "maximum"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.maximum(a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any) -> Any:
        return _at_extreme(xp, dy, needs, a, b, 1)


class Minimum(Binary):
    """y = min(a, b); at a tie each input gets half of the gradient."""

    saves = ("a", "b")
    torch = "minimum"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.minimum(a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any) -> Any:
        return _at_extreme(xp, dy, needs, a, b, -1)


def _at_extreme(xp: Any, dy: Any, needs: Any, a: Any, b: Any, sign: int) -> Any:
    """The share of `dy` that each input gets: 1, 0, or one half where they are equal."""
    share = (xp.sign((a - b) * sign) + 1) * 0.5
    return (dy * share if needs[0] else None), (dy * (1 - share) if needs[1] else None)


class Pow(Op):
    """y = a^b; dy/da = b a^(b-1), dy/db = y ln a, taken as 0 where a = 0 and b >= 0."""

    saves = ("a", "b", "y")
    torch = "pow"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        with np.errstate(all="ignore"):
            return a**b

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any, y: Any) -> Any:
        with np.errstate(all="ignore"):
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


class Eq(Binary):
    """Whether a = b."""

    differentiable = False
    torch = "eq"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a == b


class Ne(Binary):
    """Whether a differs from b."""

    differentiable = False
    torch = "ne"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a != b


class Lt(Binary):
    """Whether a < b."""

    differentiable = False
    torch = "lt"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a < b


class Le(Binary):
    """Whether a <= b."""

    differentiable = False
    torch = "le"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a <= b


class Gt(Binary):
    """Whether a > b."""

    differentiable = False
    torch = "gt"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a > b


class Ge(Binary):
    """Whether a >= b."""

    differentiable = False
    torch = "ge"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a >= b


class IsNan(Unary):
    """Whether x is not a number."""

    differentiable = False
    torch = "isnan"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.isnan(x)


class IsFinite(Unary):
    """Whether x is finite."""

    differentiable = False
    torch = "isfinite"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.isfinite(x)


class LogicalNot(Unary):
    """Whether x is zero."""

    differentiable = False
    torch = "logical_not"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.logical_not(x)


class LogicalAnd(Binary):
    """Whether both are not zero."""

    differentiable = False
    torch = "logical_and"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.logical_and(a, b)


class LogicalOr(Binary):
    """Whether one is not zero."""

    differentiable = False
    torch = "logical_or"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.logical_or(a, b)
