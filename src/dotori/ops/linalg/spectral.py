"""Eigenvalues and singular values.

Vectors are free up to a factor, a sign or exp(i phi), and so a loss must not depend on
it: of complex vectors that is checked. Equal eigenvalues make the gradients of their
vectors infinite, as in PyTorch, not those of the values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.dtypes import complex_type
from dotori.errors import GradientError
from dotori.ops._op import Op, Sample
from dotori.ops.linalg.parts import adjoint, embedded, on_diagonal, plain


def _gaps(values: Any) -> Any:
    """w_j - w_i, and 1 on the diagonal."""
    eye = np.eye(values.shape[-1], dtype=values.dtype)
    return values[..., None, :] - values[..., :, None] + eye


def _off_diagonal(n: int) -> Any:
    return ~np.eye(n, dtype=bool)


def _check_phase(place: str, inner: Any) -> None:
    """The gradient must not depend on the phases of complex vectors.

    Raises
    ------
    GradientError
        If it does.
    """
    phase = np.diagonal(plain(inner), axis1=-2, axis2=-1).imag
    if plain(inner).dtype.kind == "c" and not np.allclose(phase, 0, atol=1e-2):
        raise GradientError(
            f"linalg.{place}: the loss depends on the phases of the vectors, which are "
            "arbitrary: there is no gradient; use absolute values or products V V^H"
        )


class Eigh(Op):
    """Eigenvalues w, rising, and eigenvectors V of a Hermitian matrix.

    Only the lower triangle is read, or the upper one. The gradient is that of a matrix
    which stays Hermitian: the Hermitian part of V (diag dw + F * (V^H dV)) V^H with
    F_ij = 1/(w_j - w_i), 0 on the diagonal.
    """

    saves = ("w", "v")
    outputs = ("w", "v")
    floats = True
    holomorphic = False

    @staticmethod
    def forward(xp: Any, x: Any, *, UPLO: str) -> Any:
        return tuple(xp.linalg.eigh(x, UPLO))

    @staticmethod
    def backward(xp: Any, dy: Any, w: Any, v: Any, *, UPLO: str) -> Any:
        (dw, dv), h = dy, adjoint(xp, v)
        inner = None if dw is None else embedded(dw)
        if dv is not None:
            m = xp.matmul(h, dv)
            _check_phase("eigh", m)
            turned = m * _off_diagonal(w.shape[-1]) / _gaps(w)
            inner = turned if inner is None else inner + turned
        da = xp.matmul(xp.matmul(v, inner), h)
        return (da + adjoint(xp, da)) * 0.5

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        a = rng.standard_normal((3, 3))
        yield Sample((a + a.T,), {"UPLO": "L"})


class Eig(Op):
    """Eigenvalues w and eigenvectors V of length 1, complex ones, of any matrix.

    dA = V^-H (diag dw + conj(F) * (V^H dV - V^H V diag(re(V^H dV)))) V^H with F as in
    `Eigh`; the second term is due to the length 1 (Boeddeker et al., "On the
    computation of complex-valued gradients", 2017, section 4.8).
    """

    saves = ("w", "v")
    outputs = ("w", "v")
    floats = True
    holomorphic = False

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        dtype = complex_type(x.dtype)
        return tuple(part.astype(dtype) for part in xp.linalg.eig(x))

    @staticmethod
    def backward(xp: Any, dy: Any, w: Any, v: Any) -> Any:
        (dw, dv), h = dy, adjoint(xp, v)
        inner = None if dw is None else embedded(dw)
        if dv is not None:
            m = xp.matmul(h, dv)
            _check_phase("eig", m)
            m = m - xp.matmul(xp.matmul(h, v), on_diagonal(m).real.astype(m.dtype))
            turned = m * _off_diagonal(w.shape[-1]) / _gaps(w).conj()
            inner = turned if inner is None else inner + turned
        return xp.linalg.solve(h, xp.matmul(inner, h))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((3, 3)),))


class SVD(Op):
    """U, s, V^H with U diag(s) V^H = A, without the zero part; s falls.

    With F_ij = 1/(s_j^2 - s_i^2), 0 on the diagonal, k = len(s):
    dA = U ((F * skew(U^H dU)) S + S (F * skew(V^H dV)) + diag ds) V^H, with
    skew(M) = M - M^H, plus (1 - U U^H) dU S^-1 V^H for tall and
    U S^-1 dV^H (1 - V V^H) for wide matrices (Townsend, "Differentiating the singular
    value decomposition", 2016).
    """

    saves = ("u", "s", "vh")
    outputs = ("u", "s", "vh")
    floats = True
    holomorphic = False

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return tuple(xp.linalg.svd(x, full_matrices=False))

    @staticmethod
    def backward(xp: Any, dy: Any, u: Any, s: Any, vh: Any) -> Any:
        du, ds, dvh = dy
        inner = None if ds is None else embedded(ds)
        rest = 0
        column, row = s[..., :, None], s[..., None, :]
        if du is not None or dvh is not None:
            eye = np.eye(s.shape[-1], dtype=s.dtype)
            f = (1 - eye) / ((row - column) * (row + column) + eye)
        if du is not None:
            m = xp.matmul(adjoint(xp, u), du)
            turned = f * (m - adjoint(xp, m)) * row
            inner = turned if inner is None else inner + turned
            if u.shape[-2] > u.shape[-1]:
                rest = xp.matmul((du - xp.matmul(u, m)) / row, vh)
        if dvh is not None:
            m = xp.matmul(vh, adjoint(xp, dvh))
            turned = column * (f * (m - adjoint(xp, m)))
            inner = turned if inner is None else inner + turned
            if vh.shape[-1] > vh.shape[-2]:
                outside = dvh - xp.matmul(adjoint(xp, m), vh)
                rest = rest + xp.matmul(u / row, outside)
        if u.dtype.kind == "c" and (du is not None or dvh is not None):
            inner = inner + SVD.common_phase(xp, u, s, vh, du, dvh)
        return xp.matmul(xp.matmul(u, inner), vh) + rest

    @staticmethod
    def common_phase(xp: Any, u: Any, s: Any, vh: Any, du: Any, dvh: Any) -> Any:
        """Of complex vectors: the diagonal that turns u_i alone, v_i being held."""
        if du is not None:
            m = xp.matmul(adjoint(xp, u), du)
            total = m if dvh is None else m + xp.matmul(vh, adjoint(xp, dvh))
        else:
            total = xp.matmul(vh, adjoint(xp, dvh))
        _check_phase("svd", total)
        if du is None:
            return embedded(s) * 0
        skew = on_diagonal(m - adjoint(xp, m)) * 0.5
        return skew / s[..., None, :]

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for shape in ((3, 3), (4, 3), (3, 5)):
            yield Sample((rng.standard_normal(shape),))
