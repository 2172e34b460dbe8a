"""Reductions of tensors; `dim`/`keepdim` as in PyTorch, `axis`/`keepdims` as in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable
from dotori.errors import AxisError
from dotori.functions._numpy import TensorLike, implements
from dotori.ops import reduce as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["amax", "amin", "mean", "sum"]


def _axes(name: str, x: Tensor, dim: Any, axis: Any) -> Any:
    chosen = axis if dim is None else dim
    if chosen is None:
        return None
    many = tuple(chosen) if isinstance(chosen, (tuple, list)) else (chosen,)
    for a in many:
        if not -x.ndim <= a < x.ndim and x.ndim:
            raise AxisError(f"{name}: axis {a} lies outside of the shape {x.shape}")
    return tuple(many) if isinstance(chosen, (tuple, list)) else chosen


@implements(np.sum)
def sum(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
    dtype: Any = None,
) -> Tensor:
    """The sum over some axes, or over all.

    Examples
    --------
    >>> sum([[1.0, 2.0], [3.0, 4.0]], dim=0).tolist()
    [4.0, 6.0]
    """
    t = as_variable(x)
    axes = _axes("sum", t, dim, axis)
    result: Tensor = apply(op.Sum, t, axis=axes, keepdims=keepdim or keepdims)
    return result


@implements(np.mean)
def mean(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
    dtype: Any = None,
) -> Tensor:
    """The mean over some axes, or over all."""
    t = as_variable(x)
    axes = _axes("mean", t, dim, axis)
    result: Tensor = apply(op.Mean, t, axis=axes, keepdims=keepdim or keepdims)
    return result


@implements(np.amax, np.max)
def amax(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """The largest value over some axes; ties share the gradient."""
    t = as_variable(x)
    axes = _axes("amax", t, dim, axis)
    result: Tensor = apply(op.Amax, t, axis=axes, keepdims=keepdim or keepdims)
    return result


@implements(np.amin, np.min)
def amin(
    x: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """The smallest value over some axes; ties share the gradient."""
    t = as_variable(x)
    axes = _axes("amin", t, dim, axis)
    result: Tensor = apply(op.Amin, t, axis=axes, keepdims=keepdim or keepdims)
    return result
