"""Convolution with 3 x 3 kernels in a quarter of the multiplications.

Winograd's minimal filtering F(4 x 4, 3 x 3) (Lavin and Gray, "Fast algorithms for
convolutional neural networks", 2016): a tile of 6 x 6 input places d gives 4 x 4 output
places

    Y = A^T [ (G g G^T) * (B^T d B) ] A

and, as the product * is one of matrices over the channels for each of the 36 places of
a tile, nearly all the work is 36 products of matrices. The gradient for the weights is
the same formula read backwards: G^T [ (B^T d B)^T (A dY A^T) ] G.

The matrices come from interpolation at 0, +-a, +-b and infinity. The textbook's a = 1
and b = 2 lose two digits; a = 3/4 and b = 3/2 lose half of one, and their powers are
exact in binary (compare Barabasz and others, "Error analysis and improving the accuracy
of Winograd convolution", 2020).

Pictures are (N, H, W, C). The transforms are kernels: loops for Numba and their twins.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._pair import compiling, paired
from dotori.kernels._threads import in_parallel, one_blas_thread, product
from dotori.kernels.window import Window

Array = NDArray[Any]

A, B = 0.75, 1.5
A2, B2, A3, B3 = A**2, B**2, A**3, B**3
AB, SUM = A2 * B2, A2 + B2
#: In so many parts, whatever the number of threads, a gradient of weights is summed.
PARTS = 4
#: Bytes that the transformed tiles of one step may take.
BUDGET = 1 << 20


def _filters() -> Array:
    """G: the weights' polynomial at the points, over the Lagrange denominators."""
    points = [0.0, A, -A, B, -B]
    rows = []
    for p in points:
        below = np.prod([p - q for q in points if q != p])
        rows.append([1 / below, p / below, p * p / below])
    return np.array([*rows, [0.0, 0.0, 1.0]])


G = _filters()
#: G g G^T as one product, for g as a row of nine numbers.
GG = np.kron(G, G).astype(np.float32)


def suits(x: Array, n_out: int, window: Window, groups: int) -> bool:
    """Whether these pictures gain by it: 3 x 3 steps of one, enough tiles, channels.

    Without Numba the transforms cost more than the products that they save.
    """
    if x.dtype != np.float32 or groups != 1 or window.kernel != (3, 3):
        return False
    if not compiling():
        return False
    if window.stride != (1, 1) or window.dilation != (1, 1):
        return False
    out, channels = window.positions(x.shape[1:-1]), x.shape[-1]
    if min(*out, channels // 4, n_out // 4) < 4:
        return False
    down, across = _tiles(out)
    fills = out[0] * out[1] / (16 * down * across)
    # transforming the weights must not cost more than what is saved
    return fills > 0.5 and x.shape[0] * down * across >= 32


def _tiles(out: tuple[int, ...]) -> tuple[int, int]:
    return -(-out[0] // 4), -(-out[1] // 4)


def correlate(x: Array, w: Array, bias: Array | None, window: Window) -> Array:
    """y[n, i, k] = sum over (r, c) of x[n, i + r, c] w[k, c, r].

    Parameters
    ----------
    x : array, shape (N, H, W, C), float32
    w : array, shape (K, C, 3, 3)
    bias : array, shape (K,), or None

    Returns
    -------
    array, shape (N, *out, K)
    """
    (n, channels), n_out = (x.shape[0], x.shape[-1]), w.shape[0]
    out = window.positions(x.shape[1:-1])
    filters = product(np, GG, w.reshape(n_out * channels, 9).T)
    filters = filters.reshape(36, n_out, channels).transpose(0, 2, 1)
    filters = np.ascontiguousarray(filters, x.dtype)
    bias = np.zeros(n_out, x.dtype) if bias is None else np.ascontiguousarray(bias)
    y = np.empty((n, *out, n_out), x.dtype)
    step = _step(out, max(channels, n_out), x.dtype)

    def run(start: int, stop: int) -> None:
        room = _Room(window, out)
        products: Array | None = None
        for i in range(start * step, min(stop * step, n), step):
            tiles = room.transformed(x[i : i + step])
            if products is None or products.shape[1] != tiles.shape[1]:
                products = np.empty((36, tiles.shape[1], n_out), x.dtype)
            np.matmul(tiles, filters, out=products)
            winograd_output(products, y[i : i + step], bias)

    with one_blas_thread:
        in_parallel(-(-n // step), run)
    return y


def weight_gradient(x: Array, dy: Array, window: Window) -> Array:
    """dw[k, c, r] = sum over (n, i) of x[n, i + r, c] dy[n, i, k].

    Returns
    -------
    array, shape (K, C, 3, 3)
    """
    n, out, n_out = x.shape[0], dy.shape[1:-1], dy.shape[-1]
    step = _step(out, max(x.shape[-1], n_out), x.dtype)
    bounds = [-(-n // step) * i // PARTS * step for i in range(PARTS + 1)]
    sums = np.zeros((PARTS, 36, x.shape[-1], n_out), x.dtype)

    def run(start: int, stop: int) -> None:
        room = _Room(window, out)
        for part in range(start, stop):
            for i in range(bounds[part], min(bounds[part + 1], n), step):
                tiles = room.transformed(x[i : i + step])
                given = np.empty((36, tiles.shape[1], n_out), x.dtype)
                winograd_gradient(given, dy[i : i + step])
                sums[part] += np.matmul(tiles.transpose(0, 2, 1), given)

    with one_blas_thread:
        in_parallel(PARTS, run)
    total = product(np, GG.T, sums.sum(axis=0).reshape(36, -1))
    dw = total.reshape(3, 3, x.shape[-1], n_out).transpose(3, 2, 0, 1)
    return np.ascontiguousarray(dw, x.dtype)


def _step(out: tuple[int, ...], channels: int, dtype: np.dtype[Any]) -> int:
    """How many pictures are transformed at a time."""
    down, across = _tiles(out)
    return max(1, BUDGET // (36 * down * across * channels * dtype.itemsize))


class _Room:
    """Memory for a few pictures with their padding, and for their tiles."""

    def __init__(self, window: Window, out: tuple[int, ...]) -> None:
        self.down, self.across = _tiles(out)
        (self.top, _), (self.left, _) = window.padding
        self.padded = self.tiles = np.empty(0)

    def transformed(self, x: Array) -> Array:
        """The tiles of `x`, B^T d B; the memory is used again by the next call."""
        n, channels, top, left = len(x), x.shape[-1], self.top, self.left
        if len(self.padded) != n:  # at first, and for fewer pictures at the end
            size = 4 * self.down + 2, 4 * self.across + 2
            self.padded = np.zeros((n, *size, channels), x.dtype)
            self.tiles = np.empty((36, n * self.down * self.across, channels), x.dtype)
        inside = x[:, max(-top, 0) :, max(-left, 0) :]
        target = self.padded[:, max(top, 0) :, max(left, 0) :]
        rows = min(inside.shape[1], target.shape[1])
        columns = min(inside.shape[2], target.shape[2])
        target[:, :rows, :columns] = inside[:, :rows, :columns]
        winograd_input(self.padded, self.tiles, self.down, self.across)
        return self.tiles


def _input_rows(d: list[Any]) -> list[Any]:
    """B^T d: six values of the input's polynomial, from six places."""
    even_a, odd_a = d[4] - B2 * d[2], A * (d[3] - B2 * d[1])
    even_b, odd_b = d[4] - A2 * d[2], B * (d[3] - A2 * d[1])
    return [
        AB * d[0] - SUM * d[2] + d[4],
        even_a + odd_a,
        even_a - odd_a,
        even_b + odd_b,
        even_b - odd_b,
        AB * d[1] - SUM * d[3] + d[5],
    ]


def winograd_input_numpy(x: Array, tiles: Array, down: int, across: int) -> None:
    """B^T d B for each 6 x 6 tile d of `x` (N, H, W, C), into (36, N * tiles, C)."""
    high, wide = 4 * (down - 1) + 1, 4 * (across - 1) + 1
    half = _input_rows([x[:, i : i + high : 4] for i in range(6)])
    shape = (6, 6, x.shape[0], down, across, x.shape[3])
    target = tiles.reshape(shape)
    for i in range(6):
        whole = _input_rows([half[i][:, :, j : j + wide : 4] for j in range(6)])
        for j in range(6):
            target[i, j] = whole[j]


@paired(winograd_input_numpy, passes=30)
def winograd_input(x: Array, tiles: Array, down: int, across: int) -> None:
    """The twin's sums, tile by tile."""
    n, _, _, channels = x.shape
    number = x.dtype.type
    a, b, a2, b2 = number(A), number(B), number(A2), number(B2)
    ab, total = number(AB), number(SUM)
    half = np.empty((6, 6, channels), x.dtype)
    for t in range(n * down * across):
        picture, place = t // (down * across), t % (down * across)
        i, j = 4 * (place // across), 4 * (place % across)
        for s in range(6):
            for c in range(channels):
                d0, d1 = x[picture, i, j + s, c], x[picture, i + 1, j + s, c]
                d2, d3 = x[picture, i + 2, j + s, c], x[picture, i + 3, j + s, c]
                d4, d5 = x[picture, i + 4, j + s, c], x[picture, i + 5, j + s, c]
                even_a, odd_a = d4 - b2 * d2, a * (d3 - b2 * d1)
                even_b, odd_b = d4 - a2 * d2, b * (d3 - a2 * d1)
                half[0, s, c] = ab * d0 - total * d2 + d4
                half[1, s, c] = even_a + odd_a
                half[2, s, c] = even_a - odd_a
                half[3, s, c] = even_b + odd_b
                half[4, s, c] = even_b - odd_b
                half[5, s, c] = ab * d1 - total * d3 + d5
        for s in range(6):
            for c in range(channels):
                d0, d1, d2 = half[s, 0, c], half[s, 1, c], half[s, 2, c]
                d3, d4, d5 = half[s, 3, c], half[s, 4, c], half[s, 5, c]
                even_a, odd_a = d4 - b2 * d2, a * (d3 - b2 * d1)
                even_b, odd_b = d4 - a2 * d2, b * (d3 - a2 * d1)
                tiles[6 * s, t, c] = ab * d0 - total * d2 + d4
                tiles[6 * s + 1, t, c] = even_a + odd_a
                tiles[6 * s + 2, t, c] = even_a - odd_a
                tiles[6 * s + 3, t, c] = even_b + odd_b
                tiles[6 * s + 4, t, c] = even_b - odd_b
                tiles[6 * s + 5, t, c] = ab * d1 - total * d3 + d5


def _output_rows(m: list[Any]) -> list[Any]:
    """A^T m: four output places from six values."""
    even_a, odd_a, even_b, odd_b = m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]
    return [
        m[0] + even_a + even_b,
        A * odd_a + B * odd_b,
        A2 * even_a + B2 * even_b,
        A3 * odd_a + B3 * odd_b + m[5],
    ]


def winograd_output_numpy(products: Array, y: Array, bias: Array) -> None:
    """A^T m A + bias for the 6 x 6 values m of each tile, into `y` (N, H, W, K)."""
    n, height, width, n_out = y.shape
    down, across = _tiles((height, width))
    m = products.reshape(6, 6, n, down, across, n_out)
    half = [_output_rows([m[i, j] for i in range(6)]) for j in range(6)]
    for i in range(4):
        whole = _output_rows([half[j][i] for j in range(6)])
        rows = y[:, i::4]
        for j in range(4):
            target = rows[:, :, j::4]
            kept = whole[j][:, : target.shape[1], : target.shape[2]]
            np.add(kept, bias, out=target)


@paired(winograd_output_numpy, passes=15)
def winograd_output(products: Array, y: Array, bias: Array) -> None:
    """The twin's sums, tile by tile; what hangs over the edge is left out."""
    n, height, width, n_out = y.shape
    down, across = (height + 3) // 4, (width + 3) // 4
    number = y.dtype.type
    a, b, a2, b2 = number(A), number(B), number(A2), number(B2)
    a3, b3 = number(A3), number(B3)
    half = np.empty((4, 6, n_out), y.dtype)
    whole = np.empty((4, n_out), y.dtype)
    for t in range(n * down * across):
        picture, place = t // (down * across), t % (down * across)
        top, left = 4 * (place // across), 4 * (place % across)
        for s in range(6):
            for c in range(n_out):
                m1, m2 = products[6 + s, t, c], products[12 + s, t, c]
                m3, m4 = products[18 + s, t, c], products[24 + s, t, c]
                even_a, odd_a, even_b, odd_b = m1 + m2, m1 - m2, m3 + m4, m3 - m4
                half[0, s, c] = products[s, t, c] + even_a + even_b
                half[1, s, c] = a * odd_a + b * odd_b
                half[2, s, c] = a2 * even_a + b2 * even_b
                half[3, s, c] = a3 * odd_a + b3 * odd_b + products[30 + s, t, c]
        for i in range(min(4, height - top)):
            for c in range(n_out):
                h1, h2, h3, h4 = (
                    half[i, 1, c],
                    half[i, 2, c],
                    half[i, 3, c],
                    half[i, 4, c],
                )
                even_a, odd_a, even_b, odd_b = h1 + h2, h1 - h2, h3 + h4, h3 - h4
                whole[0, c] = half[i, 0, c] + even_a + even_b + bias[c]
                whole[1, c] = a * odd_a + b * odd_b + bias[c]
                whole[2, c] = a2 * even_a + b2 * even_b + bias[c]
                whole[3, c] = a3 * odd_a + b3 * odd_b + half[i, 5, c] + bias[c]
            for j in range(min(4, width - left)):
                for c in range(n_out):
                    y[picture, top + i, left + j, c] = whole[j, c]


def _gradient_rows(g: list[Any]) -> list[Any]:
    """A g: six values from four output gradients, the transpose of `_output_rows`."""
    even_a, odd_a = g[0] + A2 * g[2], A * g[1] + A3 * g[3]
    even_b, odd_b = g[0] + B2 * g[2], B * g[1] + B3 * g[3]
    return [
        g[0],
        even_a + odd_a,
        even_a - odd_a,
        even_b + odd_b,
        even_b - odd_b,
        g[3],
    ]


def winograd_gradient_numpy(tiles: Array, dy: Array) -> None:
    """A g A^T for each 4 x 4 tile g of `dy` (N, H, W, K), into (36, N * tiles, K)."""
    n, height, width, n_out = dy.shape
    down, across = _tiles((height, width))
    around = np.zeros((n, 4 * down, 4 * across, n_out), dy.dtype)
    around[:, :height, :width] = dy
    half = _gradient_rows([around[:, i::4] for i in range(4)])
    target = tiles.reshape(6, 6, n, down, across, n_out)
    for i in range(6):
        whole = _gradient_rows([half[i][:, :, j::4] for j in range(4)])
        for j in range(6):
            target[i, j] = whole[j]


@paired(winograd_gradient_numpy, passes=15)
def winograd_gradient(tiles: Array, dy: Array) -> None:
    """The twin's sums, tile by tile; beyond the edge, gradients are zero."""
    n, height, width, n_out = dy.shape
    down, across = (height + 3) // 4, (width + 3) // 4
    number = dy.dtype.type
    a, b, a2, b2 = number(A), number(B), number(A2), number(B2)
    a3, b3 = number(A3), number(B3)
    given = np.empty((4, 4, n_out), dy.dtype)
    half = np.empty((6, 4, n_out), dy.dtype)
    for t in range(n * down * across):
        picture, place = t // (down * across), t % (down * across)
        top, left = 4 * (place // across), 4 * (place % across)
        for i in range(4):
            for j in range(4):
                if top + i < height and left + j < width:
                    for c in range(n_out):
                        given[i, j, c] = dy[picture, top + i, left + j, c]
                else:
                    given[i, j] = 0
        for s in range(4):
            for c in range(n_out):
                g0, g1 = given[0, s, c], given[1, s, c]
                g2, g3 = given[2, s, c], given[3, s, c]
                even_a, odd_a = g0 + a2 * g2, a * g1 + a3 * g3
                even_b, odd_b = g0 + b2 * g2, b * g1 + b3 * g3
                half[0, s, c] = g0
                half[1, s, c] = even_a + odd_a
                half[2, s, c] = even_a - odd_a
                half[3, s, c] = even_b + odd_b
                half[4, s, c] = even_b - odd_b
                half[5, s, c] = g3
        for s in range(6):
            for c in range(n_out):
                g0, g1, g2, g3 = (
                    half[s, 0, c],
                    half[s, 1, c],
                    half[s, 2, c],
                    half[s, 3, c],
                )
                even_a, odd_a = g0 + a2 * g2, a * g1 + a3 * g3
                even_b, odd_b = g0 + b2 * g2, b * g1 + b3 * g3
                tiles[6 * s, t, c] = g0
                tiles[6 * s + 1, t, c] = even_a + odd_a
                tiles[6 * s + 2, t, c] = even_a - odd_a
                tiles[6 * s + 3, t, c] = even_b + odd_b
                tiles[6 * s + 4, t, c] = even_b - odd_b
                tiles[6 * s + 5, t, c] = g3
