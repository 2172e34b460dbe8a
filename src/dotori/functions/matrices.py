"""Linear algebra under the names that PyTorch has beside ``torch.linalg``.

They are older than those of `dotori.linalg` and differ in arguments and results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd import as_variable, wrap
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.linear import matmul
from dotori.linalg import cholesky as _cholesky
from dotori.linalg import (
    det,
    householder_product,
    inv,
    lu_factor_ex,
    matrix_exp,
    matrix_power,
    pinv,
    slogdet,
    solve_triangular,
)
from dotori.linalg import lu_solve as _lu_solve
from dotori.linalg import qr as _qr
from dotori.linalg import svd as _svd
from dotori.linalg.checks import matrix
from dotori.linalg.definite import cholesky_inverse, cholesky_solve
from dotori.linalg.determinant import logdet
from dotori.linalg.elimination import lu_unpack
from dotori.linalg.reflections import geqrf, ormqr
from dotori.random import default_generator

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "cholesky_solve",
    "det",
    "geqrf",
    "inverse",
    "logdet",
    "lu",
    "lu_solve",
    "lu_unpack",
    "matrix_exp",
    "matrix_power",
    "orgqr",
    "ormqr",
    "pca_lowrank",
    "pinverse",
    "qr",
    "slogdet",
    "svd",
    "svd_lowrank",
    "triangular_solve",
    "vander",
]

inverse = inv
orgqr = householder_product


class QR(NamedTuple):
    """The factors of `qr`."""

    Q: Tensor
    R: Tensor


class SVD(NamedTuple):
    """The factors of `svd`: V, not V^T."""

    U: Tensor
    S: Tensor
    V: Tensor


class TriangularSolve(NamedTuple):
    """What `triangular_solve` gives."""

    solution: Tensor
    cloned_coefficient: Tensor


def cholesky(x: TensorLike, upper: bool = False) -> Tensor:
    """See `linalg.cholesky`.

    Examples
    --------
    >>> cholesky([[4.0, 0.0], [0.0, 9.0]]).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    return _cholesky(x, upper=upper)


def pinverse(x: TensorLike, rcond: float = 1e-15) -> Tensor:
    """See `linalg.pinv`.

    Examples
    --------
    >>> pinverse([[2.0, 0.0], [0.0, 0.0]]).tolist()
    [[0.5, 0.0], [0.0, 0.0]]
    """
    return pinv(x, rcond)


def qr(x: TensorLike, some: bool = True) -> QR:
    """See `linalg.qr`: reduced if `some`, else complete.

    Examples
    --------
    >>> [factor.shape for factor in qr([[1.0], [0.0]], some=False)]
    [(2, 2), (2, 1)]
    """
    return QR(*_qr(x, "reduced" if some else "complete"))


def svd(x: TensorLike, some: bool = True, compute_uv: bool = True) -> SVD:
    """U, S, V with U diag(S) V^T = x: see `linalg.svd`, which gives V^T.

    Parameters
    ----------
    some : bool
        Only as many vectors as there are singular values.
    compute_uv : bool
        If not, U and V are zeros.

    Examples
    --------
    >>> svd([[3.0, 0.0], [0.0, 4.0]]).S.tolist()
    [4.0, 3.0]
    """
    t = matrix("svd", x, square=False)
    if not compute_uv:
        s = _svd(t, full_matrices=False).S
        lead, (m, n) = t.shape[:-2], t.shape[-2:]
        u, v = (wrap(np.zeros((*lead, k, k), t.dtype)) for k in (m, n))
        return SVD(u, s, v)
    u, s, vh = _svd(t, full_matrices=not some)
    return SVD(u, s, vh.mH)


def lu(x: TensorLike, pivot: bool = True, get_infos: bool = False) -> Any:
    """The packed factors and the pivots of `linalg.lu_factor`; info too if wanted.

    Examples
    --------
    >>> lu([[0.0, 2.0], [1.0, 0.0]])[1].tolist()
    [2, 2]
    """
    result = lu_factor_ex(x, pivot=pivot)
    return tuple(result) if get_infos else tuple(result[:2])


def lu_solve(x: TensorLike, LU_data: TensorLike, LU_pivots: TensorLike) -> Tensor:
    """A^-1 x, by the factors of A: see `linalg.lu_solve`.

    Examples
    --------
    >>> lu_solve([[2.0], [3.0]], *lu([[0.0, 2.0], [1.0, 0.0]])).tolist()
    [[3.0], [1.0]]
    """
    return _lu_solve(LU_data, LU_pivots, x)


def triangular_solve(
    x: TensorLike,
    A: TensorLike,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
) -> TriangularSolve:
    """A^-1 x (A^-T x if `transpose`) for triangular A: see `linalg.solve_triangular`.

    Examples
    --------
    >>> triangular_solve([[2.0]], [[4.0]]).solution.item()
    0.5
    """
    b, a = matrix("triangular_solve", x, square=False), matrix("triangular_solve", A)
    used = a.mT if transpose else a
    solution = solve_triangular(
        used, b, upper=upper != transpose, unitriangular=unitriangular
    )
    lead = solution.shape[:-2]
    return TriangularSolve(solution, a.broadcast_to((*lead, *a.shape[-2:])).clone())


def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of each number, a row for each, the highest first by default.

    Examples
    --------
    >>> vander([2, 3], 3).tolist()
    [[4, 2, 1], [9, 3, 1]]
    """
    t = as_variable(x)
    if t.ndim != 1:
        raise ShapeError(f"vander: a vector was wanted, got shape {t.shape}")
    n = len(t) if N is None else N
    if n < 0:
        raise ArgumentError(f"vander: N must not be negative, got {N}")
    powers = np.arange(n) if increasing else np.arange(n)[::-1].copy()
    return t.unsqueeze(-1) ** wrap(powers)


def svd_lowrank(
    A: TensorLike, q: int | None = 6, niter: int | None = 2, M: Any = None
) -> SVD:
    """The `q` largest singular values and their vectors, by random projection.

    Halko, Martinsson and Tropp, "Finding structure with randomness", 2011, algorithms
    4.4 and 5.1: an orthonormal basis of the range of A times random vectors, made
    better by `niter` steps of subspace iteration. Of A - M if `M` is given.

    Examples
    --------
    >>> a = np.outer([1.0, 2.0], [3.0, 4.0, 5.0])
    >>> svd_lowrank(a, q=1).S.shape
    (1,)
    """
    a = matrix("svd_lowrank", A, square=False)
    if M is not None:
        a = a - as_variable(M)
    k = 6 if q is None else q
    if not 0 <= k <= min(a.shape[-2:]):
        raise ArgumentError(
            f"svd_lowrank: q must be from 0 to {min(a.shape[-2:])} for shape "
            f"{a.shape}, got {k}"
        )
    draws = default_generator().normal((a.shape[-1], k), dtype=a.dtype)
    basis = _qr(matmul(a, wrap(draws))).Q
    for _ in range(2 if niter is None else niter):
        basis = _qr(matmul(a.mH, basis)).Q
        basis = _qr(matmul(a, basis)).Q
    u, s, vh = _svd(matmul(basis.mH, a), full_matrices=False)
    return SVD(matmul(basis, u), s, vh.mH)


def pca_lowrank(
    A: TensorLike, q: int | None = None, center: bool = True, niter: int = 2
) -> SVD:
    """`svd_lowrank` of A less the mean of each column: its principal components.

    Examples
    --------
    >>> pca_lowrank([[1.0, 2.0], [3.0, 4.0]], q=1).V.shape
    (2, 1)
    """
    a = matrix("pca_lowrank", A, square=False)
    k = min(6, *a.shape[-2:]) if q is None else q
    if not 0 <= k <= min(a.shape[-2:]) or niter < 0:
        raise ArgumentError(
            f"pca_lowrank: q must be from 0 to {min(a.shape[-2:])} and niter not "
            f"negative, got {k} and {niter}"
        )
    return svd_lowrank(a - a.mean(-2, keepdim=True) if center else a, k, niter)
