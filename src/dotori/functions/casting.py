"""Other types and devices: ``x.to(...)`` and the methods named after a type.

A conversion passes gradients on, in the type of the input. Floats that become integers
are cut, not rounded, and have no gradient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import DTypeLike

from dotori.autograd import Variable, apply, as_variable
from dotori.backend import device_of, memory_format, preserve_format
from dotori.dtypes import (
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
)
from dotori.errors import ArgumentError, DTypeError
from dotori.functions._numpy import TensorLike
from dotori.functions.memory import contiguous
from dotori.functions.shape import cast, clone
from dotori.ops.shape import Move

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__: list[str] = []

#: PyTorch's names of tensors by their type.
_NAMES = {
    bool_: "BoolTensor",
    uint8: "ByteTensor",
    int8: "CharTensor",
    int16: "ShortTensor",
    int32: "IntTensor",
    int64: "LongTensor",
    float16: "HalfTensor",
    float32: "FloatTensor",
    float64: "DoubleTensor",
    complex64: "ComplexFloatTensor",
    complex128: "ComplexDoubleTensor",
}


def to(
    x: TensorLike,
    *args: Any,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    other: Tensor | None = None,
    non_blocking: bool = False,
    copy: bool = False,
    memory_format: memory_format = preserve_format,
) -> Tensor:
    """`x` as another type, on another device, or both as another tensor.

    ``x.to(dtype)``, ``x.to("cuda")``, ``x.to("cpu", dtype)``, ``x.to(other)``; what
    is so already comes back itself, unless `copy`. In `memory_format`, as `contiguous`
    makes it.

    Raises
    ------
    DTypeError
        For a type that NumPy does not have, such as bfloat16.
    ArgumentError
        For an unknown device.

    Examples
    --------
    >>> from dotori import float64, tensor
    >>> x = tensor([1.0, 2.0])
    >>> x.to(float64).dtype, x.to("cpu") is x
    (dtype('float64'), True)
    """
    t, flags = as_variable(x), []
    for value in args:
        if isinstance(value, Variable):
            other = value  # type: ignore[assignment]
        elif isinstance(value, bool):
            flags.append(value)
        elif isinstance(value, str) and value.partition(":")[0] in ("cpu", "cuda"):
            device = value
        elif value is not None:
            dtype = value
    if len(flags) > 2:
        raise ArgumentError(
            f"to: two flags at most, non_blocking and copy, got {flags}"
        )
    copy = copy or (len(flags) == 2 and flags[1])
    if other is not None:
        dtype, device = other.dtype, other.device
    result = t if dtype is None else cast(t, dtype)
    if device is not None and not _is_on(result, device):
        result = apply(Move, result, device=device, was=device_of(t.array))
    result = clone(result) if copy and result is t else result
    return contiguous(result, memory_format)


def _is_on(t: Tensor, device: str) -> bool:
    here = device_of(t.array)
    return (
        device == here
        or (device == "cuda" and here == "cuda:0")
        or (device == "cpu:0" and here == "cpu")
    )


def type_as(x: TensorLike, other: TensorLike) -> Tensor:
    """`x` in the type of another tensor.

    Examples
    --------
    >>> from dotori import tensor
    >>> tensor([1, 2]).type_as(tensor([0.5])).tolist()
    [1.0, 2.0]
    """
    return cast(x, as_variable(other).dtype)


def type(x: Tensor, dtype: Any = None) -> Any:
    """The tensor as another type; without one, PyTorch's name of its own.

    Examples
    --------
    >>> from dotori import float64, tensor
    >>> tensor([1.0]).type(), tensor([1.0]).type(float64).dtype
    ('dotori.FloatTensor', dtype('float64'))
    """
    if dtype is None:
        return f"dotori.{_NAMES.get(x.dtype, str(x.dtype))}"
    if isinstance(dtype, str) and dtype.endswith("Tensor"):
        wanted = dtype.rpartition(".")[2]
        found = [d for d, name in _NAMES.items() if name == wanted]
        if not found:
            raise DTypeError(f"type: no tensor is a {dtype!r}")
        dtype = found[0]
    return cast(x, dtype)


def bfloat16(x: Tensor) -> Tensor:
    """Refused: NumPy has no such type.

    Raises
    ------
    DTypeError
        Always; `half` and `float` are there.
    """
    return cast(x, "bfloat16")


def cpu(x: Tensor) -> Tensor:
    """The tensor in the computer's own memory; itself if it is there already."""
    return to(x, device="cpu")


def cuda(x: Tensor, device: Any = None) -> Tensor:
    """The tensor on a CUDA device, by default the first one."""
    chosen = "cuda" if device is None else device
    return to(x, device=f"cuda:{chosen}" if isinstance(chosen, int) else chosen)
