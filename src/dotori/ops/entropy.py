"""Logarithms as they occur in entropies, where 0 ln 0 is 0; and log odds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dotori.ops._op import Op, Sample
from dotori.ops.approximation import by_case, in_float64
from dotori.ops.elementwise import Unary, pairs


def entr(xp: Any, x: Any) -> Any:
    """-x ln x, for float64 arrays."""
    y = xp.where(x == 0, 0.0, -x * xp.log(abs(x)))
    return xp.where(x < 0, -xp.inf, y)


class Entr(Unary):
    """y = -x ln x, 0 at 0 and -inf below; y' = -1 - ln x."""

    real = True
    saves = ("x",)
    floats = True
    low, high = 0.2, 3.0
    torch = "special.entr"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, entr, x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy * (-1 - xp.log(x))


def xlogy(xp: Any, x: Any, y: Any) -> Any:
    """x ln y; where x = 0 it is 0, or NaN with y."""
    zero = (x == 0) & (y == y)
    return xp.where(zero, 0.0, x * xp.log(xp.where(zero, 1.0, y)))


def xlog1py(xp: Any, x: Any, y: Any) -> Any:
    """x ln(1 + y); where x = 0 it is 0, or NaN with y."""
    zero = (x == 0) & (y == y)
    return xp.where(zero, 0.0, x * xp.log1p(xp.where(zero, 0.0, y)))


class XLogY(Op):
    """z = x ln y, 0 where x = 0; dz/dx = ln y, dz/dy = x/y."""

    real = True
    saves = ("x", "y")
    floats = True
    torch = "xlogy"

    @staticmethod
    def forward(xp: Any, x: Any, y: Any) -> Any:
        return in_float64(xp, xlogy, x, y)

    @staticmethod
    def backward(xp: Any, dz: Any, needs: Any, x: Any, y: Any) -> Any:
        dx = None
        if needs[0]:
            flat = (x == 0) & (y <= 0)
            dx = xp.where(flat, 0.0, dz * xp.log(xp.where(flat, 1.0, y)))
        return dx, (dz * x / y if needs[1] else None)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield from pairs(rng, 0.5, 2.0)


class XLog1pY(Op):
    """z = x ln(1 + y), 0 where x = 0; dz/dx = ln(1 + y), dz/dy = x/(1 + y)."""

    real = True
    saves = ("x", "y")
    floats = True
    torch = "special.xlog1py"

    @staticmethod
    def forward(xp: Any, x: Any, y: Any) -> Any:
        return in_float64(xp, xlog1py, x, y)

    @staticmethod
    def backward(xp: Any, dz: Any, needs: Any, x: Any, y: Any) -> Any:
        dx = None
        if needs[0]:
            flat = (x == 0) & (y <= -1)
            dx = xp.where(flat, 0.0, dz * xp.log1p(xp.where(flat, 1.0, y)))
        return dx, (dz * x / (y + 1) if needs[1] else None)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield from pairs(rng, -0.5, 2.0)


def logit(xp: Any, x: Any) -> Any:
    """ln(x / (1 - x)); about 1/2 as 2 artanh(2x - 1), where 2x - 1 has no error."""
    middle = abs(x - 0.5) < 0.25
    return by_case(
        xp,
        (middle, lambda x: 2 * xp.arctanh(2 * x - 1)),
        (~middle, lambda x: xp.log(x) - xp.log1p(-x)),
        xs=(x,),
    )


class Logit(Unary):
    """y = ln(x / (1 - x)), the inverse of the sigmoid; y' = 1 / (x (1 - x)).

    With `eps`, x is first brought into [eps, 1 - eps]; beyond, the gradient is 0.
    Without it, it is NaN where x is no probability.
    """

    real = True
    saves = ("x",)
    floats = True
    low, high = 0.1, 0.9
    torch = "logit"

    @staticmethod
    def forward(xp: Any, x: Any, *, eps: float | None = None) -> Any:
        if eps is not None:
            x = xp.clip(x, eps, 1 - eps)
        return in_float64(xp, logit, x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, *, eps: float | None = None) -> Any:
        low = 0.0 if eps is None else eps
        outside = (x < low) | (x > 1 - low)
        rest = xp.nan if eps is None else 0.0
        safe = xp.where(outside, 0.5, x)
        return xp.where(outside, rest, dy / (safe * (1 - safe)))
