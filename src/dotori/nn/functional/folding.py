"""Pictures to columns of windows, and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dotori.autograd import apply
from dotori.errors import ShapeError
from dotori.functions._numpy import TensorLike
from dotori.kernels.tiling import Tiling, tile
from dotori.nn.functional.sizes import Sizes, as_tensor_of, each_axis
from dotori.ops.folding import Columns, FromColumns

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["fold", "unfold"]


def _tiling(
    place: str,
    shape: tuple[int, ...],
    kernel_size: Sizes,
    dilation: Sizes,
    padding: Sizes,
    stride: Sizes,
) -> Tiling:
    tiling = tile(
        shape,
        each_axis(place, "kernel_size", kernel_size, 2, 1),
        each_axis(place, "stride", stride, 2, 1),
        each_axis(place, "padding", padding, 2, 0),
        each_axis(place, "dilation", dilation, 2, 1),
    )
    if min(tiling.out) < 1:
        raise ShapeError(
            f"{place}: no window of kernel_size {kernel_size} (dilation {dilation}, "
            f"padding {padding}) fits into a picture of {shape}"
        )
    return tiling


def unfold(
    input: TensorLike,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Tensor:
    """Each window of a picture as a column ("im2col").

    `Tensor.unfold` is something else: windows along one axis, as a view.

    Parameters
    ----------
    input : Tensor, shape (N, C, height, width) or (C, height, width)
    kernel_size : int or pair
        The size of a window.
    dilation : int or pair
        From one element of a window to the next.
    padding : int or pair
        How many zeros stand around the picture.
    stride : int or pair
        From one window to the next.

    Returns
    -------
    Tensor, shape (N, C * elements of a window, windows)
        Both counted in C order.

    Raises
    ------
    ShapeError
        If the input has another number of axes, or no window fits.

    Examples
    --------
    >>> unfold([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]], 2).tolist()
    [[1.0, 2.0], [2.0, 3.0], [4.0, 5.0], [5.0, 6.0]]
    """
    t = as_tensor_of("unfold", input, 2)
    tiling = _tiling("unfold", t.shape[-2:], kernel_size, dilation, padding, stride)
    batch = t if t.ndim == 4 else t.unsqueeze(0)
    y: Tensor = apply(Columns, batch, tiling=tiling)
    return y if t.ndim == 4 else y.squeeze(0)


def fold(
    input: TensorLike,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Tensor:
    """Columns added back into the picture that `unfold` would take them from.

    Where windows overlap, their elements are added: fold(unfold(x)) is x times the
    number of windows at each place.

    Parameters
    ----------
    input : Tensor, shape (N, C * elements of a window, windows), or without N
    output_size : int or pair
        Height and width of the picture.
    kernel_size, dilation, padding, stride : int or pair
        As for `unfold`.

    Returns
    -------
    Tensor, shape (N, C, height, width)

    Raises
    ------
    ShapeError
        If `unfold` would not give columns of that shape.

    Examples
    --------
    >>> fold([[1.0, 2.0], [10.0, 20.0]], (1, 3), (1, 2)).tolist()
    [[[1.0, 12.0, 20.0]]]
    """
    t = as_tensor_of("fold", input, 1, "(batch, columns' elements, columns)")
    size = each_axis("fold", "output_size", output_size, 2, 1)
    tiling = _tiling("fold", size, kernel_size, dilation, padding, stride)
    elements, windows = math.prod(tiling.size), math.prod(tiling.out)
    if t.shape[-2] % elements or t.shape[-1] != windows:
        raise ShapeError(
            f"fold: windows of {elements} elements over {size} give {windows} columns "
            f"of a multiple of {elements}; x has shape {t.shape}"
        )
    batch = t if t.ndim == 3 else t.unsqueeze(0)
    y: Tensor = apply(FromColumns, batch, tiling=tiling)
    return y if t.ndim == 3 else y.squeeze(0)
