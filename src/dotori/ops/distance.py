"""Euclidean distances of all pairs, without an array of all differences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dotori.ops._op import Op, Sample

#: So many differences are held at once (32 MiB of float64).
_BLOCK = 1 << 22


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
        *lead, n, d = a.shape
        m = b.shape[-2]
        y = xp.empty((*lead, n, m), a.dtype)
        rows = max(1, _BLOCK // max(m * d, 1))
        for start in range(0, n, rows):
            part = a[..., start : start + rows, None, :] - b[..., None, :, :]
            y[..., start : start + rows, :] = xp.sqrt((part * part).sum(axis=-1))
        return y

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
