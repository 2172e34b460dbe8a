"""Queries, keys and values out of one projection, head by head."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample


class SplitHeads(Op):
    """x of shape (batch, length, 3 features) as q, k, v: (batch, heads, length, dim).

    `batch_axis` is 1 where the length comes first. In memory each keeps the order of
    x, so that what attention makes of them can be joined again without a copy. Three
    views would do; but their gradients would be three arrays of the size of x.
    """

    outputs = ("q", "k", "v")

    @staticmethod
    def forward(xp: Any, x: Any, *, heads: int, batch_axis: int) -> Any:
        return tuple(part.copy(order="K") for part in _parts(xp, x, heads, batch_axis))

    @staticmethod
    def backward(xp: Any, dy: Any, *, heads: int, batch_axis: int) -> Any:
        first = next(g for g in dy if g is not None)
        n, _, length, dim = first.shape
        shape = (length, n) if batch_axis else (n, length)
        if xp is np:
            dx = np.empty((*shape, 3 * heads * dim), first.dtype)
            for part, g in zip(_parts(np, dx, heads, batch_axis), dy, strict=True):
                part[...] = 0 if g is None else g
            return dx
        parts = [first * 0 if g is None else g for g in dy]
        axes = (3, 1, 0, 2, 4) if batch_axis else (1, 3, 0, 2, 4)
        return xp.transpose(xp.stack(parts), axes).reshape(*shape, 3 * heads * dim)

    @staticmethod
    def torch(x: Any, *, heads: int, batch_axis: int) -> Any:
        parts = x.reshape(*x.shape[:2], 3, heads, -1)
        return parts.permute(2, batch_axis, 3, 1 - batch_axis, 4).unbind(0)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for axis in (0, 1):
            x = rng.standard_normal((4, 5, 12))
            yield Sample((x,), {"heads": 2, "batch_axis": axis})


def _parts(xp: Any, x: Any, heads: int, batch_axis: int) -> Any:
    """Views of x: queries, keys and values."""
    one, two, wide = x.shape
    parts = x.reshape(one, two, 3, heads, wide // (3 * heads))
    return xp.transpose(parts, (2, batch_axis, 3, 1 - batch_axis, 4))
