"""Pooling to a given size: the windows are chosen so that they cover the input evenly.

Window i of m over an axis of length n goes from floor(i n / m) to ceil((i + 1) n / m):
windows overlap where m does not divide n, and differ in length by at most one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from dotori.autograd import apply, wrap
from dotori.backend import namespace
from dotori.dtypes import float16, float32
from dotori.errors import ArgumentError
from dotori.functions._numpy import TensorLike
from dotori.functions.shape import cast
from dotori.nn.functional.pooling import max_pool, taken
from dotori.nn.functional.sizes import each_axis, pictures
from dotori.ops.segments import Bounds, SegmentSum, largest_along, order_of

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
]

#: Larger windows are searched axis by axis, not tap by tap.
MANY_TAPS = 64

#: One length for all axes, or one for each; None leaves an axis as long as it is.
OutputSize: TypeAlias = int | Sequence[int | None] | None


def _output(
    place: str, t: Tensor, axes: int, output_size: OutputSize
) -> tuple[int, ...]:
    shape = t.shape[-axes:]
    if output_size is None:
        return shape
    given: Any = output_size
    if not hasattr(given, "__index__") and len(given) == axes:
        given = [n if m is None else m for m, n in zip(given, shape, strict=True)]
    elif not hasattr(given, "__index__") and axes > 1:
        raise ArgumentError(
            f"{place}: output_size is one int, or {axes}, got {output_size}"
        )
    return each_axis(place, "output_size", given, axes, 0)


def _bounds(n: int, m: int) -> Bounds:
    return tuple((i * n // m, -(-(i + 1) * n // m)) for i in range(m))


def _adaptive_avg(axes: int, x: TensorLike, output_size: OutputSize) -> Tensor:
    place = f"adaptive_avg_pool{axes}d"
    t = pictures(place, x, axes)
    out = _output(place, t, axes, output_size)
    if t.dtype == float16:  # sums of halves would lose their last digits
        return cast(_means(cast(t, float32), axes, out), float16)
    return _means(t, axes, out)


def _means(t: Tensor, axes: int, out: tuple[int, ...]) -> Tensor:
    if set(out) == {1}:
        return t.mean(dim=tuple(range(-axes, 0)), keepdim=True)
    y, order = t, order_of(t.array)
    for axis, m in zip(range(t.ndim - axes, t.ndim), out, strict=True):
        n = t.shape[axis]
        if m == n:
            continue
        bounds = _bounds(n, m)
        y = apply(SegmentSum, y, bounds=bounds, axis=axis, length=n, order=order)
        lengths = np.array([end - begin for begin, end in bounds], t.dtype)
        y = y / lengths.reshape((m,) + (1,) * (t.ndim - axis - 1))
    return y.clone() if y is t else y


def adaptive_avg_pool1d(input: TensorLike, output_size: OutputSize) -> Tensor:
    """Means of `output_size` windows along the last axis: see `adaptive_avg_pool2d`.

    Examples
    --------
    >>> adaptive_avg_pool1d([[[1.0, 3.0, 5.0, 7.0, 8.0]]], 2).tolist()
    [[[3.0, 6.666666507720947]]]
    """
    return _adaptive_avg(1, input, output_size)


def adaptive_avg_pool2d(input: TensorLike, output_size: OutputSize) -> Tensor:
    """Means of windows over the last two axes, as many as are asked for.

    Parameters
    ----------
    input : Tensor, shape (N, C, height, width) or (C, height, width)
    output_size : int, pair or None
        The height and width of the result; None leaves them as they are. With 1 it is
        the mean of each picture.

    Raises
    ------
    ShapeError
        If the input has another number of axes, or nothing to take means of.

    Examples
    --------
    >>> adaptive_avg_pool2d([[[1.0, 2.0], [4.0, 3.0]]], 1).tolist()
    [[[2.5]]]
    >>> adaptive_avg_pool2d([[[1.0, 2.0], [4.0, 3.0]]], (None, 1)).tolist()
    [[[1.5], [3.5]]]
    """
    return _adaptive_avg(2, input, output_size)


def adaptive_avg_pool3d(input: TensorLike, output_size: OutputSize) -> Tensor:
    """Means of windows over the last three axes: see `adaptive_avg_pool2d`.

    Examples
    --------
    >>> import dotori
    >>> adaptive_avg_pool3d(dotori.arange(8.0).reshape(1, 2, 2, 2), 1).tolist()
    [[[[3.5]]]]
    """
    return _adaptive_avg(3, input, output_size)


def _adaptive_max(
    axes: int, x: TensorLike, output_size: OutputSize, return_indices: bool
) -> Any:
    place = f"adaptive_max_pool{axes}d"
    t = pictures(place, x, axes)
    shape, out = t.shape[-axes:], _output(place, t, axes, output_size)
    size = tuple(n // max(m, 1) for n, m in zip(shape, out, strict=True))
    even = tuple(k * m for k, m in zip(size, out, strict=True)) == shape
    if even and math.prod(size) <= MANY_TAPS:
        return max_pool(axes, t, size, size, 0, 1, False, return_indices)
    every = [_bounds(n, m) for n, m in zip(shape, out, strict=True)]
    index = _largest(t.array, axes, every)
    y = taken(t, index, axes, once=False)
    return (y, wrap(index)) if return_indices else y


def _largest(x: Any, axes: int, bounds: list[Bounds]) -> Any:
    """Where in its block the largest number of each window is, in C order.

    Axis by axis from the last one: the largest of the rows' largest numbers. So the
    first of equals is found, and the last of NaN.
    """
    xp: Any = namespace(x)
    index: Any = 0
    inner = 1  # the places of one element of the axis
    for axis in range(x.ndim - 1, x.ndim - axes - 1, -1):
        n = x.shape[axis]
        here = largest_along(xp, x, bounds[axis - x.ndim], axis)
        x = xp.take_along_axis(x, here, axis)
        before = xp.take_along_axis(index, here, axis) if inner > 1 else 0
        index, inner = here * inner + before, inner * n
    return index


def adaptive_max_pool1d(
    input: TensorLike, output_size: OutputSize, return_indices: bool = False
) -> Any:
    """Largest numbers of windows along the last axis: see `adaptive_max_pool2d`.

    Examples
    --------
    >>> adaptive_max_pool1d([[[1.0, 3.0, 2.0, 7.0, 5.0]]], 2).tolist()
    [[[3.0, 7.0]]]
    """
    return _adaptive_max(1, input, output_size, return_indices)


def adaptive_max_pool2d(
    input: TensorLike, output_size: OutputSize, return_indices: bool = False
) -> Any:
    """Largest numbers of windows over the last two axes, as many as are asked for.

    Parameters
    ----------
    input : Tensor, shape (N, C, height, width) or (C, height, width)
    output_size : int, pair or None
        The height and width of the result; None leaves them as they are.
    return_indices : bool
        Give a pair: the values, and where they are from, counted through each picture
        in C order.

    Examples
    --------
    >>> adaptive_max_pool2d([[[1.0, 2.0], [4.0, 3.0]]], (1, 2)).tolist()
    [[[4.0, 3.0]]]
    """
    return _adaptive_max(2, input, output_size, return_indices)


def adaptive_max_pool3d(
    input: TensorLike, output_size: OutputSize, return_indices: bool = False
) -> Any:
    """Largest numbers of windows over the last three axes: see `adaptive_max_pool2d`.

    Examples
    --------
    >>> import dotori
    >>> adaptive_max_pool3d(dotori.arange(8.0).reshape(1, 2, 2, 2), 1).tolist()
    [[[[7.0]]]]
    """
    return _adaptive_max(3, input, output_size, return_indices)


def adaptive_max_pool1d_with_indices(
    input: TensorLike, output_size: OutputSize, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool1d` with `return_indices`.

    Examples
    --------
    >>> adaptive_max_pool1d_with_indices([[1.0, 3.0, 2.0]], 1)[1].tolist()
    [[1]]
    """
    found: tuple[Tensor, Tensor] = _adaptive_max(1, input, output_size, True)
    return found


def adaptive_max_pool2d_with_indices(
    input: TensorLike, output_size: OutputSize, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool2d` with `return_indices`.

    Examples
    --------
    >>> adaptive_max_pool2d_with_indices([[[1.0, 2.0], [4.0, 3.0]]], 1)[1].tolist()
    [[[2]]]
    """
    found: tuple[Tensor, Tensor] = _adaptive_max(2, input, output_size, True)
    return found


def adaptive_max_pool3d_with_indices(
    input: TensorLike, output_size: OutputSize, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool3d` with `return_indices`.

    Examples
    --------
    >>> import dotori
    >>> x = dotori.arange(8.0).reshape(1, 2, 2, 2)
    >>> adaptive_max_pool3d_with_indices(x, 1)[1].tolist()
    [[[[7]]]]
    """
    found: tuple[Tensor, Tensor] = _adaptive_max(3, input, output_size, True)
    return found
