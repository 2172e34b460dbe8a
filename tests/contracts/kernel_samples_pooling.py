"""Inputs of the kernels that pool: blocks with equal numbers, NaN and infinities."""

import numpy as np

from dotori.kernels.tiling import places, tile

TILINGS = [
    tile((7,), (3,), (2,), (1,), (1,), beyond=True),
    tile((4, 6), (2, 2), (2, 2), (0, 0), (1, 1)),
    tile((5, 6), (3, 2), (1, 2), (1, 1), (2, 1)),
    tile((3, 4, 4), (2, 2, 3), (1, 2, 2), (1, 0, 1), (1, 1, 1)),
]


def numbers(rng, dtype, batch, n, channels):
    """Few different ones, so that some are equal, and special ones."""
    x = rng.integers(-2, 3, (batch, n, channels)).astype(dtype)
    x.flat[rng.integers(0, x.size, 4)] = [np.nan, np.nan, np.inf, -np.inf]
    x[-1, :, 0] = -np.inf
    return x


def cases(make):
    return [
        lambda rng, dtype, tiling=tiling, channels=channels: make(
            rng, dtype, tiling, channels
        )
        for tiling in TILINGS
        for channels in (1, 5)
    ]


def max_pool(rng, dtype, tiling, channels):
    x = numbers(rng, dtype, 3, int(np.prod(tiling.shape)), channels)
    y = np.empty((3, int(np.prod(tiling.out)), channels), dtype)
    winners = np.empty(y.shape, np.uint8)
    return x, y, winners, places(tiling), tuple(tiling)


def put_winners(rng, dtype, tiling, channels):
    x, y, winners, *rest = max_pool(rng, dtype, tiling, channels)
    winners[...] = rng.integers(0, int(np.prod(tiling.size)), winners.shape)
    dy = rng.standard_normal(y.shape).astype(dtype)
    dy[0, 0] = np.inf
    return dy, winners, np.empty_like(x), *rest


def window_sum(rng, dtype, tiling, channels):
    x, y, _, *rest = max_pool(rng, dtype, tiling, channels)
    return rng.standard_normal(x.shape).astype(dtype), y, *rest


def spread_sum(rng, dtype, tiling, channels):
    x, y, _, *rest = max_pool(rng, dtype, tiling, channels)
    return rng.standard_normal(y.shape).astype(dtype), np.empty_like(x), *rest


SHAPED = {
    function.__name__: cases(function)
    for function in (max_pool, put_winners, window_sum, spread_sum)
}
