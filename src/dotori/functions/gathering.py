"""Elements taken by their place: along an axis, from the flat order, or by a mask.

`select` and `narrow` give views, everything else copies. Gradients go back to the
elements that were taken; one that was taken several times gets the sum.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable, wrap
from dotori.backend import as_array
from dotori.errors import ArgumentError, AxisError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions._places import (
    along,
    at_axis,
    booleans,
    check_along,
    check_range,
    integers,
)
from dotori.functions.shape import axis_of, broadcast_to, clone, getitem, reshape
from dotori.ops.indexing import Index

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "argwhere",
    "gather",
    "index_select",
    "masked_select",
    "narrow",
    "narrow_copy",
    "nonzero",
    "nonzero_static",
    "select",
    "take",
    "take_along_dim",
    "unravel_index",
]


def take_places(x: Tensor, index: tuple[Any, ...]) -> Tensor:
    """``x[index]`` of a checked index in NumPy's form."""
    result: Tensor = apply(Index, x, index=index, shape=x.array.shape)
    return result


def gather(
    x: TensorLike, dim: int, index: TensorLike, *, sparse_grad: bool = False
) -> Tensor:
    """y[i, j, k] = x[index[i, j, k], j, k] for axis 0, and so on.

    Parameters
    ----------
    x : Tensor
    dim : int
        The axis that `index` counts along.
    index : Tensor of integers
        As many axes as `x`; beside `dim` it may be shorter. Gives the result's shape.
    sparse_grad : bool
        Accepted; gradients are dense.

    Raises
    ------
    AxisError
        If an index lies outside. Negative ones do not count from the end.
    ShapeError
        If the shapes do not fit.

    Examples
    --------
    >>> gather([[1, 2], [3, 4]], 1, [[0, 0], [1, 0]]).tolist()
    [[1, 1], [4, 3]]
    """
    t, places = as_variable(x), integers("gather", index)
    if not t.ndim:
        axis_of("gather", dim, 1, t.shape)
        return reshape(gather(reshape(t, 1), 0, places.reshape(-1)), places.shape)
    axis = axis_of("gather", dim, t.ndim, t.shape)
    if not places.ndim and t.ndim == 1:
        return reshape(gather(t, 0, places.reshape(1)), ())
    check_along("gather", t.shape, places, axis)
    if not places.size:
        return reshape(getitem(reshape(t, -1), slice(0)), places.shape)
    check_range(f"gather along axis {axis}", places, t.shape[axis], t.shape)
    return take_places(t, along(places, axis))


def take(x: TensorLike, index: TensorLike) -> Tensor:
    """Elements of `x` in its flat order; the result has the shape of `index`.

    Examples
    --------
    >>> take([[4, 3], [2, 1]], [0, -1]).tolist()
    [4, 1]
    """
    t, places = as_variable(x), integers("take", index)
    check_range("take", places, t.numel(), t.shape, negative=True)
    return take_places(reshape(t, -1), (places,))


@implements(np.take)
def _numpys_take(
    x: TensorLike,
    indices: TensorLike,
    axis: int | None = None,
    out: None = None,
    mode: str = "raise",
) -> Tensor:
    """NumPy's meaning: parts along an axis, or elements of the flat order."""
    t, places = as_variable(x), integers("take", indices)
    if axis is None:
        t, axis = reshape(t, -1), 0
    axis = axis_of("take", axis, t.ndim, t.shape)
    n = t.shape[axis]
    if mode == "wrap":
        places = places % n
    elif mode == "clip":
        places = places.clip(0, n - 1)
    check_range(f"take along axis {axis}", places, n, t.shape, negative=True)
    return take_places(t, at_axis(places, axis))


@implements(np.compress)
def _numpys_compress(
    condition: TensorLike, x: TensorLike, axis: int | None = None
) -> Tensor:
    """NumPy's meaning: the parts along an axis where the condition holds."""
    return _numpys_take(x, np.flatnonzero(np.asarray(condition)), axis)


def take_along_dim(
    x: TensorLike, indices: TensorLike, dim: int | None = None
) -> Tensor:
    """`gather`, where beside `dim` both are stretched to one shape.

    It takes what `argmax` and `argsort` along an axis give. Without `dim`, elements
    of the flat order. Negative indices count from the end, which `gather` refuses.

    Examples
    --------
    >>> take_along_dim([[30, 10, 20]], [[1, 2, 0]], dim=1).tolist()
    [[10, 20, 30]]
    """
    t, places = as_variable(x), integers("take_along_dim", indices)
    if dim is None:
        flat = np.where(places < 0, places + t.numel(), places)
        return gather(reshape(t, -1), 0, flat.reshape(-1))
    if places.ndim != t.ndim:
        raise ShapeError(
            f"take_along_dim: indices of shape {places.shape} and a tensor of shape "
            f"{t.shape}; they must have as many axes"
        )
    axis = axis_of("take_along_dim", dim, t.ndim, t.shape)
    beside = [(*s[:axis], 1, *s[axis + 1 :]) for s in (t.array.shape, places.shape)]
    try:
        common = list(np.broadcast_shapes(*beside))
    except ValueError as error:
        raise ShapeError(
            f"take_along_dim: indices of shape {places.shape} and a tensor of shape "
            f"{t.shape} do not go together beside axis {axis}"
        ) from error
    full = [
        (*common[:axis], n, *common[axis + 1 :])
        for n in (t.shape[axis], places.shape[axis])
    ]
    places = np.where(places < 0, places + t.shape[axis], places)
    return gather(broadcast_to(t, full[0]), axis, np.broadcast_to(places, full[1]))


@implements(np.take_along_axis)
def _numpys_take_along_axis(
    x: TensorLike, indices: TensorLike, axis: int | None = -1
) -> Tensor:
    """The same, along the last axis unless another one is named."""
    return take_along_dim(x, indices, axis)


def index_select(x: TensorLike, dim: int, index: TensorLike) -> Tensor:
    """The parts of `x` along an axis in the order of `index`, one axis of integers.

    Examples
    --------
    >>> index_select([[1, 2], [3, 4]], 0, [1, 1]).tolist()
    [[3, 4], [3, 4]]
    """
    t, places = as_variable(x), integers("index_select", index)
    if places.ndim > 1:
        raise ShapeError(
            f"index_select: an index of one axis is wanted, got shape {places.shape}"
        )
    if not t.ndim:
        axis_of("index_select", dim, 1, t.shape)
        return reshape(index_select(reshape(t, 1), 0, places), ())
    axis = axis_of("index_select", dim, t.ndim, t.shape)
    check_range(f"index_select along axis {axis}", places, t.shape[axis], t.shape)
    return take_places(t, at_axis(places.reshape(-1), axis))


def masked_select(x: TensorLike, mask: TensorLike) -> Tensor:
    """The elements where the mask holds, in one axis; both are stretched to one shape.

    Examples
    --------
    >>> masked_select([1, 2, 3], [True, False, True]).tolist()
    [1, 3]
    """
    t, chosen = as_variable(x), booleans("masked_select", mask)
    try:
        shape = np.broadcast_shapes(t.shape, chosen.shape)
    except ValueError as error:
        raise ShapeError(
            f"masked_select: a mask of shape {chosen.shape} does not fit a tensor of "
            f"shape {t.shape}"
        ) from error
    return take_places(broadcast_to(t, shape), (np.broadcast_to(chosen, shape),))


def nonzero(x: TensorLike, *, as_tuple: bool = False) -> Any:
    """Where `x` is not zero: a row of indices for each such element, shape (n, ndim).

    With `as_tuple`, as in NumPy: one tensor of indices for each axis.

    Examples
    --------
    >>> nonzero([[0, 5], [7, 0]]).tolist()
    [[0, 1], [1, 0]]
    >>> rows, columns = nonzero([[0, 5], [7, 0]], as_tuple=True)
    >>> rows.tolist(), columns.tolist()
    ([0, 1], [1, 0])
    """
    array = as_variable(x).array
    if as_tuple:
        found = (array if array.ndim else array.reshape(1)).nonzero()
        return tuple(wrap(i.astype(np.int64, copy=False)) for i in found)
    rows = np.argwhere(array) if isinstance(array, np.ndarray) else _argwhere(array)
    return wrap(rows.astype(np.int64, copy=False))


def _argwhere(array: Any) -> Any:
    """`numpy.argwhere` of an array of another library."""
    found = array.reshape(array.shape or (1,)).nonzero()
    from dotori.backend import namespace

    return namespace(array).stack(found, axis=1)[:, : array.ndim]


@implements(np.argwhere)
def argwhere(x: TensorLike) -> Tensor:
    """`nonzero` as a matrix: a row of indices for each element that is not zero.

    Examples
    --------
    >>> argwhere([0, 3, 4]).tolist()
    [[1], [2]]
    """
    found: Tensor = nonzero(x)
    return found


@implements(np.nonzero)
def _numpys_nonzero(x: TensorLike) -> tuple[Tensor, ...]:
    """NumPy's meaning: a tuple."""
    found: tuple[Tensor, ...] = nonzero(x, as_tuple=True)
    return found


@implements(np.flatnonzero)
def _numpys_flatnonzero(x: TensorLike) -> Tensor:
    """NumPy's meaning: places in the flat order."""
    return wrap(np.flatnonzero(as_variable(x).array))


def nonzero_static(x: TensorLike, *, size: int, fill_value: int = -1) -> Tensor:
    """`nonzero` cut off or filled up to `size` rows.

    Examples
    --------
    >>> nonzero_static([0, 3], size=2).tolist()
    [[1], [-1]]
    """
    if size < 0:
        raise ArgumentError(f"nonzero_static: size must not be negative, got {size}")
    found = nonzero(x).array
    rows = np.full((size, found.shape[1]), fill_value, np.int64)
    rows[: len(found)] = found[:size]
    return wrap(rows)


def select(x: TensorLike, dim: int, index: Any) -> Tensor:
    """One part along an axis, without it: a view.

    Examples
    --------
    >>> select([[1, 2], [3, 4]], 1, -1).tolist()
    [2, 4]
    """
    t, place = as_variable(x), operator.index(index)
    axis = axis_of("select", dim, t.ndim, t.shape)
    if not -t.shape[axis] <= place < t.shape[axis]:
        raise AxisError(
            f"select: index {place} lies outside of axis {axis} of the shape {t.shape}"
        )
    return take_places(t, at_axis(place, axis))


def narrow(x: TensorLike, dim: int, start: Any, length: int) -> Tensor:
    """`length` parts along an axis from `start` on: a view.

    Examples
    --------
    >>> narrow([1, 2, 3, 4], 0, 1, 2).tolist()
    [2, 3]
    """
    t, first = as_variable(x), operator.index(start)
    axis = axis_of("narrow", dim, t.ndim, t.shape)
    n = t.shape[axis]
    begin = first + n if first < 0 else first
    if length < 0 or not 0 <= begin <= n - length:
        raise AxisError(
            f"narrow: {length} parts from {first} on lie outside of axis {axis} of the "
            f"shape {t.shape}"
        )
    return take_places(t, at_axis(slice(begin, begin + length), axis))


def narrow_copy(x: TensorLike, dim: int, start: Any, length: int) -> Tensor:
    """`narrow` in memory of its own.

    Examples
    --------
    >>> narrow_copy([1, 2, 3, 4], 0, 1, 2).tolist()
    [2, 3]
    """
    return clone(narrow(x, dim, start, length))


@implements(np.unravel_index)
def unravel_index(indices: TensorLike, shape: Any) -> tuple[Tensor, ...]:
    """The indices for each axis of places in the flat order of `shape`.

    Examples
    --------
    >>> [i.item() for i in unravel_index(5, (2, 3))]
    [1, 2]
    """
    places = integers("unravel_index", indices)
    lengths = (shape,) if isinstance(shape, int) else tuple(map(int, shape))
    if any(n < 0 for n in lengths):
        raise ArgumentError(f"unravel_index: a shape is not negative, got {lengths}")
    found: list[Tensor] = []
    for n in reversed(lengths):
        found.insert(0, wrap(as_array(places % n if n else places)))
        places = places // n if n else places
    return tuple(found)
