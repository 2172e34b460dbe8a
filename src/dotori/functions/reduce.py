"""Reductions of tensors: one number of many, along some axes or all.

They take `dim` and `keepdim` as PyTorch does, or `axis` and `keepdims` as NumPy does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import apply, as_variable, wrap
from dotori.backend import as_array, is_captured
from dotori.errors import AxisError, DTypeError
from dotori.functions import elementwise
from dotori.functions._numpy import TensorLike
from dotori.functions.shape import cast
from dotori.ops import reduce as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "all",
    "any",
    "count_nonzero",
    "cumsum",
    "logsumexp",
    "mean",
    "norm",
    "prod",
    "std",
    "sum",
    "var",
]


def checked_axes(place: str, x: Tensor, dim: Any, axis: Any) -> Any:
    """The axes that are meant, by either name; None for all, as for an empty tuple.

    Raises
    ------
    AxisError
        If one lies outside of the shape, or is named twice.
    """
    chosen = axis if dim is None else dim
    if chosen is None:
        return None
    if type(chosen) is int and -x.ndim <= chosen < x.ndim:
        return chosen
    several = isinstance(chosen, (tuple, list))
    many = tuple(chosen) if several else (chosen,)
    limit = x.ndim or 1
    for a in many:
        if not hasattr(a, "__index__") or not -limit <= a < limit:
            raise AxisError(
                f"{place}: axis {a} lies outside of the shape {x.shape}; it must be "
                f"from {-limit} to {limit - 1}"
            )
    if len({a % limit for a in many}) < len(many):
        raise AxisError(f"{place}: an axis of {many} is named twice")
    if not x.ndim or not many:
        return None
    return many if several else int(chosen)


def one_axis(place: str, x: Tensor, dim: Any, axis: Any = None) -> int:
    """The one axis that is meant, by either name; 0 of a tensor without axes."""
    chosen = axis if dim is None else dim
    if isinstance(chosen, (bool, np.bool_)) or not hasattr(chosen, "__index__"):
        raise AxisError(f"{place}: one axis is wanted, an integer, got {chosen!r}")
    return checked_axes(place, x, int(chosen), None) or 0


def reduced(
    which: Any, place: str, x: Tensor, dim: Any, axis: Any, keep: bool, **attrs: Any
) -> Tensor:
    """The reduction `which` along the axes that are meant."""
    axes = checked_axes(place, x, dim, axis)
    result: Tensor = apply(
        which, x, axis=axes, keepdims=keep, shape=x.array.shape, **attrs
    )
    return result


def sum(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """The sum over some axes, or over all. Integers and booleans give int64.

    Examples
    --------
    >>> sum([[1.0, 2.0], [3.0, 4.0]], dim=0).tolist()
    [4.0, 6.0]
    """
    t = as_variable(x) if dtype is None else cast(x, dtype)
    found = reduced(op.Sum, "sum", t, dim, axis, keepdim or keepdims)
    return found if dtype is None else cast(found, dtype)


def mean(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """The mean over some axes, or over all.

    Raises
    ------
    DTypeError
        For integers and booleans: convert them first, or give `dtype`.

    Examples
    --------
    >>> mean([[1.0, 2.0], [3.0, 4.0]], dim=1).tolist()
    [1.5, 3.5]
    """
    t = as_variable(x) if dtype is None else cast(x, dtype)
    if t.dtype.kind not in "fc":
        raise DTypeError(
            f"mean: floats were wanted, got {t.dtype}; use .float() or give a dtype"
        )
    return reduced(op.Mean, "mean", t, dim, axis, keepdim or keepdims)


def var(
    x: TensorLike,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """The squared distances from the mean, added up, over n - correction.

    The correction is 1, or 0 if not `unbiased`. As in PyTorch, a boolean in the place
    of `dim` is `unbiased`.

    Raises
    ------
    DTypeError
        For integers and booleans: convert them first.

    Examples
    --------
    >>> var([1.0, 2.0, 3.0]).item()
    1.0
    >>> var([1.0, 3.0], False).item()
    1.0
    """
    t = as_variable(x)
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if t.dtype.kind not in "fc":
        raise DTypeError(f"var: floats were wanted, got {t.dtype}; use .float()")
    if correction is None:
        correction = 1 if unbiased else 0
    keep = keepdim or keepdims
    if t.dtype.kind == "c":  # |x - mean|^2 is the sum of both parts' squares
        parts = (
            var(part, dim, keepdim=keep, correction=correction, axis=axis)
            for part in (t.real, t.imag)
        )
        return elementwise.add(*parts)
    return reduced(op.Var, "var", t, dim, axis, keep, correction=correction)


def std(x: TensorLike, *args: Any, **kwargs: Any) -> Tensor:
    """The standard deviation: the root of `var`, with its arguments.

    Where all elements are equal its gradient is 0.

    Examples
    --------
    >>> std([1.0, 2.0, 3.0]).item()
    1.0
    """
    square = var(x, *args, **kwargs)
    zero = square.array == 0
    if not is_captured(zero) and not zero.any():
        return elementwise.sqrt(square)
    # the root has an infinite slope at 0: there it is taken of 1, and replaced
    root = elementwise.sqrt(elementwise.where(zero, 1.0, square))
    return elementwise.where(zero, 0.0, root)


def prod(
    x: TensorLike,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool = False,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """The product along an axis, or of all elements. Integers give int64.

    Examples
    --------
    >>> prod([2.0, 3.0, 4.0]).item()
    24.0
    """
    t = as_variable(x) if dtype is None else cast(x, dtype)
    chosen = axis if dim is None else dim
    if chosen is None or not t.ndim:
        checked_axes("prod", t, chosen, None)
        axes: Any = None
        result: Tensor = apply(op.Prod, t.reshape(-1), axis=0)
    else:
        axes = one_axis("prod", t, chosen)
        result = apply(op.Prod, t, axis=axes)
    if dtype is not None:
        result = cast(result, dtype)
    if keepdim or keepdims:
        return result.reshape(op.kept_shape(t.shape, axes))
    return result


def cumsum(
    x: TensorLike,
    dim: int | None = None,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """The sum of each element and all before it, along an axis. Integers give int64.

    Examples
    --------
    >>> cumsum([1.0, 2.0, 3.0], dim=0).tolist()
    [1.0, 3.0, 6.0]
    """
    t = as_variable(x) if dtype is None else cast(x, dtype)
    place = one_axis("cumsum", t, dim, axis)
    result: Tensor = apply(op.CumSum, t.reshape(-1) if not t.ndim else t, axis=place)
    found = result if t.ndim else result.reshape(())
    return found if dtype is None else cast(found, dtype)


def logsumexp(
    x: TensorLike, dim: Any = None, keepdim: bool = False, *, axis: Any = None
) -> Tensor:
    """ln of the sum of e^x, without overflow.

    Examples
    --------
    >>> logsumexp([1000.0, 1000.0], dim=0).item()
    1000.6931762695312
    """
    return reduced(op.LogSumExp, "logsumexp", as_variable(x), dim, axis, keepdim)


def norm(
    x: TensorLike,
    p: Any = "fro",
    dim: Any = None,
    keepdim: bool = False,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """(sum |x|^p)^(1/p): the length of vectors, by default (p = 2) the usual one.

    The gradient at a zero vector is zero. `p` may be infinite, "fro" (which is 2), or
    "nuc": the sum of the singular values of matrices.

    Examples
    --------
    >>> norm([3.0, 4.0]).item()
    5.0
    """
    from dotori.linalg import norms  # late: only those who use it wait for it

    if p == "nuc":
        axes = (-2, -1) if dim is None else dim
        return norms.matrix_norm(x, "nuc", axes, keepdim, dtype=dtype)
    order = 2.0 if p is None or p == "fro" else p
    return norms.vector_norm(x, order, dim, keepdim, dtype=dtype)


def _whether(which: Any, x: TensorLike, dim: Any, axis: Any, keep: bool) -> Tensor:
    t = as_variable(x)
    chosen = axis if dim is None else dim
    axes = checked_axes(which.__name__, t, chosen, None)
    if isinstance(chosen, (tuple, list)) and not chosen:
        axes = ()  # here no axis is none, as in PyTorch
    found = np.asarray(which(t.array, axis=axes, keepdims=keep))
    # PyTorch keeps this one type, for the sake of its oldest programs
    return wrap(found.astype(np.uint8) if t.dtype == np.uint8 else found)


def any(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """Whether some element is not zero.

    Examples
    --------
    >>> any([0, 1]).item()
    True
    """
    return _whether(np.any, x, dim, axis, keepdim or keepdims)


def all(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """Whether no element is zero.

    Examples
    --------
    >>> all([0, 1]).item()
    False
    """
    return _whether(np.all, x, dim, axis, keepdim or keepdims)


def count_nonzero(x: TensorLike, dim: Any = None, *, axis: Any = None) -> Tensor:
    """How many elements are not zero.

    Examples
    --------
    >>> count_nonzero([0, 1, 2]).item()
    2
    """
    t = as_variable(x)
    axes = checked_axes("count_nonzero", t, dim, axis)
    return wrap(as_array(np.count_nonzero(t.array, axis=axes), np.int64))
