"""Elementwise operations of one and two arrays: value and gradient rule.

`dy` is the gradient of the output; a rule returns the gradient of the input. Formulas
are those of any table of derivatives (Abramowitz and Stegun, 1964, chapter 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dotori.ops._op import Op, Sample

# ---------------------------------------------------------------- one input


class Unary(Op, abstract=True):
    """An operation of one array; tried on numbers that stay clear of singularities."""

    low, high = -2.0, 2.0

    def __init_subclass__(cls, abstract: bool = False) -> None:
        if not abstract:
            low, high = cls.low, cls.high

            def samples(rng: Any) -> Iterator[Sample]:
                yield Sample((rng.uniform(low, high, (3, 4)),))
                yield Sample((rng.uniform(low, high, ()),))

            if cls.samples is Op.samples:
                cls.samples = staticmethod(samples)  # type: ignore[method-assign]
        super().__init_subclass__(abstract)


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
    """y = e^x; dy/dx = y."""

    saves = ("y",)
    floats = True
    torch = "exp"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.exp(x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy * y


class Add(Op):
    """y = a + b."""

    torch = "add"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a + b

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any) -> Any:
        return dy, dy

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield from pairs(rng)


class Mul(Op):
    """y = a b; dy/da = b."""

    saves = ("a", "b")
    torch = "mul"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a * b

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any) -> Any:
        return (dy * b if needs[0] else None), (dy * a if needs[1] else None)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield from pairs(rng)


def pairs(rng: Any, low: float = -2.0, high: float = 2.0) -> Iterator[Sample]:
    """Two arrays of equal shape, broadcast shapes, and an array beside a number."""
    for a, b in (((3, 4), (3, 4)), ((3, 1), (1, 4)), ((2, 3), ()), ((3,), (2, 1, 3))):
        yield Sample((rng.uniform(low, high, a), rng.uniform(low, high, b)))
