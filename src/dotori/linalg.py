"""Linear algebra under the names of ``torch.linalg``.

Matrices are the last two axes; axes before them are a stack. NumPy's functions of the
same names (``np.linalg.inv(t)``) reach these for tensors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd import apply, as_variable
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.elementwise import abs as _abs
from dotori.functions.linear import matmul
from dotori.functions.reduce import norm as _norm
from dotori.functions.reduce import sum as _sum
from dotori.ops import linalg as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "cholesky",
    "cond",
    "det",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "trace",
    "vector_norm",
]


class QR(NamedTuple):
    """The factors of `qr`."""

    Q: Tensor
    R: Tensor


class Eigh(NamedTuple):
    """What `eigh` gives."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class SVD(NamedTuple):
    """The factors of `svd`."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class SlogDet(NamedTuple):
    """What `slogdet` gives."""

    sign: Tensor
    logabsdet: Tensor


def _matrix(place: str, x: TensorLike, square: bool = True) -> Tensor:
    t = as_variable(x)
    if t.ndim < 2 or (square and t.shape[-1] != t.shape[-2]):
        kind = "square matrices" if square else "matrices"
        raise ShapeError(f"linalg.{place}: {kind} were wanted, got shape {t.shape}")
    return t


def _run(place: str, which: Any, *inputs: Any, **attrs: Any) -> Any:
    try:
        return apply(which, *inputs, **attrs)
    except np.linalg.LinAlgError as error:
        shapes = " and ".join(str(t.shape) for t in inputs)
        raise ArgumentError(
            f"linalg.{place} of shape {shapes}: {str(error).lower()}"
            + ("; pinv and lstsq work for it" if "ingular" in str(error) else "")
        ) from error


@implements(np.linalg.inv)
def inv(A: TensorLike) -> Tensor:
    """The inverse.

    Raises
    ------
    ArgumentError
        If a matrix is singular.

    Examples
    --------
    >>> inv([[2.0, 0.0], [0.0, 4.0]]).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    result: Tensor = _run("inv", op.Inverse, _matrix("inv", A))
    return result


@implements(np.linalg.solve)
def solve(A: TensorLike, B: TensorLike) -> Tensor:
    """X with A X = B, for a vector or a matrix B.

    Examples
    --------
    >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]).tolist()
    [1.0, 0.5]
    """
    a, b = _matrix("solve", A), as_variable(B)
    vector = b.ndim == 1
    if vector:
        b = b.reshape(-1, 1)
    if not b.ndim or a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            f"linalg.solve: A of shape {a.shape} and B of shape {b.shape} do not fit; "
            f"B must have {a.shape[-1]} rows"
        )
    x: Tensor = _run("solve", op.Solve, a, b)
    return x.reshape(x.shape[:-1]) if vector else x


@implements(np.linalg.det)
def det(A: TensorLike) -> Tensor:
    """The determinant.

    Examples
    --------
    >>> det([[2.0, 0.0], [0.0, 4.0]]).item()
    8.0
    """
    result: Tensor = _run("det", op.Determinant, _matrix("det", A))
    return result


@implements(np.linalg.slogdet)
def slogdet(A: TensorLike) -> SlogDet:
    """The sign of the determinant, and the logarithm of its absolute value.

    Examples
    --------
    >>> slogdet([[2.0, 0.0], [0.0, -0.5]]).sign.item()
    -1.0
    """
    return SlogDet(*_run("slogdet", op.SignLogDet, _matrix("slogdet", A)))


@implements(np.linalg.cholesky)
def cholesky(A: TensorLike) -> Tensor:
    """The lower triangular L with L L^T = A, for symmetric positive definite A.

    Examples
    --------
    >>> cholesky([[4.0, 0.0], [0.0, 9.0]]).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    result: Tensor = _run("cholesky", op.Cholesky, _matrix("cholesky", A))
    return result


@implements(np.linalg.qr)
def qr(A: TensorLike) -> QR:
    """Q with orthonormal columns and upper triangular R with Q R = A.

    Examples
    --------
    >>> [factor.shape for factor in qr(np.ones((4, 2)))]
    [(4, 2), (2, 2)]
    """
    t = _matrix("qr", A, square=False)
    if t.shape[-2] < t.shape[-1]:
        raise ShapeError(
            f"linalg.qr: at least as many rows as columns are wanted, got {t.shape}"
        )
    return QR(*_run("qr", op.QR, t))


@implements(np.linalg.eigh)
def eigh(A: TensorLike) -> Eigh:
    """Eigenvalues in rising order, and eigenvectors as columns, of symmetric A.

    Examples
    --------
    >>> eigh([[2.0, 0.0], [0.0, 1.0]]).eigenvalues.tolist()
    [1.0, 2.0]
    """
    return Eigh(*_run("eigh", op.Eigh, _matrix("eigh", A)))


@implements(np.linalg.eigvalsh)
def eigvalsh(A: TensorLike) -> Tensor:
    """The eigenvalues of symmetric A, in rising order.

    Examples
    --------
    >>> eigvalsh([[2.0, 0.0], [0.0, 1.0]]).tolist()
    [1.0, 2.0]
    """
    return eigh(A).eigenvalues


def svd(A: TensorLike, full_matrices: bool = False) -> SVD:
    """U, S, Vh with U diag(S) Vh = A; S falls. Reduced by default, unlike PyTorch's.

    Raises
    ------
    ArgumentError
        For ``full_matrices=True``, which has no gradient.

    Examples
    --------
    >>> svd([[3.0, 0.0], [0.0, 4.0]]).S.tolist()
    [4.0, 3.0]
    """
    if full_matrices:
        raise ArgumentError("linalg.svd gives the reduced factors only")
    return SVD(*_run("svd", op.SVD, _matrix("svd", A, square=False)))


@implements(np.linalg.svd)
def _numpys_svd(a: TensorLike, full_matrices: bool = True) -> SVD:
    return svd(a, full_matrices)


@implements(np.linalg.svdvals)
def svdvals(A: TensorLike) -> Tensor:
    """The singular values, falling.

    Examples
    --------
    >>> svdvals([[3.0, 0.0], [0.0, 4.0]]).tolist()
    [4.0, 3.0]
    """
    return svd(A).S


@implements(np.linalg.pinv)
def pinv(A: TensorLike, rtol: float | None = None) -> Tensor:
    """The pseudo-inverse V S^+ U^T; singular values below rtol times the largest are 0.

    Examples
    --------
    >>> pinv([[2.0, 0.0], [0.0, 0.0]]).tolist()
    [[0.5, 0.0], [0.0, 0.0]]
    """
    t = _matrix("pinv", A, square=False)
    if rtol is None:
        floats = t.dtype if t.dtype.kind == "f" else np.dtype(np.float32)
        rtol = max(t.shape[-2:]) * float(np.finfo(floats).eps)
    result: Tensor = _run("pinv", op.PseudoInverse, t, rtol=rtol)
    return result


def lstsq(A: TensorLike, B: TensorLike) -> Tensor:
    """The X that makes |A X - B| least, and of these the shortest: pinv(A) B.

    Examples
    --------
    >>> lstsq([[1.0], [1.0]], [[1.0], [3.0]]).numpy().round(5).tolist()
    [[2.0]]
    """
    return matmul(pinv(A), B)


@implements(np.linalg.matrix_power)
def matrix_power(A: TensorLike, n: int) -> Tensor:
    """A multiplied by itself; of the inverse for negative n.

    Examples
    --------
    >>> matrix_power([[2.0, 0.0], [0.0, 3.0]], 2).tolist()
    [[4.0, 0.0], [0.0, 9.0]]
    """
    t = _matrix("matrix_power", A)
    if n < 0:
        t, n = inv(t), -n
    result = as_variable(np.broadcast_to(np.eye(t.shape[-1], dtype=t.dtype), t.shape))
    while n:
        if n & 1:
            result = matmul(result, t)
        n >>= 1
        if n:
            t = matmul(t, t)
    return result


@implements(np.trace)
def trace(A: TensorLike) -> Tensor:
    """The sum of the diagonal.

    Examples
    --------
    >>> trace([[1.0, 2.0], [3.0, 4.0]]).item()
    5.0
    """
    t = _matrix("trace", A)
    if t.ndim > 2:
        raise ShapeError(f"linalg.trace: one matrix was wanted, got shape {t.shape}")
    places = np.arange(t.shape[0])
    return _sum(t[places, places])


def vector_norm(
    x: TensorLike, ord: float = 2.0, dim: Any = None, keepdim: bool = False
) -> Tensor:
    """(sum |x|^ord)^(1/ord).

    Examples
    --------
    >>> vector_norm([3.0, 4.0]).item()
    5.0
    """
    return _norm(x, ord, dim, keepdim)


@implements(np.linalg.norm)
def norm(
    A: TensorLike, ord: Any = None, dim: Any = None, keepdim: bool = False, **kw: Any
) -> Tensor:
    """The norm of vectors (an int `dim`) or of everything (Frobenius) by default.

    Examples
    --------
    >>> norm([[3.0], [4.0]]).item()
    5.0
    """
    axis = kw.pop("axis", dim)
    keep = kw.pop("keepdims", keepdim)
    if kw:
        raise ArgumentError(f"linalg.norm has no arguments {sorted(kw)}")
    t = as_variable(A)
    pair = isinstance(axis, (tuple, list)) and len(axis) == 2
    if ord not in (None, "fro") and (pair or (axis is None and t.ndim > 1)):
        if keep or pair or t.ndim > 2:
            raise ArgumentError(
                f"linalg.norm: ord={ord!r} of shape {t.shape} and dim={axis} is a norm "
                "of matrices; matrix_norm gives it for the last two axes"
            )
        return matrix_norm(t, ord)
    return _norm(A, 2.0 if ord in (None, "fro") else ord, axis, keep)


def matrix_norm(A: TensorLike, ord: Any = "fro") -> Tensor:
    """Frobenius; the largest singular value (2) or their sum ("nuc"); of the sums of
    |A| over columns (1) or rows (inf), the largest.

    Examples
    --------
    >>> matrix_norm([[3.0, 0.0], [0.0, 4.0]], "nuc").item()
    7.0
    """
    if ord == "fro":
        return _norm(_matrix("matrix_norm", A, square=False), 2.0, (-2, -1))
    if ord in (1, np.inf):
        sums = _sum(
            _abs(_matrix("matrix_norm", A, square=False)), -2 if ord == 1 else -1
        )
        return sums.amax(-1)
    values = svdvals(A)
    if ord == 2:
        return values.amax(-1)
    if ord == "nuc":
        return values.sum(-1)
    raise ArgumentError(
        f"linalg.matrix_norm: ord must be 'fro', 'nuc', 1, 2 or inf, got {ord!r}"
    )


def matrix_rank(A: TensorLike) -> int:
    """How many singular values are not negligible.

    Examples
    --------
    >>> matrix_rank([[1.0, 2.0], [2.0, 4.0]])
    1
    """
    return int(np.linalg.matrix_rank(as_variable(A).array))


def cond(A: TensorLike) -> Tensor:
    """The largest singular value over the smallest.

    Examples
    --------
    >>> cond([[4.0, 0.0], [0.0, 1.0]]).item()
    4.0
    """
    values = svdvals(A)
    return values.amax(-1) / values.amin(-1)
