"""New tensors that are filled or counted: constants, ranges, the identity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import as_variable
from dotori.backend import device_of
from dotori.dtypes import bool_, category, complex_type, get_default_dtype, int64
from dotori.errors import ArgumentError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions._places import number_as
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
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of one number; its type follows the number unless `dtype` is given.

    Examples
    --------
    >>> full((2, 2), 7).tolist()
    [[7, 7], [7, 7]]
    """
    value = _number("full", fill_value)
    chosen = np.dtype(_type_of(dtype, value))
    filled = np.full(_shape((size,)), number_as("full", value, chosen))
    return _finish(filled, requires_grad, device)


def empty(
    *size: Any,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor whose elements are whatever the memory held.

    Examples
    --------
    >>> empty(2, 3).shape
    (2, 3)
    """
    chosen = get_default_dtype() if dtype is None else dtype
    return _finish(np.empty(_shape(size), chosen), requires_grad, device)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
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
    given = (0, start, step) if end is None else (start, end, step)
    first, last, stride = (_number("arange", value) for value in given)
    chosen = np.dtype(_type_of(dtype, first, last, stride))
    if chosen == int64 and dtype is not None:
        first, last, stride = int(first), int(last), int(stride)
    if not stride or not math.isfinite(last - first) or (last - first) * stride < 0:
        raise ArgumentError(f"arange: step {stride} never leads from {first} to {last}")
    if all(isinstance(value, int) for value in (first, last, stride)):
        count = -(-(last - first) // stride)
    else:
        count = math.ceil((last - first) / stride)
    if chosen.kind in "iu":  # what is counted is cut first, as in PyTorch
        first, stride = int(first), int(stride)
    numbers = first + np.arange(count) * stride
    return _finish(numbers.astype(chosen), requires_grad, device)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers at equal distances from `start` to `end`, both included.

    Examples
    --------
    >>> linspace(0, 1, 3).tolist()
    [0.0, 0.5, 1.0]
    """
    chosen = np.dtype(get_default_dtype() if dtype is None else dtype)
    numbers = _evenly("linspace", start, end, steps, chosen)
    return _finish(numbers.astype(chosen), requires_grad, device)


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`base` to the powers of ``linspace(start, end, steps)``.

    Examples
    --------
    >>> logspace(0, 2, 3).tolist()
    [1.0, 10.0, 100.0]
    """
    chosen = np.dtype(get_default_dtype() if dtype is None else dtype)
    exponents = _evenly("logspace", start, end, steps, chosen)
    with np.errstate(all="ignore"):
        numbers = np.power(float(base), exponents).astype(chosen)
    return _finish(numbers, requires_grad, device)


def _evenly(place: str, start: Any, end: Any, steps: int, dtype: np.dtype[Any]) -> Any:
    """`steps` numbers from `start` to `end`, the second half counted from the end.

    For integers the ends are cut first, and then all that lies between, as in PyTorch.
    """
    (count,) = _shape((steps,))
    first, last = _number(place, start), _number(place, end)
    if dtype.kind in "iu":
        first, last = int(first), int(last)
    step = (last - first) / max(count - 1, 1)
    i = np.arange(count)
    back = count - 1 - i
    return np.where(i < (count + 1) // 2, first + step * i, last - step * back)


def _number(place: str, value: Any) -> Any:
    """A Python number, out of a tensor without axes too."""
    array = getattr(value, "array", value)
    if getattr(array, "ndim", 0):
        raise ArgumentError(f"{place}: numbers are wanted, got shape {array.shape}")
    return array.item() if hasattr(array, "item") else array


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
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
    return _finish(np.eye(rows, columns, dtype=chosen), requires_grad, device)


@implements(np.zeros_like)
def zeros_like(
    x: TensorLike,
    dtype: DTypeLike | None = None,
    *,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros of the shape and type of `x`.

    Examples
    --------
    >>> zeros_like([1, 2]).tolist()
    [0, 0]
    """
    return full_like(x, 0, dtype, device=device, requires_grad=requires_grad)


@implements(np.ones_like)
def ones_like(
    x: TensorLike,
    dtype: DTypeLike | None = None,
    *,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones of the shape and type of `x`.

    Examples
    --------
    >>> ones_like([3.0, 4.0]).tolist()
    [1.0, 1.0]
    """
    return full_like(x, 1, dtype, device=device, requires_grad=requires_grad)


@implements(np.full_like)
def full_like(
    x: TensorLike,
    fill_value: float,
    dtype: DTypeLike | None = None,
    *,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """One number in the shape and type of `x`.

    Examples
    --------
    >>> full_like([1.0, 2.0], 5).tolist()
    [5.0, 5.0]
    """
    array = as_variable(x).array
    chosen = array.dtype if dtype is None else np.dtype(dtype)
    value = number_as("full_like", _number("full_like", fill_value), chosen)
    place = device_of(array) if device is None else device
    return _finish(np.full(array.shape, value), requires_grad, place)


@implements(np.empty_like)
def empty_like(
    x: TensorLike,
    dtype: DTypeLike | None = None,
    *,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of the shape and type of `x` that holds whatever the memory held.

    Examples
    --------
    >>> empty_like([1.0, 2.0]).shape
    (2,)
    """
    array = as_variable(x).array
    chosen = array.dtype if dtype is None else dtype
    place = device_of(array) if device is None else device
    return _finish(np.empty(array.shape, chosen), requires_grad, place)


def _type_of(dtype: DTypeLike | None, *numbers: float) -> DTypeLike:
    """`dtype`, or what PyTorch infers: the default of the numbers' highest category."""
    if dtype is not None:
        return dtype
    highest = max(category(number) for number in numbers)
    default = get_default_dtype()
    return (bool_, int64, default, complex_type(default))[highest]
