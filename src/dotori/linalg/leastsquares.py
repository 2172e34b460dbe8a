"""Systems without a solution, or with many: pseudo-inverse and least squares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dotori.autograd import as_variable, wrap
from dotori.dtypes import real_type
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.linear import matmul
from dotori.functions.shape import reshape
from dotori.linalg.checks import matrix, run, stacks_fit
from dotori.ops import linalg as op
from dotori.ops.linalg.inverse import cutoff

if TYPE_CHECKING:
    from dotori._tensor import Tensor

_DRIVERS = ("gelsy", "gels", "gelsd", "gelss")


class LeastSquares(NamedTuple):
    """What `lstsq` gives; what its driver does not compute is empty."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


def tolerances(a: Tensor, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """Below what singular values count as 0: the larger of atol and rtol times the top.

    By default max(m, n) times the rounding unit, or 0 where `atol` alone is given.
    """
    absolute, relative = (getattr(t, "array", t) for t in (atol, rtol))
    if relative is None:
        given = absolute is not None and np.any(np.asarray(absolute) > 0)
        unit = max(a.shape[-2:]) * float(np.finfo(a.dtype).eps)
        relative = np.where(np.asarray(absolute) > 0, 0, unit) if given else unit
    absolute = 0.0 if absolute is None else absolute
    for t in (absolute, relative):
        if np.asarray(t).dtype.kind == "c":
            raise ArgumentError("linalg: tolerances must be real numbers")
    return absolute, relative


@implements(np.linalg.pinv)
def pinv(
    A: TensorLike,
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
) -> Tensor:
    """The pseudo-inverse V S^+ U^H: singular values near 0 are taken as 0.

    Parameters
    ----------
    rcond, rtol : float or Tensor, optional
        Relative to the largest singular value: max(m, n) rounding units by default.
    hermitian : bool
        The matrices are symmetric; only the lower triangle is read.
    atol : float or Tensor, optional
        An absolute tolerance; the larger one counts.

    Examples
    --------
    >>> pinv([[2.0, 0.0], [0.0, 0.0]]).tolist()
    [[0.5, 0.0], [0.0, 0.0]]
    """
    a = matrix("pinv", A, square=hermitian)
    absolute, relative = tolerances(a, atol, rcond if rtol is None else rtol)
    result: Tensor = run(
        "pinv", op.PseudoInverse, a, atol=absolute, rtol=relative, hermitian=hermitian
    )
    return result


def lstsq(
    A: TensorLike, B: TensorLike, rcond: Any = None, *, driver: str | None = None
) -> LeastSquares:
    """The X that makes |A X - B| least, and of these the shortest: pinv(A) B.

    Parameters
    ----------
    driver : {"gelsy", "gels", "gelsd", "gelss"}, optional
        LAPACK's names, as in PyTorch. The solution is the same; "gels" gives no rank,
        and only "gelsd" and "gelss" give the singular values.

    Returns
    -------
    LeastSquares
        ``residuals`` are the squared lengths of A X - B for tall A of full rank.

    Examples
    --------
    >>> lstsq([[1.0], [1.0]], [[1.0], [3.0]]).solution.numpy().round(5).tolist()
    [[2.0]]
    """
    a, b = matrix("lstsq", A, square=False), as_variable(B)
    chosen = "gelsy" if driver is None else driver
    if chosen not in _DRIVERS:
        raise ArgumentError(f"linalg.lstsq: driver must be in {_DRIVERS}, got {driver}")
    vector = a.ndim - 1 == b.ndim and b.shape == a.shape[:-1]
    right = reshape(b, (*b.shape, 1)) if vector else b
    if right.ndim < 2 or right.shape[-2] != a.shape[-2]:
        raise ShapeError(
            f"linalg.lstsq: A of shape {a.shape} and B of shape {b.shape} do not fit; "
            f"B must have {a.shape[-2]} rows"
        )
    if a.dtype != right.dtype:
        raise ArgumentError(
            f"linalg.lstsq: A holds {a.dtype} and B {right.dtype}; make them equal"
        )
    stacks_fit("lstsq", a, right)
    x = matmul(pinv(a, rcond), right)
    values, rank = _rank(a, rcond)
    empty = wrap(np.empty(0, real_type(a.dtype)))
    residuals = x.real.reshape(-1)[:0]
    full = bool((rank == min(a.shape[-2:])).all())
    if a.shape[-2] > a.shape[-1] and full and chosen != "gelsy":
        rest = (matmul(a, x) - right).abs()
        residuals = (rest * rest).sum(-2)
        residuals = residuals.reshape(residuals.shape[:-1]) if vector else residuals
    return LeastSquares(
        x.reshape(x.shape[:-1]) if vector else x,
        residuals,
        wrap(np.empty(0, np.int64) if chosen == "gels" else rank),
        wrap(values) if chosen in ("gelsd", "gelss") else empty,
    )


def _rank(a: Tensor, rcond: Any) -> tuple[Any, Any]:
    """The singular values, and how many of them count."""
    s = np.linalg.svd(a.array, compute_uv=False)
    kept = s > cutoff(s, *tolerances(a, None, rcond))
    return s, np.asarray(kept.sum(axis=-1), np.int64)


@implements(np.linalg.lstsq)
def _numpys_lstsq(a: TensorLike, b: TensorLike, rcond: Any = None) -> Any:
    """NumPy's meaning: (solution, residuals, rank as an int, singular values)."""
    x, residuals, rank, values = lstsq(a, b, rcond, driver="gelsd")
    if as_variable(b).ndim == 1:
        residuals = residuals.reshape(-1)
    return x, residuals, int(rank.item()), values
