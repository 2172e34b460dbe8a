"""How many elements there are: of each value, or in each interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd import as_variable, wrap
from dotori.backend import as_array
from dotori.dtypes import float64
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike, implements

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["bincount", "histc", "histogram", "histogramdd"]


class Histogram(NamedTuple):
    """What `histogram` gives."""

    hist: Tensor
    bin_edges: Tensor


class HistogramDD(NamedTuple):
    """What `histogramdd` gives."""

    hist: Tensor
    bin_edges: tuple[Tensor, ...]


@implements(np.bincount)
def bincount(
    x: TensorLike, weights: TensorLike | None = None, minlength: int = 0
) -> Tensor:
    """How often 0, 1, 2, ... are in `x`, or the sum of their weights.

    Weights of a float type keep it where that is float32 or float64; others give
    float64.

    Examples
    --------
    >>> bincount([0, 2, 2]).tolist()
    [1, 0, 2]
    """
    t = as_variable(x)
    if t.dtype.kind not in "iu" or t.ndim != 1 or (t.array < 0).any():
        raise ArgumentError(
            "bincount: integers from 0 on one axis are wanted, got "
            f"{t.dtype} of shape {t.shape}" + (" with a negative one" * (t.ndim == 1))
        )
    if minlength < 0:
        raise ArgumentError(f"bincount: minlength must be 0 or more, got {minlength}")
    if weights is None:
        counts = np.bincount(t.array.astype(np.int64), minlength=minlength)
        return wrap(as_array(counts, np.int64))
    w = as_variable(weights)
    if w.shape != t.shape:
        raise ShapeError(f"bincount: shapes {t.shape} and {w.shape} must be equal")
    sums = np.bincount(t.array.astype(np.int64), w.array, minlength)
    return wrap(sums.astype(w.dtype if w.dtype == np.float32 else float64))


def _floats(place: str, x: TensorLike) -> Tensor:
    t = as_variable(x)
    if t.dtype.kind != "f":
        raise DTypeError(f"{place}: floats were wanted, got {t.dtype}")
    return t


def _limits(place: str, a: Any, low: float, high: float) -> tuple[float, float]:
    """The range of the intervals: as given, or that of the numbers.

    Raises
    ------
    ArgumentError
        If it is not finite, or runs backwards.
    """
    if low == high and a.size:
        low, high = float(a.min()), float(a.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ArgumentError(f"{place}: the range from {low} to {high} is not finite")
    if low > high:
        raise ArgumentError(f"{place}: the range runs backwards, from {low} to {high}")
    return low, high


def histc(x: TensorLike, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of `bins` equal intervals from min to max.

    Equal limits stand for the smallest and the largest element. Elements outside do
    not count.

    Examples
    --------
    >>> histc([1.0, 2.0, 1.0], bins=4, min=0, max=3).tolist()
    [0.0, 2.0, 1.0, 0.0]
    """
    t = _floats("histc", x)
    if bins < 1:
        raise ArgumentError(f"histc: bins must be 1 or more, got {bins}")
    low, high = _limits("histc", t.array, min, max)
    if low == high:
        low, high = low - 1, high + 1
    inside = t.array[(t.array >= low) & (t.array <= high)].astype(float64)
    places = ((inside - low) * (bins / (high - low))).astype(np.int64)
    counts = np.bincount(places.clip(0, bins - 1), minlength=bins)
    return wrap(counts.astype(t.dtype))


def histogram(
    x: TensorLike,
    bins: int | TensorLike,
    *,
    range: tuple[float, float] | None = None,
    weight: TensorLike | None = None,
    density: bool = False,
) -> Histogram:
    """How many elements lie in each interval, and where the intervals meet.

    Parameters
    ----------
    bins : int or tensor
        The number of equal intervals, or the places where they meet, rising. An
        interval holds its left end; the last one both.
    range : pair of floats, optional
        From where to where; by default the smallest and the largest element.
    weight : tensor, optional
        What each element counts.
    density : bool
        Divide so that the area is 1.

    Examples
    --------
    >>> histogram([1.0, 2.0, 1.0], 2, range=(0.0, 2.0)).hist.tolist()
    [0.0, 3.0]
    """
    t = _floats("histogram", x)
    flat = t.array.reshape(-1, 1)
    found = _counted("histogram", flat, [bins], range, weight, density)
    return Histogram(found.hist, found.bin_edges[0])


def histogramdd(
    x: TensorLike,
    bins: Any,
    *,
    range: Sequence[float] | None = None,
    weight: TensorLike | None = None,
    density: bool = False,
) -> HistogramDD:
    """`histogram` of points: x has shape (..., d), the counts one axis for each of d.

    Parameters
    ----------
    bins : int, sequence of d ints, or sequence of d tensors
        The numbers of equal intervals along each axis, or where they meet.
    range : sequence of 2 d floats, optional
        From where to where along each axis.

    Examples
    --------
    >>> points = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 2.0]])
    >>> histogramdd(points, bins=[2, 2]).hist.tolist()
    [[0.0, 1.0], [1.0, 1.0]]
    """
    t = _floats("histogramdd", x)
    if t.ndim < 2:
        raise ShapeError(f"histogramdd: points (..., d) are wanted, got {t.shape}")
    d = t.shape[-1]
    many = list(bins) if isinstance(bins, (tuple, list)) else [bins] * d
    if len(many) != d:
        raise ArgumentError(f"histogramdd: {d} bins are wanted, got {len(many)}")
    return _counted("histogramdd", t.array.reshape(-1, d), many, range, weight, density)


def _counted(
    place: str, points: Any, bins: list[Any], limits: Any, weight: Any, density: bool
) -> HistogramDD:
    """The histogram of `points`, shape (n, d)."""
    edges = [
        _edges(place, points[:, i], part, None if limits is None else limits[2 * i :])
        for i, part in enumerate(bins)
    ]
    shape = tuple(len(e) - 1 for e in edges)
    columns, inside = [], np.ones(len(points), np.bool_)
    for column, e in zip(points.T, edges, strict=True):
        inside &= (column >= e[0]) & (column <= e[-1])
        # the last interval holds its right end as well
        found = np.searchsorted(e, column, "right") - 1
        columns.append(np.minimum(found, len(e) - 2))
    flat = np.ravel_multi_index([c[inside] for c in columns], shape)
    weights = None if weight is None else _weights(place, weight, points)[inside]
    total = np.bincount(flat, weights, int(np.prod(shape))).reshape(shape)
    hist = total.astype(points.dtype)
    if density:
        widths = np.ones((), points.dtype)
        for e in edges:
            widths = np.multiply.outer(widths, np.diff(e))
        with np.errstate(all="ignore"):  # no elements have no density: NaN
            hist = hist / (hist.sum() * widths)
    return HistogramDD(wrap(hist), tuple(map(wrap, edges)))


def _weights(place: str, weight: TensorLike, points: Any) -> Any:
    w = as_variable(weight).array.reshape(-1)
    if len(w) != len(points):
        raise ShapeError(f"{place}: {len(points)} weights are wanted, got {len(w)}")
    return w


def _edges(place: str, column: Any, bins: Any, limits: Any) -> Any:
    """Where the intervals of one axis meet."""
    given = getattr(bins, "array", bins)
    if np.ndim(given):
        edges = np.asarray(given)
        if edges.dtype != column.dtype and hasattr(bins, "dtype"):
            raise DTypeError(f"{place}: bins are {edges.dtype}, x is {column.dtype}")
        if edges.ndim != 1 or (np.diff(edges) < 0).any():
            raise ArgumentError(f"{place}: bins must rise along one axis")
        return edges.astype(column.dtype)
    if int(given) < 1:
        raise ArgumentError(f"{place}: bins must be 1 or more, got {given}")
    if limits is None:
        low, high = _limits(place, column, 0.0, 0.0) if column.size else (0.0, 1.0)
    else:
        low, high = float(limits[0]), float(limits[1])
        if not (np.isfinite(low) and np.isfinite(high)) or low > high:
            raise ArgumentError(f"{place}: no range goes from {low} to {high}")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, int(given) + 1, dtype=column.dtype)
