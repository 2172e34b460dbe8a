"""Questions about each element: comparison and logic, without gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dotori.ops._op import Op, Sample
from dotori.ops.elementwise import Binary, Unary


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

    real = True
    differentiable = False
    torch = "lt"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a < b


class Le(Binary):
    """Whether a <= b."""

    real = True
    differentiable = False
    torch = "le"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a <= b


class Gt(Binary):
    """Whether a > b."""

    real = True
    differentiable = False
    torch = "gt"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a > b


class Ge(Binary):
    """Whether a >= b."""

    real = True
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


class IsInf(Unary):
    """Whether x is infinite."""

    differentiable = False
    torch = "isinf"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.isinf(x)


class LogicalXor(Binary):
    """Whether one of both is not zero."""

    differentiable = False
    torch = "logical_xor"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.logical_xor(a, b)


class Bitwise(Op, abstract=True):
    """An operation on the bits of integers, or on booleans."""

    differentiable = False

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.integers(-9, 9, (3, 4)), rng.integers(-9, 9, (1, 4))))
        yield Sample((rng.random((3, 4)) < 0.5, rng.random(4) < 0.5))


class BitwiseAnd(Bitwise):
    """The bits that both have."""

    torch = "bitwise_and"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a & b


class BitwiseOr(Bitwise):
    """The bits that one of both has."""

    torch = "bitwise_or"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a | b


class BitwiseXor(Bitwise):
    """The bits in which both differ."""

    torch = "bitwise_xor"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return a ^ b


class BitwiseNot(Op):
    """All bits the other way round."""

    differentiable = False
    torch = "bitwise_not"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return ~x

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.integers(-9, 9, (3, 4)),))
        yield Sample((rng.random((3, 4)) < 0.5,))
