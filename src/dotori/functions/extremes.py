"""The largest and the smallest: values, their indices, or both.

For `max` and `min` the spelling is the meaning: ``max(x, dim=1)`` gives values and
indices as in PyTorch, ``max(x, axis=1)`` values as in NumPy. NaN is both the largest
and the smallest of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd import apply, as_variable, wrap
from dotori.backend import as_array
from dotori.errors import DTypeError, ShapeError
from dotori.functions import elementwise
from dotori.functions._numpy import TensorLike
from dotori.functions.reduce import checked_axes, one_axis, reduced
from dotori.ops import reduce as op
from dotori.ops.along import TakeAlong

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["amax", "amin", "argmax", "argmin", "max", "min"]


class ValuesAndIndices(NamedTuple):
    """What `max` and others give along an axis."""

    values: Tensor
    indices: Tensor


def take_along(
    t: Tensor, index: Any, axis: int, *, keep: bool = True, once: bool = True
) -> ValuesAndIndices:
    """The elements at `index` along an axis, through which gradients flow.

    `once` says that no element is taken twice. Without `keep`, an index of length 1
    along the axis loses it.
    """
    if not t.ndim:
        return ValuesAndIndices(t, wrap(np.zeros((), np.int64)))
    attrs = {"index": index, "axis": axis, "shape": t.shape, "once": once}
    values: Tensor = apply(TakeAlong, t, **attrs)
    indices = wrap(as_array(index, np.int64))
    if keep:
        return ValuesAndIndices(values, indices)
    shape = tuple(n for i, n in enumerate(values.shape) if i != axis % t.ndim)
    return ValuesAndIndices(values.reshape(shape), indices.reshape(shape))


def nonempty(place: str, x: Tensor, axes: Any) -> None:
    """Refuse to choose one of no elements."""
    lost = op.kept_shape(x.shape, axes)
    if (0, 1) in zip(x.shape, lost, strict=True):
        raise ShapeError(f"{place}: of no elements, shape {x.shape}, there is none")


def ordered(place: str, x: TensorLike) -> Tensor:
    """`x` as a tensor of numbers that have an order.

    Raises
    ------
    DTypeError
        For complex numbers.
    """
    t = as_variable(x)
    if t.dtype.kind == "c":
        raise DTypeError(f"{place}: complex numbers, here {t.dtype}, have no order")
    return t


def _extreme(
    which: Any, place: str, x: TensorLike, dim: Any, axis: Any, keep: bool
) -> Tensor:
    t = ordered(place, x)
    nonempty(place, t, checked_axes(place, t, dim, axis))
    return reduced(which, place, t, dim, axis, keep)


def amax(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """The largest value over some axes; ties share the gradient evenly.

    Examples
    --------
    >>> amax([[1.0, 5.0], [3.0, 2.0]], dim=1).tolist()
    [5.0, 3.0]
    """
    return _extreme(op.Amax, "amax", x, dim, axis, keepdim or keepdims)


def amin(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """The smallest value over some axes; ties share the gradient evenly.

    Examples
    --------
    >>> amin([[1.0, 5.0], [3.0, 2.0]], dim=1).tolist()
    [1.0, 2.0]
    """
    return _extreme(op.Amin, "amin", x, dim, axis, keepdim or keepdims)


def max(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Any:
    """The largest value; with `dim`, the values and their indices.

    Along `dim` the gradient goes to the element whose index is given. With a tensor as
    second argument it is `maximum`.

    Examples
    --------
    >>> max([[1.0, 5.0], [3.0, 2.0]]).item()
    5.0
    >>> max([[1.0, 5.0], [3.0, 2.0]], dim=1).indices.tolist()
    [1, 0]
    """
    if hasattr(dim, "array"):
        return elementwise.maximum(x, dim)
    if dim is None:
        return _extreme(op.Amax, "max", x, None, axis, keepdim or keepdims)
    return _chosen(np.argmax, "max", x, dim, keepdim)


def min(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Any:
    """The smallest value; with `dim`, the values and their indices: see `max`.

    Examples
    --------
    >>> min([[1.0, 5.0], [3.0, 2.0]], dim=1).values.tolist()
    [1.0, 2.0]
    """
    if hasattr(dim, "array"):
        return elementwise.minimum(x, dim)
    if dim is None:
        return _extreme(op.Amin, "min", x, None, axis, keepdim or keepdims)
    return _chosen(np.argmin, "min", x, dim, keepdim)


def _chosen(
    which: Any, place: str, x: TensorLike, dim: Any, keep: bool
) -> ValuesAndIndices:
    """Values and indices along one axis."""
    t = ordered(place, x)
    axis = one_axis(place, t, dim)
    if not t.ndim:
        return take_along(t, None, 0)
    nonempty(place, t, axis)
    index = which(t.array, axis=axis, keepdims=True)
    return take_along(t, index, axis, keep=keep)


def _argument(
    which: Any, place: str, x: TensorLike, dim: Any, axis: Any, keep: bool
) -> Tensor:
    t = ordered(place, x)
    chosen = axis if dim is None else dim
    place_of = None if chosen is None or not t.ndim else one_axis(place, t, chosen)
    nonempty(place, t, place_of)
    found = which(t.array, axis=place_of, keepdims=keep)
    return wrap(as_array(found, np.int64))


def argmax(
    x: TensorLike,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The index of the (first) largest element, along an axis or of all in C order.

    Examples
    --------
    >>> argmax([[1.0, 5.0], [3.0, 2.0]], dim=1).tolist()
    [1, 0]
    """
    return _argument(np.argmax, "argmax", x, dim, axis, keepdim or keepdims)


def argmin(
    x: TensorLike,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The index of the (first) smallest element: see `argmax`.

    Examples
    --------
    >>> argmin([[1.0, 5.0], [3.0, 2.0]]).item()
    0
    """
    return _argument(np.argmin, "argmin", x, dim, axis, keepdim or keepdims)
