"""New tensors like another one, in strides of choice, and from any kind of array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import as_variable, wrap
from dotori.backend import device_of
from dotori.dtypes import get_default_dtype
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions._places import number_as
from dotori.functions.creation import _finish, _shape, tensor, to_array

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "asarray",
    "empty_permuted",
    "empty_strided",
    "frombuffer",
    "new_empty",
    "new_empty_strided",
    "new_full",
    "new_ones",
    "new_tensor",
    "new_zeros",
    "scalar_tensor",
]


def new_full(
    x: TensorLike,
    size: Any,
    fill_value: Any,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of one number, of the type of `x` and where `x` is.

    Examples
    --------
    >>> from dotori import tensor
    >>> tensor([1.0]).new_full((2,), 7).tolist()
    [7.0, 7.0]
    """
    array = as_variable(x).array
    chosen = array.dtype if dtype is None else np.dtype(dtype)
    value = number_as("new_full", getattr(fill_value, "array", fill_value), chosen)
    place = device_of(array) if device is None else device
    return _finish(np.full(_shape((size,)), value), requires_grad, place)


def new_zeros(
    x: TensorLike,
    *size: Any,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros of the type of `x`.

    Examples
    --------
    >>> from dotori import tensor
    >>> tensor([1]).new_zeros(2).tolist()
    [0, 0]
    """
    return new_full(
        x, _shape(size), 0, dtype=dtype, device=device, requires_grad=requires_grad
    )


def new_ones(
    x: TensorLike,
    *size: Any,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones of the type of `x`.

    Examples
    --------
    >>> from dotori import tensor
    >>> tensor([2.0]).new_ones(2).tolist()
    [1.0, 1.0]
    """
    return new_full(
        x, _shape(size), 1, dtype=dtype, device=device, requires_grad=requires_grad
    )


def new_empty(
    x: TensorLike,
    *size: Any,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of the type of `x` whose elements are whatever the memory held.

    Examples
    --------
    >>> from dotori import tensor
    >>> tensor([2]).new_empty(2, 3).shape
    (2, 3)
    """
    array = as_variable(x).array
    chosen = array.dtype if dtype is None else np.dtype(dtype)
    place = device_of(array) if device is None else device
    return _finish(np.empty(_shape(size), chosen), requires_grad, place)


def new_tensor(
    x: TensorLike,
    data: Any,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A copy of `data`, of the type of `x`.

    Examples
    --------
    >>> from dotori import tensor
    >>> tensor([2.0]).new_tensor([1, 2]).tolist()
    [1.0, 2.0]
    """
    array = as_variable(x).array
    return tensor(
        data,
        dtype=array.dtype if dtype is None else dtype,
        device=device_of(array) if device is None else device,
        requires_grad=requires_grad,
    )


def scalar_tensor(
    s: Any,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """One number as a tensor without axes, of the default float type.

    Examples
    --------
    >>> scalar_tensor(2).item()
    2.0
    """
    chosen = np.dtype(get_default_dtype() if dtype is None else dtype)
    return _finish(number_as("scalar_tensor", s, chosen), requires_grad, device)


def empty_strided(
    size: Sequence[int],
    stride: Sequence[int],
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of unknown elements that lies in memory with these strides.

    `stride` counts elements; where it is 0, all along that axis share one place.

    Examples
    --------
    >>> empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    shape = _shape((tuple(size),))
    if len(shape) != len(stride) or any(s < 0 for s in stride):
        raise ShapeError(
            f"empty_strided: a stride for each axis of {shape}, none of them negative, "
            f"is wanted, got {tuple(stride)}"
        )
    chosen = np.dtype(get_default_dtype() if dtype is None else dtype)
    last = sum((n - 1) * s for n, s in zip(shape, stride, strict=True))
    memory = np.empty(0 if 0 in shape else last + 1, chosen)
    steps = [s * chosen.itemsize for s in stride]
    return _finish(np.ndarray(shape, chosen, memory, 0, steps), requires_grad, device)


def new_empty_strided(
    x: TensorLike,
    size: Sequence[int],
    stride: Sequence[int],
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`empty_strided` of the type of `x`.

    Examples
    --------
    >>> from dotori import tensor
    >>> tensor([2]).new_empty_strided((2, 3), (1, 2)).shape
    (2, 3)
    """
    array = as_variable(x).array
    return empty_strided(
        size,
        stride,
        dtype=array.dtype if dtype is None else dtype,
        device=device_of(array) if device is None else device,
        requires_grad=requires_grad,
    )


def empty_permuted(
    size: Sequence[int],
    physical_layout: Sequence[int],
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of unknown elements that lies in memory in this order of its axes.

    Examples
    --------
    >>> empty_permuted((2, 3, 5), (1, 0, 2)).stride()
    (5, 10, 1)
    """
    shape, order = _shape((tuple(size),)), tuple(physical_layout)
    if sorted(order) != list(range(len(shape))):
        raise ArgumentError(
            f"empty_permuted: {order} is no order of the axes of the shape {shape}"
        )
    chosen = get_default_dtype() if dtype is None else dtype
    array = np.empty([shape[d] for d in order], chosen)
    back = sorted(range(len(order)), key=lambda i: order[i])
    return _finish(array.transpose(back), requires_grad, device)


def asarray(
    obj: Any,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of numbers, lists, arrays or tensors, in their memory if possible.

    Parameters
    ----------
    obj : number, nested list, array or tensor
    dtype, device : optional
    copy : bool, optional
        Whether the memory is a new one; None for "if it must".
    requires_grad : bool
        Whether the result is a leaf; without it, a tensor that has a gradient is cut
        off from it.

    Raises
    ------
    ArgumentError
        If ``copy=False``, but there is no other way.

    Examples
    --------
    >>> a = np.zeros(2)
    >>> t = asarray(a)
    >>> a[0] = 7.0
    >>> t.tolist()
    [7.0, 0.0]
    """
    array = to_array(obj, dtype)
    made = _finish(array, False, device).array
    given = getattr(obj, "array", obj)
    shared = isinstance(given, np.ndarray) and np.may_share_memory(given, made)
    if copy is False and not shared:
        raise ArgumentError(
            f"asarray: {type(obj).__name__} cannot become {made.dtype} on "
            f"{device_of(made)} without a copy; leave copy=False out"
        )
    if copy and shared:
        made = made.copy()
    return wrap(made).requires_grad_() if requires_grad else wrap(made)


def frombuffer(
    buffer: Any,
    *,
    dtype: DTypeLike,
    count: int = -1,
    offset: int = 0,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of one axis on the memory of bytes or of another buffer.

    Parameters
    ----------
    buffer : bytes-like
        What is read-only, as bytes are, makes a tensor that cannot be written to.
    dtype : dtype
    count : int
        The number of elements; all that there are for -1.
    offset : int
        Where to begin, in bytes.

    Raises
    ------
    ArgumentError
        If the buffer does not hold so much, or no whole number of elements.

    Examples
    --------
    >>> frombuffer(bytes([1, 0, 2, 0]), dtype="int16").tolist()
    [1, 2]
    """
    try:
        array = np.frombuffer(buffer, np.dtype(dtype), count, offset)
    except ValueError as error:
        raise ArgumentError(f"frombuffer: {error}") from error
    return wrap(array).requires_grad_() if requires_grad else wrap(array)
