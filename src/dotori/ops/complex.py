"""Complex numbers: their parts, and what is made of parts.

A gradient is dL/da + i dL/db for a number a + ib, PyTorch's convention: the step that
makes a real L smaller is along minus the gradient. None of these operations has a
derivative in the sense of complex analysis, so their rules see to the parts themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.dtypes import complex_type, real_type
from dotori.ops._op import Op, Sample, follow


def _numbers(rng: Any, *shape: int) -> Any:
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


class Real(Op):
    """The real part, a view; the walk makes the real gradient complex."""

    views = True
    torch = "real"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return x.real

    @staticmethod
    def backward(xp: Any, dy: Any) -> Any:
        return dy

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((_numbers(rng, 2, 3),))


class Imag(Op):
    """The imaginary part, a view; dx = i dy."""

    views = True
    torch = "imag"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return x.imag

    @staticmethod
    def backward(xp: Any, dy: Any) -> Any:
        return dy * 1j

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((_numbers(rng, 2, 3),))


class Conj(Op):
    """a - ib of a + ib; dx = conj dy."""

    holomorphic = False
    torch = "conj_physical"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return x.conj()

    @staticmethod
    def backward(xp: Any, dy: Any) -> Any:
        return dy.conj()

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((_numbers(rng, 2, 3),))


class Angle(Op):
    """The angle of a + ib with the real axis; dx = i dy / conj x, 0 at 0."""

    saves = ("x",)
    torch = "angle"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.angle(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        zero = x == 0
        return xp.where(zero, 0.0, dy * 1j / xp.where(zero, 1.0, x).conj())

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((_numbers(rng, 2, 3),))


class Complex(Op):
    """a + ib of two real arrays."""

    holomorphic = False
    torch = "complex"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        y = xp.empty(np.broadcast_shapes(a.shape, b.shape), complex_type(a.dtype))
        y.real, y.imag = a, b  # a + 1j * b would make NaN of infinite parts
        return y

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any) -> Any:
        return dy.real, dy.imag

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((2, 3)), rng.standard_normal((2, 3))))


class ViewAsReal(Op):
    """a and b of a + ib along a new last axis, a view."""

    views = True
    torch = "view_as_real"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return x[..., None].view(real_type(x.dtype))

    @staticmethod
    def backward(xp: Any, dy: Any) -> Any:
        return follow(ViewAsComplex, xp, dy)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((_numbers(rng, 2, 3),))


class ViewAsComplex(Op):
    """a + ib of pairs along the last axis, a view where they lie side by side."""

    views = True
    holomorphic = False
    torch = "view_as_complex"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        beside = x.strides[-1] == x.itemsize
        pairs = x if beside else xp.ascontiguousarray(x)
        return pairs.view(complex_type(x.dtype))[..., 0]

    @staticmethod
    def backward(xp: Any, dy: Any) -> Any:
        return follow(ViewAsReal, xp, dy)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((2, 3, 2)),))
