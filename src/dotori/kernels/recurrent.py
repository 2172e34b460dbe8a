"""What is done to each number in the steps of an LSTM and a GRU.

Products of matrices, e^x and tanh stay in NumPy, which is fast at them. Between two of
those, a step has up to ten small passes over its gates, which lie side by side, so that
each pass would jump from row to row; a loop reads everything once. The gates of a row
are o, i, f, g for an LSTM and r, z, n for a GRU; `width` numbers each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._pair import paired

Array = NDArray[Any]


def lstm_cell_numpy(gates: Array, c: Array, cells: Array) -> None:
    """o, i, f = 1 / (1 + e), in place of the e; c = f c + i g, and once more in cells.

    `gates` holds the e = exp(-a) of the three sigmoids, and g.
    """
    width = c.shape[1]
    sigmoids = gates[:, : 3 * width]
    sigmoids += 1
    np.reciprocal(sigmoids, out=sigmoids)
    _, i, f, g = parts(gates, 4)
    np.multiply(i, g, out=cells)
    c *= f
    c += cells
    cells[...] = c


@paired(lstm_cell_numpy, passes=4)
def lstm_cell(gates: Array, c: Array, cells: Array) -> None:
    """The gates of a row are four runs of numbers that are read side by side."""
    n, width = c.shape
    one = gates.dtype.type(1)
    for j in range(n):
        a, old, new = gates[j], c[j], cells[j]
        for k in range(3 * width):
            a[k] = one / (a[k] + one)
        i, f, g = a[width : 2 * width], a[2 * width : 3 * width], a[3 * width :]
        for k in range(width):
            value = old[k] * f[k] + i[k] * g[k]
            old[k] = value
            new[k] = value


def lstm_slopes_numpy(
    gates: Array, c_before: Array, shown: Array, slopes: Array, through: Array
) -> None:
    """The derivatives of h to what o is a sigmoid of, and of c to the same of i, f, g;
    and, in `through`, of h to c. `shown` is tanh(c)."""
    width = shown.shape[1]
    o, i, _, g = parts(gates, 4)
    sigmoids, of_sigmoids = gates[:, : 3 * width], slopes[:, : 3 * width]
    np.subtract(1, sigmoids, out=of_sigmoids)
    of_sigmoids *= sigmoids
    by_o, by_i, by_f, by_g = parts(slopes, 4)
    by_o *= shown
    by_i *= g
    by_f *= c_before
    np.multiply(g, g, out=by_g)
    np.subtract(1, by_g, out=by_g)
    by_g *= i
    np.multiply(shown, shown, out=through)
    np.subtract(1, through, out=through)
    through *= o


@paired(lstm_slopes_numpy, passes=12)
def lstm_slopes(
    gates: Array, c_before: Array, shown: Array, slopes: Array, through: Array
) -> None:
    """All steps in one call, row by row, so that a row stays in the cache."""
    n, width = shown.shape
    one = gates.dtype.type(1)
    for j in range(n):
        a, d, s, before, to_c = gates[j], slopes[j], shown[j], c_before[j], through[j]
        i, g, by_g = a[width : 2 * width], a[3 * width :], d[3 * width :]
        by_i, by_f = d[width : 2 * width], d[2 * width : 3 * width]
        for k in range(3 * width):
            d[k] = (one - a[k]) * a[k]
        for k in range(width):
            d[k] *= s[k]
        for k in range(width):
            by_i[k] *= g[k]
        for k in range(width):
            by_f[k] *= before[k]
        for k in range(width):
            by_g[k] = (one - g[k] * g[k]) * i[k]
        for k in range(width):
            to_c[k] = (one - s[k] * s[k]) * a[k]


def lstm_back_numpy(
    slopes: Array, gates: Array, through: Array, dh: Array, dc: Array
) -> None:
    """dc = dc + dh through; slopes by dh for o and by dc for the others; dc = f dc."""
    n, width = dh.shape
    dc += dh * through
    slopes[:, :width] *= dh
    others = slopes.reshape(n, 4, width)[:, 1:]
    others *= dc[:, None]
    dc *= gates[:, 2 * width : 3 * width]


@paired(lstm_back_numpy, passes=6)
def lstm_back(
    slopes: Array, gates: Array, through: Array, dh: Array, dc: Array
) -> None:
    """Row by row, in loops so simple that the compiler makes vectors of them."""
    n, width = dh.shape
    for j in range(n):
        d, f = slopes[j], gates[j, 2 * width : 3 * width]
        to_c, to_h, from_h = dc[j], dh[j], through[j]
        for k in range(width):
            to_c[k] += to_h[k] * from_h[k]
        for k in range(width):
            d[k] *= to_h[k]
        for gate in range(1, 4):
            part = d[gate * width : (gate + 1) * width]
            for k in range(width):
                part[k] *= to_c[k]
        for k in range(width):
            to_c[k] *= f[k]


def gru_gates_numpy(gates: Array, product: Array, bias: Array, past: Array) -> None:
    """r, z = 1 / (1 + e), in place of the e; past = W_hn h + b_hn; r past added to n.

    `gates` holds e = exp(-a) for r and z, and W_in x + b_in; `product` is W_hh h.
    """
    width = past.shape[1]
    r_and_z = gates[:, : 2 * width]
    r_and_z += 1
    np.reciprocal(r_and_z, out=r_and_z)
    r, _, n = parts(gates, 3)
    np.add(product[:, 2 * width :], bias, out=past)
    n += r * past


@paired(gru_gates_numpy, passes=4)
def gru_gates(gates: Array, product: Array, bias: Array, past: Array) -> None:
    """Row by row."""
    rows, width = past.shape
    one = gates.dtype.type(1)
    for j in range(rows):
        a, from_h, to = gates[j], product[j, 2 * width :], past[j]
        n = a[2 * width :]
        for k in range(2 * width):
            a[k] = one / (a[k] + one)
        for k in range(width):
            to[k] = from_h[k] + bias[k]
        for k in range(width):
            n[k] += a[k] * to[k]


def gru_state_numpy(gates: Array, h: Array, y: Array) -> None:
    """h = n + z (h - n), and once more in y."""
    _, z, n = parts(gates, 3)
    h -= n
    h *= z
    h += n
    y[...] = h


@paired(gru_state_numpy, passes=2)
def gru_state(gates: Array, h: Array, y: Array) -> None:
    """Row by row."""
    rows, width = h.shape
    for j in range(rows):
        z, n = gates[j, width : 2 * width], gates[j, 2 * width :]
        old, new = h[j], y[j]
        for k in range(width):
            value = (old[k] - n[k]) * z[k] + n[k]
            old[k] = value
            new[k] = value


def gru_slopes_numpy(
    gates: Array, past: Array, h_before: Array, slopes: Array, by_n: Array
) -> None:
    """The derivatives of h to W_hh h + b_hh, as far as it goes into r, z and n; and to
    what n is the tanh of."""
    r, z, n = parts(gates, 3)
    by_r, by_z, by_past = parts(slopes, 3)
    np.multiply(n, n, out=by_n)
    np.subtract(1, by_n, out=by_n)
    by_n *= 1 - z
    np.multiply(by_n, r, out=by_past)
    np.subtract(1, r, out=by_r)
    by_r *= by_past
    by_r *= past
    np.subtract(h_before, n, out=by_z)
    by_z *= z
    by_z *= 1 - z


@paired(gru_slopes_numpy, passes=12)
def gru_slopes(
    gates: Array, past: Array, h_before: Array, slopes: Array, by_n: Array
) -> None:
    """All steps in one call, row by row, so that a row stays in the cache."""
    rows, width = past.shape
    one = gates.dtype.type(1)
    for j in range(rows):
        a, d, seen, before, of_n = gates[j], slopes[j], past[j], h_before[j], by_n[j]
        z, n = a[width : 2 * width], a[2 * width :]
        by_z, by_past = d[width : 2 * width], d[2 * width :]
        for k in range(width):
            of_n[k] = (one - n[k] * n[k]) * (one - z[k])
        for k in range(width):
            by_past[k] = of_n[k] * a[k]
        for k in range(width):
            d[k] = (one - a[k]) * by_past[k] * seen[k]
        for k in range(width):
            by_z[k] = (before[k] - n[k]) * z[k] * (one - z[k])


def gru_back_numpy(slopes: Array, gates: Array, by_n: Array, dh: Array) -> None:
    """The slopes and by_n by dh; then dh = z dh, what goes past the new state."""
    n, width = dh.shape
    by_n *= dh
    by_gate = slopes.reshape(n, 3, width)
    by_gate *= dh[:, None]
    dh *= gates[:, width : 2 * width]


@paired(gru_back_numpy, passes=5)
def gru_back(slopes: Array, gates: Array, by_n: Array, dh: Array) -> None:
    """Row by row, in loops so simple that the compiler makes vectors of them."""
    n, width = dh.shape
    for j in range(n):
        d, z, to_n, to_h = slopes[j], gates[j, width : 2 * width], by_n[j], dh[j]
        for k in range(width):
            to_n[k] *= to_h[k]
        for gate in range(3):
            part = d[gate * width : (gate + 1) * width]
            for k in range(width):
                part[k] *= to_h[k]
        for k in range(width):
            to_h[k] *= z[k]


def parts(gates: Array, count: int) -> list[Array]:
    """The gates of all rows, one by one."""
    width = gates.shape[1] // count
    return [gates[:, k * width : (k + 1) * width] for k in range(count)]
