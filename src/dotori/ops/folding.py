"""Windows of pictures as columns of a matrix, and columns added back into pictures.

Convolution as a product of matrices is built on this ("im2col"; Chellapilla, Puri and
Simard, "High performance convolutional neural networks for document processing", 2006).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from dotori.kernels.tiling import Tiling, taps, tile
from dotori.ops._op import Op, Sample, follow


class Columns(Op):
    """y[n, c, k, o] = x at tap k of window o, 0 outside; c and k are made one axis."""

    whole = True

    @staticmethod
    def forward(xp: Any, x: Any, *, tiling: Tiling) -> Any:
        n, c = x.shape[:2]
        y = xp.zeros((n, c, math.prod(tiling.size), *tiling.out), x.dtype)
        x = x.reshape(n, c, *tiling.shape)
        for number, windows, at in taps(tiling):
            y[:, :, number, *windows] = x[:, :, *at]
        return y.reshape(n, c * y.shape[2], math.prod(tiling.out))

    @staticmethod
    def backward(xp: Any, dy: Any, *, tiling: Tiling) -> Any:
        return follow(FromColumns, xp, dy, tiling=tiling)

    @staticmethod
    def torch(x: Any, *, tiling: Tiling) -> Any:
        import torch

        return torch.nn.functional.unfold(x, *_torch_order(tiling))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for tiling in _sampled():
            x = rng.standard_normal((2, 3, *tiling.shape[1:]))
            yield Sample((x,), {"tiling": tiling})


class FromColumns(Op):
    """x = for each place, the sum of all elements of columns that come from it."""

    whole = True

    @staticmethod
    def forward(xp: Any, x: Any, *, tiling: Tiling) -> Any:
        size = math.prod(tiling.size)
        columns = x.reshape(x.shape[0], x.shape[1] // size, size, *tiling.out)
        y = xp.zeros((*columns.shape[:2], *tiling.shape), x.dtype)
        for number, windows, at in taps(tiling):
            y[:, :, *at] += columns[:, :, number, *windows]
        return y.reshape(*y.shape[:2], *tiling.shape[1:])

    @staticmethod
    def backward(xp: Any, dy: Any, *, tiling: Tiling) -> Any:
        return follow(Columns, xp, dy, tiling=tiling)

    @staticmethod
    def torch(x: Any, *, tiling: Tiling) -> Any:
        import torch

        return torch.nn.functional.fold(x, tiling.shape[1:], *_torch_order(tiling))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for tiling in _sampled():
            size, n = math.prod(tiling.size), math.prod(tiling.out)
            x = rng.standard_normal((2, 3 * size, n))
            yield Sample((x,), {"tiling": tiling})


def _torch_order(tiling: Tiling) -> tuple[Any, ...]:
    """Kernel size, dilation, padding and stride, as PyTorch takes them."""
    order = (tiling.size, tiling.dilation, tiling.padding, tiling.stride)
    return tuple(row[1:] for row in order)


def _sampled() -> Iterator[Tiling]:
    yield tile((4, 5), (2, 3), (1, 2), (0, 1), (1, 1))
    yield tile((6, 5), (2, 2), (2, 1), (1, 2), (3, 2))
