"""Convolution in native steps as products over blocks of gathered places.

As in `dotori.kernels.gathered`, what a few rows of the output see is copied side by
side into the cache and multiplied by the kernels. Pictures are (N, H, W, C), kernels
packed as (K, taps * C). Threads share the blocks, or whole pictures where what is made
overlaps.

`frame` holds the numbers of a window: the kernel's height and width, then for the rows
and for the columns the stride, the dilation, and the zeros before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.compiler.native.language import (
    Array,
    apart,
    barrier,
    compiled,
    matmul,
    matmul_add,
)
from dotori.kernels.window import Window

#: Bytes that what is gathered for a block may take.
BLOCK = 1 << 17


def frame_of(window: Window) -> NDArray[np.int64]:
    """The numbers of a window, for the routines."""
    (top, _), (left, _) = window.padding
    numbers = (*window.kernel, window.stride[0], window.dilation[0], top)
    return np.array((*numbers, window.stride[1], window.dilation[1], left), np.int64)


def rows_of(width: int, depth: int, itemsize: int) -> int:
    """How many rows of the output are a block."""
    return max(1, BLOCK // max(1, width * depth * itemsize))


@compiled
def pack_kernels(w: Array, packed: Array, thread: int, threads: int) -> None:
    """packed (K, taps * C) from w (K, C, height, width)."""
    n_in, high, wide = w.shape[1], w.shape[2], w.shape[3]
    for k in range(thread, w.shape[0], threads):
        for r in range(high):
            for s in range(wide):
                at = (r * wide + s) * n_in
                for c in range(n_in):
                    packed[k, at + c] = w[k, c, r, s]


@apart
def copy_numbers(source: Array, target: Array) -> None:
    """target = source."""
    for k in range(target.shape[0]):
        target[k] = source[k]


@apart
def copy_strided(source: Array, step: int, target: Array) -> None:
    """target = every `step`-th number of `source`."""
    for k in range(target.shape[0]):
        target[k] = source[k * step]


@apart
def add_numbers(source: Array, target: Array) -> None:
    """target += source."""
    for k in range(target.shape[0]):
        target[k] += source[k]


@compiled
def gather_row(picture: Array, frame: Array, i: int, width: int, cells: Array) -> None:
    """cells (width, taps * C) = what row `i` of the output sees of (H, W * C)."""
    high, wide, step, apart_, before = frame[0], frame[1], frame[2], frame[3], frame[4]
    across, between, left = frame[5], frame[6], frame[7]
    n_in = cells.shape[1] // (high * wide)
    places = picture.shape[1] // n_in
    for r in range(high):
        row, at = i * step - before + r * apart_, r * wide * n_in
        inside = 0 <= row < picture.shape[0]
        for j in range(width):
            begin = j * across - left
            end = begin + (wide - 1) * between
            if inside and between == 1 and begin >= 0 and end < places:
                whole = cells[j, at : at + wide * n_in]
                copy_numbers(picture[row, begin * n_in :], whole)
                continue
            for s in range(wide):
                cell = cells[j, at + s * n_in : at + (s + 1) * n_in]
                place = begin + s * between
                if inside and 0 <= place < places:
                    copy_numbers(picture[row, place * n_in :], cell)
                else:
                    cell[:] = 0


@compiled
def gather_taps(
    picture: Array, frame: Array, i: int, width: int, taps: Array, at: int
) -> None:
    """taps[:, at : at + width]: the same, with the places of a tap side by side.

    With few channels, copies run along a row of the picture so, and not over two or
    three numbers at a time.
    """
    high, wide, step, apart_, before = frame[0], frame[1], frame[2], frame[3], frame[4]
    across, between, left = frame[5], frame[6], frame[7]
    n_in = taps.shape[0] // (high * wide)
    places = picture.shape[1] // n_in
    for r in range(high):
        row = i * step - before + r * apart_
        for s in range(wide):
            offset = s * between - left
            first = min(width, max(0, -(offset // across)))
            last = max(first, min(width, (places - 1 - offset) // across + 1))
            if row < 0 or row >= picture.shape[0]:
                first = last = width
            for c in range(n_in):
                tap = taps[(r * wide + s) * n_in + c, at : at + width]
                tap[:first] = 0
                tap[last:] = 0
                if first < last:
                    begin = (first * across + offset) * n_in + c
                    copy_strided(picture[row, begin:], across * n_in, tap[first:last])


@compiled
def scatter_row(cells: Array, frame: Array, i: int, width: int, picture: Array) -> None:
    """Add `cells` to the places that `gather_row` takes them from."""
    high, wide, step, apart_, before = frame[0], frame[1], frame[2], frame[3], frame[4]
    across, between, left = frame[5], frame[6], frame[7]
    n_in = cells.shape[1] // (high * wide)
    places = picture.shape[1] // n_in
    for r in range(high):
        row = i * step - before + r * apart_
        if row < 0 or row >= picture.shape[0]:
            continue
        for j in range(width):
            for s in range(wide):
                place = j * across - left + s * between
                if 0 <= place < places:
                    at = (r * wide + s) * n_in
                    target = picture[row, place * n_in : (place + 1) * n_in]
                    add_numbers(cells[j, at : at + n_in], target)


@compiled
def add_bias(y: Array, bias: Any) -> None:
    """y (places, K) += bias."""
    if bias is not None:
        for j in range(y.shape[0]):
            add_numbers(bias, y[j])


@compiled
def gathered_correlate(
    x: Array,
    packed: Array,
    bias: Any,
    y: Array,
    room: Array,
    frame: Array,
    by_taps: bool,
    thread: int,
    threads: int,
) -> None:
    """y = x * w + bias.

    Parameters
    ----------
    room : array, shape (threads, places of a block, taps * C); by taps, the other way
    """
    pictures, high, wide = x.shape[0], y.shape[1], y.shape[2]
    lines = x.reshape(pictures, x.shape[1], x.shape[2] * x.shape[3])
    places = y.reshape(pictures * high * wide, y.shape[3])
    mine = room[thread]
    rows = (mine.shape[1] if by_taps else mine.shape[0]) // wide
    every = pictures * high
    for first in range(thread * rows, every, threads * rows):
        n = min(rows, every - first)
        target = places[first * wide : (first + n) * wide]
        for row in range(n):
            picture, i, at = (
                lines[(first + row) // high],
                (first + row) % high,
                row * wide,
            )
            if by_taps:
                gather_taps(picture, frame, i, wide, mine, at)
            else:
                gather_row(picture, frame, i, wide, mine[at : at + wide])
        if by_taps:
            matmul(mine[:, : n * wide].T, packed.T, target)
        else:
            matmul(mine[: n * wide], packed.T, target)
        add_bias(target, bias)


@compiled
def gathered_sums(
    x: Array,
    dy: Array,
    sums: Array,
    room: Array,
    frame: Array,
    by_taps: bool,
    thread: int,
    threads: int,
) -> None:
    """sums (parts, K, taps * C): the products of dy and what it was made of."""
    pictures, high, wide = x.shape[0], dy.shape[1], dy.shape[2]
    lines = x.reshape(pictures, x.shape[1], x.shape[2] * x.shape[3])
    places = dy.reshape(pictures * high * wide, dy.shape[3])
    mine, parts = room[thread], sums.shape[0]
    rows = (mine.shape[1] if by_taps else mine.shape[0]) // wide
    every = pictures * high
    blocks = (every + rows - 1) // rows
    for part in range(thread, parts, threads):
        sums[part] = 0
        for block in range(part * blocks // parts, (part + 1) * blocks // parts):
            first = block * rows
            n = min(rows, every - first)
            given = places[first * wide : (first + n) * wide].T
            for row in range(n):
                i, at = (first + row) % high, row * wide
                picture = lines[(first + row) // high]
                if by_taps:
                    gather_taps(picture, frame, i, wide, mine, at)
                else:
                    gather_row(picture, frame, i, wide, mine[at : at + wide])
            if by_taps:
                matmul_add(given, mine[:, : n * wide].T, sums[part])
            else:
                matmul_add(given, mine[: n * wide], sums[part])


@compiled
def gathered_kernels(
    sums: Array, dw: Array, table: Any, thread: int, threads: int
) -> None:
    """dw (K, C, height, width) from the sums of all parts."""
    barrier(table, thread, threads)
    n_in, high, wide = dw.shape[1], dw.shape[2], dw.shape[3]
    for k in range(thread, dw.shape[0], threads):
        for part in range(1, sums.shape[0]):
            add_numbers(sums[part, k], sums[0, k])
        for r in range(high):
            for s in range(wide):
                at = (r * wide + s) * n_in
                for c in range(n_in):
                    dw[k, c, r, s] = sums[0, k, at + c]


@compiled
def gathered_spread(
    dy: Array,
    packed: Array,
    dx: Array,
    room: Array,
    frame: Array,
    thread: int,
    threads: int,
) -> None:
    """dx: each output's share, added to the places that it saw; picture by picture.

    Parameters
    ----------
    room : array, shape (threads, places of a block, taps * C)
    """
    pictures, high, wide = dy.shape[0], dy.shape[1], dy.shape[2]
    lines = dx.reshape(pictures, dx.shape[1], dx.shape[2] * dx.shape[3])
    places = dy.reshape(pictures * high * wide, dy.shape[3])
    mine = room[thread]
    rows = mine.shape[0] // wide
    for n in range(thread, pictures, threads):
        lines[n] = 0
        for first in range(0, high, rows):
            count = min(rows, high - first)
            begin = (n * high + first) * wide
            matmul(places[begin : begin + count * wide], packed, mine[: count * wide])
            for row in range(count):
                cells = mine[row * wide : (row + 1) * wide]
                scatter_row(cells, frame, first + row, wide, lines[n])


@compiled
def sum_places(dy: Array, sums: Array, thread: int, threads: int) -> None:
    """sums (parts, K): the gradient of a bias, in parts; the caller waits for all."""
    places = dy.reshape(dy.shape[0] * dy.shape[1] * dy.shape[2], dy.shape[3])
    n, parts = places.shape[0], sums.shape[0]
    for part in range(thread, parts, threads):
        sums[part] = 0
        for j in range(part * n // parts, (part + 1) * n // parts):
            add_numbers(places[j], sums[part])


@compiled
def join_parts(sums: Array, total: Array, thread: int) -> None:
    """total = the sum of all parts."""
    if thread == 0:
        copy_numbers(sums[0], total)
        for part in range(1, sums.shape[0]):
            add_numbers(sums[part], total)
