"""Convolution with 3 x 3 kernels in native steps: Winograd's F(4 x 4, 3 x 3).

The algorithm and its points are those of `dotori.kernels.winograd`, where the formulas
stand. Tiles of all pictures are counted through, and worked on in blocks that stay in
the cache: the transform, 36 products with the kernels of a place each, the transform
back. Threads share the blocks.

Pictures are (N, H, W, C). What is done to a row or column of a tile is done to all its
channels at once, from arrays of channels to arrays of channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dotori.compiler.native.gathered import add_numbers, copy_numbers
from dotori.compiler.native.language import (
    Array,
    apart,
    barrier,
    compiled,
    matmul,
    matmul_add,
)
from dotori.compiler.native.shared import multiply_in_pieces
from dotori.kernels import winograd
from dotori.kernels.window import Window

A, B = winograd.A, winograd.B
A2, B2, A3, B3 = winograd.A2, winograd.B2, winograd.A3, winograd.B3
AB, SUM = winograd.AB, winograd.SUM
#: In so many parts, whatever the number of threads, a gradient of weights is summed.
PARTS = 4
#: Tiles of a block, and the row between its places: without it, all 36 would be a power
#: of two apart and compete for the same lines of the cache.
TILES, BETWEEN = 64, 1

GG = winograd.GG
#: Of kernels turned by half a circle.
GG_TURNED = np.ascontiguousarray(GG[:, ::-1])


def suits(
    n: int, out: tuple[int, ...], channels: int, n_out: int, window: Window
) -> bool:
    """Whether it pays, as in `dotori.kernels.winograd`: enough tiles and channels."""
    plain = window.stride == (1, 1) and window.dilation == (1, 1)
    if window.kernel != (3, 3) or not plain:
        return False
    if min(*out, channels // 4, n_out // 4) < 4:
        return False
    down, across = -(-out[0] // 4), -(-out[1] // 4)
    fills = out[0] * out[1] / (16 * down * across)
    return fills > 0.5 and n * down * across >= 32


@apart
def input_rows(
    d0: Array,
    d1: Array,
    d2: Array,
    d3: Array,
    d4: Array,
    d5: Array,
    e0: Array,
    e1: Array,
    e2: Array,
    e3: Array,
    e4: Array,
    e5: Array,
) -> None:
    """e = B^T d."""
    number = d0.dtype.type
    a, b, a2, b2 = number(A), number(B), number(A2), number(B2)
    ab, total = number(AB), number(SUM)
    for k in range(d0.shape[0]):
        even_a, odd_a = d4[k] - b2 * d2[k], a * (d3[k] - b2 * d1[k])
        even_b, odd_b = d4[k] - a2 * d2[k], b * (d3[k] - a2 * d1[k])
        e0[k] = ab * d0[k] - total * d2[k] + d4[k]
        e1[k] = even_a + odd_a
        e2[k] = even_a - odd_a
        e3[k] = even_b + odd_b
        e4[k] = even_b - odd_b
        e5[k] = ab * d1[k] - total * d3[k] + d5[k]


@apart
def output_rows(
    m0: Array,
    m1: Array,
    m2: Array,
    m3: Array,
    m4: Array,
    m5: Array,
    bias: Array,
    y0: Array,
    y1: Array,
    y2: Array,
    y3: Array,
) -> None:
    """y = A^T m + bias."""
    number = m0.dtype.type
    a, b, a2, b2 = number(A), number(B), number(A2), number(B2)
    a3, b3 = number(A3), number(B3)
    for k in range(m0.shape[0]):
        even_a, odd_a = m1[k] + m2[k], m1[k] - m2[k]
        even_b, odd_b = m3[k] + m4[k], m3[k] - m4[k]
        y0[k] = m0[k] + even_a + even_b + bias[k]
        y1[k] = a * odd_a + b * odd_b + bias[k]
        y2[k] = a2 * even_a + b2 * even_b + bias[k]
        y3[k] = a3 * odd_a + b3 * odd_b + m5[k] + bias[k]


@apart
def gradient_rows(
    g0: Array,
    g1: Array,
    g2: Array,
    g3: Array,
    e0: Array,
    e1: Array,
    e2: Array,
    e3: Array,
    e4: Array,
    e5: Array,
) -> None:
    """e = A g."""
    number = g0.dtype.type
    a, b, a2, b2 = number(A), number(B), number(A2), number(B2)
    a3, b3 = number(A3), number(B3)
    for k in range(g0.shape[0]):
        even_a, odd_a = g0[k] + a2 * g2[k], a * g1[k] + a3 * g3[k]
        even_b, odd_b = g0[k] + b2 * g2[k], b * g1[k] + b3 * g3[k]
        e0[k] = g0[k]
        e1[k] = even_a + odd_a
        e2[k] = even_a - odd_a
        e3[k] = even_b + odd_b
        e4[k] = even_b - odd_b
        e5[k] = g3[k]


@compiled
def cut_tile(picture: Array, tile: Array, top: int, left: int, size: int) -> None:
    """tile (size, size, C) = the places of a picture from (top, left) on; 0 outside."""
    height, width = picture.shape[0], picture.shape[1]
    for r in range(size):
        for s in range(size):
            i, j = top + r, left + s
            if 0 <= i < height and 0 <= j < width:
                copy_numbers(picture[i, j], tile[r, s])
            else:
                tile[r, s, :] = 0


@compiled
def input_tile(
    picture: Array, top: int, left: int, tile: Array, half: Array, tiles: Array, t: int
) -> None:
    """tiles[:, t] = B^T d B, where d are the 6 x 6 places from (top, left) on."""
    height, width = picture.shape[0], picture.shape[1]
    seen, i, j = picture, top, left
    if top < 0 or left < 0 or top + 6 > height or left + 6 > width:
        cut_tile(picture, tile, top, left, 6)
        seen, i, j = tile, 0, 0
    # fmt: off
    for s in range(6):
        input_rows(
            seen[i, j + s], seen[i + 1, j + s], seen[i + 2, j + s],
            seen[i + 3, j + s], seen[i + 4, j + s], seen[i + 5, j + s],
            half[0, s], half[1, s], half[2, s], half[3, s], half[4, s], half[5, s],
        )
    for s in range(6):
        input_rows(
            half[s, 0], half[s, 1], half[s, 2], half[s, 3], half[s, 4], half[s, 5],
            tiles[6 * s, t], tiles[6 * s + 1, t], tiles[6 * s + 2, t],
            tiles[6 * s + 3, t], tiles[6 * s + 4, t], tiles[6 * s + 5, t],
        )
    # fmt: on


@compiled
def gradient_tile(
    picture: Array, top: int, left: int, tile: Array, half: Array, tiles: Array, t: int
) -> None:
    """tiles[:, t] = A g A^T, where g are the 4 x 4 places from (top, left) on."""
    height, width = picture.shape[0], picture.shape[1]
    seen, i, j = picture, top, left
    if top + 4 > height or left + 4 > width:
        cut_tile(picture, tile, top, left, 4)
        seen, i, j = tile, 0, 0
    # fmt: off
    for s in range(4):
        gradient_rows(
            seen[i, j + s], seen[i + 1, j + s], seen[i + 2, j + s], seen[i + 3, j + s],
            half[0, s], half[1, s], half[2, s], half[3, s], half[4, s], half[5, s],
        )
    for s in range(6):
        gradient_rows(
            half[s, 0], half[s, 1], half[s, 2], half[s, 3],
            tiles[6 * s, t], tiles[6 * s + 1, t], tiles[6 * s + 2, t],
            tiles[6 * s + 3, t], tiles[6 * s + 4, t], tiles[6 * s + 5, t],
        )
    # fmt: on


@compiled
def output_tile(
    products: Array,
    t: int,
    half: Array,
    tile: Array,
    bias: Array,
    none: Array,
    picture: Array,
    top: int,
    left: int,
) -> None:
    """The 4 x 4 places from (top, left) on are A^T m A + bias, m = products[:, t]."""
    height, width = picture.shape[0], picture.shape[1]
    # fmt: off
    for s in range(6):
        output_rows(
            products[s, t], products[6 + s, t], products[12 + s, t],
            products[18 + s, t], products[24 + s, t], products[30 + s, t], none,
            half[0, s], half[1, s], half[2, s], half[3, s],
        )
    whole = left + 4 <= width
    for r in range(min(4, height - top)):
        row, j = (picture[top + r], left) if whole else (tile[0], 0)
        output_rows(
            half[r, 0], half[r, 1], half[r, 2], half[r, 3], half[r, 4], half[r, 5],
            bias, row[j], row[j + 1], row[j + 2], row[j + 3],
        )
        if not whole:
            for s in range(width - left):
                copy_numbers(tile[0, s], picture[top + r, left + s])
    # fmt: on


@compiled
def turn_kernels(w: Array, kernels: Array, thread: int, threads: int) -> None:
    """w (K, C, 3, 3) as (C, K, 9); the caller waits for all."""
    flat = w.reshape(w.shape[0], w.shape[1], 9)
    for c in range(thread, w.shape[1], threads):
        for k in range(w.shape[0]):
            copy_numbers(flat[k, c], kernels[c, k])


@compiled
def set_filters(
    kernels: Array, gg: Array, filters: Array, thread: int, threads: int
) -> None:
    """filters (36, in, out) = G g G^T for each kernel g; the caller waits for all.

    `kernels` has the shape (in, out, 9); `gg` is G x G, for turned kernels turned.
    """
    n = kernels.shape[0] * kernels.shape[1]
    flat = filters.reshape(36, n)
    multiply_in_pieces(gg, kernels.reshape(n, 9).T, flat, thread, threads)


@compiled
def winograd_correlate(
    x: Array,
    filters: Array,
    bias: Array,
    none: Array,
    y: Array,
    tiles: Array,
    products: Array,
    small_in: Array,
    small_out: Array,
    top: int,
    left: int,
    thread: int,
    threads: int,
) -> None:
    """y = x * w + bias, with `top` rows and `left` columns of zeros before x.

    Parameters
    ----------
    filters : array, shape (36, channels of x, channels of y)
    bias, none : array, shape (channels of y,)
        What is added, and zeros.
    tiles, products : room, shape (threads, 36, TILES + BETWEEN, channels of x, y)
    small_in, small_out : room, shape (threads, 2, 6, 6, channels of x, y)
    """
    n_tiles = tiles.shape[2] - BETWEEN
    down, across = (y.shape[1] + 3) // 4, (y.shape[2] + 3) // 4
    each = down * across
    every = x.shape[0] * each
    mine, made = tiles[thread], products[thread]
    for first in range(thread * n_tiles, every, threads * n_tiles):
        n = min(n_tiles, every - first)
        for t in range(n):
            place = (first + t) % each
            i, j = 4 * (place // across) - top, 4 * (place % across) - left
            picture, room = x[(first + t) // each], small_in[thread]
            input_tile(picture, i, j, room[0], room[1], mine, t)
        for p in range(36):
            matmul(mine[p, :n], filters[p], made[p, :n])
        for t in range(n):
            place = (first + t) % each
            i, j = 4 * (place // across), 4 * (place % across)
            picture, room = y[(first + t) // each], small_out[thread]
            output_tile(made, t, room[0], room[1], bias, none, picture, i, j)


@compiled
def winograd_sums(
    x: Array,
    dy: Array,
    sums: Array,
    tiles: Array,
    given: Array,
    small_in: Array,
    small_out: Array,
    top: int,
    left: int,
    thread: int,
    threads: int,
) -> None:
    """sums (parts, 36, K, C): for each place of a tile, the products of dy and x.

    `tiles`, `given` and the small rooms are those of `winograd_correlate`.
    """
    n_tiles, parts = tiles.shape[2] - BETWEEN, sums.shape[0]
    down, across = (dy.shape[1] + 3) // 4, (dy.shape[2] + 3) // 4
    each = down * across
    every = x.shape[0] * each
    blocks = (every + n_tiles - 1) // n_tiles
    mine, theirs = tiles[thread], given[thread]
    for part in range(thread, parts, threads):
        start, stop = part * blocks // parts, (part + 1) * blocks // parts
        sums[part] = 0
        for block in range(start, stop):
            first = block * n_tiles
            n = min(n_tiles, every - first)
            for t in range(n):
                at, place = (first + t) // each, (first + t) % each
                i, j = 4 * (place // across), 4 * (place % across)
                room, other = small_in[thread], small_out[thread]
                input_tile(x[at], i - top, j - left, room[0], room[1], mine, t)
                gradient_tile(dy[at], i, j, other[0], other[1], theirs, t)
            for p in range(36):
                matmul_add(theirs[p, :n].T, mine[p, :n], sums[part, p])


@compiled
def winograd_kernels(
    sums: Array, gg: Array, dw: Array, table: Any, thread: int, threads: int
) -> None:
    """dw = G^T (the sum of all parts) G."""
    barrier(table, thread, threads)
    for p in range(thread, 36, threads):
        for part in range(1, sums.shape[0]):
            for k in range(sums.shape[2]):
                add_numbers(sums[part, p, k], sums[0, p, k])
    barrier(table, thread, threads)
    n = dw.shape[0] * dw.shape[1]
    total = sums[0].reshape(36, n)
    multiply_in_pieces(total.T, gg, dw.reshape(n, 9), thread, threads)
