"""New tensors: from data, filled, counted, and drawn at random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import leaf, wrap
from dotori.backend import Array, is_array, to_device
from dotori.dtypes import complex_type, get_default_dtype
from dotori.errors import ArgumentError, DTypeError
from dotori.random import Generator, default_generator

if TYPE_CHECKING:
    from dotori._tensor import Tensor


__all__ = ["as_tensor", "from_numpy", "ones", "rand", "randn", "tensor", "zeros"]


def to_array(data: Any, dtype: DTypeLike | None = None) -> Array:
    """The array in or behind `data`, shared where its dtype allows.

    Python floats become the default float type, integers int64, complex numbers two
    default floats. An array keeps its
    type; one of another byte order is brought to the machine's.

    Raises
    ------
    DTypeError
        For text, objects, dates and ragged lists: what has no place in a tensor.
    """
    array: Any = getattr(data, "array", data)
    if not is_array(array):
        array = _from_python(array, dtype)
    if type(array) is not np.ndarray and isinstance(array, np.ndarray):
        array = np.asarray(array)  # a subclass, such as a matrix or a memory map
    if array.dtype.kind not in "fiubc":
        raise DTypeError(
            "a tensor holds booleans, integers, floats or complex numbers, got dtype "
            f"{array.dtype}; turn text into numbers first"
        )
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if dtype is not None and array.dtype != dtype:
        array = array.astype(dtype)
    return array  # type: ignore[no-any-return]


def _from_python(data: Any, dtype: DTypeLike | None) -> Any:
    if isinstance(data, (list, tuple)) and any(hasattr(x, "array") for x in data):
        data = [getattr(x, "array", x) for x in data]
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise DTypeError(
            "the data cannot form an array; are its rows of different lengths?"
        ) from error
    own_type = hasattr(data, "__array__") or hasattr(data, "dtype")
    if dtype is not None:  # given at once: no digits are lost on the way
        return array
    if array.dtype == np.float64 and not own_type:
        array = array.astype(get_default_dtype())
    if array.dtype == np.complex128 and not own_type:
        array = array.astype(complex_type(get_default_dtype()))
    return array


def tensor(
    data: Any,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    device: str = "cpu",
) -> Tensor:
    """A new tensor with a copy of `data`.

    Parameters
    ----------
    data : number, nested list, array, tensor or data frame
        Python floats become float32 (see `set_default_dtype`), integers int64; arrays
        keep their type.
    dtype : dtype, optional
    requires_grad : bool
        Keep gradients for it: then it must hold floats.

    Examples
    --------
    >>> tensor([[1, 2], [3, 4]]).shape
    (2, 2)
    >>> tensor([1.0]).dtype
    dtype('float32')
    """
    array = to_device(to_array(data, dtype), device)
    owned = not is_array(getattr(data, "array", data))
    if not owned or array.base is not None:
        array = array.copy()
    return wrap(array).requires_grad_(requires_grad)


def as_tensor(
    data: Any, dtype: DTypeLike | None = None, device: str | None = None
) -> Tensor:
    """A tensor of `data`: itself if it is one, around its memory if it is an array.

    Examples
    --------
    >>> a = np.zeros(3)
    >>> t = as_tensor(a)
    >>> a[0] = 7.0
    >>> t.tolist()
    [7.0, 0.0, 0.0]
    """
    if hasattr(data, "node"):
        if dtype is None and device is None:
            return data  # type: ignore[no-any-return]
        return data.to(dtype=dtype, device=device)  # type: ignore[no-any-return]
    array = to_array(data, dtype)
    return wrap(array if device is None else to_device(array, device))


def from_numpy(array: Array) -> Tensor:
    """A tensor that shares the memory of `array`.

    Raises
    ------
    DTypeError
        If `array` is not a NumPy array of numbers.
    """
    if not isinstance(array, np.ndarray):
        raise DTypeError(f"from_numpy wants a NumPy array, got {type(array).__name__}")
    return wrap(to_array(array))


def _shape(size: tuple[Any, ...]) -> tuple[int, ...]:
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = tuple(size[0])
    for n in size:
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
            raise ArgumentError(f"a shape is made of non-negative ints, got {size}")
    return tuple(map(int, size))


def _finish(array: Array, requires_grad: bool, device: str | None = None) -> Tensor:
    """The new tensor of `array`, a leaf if it `requires_grad`.

    Raises
    ------
    DTypeError
        If it holds no floats, but requires a gradient.
    """
    if device is not None:
        array = to_device(array, device)
    if requires_grad and array.dtype.kind not in "fc":
        raise DTypeError(f"only floats have gradients, {array.dtype} was asked for")
    return wrap(array, leaf(array) if requires_grad else None)


def zeros(
    *size: Any,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of zeros. ``zeros(2, 3)`` and ``zeros((2, 3))`` are the same.

    Examples
    --------
    >>> zeros(2, 3).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    dtype = get_default_dtype() if dtype is None else dtype
    return _finish(np.zeros(_shape(size), dtype), requires_grad, device)


def ones(
    *size: Any,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of ones.

    Examples
    --------
    >>> ones(3).tolist()
    [1.0, 1.0, 1.0]
    """
    dtype = get_default_dtype() if dtype is None else dtype
    return _finish(np.ones(_shape(size), dtype), requires_grad, device)


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers evenly spread over [0, 1).

    Examples
    --------
    >>> rand(2, 3).shape
    (2, 3)
    """
    dtype = get_default_dtype() if dtype is None else dtype
    source = generator or default_generator()
    return _finish(source.uniform(_shape(size), dtype=dtype), requires_grad, device)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from the standard normal distribution.

    Examples
    --------
    >>> randn(2, 3).dtype
    dtype('float32')
    """
    dtype = get_default_dtype() if dtype is None else dtype
    source = generator or default_generator()
    return _finish(source.normal(_shape(size), dtype=dtype), requires_grad, device)
