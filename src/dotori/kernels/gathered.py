"""Convolution as products of matrices, over blocks of gathered places.

What a block of output places sees is copied side by side into the cache and multiplied
by the weights in one product (as im2col does it, but never for a whole picture). It
serves any number of axes, strides, dilations and groups. Pictures are (N, *spatial, C).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dotori.kernels._threads import in_parallel, one_blas_thread
from dotori.kernels.window import Window, blocks, padded, shifts, unpadded, windows

#: The fewest multiplications that are worth another thread.
WORTH_A_THREAD = 1 << 21
#: In so many parts, whatever the number of threads, a gradient of weights is summed.
PARTS = 4


def correlate(xp: Any, x: Any, w: Any, bias: Any, window: Window, groups: int) -> Any:
    """y[n, i, k] = sum over (r, c) of x[n, i * stride + r * dilation, c] w[k, c, r].

    Parameters
    ----------
    x : array, shape (N, *spatial, C)
    w : array, shape (K, C / groups, *kernel)
    bias : array, shape (K,), or None

    Returns
    -------
    array, shape (N, *out, K)
    """
    cells = windows(xp, padded(xp, x, window), window)
    matrices = _matrices(xp, w, groups)
    n_axes, n_out = len(window.kernel), w.shape[0]
    out = cells.shape[1 : 1 + n_axes]
    y = xp.empty((x.shape[0], *out, n_out), x.dtype)
    work = _blocks(cells, n_axes)

    def run(start: int, stop: int) -> None:
        for pictures, rows in work[start:stop]:
            target = y[pictures, rows].reshape(-1, n_out)
            for g, (seen, weights) in enumerate(
                zip(_by_group(cells[pictures, rows], groups), matrices, strict=True)
            ):
                part = slice(g * weights.shape[1], (g + 1) * weights.shape[1])
                xp.matmul(_columns(seen, n_axes), weights, out=target[:, part])
            if bias is not None:
                target += bias

    _spread_over_threads(xp, len(work), y.size * matrices.shape[1], run)
    return y


def weight_gradient(xp: Any, x: Any, dy: Any, window: Window, groups: int) -> Any:
    """dw[k, c, r] = sum over (n, i) of x[n, i * stride + r * dilation, c] dy[n, i, k].

    Returns
    -------
    array, shape (K, C / groups, *kernel)
    """
    cells = windows(xp, padded(xp, x, window), window)
    n_axes, n_out = len(window.kernel), dy.shape[-1]
    depth = math.prod(window.kernel) * (x.shape[-1] // groups)
    work = _blocks(cells, n_axes)
    bounds = [len(work) * i // PARTS for i in range(PARTS + 1)]
    sums = xp.zeros((PARTS, groups, depth, n_out // groups), x.dtype)

    def run(start: int, stop: int) -> None:
        for part in range(start, stop):
            for pictures, rows in work[bounds[part] : bounds[part + 1]]:
                given = dy[pictures, rows].reshape(-1, n_out)
                seen = _by_group(cells[pictures, rows], groups)
                for g, cell in enumerate(seen):
                    mine = slice(g * n_out // groups, (g + 1) * n_out // groups)
                    columns = _columns(cell, n_axes)
                    sums[part, g] += xp.matmul(columns.T, given[:, mine])

    _spread_over_threads(xp, PARTS, dy.size * depth, run)
    return _as_weights(xp, sums.sum(axis=0), window, n_out)


def spread(
    xp: Any, dy: Any, w: Any, window: Window, groups: int, size: tuple[int, ...]
) -> Any:
    """What `correlate` gathered, put back: the gradient for its input.

    dx[n, i * stride + r * dilation, c] += dy[n, i, k] w[k, c, r]

    Returns
    -------
    array, shape (N, *size, C)
    """
    matrices = _matrices(xp, w, groups)
    n_out, n_each = w.shape[0], w.shape[1]
    out, kernel = dy.shape[1:-1], window.kernel
    around = window.around(size)
    dx = xp.zeros((dy.shape[0], *around, n_each * groups), dy.dtype)
    cost = math.prod(out[1:]) * matrices.shape[1] * groups * dy.dtype.itemsize
    work = blocks(dy.shape[0], out[0], cost)

    def run(start: int, stop: int) -> None:
        for pictures, every in work[start:stop]:
            for rows in every:
                given = dy[pictures, rows]
                first = rows.start * window.stride[0]
                target = dx[pictures, first:]
                flat = given.reshape(-1, n_out)
                for g, weights in enumerate(matrices):
                    mine = slice(g * weights.shape[1], (g + 1) * weights.shape[1])
                    cells = xp.matmul(flat[:, mine], weights.T)
                    cells = cells.reshape(*given.shape[:-1], *kernel, n_each)
                    channels = slice(g * n_each, (g + 1) * n_each)
                    _add(target[..., channels], cells, window, given.shape[1:-1])

    _spread_over_threads(xp, len(work), dy.size * matrices.shape[1], run)
    return unpadded(xp, dx, window, size)


def _add(dx: Any, cells: Any, window: Window, out: tuple[int, ...]) -> None:
    """Add `cells` (N, *out, *kernel, C) to the places that they were gathered from."""
    places = (slice(None),) * len(out)
    for index, shift in shifts(window, out):
        dx[(slice(None), *shift)] += cells[(slice(None), *places, *index)]


def _matrices(xp: Any, w: Any, groups: int) -> Any:
    """(K, C/groups, *kernel) as (groups, taps * C/groups, K/groups)."""
    by_group = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])
    last = xp.moveaxis(by_group, (1, 2), (-1, -2))  # (groups, *kernel, C, K)
    taps = math.prod(w.shape[1:])
    return xp.ascontiguousarray(last).reshape(groups, taps, w.shape[0] // groups)


def _as_weights(xp: Any, sums: Any, window: Window, n_out: int) -> Any:
    """The way back from `_matrices`."""
    groups, taps, each = sums.shape
    depth = taps // math.prod(window.kernel) if taps else 0
    last = sums.reshape(groups, *window.kernel, depth, each)
    by_group = xp.moveaxis(last, (-1, -2), (1, 2))
    return xp.ascontiguousarray(by_group).reshape(n_out, depth, *window.kernel)


def _by_group(cells: Any, groups: int) -> list[Any]:
    each = cells.shape[-1] // groups
    return [cells[..., g * each : (g + 1) * each] for g in range(groups)]


def _columns(cells: Any, n_axes: int) -> Any:
    """(N, *out, *kernel, C) as a matrix (places, taps); a copy unless it lies so.

    With few channels, the copy is made place after place for each tap, so that it runs
    along a row of the picture instead of over two or three numbers at a time.
    """
    places, taps = cells.shape[: 1 + n_axes], cells.shape[1 + n_axes :]
    n_places, n_taps = math.prod(places), math.prod(taps)
    if n_taps == cells.shape[-1] or taps[-1] * taps[-2] >= 16:
        return cells.reshape(n_places, n_taps)
    order = (*range(1 + n_axes, cells.ndim), *range(1 + n_axes))
    return cells.transpose(order).reshape(n_taps, n_places).T


def _blocks(cells: Any, n_axes: int) -> list[tuple[slice, slice]]:
    row = math.prod(cells.shape[2:]) * cells.dtype.itemsize
    return [
        (pictures, rows)
        for pictures, every in blocks(cells.shape[0], cells.shape[1], row)
        for rows in every
    ]


def _spread_over_threads(xp: Any, n: int, products: int, run: Any) -> None:
    """Run the blocks on the threads, where they are NumPy's and worth it."""
    if xp is not np or n < 2 or products < 2 * WORTH_A_THREAD:
        run(0, n)
        return
    with one_blas_thread:
        in_parallel(n, run)
