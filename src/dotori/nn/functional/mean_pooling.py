"""Pooling: the mean of each window, or a power mean. `pooling` has the largest."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply
from dotori.dtypes import float16, float32
from dotori.errors import ArgumentError
from dotori.functions._numpy import TensorLike
from dotori.functions.elementwise import div
from dotori.functions.shape import cast
from dotori.kernels.tiling import Tiling
from dotori.nn.functional.activation import relu
from dotori.nn.functional.pooling import max_pool
from dotori.nn.functional.sizes import Sizes, pictures, tiled
from dotori.ops.pooling import WindowSum, has_channels_last

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
]


def _avg_pool(
    place: str,
    axes: int,
    x: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    t = pictures(place, x, axes, "fiu")
    tiling = tiled(place, t, axes, kernel_size, stride, padding, ceil_mode=ceil_mode)
    if divisor_override == 0:
        raise ArgumentError(f"{place}: divisor_override is not 0")
    count = divisor_override or _counts(tiling, axes, count_include_pad)
    if t.dtype == float16:  # sums of halves would lose their last digits
        return cast(_mean(cast(t, float32), tiling, axes, count), float16)
    return _mean(t, tiling, axes, count)


def _mean(t: Tensor, tiling: Tiling, axes: int, count: Any) -> Tensor:
    last = has_channels_last(t.array, axes)
    total: Tensor = apply(WindowSum, t, tiling=tiling, axes=axes, last=last)
    if t.dtype.kind != "f":
        return div(total, count, rounding_mode="trunc")
    return total / (count if isinstance(count, int) else count.astype(t.dtype))


@lru_cache(maxsize=64)
def _counts(tiling: Tiling, axes: int, with_padding: bool) -> Any:
    """The number that each window's sum is divided by: one for all, or an array.

    Windows beyond the end are cut there; the padding counts if it is to.
    """
    counts: Any = np.ones((), np.int64)
    for a in range(3 - axes, 3):
        begin = tiling.starts(a)
        n, p = tiling.shape[a], tiling.padding[a] if with_padding else 0
        end = np.minimum(begin + tiling.size[a], n + p)
        counts = counts[..., None] * (end - np.maximum(begin, -p))
    return int(counts.flat[0]) if (counts == counts.flat[0]).all() else counts


def avg_pool1d(
    input: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window along the last axis: see `avg_pool2d`.

    Examples
    --------
    >>> avg_pool1d([[[1.0, 3.0, 2.0, 0.0, 5.0]]], 2).tolist()
    [[[2.0, 1.0]]]
    """
    return _avg_pool(
        "avg_pool1d",
        1,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        None,
    )


def avg_pool2d(
    input: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window over the last two axes.

    Parameters
    ----------
    input : Tensor, shape (N, C, height, width) or (C, height, width)
        Means of integers are cut to integers.
    kernel_size, stride, padding, ceil_mode
        As for `max_pool2d`; the padding is 0.
    count_include_pad : bool
        Whether the padding counts among the elements of a window.
    divisor_override : int, optional
        What to divide sums by, instead of the number of elements.

    Examples
    --------
    >>> avg_pool2d([[[1.0, 2.0], [4.0, 3.0]]], 2).tolist()
    [[[2.5]]]
    >>> avg_pool2d([[[4.0]]], 2, padding=1, count_include_pad=False).tolist()
    [[[4.0]]]
    """
    return _avg_pool(
        "avg_pool2d",
        2,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


def avg_pool3d(
    input: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window over the last three axes: see `avg_pool2d`.

    Examples
    --------
    >>> import dotori
    >>> avg_pool3d(dotori.arange(8.0).reshape(1, 2, 2, 2), 2).tolist()
    [[[[3.5]]]]
    """
    return _avg_pool(
        "avg_pool3d",
        3,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


def _lp_pool(
    axes: int,
    x: TensorLike,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None,
    ceil_mode: bool,
) -> Tensor:
    place = f"lp_pool{axes}d"
    t = pictures(place, x, axes)
    if abs(norm_type) == math.inf:
        sign = 1 if norm_type > 0 else -1
        x = t.abs() * sign
        largest: Tensor = max_pool(axes, x, kernel_size, stride, 0, 1, ceil_mode, False)
        return largest * sign
    mean = _avg_pool(
        place, axes, t**norm_type, kernel_size, stride, 0, ceil_mode, True, None
    )
    tiling = tiled(place, t, axes, kernel_size, stride, 0, ceil_mode=ceil_mode)
    total = mean.sign() * relu(mean.abs()) * math.prod(tiling.size)
    return total ** (1 / norm_type)


def lp_pool1d(
    input: TensorLike,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """(sum of x^p)^(1/p) of each window along the last axis: see `lp_pool2d`.

    Examples
    --------
    >>> lp_pool1d([[3.0, 4.0, 6.0, 8.0]], 2, 2).tolist()
    [[5.0, 10.0]]
    """
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: TensorLike,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """(sum of x^p)^(1/p) of each window over the last two axes.

    Powers are of x itself, as in PyTorch, so that an odd p can give NaN. A window that
    is cut at the end is taken for a whole one of the same mean.

    Parameters
    ----------
    input : Tensor, shape (N, C, height, width) or (C, height, width)
    norm_type : float
        p: 1 gives sums, infinity the largest absolute value.
    kernel_size, stride, ceil_mode
        As for `max_pool2d`.

    Examples
    --------
    >>> lp_pool2d([[[3.0, 4.0]]], 2, (1, 2)).tolist()
    [[[5.0]]]
    """
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: TensorLike,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """(sum of x^p)^(1/p) of each window over the last three axes: see `lp_pool2d`.

    Examples
    --------
    >>> lp_pool3d([[[[3.0, 4.0]]]], 2, (1, 1, 2)).tolist()
    [[[[5.0]]]]
    """
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)
