"""Lower times upper triangular: elimination kept for later use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd import apply, as_variable, wrap
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.linear import matmul
from dotori.functions.shape import transpose, tril, triu
from dotori.linalg.checks import matrix, stacks_fit
from dotori.linalg.systems import checked, solve_triangular
from dotori.ops import linalg as op
from dotori.ops.linalg.triangular import order_of_rows

if TYPE_CHECKING:
    from dotori._tensor import Tensor


class LU(NamedTuple):
    """What `lu` and `lu_unpack` give."""

    P: Tensor
    L: Tensor
    U: Tensor


class LUFactor(NamedTuple):
    """What `lu_factor` gives."""

    LU: Tensor
    pivots: Tensor


class LUFactorEx(NamedTuple):
    """What `lu_factor_ex` gives."""

    LU: Tensor
    pivots: Tensor
    info: Tensor


def lu_factor_ex(
    A: TensorLike, *, pivot: bool = True, check_errors: bool = False
) -> LUFactorEx:
    """`lu_factor`, and for each matrix 0, or the first pivot that is 0.

    Examples
    --------
    >>> lu_factor_ex([[1.0, 1.0], [1.0, 1.0]]).info.item()
    2
    """
    a = matrix("lu_factor", A, square=False)
    packed, exchanges = apply(op.LU, a, pivot=pivot)
    zero = np.diagonal(packed.array, axis1=-2, axis2=-1) == 0
    info = np.zeros(zero.shape[:-1], np.int32)
    if zero.shape[-1]:
        info = np.where(zero.any(axis=-1), zero.argmax(axis=-1) + 1, 0).astype(np.int32)
    infos = checked("lu_factor_ex", info, check_errors, "a pivot is 0")
    return LUFactorEx(packed, wrap((exchanges.array + 1).astype(np.int32)), infos)


def lu_factor(A: TensorLike, *, pivot: bool = True) -> LUFactor:
    """L below the diagonal and U above it in one matrix, and the row exchanges.

    ``pivots[i] - 1`` is the row that was exchanged with row i, as in LAPACK.

    Examples
    --------
    >>> factors = lu_factor([[0.0, 2.0], [1.0, 0.0]])
    >>> factors.LU.tolist(), factors.pivots.tolist()
    ([[1.0, 0.0], [0.0, 2.0]], [2, 2])
    """
    packed, pivots, _ = lu_factor_ex(A, pivot=pivot)
    return LUFactor(packed, pivots)


def lu(A: TensorLike, *, pivot: bool = True) -> LU:
    """P, L, U with P L U = A: rows in another order, lower, upper triangular.

    Without `pivot` P is empty.

    Examples
    --------
    >>> lu([[0.0, 2.0], [1.0, 0.0]]).P.tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    packed, pivots, _ = lu_factor_ex(A, pivot=pivot)
    return lu_unpack(packed, pivots, unpack_pivots=pivot)


def lu_unpack(
    x: TensorLike,
    LU_pivots: TensorLike,
    unpack_data: bool = True,
    unpack_pivots: bool = True,
) -> LU:
    """P, L and U of what `lu_factor` gives; what is not wanted is empty.

    Examples
    --------
    >>> lu_unpack([[2.0, 1.0], [0.5, 3.0]], [1, 2]).L.tolist()
    [[1.0, 0.0], [0.5, 1.0]]
    """
    packed = matrix("lu_unpack", x, square=False)
    m, n = packed.shape[-2:]
    empty = wrap(np.empty(0, packed.dtype))
    p, low, up = empty, empty, empty
    if unpack_pivots:
        exchanges = _exchanges(packed, LU_pivots)
        # Row order[i] of A stands at place i of P^T A.
        order = order_of_rows(exchanges, m)
        p = wrap(np.eye(m, dtype=packed.dtype)[order].swapaxes(-1, -2).copy())
    if unpack_data:
        k = min(m, n)
        low = tril(packed[..., :, :k], -1) + wrap(np.eye(m, k, dtype=packed.dtype))
        up = triu(packed[..., :k, :])
    return LU(p, low, up)


def _exchanges(packed: Tensor, pivots: TensorLike) -> Any:
    """LAPACK's pivots counted from 0.

    Raises
    ------
    DTypeError, ShapeError, ArgumentError
        If they are no int32 row numbers for the matrices `packed`.
    """
    p = as_variable(pivots)
    if p.dtype.kind not in "iu":
        raise DTypeError(f"lu: pivots are integers, got {p.dtype}")
    wanted = (*packed.shape[:-2], min(packed.shape[-2:]))
    if p.shape[-1:] != wanted[-1:]:
        raise ShapeError(
            f"lu: factors of shape {packed.shape} have pivots of shape {wanted}, "
            f"got {p.shape}"
        )
    m = packed.shape[-2]
    if p.array.size and not (p.array.min() >= 1 and p.array.max() <= m):
        raise ArgumentError(f"lu: pivots are row numbers from 1 to {m}")
    return p.array.astype(np.int64) - 1


def lu_solve(
    LU: TensorLike,
    pivots: TensorLike,
    B: TensorLike,
    *,
    left: bool = True,
    adjoint: bool = False,
) -> Tensor:
    """X with A X = B (X A = B if not `left`), by what `lu_factor` gives for A.

    Parameters
    ----------
    adjoint : bool
        Solve with A^H in the place of A.

    Examples
    --------
    >>> a = [[0.0, 2.0], [1.0, 0.0]]
    >>> lu_solve(*lu_factor(a), [[2.0], [3.0]]).tolist()
    [[3.0], [1.0]]
    """
    packed, b = matrix("lu_solve", LU), matrix("lu_solve", B, square=False)
    if packed.shape[-1] != b.shape[-2 if left else -1]:
        raise ShapeError(
            f"linalg.lu_solve: factors of shape {packed.shape} and B of shape "
            f"{b.shape} do not fit; B must have {packed.shape[-1]} "
            f"{'rows' if left else 'columns'}"
        )
    stacks_fit("lu_solve", packed, b)
    if not left:  # X A = B is A^H X^H = B^H
        return lu_solve(packed, pivots, b.mH, adjoint=not adjoint).mH
    m = packed.shape[-1]
    order = order_of_rows(_exchanges(packed, pivots), m)
    p_t = wrap(np.eye(m, dtype=packed.dtype)[order])
    if not adjoint:  # A = P L U
        y = solve_triangular(packed, matmul(p_t, b), upper=False, unitriangular=True)
        return solve_triangular(packed, y, upper=True)
    h = packed.mH
    y = solve_triangular(h, b, upper=False)
    y = solve_triangular(h, y, upper=True, unitriangular=True)
    return matmul(transpose(p_t, -1, -2), y)
