"""In what order a tensor's numbers lie in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dotori.autograd import apply
from dotori.backend import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    memory_format,
    preserve_format,
)
from dotori.errors import ShapeError
from dotori.functions.shape import permute
from dotori.ops.layout import lies_channels_last
from dotori.ops.shape import Cast

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__: list[str] = []  # methods


def contiguous(x: Tensor, memory_format: memory_format = contiguous_format) -> Tensor:
    """Itself if its memory lies so without gaps, else such a copy.

    Examples
    --------
    >>> from dotori import channels_last, zeros
    >>> x = zeros(8, 3, 32, 32).contiguous(memory_format=channels_last)
    >>> x.shape, x.stride(), x.is_contiguous()
    ((8, 3, 32, 32), (3072, 1, 96, 3), False)
    """
    if memory_format in (channels_last, channels_last_3d):
        last = (0, *range(2, x.ndim), 1)
        if x.ndim != (4 if memory_format == channels_last else 5):
            raise ShapeError(
                f"contiguous: {memory_format} is for pictures (N, C, H, W), with _3d "
                f"for volumes (N, C, D, H, W), got the shape {x.shape}"
            )
        if lies_channels_last(x.array):
            return x
        first = (0, x.ndim - 1, *range(1, x.ndim - 1))
        return permute(contiguous(permute(x, last)), first)
    if x.array.flags.c_contiguous or memory_format == preserve_format:
        return x
    result: Tensor = apply(Cast, x, dtype=x.dtype, order="C")
    return result


def is_contiguous(x: Tensor, memory_format: memory_format = contiguous_format) -> bool:
    """Whether it lies in memory in this order, without gaps."""
    if memory_format in (channels_last, channels_last_3d):
        axes = 4 if memory_format == channels_last else 5
        return x.ndim == axes and lies_channels_last(x.array)
    return bool(x.array.flags.c_contiguous)
