"""Factorisations without iteration: Cholesky, LU and QR."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.errors import GradientError
from dotori.ops._op import Op, Sample
from dotori.ops.linalg.parts import (
    adjoint,
    invertible,
    lower,
    on_diagonal,
    rows,
    transposed,
    upper,
)
from dotori.ops.linalg.triangular import eliminate, order_of_rows, triangular


class Cholesky(Op):
    """The lower triangular L with L L^H = A; only the lower triangle of A is read.

    The gradient is that of a matrix which stays symmetric, as in PyTorch: the symmetric
    part of L^-H P(L^H dL) L^-1, where P keeps the lower triangle and half of the
    diagonal (Murray, "Differentiation of the Cholesky decomposition", 2016).
    """

    saves = ("y",)
    floats = True
    holomorphic = False

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return xp.linalg.cholesky(x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        h = adjoint(xp, y)
        inner = lower(xp.matmul(h, dy))
        inner = inner - on_diagonal(inner) * 0.5
        inner = (inner + adjoint(xp, inner)) * 0.5
        left = triangular(xp, h, inner, up=True)  # L^-H inner, then times L^-1
        return adjoint(xp, triangular(xp, h, adjoint(xp, left), up=True))

    @staticmethod
    def torch(x: Any) -> Any:
        import torch

        return torch.linalg.cholesky(x)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        a = invertible(rng, 2)
        yield Sample((a @ a.swapaxes(-1, -2),))


class LU(Op):
    """P A = L U: L below the diagonal and U above it in one array, and the exchanges.

    For square A: dA = P^T L^-T (lower(L^T dL, -1) + upper(dU U^T)) U^-T. Columns of A
    beyond the rows only make U longer, by L^-1 times them; rows beyond the columns
    only make L longer, by them times U^-1.
    """

    saves = ("y", "order")
    outputs = ("y", "exchanges")
    extras = ("order",)
    floats = True

    @staticmethod
    def forward(xp: Any, x: Any, *, pivot: bool) -> Any:
        y, exchanges = eliminate(x, pivot)
        return y, exchanges, order_of_rows(exchanges, x.shape[-2])

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any, order: Any, *, pivot: bool) -> Any:
        dy, k = dy[0], min(y.shape[-2:])

        def t(a: Any) -> Any:
            return transposed(xp, a)

        core, d_core = y[..., :k, :k], dy[..., :k, :k]
        down, up = lower(d_core, -1), upper(d_core)
        l_up = t(
            core
        )  # L^T in its upper triangle, with ones on the diagonal; U^T below
        parts_right = parts_below = None
        if y.shape[-1] > k:  # U2 = L^-1 A2
            parts_right = triangular(xp, l_up, dy[..., :, k:], up=True, unit=True)
            down = down - lower(xp.matmul(parts_right, t(y[..., :, k:])), -1)
        if y.shape[-2] > k:  # L2 = A2 U^-1
            parts_below = t(triangular(xp, core, t(dy[..., k:, :]), up=True))
            up = up - upper(xp.matmul(t(y[..., k:, :]), parts_below))
        unit_low = lower(core, -1) + np.eye(k, dtype=y.dtype)
        inner = lower(xp.matmul(t(unit_low), down), -1)
        inner = inner + upper(xp.matmul(up, t(upper(core))))
        inner = triangular(xp, l_up, inner, up=True, unit=True)
        da = t(triangular(xp, core, t(inner), up=True))
        if parts_right is not None:
            da = xp.concatenate([da, parts_right], axis=-1)
        if parts_below is not None:
            da = xp.concatenate([da, parts_below], axis=-2)
        return rows(da, order.argsort(axis=-1))

    @staticmethod
    def torch(x: Any, *, pivot: bool) -> Any:
        import torch

        packed, pivots = torch.linalg.lu_factor(x)
        return packed, pivots.long() - 1

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for shape in ((3, 3), (2, 4, 3), (3, 5)):
            yield Sample((rng.standard_normal(shape),), {"pivot": True})


class QR(Op):
    """Q with orthonormal columns and upper triangular R with Q R = A.

    For at least as many rows as columns dA = (dQ + Q copy(M)) R^-H with
    M = R dR^H - dQ^H Q, where copy takes the lower triangle and mirrors it. For more
    columns, A = [X Y] = Q [U V] with V = Q^H Y: the square rule gives dX with
    Y dV^H added to dQ, and dY = Q dV.
    """

    saves = ("x", "q", "r")
    outputs = ("q", "r")
    floats = True
    holomorphic = False

    @staticmethod
    def forward(xp: Any, x: Any, *, mode: str) -> Any:
        return tuple(xp.linalg.qr(x, mode))

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, q: Any, r: Any, *, mode: str) -> Any:
        m, n = x.shape[-2:]
        if mode == "complete" and m > n:
            raise GradientError(
                f"linalg.qr: mode 'complete' has no gradient for shape {x.shape}, with "
                "more rows than columns: the last columns of Q are arbitrary; use "
                "mode 'reduced'"
            )
        dq, dr = dy
        if m >= n:
            return _qr_gradient(xp, dq, dr, q, r)
        right = None
        if dr is not None:
            right, dr = dr[..., m:], dr[..., :m]
            more = xp.matmul(x[..., m:], adjoint(xp, right))
            dq = more if dq is None else dq + more
        left = _qr_gradient(xp, dq, dr, q, r[..., :m])
        rest = x[..., m:] * 0 if right is None else xp.matmul(q, right)
        return xp.concatenate([left, rest], axis=-1)

    @staticmethod
    def torch(x: Any, *, mode: str) -> Any:
        import torch

        return torch.linalg.qr(x, mode)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for shape in ((4, 3), (2, 3, 3), (3, 5)):
            yield Sample((rng.standard_normal(shape),), {"mode": "reduced"})


def _qr_gradient(xp: Any, dq: Any, dr: Any, q: Any, r: Any) -> Any:
    """The rule for at least as many rows as columns."""
    m = 0
    if dr is not None:
        m = xp.matmul(r, adjoint(xp, dr))
    if dq is not None:
        m = m - xp.matmul(adjoint(xp, dq), q)
    total = xp.matmul(q, lower(m) + adjoint(xp, lower(m, -1)))
    if dq is not None:
        total = total + dq
    return adjoint(xp, triangular(xp, r, adjoint(xp, total), up=True))
