"""What runs along an axis: products, extremes, differences and areas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import apply, as_variable
from dotori.errors import ArgumentError, ShapeError
from dotori.functions import elementwise
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.extremes import ValuesAndIndices, ordered, take_along
from dotori.functions.join import cat
from dotori.functions.reduce import cumsum, one_axis
from dotori.functions.shape import axis_of, cast, clone, movedim
from dotori.ops import cumulative as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "cummax",
    "cummin",
    "cumprod",
    "cumulative_trapezoid",
    "diff",
    "gradient",
    "logcumsumexp",
    "trapezoid",
    "trapz",
]


def _along(which: Any, place: str, t: Tensor, dim: Any, axis: Any) -> Tensor:
    """An operation along one axis; a tensor without axes has one element."""
    chosen = one_axis(place, t, dim, axis)
    line = t if t.ndim else t.reshape(-1)
    result: Tensor = apply(which, line, axis=chosen)
    return result if t.ndim else result.reshape(())


def cumprod(
    x: TensorLike,
    dim: int | None = None,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """The product of each element and all before it. Integers give int64.

    The gradient is right where elements are 0, too.

    Examples
    --------
    >>> cumprod([1.0, 2.0, 3.0], dim=0).tolist()
    [1.0, 2.0, 6.0]
    """
    t = as_variable(x) if dtype is None else cast(x, dtype)
    found = _along(op.CumProd, "cumprod", t, dim, axis)
    return found if dtype is None else cast(found, dtype)


@implements(np.cumprod)
def _numpys_cumprod(
    x: TensorLike, axis: int | None = None, dtype: DTypeLike | None = None
) -> Tensor:
    """Of all elements in C order where no axis is given."""
    t = as_variable(x)
    return cumprod(t.reshape(-1) if axis is None else t, axis or 0, dtype=dtype)


def logcumsumexp(x: TensorLike, dim: int) -> Tensor:
    """ln of the sum of e^x up to each element, without overflow.

    Examples
    --------
    >>> logcumsumexp([1000.0, 1000.0], dim=0).tolist()
    [1000.0, 1000.6931762695312]
    """
    return _along(op.LogCumSumExp, "logcumsumexp", as_variable(x), dim, None)


def cummax(x: TensorLike, dim: int) -> ValuesAndIndices:
    """The largest element so far, and its index: the last one of several.

    Examples
    --------
    >>> cummax([1.0, 3.0, 2.0], dim=0).values.tolist()
    [1.0, 3.0, 3.0]
    """
    return _extreme_so_far(np.maximum, "cummax", x, dim)


def cummin(x: TensorLike, dim: int) -> ValuesAndIndices:
    """The smallest element so far, and its index: the last one of several.

    Examples
    --------
    >>> cummin([3.0, 1.0, 2.0], dim=0).indices.tolist()
    [0, 1, 1]
    """
    return _extreme_so_far(np.minimum, "cummin", x, dim)


def _extreme_so_far(
    which: Any, place: str, x: TensorLike, dim: int
) -> ValuesAndIndices:
    t = ordered(place, x)
    axis = one_axis(place, t, dim)
    if not t.ndim:
        return take_along(t, None, 0)
    best = which.accumulate(t.array, axis=axis)
    equal = (best == t.array) | (t.array != t.array)
    places = np.arange(t.shape[axis]).reshape([-1] + [1] * (t.ndim - 1 - axis % t.ndim))
    index = np.maximum.accumulate(np.where(equal, places, 0), axis=axis)
    return take_along(t, index, axis, once=False)


# ------------------------------------------------------------------ differences


def diff(
    x: TensorLike,
    n: int = 1,
    dim: int = -1,
    prepend: TensorLike | None = None,
    append: TensorLike | None = None,
    *,
    axis: int | None = None,
) -> Tensor:
    """Each element less the one before it, `n` times over.

    Parameters
    ----------
    prepend, append : tensor, optional
        What is put before and after `x` along the axis first.

    Examples
    --------
    >>> diff([1.0, 4.0, 9.0]).tolist()
    [3.0, 5.0]
    """
    t = as_variable(x)
    if not t.ndim:
        raise ShapeError("diff: a tensor of one axis or more is wanted, got none")
    if n < 0:
        raise ArgumentError(f"diff: n must be 0 or more, got {n}")
    place = axis_of("diff", dim if axis is None else axis, t.ndim, t.shape)
    if n == 0:
        return clone(t)
    t = _with_ends(t, place, prepend, append)
    for _ in range(min(n, t.shape[place])):
        left, right = (slice(None),) * place, slice(1, None)
        later, earlier = t[(*left, right)], t[(*left, slice(None, -1))]
        t = later ^ earlier if t.dtype.kind == "b" else later - earlier
    return t


def _with_ends(t: Tensor, place: int, before: Any, after: Any) -> Tensor:
    """`t` between what is put before and after it; numbers are stretched."""
    parts = [_end(t, place, before), t, _end(t, place, after)]
    given = [part for part in parts if part is not None]
    return cat(given, place) if len(given) > 1 else t


def _end(t: Tensor, place: int, value: Any) -> Tensor | None:
    if value is None:
        return None
    end = as_variable(value)
    if not end.ndim:  # NumPy's way: one number for all
        shape = tuple(1 if i == place else m for i, m in enumerate(t.shape))
        end = end.broadcast_to(shape)
    if end.ndim != t.ndim:
        raise ShapeError(
            f"diff: prepend and append need {t.ndim} axes as x has, shape {t.shape}, "
            f"got shape {end.shape}"
        )
    return end


@implements(np.diff)
def _numpys_diff(
    x: TensorLike,
    n: int = 1,
    axis: int = -1,
    prepend: TensorLike | None = None,
    append: TensorLike | None = None,
) -> Tensor:
    absent = (None, np._NoValue)
    ends = [None if any(v is a for a in absent) else v for v in (prepend, append)]
    return diff(x, n, axis, *ends)


# ------------------------------------------------------------------ areas


def trapezoid(
    y: TensorLike,
    x: TensorLike | None = None,
    *,
    dx: float | None = None,
    dim: int = -1,
) -> Tensor:
    """The area below a line through points: (x_(i+1) - x_i)(y_i + y_(i+1))/2, added up.

    Parameters
    ----------
    x : tensor, optional
        Where the points are: of the shape of `y`, or one axis for `dim`.
    dx : float
        The distance between points instead; 1 by default.

    Examples
    --------
    >>> trapezoid([1.0, 5.0, 10.0]).item()
    10.5
    """
    return _areas("trapezoid", y, x, dx, dim).sum(dim=-1)


def cumulative_trapezoid(
    y: TensorLike,
    x: TensorLike | None = None,
    *,
    dx: float | None = None,
    dim: int = -1,
) -> Tensor:
    """The area up to each point but the first: see `trapezoid`.

    Examples
    --------
    >>> cumulative_trapezoid([1.0, 5.0, 10.0]).tolist()
    [3.0, 10.5]
    """
    areas = cumsum(_areas("cumulative_trapezoid", y, x, dx, dim), -1)
    return movedim(areas, -1, dim)


def _areas(place: str, y: TensorLike, x: Any, dx: float | None, dim: int) -> Tensor:
    """The areas between neighbours along `dim`, which becomes the last axis."""
    t = as_variable(y)
    axis = axis_of(place, dim, t.ndim, t.shape)
    t = movedim(t, axis, -1)
    if x is None:
        return (t[..., 1:] + t[..., :-1]) * ((1.0 if dx is None else dx) / 2)
    if dx is not None:
        raise ArgumentError(f"{place}: give x or dx, not both")
    points = as_variable(x)
    if points.ndim > 1:
        lead = t.ndim - points.ndim
        points = movedim(points, axis - lead, -1)
    if points.shape[-1] != t.shape[-1]:
        raise ShapeError(
            f"{place}: y has {t.shape[-1]} points along axis {dim}, x has "
            f"{points.shape[-1]}; they must be as many"
        )
    return diff(points) * (t[..., 1:] + t[..., :-1]) * 0.5


trapz = trapezoid


@implements(np.trapezoid)
def _numpys_trapezoid(
    y: TensorLike, x: TensorLike | None = None, dx: float = 1.0, axis: int = -1
) -> Tensor:
    return trapezoid(y, x, dx=dx if x is None else None, dim=axis)


# ------------------------------------------------------------------ slopes


def gradient(
    x: TensorLike,
    *,
    spacing: Any = 1,
    dim: Any = None,
    edge_order: int = 1,
) -> list[Tensor]:
    """The slope at each point along some axes, or all, by central differences.

    At distances h to the left and k to the right,
    (h^2 x_(i+1) + (k^2 - h^2) x_i - k^2 x_(i-1)) / (h k (h + k)): of second order in
    the distances. See Fornberg (1988), Generation of finite difference formulas.

    Parameters
    ----------
    spacing : number, sequence of numbers, or sequence of tensors
        The distance between points: one for all axes, or one for each; or where the
        points lie along each axis.
    edge_order : {1, 2}
        The order of the formulas at both ends.

    Returns
    -------
    list of Tensor
        One for each axis, of the shape of `x`.

    Examples
    --------
    >>> gradient([1.0, 2.0, 4.0, 7.0])[0].tolist()
    [1.0, 1.5, 2.5, 3.0]
    """
    t = as_variable(x)
    if edge_order not in (1, 2):
        raise ArgumentError(f"gradient: edge_order must be 1 or 2, got {edge_order}")
    chosen = range(t.ndim) if dim is None else dim
    axes = list(chosen) if isinstance(chosen, (tuple, list, range)) else [chosen]
    axes = [axis_of("gradient", a, t.ndim, t.shape) for a in axes]
    if len(set(axes)) < len(axes):
        raise ArgumentError(f"gradient: an axis of {dim} is named twice")
    return [
        _slope(t, axis, _distances(t.shape[axis], part), edge_order)
        for axis, part in zip(axes, _spacings(spacing, len(axes)), strict=True)
    ]


def _spacings(spacing: Any, count: int) -> Sequence[Any]:
    """One spacing for each axis."""
    if hasattr(spacing, "array"):
        spacing = [spacing] if spacing.ndim else [spacing.item()] * count
    if not isinstance(spacing, (tuple, list)):
        return [1 if spacing is None else spacing] * count
    if len(spacing) != count:
        raise ArgumentError(
            f"gradient: one spacing for each of {count} axes is wanted, got "
            f"{len(spacing)}"
        )
    return spacing


def _distances(n: int, spacing: Any) -> Any:
    """The n - 1 distances between neighbours, or one number for all."""
    points = getattr(spacing, "array", spacing)
    if not np.ndim(points):
        return float(points)
    if np.shape(points) != (n,):
        raise ShapeError(
            f"gradient: {n} points along the axis want as many coordinates, got shape "
            f"{np.shape(points)}"
        )
    return np.diff(np.asarray(points, np.float64))


def _slope(t: Tensor, axis: int, distances: Any, edge_order: int) -> Tensor:
    """The slopes along one axis, with constants for weights."""
    if t.dtype.kind in "bui":
        t = elementwise.mul(t, 1.0)
    if t.shape[axis] < edge_order + 1:
        raise ShapeError(
            f"gradient: axis {axis} of shape {t.shape} needs {edge_order + 1} points "
            f"or more for edge_order={edge_order}"
        )
    t = movedim(t, axis, -1)
    n = t.shape[-1]
    d = np.broadcast_to(np.asarray(distances, t.dtype), (n - 1,))
    step = (t[..., 1:] - t[..., :-1]) / d  # the slopes between neighbours
    h, k = d[:-1], d[1:]
    inner = (step[..., 1:] * h + step[..., :-1] * k) / (h + k)
    first, last = step[..., :1], step[..., -1:]
    if edge_order == 2:
        first = first + (first - step[..., 1:2]) * (d[0] / (d[0] + d[1]))
        last = last + (last - step[..., -2:-1]) * (d[-1] / (d[-1] + d[-2]))
    return movedim(cat([first, inner, last], -1), -1, axis)


@implements(np.gradient)
def _numpys_gradient(
    x: TensorLike, *spacing: Any, axis: Any = None, edge_order: int = 1
) -> Any:
    """A tuple for several axes, one tensor for one."""
    given = 1 if not spacing else spacing[0] if len(spacing) == 1 else spacing
    if np.ndim(getattr(given, "array", given)) and not isinstance(given, (tuple, list)):
        given = [given]
    found = gradient(x, spacing=given, dim=axis, edge_order=edge_order)
    return found[0] if len(found) == 1 else tuple(found)
