"""Systems with triangular matrices, in blocks, and the LU factors of a matrix."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample, follow
from dotori.ops.linalg.parts import invertible, lower, transposed, upper

_BLOCK = 32  # rows that are taken one by one; larger blocks go through products


def substitute(a: Any, b: Any, *, up: bool, unit: bool) -> Any:
    """X with A X = B, where A is lower triangular, or upper if `up`.

    Golub and Van Loan, "Matrix Computations", 2013, section 3.1.4: the first half of
    the unknowns, what they take away from the right side, the other half. A zero on
    the diagonal makes infinities, no error. What lies in the other triangle is not
    read, nor is the diagonal if `unit`.
    """
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    x = np.empty((*lead, *b.shape[-2:]), np.result_type(a, b))
    x[...] = b
    _halves(a, x, up, unit)
    return x


def _halves(a: Any, x: Any, up: bool, unit: bool) -> None:
    """`substitute` in place: on entry `x` is the right side."""
    n = a.shape[-1]
    if n <= _BLOCK:
        _one_by_one(a, x, up, unit)
        return
    cut = n // 2
    front, back = slice(None, cut), slice(cut, None)
    first, second = (back, front) if up else (front, back)
    _halves(a[..., first, first], x[..., first, :], up, unit)
    x[..., second, :] -= a[..., second, first] @ x[..., first, :]
    _halves(a[..., second, second], x[..., second, :], up, unit)


def _one_by_one(a: Any, x: Any, up: bool, unit: bool) -> None:
    n = a.shape[-1]
    for i in reversed(range(n)) if up else range(n):
        known = slice(i + 1, None) if up else slice(None, i)
        row = a[..., i : i + 1, known]
        if row.shape[-1]:
            x[..., i : i + 1, :] -= row @ x[..., known, :]
        if not unit:
            x[..., i, :] /= a[..., i, i, None]


def triangular(xp: Any, a: Any, b: Any, *, up: bool, unit: bool = False) -> Any:
    """`substitute` inside of a gradient rule, on arrays or on tensors."""
    return follow(SolveTriangular, xp, a, b, up=up, unit=unit)


class SolveTriangular(Op):
    """X with A X = B for triangular A; dB = A^-T dX, dA = -triangle(dB X^T)."""

    saves = ("a", "y")
    floats = True

    @staticmethod
    def forward(xp: Any, a: Any, b: Any, *, up: bool, unit: bool) -> Any:
        return substitute(a, b, up=up, unit=unit)

    @staticmethod
    def backward(
        xp: Any, dy: Any, needs: Any, a: Any, y: Any, *, up: bool, unit: bool
    ) -> Any:
        db = triangular(xp, transposed(xp, a), dy, up=not up, unit=unit)
        if not needs[0]:
            return None, db
        da = -xp.matmul(db, transposed(xp, y))
        da = upper(da, int(unit)) if up else lower(da, -int(unit))
        return da, db

    @staticmethod
    def torch(a: Any, b: Any, *, up: bool, unit: bool) -> Any:
        import torch

        return torch.linalg.solve_triangular(a, b, upper=up, unitriangular=unit)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        b = rng.standard_normal((2, 3, 2))
        for up in (False, True):
            for unit in (False, True):
                yield Sample((invertible(rng), b), {"up": up, "unit": unit})
        large = invertible(rng, n=70) / 70 + np.eye(70)
        yield Sample((large, rng.standard_normal((70, 1))), {"up": True, "unit": False})


def sizes(a: Any) -> Any:
    """How large numbers are, to choose pivots by: |a|, and |re| + |im|, as LAPACK."""
    return np.abs(a.real) + np.abs(a.imag) if a.dtype.kind == "c" else np.abs(a)


def eliminate(a: Any, pivot: bool = True) -> tuple[Any, Any]:
    """L and U in one array each, and for each step the row that was exchanged.

    Gauss' elimination with row exchanges, in blocks of columns (Golub and Van Loan,
    2013, sections 3.4 and 3.2.11): a block is eliminated column by column, and what
    lies right of it is changed by one triangular system and one product.
    """
    m, n = a.shape[-2:]
    k = min(m, n)
    work = np.array(a, copy=True).reshape(math.prod(a.shape[:-2]), m, n)
    exchanges = np.tile(np.arange(k), (len(work), 1))
    for start in range(0, k, _BLOCK):
        stop = min(start + _BLOCK, k)
        _eliminate_columns(work, exchanges, start, stop, pivot)
        if stop == n:
            break
        corner = work[:, start:stop, start:stop]
        _halves(corner, work[:, start:stop, stop:], up=False, unit=True)
        left, above = work[:, stop:, start:stop], work[:, start:stop, stop:]
        work[:, stop:, stop:] -= left @ above
    return work.reshape(a.shape), exchanges.reshape(*a.shape[:-2], k)


def _eliminate_columns(
    work: Any, exchanges: Any, start: int, stop: int, pivot: bool
) -> None:
    each = np.arange(len(work))
    for j in range(start, stop):
        if pivot:
            chosen = j + sizes(work[:, j:, j]).argmax(axis=1)
            exchanges[:, j] = chosen
            work[each, j], work[each, chosen] = work[each, chosen], work[each, j]
        top = work[:, j, j]
        # A column of zeros is left as it is: it needs no elimination.
        work[:, j + 1 :, j] /= np.where(top == 0, 1, top)[:, None]
        below = work[:, j + 1 :, j, None]
        work[:, j + 1 :, j + 1 : stop] -= below * work[:, None, j, j + 1 : stop]


def order_of_rows(exchanges: Any, m: int) -> Any:
    """After the exchanges: the number of the row that came to each place."""
    flat = exchanges.reshape(math.prod(exchanges.shape[:-1]), exchanges.shape[-1])
    order = np.tile(np.arange(m), (len(flat), 1))
    each = np.arange(len(flat))
    for j in range(flat.shape[1]):
        chosen = flat[:, j]
        order[each, j], order[each, chosen] = order[each, chosen], order[each, j]
    return order.reshape(*exchanges.shape[:-1], m)
