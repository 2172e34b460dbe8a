"""Normalisation over the rows of a matrix, or along each row: NumPy, and as loops.

Pictures that lie in memory as (batch, height, width, channels) are a matrix with one
column for each channel: batch norm works down its columns, by blocks of rows which stay
in the cache and do not depend on the number of threads. Layer norm works along rows.

So that both forms agree bit for bit, each fixes the order of its sums: columns are
added row after row, and a row is folded in half until one number is left, which is as
accurate as NumPy's pairwise sums (Higham, "The accuracy of floating point summation",
1993).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._pair import paired

Array = NDArray[Any]

#: Numbers in a block: it and a few temporaries stay in the cache.
BLOCK = 65_536


def _down(x: Array) -> Array:
    """The sum of the rows, one after another."""
    if x.shape[1] == 1:  # NumPy would add a single column in pairs
        last: Array = np.add.accumulate(x, axis=0)[-1]
        return last
    total: Array = np.add.reduce(x, axis=0)
    return total


def _along(x: Array) -> Array:
    """The sum of each row, folded: the second half is added to the first."""
    while x.shape[1] > 1:
        half = x.shape[1] // 2
        folded = x[:, :half] + x[:, half : 2 * half]
        if x.shape[1] % 2:
            folded[:, 0] += x[:, -1]
        x = folded
    return x[:, 0]


def channel_moments_numpy(x: Array, block: int, mean: Array, square: Array) -> None:
    """For each block of rows: mean_j, and square_j = the sum of (x_ij - mean_j)^2.

    Two passes, and a correction by what the differences from the rounded mean add up to
    (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983,
    equation 1.7).
    """
    for k in range(len(mean)):
        rows = x[k * block : (k + 1) * block]
        n = x.dtype.type(len(rows))
        rough = _down(rows) / n
        d = rows - rough
        rest = _down(d)
        np.multiply(d, d, d)
        shift = rest / n
        q, too_much = _down(d), rest * shift
        least = np.where(q < np.inf, x.dtype.type(0), q)
        square[k] = np.where(too_much < q, q - too_much, least)
        mean[k] = rough + shift


@paired(channel_moments_numpy, passes=4)
def channel_moments(x: Array, block: int, mean: Array, square: Array) -> None:
    """The block is read twice, the second time from the cache."""
    width = x.shape[1]
    rest = np.empty_like(mean[0])
    for k in range(len(mean)):
        start = k * block
        stop = min(start + block, len(x))
        n = x.dtype.type(stop - start)
        m, q = mean[k], square[k]
        for j in range(width):
            m[j] = x[start, j]
        for i in range(start + 1, stop):
            for j in range(width):
                m[j] += x[i, j]
        for j in range(width):
            m[j] /= n
            d = x[start, j] - m[j]
            rest[j] = d
            q[j] = d * d
        for i in range(start + 1, stop):
            for j in range(width):
                d = x[i, j] - m[j]
                rest[j] += d
                q[j] += d * d
        for j in range(width):
            shift = rest[j] / n
            too_much = rest[j] * shift
            if too_much < q[j]:
                q[j] -= too_much
            elif q[j] < np.inf:  # rounding must not make it negative
                q[j] = 0
            m[j] += shift


def channel_affine_numpy(
    x: Array, mean: Array, scale: Array, shift: Array, y: Array
) -> None:
    """y_ij = (x_ij - mean_j) scale_j + shift_j."""
    block = max(1, BLOCK // x.shape[1])
    for i in range(0, len(x), block):
        part = y[i : i + block]
        np.subtract(x[i : i + block], mean, part)
        np.multiply(part, scale, part)
        np.add(part, shift, part)


@paired(channel_affine_numpy)
def channel_affine(x: Array, mean: Array, scale: Array, shift: Array, y: Array) -> None:
    """One pass."""
    for i in range(len(x)):
        for j in range(x.shape[1]):
            y[i, j] = (x[i, j] - mean[j]) * scale[j] + shift[j]


def channel_sums_numpy(
    dy: Array, x: Array, mean: Array, block: int, plain: Array, weighted: Array
) -> None:
    """For each block of rows: the sums of dy_ij and of dy_ij (x_ij - mean_j)."""
    for k in range(len(plain)):
        rows = slice(k * block, (k + 1) * block)
        plain[k] = _down(dy[rows])
        d = x[rows] - mean
        weighted[k] = _down(np.multiply(d, dy[rows], d))


@paired(channel_sums_numpy, passes=2)
def channel_sums(
    dy: Array, x: Array, mean: Array, block: int, plain: Array, weighted: Array
) -> None:
    """One pass over both."""
    for k in range(len(plain)):
        start = k * block
        p, q = plain[k], weighted[k]
        for j in range(x.shape[1]):
            p[j] = dy[start, j]
            q[j] = (x[start, j] - mean[j]) * dy[start, j]
        for i in range(start + 1, min(start + block, len(x))):
            for j in range(x.shape[1]):
                p[j] += dy[i, j]
                q[j] += (x[i, j] - mean[j]) * dy[i, j]


def channel_gradient_numpy(
    dy: Array, x: Array, mean: Array, a: Array, b: Array, scale: Array, dx: Array
) -> None:
    """dx_ij = (dy_ij - a_j - (x_ij - mean_j) b_j) scale_j."""
    block = max(1, BLOCK // x.shape[1])
    for i in range(0, len(x), block):
        rows = slice(i, i + block)
        d, part = x[rows] - mean, dx[rows]
        np.multiply(d, b, d)
        np.subtract(dy[rows], a, part)
        np.subtract(part, d, part)
        np.multiply(part, scale, part)


@paired(channel_gradient_numpy, passes=2)
def channel_gradient(
    dy: Array, x: Array, mean: Array, a: Array, b: Array, scale: Array, dx: Array
) -> None:
    """One pass."""
    for i in range(len(x)):
        for j in range(x.shape[1]):
            d = (x[i, j] - mean[j]) * b[j]
            dx[i, j] = (dy[i, j] - a[j] - d) * scale[j]


def row_norm_numpy(
    x: Array,
    w: Array,
    shift: Array,
    eps: float,
    centred: bool,
    y: Array,
    mean: Array,
    var: Array,
) -> None:
    """y_ij = (x_ij - mean_i) / sqrt(var_i + eps) w_j + shift_j.

    mean_i and var_i are those of the row; without `centred`, mean_i = 0.
    """
    n = x.dtype.type(x.shape[1])
    block = max(1, BLOCK // x.shape[1])
    for i in range(0, len(x), block):
        rows = slice(i, i + block)
        part, m, v = y[rows], mean[rows], var[rows]
        m[...] = _along(x[rows]) / n if centred else 0
        np.subtract(x[rows], m[:, None], part)
        v[...] = _along(part * part) / n
        np.multiply(part, (1 / np.sqrt(v + x.dtype.type(eps)))[:, None], part)
        np.multiply(part, w, part)
        np.add(part, shift, part)


@paired(row_norm_numpy, passes=3)
def row_norm(
    x: Array,
    w: Array,
    shift: Array,
    eps: float,
    centred: bool,
    y: Array,
    mean: Array,
    var: Array,
) -> None:
    """Each row is read once from memory, then from the cache."""
    width = x.shape[1]
    one, n = x.dtype.type(1), x.dtype.type(width)
    t = np.empty_like(w)
    for i in range(len(x)):
        row, out = x[i], y[i]
        m = v = x.dtype.type(0)
        for step in range(0 if centred else 1, 2):  # the mean, then the variance
            for j in range(width):
                d = row[j] - m
                t[j] = d * d if step else d
            left = width
            while left > 1:
                if left == 8:  # the same sums, without loops
                    a, b = t[0] + t[4], t[1] + t[5]
                    t[0] = (a + (t[2] + t[6])) + (b + (t[3] + t[7]))
                    break
                if left % 4 == 0:  # folded twice
                    left //= 4
                    t1, t2, t3 = t[left:], t[2 * left :], t[3 * left :]
                    for j in range(left):
                        t[j] = (t[j] + t2[j]) + (t1[j] + t3[j])
                else:
                    t1 = t[left // 2 :]
                    for j in range(left // 2):
                        t[j] += t1[j]
                    if left % 2:
                        t[0] += t[left - 1]
                    left //= 2
            if step:
                v = t[0] / n
            else:
                m = t[0] / n
        mean[i], var[i] = m, v
        r = one / math.sqrt(v + eps)
        for j in range(width):
            out[j] = (row[j] - m) * r * w[j] + shift[j]


def row_norm_gradient_numpy(
    dy: Array,
    x: Array,
    w: Array,
    mean: Array,
    var: Array,
    eps: float,
    centred: bool,
    block: int,
    dx: Array,
    dw: Array,
    db: Array,
) -> None:
    """The gradients of `row_norm`; those of w and b for each block of rows.

    With g = dy w, r = 1 / sqrt(var + eps) and u = (x - mean) r:
    dx = (g - mean of g - u mean of (g u)) r, dw = the sum of dy u, db = that of dy.
    """
    n, one = x.dtype.type(x.shape[1]), x.dtype.type(1)
    for k in range(len(dw)):
        rows = slice(k * block, (k + 1) * block)
        r = (one / np.sqrt(var[rows] + x.dtype.type(eps)))[:, None]
        u = (x[rows] - mean[rows][:, None]) * r
        g = dy[rows] * w
        a = (_along(g) / n)[:, None] if centred else x.dtype.type(0)
        c = (_along(g * u) / n)[:, None]
        dw[k], db[k] = _down(dy[rows] * u), _down(dy[rows])
        np.subtract(g, a, g)
        np.subtract(g, u * c, g)
        np.multiply(g, r, dx[rows])


@paired(row_norm_gradient_numpy, passes=5)
def row_norm_gradient(
    dy: Array,
    x: Array,
    w: Array,
    mean: Array,
    var: Array,
    eps: float,
    centred: bool,
    block: int,
    dx: Array,
    dw: Array,
    db: Array,
) -> None:
    """Each row is read once from memory, then from the cache."""
    width = x.shape[1]
    one, n = x.dtype.type(1), x.dtype.type(width)
    u, g, t = np.empty_like(w), np.empty_like(w), np.empty_like(w)
    for i in range(len(x)):
        row, given, made = x[i], dy[i], dx[i]
        m = mean[i]
        r = one / math.sqrt(var[i] + eps)
        for j in range(width):
            u[j] = (row[j] - m) * r
            g[j] = given[j] * w[j]
        along = along_u = x.dtype.type(0)
        for step in range(0 if centred else 1, 2):  # the mean of g, then of g u
            for j in range(width):
                t[j] = g[j] * u[j] if step else g[j]
            left = width
            while left > 1:
                if left == 8:
                    a, b = t[0] + t[4], t[1] + t[5]
                    t[0] = (a + (t[2] + t[6])) + (b + (t[3] + t[7]))
                    break
                if left % 4 == 0:  # folded twice
                    left //= 4
                    t1, t2, t3 = t[left:], t[2 * left :], t[3 * left :]
                    for j in range(left):
                        t[j] = (t[j] + t2[j]) + (t1[j] + t3[j])
                else:
                    t1 = t[left // 2 :]
                    for j in range(left // 2):
                        t[j] += t1[j]
                    if left % 2:
                        t[0] += t[left - 1]
                    left //= 2
            if step:
                along_u = t[0] / n
            else:
                along = t[0] / n
        dwk, dbk = dw[i // block], db[i // block]
        if i % block == 0:
            dwk[:], dbk[:] = 0, 0
        for j in range(width):
            made[j] = (g[j] - along - u[j] * along_u) * r
        for j in range(width):
            dwk[j] += given[j] * u[j]
            dbk[j] += given[j]
