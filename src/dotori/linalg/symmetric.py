"""L D L^T of symmetric matrices that are not definite (Bunch and Kaufman).

Bunch and Kaufman, "Some stable methods for calculating inertia and solving symmetric
linear systems", 1977, in LAPACK's form: D has blocks of one or two rows, pivots are
counted from 1, and negative, twice the same, for a block of two. No gradients.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd import as_variable, wrap
from dotori.errors import GradientError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.linalg.checks import matrix, stacks_fit
from dotori.linalg.systems import checked
from dotori.ops.linalg.triangular import sizes

if TYPE_CHECKING:
    from dotori._tensor import Tensor

_ALPHA = (1 + 17**0.5) / 8  # the bound of growth is least for it


class LDL(NamedTuple):
    """What `ldl_factor` gives."""

    LD: Tensor
    pivots: Tensor


class LDLEx(NamedTuple):
    """What `ldl_factor_ex` gives."""

    LD: Tensor
    pivots: Tensor
    info: Tensor


def ldl_factor_ex(
    A: TensorLike, *, hermitian: bool = False, check_errors: bool = False
) -> LDLEx:
    """`ldl_factor`, and for each matrix 0, or the first block of D that is 0.

    Examples
    --------
    >>> ldl_factor_ex([[0.0, 0.0], [0.0, 0.0]]).info.item()
    1
    """
    t = matrix("ldl_factor", A)
    if t.requires_grad:
        raise GradientError("linalg.ldl_factor has no gradient; detach() the matrix")
    packed = np.tril(t.array)
    pivots = np.zeros(t.shape[:-1], np.int32)
    info = np.zeros(t.shape[:-2], np.int32)
    for i in np.ndindex(info.shape):
        info[i] = _factor(packed[i], pivots[i], hermitian)
    infos = checked("ldl_factor_ex", info, check_errors, "a block of D is 0")
    return LDLEx(wrap(packed), wrap(pivots), infos)


def ldl_factor(A: TensorLike, *, hermitian: bool = False) -> LDL:
    """L below and D on the diagonal in one matrix, and the exchanges of rows.

    Only the lower triangle of A is read.

    Parameters
    ----------
    hermitian : bool
        Of complex A: L D L^H instead of L D L^T.

    Examples
    --------
    >>> ldl_factor([[4.0, 2.0], [2.0, 2.0]]).LD.tolist()
    [[4.0, 0.0], [0.5, 1.0]]
    """
    packed, pivots, _ = ldl_factor_ex(A, hermitian=hermitian)
    return LDL(packed, pivots)


def _factor(a: Any, pivots: Any, hermitian: bool) -> int:
    """One matrix in place: its lower triangle becomes L and D."""
    n, k, info = len(a), 0, 0
    while k < n:
        chosen, size = _pivot(a, k)
        if chosen < 0:
            info, chosen = info or k + 1, k
            pivots[k] = k + 1
            k += 1
            continue
        _exchange(a, k, chosen, size, hermitian)
        after = slice(k + size, None)
        block = a[k : k + size, k : k + size].copy()
        if size == 2:
            block[0, 1] = block[1, 0].conj() if hermitian else block[1, 0]
        left = a[after, k : k + size].copy()
        factor = np.linalg.solve(block.T, left.T).T
        other = left.conj().T if hermitian else left.T
        a[after, after] -= np.tril(factor @ other)
        a[after, k : k + size] = factor
        pivots[k : k + size] = chosen + 1 if size == 1 else -(chosen + 1)
        k += size
    return info


def _pivot(a: Any, k: int) -> tuple[int, int]:
    """The row that is to come to the end of the next block, and the block's size.

    The row is -1 where the whole column is 0.
    """
    here, column = sizes(a[k, k]), sizes(a[k + 1 :, k])
    largest = column.max(initial=0)
    if max(here, largest) == 0:
        return -1, 1
    if here >= _ALPHA * largest:
        return k, 1
    i = k + 1 + int(column.argmax())
    other = max(sizes(a[i, k:i]).max(), sizes(a[i + 1 :, i]).max(initial=0))
    if here >= _ALPHA * largest * (largest / other):
        return k, 1
    return (i, 1) if sizes(a[i, i]) >= _ALPHA * other else (i, 2)


def _exchange(a: Any, k: int, p: int, size: int, hermitian: bool) -> None:
    """Rows and columns q = k + size - 1 and p of what is left, the lower triangle."""
    q = k + size - 1
    if p == q:
        return
    below = slice(p + 1, None)
    a[below, q], a[below, p] = a[below, p].copy(), a[below, q].copy()
    between = slice(q + 1, p)
    column, row = a[between, q].copy(), a[p, between].copy()
    if hermitian:
        column, row, a[p, q] = column.conj(), row.conj(), a[p, q].conj()
    a[between, q], a[p, between] = row, column
    a[q, q], a[p, p] = a[p, p], a[q, q]
    if size == 2:
        a[k + 1, k], a[p, k] = a[p, k], a[k + 1, k]


def ldl_solve(
    LD: TensorLike, pivots: TensorLike, B: TensorLike, *, hermitian: bool = False
) -> Tensor:
    """X with A X = B, by what `ldl_factor` gives for A.

    Examples
    --------
    >>> a = [[0.0, 2.0], [2.0, 0.0]]
    >>> ldl_solve(*ldl_factor(a), [[2.0], [4.0]]).tolist()
    [[2.0], [1.0]]
    """
    packed, b = matrix("ldl_solve", LD), matrix("ldl_solve", B, square=False)
    rows = as_variable(pivots).array
    if b.shape[-2] != packed.shape[-1] or rows.shape != packed.shape[:-1]:
        raise ShapeError(
            f"linalg.ldl_solve: factors of shape {packed.shape}, pivots of shape "
            f"{rows.shape} and B of shape {b.shape} do not fit"
        )
    if packed.requires_grad or b.requires_grad:
        raise GradientError("linalg.ldl_solve has no gradient; use solve")
    stacks_fit("ldl_solve", packed, b)
    lead = np.broadcast_shapes(packed.shape[:-2], b.shape[:-2])
    factors = np.broadcast_to(packed.array, (*lead, *packed.shape[-2:]))
    order = np.broadcast_to(rows, (*lead, rows.shape[-1]))
    x = np.array(np.broadcast_to(b.array, (*lead, *b.shape[-2:])))
    for i in np.ndindex(lead):
        _substitute(factors[i], order[i], x[i], hermitian)
    return wrap(x)


def _blocks(pivots: Any) -> Iterator[tuple[int, int, int]]:
    """Start, size, and the row that was exchanged with the end, of each block of D."""
    k = 0
    while k < len(pivots):
        size = 1 if pivots[k] > 0 else 2
        yield k, size, abs(int(pivots[k])) - 1
        k += size


def _substitute(a: Any, pivots: Any, x: Any, hermitian: bool) -> None:
    """L D y = x, then L^T z = y, in place: the exchanges between the steps as made."""
    for k, size, p in _blocks(pivots):
        q, after = k + size - 1, slice(k + size, None)
        x[[q, p]] = x[[p, q]]
        x[after] -= a[after, k : k + size] @ x[k : k + size]
        block = a[k : k + size, k : k + size].copy()
        if size == 2:
            block[0, 1] = block[1, 0].conj() if hermitian else block[1, 0]
        x[k : k + size] = np.linalg.solve(block, x[k : k + size])
    for k, size, p in reversed(list(_blocks(pivots))):
        q, after = k + size - 1, slice(k + size, None)
        left = a[after, k : k + size]
        x[k : k + size] -= (left.conj() if hermitian else left).T @ x[after]
        x[[q, p]] = x[[p, q]]
