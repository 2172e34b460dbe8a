"""Norms of vectors and matrices, and what is read off singular values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import apply, as_variable, wrap
from dotori.errors import ArgumentError, AxisError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.elementwise import abs as _abs
from dotori.functions.elementwise import where
from dotori.functions.reduce import checked_axes
from dotori.functions.reduce import sum as _sum
from dotori.functions.shape import cast, permute
from dotori.linalg.checks import matrix
from dotori.linalg.leastsquares import tolerances
from dotori.linalg.spectral import eigvalsh, svdvals
from dotori.linalg.systems import inv_ex
from dotori.ops import linalg as op
from dotori.ops.linalg.inverse import cutoff

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def _numbers(place: str, x: TensorLike, dtype: DTypeLike | None) -> Tensor:
    """`x` as floats or complex numbers, of `dtype` if it is given."""
    t = as_variable(x)
    if t.dtype.kind not in "fc":
        raise DTypeError(f"linalg.{place}: floats were wanted, got {t.dtype}")
    if dtype is None:
        return t
    chosen = np.dtype(dtype)
    if chosen.kind != t.dtype.kind or chosen.itemsize < t.dtype.itemsize:
        raise DTypeError(
            f"linalg.{place}: dtype {chosen} does not hold all numbers of {t.dtype}"
        )
    return cast(t, chosen)


def vector_norm(
    x: TensorLike,
    ord: Any = 2.0,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """(sum |x|^ord)^(1/ord); the largest or least |x| for inf and -inf.

    Parameters
    ----------
    ord : float
        0 counts the elements that are not 0.
    dim : int or tuple, optional
        The axes that form a vector; all by default.

    Examples
    --------
    >>> vector_norm([3.0, 4.0]).item()
    5.0
    """
    t = _numbers("vector_norm", x, dtype)
    if isinstance(ord, str) or not np.isreal(ord):
        raise ArgumentError(f"linalg.vector_norm: ord must be a number, got {ord!r}")
    everything = isinstance(dim, (tuple, list)) and not dim
    axes = checked_axes("linalg.vector_norm", t, None if everything else dim, None)
    if ord < 0 or ord == np.inf:
        lengths = [t.shape[a] for a in np.arange(t.ndim)[_places(axes)]]
        if 0 in lengths:
            raise ShapeError(
                f"linalg.vector_norm: ord={ord} of no elements, shape {t.shape}, does "
                "not exist"
            )
    short = t.dtype == np.float16  # whose squares end at 65504
    result: Tensor = apply(
        op.VectorNorm,
        cast(t, np.float32) if short else t,
        ord=ord,
        axis=axes,
        keepdims=keepdim,
        shape=t.shape,
    )
    return cast(result, np.float16) if short else result


def _places(axes: Any) -> Any:
    return slice(None) if axes is None else np.atleast_1d(axes)


def matrix_norm(
    A: TensorLike,
    ord: Any = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """A norm of matrices.

    Parameters
    ----------
    ord : {"fro", "nuc", 2, -2, 1, -1, inf, -inf}
        Frobenius; the sum of the singular values, the largest or least one; the
        largest or least sum of |A| over the rows (1, -1) or columns (inf, -inf).
    dim : pair of ints
        The axes of the rows and of the columns.

    Examples
    --------
    >>> matrix_norm([[3.0, 0.0], [0.0, 4.0]], "nuc").item()
    7.0
    """
    t = _numbers("matrix_norm", A, dtype)
    if t.ndim < 2 or not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise ShapeError(
            "linalg.matrix_norm: matrices and two axes were wanted, got shape "
            f"{t.shape} and dim={dim}"
        )
    axes = checked_axes("linalg.matrix_norm", t, tuple(dim), None)
    rows, columns = (a % t.ndim for a in axes)
    if rows == columns:
        raise AxisError(f"linalg.matrix_norm: two different axes are wanted, got {dim}")
    if ord == "fro":
        return vector_norm(t, 2, (rows, columns), keepdim)
    if ord == "nuc" or ord in (2, -2):
        rest = [i for i in range(t.ndim) if i not in (rows, columns)]
        values = svdvals(permute(t, [*rest, rows, columns]))
        found = _of_values(values, ord, t.shape)
    elif ord in (1, -1, np.inf, -np.inf):
        first, second = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = _sum(_abs(t), first)
        found = _extreme(sums, ord, second - (second > first), t.shape)
    else:
        raise ArgumentError(
            "linalg.matrix_norm: ord must be 'fro', 'nuc', 1, 2, inf or one of these "
            f"numbers with a minus, got {ord!r}"
        )
    if keepdim:
        sizes = [1 if i in (rows, columns) else n for i, n in enumerate(t.shape)]
        return found.reshape(sizes)
    return found


def _of_values(values: Tensor, ord: Any, shape: Any) -> Tensor:
    return values.sum(-1) if ord == "nuc" else _extreme(values, ord, -1, shape)


def _extreme(t: Tensor, ord: float, axis: int, shape: Any) -> Tensor:
    """The largest for positive `ord`, 0 if there is none; the least for negative."""
    if t.shape[axis]:
        return t.amax(axis) if ord > 0 else t.amin(axis)
    if ord > 0:
        return t.sum(axis)
    raise ShapeError(
        f"linalg.matrix_norm: ord={ord} of matrices without elements, shape {shape}, "
        "does not exist"
    )


@implements(np.linalg.norm)
def norm(
    A: TensorLike,
    ord: Any = None,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """`vector_norm` or `matrix_norm`, whichever is meant.

    Matrices are meant by two axes in `dim`, or by a matrix and an `ord`; without
    `ord`, it is the root of the sum of squares of everything, or along `dim`.

    Examples
    --------
    >>> norm([[3.0], [4.0]]).item()
    5.0
    """
    t = as_variable(A)
    axes = axis if dim is None else dim
    keep = keepdim or keepdims
    many = isinstance(axes, (tuple, list))
    if axes is not None:
        checked_axes("linalg.norm", t, tuple(axes) if many else axes, None)
    if ord is None:
        return vector_norm(t, 2, axes, keep, dtype=dtype)
    if axes is None:
        if t.ndim not in (1, 2):
            raise ShapeError(
                f"linalg.norm: with ord={ord!r} and no dim, a vector or a matrix is "
                f"wanted, got shape {t.shape}"
            )
        axes = (0,) if t.ndim == 1 else (0, 1)
    elif not many:
        axes = (axes,)
    if len(axes) == 1:
        return vector_norm(t, ord, tuple(axes), keep, dtype=dtype)
    if len(axes) == 2:
        return matrix_norm(t, ord, tuple(axes), keep, dtype=dtype)
    raise AxisError(f"linalg.norm: dim must be one axis or two, got {dim}")


@implements(np.linalg.cond)
def cond(A: TensorLike, p: Any = None) -> Tensor:
    """How much larger relative errors can become: |A| |A^-1|, infinite if singular.

    Parameters
    ----------
    p : optional
        The norm, as in `matrix_norm`; by default 2, the largest singular value over
        the least, which is there for matrices that are not square too.

    Examples
    --------
    >>> cond([[4.0, 0.0], [0.0, 1.0]]).item()
    4.0
    """
    if p is None or p in (2, -2):
        values = svdvals(matrix("cond", A, square=False))
        if not values.shape[-1]:
            return values.sum(-1)
        large, small = values[..., 0], values[..., -1]
        return small / large if p == -2 else large / small
    a = matrix("cond", A)
    if not a.shape[-1]:
        return _abs(a).sum((-2, -1))
    inverse, info = inv_ex(a)
    found = matrix_norm(a, p) * matrix_norm(inverse, p)
    singular = info.array != 0
    if not singular.any():
        return found
    return where(wrap(singular), found.dtype.type(np.inf), found)


@implements(np.linalg.matrix_rank)
def matrix_rank(
    A: TensorLike,
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
) -> Tensor:
    """How many singular values are not negligible: see `pinv` for the tolerances.

    Parameters
    ----------
    tol : float or Tensor, optional
        An absolute tolerance, the only one then.
    hermitian : bool
        The matrices are symmetric: their eigenvalues tell it as well.

    Examples
    --------
    >>> matrix_rank([[1.0, 2.0], [2.0, 4.0]]).item()
    1
    """
    a = matrix("matrix_rank", A, square=hermitian).detach()
    if tol is not None:
        atol, rtol = tol, 0.0
    values = _abs(eigvalsh(a)).array if hermitian else svdvals(a).array
    kept = values > cutoff(values, *tolerances(a, atol, rtol))
    return wrap(np.asarray(kept.sum(axis=-1), np.int64))
