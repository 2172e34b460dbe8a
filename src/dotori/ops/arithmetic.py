"""More arithmetic on each element: powers of two, bits, whole numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample, follow
from dotori.ops.elementwise import Binary, Unary


class ScaleByPower(Op):
    """y = x 2^k for whole k; exact as long as y is neither too large nor too small."""

    torch = staticmethod(lambda x, *, exponent: x * x.new_tensor(2.0**exponent))

    @staticmethod
    def forward(xp: Any, x: Any, *, exponent: Any) -> Any:
        return xp.ldexp(x, exponent)

    @staticmethod
    def backward(xp: Any, dy: Any, *, exponent: Any) -> Any:
        return follow(ScaleByPower, xp, dy, exponent=exponent)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((3, 4))
        yield Sample((x,), {"exponent": np.array([-3, 0, 1, 5], np.int32)})
        yield Sample((x,), {"exponent": np.array([[1], [2], [-2]], np.int32)})


class LogAddExp2(Binary):
    """y = log2(2^a + 2^b); dy/da = 2^(a-y)."""

    real = True
    saves = ("a", "b", "y")
    floats = True
    torch = "logaddexp2"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.logaddexp2(a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any, y: Any) -> Any:
        da = dy * xp.exp2(a - y) if needs[0] else None
        return da, (dy * xp.exp2(b - y) if needs[1] else None)


class RoundedQuotient(Binary, abstract=True):
    """A quotient rounded to a whole number: flat wherever it is smooth."""

    low, high = 0.6, 2.3

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any) -> Any:
        return dy * 0, dy * 0


class DivFloor(RoundedQuotient):
    """y = a / b rounded down; y' = 0."""

    real = True
    torch = staticmethod(lambda a, b: a.div(b, rounding_mode="floor"))

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.floor_divide(a, b)


class DivTrunc(RoundedQuotient):
    """y = a / b rounded towards 0; y' = 0."""

    real = True
    torch = staticmethod(lambda a, b: a.div(b, rounding_mode="trunc"))

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        kind = np.result_type(a, b).kind
        if kind == "f":
            return xp.trunc(xp.divide(a, b))
        # a whole number less the remainder with its own sign divides evenly
        return xp.floor_divide(a - xp.fmod(a, b), b)


class Heaviside(Binary):
    """0 below 0, 1 above, and b at 0; 0 of NaN."""

    real = True
    differentiable = False
    torch = "heaviside"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.where(a == 0, b, a > 0).astype(np.result_type(a, b))


class NextAfter(Binary):
    """y = the number nearest to a on the way to b; dy/da = 1, as of a itself."""

    real = True
    torch = "nextafter"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.nextafter(a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any) -> Any:
        return dy, dy * 0


class SignBit(Unary):
    """Whether the sign is minus, that of -0.0 and NaN included."""

    real = True
    differentiable = False
    torch = "signbit"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.signbit(x) if x.dtype.kind == "f" else x < 0


class WholeNumbers(Binary, abstract=True):
    """An operation of two arrays of integers."""

    differentiable = False

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.integers(0, 60, (3, 4)), rng.integers(0, 9, (3, 4))))
        yield Sample((rng.integers(0, 60, (3, 1)), rng.integers(0, 9, (4,))))


class Gcd(WholeNumbers):
    """The greatest common divisor."""

    torch = "gcd"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.gcd(a, b)


class Lcm(WholeNumbers):
    """The least common multiple."""

    torch = "lcm"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.lcm(a, b)


class LeftShift(WholeNumbers):
    """a 2^b, in bits."""

    torch = "bitwise_left_shift"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.left_shift(a, b)


class RightShift(WholeNumbers):
    """a / 2^b rounded down, in bits."""

    torch = "bitwise_right_shift"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.right_shift(a, b)
