"""The largest number and the sum of each window: NumPy, and as loops.

Arrays are C-contiguous, of shape (batch, places, channels): the places of a block of
three axes one after another, its channels side by side. NumPy goes tap by tap, as those
of one number, of all windows, are a view of the block; the loops go window by window,
by the table `where` of the places of their taps. That both add in the same order is why
NumPy runs through the taps backwards where it adds to places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._pair import paired
from dotori.kernels.tiling import Three, Tiling, taps

Array = NDArray[Any]
Geometry = tuple[Three, Three, Three, Three, Three, Three]

#: Numbers in a piece of the batch that NumPy works on at once, so that it stays in the
#: cache from tap to tap.
PIECE = 262_144


def _pieces(x: Array, y: Array, tiling: Tiling) -> Iterator[tuple[slice, Array, Array]]:
    """Parts of the batch that stay in the cache, with their three axes."""
    step = max(1, PIECE // max(1, x[:1].size, y[:1].size))
    xs = x.reshape(len(x), *tiling.shape, x.shape[2])
    ys = y.reshape(len(y), *tiling.out, y.shape[2])
    for i in range(0, len(x), step):
        part = slice(i, i + step)
        yield part, xs[part], ys[part]


def _lowest(dtype: np.dtype[Any]) -> float:
    """What is below all numbers of a type."""
    return -np.inf if dtype.kind == "f" else int(np.iinfo(dtype).min)


def largest(x: Array, y: Array, tiling: Tiling) -> None:
    """y = the largest number of each window; NaN where there is one.

    Here x and y have their three axes: (batch, depth, height, width, channels).
    """
    step = max(1, PIECE // max(1, x[:1].size))
    for i in range(0, len(x), step):
        xs, ys = x[i : i + step], y[i : i + step]
        ys[...] = _lowest(y.dtype)
        for _, windows, at in taps(tiling):
            best = ys[:, *windows]
            np.maximum(best, xs[:, *at], out=best)


def max_pool_numpy(
    x: Array, y: Array, winners: Array, where: Array, tiling: Geometry
) -> None:
    """y = the largest number of each window, and winners = its tap.

    The first of equals wins; NaN is larger than all, and of several the last one wins,
    as in PyTorch. Every window has a tap inside.
    """
    geometry = Tiling(*tiling)
    for part, xs, ys in _pieces(x, y, geometry):
        won = winners[part].reshape(ys.shape)
        won[...] = 0
        if any(geometry.padding):  # the first tap inside, found from the last one on
            for number, windows, _ in taps(geometry)[::-1]:
                won[:, *windows] = number
        ys[...] = _lowest(y.dtype)
        for number, windows, at in taps(geometry):
            v, best, taken = xs[:, *at], ys[:, *windows], won[:, *windows]
            better = (v > best).astype(won.dtype)
            np.multiply(better, number, out=better)  # rising: the larger is the later
            np.maximum(taken, better, out=taken)
            np.maximum(best, v, out=best)
        if ys.dtype.kind == "f" and ys.size and np.isnan(ys.max()):
            for number, windows, at in taps(geometry):
                won[:, *windows][np.isnan(xs[:, *at])] = number


@paired(max_pool_numpy, passes=2)
def max_pool(
    x: Array, y: Array, winners: Array, where: Array, tiling: Geometry
) -> None:
    """Three taps after the first are compared at once, channels side by side.

    So the best so far stays in a register, where it would be written and read for each
    tap. A group that is not full repeats its last tap, which changes nothing.
    """
    n_taps = where.shape[1]
    at, tap = np.empty(n_taps + 3, np.int64), np.empty(n_taps + 3, winners.dtype)
    for b in range(x.shape[0]):
        for o in range(where.shape[0]):
            n = 0
            for k in range(n_taps):
                if where[o, k] >= 0:
                    at[n], tap[n] = where[o, k], k
                    n += 1
            for k in range(n, n + 3):
                at[k], tap[k] = at[n - 1], tap[n - 1]
            for j in range(1, max(n, 2), 3):
                i0, i1, i2, i3 = at[0], at[j], at[j + 1], at[j + 2]
                k0, k1, k2, k3 = tap[0], tap[j], tap[j + 1], tap[j + 2]
                begun = j > 1
                for c in range(x.shape[2]):
                    best, won = x[b, i0, c], k0
                    if begun:
                        best, won = y[b, o, c], winners[b, o, c]
                    v = x[b, i1, c]
                    better = (v > best) | (v != v)
                    best, won = v if better else best, k1 if better else won
                    v = x[b, i2, c]
                    better = (v > best) | (v != v)
                    best, won = v if better else best, k2 if better else won
                    v = x[b, i3, c]
                    better = (v > best) | (v != v)
                    best, won = v if better else best, k3 if better else won
                    y[b, o, c], winners[b, o, c] = best, won


def _masked(g: Array, hit: Array) -> Array:
    """g where hit, else 0.

    By the bits of the numbers: to choose element by element takes NumPy ten times as
    long, and a product with 0 would make NaN of infinities.
    """
    bits = g.view(f"i{g.itemsize}")
    mask = np.negative(hit.view(np.int8), dtype=bits.dtype)
    masked: Array = np.bitwise_and(bits, mask, out=mask).view(g.dtype)
    return masked


def put_winners_numpy(
    dy: Array, winners: Array, dx: Array, where: Array, tiling: Geometry
) -> None:
    """dx = what `max_pool` hands back: dy at the places that won, 0 elsewhere."""
    geometry = Tiling(*tiling)
    backwards = taps(geometry)[::-1]
    for part, xs, ys in _pieces(dx, dy, geometry):
        won = winners[part].reshape(ys.shape)
        xs[...] = 0
        for number, windows, at in backwards:
            hit = won[:, *windows] == number
            xs[:, *at] += _masked(ys[:, *windows], hit)


@paired(put_winners_numpy, passes=2)
def put_winners(
    dy: Array, winners: Array, dx: Array, where: Array, tiling: Geometry
) -> None:
    """Every tap takes all channels of its tiling, most of them as 0."""
    none = dy.dtype.type(0)
    for b in range(dy.shape[0]):
        for i in range(dx.shape[1]):
            for c in range(dx.shape[2]):
                dx[b, i, c] = none
        for o in range(where.shape[0]):
            for k in range(where.shape[1]):
                i = where[o, k]
                if i >= 0:
                    for c in range(dx.shape[2]):
                        g = dy[b, o, c] if winners[b, o, c] == k else none
                        dx[b, i, c] += g


def window_sum_numpy(x: Array, y: Array, where: Array, tiling: Geometry) -> None:
    """y = the sum of each window."""
    geometry = Tiling(*tiling)
    for _, xs, ys in _pieces(x, y, geometry):
        ys[...] = 0
        for _, windows, at in taps(geometry):
            ys[:, *windows] += xs[:, *at]


@paired(window_sum_numpy)
def window_sum(x: Array, y: Array, where: Array, tiling: Geometry) -> None:
    """The sum of a window stays in the cache."""
    for b in range(x.shape[0]):
        for o in range(where.shape[0]):
            for c in range(x.shape[2]):
                y[b, o, c] = 0
            for k in range(where.shape[1]):
                i = where[o, k]
                if i >= 0:
                    for c in range(x.shape[2]):
                        y[b, o, c] += x[b, i, c]


def spread_sum_numpy(dy: Array, dx: Array, where: Array, tiling: Geometry) -> None:
    """dx = what `window_sum` hands back: for each place, dy of all its windows."""
    geometry = Tiling(*tiling)
    backwards = taps(geometry)[::-1]
    for _, xs, ys in _pieces(dx, dy, geometry):
        xs[...] = 0
        for _, windows, at in backwards:
            xs[:, *at] += ys[:, *windows]


@paired(spread_sum_numpy)
def spread_sum(dy: Array, dx: Array, where: Array, tiling: Geometry) -> None:
    """The block of one element of the batch stays in the cache."""
    for b in range(dy.shape[0]):
        dx[b] = 0
        for o in range(where.shape[0]):
            for k in range(where.shape[1]):
                i = where[o, k]
                if i >= 0:
                    for c in range(dx.shape[2]):
                        dx[b, i, c] += dy[b, o, c]
