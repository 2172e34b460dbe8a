"""Euclidean distances of all pairs, without an array of all differences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from dotori.ops._op import Op, Sample

#: So many differences are held at once (32 MiB of float64).
_BLOCK = 1 << 22
#: From so many differences on, products of matrices do most of the work.
_MANY = 1 << 20


class Euclidean(Op):
    """y_ij = |a_i - b_j|; with w = dy / y, da_i = sum_j w_ij (a_i - b_j).

    At a distance of 0 the gradient is 0. For many points both come from products of
    matrices, many times faster, except where those cancel.
    """

    saves = ("a", "b", "y")
    torch = staticmethod(
        lambda a, b: (a.unsqueeze(-2) - b.unsqueeze(-3)).norm(2, dim=-1)
    )

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        if _few(a, b) or not (xp.isfinite(a).all() and xp.isfinite(b).all()):
            return _by_differences(xp, a, b)
        return _by_products(xp, a, b)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any, y: Any) -> Any:
        zero = y == 0
        w = xp.where(zero, 0.0, dy / xp.where(zero, 1.0, y))
        if _few(a, b):
            parts = w[..., None] * (a[..., :, None, :] - b[..., None, :, :])
            return parts.sum(axis=-2), -parts.sum(axis=-3)
        u, v, sizes = _centred(xp, a, b)
        if hasattr(w, "node"):  # tensors: recorded as products, for near points too
            return _gradient_by_products(xp, w, u, v)
        near = xp.nonzero((y * y < sizes * _limit(y)) & ~zero)
        far = w.copy()
        far[near] = 0
        da, db = _gradient_by_products(xp, far, u, v)
        for at, i, j, part in _pieces(near, a, b):
            part = part * w[at][:, None]
            xp.add.at(da, i, part)
            xp.add.at(db, j, -part)
        return da, db

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((3, 4)), rng.standard_normal((5, 4))))
        yield Sample((rng.standard_normal((2, 3, 2)), rng.standard_normal((2, 4, 2))))


def _few(a: Any, b: Any) -> bool:
    return bool(math.prod(a.shape) * b.shape[-2] < _MANY)


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
    """|a|^2 + |b|^2 - 2ab, and the differences where that cancels.

    The rounding errors are those of |a|^2 + |b|^2. Where the distance is so much
    smaller that they would be seen in it, it is computed again.
    """
    u, v, sizes = _centred(xp, a, b)
    square = sizes - 2 * xp.matmul(u, xp.swapaxes(v, -1, -2))
    near = xp.nonzero(square < sizes * _limit(square))
    for at, _, _, part in _pieces(near, a, b):
        square[at] = (part * part).sum(axis=-1)
    return xp.sqrt(square)


def _gradient_by_products(xp: Any, w: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """da_i = a_i sum_j w_ij - sum_j w_ij b_j, and the same for b."""
    across = xp.swapaxes(w, -1, -2)
    da = a * w.sum(axis=-1, keepdims=True) - xp.matmul(w, b)
    return da, b * across.sum(axis=-1, keepdims=True) - xp.matmul(across, a)


def _centred(xp: Any, a: Any, b: Any) -> tuple[Any, Any, Any]:
    """Both around the middle of b, which changes no difference; |a_i|^2 + |b_j|^2."""
    middle = getattr(b, "array", b).mean(axis=-2, keepdims=True)
    u, v = a - middle, b - middle
    sizes = (u * u).sum(axis=-1)[..., :, None] + (v * v).sum(axis=-1)[..., None, :]
    return u, v, sizes


def _limit(like: Any) -> float:
    """The share of |a|^2 + |b|^2 below which a squared distance is computed again."""
    return 1e-4 if like.dtype.itemsize == 8 else 0.05


def _pieces(places: Any, a: Any, b: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
    """The differences at `places`, some at a time, with their indices in y, a and b."""
    step = max(1, _BLOCK // a.shape[-1])
    for start in range(0, len(places[0]), step):
        at = tuple(p[start : start + step] for p in places)
        *lead, i, j = at
        yield at, (*lead, i), (*lead, j), a[(*lead, i)] - b[(*lead, j)]
