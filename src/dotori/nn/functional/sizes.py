"""What functions over windows share: their arguments, checked and completed."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, TypeAlias

from dotori.autograd import as_variable
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.kernels.tiling import Tiling, tile

if TYPE_CHECKING:
    from dotori._tensor import Tensor

#: One number for all axes, or one for each.
Sizes: TypeAlias = int | Sequence[int]

_NAMES = {1: "length", 2: "height, width", 3: "depth, height, width"}


def each_axis(
    place: str, name: str, given: Sizes, axes: int, least: int | None = None
) -> tuple[int, ...]:
    """One number for each axis, from one for all or from a sequence."""
    try:
        numbers = tuple(map(index, given if isinstance(given, Sequence) else (given,)))
    except TypeError as error:
        raise DTypeError(f"{place}: {name} holds whole numbers, got {given}") from error
    numbers = numbers * axes if len(numbers) == 1 else numbers
    if len(numbers) != axes:
        raise ArgumentError(
            f"{place}: {name} is one int, or {axes} for the axes ({_NAMES[axes]}); "
            f"got {given}"
        )
    if least is not None and min(numbers) < least:
        raise ArgumentError(f"{place}: {name} is at least {least}, got {given}")
    return numbers


def as_tensor_of(place: str, x: TensorLike, axes: int, wanted: str = "") -> Tensor:
    """`x` as a tensor of shape (N, C, *axes) or (C, *axes); only N may be 0."""
    t = as_variable(x)
    if t.ndim not in (axes + 1, axes + 2) or 0 in t.shape[-axes - 1 :]:
        raise ShapeError(
            f"{place}: a tensor of shape "
            f"{wanted or f'(batch, channels, {_NAMES[axes]})'} is wanted, or one "
            f"without the batch, which alone may be empty; got {t.shape}"
        )
    return t


def pictures(place: str, x: TensorLike, axes: int, kinds: str = "f") -> Tensor:
    """`as_tensor_of` for a type that is taken.

    `kinds` are NumPy's: "f" for floats, "fiu" for integers as well.
    """
    t = as_tensor_of(place, x, axes)
    if t.dtype.kind not in kinds:
        raise DTypeError(
            f"{place}: {'numbers' if 'i' in kinds else 'floats'} are wanted, got "
            f"{t.dtype}; convert with .float()"
        )
    return t


def tiled(
    place: str,
    t: Tensor,
    axes: int,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> Tiling:
    """The windows of a pooling over the last axes of `t`."""
    size = each_axis(place, "kernel_size", kernel_size, axes, 1)
    # PyTorch takes an empty stride for none
    steps = kernel_size if stride is None or stride == () or stride == [] else stride
    step = each_axis(place, "stride", steps, axes, 1)
    pad = each_axis(place, "padding", padding, axes, 0)
    apart = each_axis(place, "dilation", dilation, axes, 1)
    if any(2 * p > k for k, p in zip(size, pad, strict=True)):
        raise ArgumentError(
            f"{place}: padding is at most half of kernel_size, so that windows have "
            f"something inside; got padding {padding} and kernel_size {kernel_size}"
        )
    tiling = tile(t.shape[-axes:], size, step, pad, apart, ceil_mode)
    if min(tiling.out) < 1:
        raise ShapeError(
            f"{place}: no window of kernel_size {kernel_size} (padding {padding}, "
            f"dilation {dilation}) fits into x of shape {t.shape}"
        )
    if any(pad) and max(apart) > 1 and tiling.has_empty():
        raise ArgumentError(
            f"{place}: a window of dilation {dilation} has no element inside of x of "
            f"shape {t.shape}; make padding {padding} less"
        )
    return tiling
