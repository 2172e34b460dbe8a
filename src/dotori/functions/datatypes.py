"""Questions about types: what a result will be, and what a type can hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from dotori import dtypes
from dotori.autograd import Variable
from dotori.errors import DTypeError
from dotori.functions._numpy import TensorLike

__all__ = ["can_cast", "finfo", "iinfo", "result_type"]


def result_type(x: TensorLike, other: TensorLike) -> np.dtype[Any]:
    """The type of the result of an operation on two tensors or numbers.

    A number, or a tensor without axes, counts only if it is of a higher category:
    booleans, integers, floats, complex numbers.

    Examples
    --------
    >>> from dotori import tensor
    >>> result_type(tensor([1, 2]), 1.0), result_type(tensor([1.0]), 5)
    (dtype('float32'), dtype('float32'))
    """
    values = [v.array if isinstance(v, Variable) else v for v in (x, other)]
    return dtypes.result_type(*values)


def can_cast(from_: DTypeLike, to: DTypeLike) -> bool:
    """Whether PyTorch's rules let a result of one type be written into another.

    It may lose digits, but not its category: no float becomes an integer.

    Examples
    --------
    >>> can_cast("float64", "float32"), can_cast("float32", "int64")
    (True, False)
    """
    return dtypes.category(np.dtype(from_)) <= dtypes.category(np.dtype(to))


def finfo(dtype: DTypeLike | None = None) -> np.finfo[Any]:
    """The limits of a float type, by default the default one: ``eps``, ``max``, ...

    Raises
    ------
    DTypeError
        If it is no float type.

    Examples
    --------
    >>> float(finfo("float32").eps)
    1.1920928955078125e-07
    """
    chosen = dtypes.get_default_dtype() if dtype is None else np.dtype(dtype)
    if chosen.kind not in "fc":
        raise DTypeError(f"finfo: a float type is wanted, got {chosen}; see iinfo")
    return np.finfo(chosen)


def iinfo(dtype: DTypeLike) -> np.iinfo[Any]:
    """The limits of an integer type: ``min``, ``max``, ``bits``.

    Raises
    ------
    DTypeError
        If it is no integer type.

    Examples
    --------
    >>> iinfo("int8").min, iinfo("int8").max
    (-128, 127)
    """
    chosen = np.dtype(dtype)
    if chosen.kind not in "iu":
        raise DTypeError(f"iinfo: an integer type is wanted, got {chosen}; see finfo")
    return np.iinfo(chosen)
