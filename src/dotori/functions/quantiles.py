"""Medians, modes and quantiles: statistics that come from the order of the elements.

Gradients go to the elements whose indices are given; where there are none (`median` of
all), equal elements share them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import as_variable
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions import elementwise
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.extremes import (
    ValuesAndIndices,
    amax,
    nonempty,
    ordered,
    take_along,
)
from dotori.functions.reduce import checked_axes, one_axis
from dotori.functions.shape import movedim, permute
from dotori.functions.sorting import order_of, sort

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["median", "mode", "nanmedian", "nanquantile", "quantile"]


def median(x: TensorLike, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle element in order; of two, the lower one. NaN if there is a NaN.

    Along `dim`, the values and their indices.

    Examples
    --------
    >>> median([4.0, 1.0, 3.0, 2.0]).item()
    2.0
    >>> median([[4.0, 1.0, 3.0]], dim=1).indices.tolist()
    [2]
    """
    return _median("median", x, dim, keepdim, ignore_nan=False)


def nanmedian(x: TensorLike, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median of the elements that are not NaN: see `median`.

    Examples
    --------
    >>> nanmedian([4.0, float("nan"), 3.0, 2.0]).item()
    3.0
    """
    return _median("nanmedian", x, dim, keepdim, ignore_nan=True)


def _median(place: str, x: TensorLike, dim: Any, keep: bool, ignore_nan: bool) -> Any:
    t = ordered(place, x)
    if dim is None:
        return _median_of_all(place, t, ignore_nan)
    axis = one_axis(place, t, dim)
    if not t.ndim:
        return take_along(t, None, 0)
    nonempty(place, t, axis)
    index = _middle(t.array, axis, ignore_nan)
    return take_along(t, index, axis, keep=keep)


def _middle(a: Any, axis: int, ignore_nan: bool) -> Any:
    """The index of the lower median along an axis, which stays with length 1."""
    order = order_of(a, axis)
    missing = (a != a).sum(axis=axis, keepdims=True)
    n = a.shape[axis]
    counted = np.maximum(n - missing, 1)
    # NaN stands at the end of the order: the first one is behind all numbers
    middle = (counted - 1) // 2 if ignore_nan else np.full(missing.shape, (n - 1) // 2)
    if not ignore_nan:
        middle = np.where(missing > 0, n - missing, middle)
    return np.take_along_axis(order, middle, axis)


def _median_of_all(place: str, t: Tensor, ignore_nan: bool) -> Tensor:
    flat = t.reshape(-1)
    if not len(flat):
        if t.dtype.kind != "f":
            raise ShapeError(f"{place}: of no elements, shape {t.shape}, there is none")
        return flat.sum() * np.nan
    found = flat.array[_middle(flat.array, 0, ignore_nan)][0]
    if t.dtype.kind != "f":
        return as_variable(np.asarray(found))
    equal = (flat.array == found) | ((flat.array != flat.array) & (found != found))
    return amax(elementwise.where(equal, flat, -np.inf))


def mode(x: TensorLike, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """The most frequent element along an axis, the smallest of several, and its index.

    Of equal elements the index is the last one's.

    Examples
    --------
    >>> values, indices = mode([1, 2, 2, 1, 3])
    >>> values.item(), indices.item()
    (1, 3)
    """
    t = ordered("mode", x)
    axis = one_axis("mode", t, dim)
    if not t.ndim:
        return take_along(t, None, 0)
    nonempty("mode", t, axis)
    order = np.moveaxis(order_of(t.array, axis), axis, -1)
    line = np.take_along_axis(np.moveaxis(t.array, axis, -1), order, -1)
    new = np.ones(line.shape, np.bool_)
    new[..., 1:] = line[..., 1:] != line[..., :-1]
    places = np.arange(line.shape[-1])
    start = np.maximum.accumulate(np.where(new, places, 0), axis=-1)
    # the first place where the longest run is complete is its end
    longest = (places - start).argmax(axis=-1, keepdims=True)
    index = np.moveaxis(np.take_along_axis(order, longest, -1), -1, axis)
    return take_along(t, index, axis, keep=keepdim)


# ------------------------------------------------------------------ quantiles

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile(
    x: TensorLike,
    q: TensorLike,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """The value below which a share q of the elements lies.

    It is that of rank q (n - 1) in order, counted from 0; between two elements,
    `interpolation` decides. NaN if there is a NaN.

    Parameters
    ----------
    q : number or tensor of one axis
        From 0 to 1. Several give a new first axis.
    dim : int, optional
        The axis; all elements by default.
    interpolation : {"linear", "lower", "higher", "midpoint", "nearest"}

    Examples
    --------
    >>> quantile([1.0, 2.0, 3.0, 4.0], 0.5).item()
    2.5
    """
    return _quantile("quantile", x, q, dim, keepdim, interpolation, False)


def nanquantile(
    x: TensorLike,
    q: TensorLike,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """The quantile of the elements that are not NaN: see `quantile`.

    Examples
    --------
    >>> nanquantile([1.0, float("nan"), 3.0], 0.5).item()
    2.0
    """
    return _quantile("nanquantile", x, q, dim, keepdim, interpolation, True)


def _quantile(
    place: str,
    x: TensorLike,
    q: TensorLike,
    dim: int | None,
    keep: bool,
    interpolation: str,
    ignore_nan: bool,
) -> Tensor:
    t = as_variable(x)
    shares = _checked_shares(place, t, q, interpolation)
    shape = t.shape
    axis = None if dim is None else one_axis(place, t, dim) % max(t.ndim, 1)
    line = t.reshape(-1) if axis is None or not t.ndim else movedim(t, axis, -1)
    if not line.shape[-1]:
        raise ShapeError(f"{place}: of no elements, shape {shape}, there is none")
    found = _between(line, shares.reshape(-1), interpolation, ignore_nan)
    found = movedim(found, -1, 0)
    if keep:
        lost = [1] * len(shape) if axis is None else list(shape)
        if axis is not None and shape:
            lost[axis] = 1
        found = found.reshape((-1, *lost))
    return found if shares.ndim else found[0]


def _checked_shares(place: str, t: Tensor, q: TensorLike, interpolation: str) -> Tensor:
    if t.dtype not in (np.float32, np.float64):
        raise DTypeError(f"{place}: float32 or float64 is wanted, got {t.dtype}")
    if hasattr(q, "dtype") and q.dtype != t.dtype:
        raise DTypeError(f"{place}: q is {q.dtype}, x is {t.dtype}; must be equal")
    shares = q if hasattr(q, "node") else as_variable(np.asarray(q, t.dtype))
    if shares.ndim > 1:
        raise ShapeError(f"{place}: q needs one axis or none, got shape {shares.shape}")
    if not ((shares.array >= 0) & (shares.array <= 1)).all():
        raise ArgumentError(f"{place}: q must be from 0 to 1, got {shares.tolist()}")
    if interpolation not in _METHODS:
        raise ArgumentError(
            f"{place}: interpolation must be one of {', '.join(_METHODS)}, "
            f"got {interpolation!r}"
        )
    return shares


def _between(line: Tensor, shares: Tensor, method: str, ignore_nan: bool) -> Tensor:
    """The quantiles of the last axis, which becomes one of the shares."""
    values = sort(line, -1).values
    missing = (line.array != line.array).sum(axis=-1, keepdims=True)
    last = np.asarray(line.shape[-1] - 1 - missing).clip(0).astype(line.dtype)
    rank = shares * (last if ignore_nan else last.dtype.type(line.shape[-1] - 1))
    place = np.broadcast_to(rank.array, (*line.shape[:-1], len(shares)))
    if not ignore_nan:  # NaN stands last
        place = np.where(missing > 0, line.shape[-1] - 1, place)
    if method in ("lower", "higher", "nearest"):
        rounded = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}[method]
        return take_along(values, _whole(rounded(place)), -1, once=False).values
    below = np.floor(place)
    low = take_along(values, _whole(below), -1, once=False).values
    high = take_along(values, _whole(np.ceil(place)), -1, once=False).values
    weight: Any = rank - below
    if method == "midpoint":
        weight = np.where(below != place, place.dtype.type(0.5), 0)
    return elementwise.lerp(low, high, weight)


def _whole(rank: Any) -> Any:
    return np.asarray(rank, np.int64)


# ------------------------------------------------------------------ NumPy's


def together(t: Tensor, axis: Any) -> tuple[Tensor, tuple[int, ...]]:
    """The axes that NumPy names as one last axis; and the shape that keeps them."""
    axes = checked_axes("axis", t, axis, None)
    chosen = range(t.ndim) if axes is None else np.atleast_1d(axes)
    places = [int(a) % t.ndim for a in chosen]
    rest = [i for i in range(t.ndim) if i not in places]
    kept = tuple(1 if i in places else n for i, n in enumerate(t.shape))
    shape = tuple(t.shape[i] for i in rest)
    return permute(t, [*rest, *places]).reshape((*shape, -1)), kept


def _numpys(
    function: Any, x: TensorLike, q: Any, axis: Any, keepdims: bool, method: str
) -> Tensor:
    line, kept = together(as_variable(x), axis)
    if line.dtype.kind in "bui":
        line = line.double()
    share = q.array if hasattr(q, "array") else np.asarray(q, np.float64)
    found: Tensor = function(line, share.astype(line.dtype), -1, interpolation=method)
    return found.reshape((*share.shape, *kept)) if keepdims else found


@implements(np.quantile)
def _numpys_quantile(
    x: TensorLike,
    q: TensorLike,
    axis: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    return _numpys(quantile, x, q, axis, keepdims, method)


@implements(np.nanquantile)
def _numpys_nanquantile(
    x: TensorLike,
    q: TensorLike,
    axis: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    return _numpys(nanquantile, x, q, axis, keepdims, method)


@implements(np.percentile)
def _numpys_percentile(
    x: TensorLike,
    q: TensorLike,
    axis: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    return _numpys(quantile, x, np.divide(q, 100), axis, keepdims, method)


@implements(np.median)
def _numpys_median(
    x: TensorLike, axis: Any = None, *, keepdims: bool = False
) -> Tensor:
    """Between the two elements in the middle, as NumPy has it."""
    return _numpys(quantile, x, 0.5, axis, keepdims, "linear")


@implements(np.nanmedian)
def _numpys_nanmedian(
    x: TensorLike, axis: Any = None, *, keepdims: bool = False
) -> Tensor:
    return _numpys(nanquantile, x, 0.5, axis, keepdims, "linear")
