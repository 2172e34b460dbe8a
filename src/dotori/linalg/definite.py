"""The square root of a positive definite matrix, and what it is used for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd import wrap
from dotori.errors import ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.linalg.checks import matrix, run, spoilt, stacks_fit, without
from dotori.linalg.systems import checked, solve_triangular
from dotori.ops import linalg as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor


class CholeskyEx(NamedTuple):
    """What `cholesky_ex` gives."""

    L: Tensor
    info: Tensor


@implements(np.linalg.cholesky)
def cholesky(A: TensorLike, *, upper: bool = False) -> Tensor:
    """The lower triangular L with L L^T = A, for symmetric positive definite A.

    Or the upper triangular U with U^T U = A. Only that triangle of A is read.

    Raises
    ------
    LinAlgError
        If a matrix is not positive definite.

    Examples
    --------
    >>> cholesky([[4.0, 0.0], [0.0, 9.0]]).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    a = matrix("cholesky", A)
    factor: Tensor = run("cholesky", op.Cholesky, a.mH if upper else a)
    return factor.mH if upper else factor


def cholesky_ex(
    A: TensorLike, *, upper: bool = False, check_errors: bool = False
) -> CholeskyEx:
    """`cholesky`, and for each matrix 0, or the first leading minor that is not
    positive definite, instead of an error. Such a matrix gets NaN.

    Examples
    --------
    >>> cholesky_ex([[1.0, 0.0], [0.0, -1.0]]).info.item()
    2
    """
    a = matrix("cholesky_ex", A)
    info = _first_bad_minors(a.array.swapaxes(-1, -2) if upper else a.array)
    what = "a matrix is not positive definite"
    infos = checked("cholesky_ex", info, check_errors, what)
    bad = info != 0
    return CholeskyEx(spoilt(bad, cholesky(without(bad, a), upper=upper)), infos)


def _first_bad_minors(a: Any) -> Any:
    """For each matrix the size of the first leading minor that has no factor, or 0."""
    info = np.zeros(a.shape[:-2], np.int32)
    if _definite(a):
        return info
    for i in np.ndindex(info.shape):
        low, high = 0, a.shape[-1]  # the minor of size `low` is definite
        if _definite(a[i]):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            good = _definite(a[i][:middle, :middle])
            low, high = (middle, high) if good else (low, middle)
        info[i] = high
    return info


def _definite(a: Any) -> bool:
    try:
        np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return False
    return True


def cholesky_solve(x: TensorLike, L: TensorLike, upper: bool = False) -> Tensor:
    """A^-1 x, of matrices x, by the factor of A that `cholesky` gives.

    Examples
    --------
    >>> cholesky_solve([[4.0], [9.0]], [[2.0, 0.0], [0.0, 3.0]]).tolist()
    [[1.0], [1.0]]
    """
    b = matrix("cholesky_solve", x, square=False)
    factor = matrix("cholesky_solve", L)
    if b.shape[-2] != factor.shape[-1]:
        raise ShapeError(
            f"cholesky_solve: x of shape {b.shape} must have as many rows as the "
            f"factor of shape {factor.shape}"
        )
    stacks_fit("cholesky_solve", factor, b)
    first, second = (factor.mH, factor) if upper else (factor, factor.mH)
    middle = solve_triangular(first, b, upper=False)
    return solve_triangular(second, middle, upper=True)


def cholesky_inverse(x: TensorLike, upper: bool = False) -> Tensor:
    """A^-1, by the factor x of A that `cholesky` gives.

    Examples
    --------
    >>> cholesky_inverse([[2.0, 0.0], [0.0, 1.0]]).tolist()
    [[0.25, 0.0], [0.0, 1.0]]
    """
    factor = matrix("cholesky_inverse", x)
    eye = np.eye(factor.shape[-1], dtype=factor.dtype)
    return cholesky_solve(wrap(eye), factor, upper)
