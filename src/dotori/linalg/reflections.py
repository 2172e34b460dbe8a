"""Orthogonal matrices: QR, and products of Householder's reflections.

A reflection is 1 - tau v v^H, where v is 0 above place i, 1 at it, and column i of a
matrix below (Golub and Van Loan, "Matrix Computations", 2013, section 5.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd import as_variable, wrap
from dotori.errors import ArgumentError, GradientError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.complex import conj
from dotori.functions.linear import matmul
from dotori.functions.shape import tril
from dotori.linalg.checks import identities, matrix, run
from dotori.ops import linalg as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor


class QR(NamedTuple):
    """The factors of `qr`."""

    Q: Tensor
    R: Tensor


class Reflections(NamedTuple):
    """What `geqrf` gives."""

    a: Tensor
    tau: Tensor


def qr(A: TensorLike, mode: str = "reduced") -> QR:
    """Q with orthonormal columns and upper triangular R with Q R = A.

    Parameters
    ----------
    mode : {"reduced", "complete", "r"}
        Q with min(m, n) columns, with m columns, or R alone, which has no gradient.

    Examples
    --------
    >>> [factor.shape for factor in qr(np.ones((4, 2)))]
    [(4, 2), (2, 2)]
    """
    t = matrix("qr", A, square=False)
    if mode == "r":
        if t.requires_grad:
            raise GradientError(
                "linalg.qr: mode 'r' has no gradient, which needs Q; use mode 'reduced'"
            )
        factor = np.linalg.qr(t.array, "r")
        return QR(wrap(np.empty(0, t.dtype)), wrap(np.asarray(factor)))
    if mode not in ("reduced", "complete"):
        raise ArgumentError(
            f"linalg.qr: mode must be 'reduced', 'complete' or 'r', got {mode!r}"
        )
    return QR(*run("qr", op.QR, t, mode=mode))


@implements(np.linalg.qr)
def _numpys_qr(a: TensorLike, mode: str = "reduced") -> Any:
    return qr(a, mode).R if mode == "r" else qr(a, mode)


def geqrf(x: TensorLike) -> Reflections:
    """R on and above the diagonal, reflections below it: LAPACK's form of `qr`.

    Has no gradient.

    Examples
    --------
    >>> geqrf([[2.0]]).a.tolist()
    [[2.0]]
    """
    t = matrix("geqrf", x, square=False)
    if t.requires_grad:
        raise GradientError("geqrf has no gradient; use linalg.qr or detach()")
    h, tau = np.linalg.qr(t.array, "raw")
    return Reflections(wrap(h.swapaxes(-1, -2).copy()), wrap(tau))


def _vectors(place: str, a: Tensor, tau: Tensor) -> Tensor:
    """The vectors v of the reflections, as columns."""
    m, n = a.shape[-2:]
    k = tau.shape[-1] if tau.ndim else 0
    if tau.ndim != a.ndim - 1 or k > n or tau.shape[:-1] != a.shape[:-2]:
        raise ShapeError(
            f"{place}: tau of shape {tau.shape} does not fit reflections of shape "
            f"{a.shape}; it must have their axes but one, and at most {n} numbers"
        )
    if a.dtype != tau.dtype:
        raise ArgumentError(
            f"{place}: tau holds {tau.dtype}, the reflections {a.dtype}; make them "
            "equal"
        )
    return tril(a[..., :, :k], -1) + wrap(np.eye(m, k, dtype=a.dtype))


def _reflected(v: Tensor, tau: Tensor, i: int, x: Tensor) -> Tensor:
    """Reflection i of the columns of x."""
    column = v[..., :, i : i + 1]
    weight = tau[..., i : i + 1].unsqueeze(-1)
    return x - column * (weight * matmul(column.mH, x))


def householder_product(A: TensorLike, tau: TensorLike) -> Tensor:
    """The first n columns of the product of the reflections in A: the Q of `geqrf`.

    Examples
    --------
    >>> a, tau = geqrf([[3.0], [4.0]])
    >>> householder_product(a, tau).numpy().round(3).tolist()
    [[-0.6000000238418579], [-0.800000011920929]]
    """
    a, factors = matrix("householder_product", A, square=False), as_variable(tau)
    m, n = a.shape[-2:]
    if m < n:
        raise ShapeError(
            "linalg.householder_product: at least as many rows as columns are wanted, "
            f"got shape {a.shape}"
        )
    v = _vectors("linalg.householder_product", a, factors)
    q = identities(a)
    for i in reversed(range(v.shape[-1])):
        q = _reflected(v, factors, i, q)
    return q


def ormqr(
    x: TensorLike,
    tau: TensorLike,
    other: TensorLike,
    left: bool = True,
    transpose: bool = False,
) -> Tensor:
    """Q times `other`, or the other way round, for the whole Q of the reflections in x.

    Parameters
    ----------
    left : bool
        Q other; else other Q.
    transpose : bool
        With Q^H in the place of Q.

    Examples
    --------
    >>> a, tau = geqrf([[3.0], [4.0]])
    >>> ormqr(a, tau, [[3.0], [4.0]], transpose=True).numpy().round(3).tolist()
    [[-5.0], [0.0]]
    """
    a, factors = matrix("ormqr", x, square=False), as_variable(tau)
    y = matrix("ormqr", other, square=False)
    if y.shape[-2 if left else -1] != a.shape[-2] or y.shape[:-2] != a.shape[:-2]:
        raise ShapeError(
            f"ormqr: reflections of shape {a.shape} do not fit {y.shape} from the "
            f"{'left' if left else 'right'}"
        )
    if y.dtype != a.dtype:
        raise ArgumentError(f"ormqr: {a.dtype} times {y.dtype}; make them equal")
    if not left:  # other Q = (Q^H other^H)^H
        return ormqr(a, factors, y.mH, True, not transpose).mH
    v = _vectors("ormqr", a, factors)
    each = range(v.shape[-1])
    for i in each if transpose else reversed(each):
        y = _reflected(v, conj(factors) if transpose else factors, i, y)
    return y
