"""Order along an axis: sorting, the first k, distinct values, places in an order.

Gradients go to the elements whose indices are given. NaN counts as the largest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import as_variable, wrap
from dotori.backend import as_array
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.extremes import ValuesAndIndices, ordered, take_along
from dotori.functions.reduce import one_axis

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "argsort",
    "bucketize",
    "isin",
    "kthvalue",
    "msort",
    "searchsorted",
    "sort",
    "topk",
    "unique",
    "unique_consecutive",
]


def order_of(a: Any, axis: int, descending: bool = False) -> Any:
    """The indices that sort an array along an axis, equal elements as they came."""
    if not descending:
        return np.argsort(a, axis=axis, kind="stable")
    # backwards through the reversed array, so that equal elements keep their order
    reverse = np.argsort(np.flip(a, axis), axis=axis, kind="stable")
    return a.shape[axis] - 1 - np.flip(reverse, axis)


def sort(
    x: TensorLike,
    dim: int = -1,
    descending: bool = False,
    stable: bool | None = None,
) -> ValuesAndIndices:
    """The elements in order along an axis, and where each one came from.

    Equal elements keep their order, whether `stable` is set or not.

    Examples
    --------
    >>> values, indices = sort([3.0, 1.0, 2.0])
    >>> values.tolist(), indices.tolist()
    ([1.0, 2.0, 3.0], [1, 2, 0])
    """
    t = ordered("sort", x)
    axis = one_axis("sort", t, dim)
    if not t.ndim:
        return take_along(t, None, 0)
    return take_along(t, order_of(t.array, axis, descending), axis)


def argsort(
    x: TensorLike,
    dim: int = -1,
    descending: bool = False,
    stable: bool | None = None,
) -> Tensor:
    """The indices that sort an axis: see `sort`.

    Examples
    --------
    >>> argsort([3.0, 1.0, 2.0]).tolist()
    [1, 2, 0]
    """
    t = ordered("argsort", x)
    axis = one_axis("argsort", t, dim)
    if not t.ndim:
        return wrap(np.zeros((), np.int64))
    return wrap(as_array(order_of(t.array, axis, descending), np.int64))


def msort(x: TensorLike) -> Tensor:
    """The elements in order along the first axis.

    Examples
    --------
    >>> msort([[3.0, 1.0], [2.0, 5.0]]).tolist()
    [[2.0, 1.0], [3.0, 5.0]]
    """
    return sort(x, 0).values


@implements(np.sort)
def _numpys_sort(
    x: TensorLike, axis: int | None = -1, kind: Any = None, **_: Any
) -> Tensor:
    """The values alone; of all elements where the axis is None."""
    t = as_variable(x)
    return sort(t.reshape(-1) if axis is None else t, axis or 0).values


@implements(np.argsort)
def _numpys_argsort(
    x: TensorLike, axis: int | None = -1, kind: Any = None, **_: Any
) -> Tensor:
    t = as_variable(x)
    return argsort(t.reshape(-1) if axis is None else t, axis or 0)


# ------------------------------------------------------------------ the first k


def topk(
    x: TensorLike,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
) -> ValuesAndIndices:
    """The k largest (or smallest) elements along an axis, in order, and their indices.

    Examples
    --------
    >>> topk([1.0, 4.0, 2.0, 3.0], 2).values.tolist()
    [4.0, 3.0]
    """
    t = ordered("topk", x)
    axis = one_axis("topk", t, dim)
    n = t.shape[axis] if t.ndim else 1
    if not 0 <= k <= n:
        raise ArgumentError(f"topk: k must be from 0 to {n}, the axis' length, got {k}")
    if not t.ndim:
        return take_along(t, None, 0) if k else topk(t.reshape(1), 0)
    index = order_of(t.array, axis, largest)
    return take_along(t, index.take(range(k), axis=axis), axis)


def kthvalue(
    x: TensorLike, k: int, dim: int = -1, keepdim: bool = False
) -> ValuesAndIndices:
    """The k-th smallest element along an axis, counted from 1, and its index.

    Examples
    --------
    >>> kthvalue([3.0, 1.0, 2.0], 2).values.item()
    2.0
    """
    t = ordered("kthvalue", x)
    axis = one_axis("kthvalue", t, dim)
    n = t.shape[axis] if t.ndim else 1
    if not 1 <= k <= n:
        raise ArgumentError(
            f"kthvalue: k must be from 1 to {n}, the length of axis {dim}, got {k}"
        )
    if not t.ndim:
        return take_along(t, None, 0)
    index = order_of(t.array, axis).take([k - 1], axis=axis)
    return take_along(t, index, axis, keep=keepdim)


# ------------------------------------------------------------------ distinct values


def unique(
    x: TensorLike,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements in order, or the distinct slices along an axis.

    Parameters
    ----------
    sorted : bool
        They always are.
    return_inverse : bool
        Also give, for each element, the place of its value in the result.
    return_counts : bool
        Also give how often each one was there.

    Returns
    -------
    Tensor, or tuple of Tensor
        Without gradients. No NaN equals another.

    Examples
    --------
    >>> values, counts = unique([3, 1, 3], return_counts=True)
    >>> values.tolist(), counts.tolist()
    ([1, 3], [1, 2])
    """
    t = as_variable(x)
    axis = None if dim is None else one_axis("unique", t, dim)
    if axis is not None:
        _slices_exist("unique", t, axis)
    values, inverse, counts = np.unique(
        t.array, return_inverse=True, return_counts=True, axis=axis, equal_nan=False
    )
    shape = t.shape if axis is None else (-1,)
    return _with_flags(
        values, inverse.reshape(shape), counts, return_inverse, return_counts
    )


def _with_flags(
    values: Any, inverse: Any, counts: Any, with_inverse: bool, with_counts: bool
) -> Any:
    """The values, and what else was asked for."""
    found = [wrap(values)]
    if with_inverse:
        found.append(wrap(as_array(inverse, np.int64)))
    if with_counts:
        found.append(wrap(as_array(counts, np.int64)))
    return found[0] if len(found) == 1 else tuple(found)


def _slices_exist(place: str, t: Tensor, axis: int) -> None:
    rest = [n for i, n in enumerate(t.shape) if i != axis % max(t.ndim, 1)]
    if 0 in rest and t.shape[axis]:
        raise ShapeError(f"{place}: slices of shape {t.shape} along {axis} are empty")


def unique_consecutive(
    x: TensorLike,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The elements (or slices) without those equal to the one just before.

    The flags are those of `unique`.

    Examples
    --------
    >>> unique_consecutive([1, 1, 2, 1]).tolist()
    [1, 2, 1]
    """
    t = as_variable(x)
    if dim is None:
        rows, axis, shape = t.array.reshape(-1, 1), 0, t.shape
    else:
        axis = one_axis("unique_consecutive", t, dim)
        _slices_exist("unique_consecutive", t, axis)
        lines = np.moveaxis(t.array if t.ndim else t.array.reshape(1), axis, 0)
        width = int(np.prod(lines.shape[1:]))
        rows, shape = lines.reshape(len(lines), width), (len(lines),)
    new = np.ones(len(rows), np.bool_)
    new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    starts = np.flatnonzero(new)
    source = t.array.reshape(-1) if dim is None or not t.ndim else t.array
    return _with_flags(
        source.take(starts, axis=axis),
        (np.cumsum(new) - 1).reshape(shape),
        np.diff(np.append(starts, len(rows))),
        return_inverse,
        return_counts,
    )


def isin(
    elements: TensorLike,
    test_elements: TensorLike,
    *,
    assume_unique: bool = False,
    invert: bool = False,
) -> Tensor:
    """Whether each element is one of the others (or, inverted, is not).

    Examples
    --------
    >>> isin([1, 2, 3], [2, 3]).tolist()
    [False, True, True]
    """
    a, b = as_variable(elements).array, as_variable(test_elements).array
    return wrap(as_array(np.isin(a, b, assume_unique=assume_unique, invert=invert)))


implements(np.isin)(isin)


# ------------------------------------------------------------------ places in an order


def searchsorted(
    sorted_sequence: TensorLike,
    x: TensorLike,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: TensorLike | None = None,
) -> Tensor:
    """Where each number would have to be put in so that the order is kept.

    Parameters
    ----------
    sorted_sequence : tensor, shape (..., n)
        In ascending order along the last axis; one axis, or the axes of `x`.
    right : bool
        Behind equal elements instead of in front of them; the same as side="right".
    sorter : tensor, optional
        The indices that sort `sorted_sequence` where it is not in order.

    Examples
    --------
    >>> searchsorted([1.0, 3.0, 5.0], [3.0, 4.0]).tolist()
    [1, 2]
    """
    if side not in (None, "left", "right"):
        raise ArgumentError(f"searchsorted: side must be left or right, got {side!r}")
    if side == "left" and right:
        raise ArgumentError("searchsorted: side='left' contradicts right=True")
    line, values = as_variable(sorted_sequence), as_variable(x)
    if line.ndim > 1 and line.shape[:-1] != values.shape[:-1]:
        raise ShapeError(
            "searchsorted: the sorted sequence needs one axis, or all axes of x but "
            f"the last; got shapes {line.shape} and {values.shape}"
        )
    if not line.ndim:
        raise ShapeError("searchsorted: the sorted sequence has no axis")
    order = None if sorter is None else _checked_sorter(line, as_variable(sorter))
    found = _places(
        line.array, values.array, "right" if right else side or "left", order
    )
    return wrap(as_array(found, np.int32 if out_int32 else np.int64))


def _checked_sorter(line: Tensor, sorter: Tensor) -> Any:
    if sorter.shape != line.shape:
        raise ShapeError(
            f"searchsorted: the sorter has shape {sorter.shape}, the sequence "
            f"{line.shape}; they must be equal"
        )
    if sorter.dtype.kind not in "iu":
        raise ArgumentError(
            f"searchsorted: the sorter holds {sorter.dtype}, no indices"
        )
    n = line.shape[-1]
    if ((sorter.array < 0) | (sorter.array >= n)).any():
        raise ArgumentError(f"searchsorted: the sorter must hold indices below {n}")
    return sorter.array


def _places(line: Any, values: Any, side: Any, order: Any) -> Any:
    """`np.searchsorted`, row by row where there are rows."""
    if line.ndim == 1:
        return np.searchsorted(line, values, side, order)
    found = np.zeros(values.shape, np.int64)
    for row in np.ndindex(values.shape[:-1]):
        sorter = None if order is None else order[row]
        found[row] = np.searchsorted(line[row], values[row], side, sorter)
    return found


@implements(np.searchsorted)
def _numpys_searchsorted(
    a: TensorLike, v: TensorLike, side: Any = "left", sorter: Any = None
) -> Tensor:
    return searchsorted(a, v, side=side, right=side == "right", sorter=sorter)


def bucketize(
    x: TensorLike,
    boundaries: TensorLike,
    *,
    out_int32: bool = False,
    right: bool = False,
) -> Tensor:
    """The number of the interval between `boundaries` in which each number lies.

    ``boundaries[i - 1] < x <= boundaries[i]``, or with `right`
    ``boundaries[i - 1] <= x < boundaries[i]``.

    Examples
    --------
    >>> bucketize([0.0, 3.0, 9.0], [1.0, 3.0, 5.0]).tolist()
    [0, 1, 3]
    """
    line = as_variable(boundaries)
    if line.ndim != 1:
        raise ShapeError(f"bucketize: boundaries need one axis, got shape {line.shape}")
    return searchsorted(line, x, out_int32=out_int32, right=right)
