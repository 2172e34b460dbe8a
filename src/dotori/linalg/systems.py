"""Inverses and systems of equations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd import as_variable, wrap
from dotori.errors import ArgumentError, LinAlgError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.shape import reshape, transpose
from dotori.linalg.checks import matrix, run, spoilt, stacks_fit, without
from dotori.ops import linalg as op
from dotori.ops.linalg.triangular import eliminate

if TYPE_CHECKING:
    from dotori._tensor import Tensor


class InverseEx(NamedTuple):
    """What `inv_ex` gives."""

    inverse: Tensor
    info: Tensor


class SolveEx(NamedTuple):
    """What `solve_ex` gives."""

    result: Tensor
    info: Tensor


@implements(np.linalg.inv)
def inv(A: TensorLike) -> Tensor:
    """The inverse.

    Raises
    ------
    LinAlgError
        If a matrix is singular.

    Examples
    --------
    >>> inv([[2.0, 0.0], [0.0, 4.0]]).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    result: Tensor = run("inv", op.Inverse, matrix("inv", A))
    return result


def zero_pivots(a: Any) -> Any:
    """For each matrix the first pivot that is 0, counted from 1; 0 if there is none."""
    diagonal = np.diagonal(eliminate(a)[0], axis1=-2, axis2=-1)
    zero = diagonal == 0
    if not zero.shape[-1]:
        return np.zeros(a.shape[:-2], np.int32)
    first = zero.argmax(axis=-1) + 1
    return np.where(zero.any(axis=-1), first, 0).astype(np.int32)


def checked(place: str, info: Any, check_errors: bool, what: str) -> Tensor:
    """`info` as a tensor; raises where it tells of an error and that is wanted."""
    if check_errors and info.any():
        raise LinAlgError(f"linalg.{place}: {what}, as info={info.tolist()} tells")
    return wrap(np.asarray(info))


def inv_ex(A: TensorLike, *, check_errors: bool = False) -> InverseEx:
    """The inverse, and for each matrix 0, or which pivot was 0, instead of an error.

    Where a matrix is singular, its inverse is NaN.

    Examples
    --------
    >>> inv_ex([[1.0, 1.0], [1.0, 1.0]]).info.item()
    2
    """
    a = matrix("inv_ex", A)
    info = zero_pivots(a.array)
    infos = checked("inv_ex", info, check_errors, "a matrix is singular")
    bad = info != 0
    return InverseEx(spoilt(bad, inv(without(bad, a))), infos)


def solve(A: TensorLike, B: TensorLike, *, left: bool = True) -> Tensor:
    """X with A X = B, or X A = B if not `left`.

    B holds matrices, or vectors: one axis, or the axes of A without the last one.

    Examples
    --------
    >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]).tolist()
    [1.0, 0.5]
    """
    a, b = matrix("solve", A), as_variable(B)
    vector = b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])
    if vector and not left:
        raise ArgumentError("linalg.solve: with left=False B must hold matrices")
    return _solve(a, b, vector, left)


@implements(np.linalg.solve)
def _numpys_solve(a: TensorLike, b: TensorLike) -> Tensor:
    """NumPy's meaning: B is a vector only if it has one axis."""
    right = as_variable(b)
    return _solve(matrix("solve", a), right, right.ndim == 1, True)


def _solve(a: Tensor, b: Tensor, vector: bool, left: bool) -> Tensor:
    if vector:
        b = reshape(b, (*b.shape, 1))
    n = a.shape[-1]
    if b.ndim < 2 or b.shape[-2 if left else -1] != n:
        raise ShapeError(
            f"linalg.solve: A of shape {a.shape} and B of shape {b.shape} do not fit; "
            f"B must have {n} {'rows' if left else 'columns'}"
        )
    stacks_fit("solve", a, b)
    if not left:
        a, b = transpose(a, -1, -2), transpose(b, -1, -2)
    x: Tensor = run("solve", op.Solve, a, b)
    if not left:
        return transpose(x, -1, -2)
    return reshape(x, x.shape[:-1]) if vector else x


def solve_ex(
    A: TensorLike, B: TensorLike, *, left: bool = True, check_errors: bool = False
) -> SolveEx:
    """`solve`, and for each matrix 0, or which pivot was 0, instead of an error.

    Where a matrix is singular, the result is NaN.

    Examples
    --------
    >>> solve_ex([[1.0, 1.0], [1.0, 1.0]], [1.0, 2.0]).info.item()
    2
    """
    a, b = matrix("solve_ex", A), as_variable(B)
    info = zero_pivots(a.array)
    infos = checked("solve_ex", info, check_errors, "a matrix is singular")
    bad = info != 0
    x = solve(without(bad, a), b, left=left)
    vector = x.ndim < max(a.ndim, b.ndim) or b.ndim == 1
    if vector:
        return SolveEx(reshape(spoilt(bad, reshape(x, (*x.shape, 1))), x.shape), infos)
    return SolveEx(spoilt(bad, x), infos)


def solve_triangular(
    A: TensorLike,
    B: TensorLike,
    *,
    upper: bool,
    left: bool = True,
    unitriangular: bool = False,
) -> Tensor:
    """X with A X = B (or X A = B if not `left`) for triangular A.

    The other triangle is not read, nor is the diagonal if `unitriangular`. A zero on
    the diagonal gives infinities, no error.

    Examples
    --------
    >>> solve_triangular([[2.0, 7.0], [1.0, 1.0]], [[2.0], [3.0]], upper=False).tolist()
    [[1.0], [2.0]]
    """
    a, b = matrix("solve_triangular", A), matrix("solve_triangular", B, square=False)
    n = a.shape[-1]
    if b.shape[-2 if left else -1] != n:
        raise ShapeError(
            f"linalg.solve_triangular: A of shape {a.shape} and B of shape {b.shape} "
            f"do not fit; B must have {n} {'rows' if left else 'columns'}"
        )
    stacks_fit("solve_triangular", a, b)
    if not left:
        a, b, upper = transpose(a, -1, -2), transpose(b, -1, -2), not upper
    x: Tensor = run(
        "solve_triangular", op.SolveTriangular, a, b, up=upper, unit=unitriangular
    )
    return x if left else transpose(x, -1, -2)
