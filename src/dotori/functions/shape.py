"""Shapes and indices of tensors. Results share memory where NumPy's do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable
from dotori.errors import AxisError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.ops import indexing
from dotori.ops import shape as shape_ops

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["broadcast_to", "flatten", "permute", "reshape", "transpose"]


def _flat(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    return tuple(int(n) for n in sizes)


@implements(np.reshape)
def reshape(x: TensorLike, *size: Any) -> Tensor:
    """The same elements, in C order, under another shape; one size may be -1.

    Examples
    --------
    >>> reshape([1.0, 2.0, 3.0, 4.0], (2, -1)).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    t = as_variable(x)
    try:
        result: Tensor = apply(shape_ops.Reshape, t, shape=_flat(size))
    except ValueError as error:
        raise ShapeError(
            f"reshape: {t.numel()} elements of shape {t.shape} cannot form {_flat(size)}"
        ) from error
    return result


def flatten(x: TensorLike, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Make one axis of the axes from start_dim to end_dim.

    Examples
    --------
    >>> flatten(np.zeros((2, 3, 4)), 1).shape
    (2, 12)
    """
    t = as_variable(x)
    if not t.ndim:
        return reshape(t, 1)
    first, last = start_dim % t.ndim, end_dim % t.ndim
    return reshape(t, (*t.shape[:first], -1, *t.shape[last + 1 :]))


def permute(x: TensorLike, *dims: Any) -> Tensor:
    """The axes in another order."""
    t = as_variable(x)
    axes = _flat(dims)
    if sorted(a % t.ndim for a in axes) != list(range(t.ndim)):
        raise AxisError(f"permute: {axes} is no order of the axes of shape {t.shape}")
    result: Tensor = apply(shape_ops.Permute, t, axes=tuple(a % t.ndim for a in axes))
    return result


@implements(np.transpose)
def _reorder(x: TensorLike, axes: tuple[int, ...] | None = None) -> Tensor:
    """NumPy's meaning of transpose: the axes in the order `axes`, or reversed."""
    t = as_variable(x)
    return permute(t, tuple(range(t.ndim))[::-1] if axes is None else axes)


@implements(np.broadcast_to)
def broadcast_to(x: TensorLike, shape: tuple[int, ...]) -> Tensor:
    """The same numbers, repeated along new axes and axes of length 1.

    Examples
    --------
    >>> broadcast_to([1, 2], (2, 2)).tolist()
    [[1, 2], [1, 2]]
    """
    t = as_variable(x)
    size = tuple(shape)
    try:
        result: Tensor = apply(shape_ops.BroadcastTo, t, shape=size)
    except ValueError as error:
        raise ShapeError(
            f"broadcast_to: an array of shape {t.shape} cannot be stretched to {size}"
        ) from error
    return result


@implements(np.swapaxes)
def transpose(x: TensorLike, dim0: int, dim1: int) -> Tensor:
    """Exchange two axes."""
    t = as_variable(x)
    axes = list(range(t.ndim))
    axes[dim0], axes[dim1] = axes[dim1], axes[dim0]
    return permute(t, axes)


def getitem(x: Tensor, index: Any) -> Tensor:
    """x[index] with everything that NumPy takes as an index, and tensors."""
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple(
        getattr(p, "array", np.asarray(p) if isinstance(p, list) else p) for p in parts
    )
    try:
        result: Tensor = apply(indexing.Index, x, index=plain)
    except IndexError as error:
        raise AxisError(f"index into shape {x.shape}: {error}") from error
    return result


def cast(x: TensorLike, dtype: Any) -> Tensor:
    """The same numbers as another type; itself where it has that type already."""
    t = as_variable(x)
    chosen = np.dtype(dtype)
    if t.dtype == chosen:
        return t
    result: Tensor = apply(shape_ops.Cast, t, dtype=chosen)
    return result
