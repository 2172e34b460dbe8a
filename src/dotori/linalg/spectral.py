"""Eigenvalues and singular values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd import wrap
from dotori.errors import ArgumentError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.join import cat
from dotori.linalg.checks import matrix, run
from dotori.ops import linalg as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor


class Eigen(NamedTuple):
    """What `eigh` and `eig` give."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class SVD(NamedTuple):
    """The factors of `svd`."""

    U: Tensor
    S: Tensor
    Vh: Tensor


@implements(np.linalg.eigh)
def eigh(A: TensorLike, UPLO: str = "L") -> Eigen:
    """Eigenvalues in rising order, and eigenvectors as columns, of symmetric A.

    Parameters
    ----------
    UPLO : {"L", "U"}
        The triangle of A that is read. The gradient is that of a symmetric matrix.

    Examples
    --------
    >>> eigh([[2.0, 0.0], [0.0, 1.0]]).eigenvalues.tolist()
    [1.0, 2.0]
    """
    if not isinstance(UPLO, str) or UPLO.upper() not in ("L", "U"):
        raise ArgumentError(f"linalg.eigh: UPLO must be 'L' or 'U', got {UPLO!r}")
    return Eigen(*run("eigh", op.Eigh, matrix("eigh", A), UPLO=UPLO.upper()))


@implements(np.linalg.eigvalsh)
def eigvalsh(A: TensorLike, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric A, in rising order.

    Examples
    --------
    >>> eigvalsh([[2.0, 0.0], [0.0, 1.0]]).tolist()
    [1.0, 2.0]
    """
    return eigh(A, UPLO).eigenvalues


@implements(np.linalg.eig)
def eig(A: TensorLike) -> Eigen:
    """Complex eigenvalues, and eigenvectors of length 1 as columns, of any matrix.

    Examples
    --------
    >>> eig([[0.0, -1.0], [1.0, 0.0]]).eigenvalues.tolist()
    [1j, -1j]
    """
    a = matrix("eig", A)
    if not np.isfinite(a.array).all():
        raise ArgumentError("linalg.eig: the matrices hold NaN or infinity")
    return Eigen(*run("eig", op.Eig, a))


@implements(np.linalg.eigvals)
def eigvals(A: TensorLike) -> Tensor:
    """The complex eigenvalues of any matrix.

    Examples
    --------
    >>> eigvals([[2.0, 0.0], [0.0, 1.0]]).tolist()
    [(2+0j), (1+0j)]
    """
    return eig(A).eigenvalues


def svd(A: TensorLike, full_matrices: bool = True, *, driver: str | None = None) -> SVD:
    """U, S, Vh with U diag(S) Vh = A; S falls.

    Parameters
    ----------
    full_matrices : bool
        Complete U and Vh to square matrices; the added vectors have no gradient.
    driver : str, optional
        Accepted and not looked at: it chooses among solvers of a CUDA device.

    Examples
    --------
    >>> svd([[3.0, 0.0], [0.0, 4.0]]).S.tolist()
    [4.0, 3.0]
    """
    a = matrix("svd", A, square=False)
    u, s, vh = run("svd", op.SVD, a)
    m, n = a.shape[-2:]
    if full_matrices and m > n:
        u = cat([u, _rest(u.array)], -1)
    if full_matrices and n > m:
        vh = cat([vh, _rest(vh.array.swapaxes(-1, -2)).mT], -2)
    return SVD(u, s, vh)


def _rest(q: Any) -> Tensor:
    """The columns that complete orthonormal ones to a square matrix."""
    whole = np.linalg.qr(q, mode="complete")[0]
    return wrap(whole[..., q.shape[-1] :])


@implements(np.linalg.svd)
def _numpys_svd(
    a: TensorLike, full_matrices: bool = True, compute_uv: bool = True
) -> Any:
    return svd(a, full_matrices) if compute_uv else svdvals(a)


@implements(np.linalg.svdvals)
def svdvals(A: TensorLike, *, driver: str | None = None) -> Tensor:
    """The singular values, falling.

    Examples
    --------
    >>> svdvals([[3.0, 0.0], [0.0, 4.0]]).tolist()
    [4.0, 3.0]
    """
    return svd(A, full_matrices=False).S
