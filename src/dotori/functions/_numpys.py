"""NumPy's way to call reductions: other orders of arguments, and values alone.

``np.max(t, 0)`` is ``dotori.max(t, axis=0)``: the values, as NumPy has it, and no
indices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import as_variable
from dotori.errors import ArgumentError
from dotori.functions import extremes, reduce
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.shape import cast

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def no_out(place: str, out: Any) -> None:
    """Refuse `out`: a result has memory of its own."""
    if out is not None:
        raise ArgumentError(f"np.{place}: out= is not supported on tensors")


def _with_dtype(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The arguments of `np.sum`, `np.mean` and `np.prod`."""

    def call(
        x: TensorLike,
        axis: Any = None,
        dtype: DTypeLike | None = None,
        out: Any = None,
        keepdims: bool = False,
    ) -> Tensor:
        no_out(function.__name__, out)
        return function(x, axis=axis, dtype=dtype, keepdims=keepdims)

    return call


def _plain(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The arguments of `np.max`, `np.any` and their like."""

    def call(
        x: TensorLike, axis: Any = None, out: Any = None, keepdims: bool = False
    ) -> Tensor:
        no_out(function.__name__, out)
        return function(x, axis=axis, keepdims=keepdims)

    return call


def _spread(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The arguments of `np.var` and `np.std`."""

    def call(
        x: TensorLike,
        axis: Any = None,
        dtype: DTypeLike | None = None,
        out: Any = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        correction: float | None = None,
    ) -> Tensor:
        no_out(function.__name__, out)
        chosen = ddof if correction is None else correction
        t = x if dtype is None else cast(x, dtype)
        return function(t, axis=axis, correction=chosen, keepdims=keepdims)

    return call


implements(np.sum)(_with_dtype(reduce.sum))
implements(np.mean)(_with_dtype(reduce.mean))
implements(np.prod)(_with_dtype(reduce.prod))
implements(np.var)(_spread(reduce.var))
implements(np.std)(_spread(reduce.std))
implements(np.any)(_plain(reduce.any))
implements(np.all)(_plain(reduce.all))
implements(np.max, np.amax)(_plain(extremes.max))
implements(np.min, np.amin)(_plain(extremes.min))
implements(np.argmax)(_plain(extremes.argmax))
implements(np.argmin)(_plain(extremes.argmin))


@implements(np.cumsum)
def _cumsum(
    x: TensorLike, axis: int | None = None, dtype: DTypeLike | None = None
) -> Tensor:
    """Of all elements in C order where no axis is given."""
    if axis is None:
        return reduce.cumsum(as_variable(x).reshape(-1), 0, dtype=dtype)
    return reduce.cumsum(x, axis, dtype=dtype)


@implements(np.count_nonzero)
def _count_nonzero(
    x: TensorLike, axis: Any = None, *, keepdims: bool = False
) -> Tensor:
    counted = as_variable(x) != 0
    return reduce.sum(counted, axis=axis, keepdims=keepdims)
