"""How a tensor lies in memory, and questions about its type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dotori.autograd import Variable, as_variable
from dotori.errors import ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.shape import axis_of
from dotori.ops.views import memory_of, steps_of

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "is_floating_point",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "is_tensor",
    "numel",
]


def is_tensor(obj: Any) -> bool:
    """Whether it is a tensor.

    Examples
    --------
    >>> is_tensor([1.0])
    False
    """
    return isinstance(obj, Variable)


def numel(x: TensorLike) -> int:
    """The number of elements.

    Examples
    --------
    >>> numel([[1, 2], [3, 4]])
    4
    """
    return as_variable(x).numel()


def is_floating_point(x: TensorLike) -> bool:
    """Whether it holds floats.

    Examples
    --------
    >>> is_floating_point([1.0]), is_floating_point([1])
    (True, False)
    """
    return as_variable(x).dtype.kind == "f"


def is_signed(x: TensorLike) -> bool:
    """Whether its type has negative numbers.

    Examples
    --------
    >>> is_signed([1]), is_signed([True])
    (True, False)
    """
    return as_variable(x).dtype.kind in "ifc"


def is_nonzero(x: TensorLike) -> bool:
    """Whether its only element is not zero.

    Raises
    ------
    ShapeError
        If there is not exactly one element.

    Examples
    --------
    >>> is_nonzero([0.0])
    False
    """
    t = as_variable(x)
    if t.numel() != 1:
        raise ShapeError(f"is_nonzero: one element is wanted, got shape {t.shape}")
    return bool(t.item())


def is_same_size(x: TensorLike, other: TensorLike) -> bool:
    """Whether the shapes are equal.

    Examples
    --------
    >>> is_same_size([1, 2], [3, 4])
    True
    """
    return as_variable(x).shape == as_variable(other).shape


def nelement(x: Tensor) -> int:
    """The number of elements."""
    return x.numel()


def ndimension(x: Tensor) -> int:
    """The number of axes."""
    return x.ndim


def element_size(x: Tensor) -> int:
    """The bytes of one element."""
    return int(x.array.itemsize)


def stride(x: Tensor, dim: int | None = None) -> Any:
    """How many elements lie between neighbours along each axis, or along one.

    Examples
    --------
    >>> from dotori import ones
    >>> ones(2, 3).stride(), ones(2, 3).T.stride(), ones(2, 3).stride(0)
    ((3, 1), (1, 3), 3)
    """
    steps = steps_of(x.array)
    return steps if dim is None else steps[axis_of("stride", dim, x.ndim, x.shape)]


def storage_offset(x: Tensor) -> int:
    """How many elements lie before its first in the memory that it shares.

    Examples
    --------
    >>> from dotori import ones
    >>> ones(2, 3)[1, 1:].storage_offset()
    4
    """
    return memory_of(x.array)[0]


def data_ptr(x: Tensor) -> int:
    """The address of its first element."""
    return int(x.array.__array_interface__["data"][0]) if x.numel() else 0
