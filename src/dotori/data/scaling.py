"""Scaling and shaping of plain arrays: the textbook's preprocessing.

A scaling is y = (x - shift) / factor, column by column; its inverse is
x = y * factor + shift. Standardisation takes the mean and the standard deviation,
min-max scaling the minimum and the range. A column without any spread has factor 1, so
that it becomes 0, never NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dotori.errors import ArgumentError, NonFiniteError, ShapeError

Values = TypeVar("Values", bound=np.generic)

_TINY = float(np.finfo(np.float64).tiny)

#: The largest number that can be scaled: the range of a column must be finite too.
LARGEST = 2.0**1022


@dataclass(frozen=True)
class Scaling:
    """y = (x - shift) / factor for the columns of an array of shape (n, d).

    Parameters
    ----------
    shift, factor : float64 arrays of shape (d,)
        What is taken off, and what is then divided by.

    Examples
    --------
    >>> scaling = Scaling.minmax(np.array([[1.0], [3.0]]))
    >>> scaling.apply(np.array([[2.0], [5.0]])).tolist()
    [[0.5], [2.0]]
    >>> scaling.invert(np.array([[0.5]])).tolist()
    [[2.0]]
    """

    shift: NDArray[np.float64]
    factor: NDArray[np.float64]

    @classmethod
    def standard(cls, x: ArrayLike) -> Scaling:
        """Mean 0 and (population) standard deviation 1 for the columns of `x`."""
        values, unit = _in_safe_units(x)
        low, high = values.min(axis=0), values.max(axis=0)
        # From a value of the column on, so that a huge offset costs no digits.
        offset = values - low
        mean = offset.mean(axis=0)
        spread = np.sqrt(np.square(offset - mean).mean(axis=0))
        mean = np.where(low == high, low, low + mean)
        return cls(mean * unit, _usable(spread * unit, low == high))

    @classmethod
    def minmax(cls, x: ArrayLike) -> Scaling:
        """Minimum 0 and maximum 1 for the columns of `x`."""
        values, unit = _in_safe_units(x)
        low, high = values.min(axis=0), values.max(axis=0)
        return cls(low * unit, _usable((high - low) * unit, low == high))

    @classmethod
    def none(cls, x: ArrayLike) -> Scaling:
        """The columns of `x` as they are."""
        width = _as_columns(x).shape[1]
        return cls(np.zeros(width), np.ones(width))

    def apply(self, x: ArrayLike) -> NDArray[np.float64]:
        """The scaled array, computed in float64; shape (n, d)."""
        values = np.asarray(x, dtype=np.float64)
        with np.errstate(over="ignore"):
            scaled: NDArray[np.float64] = (values - self.shift) / self.factor
        return scaled

    def invert(self, y: ArrayLike) -> NDArray[np.float64]:
        """What :meth:`apply` was given, from what it gave."""
        values: NDArray[np.float64] = np.asarray(y, np.float64) * self.factor
        return values + self.shift


def _usable(spread: NDArray[np.float64], constant: NDArray[np.bool_]) -> Any:
    """1 where dividing by the spread would make no sense."""
    return np.where(constant | (spread < _TINY), 1.0, spread)


def _in_safe_units(x: ArrayLike) -> tuple[NDArray[np.float64], float]:
    """The columns divided by a power of two, so that no square overflows."""
    values = _as_columns(x).astype(np.float64)
    if not len(values):
        raise ShapeError("scaling: at least one row was wanted, got shape (0, ...)")
    if not (np.abs(values) <= LARGEST).all():
        raise NonFiniteError(
            "scaling: finite numbers up to 2**1022 were wanted, got NaN or one beyond"
        )
    largest = np.abs(values).max(initial=0.0)
    unit = 2.0**520 if largest > 2.0**500 else 1.0
    return values / unit, unit


def _as_columns(x: ArrayLike) -> NDArray[Any]:
    array = np.asarray(x)
    if array.ndim != 2:
        raise ShapeError(
            f"scaling: an array of shape (n, d) was wanted, got {array.shape}"
        )
    return array


def standardize(x: ArrayLike) -> NDArray[Any]:
    """(x - mean) / standard deviation, column by column; a constant column becomes 0.

    Parameters
    ----------
    x : array of shape (n, d) or (n,)
        Finite numbers. float32 gives float32, everything else float64.

    Raises
    ------
    ShapeError
        If `x` has no rows or another number of axes.
    NonFiniteError
        If there is a NaN or an infinity in `x`.

    Examples
    --------
    >>> standardize(np.array([[1.0, 7.0], [3.0, 7.0]])).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    return _scaled(x, Scaling.standard)


def minmax(x: ArrayLike) -> NDArray[Any]:
    """(x - minimum) / (maximum - minimum), by column; a constant column becomes 0.

    The parameters and errors are those of :func:`standardize`.

    Examples
    --------
    >>> minmax(np.array([[1.0, 7.0], [2.0, 7.0], [3.0, 7.0]])).tolist()
    [[0.0, 0.0], [0.5, 0.0], [1.0, 0.0]]
    """
    return _scaled(x, Scaling.minmax)


def _scaled(x: ArrayLike, fit: Any) -> NDArray[Any]:
    array = np.asarray(x)
    columns = array[:, np.newaxis] if array.ndim == 1 else array
    result: NDArray[Any] = fit(columns).apply(columns).reshape(array.shape)
    return result.astype(_float_type(array), copy=False)


def _float_type(array: NDArray[Any]) -> np.dtype[Any]:
    return array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)


def normalize_rows(x: ArrayLike) -> NDArray[Any]:
    """x / ||x||, row by row: each row gets Euclidean length 1; a zero row stays zero.

    Parameters
    ----------
    x : array of shape (n, d)
        float32 gives float32, integers give float64.

    Examples
    --------
    >>> normalize_rows(np.array([[0.0, 3.0, 4.0], [1.0, 6.0, 4.0]])).round(8).tolist()
    [[0.0, 0.6, 0.8], [0.13736056, 0.82416338, 0.54944226]]
    """
    array = _as_columns(x)
    values = array.astype(_float_type(array))
    # The largest entry first, so that no square overflows or vanishes.
    largest = np.abs(values).max(axis=1, keepdims=True, initial=0)
    values = values / np.where(largest > 0, largest, 1)
    length = np.sqrt(np.square(values).sum(axis=1, keepdims=True))
    result: NDArray[Any] = values / np.where(length > 0, length, 1)
    return result


def image_to_vector(image: NDArray[Values]) -> NDArray[Values]:
    """One image (h, w, c) -> (h*w*c, 1); a batch (n, h, w, c) -> (n, h*w*c).

    The order is C order: the last axis, the channel, runs fastest.

    Examples
    --------
    >>> image_to_vector(np.arange(12).reshape(2, 2, 3)).shape
    (12, 1)
    >>> image_to_vector(np.zeros((5, 2, 2, 3))).shape
    (5, 12)
    """
    array = np.asarray(image)
    if array.ndim == 3:
        return array.reshape(-1, 1)
    if array.ndim == 4:
        return array.reshape(len(array), int(np.prod(array.shape[1:])))
    raise ShapeError(
        "image_to_vector: an image of shape (h, w, c) or a batch of shape "
        f"(n, h, w, c) was wanted, got {array.shape}"
    )


def fit_scaling(x: ArrayLike, kind: str) -> Scaling:
    """The scaling by name: "standard", "minmax" or "none"."""
    try:
        fit = {
            "standard": Scaling.standard,
            "minmax": Scaling.minmax,
            "none": Scaling.none,
        }[kind]
    except KeyError:
        raise ArgumentError(
            f"scale must be 'standard', 'minmax' or 'none', got {kind!r}"
        ) from None
    return fit(x)
