"""Max pooling backwards: values put back where they were found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dotori.autograd import apply, as_variable
from dotori.errors import ArgumentError, AxisError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.nn.functional.sizes import Sizes, each_axis, pictures
from dotori.ops.along import PutAlong

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["max_unpool1d", "max_unpool2d", "max_unpool3d"]


def _unpool(
    axes: int,
    x: TensorLike,
    indices: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    output_size: Sequence[int] | None,
) -> Tensor:
    place = f"max_unpool{axes}d"
    t, index = pictures(place, x, axes), as_variable(indices).array
    size = each_axis(place, "kernel_size", kernel_size, axes)
    steps = size if stride is None else each_axis(place, "stride", stride, axes, 1)
    pad = each_axis(place, "padding", padding, axes)
    out = _output(place, t.shape[-axes:], size, steps, pad, output_size)
    _check_index(place, t, index, math.prod(out))
    lead, n = t.shape[:-axes], math.prod(t.shape[-axes:])
    y: Any = apply(
        PutAlong,
        t.reshape(*lead, n),
        index=index.reshape(*lead, n).copy(),  # the caller may change his
        axis=len(lead),
        shape=(*lead, math.prod(out)),
        once=True,
    )
    result: Tensor = y.reshape(*lead, *out)
    return result


def _output(
    place: str,
    shape: tuple[int, ...],
    size: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    asked: Sequence[int] | None,
) -> tuple[int, ...]:
    """The size that was pooled, which a pooling with steps leaves open a little."""
    axes = len(shape)
    rows = zip(shape, size, stride, padding, strict=True)
    usual = tuple((n - 1) * s + k - 2 * p for n, k, s, p in rows)
    out = usual
    if asked is not None:
        given = tuple(n.__index__() for n in asked)
        out = given[2:] if len(given) == axes + 2 else given
        if len(out) != axes:
            raise ArgumentError(
                f"{place}: output_size has {axes} or {axes + 2} numbers, got {asked}"
            )
        for m, n, s in zip(out, usual, stride, strict=True):
            if not n - s < m < n + s:
                raise ArgumentError(
                    f"{place}: output_size {asked} is not within one step {stride} of "
                    f"the usual {usual}"
                )
    if min(out) < 0:
        raise ShapeError(f"{place}: the output would have the size {out}")
    return out


def _check_index(place: str, t: Tensor, index: Any, n: int) -> None:
    if index.dtype != "int64":
        raise DTypeError(f"{place}: indices are int64, got {index.dtype}")
    if index.shape != t.shape:
        raise ShapeError(
            f"{place}: indices are of the shape of x, {t.shape}, got {index.shape}"
        )
    if index.size and (index.min() < 0 or index.max() >= n):
        raise AxisError(
            f"{place}: an index lies outside of the {n} places of the output: they go "
            f"from {index.min()} to {index.max()}; the pooling's size is not this one"
        )


def max_unpool1d(
    input: TensorLike,
    indices: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Zeros with the values of `max_pool1d` where they were: see `max_unpool2d`.

    Examples
    --------
    >>> max_unpool1d([[3.0, 5.0]], [[1, 2]], 2).tolist()
    [[0.0, 3.0, 5.0, 0.0]]
    """
    return _unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: TensorLike,
    indices: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Zeros with the values of `max_pool2d` where they were.

    Where windows overlapped, a place may be named several times; the last one counts.

    Parameters
    ----------
    input : Tensor, shape (N, C, height, width) or (C, height, width)
        What `max_pool2d` gave.
    indices : Tensor of int64, the shape of `input`
        Its indices.
    kernel_size, stride, padding
        As they were for it.
    output_size : sequence of int, optional
        The shape, or the height and width, of what was pooled, if it was not the
        smallest that these windows fit into.

    Raises
    ------
    ArgumentError
        If no such pooling leads from `output_size` to the shape of `input`.
    AxisError
        If an index lies outside.

    Examples
    --------
    >>> max_unpool2d([[[4.0]]], [[[2]]], 2).tolist()
    [[[0.0, 0.0], [4.0, 0.0]]]
    """
    return _unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: TensorLike,
    indices: TensorLike,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Zeros with the values of `max_pool3d` where they were: see `max_unpool2d`.

    Examples
    --------
    >>> max_unpool3d([[[[4.0]]]], [[[[1]]]], (1, 1, 2)).tolist()
    [[[[0.0, 4.0]]]]
    """
    return _unpool(3, input, indices, kernel_size, stride, padding, output_size)
