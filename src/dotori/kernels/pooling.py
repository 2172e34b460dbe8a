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
from dotori.kernels.tiling import Three, Tiling, first_taps, taps

Array = NDArray[Any]
Geometry = tuple[Three, Three, Three, Three, Three, Three]

#: Numbers in a piece of the batch that NumPy works on at once, so that it stays in the
#: cache from tap to tap.
PIECE = 65_536


def _pieces(x: Array, y: Array, tiling: Tiling) -> Iterator[tuple[slice, Array, Array]]:
    """Parts of the batch that stay in the cache, with their three axes."""
    step = max(1, PIECE // max(1, x[:1].size, y[:1].size))
    xs = x.reshape(len(x), *tiling.shape, x.shape[2])
    ys = y.reshape(len(y), *tiling.out, y.shape[2])
    for i in range(0, len(x), step):
        part = slice(i, i + step)
        yield part, xs[part], ys[part]


def largest(x: Array, y: Array, lowest: float, tiling: Tiling) -> None:
    """y = the largest number of each window; NaN where there is one.

    Here x and y have their three axes: (batch, depth, height, width, channels).
    """
    step = max(1, PIECE // max(1, x[:1].size))
    for i in range(0, len(x), step):
        xs, ys = x[i : i + step], y[i : i + step]
        ys[...] = lowest
        for _, windows, at in taps(tiling):
            best = ys[:, *windows]
            np.maximum(best, xs[:, *at], out=best)


def max_pool_numpy(
    x: Array, y: Array, winners: Array, lowest: float, where: Array, tiling: Geometry
) -> None:
    """y = the largest number of each window, and winners = its tap.

    The first of equals wins; NaN is larger than all, and of several the last one wins,
    as in PyTorch. `lowest` is below all numbers. Every window has a tap inside.
    """
    geometry = Tiling(*tiling)
    first = first_taps(geometry)[:, None]
    for part, xs, ys in _pieces(x, y, geometry):
        winners[part] = first
        won = winners[part].reshape(ys.shape)
        ys[...] = lowest
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
    x: Array, y: Array, winners: Array, lowest: float, where: Array, tiling: Geometry
) -> None:
    """Channels lie side by side, so that the innermost loop works on vectors."""
    for b in range(x.shape[0]):
        for o in range(where.shape[0]):
            first = 0
            while where[o, first] < 0:
                first += 1
            for c in range(x.shape[2]):
                y[b, o, c] = lowest
                winners[b, o, c] = first
            for k in range(first, where.shape[1]):
                i = where[o, k]
                if i < 0:
                    continue
                for c in range(x.shape[2]):
                    v, best, won = x[b, i, c], y[b, o, c], winners[b, o, c]
                    better = v > best or v != v
                    y[b, o, c] = v if better else best
                    winners[b, o, c] = k if better else won


def put_winners_numpy(
    dy: Array, winners: Array, dx: Array, where: Array, tiling: Geometry
) -> None:
    """dx = what `max_pool` hands back: dy at the places that won, 0 elsewhere."""
    geometry = Tiling(*tiling)
    backwards = list(taps(geometry))[::-1]
    for part, xs, ys in _pieces(dx, dy, geometry):
        won = winners[part].reshape(ys.shape)
        xs[...] = 0
        for number, windows, at in backwards:
            hit = won[:, *windows] == number
            if geometry.disjoint():
                np.copyto(xs[:, *at], ys[:, *windows], where=hit)
            else:
                xs[:, *at] += np.where(hit, ys[:, *windows], 0)


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
    backwards = list(taps(geometry))[::-1]
    for _, xs, ys in _pieces(dx, dy, geometry):
        xs[...] = 0
        for _, windows, at in backwards:
            xs[:, *at] += ys[:, *windows]


@paired(spread_sum_numpy)
def spread_sum(dy: Array, dx: Array, where: Array, tiling: Geometry) -> None:
    """The block of one element of the batch stays in the cache."""
    for b in range(dy.shape[0]):
        for i in range(dx.shape[1]):
            for c in range(dx.shape[2]):
                dx[b, i, c] = 0
        for o in range(where.shape[0]):
            for k in range(where.shape[1]):
                i = where[o, k]
                if i >= 0:
                    for c in range(dx.shape[2]):
                        dx[b, i, c] += dy[b, o, c]
