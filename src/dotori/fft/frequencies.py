"""Which frequency is where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import as_variable, leaf, wrap
from dotori.dtypes import get_default_dtype
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.reduce import checked_axes
from dotori.functions.shape import getitem

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def _frequencies(
    array: Any, dtype: DTypeLike | None, requires_grad: bool = False
) -> Tensor:
    chosen = get_default_dtype() if dtype is None else np.dtype(dtype)
    made = array.astype(chosen)
    return wrap(made, leaf(made) if requires_grad else None)


def fftfreq(
    n: int,
    d: float = 1.0,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies of the results of `fft` for samples `d` apart.

    Examples
    --------
    >>> fftfreq(4).tolist()
    [0.0, 0.25, -0.5, -0.25]
    """
    return _frequencies(np.fft.fftfreq(n, d), dtype, requires_grad)


def rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies of the results of `rfft` for samples `d` apart.

    Examples
    --------
    >>> rfftfreq(4).tolist()
    [0.0, 0.25, 0.5]
    """
    return _frequencies(np.fft.rfftfreq(n, d), dtype, requires_grad)


def _shifted(place: str, x: TensorLike, dim: Any, back: bool) -> Tensor:
    t = as_variable(x)
    axes = checked_axes(f"fft.{place}", t, dim, None)
    for axis in range(t.ndim) if axes is None else np.atleast_1d(axes).tolist():
        n = t.shape[axis]
        order = np.roll(np.arange(n), -(n // 2) if back else n // 2)
        t = getitem(t, (*(slice(None),) * (axis % t.ndim), order))
    return t


@implements(np.fft.fftshift)
def fftshift(x: TensorLike, dim: Any = None, *, axes: Any = None) -> Tensor:
    """The frequency 0 in the middle.

    Examples
    --------
    >>> fftshift([0, 1, 2, -2, -1]).tolist()
    [-2, -1, 0, 1, 2]
    """
    return _shifted("fftshift", x, axes if dim is None else dim, back=False)


@implements(np.fft.ifftshift)
def ifftshift(x: TensorLike, dim: Any = None, *, axes: Any = None) -> Tensor:
    """The inverse of `fftshift`.

    Examples
    --------
    >>> ifftshift([-2, -1, 0, 1, 2]).tolist()
    [0, 1, 2, -2, -1]
    """
    return _shifted("ifftshift", x, axes if dim is None else dim, back=True)
