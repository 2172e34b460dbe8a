"""Batch normalisation: each channel by the mean and variance of the whole batch.

Channels are axis 1, as everywhere. Where they lie last in memory, which is how
convolutions leave them, the array is a matrix of one column for each channel, and the
kernels of `dotori.kernels.normalisation` work on it. Any other layout is served by the
plain formulas; the result has the layout of the input.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.kernels import normalisation as kernels
from dotori.ops._op import Op, Sample
from dotori.ops.layout import channels_last, lies_channels_last
from dotori.ops.normalisation import (
    has_kernel,
    in_pieces,
    moments,
    plain_gradients,
)
from dotori.ops.reduce import total

#: The fewest rows that are summed up as a block.
_FEWEST_ROWS = 32
#: Rows are made as long as this, if they are shorter and the number of places allows.
_WIDE = 128


def _over(x: Any) -> tuple[int, ...]:
    """All axes but that of the channels."""
    return (0, *range(2, x.ndim))


def _in_rows(xp: Any, x: Any) -> bool:
    """Whether the kernels can take `x` as it lies in memory."""
    return has_kernel(xp, x) and x.flags.aligned and lies_channels_last(x)


def _rows(x: Any) -> Any:
    """A matrix whose columns are the channels: a view, if `_in_rows`.

    Loops over short rows are slow, so a row holds 1, 2, 4, 8, ... places side by side.
    """
    width, times = x.shape[1], 1
    n = x.size // width
    while 2 * times * width <= _WIDE and n % (2 * times) == 0:
        times *= 2
    return channels_last(np, x).reshape(-1, times * width)


def _broadcast(a: Any, x: Any) -> Any:
    """One number for each channel, in the shape that goes with `x`."""
    return None if a is None else a.reshape((1, -1, *(1,) * (x.ndim - 2)))


class BatchNorm(Op):
    """y = (x - mean) / sqrt(var + eps) w + b, with the mean and variance of a channel.

    w and b, which may be None, have one number for each channel; so have mean and var.
    """

    outputs = ("y", "mean", "var")
    saves = ("x", "w", "mean", "var")
    real = True

    @staticmethod
    def forward(xp: Any, x: Any, w: Any, b: Any, *, eps: float) -> Any:
        if _in_rows(xp, x):
            mean, var = _row_moments(_rows(x), x.shape[1])
        else:
            mean, var = (a.reshape(-1) for a in moments(xp, x, _over(x)))
        return _normalised(xp, x, w, b, mean, var, eps), mean, var

    @staticmethod
    def backward(
        xp: Any, dy: Any, needs: Any, x: Any, w: Any, mean: Any, var: Any, *, eps: float
    ) -> Any:
        if dy[1] is None and dy[2] is None and _in_rows(xp, x):
            return _row_gradients(dy[0], needs, x, w, mean, var, eps)
        dys = [dy[0], _broadcast(dy[1], x), _broadcast(dy[2], x)]
        wide = [_broadcast(a, x) for a in (w, mean, var)]
        over = _over(x)
        return plain_gradients(xp, dys, needs, x, *wide, axes=over, over=over, eps=eps)

    @staticmethod
    def torch(x: Any, w: Any, b: Any, eps: float) -> Any:
        from torch.nn.functional import batch_norm

        y = batch_norm(x, None, None, w, b, True, 0.0, eps)
        return y, x.mean(_over(x)), x.var(_over(x), correction=0)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        w, b = rng.standard_normal((2, 3))
        x = rng.standard_normal((4, 5, 2, 3))
        yield Sample((np.moveaxis(x, -1, 1), w, b), {"eps": 1e-5})
        yield Sample((rng.standard_normal((4, 3, 5)), w, None), {"eps": 0.1})
        yield Sample((rng.standard_normal((6, 3)), None, b), {"eps": 1e-3})


class FixedNorm(Op):
    """y = (x - mean) / sqrt(var + eps) w + b, with constants for mean and variance.

    All have one number for each channel; w and b may be None.
    """

    saves = ("x", "w")
    real = True

    @staticmethod
    def forward(
        xp: Any, x: Any, w: Any, b: Any, *, mean: Any, var: Any, eps: float
    ) -> Any:
        return _normalised(xp, x, w, b, mean, var, eps)

    @staticmethod
    def backward(
        xp: Any, dy: Any, needs: Any, x: Any, w: Any, *, mean: Any, var: Any, eps: float
    ) -> Any:
        rate = _broadcast(1 / np.sqrt(var + var.dtype.type(eps)), x)
        w, dx, dw, db = _broadcast(w, x), None, None, None
        if needs[0]:
            dx = dy * (rate if w is None else w * rate)
        if needs[1]:
            u = (x - _broadcast(mean, x)) * rate
            dw = total(xp, dy * u, _over(x), False)
        if needs[2]:
            db = total(xp, dy, _over(x), False)
        return dx, dw, db

    @staticmethod
    def torch(x: Any, w: Any, b: Any, mean: Any, var: Any, eps: float) -> Any:
        from torch import from_numpy
        from torch.nn.functional import batch_norm

        given = from_numpy(mean).to(x.dtype), from_numpy(var).to(x.dtype)
        return batch_norm(x, *given, w, b, False, 0.0, eps)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        w, b, mean, var = rng.uniform(0.5, 2.0, (4, 3))
        attrs = {"mean": mean, "var": var, "eps": 1e-5}
        x = rng.standard_normal((4, 5, 3))
        yield Sample((np.moveaxis(x, -1, 1), w, b), attrs)
        yield Sample((rng.standard_normal((4, 3, 5, 2)), None, b), attrs)
        yield Sample((rng.standard_normal((4, 3)), w, None), attrs)


def _normalised(
    xp: Any, x: Any, w: Any, b: Any, mean: Any, var: Any, eps: float
) -> Any:
    """(x - mean) / sqrt(var + eps) w + b."""
    scale = 1 / xp.sqrt(var + var.dtype.type(eps))
    scale = scale if w is None else scale * w
    if not _in_rows(xp, x):
        y = (x - _broadcast(mean, x)) * _broadcast(scale, x)
        return y if b is None else y + _broadcast(b, x)
    b = np.zeros_like(scale) if b is None else b
    y = np.empty_like(x)  # with the strides of x
    rows, made = _rows(x), _rows(y)
    mean, scale, b = (_repeated(a, rows) for a in (mean, scale, b))

    def run(i: int, j: int) -> None:
        kernels.channel_affine(rows[i:j], mean, scale, b, made[i:j])

    in_pieces(len(rows), rows.shape[1], run)
    return y


def _repeated(a: Any, rows: Any) -> Any:
    """One number for each channel, as often as `rows` has the channels side by side."""
    a = np.ascontiguousarray(a, rows.dtype)
    times = rows.shape[1] // a.size
    return a if times == 1 else np.tile(a, times)


def _rows_of_block(width: int) -> int:
    return max(_FEWEST_ROWS, kernels.BLOCK // width)


def _row_moments(rows: Any, n_channels: int) -> tuple[Any, Any]:
    """Mean and variance of each channel: those of the blocks, joined in float64.

    sum of squares = sum over the blocks of (theirs + rows * (their mean - mean)^2)
    (Chan, Golub and LeVeque, 1983, section 2).
    """
    n, width = rows.shape
    block = _rows_of_block(width)
    n_blocks = -(-n // block)
    means, squares = np.empty((2, n_blocks, width), rows.dtype)

    def run(i: int, j: int) -> None:
        part = rows[i * block : j * block]
        kernels.channel_moments(part, block, means[i:j], squares[i:j])

    in_pieces(n_blocks, block * width, run)
    counts = np.full((n_blocks, 1, 1), float(block))
    counts[-1] = n - block * (n_blocks - 1)
    means, squares = (a.reshape(n_blocks, -1, n_channels) for a in (means, squares))
    n *= means.shape[1]
    mean = (counts * means).sum(axis=(0, 1)) / n
    off = means - mean
    var = (squares + counts * off * off).sum(axis=(0, 1)) / n
    return mean.astype(rows.dtype), var.astype(rows.dtype)


def _row_sums(dy: Any, x: Any, mean: Any, n_channels: int) -> Any:
    """Of each channel, the sum of dy, and that of dy (x - mean), in float64."""
    n, width = x.shape
    block = _rows_of_block(width)
    n_blocks = -(-n // block)
    sums = np.empty((2, n_blocks, width), x.dtype)
    plain, weighted = sums

    def run(i: int, j: int) -> None:
        rows = slice(i * block, j * block)
        kernels.channel_sums(dy[rows], x[rows], mean, block, plain[i:j], weighted[i:j])

    in_pieces(n_blocks, block * width, run)
    return sums.reshape(2, -1, n_channels).sum(axis=1, dtype=np.float64)


def _row_gradients(
    dy: Any, needs: Any, x: Any, w: Any, mean: Any, var: Any, eps: float
) -> tuple[Any, Any, Any]:
    """The gradients of `BatchNorm` by the kernels."""
    n, dtype = x.size // x.shape[1], x.dtype
    rows, dys = _rows(x), _rows(dy)
    repeated = _repeated(mean, rows)
    plain, weighted = _row_sums(dys, rows, repeated, x.shape[1])
    rate = 1 / np.sqrt(var + dtype.type(eps))
    dx = None
    if needs[0]:
        dx = np.empty_like(x)
        dxs = _rows(dx)
        of_channel = (
            plain / n,
            weighted / n * rate * rate,
            rate if w is None else rate * w,
        )
        a, b, scale = (_repeated(part, rows) for part in of_channel)

        def run(i: int, j: int) -> None:
            part = dys[i:j], rows[i:j], repeated
            kernels.channel_gradient(*part, a, b, scale, dxs[i:j])

        in_pieces(len(rows), rows.shape[1], run)
    return dx, (weighted * rate).astype(dtype), plain.astype(dtype)
