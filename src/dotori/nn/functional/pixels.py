"""Channels made into pixels and back; channels mixed across groups."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dotori.autograd import as_variable
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.ops.layout import lies_channels_last

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


def _checked(
    place: str, x: TensorLike, name: str, number: int, least_axes: int
) -> Tensor:
    t = as_variable(x)
    if t.ndim < least_axes:
        raise ShapeError(
            f"{place}: (..., channels, height, width) is wanted, got {t.shape}"
        )
    if number < 1:
        raise ArgumentError(f"{place}: {name} is at least 1, got {number}")
    return t


def _keeps_channels_last(t: Tensor) -> bool:
    """Whether the result should lie channels-last, as `t` does."""
    array = t.array
    return t.ndim == 4 and not array.flags.c_contiguous and lies_channels_last(array)


def pixel_shuffle(input: TensorLike, upscale_factor: int) -> Tensor:
    """Squares of r times r pixels from r^2 channels: (C r^2, H, W) -> (C, H r, W r).

    Shi and others, "Real-time single image and video super-resolution using an
    efficient sub-pixel convolutional neural network", 2016, equation 4.

    Parameters
    ----------
    input : Tensor, shape (..., C r^2, H, W)
    upscale_factor : int
        r.

    Raises
    ------
    ShapeError
        If r^2 does not divide the number of channels.

    Examples
    --------
    >>> pixel_shuffle([[[1.0]], [[2.0]], [[3.0]], [[4.0]]], 2).tolist()
    [[[1.0, 2.0], [3.0, 4.0]]]
    """
    r = upscale_factor
    t = _checked("pixel_shuffle", input, "upscale_factor", r, 3)
    *lead, c, h, w = t.shape
    if c % (r * r):
        raise ShapeError(
            f"pixel_shuffle: the channels are a multiple of {r}^2, got {c} in x of "
            f"shape {t.shape}"
        )
    n, c = math.prod(lead), c // (r * r)
    parts = t.reshape(n, c, r, r, h, w)
    if _keeps_channels_last(t):
        y = parts.permute(0, 4, 2, 5, 3, 1).reshape(n, h * r, w * r, c)
        return y.permute(0, 3, 1, 2)
    y = parts.permute(0, 1, 4, 2, 5, 3)
    return y.reshape(*lead, c, h * r, w * r)


def pixel_unshuffle(input: TensorLike, downscale_factor: int) -> Tensor:
    """Channels from the pixels of squares: (C, H r, W r) -> (C r^2, H, W).

    The inverse of `pixel_shuffle`.

    Parameters
    ----------
    input : Tensor, shape (..., C, H r, W r)
    downscale_factor : int
        r.

    Raises
    ------
    ShapeError
        If r does not divide the height and the width.

    Examples
    --------
    >>> pixel_unshuffle([[[1.0, 2.0], [3.0, 4.0]]], 2).tolist()
    [[[1.0]], [[2.0]], [[3.0]], [[4.0]]]
    """
    r = downscale_factor
    t = _checked("pixel_unshuffle", input, "downscale_factor", r, 3)
    *lead, c, h, w = t.shape
    if h % r or w % r:
        raise ShapeError(
            f"pixel_unshuffle: height and width are multiples of {r}, got x of shape "
            f"{t.shape}"
        )
    n, h, w = math.prod(lead), h // r, w // r
    parts = t.reshape(n, c, h, r, w, r)
    if _keeps_channels_last(t):
        y = parts.permute(0, 2, 4, 1, 3, 5).reshape(n, h, w, c * r * r)
        return y.permute(0, 3, 1, 2)
    y = parts.permute(0, 1, 3, 5, 2, 4)
    return y.reshape(*lead, c * r * r, h, w)


def channel_shuffle(input: TensorLike, groups: int) -> Tensor:
    """The channels of all groups in turn: first those, then the second ones, and so on.

    Zhang, Zhou, Lin and Sun, "ShuffleNet", 2018, section 3.1.

    Parameters
    ----------
    input : Tensor, shape (N, C, ...)
    groups : int

    Raises
    ------
    ShapeError
        If `groups` does not divide the number of channels.

    Examples
    --------
    >>> import dotori
    >>> x = dotori.arange(4).reshape(1, 4, 1)
    >>> channel_shuffle(x, 2).flatten().tolist()
    [0, 2, 1, 3]
    """
    t = _checked("channel_shuffle", input, "groups", groups, 3)
    n, c, *places = t.shape
    if c % groups:
        raise ShapeError(
            f"channel_shuffle: the channels are a multiple of {groups} groups, got x "
            f"of shape {t.shape}"
        )
    parts = t.reshape(n, groups, c // groups, *places)
    if _keeps_channels_last(t):
        y = parts.permute(0, 3, 4, 2, 1).reshape(n, *places, c)
        return y.permute(0, 3, 1, 2)
    return parts.swapaxes(1, 2).reshape(t.shape)
