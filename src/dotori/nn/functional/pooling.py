"""Pooling: the largest number of each window. `mean_pooling` has the means.

Inputs have the shape (N, C, length), (N, C, height, width) or (N, C, depth, height,
width), or the same without the batch; outputs lie in memory as they do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from dotori.autograd import apply, is_grad_enabled, wrap
from dotori.backend import namespace
from dotori.functions._numpy import TensorLike
from dotori.nn.functional.sizes import Sizes, pictures, tiled
from dotori.ops.along import TakeAlong
from dotori.ops.pooling import MaxOnly, MaxPool, has_channels_last, winning_index

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
]


def max_pool(
    axes: int,
    x: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    """`max_pool2d` over one, two or three axes."""
    place = f"max_pool{axes}d"
    t = pictures(place, x, axes, "fiu")
    tiling = tiled(place, t, axes, kernel_size, stride, padding, dilation, ceil_mode)
    if return_indices:
        index = winning_index(t.array, tiling, axes)
        return taken(t, index, axes, tiling.disjoint()), wrap(index)
    due = t.requires_grad and is_grad_enabled()
    return apply(MaxPool if due else MaxOnly, t, tiling=tiling, axes=axes)


def taken(t: Tensor, index: Any, axes: int, once: bool) -> Tensor:
    """The elements of `t` at `index`, which counts through its last axes in C order.

    `once` says that no element is taken twice.
    """
    xp: Any = namespace(t.array)
    out = index.shape[-axes:]
    if has_channels_last(t.array, axes):  # (N, *axes, C), whose axes are one in memory
        here, axis = t.movedim(-axes - 1, -1), t.ndim - axes - 1
        index = xp.moveaxis(index, -axes - 1, -1)
    else:
        here, axis = t, t.ndim - axes
    shape = here.shape
    lead, rest = shape[:axis], shape[axis + axes :]
    flat = here.reshape(*lead, math.prod(shape[axis : axis + axes]), *rest)
    # a copy: the caller may change his before `backward`
    row = xp.array(index.reshape(*lead, math.prod(out), *rest), order="C")
    y: Tensor = apply(
        TakeAlong, flat, index=row, axis=axis, shape=flat.shape, once=once
    )
    y = y.reshape(*lead, *out, *rest)
    return y if here is t else y.movedim(-1, -axes - 1)


def max_pool1d(
    input: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number of each window along the last axis: see `max_pool2d`.

    Examples
    --------
    >>> max_pool1d([[[1.0, 3.0, 2.0, 0.0, 5.0]]], 2).tolist()
    [[[3.0, 2.0]]]
    """
    return max_pool(
        1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool2d(
    input: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number of each window over the last two axes.

    NaN is larger than all. The gradient goes to the first of equal numbers.

    Parameters
    ----------
    input : Tensor, shape (N, C, height, width) or (C, height, width)
    kernel_size : int or pair
        The size of a window.
    stride : int or pair, optional
        From one window to the next; by default, windows touch.
    padding : int or pair
        How far before and behind the picture windows reach, at most half of one. What
        lies there takes no part.
    dilation : int or pair
        From one element of a window to the next.
    ceil_mode : bool
        Whether a last window may reach beyond the end, if it begins before it.
    return_indices : bool
        Give a pair: the values, and where they are from, counted through each picture
        in C order.

    Raises
    ------
    ShapeError
        If the input has another number of axes, or no window fits.
    ArgumentError
        If the windows have no size, no step, or too much padding.

    Examples
    --------
    >>> max_pool2d([[[1.0, 2.0], [4.0, 3.0]]], 2).tolist()
    [[[4.0]]]
    >>> y, index = max_pool2d([[[1.0, 2.0], [4.0, 3.0]]], 2, return_indices=True)
    >>> index.tolist()
    [[[2]]]
    """
    return max_pool(
        2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool3d(
    input: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number of each window over the last three axes: see `max_pool2d`.

    Examples
    --------
    >>> import dotori
    >>> max_pool3d(dotori.arange(8.0).reshape(1, 2, 2, 2), 2).tolist()
    [[[[7.0]]]]
    """
    return max_pool(
        3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool1d_with_indices(
    input: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool1d` with `return_indices`.

    Examples
    --------
    >>> max_pool1d_with_indices([[1.0, 3.0, 2.0, 0.0]], 2)[1].tolist()
    [[1, 2]]
    """
    found: tuple[Tensor, Tensor] = max_pool(
        1, input, kernel_size, stride, padding, dilation, ceil_mode, True
    )
    return found


def max_pool2d_with_indices(
    input: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool2d` with `return_indices`.

    Examples
    --------
    >>> max_pool2d_with_indices([[[1.0, 2.0], [4.0, 3.0]]], (1, 2))[1].tolist()
    [[[1], [2]]]
    """
    found: tuple[Tensor, Tensor] = max_pool(
        2, input, kernel_size, stride, padding, dilation, ceil_mode, True
    )
    return found


def max_pool3d_with_indices(
    input: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool3d` with `return_indices`.

    Examples
    --------
    >>> import dotori
    >>> x = dotori.arange(8.0).reshape(1, 2, 2, 2)
    >>> max_pool3d_with_indices(x, (2, 2, 1))[1].tolist()
    [[[[6, 7]]]]
    """
    found: tuple[Tensor, Tensor] = max_pool(
        3, input, kernel_size, stride, padding, dilation, ceil_mode, True
    )
    return found
