"""Linear algebra on stacks of matrices: inverse, systems, determinants, factors.

Gradient rules: Giles, "An extended collection of matrix derivative results for forward
and reverse mode algorithmic differentiation", 2008; for the factorisations also Walter
and Lehmann, "Algorithmic differentiation of linear algebra functions", 2010. A^T means
the last two axes exchanged, and is written ``T(a)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.errors import GradientError
from dotori.ops._op import Op, Sample


def _transposer(xp: Any) -> Any:
    return lambda a: xp.swapaxes(a, -1, -2)


def _square(rng: Any, *lead: int, n: int = 3) -> Any:
    """Matrices far from singular."""
    return rng.standard_normal((*lead, n, n)) + 3 * np.eye(n)


def _diagonal(a: Any) -> Any:
    """A vector as a diagonal matrix."""
    return a[..., None] * np.eye(a.shape[-1], dtype=a.dtype)


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
        t = xp.swapaxes(y, -1, -2)
        return -xp.matmul(xp.matmul(t, dy), t)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((_square(rng),))
        yield Sample((_square(rng, 2),))


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
        db = xp.linalg.solve(xp.swapaxes(a, -1, -2), dy)
        return (-xp.matmul(db, xp.swapaxes(y, -1, -2)) if needs[0] else None), db

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((_square(rng), rng.standard_normal((3, 2))))
        yield Sample((_square(rng, 2), rng.standard_normal((2, 3, 1))))


class Determinant(Op):
    """y = det A; dA = dy y A^-T. A must not be singular for the gradient."""

    saves = ("x", "y")
    floats = True
    torch = "linalg.det"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.linalg.det(x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, y: Any) -> Any:
        try:
            inverse = xp.linalg.inv(x)
        except np.linalg.LinAlgError as error:
            raise GradientError(
                "linalg.det: its gradient, det(A) A^-T, wants invertible matrices, got "
                f"a singular one in shape {x.shape}"
            ) from error
        return (dy * y)[..., None, None] * xp.swapaxes(inverse, -1, -2)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((_square(rng),))
        yield Sample((_square(rng, 2),))


class PseudoInverse(Op):
    """P = A^+, with singular values below `rtol` times the largest taken as 0.

    dA = -P^T dP P^T + (I - A P) dP^T P P^T + P^T P dP^T (I - P A), where the rank does
    not change (Golub and Pereyra, "The differentiation of pseudo-inverses", 1973).
    No factor is differentiated, so equal singular values do no harm.
    """

    saves = ("x", "y")
    floats = True

    @staticmethod
    def forward(xp: Any, x: Any, *, rtol: float) -> Any:
        return xp.linalg.pinv(x, rtol)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, y: Any, *, rtol: float) -> Any:
        t, mul = _transposer(xp), xp.matmul
        p, g = t(y), t(dy)
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
    def torch(x: Any, *, rtol: float) -> Any:
        import torch

        return torch.linalg.pinv(x, rtol=rtol)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for shape in ((3, 3), (2, 4, 3), (3, 5)):
            yield Sample((rng.standard_normal(shape),), {"rtol": 1e-12})


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
        return dy[1][..., None, None] * xp.swapaxes(xp.linalg.inv(x), -1, -2)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((_square(rng, 2),))


class Cholesky(Op):
    """The lower triangular L with L L^T = A, for positive definite (A + A^T)/2.

    dA is the symmetric part of L^-T P(L^T dL) L^-1, where P keeps the lower triangle
    and half of the diagonal.
    """

    saves = ("y",)
    floats = True

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.linalg.cholesky((x + xp.swapaxes(x, -1, -2)) * 0.5)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        t, n = _transposer(xp), y.shape[-1]
        half = np.tril(np.ones((n, n), y.dtype)) - 0.5 * np.eye(n, dtype=y.dtype)
        inner = xp.matmul(t(y), dy) * half
        inverse = xp.linalg.inv(y)
        da = xp.matmul(xp.matmul(t(inverse), inner), inverse)
        return (da + t(da)) * 0.5

    @staticmethod
    def torch(x: Any) -> Any:
        import torch

        return torch.linalg.cholesky((x + x.mT) / 2)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        a = _square(rng, 2)
        yield Sample((a @ a.swapaxes(-1, -2),))


class QR(Op):
    """Q with orthonormal columns and upper triangular R with Q R = A (m >= n).

    dA = (dQ + Q copy(M)) R^-T with M = R dR^T - dQ^T Q, where copy takes the lower
    triangle and mirrors it.
    """

    saves = ("q", "r")
    outputs = ("q", "r")
    floats = True
    torch = "linalg.qr"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return tuple(xp.linalg.qr(x))

    @staticmethod
    def backward(xp: Any, dy: Any, q: Any, r: Any) -> Any:
        t, (dq, dr), n = _transposer(xp), dy, r.shape[-1]
        m = 0
        if dr is not None:
            m = xp.matmul(r, t(dr))
        if dq is not None:
            m = m - xp.matmul(t(dq), q)
        lower = np.tril(np.ones((n, n), q.dtype))
        strict = lower - np.eye(n, dtype=q.dtype)
        total = xp.matmul(q, m * lower + t(m * strict))
        if dq is not None:
            total = total + dq
        return t(xp.linalg.solve(r, t(total)))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((4, 3)),))
        yield Sample((_square(rng, 2),))


class Eigh(Op):
    """Eigenvalues w and eigenvectors V of the symmetric part (A + A^T)/2.

    dA = V (diag dw + F * (V^T dV)) V^T with F_ij = 1/(w_j - w_i), 0 on the diagonal.
    Equal eigenvalues make the gradient of V infinite, as in PyTorch.
    """

    saves = ("w", "v")
    outputs = ("w", "v")
    floats = True

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return tuple(xp.linalg.eigh((x + xp.swapaxes(x, -1, -2)) * 0.5))

    @staticmethod
    def backward(xp: Any, dy: Any, w: Any, v: Any) -> Any:
        t, (dw, dv), n = _transposer(xp), dy, w.shape[-1]
        inner = 0
        if dw is not None:
            inner = _diagonal(dw)
        if dv is not None:
            eye = np.eye(n, dtype=w.dtype)
            gap = w[..., None, :] - w[..., :, None] + eye
            inner = inner + xp.matmul(t(v), dv) * ((1 - eye) / gap)
        da = xp.matmul(xp.matmul(v, inner), t(v))
        return (da + t(da)) * 0.5

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        a = rng.standard_normal((3, 3))
        yield Sample((a + a.T,))


class SVD(Op):
    """U, s, V^T with U diag(s) V^T = A, without the zero part.

    With F_ij = 1/(s_j^2 - s_i^2), 0 on the diagonal, k = len(s):
    dA = U ((F * skew(U^T dU)) S + S (F * skew(V^T dV)) + diag ds) V^T, with
    skew(M) = M - M^T, plus (1 - U U^T) dU S^-1 V^T for tall and
    U S^-1 dV^T (1 - V V^T) for wide matrices. Equal singular values make the gradient
    of U and V infinite, as in PyTorch.
    """

    saves = ("u", "s", "vt")
    outputs = ("u", "s", "vt")
    floats = True

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return tuple(xp.linalg.svd(x, full_matrices=False))

    @staticmethod
    def backward(xp: Any, dy: Any, u: Any, s: Any, vt: Any) -> Any:
        t, (du, ds, dvt) = _transposer(xp), dy
        eye = np.eye(s.shape[-1], dtype=s.dtype)
        column, row = s[..., :, None], s[..., None, :]
        f = (1 - eye) / ((row - column) * (row + column) + eye)
        inner = 0 if ds is None else _diagonal(ds)
        rest = 0
        if du is not None:
            m = xp.matmul(t(u), du)
            inner = inner + (f * (m - t(m))) * row
            rest = xp.matmul((du - xp.matmul(u, m)) / row, vt)
        if dvt is not None:
            m = xp.matmul(vt, t(dvt))
            inner = inner + column * (f * (m - t(m)))
            rest = rest + xp.matmul(u / row, dvt - xp.matmul(t(m), vt))
        return xp.matmul(xp.matmul(u, inner), vt) + rest

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for shape in ((3, 3), (4, 3), (3, 5)):
            yield Sample((rng.standard_normal(shape),))
