"""Elements written to places that an index names; each function gives a new tensor.

``y = scatter(x, ...)`` is `x` with some elements replaced, and `x` stays as it was;
``x.scatter_(...)`` does it in place. Where an index names a place twice, the last
one is written, and what is added, multiplied or compared takes both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable
from dotori.dtypes import category
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions._places import (
    along,
    at_axis,
    check_along,
    check_range,
    integers,
    number_as,
)
from dotori.functions.shape import axis_of, broadcast_to, cast, clone, getitem, reshape
from dotori.ops.indexing import Overwrite
from dotori.ops.scattering import AddInto, CompareInto, MultiplyInto

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "index_reduce",
    "put",
    "scatter",
    "scatter_add",
    "scatter_reduce",
]

_ADD, _MULTIPLY = "add", "multiply"
_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def write(x: Tensor, index: tuple[Any, ...], v: TensorLike) -> Tensor:
    """`x` with `v` at ``x[index]``."""
    result: Tensor = apply(Overwrite, x, v, index=index)
    return result


def _source(place: str, x: Tensor, src: TensorLike) -> Tensor:
    """`src` as a tensor of the type of `x`; a number takes that type."""
    if isinstance(src, (bool, int, float, complex)):
        return as_variable(number_as(place, src, x.dtype))
    t = as_variable(src)
    if t.dtype != x.dtype:
        raise DTypeError(
            f"{place}: the tensor holds {x.dtype}, the source {t.dtype}; "
            "they must be equal"
        )
    return t


def _scattered(
    place: str, x: TensorLike, dim: int, index: TensorLike, src: TensorLike
) -> tuple[Tensor, tuple[Any, ...], Tensor, tuple[int, ...]]:
    """The tensor, NumPy's index, the values for it, and the shape of the result."""
    t, places = as_variable(x), integers(place, index)
    values, shape = _source(place, t, src), t.array.shape
    number = isinstance(src, (bool, int, float, complex))
    if not t.ndim:
        t = reshape(t, 1)
    places = places.reshape(1) if not places.ndim else places
    if not values.ndim:
        values = reshape(values, 1)
    axis = axis_of(place, dim, t.ndim, shape)
    check_along(place, t.shape, places, axis, None if number else values.shape)
    if not places.size:
        return t, (slice(0),), getitem(t, slice(0)), shape
    check_range(f"{place} along axis {axis}", places, t.shape[axis], shape)
    if number:
        values = broadcast_to(values, places.shape)
    elif values.shape != places.shape:
        values = getitem(values, tuple(slice(n) for n in places.shape))
    return t, along(places, axis), values, shape


def scatter(
    x: TensorLike,
    dim: int,
    index: TensorLike,
    src: TensorLike = None,
    *,
    value: TensorLike = None,
    reduce: str | None = None,
) -> Tensor:
    """`x`, but y[index[i, j, k], j, k] = src[i, j, k] for axis 0, and so on.

    Parameters
    ----------
    x : Tensor
    dim : int
        The axis that `index` counts along.
    index : Tensor of integers
        As many axes as `x` and `src`, nowhere longer than `src`, nor than `x` beside
        `dim`.
    src, value : Tensor of the type of `x`, or number
        One of the two.
    reduce : "add" or "multiply", optional
        Put together with what is there, instead of in its place.

    Raises
    ------
    AxisError
        If an index lies outside; negative ones do not count from the end.
    ShapeError, DTypeError
        If the shapes or types do not fit.

    Examples
    --------
    >>> scatter([0, 0, 0], 0, [2, 0], [5, 6]).tolist()
    [6, 0, 5]
    >>> scatter([1, 1, 1], 0, [2, 0], 7, reduce="add").tolist()
    [8, 1, 8]
    """
    if (src is None) == (value is None):
        raise ArgumentError("scatter: give either src or value")
    given = value if src is None else src
    t, places, values, shape = _scattered("scatter", x, dim, index, given)
    if reduce is None:
        return reshape(write(t, places, values), shape)
    if reduce not in (_ADD, _MULTIPLY):
        raise ArgumentError(f"scatter: reduce is 'add' or 'multiply', got {reduce!r}")
    op = AddInto if reduce == _ADD else MultiplyInto
    return reshape(apply(op, t, values, index=places), shape)


def scatter_add(x: TensorLike, dim: int, index: TensorLike, src: TensorLike) -> Tensor:
    """`x`, but y[index[i, j, k], j, k] += src[i, j, k] for axis 0: `gather` backwards.

    Examples
    --------
    >>> scatter_add([1, 1], 0, [0, 0, 1], [5, 6, 7]).tolist()
    [12, 8]
    """
    t, places, values, shape = _scattered("scatter_add", x, dim, index, src)
    return reshape(apply(AddInto, t, values, index=places), shape)


def scatter_reduce(
    x: TensorLike,
    dim: int,
    index: TensorLike,
    src: TensorLike,
    reduce: str,
    *,
    include_self: bool = True,
) -> Tensor:
    """What meets at a place by the index, as in `scatter_add`, made one number.

    Parameters
    ----------
    x, dim, index, src
        As in `scatter`.
    reduce : "sum", "prod", "mean", "amax" or "amin"
        Equal largest (smallest) elements share the gradient.
    include_self : bool
        Whether what stands in `x` is one of those that meet. Places that the index
        does not name keep it in any case.

    Examples
    --------
    >>> x, index, src = [1.0, 2.0], [0, 0, 1], [5.0, 6.0, 7.0]
    >>> scatter_reduce(x, 0, index, src, "mean").tolist()
    [4.0, 4.5]
    >>> scatter_reduce(x, 0, index, src, "prod", include_self=False).tolist()
    [30.0, 7.0]
    """
    t, places, values, shape = _scattered("scatter_reduce", x, dim, index, src)
    y = _reduced("scatter_reduce", t, places, values, reduce, include_self)
    return reshape(y, shape)


def _reduced(
    place: str, x: Tensor, index: Any, v: Tensor, reduce: str, include_self: bool
) -> Tensor:
    """`x` with what meets at ``x[index]`` made one number."""
    if reduce not in _REDUCTIONS:
        raise ArgumentError(f"{place}: reduce is one of {_REDUCTIONS}, got {reduce!r}")
    if not include_self:
        x = write(x, index, _neutral(reduce, x.dtype))
    if reduce in ("sum", "mean"):
        total: Tensor = apply(AddInto, x, v, index=index)
        if reduce == "sum":
            return total
        counts = np.full(x.shape, 1 if include_self else 0, np.int64)
        np.add.at(counts, index, 1)
        counts = np.maximum(counts, 1)
        if x.dtype.kind in "fc":
            return total / counts.astype(x.dtype)
        return (total // counts).astype(x.dtype)
    if reduce == "prod":
        product: Tensor = apply(MultiplyInto, x, v, index=index)
        return product
    best: Tensor = apply(CompareInto, x, v, index=index, largest=reduce == "amax")
    return best


def _neutral(reduce: str, dtype: np.dtype[Any]) -> Any:
    """What changes nothing when it is reduced with anything."""
    if reduce in ("sum", "mean"):
        return np.zeros((), dtype)
    if reduce == "prod":
        return np.ones((), dtype)
    if dtype.kind == "b":
        return np.asarray(reduce == "amin")
    if dtype.kind == "f":
        return np.asarray(-np.inf if reduce == "amax" else np.inf, dtype)
    limits = np.iinfo(dtype)
    return np.asarray(limits.min if reduce == "amax" else limits.max, dtype)


def _parts(
    place: str, x: TensorLike, dim: int, index: TensorLike, negative: bool = False
) -> tuple[Tensor, int, Any]:
    """The tensor, the axis and the index of functions on parts along an axis."""
    t, places = as_variable(x), integers(place, index)
    if places.ndim > 1:
        raise ShapeError(
            f"{place}: an index of one axis is wanted, got shape {places.shape}"
        )
    if not t.ndim:
        t = reshape(t, 1)
    axis = axis_of(place, dim, t.ndim, t.shape)
    places = places.reshape(-1)
    check_range(
        f"{place} along axis {axis}", places, t.shape[axis], t.shape, negative=negative
    )
    return t, axis, places


def _parts_source(
    place: str, t: Tensor, axis: int, places: Any, source: TensorLike
) -> Tensor:
    """The `source` of parts of `t`, with a length along the axis for each index."""
    values = _source(place, t, source)
    wanted = (*t.shape[:axis], places.size, *t.shape[axis + 1 :])
    if values.ndim == 0 and values.numel() == np.prod(wanted):
        return reshape(values, wanted)
    if values.shape != wanted:
        raise ShapeError(
            f"{place}: {places.size} parts along axis {axis} of shape {t.shape} need "
            f"a source of shape {wanted}, got {values.shape}"
        )
    return values


def index_add(
    x: TensorLike, dim: int, index: TensorLike, source: TensorLike, *, alpha: float = 1
) -> Tensor:
    """`x` with alpha source[i] added to its part index[i] along an axis.

    Examples
    --------
    >>> index_add([[1, 1], [2, 2]], 0, [0, 0], [[1, 2], [3, 4]]).tolist()
    [[5, 7], [2, 2]]
    """
    t, axis, places = _parts("index_add", x, dim, index)
    values = _parts_source("index_add", t, axis, places, source)
    if alpha != 1:
        if category(alpha) > category(t.dtype):
            raise DTypeError(f"index_add: alpha {alpha!r} is no number of {t.dtype}")
        values = values * alpha
    y = apply(AddInto, t, values, index=at_axis(places, axis))
    return reshape(y, as_variable(x).shape)


def index_copy(
    x: TensorLike, dim: int, index: TensorLike, source: TensorLike
) -> Tensor:
    """`x` with source[i] in the place of its part index[i] along an axis.

    Examples
    --------
    >>> index_copy([[1, 1], [2, 2]], 0, [1], [[8, 9]]).tolist()
    [[1, 1], [8, 9]]
    """
    t, axis, places = _parts("index_copy", x, dim, index)
    values = _parts_source("index_copy", t, axis, places, source)
    return reshape(write(t, at_axis(places, axis), values), as_variable(x).shape)


def one_number(place: str, value: TensorLike, dtype: np.dtype[Any]) -> Tensor:
    """A number, or a tensor without axes with its gradient, as a tensor of a type."""
    if isinstance(value, (bool, int, float, complex)):
        return as_variable(number_as(place, value, dtype))
    t = as_variable(value)
    if t.ndim:
        raise ShapeError(f"{place}: one number is wanted, got shape {t.shape}")
    if t.dtype.kind == "c" and dtype.kind != "c":
        raise DTypeError(f"{place}: {t.dtype} cannot be kept as {dtype}")
    return cast(t, dtype)


def index_fill(x: TensorLike, dim: int, index: TensorLike, value: TensorLike) -> Tensor:
    """`x` with one number everywhere in its parts `index` along an axis.

    Examples
    --------
    >>> index_fill([[1, 1], [2, 2]], 1, [-1], 0).tolist()
    [[1, 0], [2, 0]]
    """
    t, axis, places = _parts("index_fill", x, dim, index, negative=True)
    number = one_number("index_fill", value, t.dtype)
    # The gradient of the number comes once from each part, as in PyTorch.
    once = np.unique(places % max(t.shape[axis], 1))
    return reshape(write(t, at_axis(once, axis), number), as_variable(x).shape)


def index_reduce(
    x: TensorLike,
    dim: int,
    index: TensorLike,
    source: TensorLike,
    reduce: str,
    *,
    include_self: bool = True,
) -> Tensor:
    """The parts that meet at a place by the index, as in `index_add`, made one.

    `reduce` is ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``; see `scatter_reduce`.

    Examples
    --------
    >>> index_reduce([1.0, 2.0], 0, [0, 0], [5.0, 6.0], "prod").tolist()
    [30.0, 2.0]
    """
    if reduce == "sum":
        raise ArgumentError("index_reduce: index_add gives sums")
    t, axis, places = _parts("index_reduce", x, dim, index)
    values = _parts_source("index_reduce", t, axis, places, source)
    where = at_axis(places, axis)
    y = _reduced("index_reduce", t, where, values, reduce, include_self)
    return reshape(y, as_variable(x).shape)


def index_put(
    x: TensorLike, indices: Any, values: TensorLike, accumulate: bool = False
) -> Tensor:
    """`x` with `values` at ``x[indices]``, added to it if `accumulate`.

    `indices` is a tuple of tensors of integers or booleans; `values` is stretched.

    Examples
    --------
    >>> index_put([1, 1, 1], ([0, 0],), [5, 6], accumulate=True).tolist()
    [12, 1, 1]
    """
    from dotori.functions.shape import plain_index

    t = as_variable(x)
    where = tuple(plain_index(i) for i in indices)
    given = _source("index_put", t, values)
    try:
        room = np.broadcast_to(np.empty(()), t.shape)[where].shape
        stretched = broadcast_to(given, room)
    except (IndexError, ValueError) as error:
        raise ShapeError(
            f"index_put: values of shape {given.shape} do not fit these places in a "
            f"tensor of shape {t.shape}: {error}"
        ) from error
    result: Tensor = apply(
        AddInto if accumulate else Overwrite, t, stretched, index=where
    )
    return result


def put(
    x: TensorLike, index: TensorLike, source: TensorLike, accumulate: bool = False
) -> Tensor:
    """`x` with `source` at places of its flat order, added to it if `accumulate`.

    Examples
    --------
    >>> put([[1, 2], [3, 4]], [-1, 0], [7, 8]).tolist()
    [[8, 2], [3, 7]]
    """
    t, places = as_variable(x), integers("put", index)
    values = _source("put", t, source)
    if values.numel() != places.size:
        raise ShapeError(
            f"put: {places.size} places need as many elements, got {values.numel()}"
        )
    check_range("put", places, t.numel(), t.shape, negative=True)
    if not places.size:
        return clone(t)
    op = AddInto if accumulate else Overwrite
    flat, row = reshape(t, -1), reshape(values, -1)
    return reshape(apply(op, flat, row, index=(places.reshape(-1),)), t.shape)
