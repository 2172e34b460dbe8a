"""Data types: the default one, and PyTorch's rules for mixing them.

The rules (PyTorch's documentation, "Tensor attributes: type promotion doc"): types have
categories, bool < integer < float < complex. A Python number, or a tensor with no axes,
raises the type of the others only if it is of a higher category; then it brings the
default type of that category, or the complex type as wide as the floats it meets.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.backend import is_array
from dotori.errors import DTypeError

bool_ = np.dtype(np.bool_)
uint8, uint16 = np.dtype(np.uint8), np.dtype(np.uint16)
uint32, uint64 = np.dtype(np.uint32), np.dtype(np.uint64)
int8, int16 = np.dtype(np.int8), np.dtype(np.int16)
int32, int64 = np.dtype(np.int32), np.dtype(np.int64)
float16, float32, float64 = (np.dtype(f"f{n}") for n in (2, 4, 8))
complex64, complex128 = np.dtype(np.complex64), np.dtype(np.complex128)

_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


class _Default(threading.local):
    dtype: np.dtype[Any] = float32


_default = _Default()


def get_default_dtype() -> np.dtype[Any]:
    """The float type of new tensors in this thread: float32 unless it was set."""
    return _default.dtype


def set_default_dtype(dtype: DTypeLike) -> None:
    """Set the float type of new tensors in this thread.

    Raises
    ------
    DTypeError
        If `dtype` is not a float type.
    """
    chosen = np.dtype(dtype)
    if chosen.kind != "f":
        raise DTypeError(f"the default dtype must be a float type, got {chosen}")
    _default.dtype = chosen


def category(value: Any) -> int:
    """0 for booleans, 1 integers, 2 floats, 3 complex; of a number, array or dtype."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int):
        return 1
    if isinstance(value, float):
        return 2
    if isinstance(value, complex):
        return 3
    dtype = value if isinstance(value, np.dtype) else getattr(value, "dtype", None)
    if dtype is None or dtype.kind not in _CATEGORY:
        raise DTypeError(
            "expected booleans, integers, floats or complex numbers, got "
            f"{type(value).__name__ if dtype is None else dtype}"
        )
    return _CATEGORY[dtype.kind]


def complex_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The complex type whose parts have the type `dtype`, or nearly.

    Examples
    --------
    >>> complex_type(float32), complex_type(float64)
    (dtype('complex64'), dtype('complex128'))
    """
    if dtype.kind == "c":
        return dtype
    floats = dtype if dtype.kind == "f" else get_default_dtype()
    return complex128 if floats.itemsize == 8 else complex64


def real_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type of the real part of numbers of type `dtype`.

    Examples
    --------
    >>> real_type(complex64), real_type(float64)
    (dtype('float32'), dtype('float64'))
    """
    if dtype.kind != "c":
        return dtype
    return float64 if dtype == complex128 else float32


def promote_types(a: DTypeLike, b: DTypeLike) -> np.dtype[Any]:
    """The type that holds the results of tensors of types `a` and `b`.

    As in PyTorch, an integer beside a float takes the float's type whatever its width.

    Examples
    --------
    >>> promote_types("int64", "float32")
    dtype('float32')
    >>> promote_types("uint8", "int8")
    dtype('int16')
    """
    x, y = np.dtype(a), np.dtype(b)
    low, high = category(x), category(y)
    if low == high or {low, high} == {2, 3}:  # float64 beside complex64: complex128
        return np.promote_types(x, y)
    return x if low > high else y


def result_type(*values: Any) -> np.dtype[Any]:
    """The type of the result of an operation on these arrays and Python numbers."""
    best: list[np.dtype[Any] | None] = [None, None, None]  # arrays, 0-d, numbers
    for value in values:
        if is_array(value):
            rank, dtype = (0 if value.ndim else 1), value.dtype
        else:
            rank, dtype = 2, _type_of_number(value)
        seen = best[rank]
        best[rank] = dtype if seen is None else promote_types(seen, dtype)
    found: np.dtype[Any] | None = None
    for dtype_of_rank in best:
        if dtype_of_rank is None:
            continue
        if found is None or category(dtype_of_rank) > category(found):
            if found is not None and found.kind == "f":
                dtype_of_rank = complex_type(found)
            found = dtype_of_rank
    if found is None:
        raise DTypeError("result_type needs at least one value")
    return found


def _type_of_number(value: Any) -> np.dtype[Any]:
    default = get_default_dtype()
    return (bool_, int64, default, complex_type(default))[category(value)]


def to_floating(array: Any) -> Any:
    """`array` itself if it holds floats or complex numbers, else as default floats."""
    kind = array.dtype.kind
    if kind in "fc":
        return array
    category(array)
    return array.astype(get_default_dtype())


def promote_operands(x: Any, y: Any, *, floats: bool) -> tuple[Any, Any]:
    """Bring the two operands of an operation to one type.

    A Python number stays one where it does not raise the type: NumPy then computes in
    the type of the array, and nothing is allocated.
    """
    x, y = _operand(x), _operand(y)
    dtype = result_type(x, y)
    if floats and dtype.kind not in "fc":
        dtype = get_default_dtype()
    return _cast(x, dtype), _cast(y, dtype)


def _operand(value: Any) -> Any:
    if is_array(value) or isinstance(value, (bool, int, float, complex)):
        return value
    if isinstance(value, np.generic):
        return value.item() if value.dtype.kind in _CATEGORY else np.asarray(value)
    array = np.asarray(value)
    if array.dtype == float64 and isinstance(value, (list, tuple)):
        array = array.astype(get_default_dtype())  # Python's floats have no width
    if array.dtype == complex128 and isinstance(value, (list, tuple)):
        array = array.astype(complex_type(get_default_dtype()))
    return array


def _cast(value: Any, dtype: np.dtype[Any]) -> Any:
    if is_array(value):
        return value if value.dtype == dtype else value.astype(dtype)
    if dtype.kind == "f":
        return float(value)
    # of negative numbers as uint8 the bits are kept, as in PyTorch
    return complex(value) if dtype.kind == "c" else np.asarray(value).astype(dtype)
