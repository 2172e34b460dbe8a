"""Elements replaced where a mask holds, and parts of a tensor replaced as a whole."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import as_variable
from dotori.errors import AxisError, DTypeError, ShapeError
from dotori.functions import elementwise
from dotori.functions._numpy import TensorLike
from dotori.functions._places import at_axis, booleans
from dotori.functions.diagonal import diagonal_places
from dotori.functions.scattering import one_number, write
from dotori.functions.shape import axis_of, broadcast_to, cast, getitem, reshape

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "diagonal_scatter",
    "fill",
    "masked_fill",
    "masked_scatter",
    "select_scatter",
    "slice_scatter",
]


def fill(x: TensorLike, value: TensorLike) -> Tensor:
    """One number everywhere, in the shape and type of `x`.

    Examples
    --------
    >>> fill([1.0, 2.0], 3).tolist()
    [3.0, 3.0]
    """
    t = as_variable(x)
    return elementwise.where(True, one_number("fill", value, t.dtype), t)


def masked_fill(x: TensorLike, mask: TensorLike, value: TensorLike) -> Tensor:
    """`x` with one number where the mask holds; both are stretched to one shape.

    Parameters
    ----------
    x : Tensor
    mask : Tensor of booleans
    value : number or tensor without axes

    Raises
    ------
    DTypeError
        If `mask` holds no booleans, or `value` cannot be kept in the type of `x`.

    Examples
    --------
    >>> masked_fill([1.0, 2.0], [True, False], 0.0).tolist()
    [0.0, 2.0]
    """
    t, chosen = as_variable(x), booleans("masked_fill", mask)
    fill = one_number("masked_fill", value, t.dtype)
    try:
        np.broadcast_shapes(t.shape, chosen.shape)
    except ValueError as error:
        raise ShapeError(
            f"masked_fill: a mask of shape {chosen.shape} does not fit a tensor of "
            f"shape {t.shape}"
        ) from error
    return elementwise.where(chosen, fill, t)


def masked_scatter(x: TensorLike, mask: TensorLike, source: TensorLike) -> Tensor:
    """`x` with the elements of `source`, in order, where the mask holds.

    Raises
    ------
    ShapeError
        If `source` has fewer elements than the mask has places.

    Examples
    --------
    >>> masked_scatter([1, 2, 3], [True, False, True], [8, 9, 10]).tolist()
    [8, 2, 9]
    """
    t, chosen = as_variable(x), booleans("masked_scatter", mask)
    values = as_variable(source)
    if values.dtype != t.dtype:
        raise DTypeError(
            f"masked_scatter: the tensor holds {t.dtype}, the source {values.dtype}; "
            "they must be equal"
        )
    try:
        shape = np.broadcast_shapes(t.shape, chosen.shape)
    except ValueError as error:
        raise ShapeError(
            f"masked_scatter: a mask of shape {chosen.shape} does not fit a tensor of "
            f"shape {t.shape}"
        ) from error
    places = np.broadcast_to(chosen, shape)
    count = int(places.sum())
    if values.numel() < count:
        raise ShapeError(
            f"masked_scatter: the mask has {count} places, the source of shape "
            f"{values.shape} only {values.numel()} elements"
        )
    row = getitem(reshape(values, -1), slice(count))
    return write(broadcast_to(t, shape), (places,), row)


def select_scatter(x: TensorLike, src: TensorLike, dim: int, index: Any) -> Tensor:
    """`x` with `src` in the place of one part along an axis.

    Examples
    --------
    >>> select_scatter([[1, 2], [3, 4]], [8, 9], 0, 1).tolist()
    [[1, 2], [8, 9]]
    """
    t, place = as_variable(x), operator.index(index)
    axis = axis_of("select_scatter", dim, t.ndim, t.shape)
    if not -t.shape[axis] <= place < t.shape[axis]:
        raise AxisError(
            f"select_scatter: index {place} lies outside of axis {axis} of the shape "
            f"{t.shape}"
        )
    return _replaced("select_scatter", t, at_axis(place, axis), src)


def slice_scatter(
    x: TensorLike,
    src: TensorLike,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """`x` with `src` in the place of a slice along an axis.

    Examples
    --------
    >>> slice_scatter([1, 2, 3, 4], [8, 9], start=1, end=3).tolist()
    [1, 8, 9, 4]
    """
    t = as_variable(x)
    axis = axis_of("slice_scatter", dim, t.ndim, t.shape)
    if step < 1:
        raise AxisError(f"slice_scatter: step must be at least 1, got {step}")
    return _replaced("slice_scatter", t, at_axis(slice(start, end, step), axis), src)


def diagonal_scatter(
    x: TensorLike, src: TensorLike, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """`x` with `src` on a diagonal of two axes, in the shape that `diagonal` gives.

    Examples
    --------
    >>> diagonal_scatter([[1, 2], [3, 4]], [8, 9]).tolist()
    [[8, 2], [3, 9]]
    """
    t = as_variable(x)
    places = diagonal_places("diagonal_scatter", t.shape, offset, dim1, dim2)
    return _replaced("diagonal_scatter", t, places, src)


def _replaced(place: str, x: Tensor, index: Any, src: TensorLike) -> Tensor:
    """`x` with `src` at ``x[index]``, whose shape it must have."""
    values = as_variable(src)
    room = np.broadcast_to(np.empty(()), x.shape)[index].shape
    if values.shape != room:
        raise ShapeError(
            f"{place}: this part of a tensor of shape {x.shape} has shape {room}, the "
            f"source {values.shape}; they must be equal"
        )
    return write(x, index, cast(values, x.dtype))
