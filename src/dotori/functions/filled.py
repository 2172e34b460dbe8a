"""New tensors that are filled or counted: constants, ranges, the identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import as_variable
from dotori.dtypes import bool_, category, get_default_dtype, int64
from dotori.errors import ArgumentError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.creation import _finish, _shape

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "arange",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "ones_like",
    "zeros_like",
]


def full(
    size: Any,
    fill_value: float,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of one number; its type follows the number unless `dtype` is given.

    Examples
    --------
    >>> full((2, 2), 7).tolist()
    [[7, 7], [7, 7]]
    """
    chosen = _type_of(dtype, fill_value)
    shape = _shape((size,))
    return _finish(np.full(shape, fill_value, chosen), requires_grad)


def empty(
    *size: Any, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor whose elements are whatever the memory held.

    Examples
    --------
    >>> empty(2, 3).shape
    (2, 3)
    """
    chosen = get_default_dtype() if dtype is None else dtype
    return _finish(np.empty(_shape(size), chosen), requires_grad)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, ... up to but without `end`; integers if all three are.

    Raises
    ------
    ArgumentError
        If `step` is 0 or leads away from `end`.

    Examples
    --------
    >>> arange(2, 8, 3).tolist()
    [2, 5]
    """
    first, last = (0, start) if end is None else (start, end)
    if not step or (last - first) * step < 0:
        raise ArgumentError(f"arange: step {step} never leads from {first} to {last}")
    chosen = _type_of(dtype, first, last, step)
    return _finish(np.arange(first, last, step).astype(chosen), requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers at equal distances from `start` to `end`, both included.

    Examples
    --------
    >>> linspace(0, 1, 3).tolist()
    [0.0, 0.5, 1.0]
    """
    (count,) = _shape((steps,))
    chosen = get_default_dtype() if dtype is None else dtype
    return _finish(np.linspace(start, end, count, dtype=chosen), requires_grad)


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`base` to the powers of ``linspace(start, end, steps)``.

    Examples
    --------
    >>> logspace(0, 2, 3).tolist()
    [1.0, 10.0, 100.0]
    """
    (count,) = _shape((steps,))
    chosen = get_default_dtype() if dtype is None else dtype
    numbers = np.logspace(start, end, count, base=base, dtype=chosen)
    return _finish(numbers, requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones on the diagonal of a matrix of n rows and m columns, zeros elsewhere.

    Examples
    --------
    >>> eye(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    rows, columns = _shape((n, n if m is None else m))
    chosen = get_default_dtype() if dtype is None else dtype
    return _finish(np.eye(rows, columns, dtype=chosen), requires_grad)


@implements(np.zeros_like)
def zeros_like(
    x: TensorLike, dtype: DTypeLike | None = None, *, requires_grad: bool = False
) -> Tensor:
    """Zeros of the shape and type of `x`.

    Examples
    --------
    >>> zeros_like([1, 2]).tolist()
    [0, 0]
    """
    return full_like(x, 0, dtype, requires_grad=requires_grad)


@implements(np.ones_like)
def ones_like(
    x: TensorLike, dtype: DTypeLike | None = None, *, requires_grad: bool = False
) -> Tensor:
    """Ones of the shape and type of `x`.

    Examples
    --------
    >>> ones_like([3.0, 4.0]).tolist()
    [1.0, 1.0]
    """
    return full_like(x, 1, dtype, requires_grad=requires_grad)


@implements(np.full_like)
def full_like(
    x: TensorLike,
    fill_value: float,
    dtype: DTypeLike | None = None,
    *,
    requires_grad: bool = False,
) -> Tensor:
    """One number in the shape and type of `x`.

    Examples
    --------
    >>> full_like([1.0, 2.0], 5).tolist()
    [5.0, 5.0]
    """
    array = as_variable(x).array
    chosen = array.dtype if dtype is None else dtype
    return _finish(np.full(array.shape, fill_value, chosen), requires_grad)


@implements(np.empty_like)
def empty_like(
    x: TensorLike, dtype: DTypeLike | None = None, *, requires_grad: bool = False
) -> Tensor:
    """A tensor of the shape and type of `x` that holds whatever the memory held.

    Examples
    --------
    >>> empty_like([1.0, 2.0]).shape
    (2,)
    """
    array = as_variable(x).array
    chosen = array.dtype if dtype is None else dtype
    return _finish(np.empty(array.shape, chosen), requires_grad)


def _type_of(dtype: DTypeLike | None, *numbers: float) -> DTypeLike:
    """`dtype`, or what PyTorch infers: the default of the numbers' highest category."""
    if dtype is not None:
        return dtype
    highest = max(category(number) for number in numbers)
    return (bool_, int64, get_default_dtype())[highest]
