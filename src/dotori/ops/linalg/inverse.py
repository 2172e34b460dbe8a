"""Inverses, systems of equations and determinants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample
from dotori.ops.linalg.parts import adjoint, invertible, plain, transposed


class Inverse(Op):
    """Y = A^-1; dA = -Y^T dY Y^T."""

    saves = ("y",)
    floats = True
    torch = "linalg.inv"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.linalg.inv(x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        t = transposed(xp, y)
        return -xp.matmul(xp.matmul(t, dy), t)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((invertible(rng),))
        yield Sample((invertible(rng, 2),))


class Solve(Op):
    """X with A X = B; dB = A^-T dX, dA = -dB X^T."""

    saves = ("a", "y")
    floats = True
    torch = "linalg.solve"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        return xp.linalg.solve(a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, y: Any) -> Any:
        db = xp.linalg.solve(transposed(xp, a), dy)
        return (-xp.matmul(db, transposed(xp, y)) if needs[0] else None), db

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((invertible(rng), rng.standard_normal((3, 2))))
        yield Sample((invertible(rng, 2), rng.standard_normal((2, 3, 1))))


class Determinant(Op):
    """y = det A; dA = dy cof A, where the cofactors are y A^-T if y is not 0.

    Close to 0 they come from the singular values instead: with A = U diag(s) V^T,
    cof A = det(U V^T) U diag(prod of the others) V^T, which needs no division (Magnus
    and Neudecker, "Matrix Differential Calculus", 2019, chapter 8).
    """

    saves = ("x", "y")
    floats = True
    torch = "linalg.det"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.linalg.det(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, y: Any) -> Any:
        if not _nearly_singular(plain(x), plain(y)):
            inverse = xp.linalg.inv(x)
            return (dy * y)[..., None, None] * transposed(xp, inverse)
        u, s, vt = xp.linalg.svd(x)
        sign = np.linalg.det(plain(u)) * np.linalg.det(plain(vt))
        others = _products_of_others(s)
        # Of complex numbers the walk conjugates: U and V^H then change their places.
        if x.dtype.kind == "c":
            u, vt = u.conj(), vt.conj()
        return (dy * sign)[..., None, None] * xp.matmul(u * others[..., None, :], vt)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((invertible(rng),))
        yield Sample((invertible(rng, 2),))


def _nearly_singular(a: Any, determinant: Any) -> bool:
    """Whether a determinant is mere rounding beside Hadamard's bound for it."""
    bound = np.sqrt((np.abs(a) ** 2).sum(axis=-1)).prod(axis=-1)
    tiny = 100 * max(a.shape[-1], 1) * np.finfo(a.dtype).eps
    return bool((np.abs(determinant) <= tiny * bound).any())


def _products_of_others(s: Any) -> Any:
    """For each number of the last axis, the product of the others."""
    n = s.shape[-1]
    others = 1 - np.eye(n, dtype=s.dtype)
    table = s[..., None, :] * others + (1 - others)
    product = table[..., 0]
    for j in range(1, n):
        product = product * table[..., j]
    return product


class SignLogDet(Op):
    """sign and ln |det A|; dA = d(ln |det A|) A^-T."""

    saves = ("x",)
    outputs = ("sign", "logabsdet")
    floats = True
    torch = "linalg.slogdet"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return tuple(xp.linalg.slogdet(x))

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        if dy[1] is None:
            return None
        return dy[1][..., None, None] * transposed(xp, xp.linalg.inv(x))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((invertible(rng, 2),))


class PseudoInverse(Op):
    """P = A^+, with singular values up to max(atol, rtol times the largest) taken as 0.

    dA = -P^H dP P^H + (I - A P) dP^H P P^H + P^H P dP^H (I - P A), where the rank does
    not change (Golub and Pereyra, "The differentiation of pseudo-inverses", 1973).
    No factor is differentiated, so equal singular values do no harm.
    """

    saves = ("x", "y")
    floats = True
    holomorphic = False

    @staticmethod
    def forward(xp: Any, x: Any, *, atol: Any, rtol: Any, hermitian: bool) -> Any:
        if hermitian:
            s, u = xp.linalg.eigh(x)
            v = u
        else:
            u, s, vh = xp.linalg.svd(x, full_matrices=False)
            v = adjoint(xp, vh)
        kept = xp.abs(s) > cutoff(xp.abs(s), atol, rtol)
        inverse = xp.where(kept, 1 / xp.where(kept, s, 1), 0).astype(s.dtype)
        return xp.matmul(v * inverse[..., None, :], adjoint(xp, u))

    @staticmethod
    def backward(
        xp: Any, dy: Any, x: Any, y: Any, *, atol: Any, rtol: Any, hermitian: bool
    ) -> Any:
        mul, p, g = xp.matmul, adjoint(xp, y), adjoint(xp, dy)
        left = mul(mul(g, y), p)
        right = mul(mul(p, y), g)
        return (
            -mul(mul(p, dy), p)
            + left
            - mul(mul(x, y), left)
            + right
            - mul(mul(right, y), x)
        )

    @staticmethod
    def torch(x: Any, **attrs: Any) -> Any:
        import torch

        return torch.linalg.pinv(x, **attrs)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        attrs = {"atol": 0.0, "rtol": 1e-12, "hermitian": False}
        for shape in ((3, 3), (2, 4, 3), (3, 5)):
            yield Sample((rng.standard_normal(shape),), attrs)


def cutoff(s: Any, atol: Any, rtol: Any) -> Any:
    """Below which singular values count as 0, for each matrix of a stack.

    The tolerances are numbers, or arrays with one for each matrix.
    """
    top = s.max(axis=-1, keepdims=True, initial=0)
    absolute, relative = (np.asarray(t)[..., None] for t in (atol, rtol))
    return np.maximum(absolute, relative * top)
