"""The largest number and the sum of each window, over one, two or three axes.

Inputs have the shape (N, C, *axes), or (C, *axes) without a batch. The kernels want
(batch, places, channels): channels where they lie last in memory, else N and C together
as the batch with one channel. Outputs lie as the inputs do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.backend import namespace
from dotori.kernels import Pair, in_parallel, pooling
from dotori.kernels.tiling import Tiling, places, tile
from dotori.ops._op import Op, Sample, follow
from dotori.ops.layout import channels_first_view, channels_last, lies_channels_last

#: The fewest numbers that are worth a thread: pooling fewer is faster than waking one.
WORTH_A_THREAD = 50_000
#: The longest table of places that loops are given: 8 MB. Windows of so many taps are
#: NumPy's to work through.
LARGEST_TABLE = 1 << 20


def has_channels_last(x: Any, axes: int) -> bool:
    """Whether the channels of `x` lie side by side."""
    if x.shape[-axes - 1] == 1 or x.flags.c_contiguous:
        return False
    return lies_channels_last(x if x.ndim == axes + 2 else x[None])


def in_rows(xp: Any, x: Any, axes: int, last: bool) -> Any:
    """`x` as (batch, places, channels), or as (batch * channels, places, 1)."""
    n = math.prod(x.shape[-axes:])
    if not last:
        rows = math.prod(x.shape[:-axes])
        return xp.ascontiguousarray(x).reshape(rows, n, 1)
    x = channels_last(xp, x if x.ndim == axes + 2 else x[None])
    return x.reshape(len(x), n, x.shape[-1])


def from_rows(xp: Any, y: Any, shape: tuple[int, ...], axes: int, last: bool) -> Any:
    """The same memory seen as (N, C, *axes), or (C, *axes)."""
    if not last:
        return y.reshape(shape)
    y = channels_first_view(xp, y.reshape(len(y), *shape[-axes:], y.shape[-1]))
    return y if y.ndim == len(shape) else y[0]


def _run(xp: Any, pair: Pair, tiling: Tiling, *rows: Any) -> None:
    """The kernel on pieces of the batch, which are the first axis of all `rows`.

    Loops over channels gain nothing where there is one, and know two types.
    """
    x = rows[0]
    loops = xp is np and x.shape[2] > 1 and x.dtype.char in "fd" and x.dtype.isnative
    loops = loops and math.prod((*tiling.out, *tiling.size)) <= LARGEST_TABLE
    kernel, geometry = pair if loops else pair.twin, tuple(tiling)
    where = places(tiling) if loops else None  # which NumPy does not read

    def piece(start: int, stop: int) -> None:
        kernel(*[a[start:stop] for a in rows], where, geometry)

    in_parallel(len(x), piece, _worth_a_thread(*rows))


def _worth_a_thread(*rows: Any) -> int:
    most: int = max([1, *(a[:1].size for a in rows)])
    return WORTH_A_THREAD // most


def _pooled_shape(x: Any, tiling: Tiling, axes: int) -> tuple[int, ...]:
    return (*x.shape[:-axes], *tiling.out[-axes:])


def pooled(xp: Any, x: Any, tiling: Tiling, axes: int) -> tuple[Any, Any, bool]:
    """The largest numbers and the taps that they come from, in rows."""
    last = has_channels_last(x, axes)
    rows = in_rows(xp, x, axes, last)
    shape = (len(rows), math.prod(tiling.out), rows.shape[2])
    y = xp.empty(shape, x.dtype)
    few = math.prod(tiling.size) <= 256
    winners = xp.empty(shape, np.uint8 if few else np.int32)
    _run(xp, pooling.max_pool, tiling, rows, y, winners)
    return y, winners, last


def winning_places(xp: Any, winners: Any, tiling: Tiling) -> Any:
    """Where in its block each winner lies, in C order."""
    table = xp.asarray(places(tiling))
    return table[xp.arange(len(table))[:, None], winners]


def winning_index(x: Any, tiling: Tiling, axes: int) -> Any:
    """`winning_places` of the pooling of `x`, as PyTorch shapes its indices."""
    xp = namespace(x)
    _, winners, last = pooled(xp, x, tiling, axes)
    found = winning_places(xp, winners, tiling)
    return from_rows(xp, found, _pooled_shape(x, tiling, axes), axes, last)


def _sampled(rng: Any) -> Iterator[tuple[Any, Tiling, int]]:
    """Inputs of one to three axes, with and without a batch, and windows over them."""
    for shape, size, stride, padding, dilation in (
        ((2, 3, 7), (3,), (2,), (1,), (1,)),
        ((3, 6, 7), (2, 3), (2, 3), (0, 0), (1, 1)),
        ((2, 3, 6, 7), (2, 3), (1, 2), (1, 1), (2, 1)),
        ((2, 2, 3, 4, 5), (2, 2, 3), (1, 2, 2), (0, 1, 1), (1, 1, 1)),
    ):
        axes = len(size)
        tiling = tile(shape[-axes:], size, stride, padding, dilation, beyond=True)
        yield rng.standard_normal(shape), tiling, axes


def _torch_windows(x: Any, tiling: Tiling, axes: int) -> Any:
    """PyTorch's tensor as (rows, windows, taps), 0 outside."""
    import torch

    table = torch.as_tensor(places(tiling).copy())
    flat = x.reshape(math.prod(x.shape[:-axes]), -1)
    return torch.where(table >= 0, flat[:, table.clamp(min=0)], 0.0)


class MaxPool(Op):
    """y = the largest number of each window; the gradient goes where it was found."""

    whole = True
    real = True
    extras = ("winners",)
    saves = ("winners",)

    @staticmethod
    def forward(xp: Any, x: Any, *, tiling: Tiling, axes: int) -> Any:
        y, winners, last = pooled(xp, x, tiling, axes)
        return from_rows(xp, y, _pooled_shape(x, tiling, axes), axes, last), winners

    @staticmethod
    def backward(xp: Any, dy: Any, winners: Any, *, tiling: Tiling, axes: int) -> Any:
        return follow(PutWinners, xp, dy, winners, tiling=tiling, axes=axes)

    @staticmethod
    def torch(x: Any, *, tiling: Tiling, axes: int) -> Any:
        import torch

        function = getattr(torch.nn.functional, f"max_pool{axes}d")
        size, stride, padding, dilation = (w[-axes:] for w in tiling[2:])
        return function(x, size, stride, padding, dilation, ceil_mode=True)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for x, tiling, axes in _sampled(rng):
            yield Sample((x,), {"tiling": tiling, "axes": axes})


class MaxOnly(Op):
    """`MaxPool` where no gradient is wanted: nobody asks which tap won."""

    whole = True
    real = True
    differentiable = False

    @staticmethod
    def forward(xp: Any, x: Any, *, tiling: Tiling, axes: int) -> Any:
        last = has_channels_last(x, axes)
        rows = in_rows(xp, x, axes, last)
        y = xp.empty((len(rows), *tiling.out, rows.shape[2]), x.dtype)
        rows = rows.reshape(len(rows), *tiling.shape, rows.shape[2])

        def piece(start: int, stop: int) -> None:
            pooling.largest(rows[start:stop], y[start:stop], tiling)

        in_parallel(len(y), piece, _worth_a_thread(rows))
        return from_rows(xp, y, _pooled_shape(x, tiling, axes), axes, last)

    torch = staticmethod(MaxPool.torch)
    samples = staticmethod(MaxPool.samples)


class PutWinners(Op):
    """dx = dy at the places that won in `MaxPool`, 0 elsewhere."""

    whole = True
    saves = ("winners",)

    @staticmethod
    def forward(xp: Any, dy: Any, winners: Any, *, tiling: Tiling, axes: int) -> Any:
        last = winners.shape[2] > 1
        rows = in_rows(xp, dy, axes, last)
        dx = xp.empty((len(rows), math.prod(tiling.shape), rows.shape[2]), dy.dtype)
        _run(xp, pooling.put_winners, tiling, rows, winners, dx)
        shape = (*dy.shape[:-axes], *tiling.shape[-axes:])
        return from_rows(xp, dx, shape, axes, last)

    @staticmethod
    def backward(
        xp: Any, dy: Any, needs: Any, winners: Any, *, tiling: Tiling, axes: int
    ) -> Any:
        taken = follow(TakeWinners, xp, dy, winners, tiling=tiling, axes=axes)
        return taken, None

    @staticmethod
    def torch(dy: Any, winners: Any, *, tiling: Tiling, axes: int) -> Any:
        import torch

        n = math.prod(tiling.shape)
        index = torch.as_tensor(winning_places(np, winners.numpy(), tiling))
        flat = torch.zeros(len(index), n, index.shape[2], dtype=dy.dtype)
        flat = flat.scatter_add(1, index, dy.reshape(index.shape))
        return flat.reshape(*dy.shape[:-axes], *tiling.shape[-axes:])

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for x, tiling, axes in _sampled(rng):
            _, winners, _ = pooled(np, x, tiling, axes)
            dy = rng.standard_normal(_pooled_shape(x, tiling, axes))
            yield Sample((dy, winners), {"tiling": tiling, "axes": axes})


class TakeWinners(Op):
    """y = x at the places that won in `MaxPool`: `PutWinners` backwards."""

    whole = True
    saves = ("winners",)

    @staticmethod
    def forward(xp: Any, x: Any, winners: Any, *, tiling: Tiling, axes: int) -> Any:
        last = winners.shape[2] > 1
        rows = in_rows(xp, x, axes, last)
        y = xp.take_along_axis(rows, winning_places(xp, winners, tiling), 1)
        return from_rows(xp, y, _pooled_shape(x, tiling, axes), axes, last)

    @staticmethod
    def backward(
        xp: Any, dy: Any, needs: Any, winners: Any, *, tiling: Tiling, axes: int
    ) -> Any:
        return follow(PutWinners, xp, dy, winners, tiling=tiling, axes=axes), None

    @staticmethod
    def torch(x: Any, winners: Any, *, tiling: Tiling, axes: int) -> Any:
        import torch

        index = torch.as_tensor(winning_places(np, winners.numpy(), tiling))
        flat = x.reshape(len(index), -1, index.shape[2])
        return flat.gather(1, index).reshape(_pooled_shape(x, tiling, axes))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for x, tiling, axes in _sampled(rng):
            _, winners, _ = pooled(np, x, tiling, axes)
            other = rng.standard_normal(x.shape)
            yield Sample((other, winners), {"tiling": tiling, "axes": axes})


class WindowSum(Op):
    """y = the sum of each window; `last` says whether its channels are to lie last."""

    whole = True

    @staticmethod
    def forward(xp: Any, x: Any, *, tiling: Tiling, axes: int, last: bool) -> Any:
        rows = in_rows(xp, x, axes, last)
        y = xp.empty((len(rows), math.prod(tiling.out), rows.shape[2]), x.dtype)
        _run(xp, pooling.window_sum, tiling, rows, y)
        return from_rows(xp, y, _pooled_shape(x, tiling, axes), axes, last)

    @staticmethod
    def backward(xp: Any, dy: Any, *, tiling: Tiling, axes: int, last: bool) -> Any:
        return follow(SpreadSum, xp, dy, tiling=tiling, axes=axes, last=last)

    @staticmethod
    def torch(x: Any, *, tiling: Tiling, axes: int, last: bool) -> Any:
        sums = _torch_windows(x, tiling, axes).sum(-1)
        return sums.reshape(_pooled_shape(x, tiling, axes))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for x, tiling, axes in _sampled(rng):
            last = x.ndim == axes + 2
            yield Sample((x,), {"tiling": tiling, "axes": axes, "last": last})


class SpreadSum(Op):
    """dx = for each place, the sum of dy over the windows that it is in."""

    whole = True

    @staticmethod
    def forward(xp: Any, dy: Any, *, tiling: Tiling, axes: int, last: bool) -> Any:
        rows = in_rows(xp, dy, axes, last)
        dx = xp.empty((len(rows), math.prod(tiling.shape), rows.shape[2]), dy.dtype)
        _run(xp, pooling.spread_sum, tiling, rows, dx)
        shape = (*dy.shape[:-axes], *tiling.shape[-axes:])
        return from_rows(xp, dx, shape, axes, last)

    @staticmethod
    def backward(xp: Any, dy: Any, *, tiling: Tiling, axes: int, last: bool) -> Any:
        return follow(WindowSum, xp, dy, tiling=tiling, axes=axes, last=last)

    @staticmethod
    def torch(dy: Any, *, tiling: Tiling, axes: int, last: bool) -> Any:
        import torch

        shape = (*dy.shape[:-axes], *tiling.shape[-axes:])
        x = torch.zeros(shape, dtype=dy.dtype, requires_grad=True)
        y = WindowSum.torch(x, tiling=tiling, axes=axes, last=last)
        return torch.autograd.grad(y, x, dy, create_graph=True)[0]

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for x, tiling, axes in _sampled(rng):
            dy = rng.standard_normal(_pooled_shape(x, tiling, axes))
            last = x.ndim == axes + 2
            yield Sample((dy,), {"tiling": tiling, "axes": axes, "last": last})
