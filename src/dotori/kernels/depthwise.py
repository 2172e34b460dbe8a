"""Convolution where each channel has kernels of its own: sums of shifted pictures.

There is nothing to multiply as matrices. Each tap of the kernel takes one pass over a
block that stays in the cache. Pictures are (N, *spatial, C), weights (K, 1, *kernel)
with K a multiple of C.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dotori.kernels._threads import in_parallel
from dotori.kernels.window import Window, blocks, padded, shifts, unpadded

#: The fewest multiplications that are worth another thread.
WORTH_A_THREAD = 1 << 19


def correlate(xp: Any, x: Any, w: Any, bias: Any, window: Window) -> Any:
    """y[n, i, c, m] = sum over r of x[n, i * stride + r * dilation, c] w[c, m, r]."""
    out = window.positions(x.shape[1:-1])
    source = padded(xp, x, window)[..., None]
    weights = _weights(xp, w, x.shape[-1])
    y = xp.empty((x.shape[0], *out, *weights.shape[-2:]), x.dtype)

    def run(pictures: slice) -> None:
        target = y[pictures]
        target[...] = 0 if bias is None else bias.reshape(weights.shape[-2:])
        for index, shift in shifts(window, out):
            target += source[(pictures, *shift)] * weights[index]

    _by_pictures(xp, y, run)
    return y.reshape(*y.shape[:-2], w.shape[0])


def spread(
    xp: Any, dy: Any, w: Any, window: Window, channels: int, size: tuple[int, ...]
) -> Any:
    """dx[n, i * stride + r * dilation, c] += sum over m: dy[n, i, c, m] w[c, m, r]."""
    out = dy.shape[1:-1]
    weights = _weights(xp, w, channels)
    given = dy.reshape(*dy.shape[:-1], *weights.shape[-2:])
    dx = xp.zeros((dy.shape[0], *window.around(size), channels), dy.dtype)

    def run(pictures: slice) -> None:
        for index, shift in shifts(window, out):
            part = given[pictures] * weights[index]
            dx[(pictures, *shift)] += (
                part[..., 0] if part.shape[-1] == 1 else part.sum(-1)
            )

    _by_pictures(xp, given, run)
    return unpadded(xp, dx, window, size)


def weight_gradient(xp: Any, x: Any, dy: Any, window: Window) -> Any:
    """dw[c, m, r] = sum over (n, i): x[n, i * stride + r * dilation, c] dy[n, i, c, m].

    Each picture's sum is formed by itself, then those are added.
    """
    out, channels = dy.shape[1:-1], x.shape[-1]
    source = padded(xp, x, window)[..., None]
    given = dy.reshape(*dy.shape[:-1], channels, -1)
    sums = xp.empty((dy.shape[0], *window.kernel, *given.shape[-2:]), x.dtype)
    places = tuple(range(1, 1 + len(out)))

    def run(pictures: slice) -> None:
        for index, shift in shifts(window, out):
            products = source[(pictures, *shift)] * given[pictures]
            sums[(pictures, *index)] = products.sum(axis=places)

    _by_pictures(xp, given, run)
    total = xp.moveaxis(sums.sum(axis=0), (-2, -1), (0, 1))
    return xp.ascontiguousarray(total).reshape(dy.shape[-1], 1, *window.kernel)


def _weights(xp: Any, w: Any, channels: int) -> Any:
    """(K, 1, *kernel) as (*kernel, C, K / C)."""
    split = w.reshape(channels, w.shape[0] // channels, *w.shape[2:])
    return xp.ascontiguousarray(xp.moveaxis(split, (0, 1), (-2, -1)))


def _by_pictures(xp: Any, y: Any, run: Any) -> None:
    cost = math.prod(y.shape[2:]) * y.dtype.itemsize
    work = [pictures for pictures, _ in blocks(y.shape[0], y.shape[1], cost)]

    def several(start: int, stop: int) -> None:
        for pictures in work[start:stop]:
            run(pictures)

    if xp is np and len(work) > 1 and y.size > WORTH_A_THREAD:
        in_parallel(len(work), several)
    else:
        several(0, len(work))
