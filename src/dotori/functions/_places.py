"""Indices of PyTorch's functions, checked and brought to NumPy's form."""

from __future__ import annotations

from typing import Any

import numpy as np

from dotori.backend import is_captured
from dotori.errors import AxisError, DTypeError, ShapeError


def integers(place: str, index: Any) -> Any:
    """A copy of `index`, whole numbers: the caller may change his before `backward`.

    Raises
    ------
    DTypeError
        If it holds anything else.
    """
    array = _own_copy(index)
    if not array.size and array.dtype.kind == "f" and not hasattr(index, "dtype"):
        return array.astype(np.intp)  # an empty list
    if array.dtype.kind not in "iu":
        raise DTypeError(
            f"{place}: an index holds integers, got {array.dtype}; "
            "for a mask use masked_select, or x[mask]"
        )
    return array.astype(np.intp)


def _own_copy(value: Any) -> Any:
    array = getattr(value, "array", value)
    return array if is_captured(array) else np.array(array)


def booleans(place: str, mask: Any) -> Any:
    """A copy of `mask`.

    Raises
    ------
    DTypeError
        If it does not hold booleans.
    """
    array = _own_copy(mask)
    if array.dtype.kind != "b":
        raise DTypeError(f"{place}: a mask holds booleans, got {array.dtype}")
    return array


def number_as(place: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """A number as an array of another type, cut to a whole one for integers.

    Raises
    ------
    DTypeError
        If integers cannot hold it: infinity, NaN, or what is out of their range. As in
        PyTorch, negative numbers of that size count from the end of unsigned types.
    """
    given = np.asarray(value)
    if dtype.kind in "iu" and given.dtype.kind in "iuf":
        limits = np.iinfo(dtype)
        if not min(limits.min, -limits.max) - 1 < given < limits.max + 1:
            raise DTypeError(f"{place}: {value!r} cannot be kept as {dtype}")
    if given.dtype.kind == "c" and dtype.kind != "c":
        raise DTypeError(f"{place}: {value!r} cannot be kept as {dtype}")
    if dtype.kind == "u" and given.dtype.kind == "f":
        given = given.astype(np.int64)
    return given.astype(dtype)


def check_range(
    place: str, index: Any, n: int, shape: tuple[int, ...], negative: bool = False
) -> None:
    """Raise `AxisError` unless all of `index` lie in 0, ..., n - 1.

    With `negative`, they may count from the end.
    """
    if not index.size:
        return
    lowest = -n if negative else 0
    if is_captured(index):  # looked at in each run, before weights change
        message = f"{place}: an index lies outside of the shape {shape}"
        good = ((index >= lowest) & (index < n)).all()
        index.trace.require(good, lambda: AxisError(message))
        return
    low, high = int(index.min()), int(index.max())
    if low < lowest or high >= n:
        wrong = high if high >= n else low
        raise AxisError(
            f"{place}: index {wrong} lies outside of the shape {shape}; it must be "
            f"from {lowest} to {n - 1}"
        )


def along(index: Any, axis: int) -> tuple[Any, ...]:
    """The index of NumPy that takes ``x[..., index[i, j, k], ...]`` at `axis`."""
    places: list[Any] = []
    for d, n in enumerate(index.shape):
        others = (1,) * (index.ndim - d - 1)
        places.append(index if d == axis else np.arange(n).reshape((n, *others)))
    return tuple(places)


def at_axis(index: Any, axis: int) -> tuple[Any, ...]:
    """The index of NumPy that takes the parts `index` along one axis."""
    return (*(slice(None),) * axis, index)


def check_along(
    place: str, shape: tuple[int, ...], index: Any, axis: int, wanted: Any = None
) -> None:
    """Raise unless `index` fits a tensor of `shape` beside `axis`, and `wanted` in all.

    `wanted` is the shape of what is scattered.
    """
    beside = [d for d in range(index.ndim) if d != axis]
    if not index.size:
        return
    same = index.ndim == len(shape)
    if not same or any(index.shape[d] > shape[d] for d in beside):
        raise ShapeError(
            f"{place}: an index of shape {index.shape} does not fit a tensor of shape "
            f"{shape}; beside axis {axis} it must not be longer, with as many axes"
        )
    if wanted is not None and (
        len(wanted) != index.ndim
        or any(a > b for a, b in zip(index.shape, wanted, strict=True))
    ):
        raise ShapeError(
            f"{place}: an index of shape {index.shape} asks for more than the source "
            f"of shape {wanted} has"
        )
