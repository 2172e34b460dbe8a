"""Statistics of tensors: without NaN, in pairs, and of several variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import as_variable
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions import elementwise
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.comparison import isnan
from dotori.functions.extremes import amax, amin
from dotori.functions.join import cat
from dotori.functions.linear import matmul
from dotori.functions.reduce import mean, norm, one_axis, std, var
from dotori.functions.reduce import sum as _sum
from dotori.functions.shape import transpose

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "aminmax",
    "corrcoef",
    "cov",
    "nanmean",
    "nansum",
    "renorm",
    "std_mean",
    "var_mean",
]


class MinAndMax(NamedTuple):
    """What `aminmax` gives."""

    min: Tensor
    max: Tensor


# ------------------------------------------------------------------ without NaN


def nansum(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """The sum of the elements that are not NaN.

    Examples
    --------
    >>> nansum([1.0, float("nan"), 2.0]).item()
    3.0
    """
    t = as_variable(x)
    if t.dtype.kind == "c":
        raise DTypeError(f"nansum: real numbers were wanted, got {t.dtype}")
    if t.dtype.kind == "f":
        t = elementwise.where(isnan(t), 0.0, t)
    return _sum(t, dim, keepdim or keepdims, axis=axis, dtype=dtype)


def nanmean(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """The mean of the elements that are not NaN; NaN where there are none.

    Examples
    --------
    >>> nanmean([1.0, float("nan"), 2.0]).item()
    1.5
    """
    t = as_variable(x)
    if t.dtype.kind not in "fc":
        raise DTypeError(f"nanmean: floats were wanted, got {t.dtype}; use .float()")
    given, keep = ~isnan(t), keepdim or keepdims
    total = _sum(elementwise.where(given, t, 0.0), dim, keep, axis=axis, dtype=dtype)
    return total / _sum(given, dim, keep, axis=axis)


@implements(np.nansum)
def _numpys_nansum(
    x: TensorLike,
    axis: Any = None,
    dtype: DTypeLike | None = None,
    *,
    keepdims: bool = False,
) -> Tensor:
    return nansum(x, axis=axis, dtype=dtype, keepdims=keepdims)


@implements(np.nanmean)
def _numpys_nanmean(
    x: TensorLike,
    axis: Any = None,
    dtype: DTypeLike | None = None,
    *,
    keepdims: bool = False,
) -> Tensor:
    return nanmean(x, axis=axis, dtype=dtype, keepdims=keepdims)


# ------------------------------------------------------------------ in pairs


def aminmax(
    x: TensorLike, *, dim: int | None = None, keepdim: bool = False
) -> MinAndMax:
    """The smallest and the largest value; ties share the gradient evenly.

    Examples
    --------
    >>> low, high = aminmax([3.0, 1.0, 2.0])
    >>> low.item(), high.item()
    (1.0, 3.0)
    """
    t = as_variable(x)
    axis = None if dim is None else one_axis("aminmax", t, dim)
    return MinAndMax(amin(t, axis, keepdim), amax(t, axis, keepdim))


def var_mean(
    x: TensorLike,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The variance and the mean, with the arguments of `var`.

    Examples
    --------
    >>> [t.item() for t in var_mean([1.0, 2.0, 3.0])]
    [1.0, 2.0]
    """
    spread = var(x, dim, unbiased, keepdim, correction=correction)
    return spread, mean(x, None if isinstance(dim, bool) else dim, keepdim)


def std_mean(
    x: TensorLike,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean, with the arguments of `var`.

    Examples
    --------
    >>> [t.item() for t in std_mean([1.0, 2.0, 3.0])]
    [1.0, 2.0]
    """
    spread = std(x, dim, unbiased, keepdim, correction=correction)
    return spread, mean(x, None if isinstance(dim, bool) else dim, keepdim)


# ------------------------------------------------------------------ several variables


def cov(
    x: TensorLike,
    *,
    correction: float = 1,
    fweights: TensorLike | None = None,
    aweights: TensorLike | None = None,
) -> Tensor:
    """The covariances of the rows of `x`: sum_k (x_ik - m_i)(x_jk - m_j) / (n - c).

    Parameters
    ----------
    x : tensor, shape (variables, n) or (n,)
    correction : float
        c, 1 by default.
    fweights : tensor of integers, shape (n,), optional
        How often each observation was made.
    aweights : tensor, shape (n,), optional
        How much each observation counts.

    Examples
    --------
    >>> cov([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    t = as_variable(x)
    if t.ndim > 2:
        raise ShapeError(f"cov: one or two axes are wanted, got shape {t.shape}")
    if t.dtype.kind == "b":
        raise DTypeError("cov: numbers were wanted, got booleans")
    rows = t.reshape((1, -1)) if t.ndim < 2 else t
    if rows.dtype.kind in "ui":
        rows = rows.float()
    weights = _weights(rows.shape[1], fweights, aweights)
    if weights is None:
        size: Any = rows.shape[1]
        centred = rows - rows.sum(dim=1, keepdim=True) / (size or np.nan)
        weighted, total = centred, max(size - correction, 0)
    else:
        size = weights.sum()
        centred = rows - (rows * weights).sum(dim=1, keepdim=True) / size
        weighted = centred * weights
        total = size - correction
        if aweights is not None and correction:
            total = size - correction * (weights * aweights).sum() / size
        if total.item() <= 0:
            total = total * 0
    turned = transpose(centred, 0, 1)
    found = matmul(weighted, turned.conj() if turned.dtype.kind == "c" else turned)
    result: Tensor = (found / total).squeeze()
    return result


def _weights(n: int, fweights: Any, aweights: Any) -> Tensor | None:
    """The product of both kinds of weights, checked."""
    product: Tensor | None = None
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        w = as_variable(given)
        kinds = "ui" if name == "fweights" else "f"
        if w.dtype.kind not in kinds:
            wanted = "integers" if kinds == "ui" else "floats"
            raise DTypeError(f"cov: {name} must be {wanted}, got {w.dtype}")
        if w.shape != (n,):
            raise ShapeError(f"cov: {name} must have shape {(n,)}, got {w.shape}")
        if (w.array < 0).any():
            raise ArgumentError(f"cov: {name} must not be negative")
        product = w if product is None else product * w
    if product is not None and not product.array.sum() > 0:
        raise ArgumentError("cov: all weights are 0")
    return product


def corrcoef(x: TensorLike) -> Tensor:
    """The correlations of the rows of `x`: their covariances over their deviations.

    Examples
    --------
    >>> corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    c = cov(x)
    if not c.ndim:
        return c / c
    deviation = elementwise.sqrt(c[np.arange(len(c)), np.arange(len(c))])
    if deviation.dtype.kind == "c":
        return c / deviation.real.reshape((-1, 1)) / deviation.real
    scaled = c / deviation.reshape((-1, 1)) / deviation
    return elementwise.clamp(scaled, -1.0, 1.0)


def _observations(x: TensorLike, y: Any, rowvar: bool) -> Tensor:
    """The rows that NumPy's `cov` and `corrcoef` mean, in float64 if integers."""
    given = []
    for value in (x,) if y is None else (x, y):
        t = as_variable(value)
        t = t.reshape((1, -1)) if t.ndim < 2 else t
        t = t if rowvar or t.shape[0] == 1 else transpose(t, 0, 1)
        given.append(t.double() if t.dtype.kind in "bui" else t)
    return cat(given, 0) if len(given) > 1 else given[0]


@implements(np.cov)
def _numpys_cov(
    x: TensorLike,
    y: TensorLike | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: float | None = None,
    fweights: TensorLike | None = None,
    aweights: TensorLike | None = None,
) -> Tensor:
    correction = (0 if bias else 1) if ddof is None else ddof
    rows = _observations(x, y, rowvar)
    return cov(rows, correction=correction, fweights=fweights, aweights=aweights)


@implements(np.corrcoef)
def _numpys_corrcoef(
    x: TensorLike, y: TensorLike | None = None, rowvar: bool = True
) -> Tensor:
    return corrcoef(_observations(x, y, rowvar))


def renorm(x: TensorLike, p: float, dim: int, maxnorm: float) -> Tensor:
    """`x` with each slice along `dim` scaled so that its p-norm is at most `maxnorm`.

    Examples
    --------
    >>> renorm([[3.0, 4.0], [0.25, 0.0]], 1, 0, 7.0).tolist()
    [[3.0, 4.0], [0.25, 0.0]]
    """
    t = as_variable(x)
    if t.ndim < 2:
        raise ShapeError(f"renorm: two axes or more are wanted, got shape {t.shape}")
    if p <= 0 or maxnorm < 0:
        raise ArgumentError(
            f"renorm: p > 0 and maxnorm >= 0 are wanted, got {p} and {maxnorm}"
        )
    axis = one_axis("renorm", t, dim) % t.ndim
    others = tuple(i for i in range(t.ndim) if i != axis)
    size = norm(t, p, others, keepdim=True)
    # the small number is PyTorch's; it keeps the result just inside
    return elementwise.where(size > maxnorm, t * (maxnorm / (size + 1e-7)), t)
