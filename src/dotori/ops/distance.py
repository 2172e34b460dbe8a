"""Euclidean distances of all pairs, without an array of all differences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from dotori.ops._op import Op, Sample

#: So many differences are held at once (32 MiB of float64).
_BLOCK = 1 << 22
#: From so many differences on, a product of matrices does most of the work.
_MANY = 1 << 20


def _by_differences(xp: Any, a: Any, b: Any) -> Any:
    """The distances from the differences themselves, some rows at a time."""
    *lead, n, d = a.shape
    m = b.shape[-2]
    y = xp.empty((*lead, n, m), a.dtype)
    rows = max(1, _BLOCK // max(math.prod(lead) * m * d, 1))
    for start in range(0, n, rows):
        part = a[..., start : start + rows, None, :] - b[..., None, :, :]
        y[..., start : start + rows, :] = xp.sqrt((part * part).sum(axis=-1))
    return y


def _by_products(xp: Any, a: Any, b: Any) -> Any:
    """|a|^2 + |b|^2 - 2ab, many times faster, and the differences where it cancels.

    The rounding errors are those of |a|^2 + |b|^2. Where the distance is so much
    smaller that they would be seen in it, it is computed again.
    """
    middle = b.mean(axis=-2, keepdims=True)
    u, v = a - middle, b - middle
    sizes = (u * u).sum(axis=-1)[..., :, None] + (v * v).sum(axis=-1)[..., None, :]
    square = sizes - 2 * xp.matmul(u, xp.swapaxes(v, -1, -2))
    near = square < sizes * (1e-4 if a.dtype.itemsize == 8 else 0.05)
    places = xp.nonzero(near)
    step = max(1, _BLOCK // a.shape[-1])
    for start in range(0, len(places[0]), step):
        *lead, i, j = (p[start : start + step] for p in places)
        part = a[(*lead, i)] - b[(*lead, j)]
        square[(*lead, i, j)] = (part * part).sum(axis=-1)
    return xp.sqrt(square)


class Euclidean(Op):
    """y_ij = |a_i - b_j|; with w = dy / y, da_i = a_i sum_j w_ij - sum_j w_ij b_j.

    At a distance of 0 the gradient is 0. Both are moved to their middle first, which
    changes no difference and keeps the digits where all points lie far from 0.
    """

    saves = ("a", "b", "y")
    torch = staticmethod(
        lambda a, b: (a.unsqueeze(-2) - b.unsqueeze(-3)).norm(2, dim=-1)
    )

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        few = a.size * b.shape[-2] < _MANY
        if few or not (xp.isfinite(a).all() and xp.isfinite(b).all()):
            return _by_differences(xp, a, b)
        return _by_products(xp, a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any, y: Any) -> Any:
        zero = y == 0
        w = xp.where(zero, 0.0, dy / xp.where(zero, 1.0, y))
        middle = getattr(b, "array", b)
        if middle.shape[-2]:
            middle = middle.mean(axis=-2, keepdims=True)
            a, b = a - middle, b - middle
        across = xp.swapaxes(w, -1, -2)
        da = a * w.sum(axis=-1, keepdims=True) - xp.matmul(w, b)
        db = b * across.sum(axis=-1, keepdims=True) - xp.matmul(across, a)
        return (da if needs[0] else None), (db if needs[1] else None)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((3, 4)), rng.standard_normal((5, 4))))
        yield Sample((rng.standard_normal((2, 3, 2)), rng.standard_normal((2, 4, 2))))
