"""Reductions of tensors.

They take `dim` and `keepdim` as PyTorch does, or `axis` and `keepdims` as NumPy does.
For `max` and `min` the spelling is the meaning: ``max(x, dim=1)`` gives values and
indices as in PyTorch, ``max(x, axis=1)`` values as in NumPy.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import apply, as_variable, wrap
from dotori.errors import AxisError, DTypeError, ShapeError
from dotori.functions import elementwise
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.shape import cast, getitem
from dotori.ops import reduce as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "norm",
    "prod",
    "std",
    "sum",
    "var",
]


class ValuesAndIndices(NamedTuple):
    """What `max` and `min` along an axis give."""

    values: Tensor
    indices: Tensor


def checked_axes(place: str, x: Tensor, dim: Any, axis: Any) -> Any:
    """The axes that are meant, by either name.

    Raises
    ------
    AxisError
        If one lies outside of the shape.
    """
    chosen = axis if dim is None else dim
    if chosen is None:
        return None
    many = tuple(chosen) if isinstance(chosen, (tuple, list)) else (chosen,)
    limit = x.ndim or 1
    for a in many:
        if not -limit <= a < limit:
            raise AxisError(
                f"{place}: axis {a} lies outside of the shape {x.shape}; it must be "
                f"from {-limit} to {limit - 1}"
            )
    if not x.ndim:
        return None
    return many if isinstance(chosen, (tuple, list)) else int(chosen)


def _reduce(
    which: Any, place: str, x: Tensor, dim: Any, axis: Any, keep: bool, **attrs: Any
) -> Tensor:
    axes = checked_axes(place, x, dim, axis)
    result: Tensor = apply(
        which, x, axis=axes, keepdims=keep, shape=x.array.shape, **attrs
    )
    return result


def _nonempty(place: str, x: Tensor, axes: Any) -> None:
    lost = op.kept_shape(x.shape, axes)
    if (0, 1) in zip(x.shape, lost, strict=True):
        raise ShapeError(f"{place}: of no elements, shape {x.shape}, there is none")


@implements(np.sum)
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
    return _reduce(op.Sum, "sum", t, dim, axis, keepdim or keepdims)


@implements(np.mean)
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
    return _reduce(op.Mean, "mean", t, dim, axis, keepdim or keepdims)


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

    The correction is 1, or 0 if not `unbiased`.

    Examples
    --------
    >>> var([1.0, 2.0, 3.0]).item()
    1.0
    """
    t = as_variable(x)
    if correction is None:
        correction = 1 if unbiased else 0
    keep = keepdim or keepdims
    return _reduce(op.Var, "var", t, dim, axis, keep, correction=correction)


@implements(np.var)
def _numpys_var(
    x: TensorLike, axis: Any = None, ddof: float = 0, keepdims: bool = False
) -> Tensor:
    return var(x, axis=axis, correction=ddof, keepdims=keepdims)


@implements(np.std)
def _numpys_std(
    x: TensorLike, axis: Any = None, ddof: float = 0, keepdims: bool = False
) -> Tensor:
    return std(x, axis=axis, correction=ddof, keepdims=keepdims)


def std(x: TensorLike, *args: Any, **kwargs: Any) -> Tensor:
    """The standard deviation: the root of `var`, with its arguments.

    Examples
    --------
    >>> std([1.0, 2.0, 3.0]).item()
    1.0
    """
    return elementwise.sqrt(var(x, *args, **kwargs))


@implements(np.amax)
def amax(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """The largest value over some axes; ties share the gradient evenly.

    Examples
    --------
    >>> amax([[1.0, 5.0], [3.0, 2.0]], dim=1).tolist()
    [5.0, 3.0]
    """
    t = as_variable(x)
    _nonempty("amax", t, checked_axes("amax", t, dim, axis))
    return _reduce(op.Amax, "amax", t, dim, axis, keepdim or keepdims)


@implements(np.amin)
def amin(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """The smallest value over some axes; ties share the gradient evenly.

    Examples
    --------
    >>> amin([[1.0, 5.0], [3.0, 2.0]], dim=1).tolist()
    [1.0, 2.0]
    """
    t = as_variable(x)
    _nonempty("amin", t, checked_axes("amin", t, dim, axis))
    return _reduce(op.Amin, "amin", t, dim, axis, keepdim or keepdims)


@implements(np.max)
def max(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Any:
    """The largest value; with `dim`, the values and their indices.

    Along `dim` the gradient goes to the element whose index is given. With a tensor as
    second argument it is `maximum`.

    Examples
    --------
    >>> max([[1.0, 5.0], [3.0, 2.0]]).item()
    5.0
    >>> max([[1.0, 5.0], [3.0, 2.0]], dim=1).indices.tolist()
    [1, 0]
    """
    if hasattr(dim, "array"):
        return elementwise.maximum(x, dim)
    if dim is None:
        return amax(x, axis=axis, keepdim=keepdim, keepdims=keepdims)
    return _selected(x, argmax(x, dim, keepdim=True), dim, keepdim)


@implements(np.min)
def min(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Any:
    """The smallest value; with `dim`, the values and their indices: see `max`.

    Examples
    --------
    >>> min([[1.0, 5.0], [3.0, 2.0]], dim=1).values.tolist()
    [1.0, 2.0]
    """
    if hasattr(dim, "array"):
        return elementwise.minimum(x, dim)
    if dim is None:
        return amin(x, axis=axis, keepdim=keepdim, keepdims=keepdims)
    return _selected(x, argmin(x, dim, keepdim=True), dim, keepdim)


def _selected(x: TensorLike, where: Tensor, dim: int, keep: bool) -> ValuesAndIndices:
    """The elements at the indices `where`, which have length 1 along `dim`."""
    t = as_variable(x)
    if not t.ndim:
        return ValuesAndIndices(t, wrap(np.zeros((), np.int64)))
    index: list[Any] = list(np.ogrid[tuple(slice(n) for n in where.shape)])
    index[dim] = where.array
    values = getitem(t, tuple(index))
    if keep:
        return ValuesAndIndices(values, where)
    shape = tuple(n for i, n in enumerate(t.shape) if i != dim % t.ndim)
    return ValuesAndIndices(values.reshape(shape), where.reshape(shape))


def _argument(
    which: Any, place: str, x: TensorLike, dim: Any, axis: Any, keep: bool
) -> Tensor:
    t = as_variable(x)
    axes = checked_axes(place, t, dim, axis)
    _nonempty(place, t, axes)
    found = which(t.array, axis=axes, keepdims=keep)
    return wrap(np.asarray(found, np.int64))


@implements(np.argmax)
def argmax(
    x: TensorLike,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The index of the (first) largest element, along an axis or of all in C order.

    Examples
    --------
    >>> argmax([[1.0, 5.0], [3.0, 2.0]], dim=1).tolist()
    [1, 0]
    """
    return _argument(np.argmax, "argmax", x, dim, axis, keepdim or keepdims)


@implements(np.argmin)
def argmin(
    x: TensorLike,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The index of the (first) smallest element: see `argmax`.

    Examples
    --------
    >>> argmin([[1.0, 5.0], [3.0, 2.0]]).item()
    0
    """
    return _argument(np.argmin, "argmin", x, dim, axis, keepdim or keepdims)


@implements(np.prod)
def prod(
    x: TensorLike,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The product along an axis, or of all elements.

    Examples
    --------
    >>> prod([2.0, 3.0, 4.0]).item()
    24.0
    """
    t = as_variable(x)
    axes = checked_axes("prod", t, dim, axis)
    if axes is None:
        result: Tensor = apply(op.Prod, t.reshape(-1), axis=0)
        return result.reshape((1,) * t.ndim) if keepdim or keepdims else result
    result = apply(op.Prod, t, axis=axes)
    if keepdim or keepdims:
        return result.reshape(op.kept_shape(t.shape, axes))
    return result


@implements(np.cumsum)
def cumsum(x: TensorLike, dim: int | None = None, *, axis: int | None = None) -> Tensor:
    """The sum of each element and all before it, along an axis.

    Examples
    --------
    >>> cumsum([1.0, 2.0, 3.0], dim=0).tolist()
    [1.0, 3.0, 6.0]
    """
    t = as_variable(x)
    axes = checked_axes("cumsum", t, dim, axis)
    if axes is None:
        t, axes = t.reshape(-1), 0
    result: Tensor = apply(op.CumSum, t, axis=axes)
    return result


def logsumexp(
    x: TensorLike, dim: Any = None, keepdim: bool = False, *, axis: Any = None
) -> Tensor:
    """ln of the sum of e^x, without overflow.

    Examples
    --------
    >>> logsumexp([1000.0, 1000.0], dim=0).item()
    1000.6931762695312
    """
    return _reduce(op.LogSumExp, "logsumexp", as_variable(x), dim, axis, keepdim)


def norm(
    x: TensorLike, p: float = 2.0, dim: Any = None, keepdim: bool = False
) -> Tensor:
    """(sum |x|^p)^(1/p): the length of vectors, 2 by default; p may be infinite.

    The gradient at a zero vector is zero.

    Examples
    --------
    >>> norm([3.0, 4.0]).item()
    5.0
    """
    size = elementwise.abs(x)
    if p == math.inf:
        return amax(size, dim, keepdim)
    if p == 1:
        return sum(size, dim, keepdim)
    total = sum(elementwise.square(x) if p == 2 else size**p, dim, keepdim)
    zero = total.array == 0
    if not zero.any():
        return total ** (1 / p) if p != 2 else elementwise.sqrt(total)
    safe = elementwise.where(zero, 1.0, total)
    return elementwise.where(zero, 0.0, safe ** (1 / p))


def _whether(which: Any, x: TensorLike, dim: Any, axis: Any, keep: bool) -> Tensor:
    t = as_variable(x)
    axes = checked_axes(which.__name__, t, dim, axis)
    return wrap(np.asarray(which(t.array, axis=axes, keepdims=keep)))


@implements(np.any)
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


@implements(np.all)
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


@implements(np.count_nonzero)
def count_nonzero(x: TensorLike, dim: Any = None, *, axis: Any = None) -> Tensor:
    """How many elements are not zero.

    Examples
    --------
    >>> count_nonzero([0, 1, 2]).item()
    2
    """
    t = as_variable(x)
    axes = checked_axes("count_nonzero", t, dim, axis)
    return wrap(np.asarray(np.count_nonzero(t.array, axis=axes), np.int64))
