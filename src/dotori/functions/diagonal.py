"""Diagonals of matrices: taken out, put in, and the places that they divide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import apply, as_variable, wrap
from dotori.backend import to_device
from dotori.dtypes import int64, promote_types
from dotori.errors import ArgumentError, AxisError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.shape import axis_of, cast, clone, reshape
from dotori.ops.indexing import PutInto
from dotori.ops.views import Diagonal, diagonal_index

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "block_diag",
    "diag",
    "diag_embed",
    "diagflat",
    "diagonal",
    "tril_indices",
    "triu_indices",
]


def _two_axes(
    place: str, shape: tuple[int, ...], dim1: int, dim2: int
) -> tuple[int, int]:
    if len(shape) < 2:
        raise ShapeError(f"{place}: two axes are wanted, got shape {shape}")
    first, second = (axis_of(place, d, len(shape), shape) for d in (dim1, dim2))
    if first == second:
        raise AxisError(f"{place}: two axes are wanted, got {dim1} and {dim2}")
    return first, second


def diagonal_places(
    place: str, shape: tuple[int, ...], offset: int, dim1: int, dim2: int
) -> tuple[Any, ...]:
    """The index of what `diagonal` takes from a tensor of `shape`."""
    first, second = _two_axes(place, shape, dim1, dim2)
    return diagonal_index(shape, offset, first, second)


def diagonal(x: TensorLike, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The elements x[i, i + offset] of two axes, along a last axis: a view.

    Examples
    --------
    >>> diagonal([[1, 2], [3, 4]]).tolist(), diagonal([[1, 2], [3, 4]], 1).tolist()
    ([1, 4], [2])
    """
    t = as_variable(x)
    axis1, axis2 = _two_axes("diagonal", t.shape, dim1, dim2)
    result: Tensor = apply(
        Diagonal, t, offset=offset, axis1=axis1, axis2=axis2, shape=t.array.shape
    )
    return result


@implements(np.diagonal)
def _numpys_diagonal(
    x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1
) -> Tensor:
    return diagonal(x, offset, axis1, axis2)


@implements(np.diag)
def diag(x: TensorLike, diagonal: int = 0, *, k: int = 0) -> Tensor:
    """A matrix with the vector `x` on a diagonal, or a copy of a diagonal of a matrix.

    `diagonal` counts upwards from the main one; `k` is NumPy's name for it.

    Examples
    --------
    >>> diag([1, 2]).tolist()
    [[1, 0], [0, 2]]
    >>> diag([[1, 2], [3, 4]]).tolist()
    [1, 4]
    """
    t, offset = as_variable(x), diagonal or k
    if t.ndim == 1:
        return diag_embed(t, offset)
    if t.ndim != 2:
        raise ShapeError(f"diag: a vector or matrix is wanted, got shape {t.shape}")
    return clone(_diagonal_of(t, offset))


_diagonal_of = diagonal  # under a name that no argument hides


@implements(np.diagflat)
def diagflat(x: TensorLike, offset: int = 0, *, k: int = 0) -> Tensor:
    """A matrix with all elements of `x` on a diagonal.

    Examples
    --------
    >>> diagflat([[1], [2]]).tolist()
    [[1, 0], [0, 2]]
    """
    return diag_embed(reshape(x, -1), offset or k)


def diag_embed(
    x: TensorLike, offset: int = 0, dim1: int = -2, dim2: int = -1
) -> Tensor:
    """Matrices with the last axis of `x` on a diagonal, zero elsewhere.

    Examples
    --------
    >>> diag_embed([[1, 2], [3, 4]]).tolist()
    [[[1, 0], [0, 2]], [[3, 0], [0, 4]]]
    """
    t = as_variable(x)
    if not t.ndim:
        raise ShapeError("diag_embed: at least one axis is wanted, got a single number")
    ndim = t.ndim + 1
    first, second = (axis_of("diag_embed", d, ndim, t.shape) for d in (dim1, dim2))
    if first == second:
        raise AxisError(f"diag_embed: two axes are wanted, got {dim1} and {dim2}")
    side = t.shape[-1] + abs(offset)
    others = iter(t.shape[:-1])
    shape = tuple(side if d in (first, second) else next(others) for d in range(ndim))
    index = diagonal_index(shape, offset, first, second)
    result: Tensor = apply(PutInto, t, index=index, shape=shape)
    return result


def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DTypeLike | None = None,
    device: str = "cpu",
) -> Tensor:
    """Where a matrix lies on or below a diagonal: rows, then columns, shape (2, n).

    Examples
    --------
    >>> tril_indices(2, 2).tolist()
    [[0, 1, 1], [0, 0, 1]]
    """
    lower = np.tri(*_sides("tril_indices", row, col), offset, dtype=np.bool_)
    return _places(lower, dtype, device)


def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DTypeLike | None = None,
    device: str = "cpu",
) -> Tensor:
    """Where a matrix lies on or above a diagonal: rows, then columns, shape (2, n).

    Examples
    --------
    >>> triu_indices(2, 2).tolist()
    [[0, 0, 1], [0, 1, 1]]
    """
    lower = np.tri(*_sides("triu_indices", row, col), offset - 1, dtype=np.bool_)
    return _places(~lower, dtype, device)


def _sides(place: str, row: int, col: int) -> tuple[int, int]:
    if row < 0 or col < 0:
        raise ArgumentError(f"{place}: lengths are not negative, got {row} and {col}")
    return row, col


def _places(mask: Any, dtype: DTypeLike | None, device: str) -> Tensor:
    chosen = np.dtype(int64 if dtype is None else dtype)
    return wrap(to_device(np.stack(mask.nonzero()).astype(chosen), device))


def block_diag(*tensors: TensorLike) -> Tensor:
    """A matrix of matrices along its diagonal, zero elsewhere; vectors are rows.

    Examples
    --------
    >>> block_diag([[1]], [2, 3]).tolist()
    [[1, 0, 0], [0, 2, 3]]
    """
    parts = []
    for i, x in enumerate(tensors):
        t = as_variable(x)
        if t.ndim > 2:
            raise ShapeError(f"block_diag: tensor {i} is no matrix: shape {t.shape}")
        parts.append(t if t.ndim == 2 else reshape(t, (1, t.numel())))
    if not parts:
        return wrap(np.zeros((1, 0), np.float32))
    dtype = parts[0].dtype
    for t in parts:
        dtype = promote_types(dtype, t.dtype)
    shape = (sum(t.shape[0] for t in parts), sum(t.shape[1] for t in parts))
    total: Any = None
    row = column = 0
    for t in parts:
        place = slice(row, row + t.shape[0]), slice(column, column + t.shape[1])
        block = apply(PutInto, cast(t, dtype), index=place, shape=shape)
        total = block if total is None else total + block
        row, column = row + t.shape[0], column + t.shape[1]
    return as_variable(total)
