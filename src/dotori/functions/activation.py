"""The activations that are functions of the package itself, as in PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from numpy.typing import DTypeLike

from dotori.autograd import apply, as_variable, unary
from dotori.errors import AxisError
from dotori.functions._numpy import TensorLike
from dotori.functions.shape import cast
from dotori.ops import activation as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["log_softmax", "relu", "softmax"]


def relu(input: TensorLike, inplace: bool = False) -> Tensor:
    """max(x, 0).

    Examples
    --------
    >>> relu([-1.0, 0.0, 2.0]).tolist()
    [0.0, 0.0, 2.0]
    """
    return unary(op.Relu, input)


def softmax(
    input: TensorLike, dim: int = -1, *, dtype: DTypeLike | None = None
) -> Tensor:
    """e^(x_i) / sum_j e^(x_j) along `dim`: numbers between 0 and 1 that add up to 1.

    With `dtype`, the input is brought to that type first.

    Examples
    --------
    >>> softmax([[0.0, 0.0], [1000.0, 0.0]]).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    x = with_axis("softmax", input if dtype is None else cast(input, dtype), dim)
    y: Tensor = apply(op.Softmax, x, axis=dim)
    return y


def log_softmax(
    input: TensorLike, dim: int = -1, *, dtype: DTypeLike | None = None
) -> Tensor:
    """log softmax(x) along `dim`, finite also where softmax(x) rounds to 0.

    With `dtype`, the input is brought to that type first.

    Examples
    --------
    >>> log_softmax([1000.0, 0.0]).tolist()
    [0.0, -1000.0]
    """
    x = with_axis("log_softmax", input if dtype is None else cast(input, dtype), dim)
    y: Tensor = apply(op.LogSoftmax, x, axis=dim)
    return y


def with_axis(name: str, input: TensorLike, dim: int) -> Tensor:
    """The tensor, whose axis `dim` exists."""
    x = as_variable(input)
    limit = max(x.ndim, 1)
    if not hasattr(dim, "__index__") or not -limit <= dim < limit:
        raise AxisError(f"{name}: x of shape {x.shape} has no axis {dim}")
    return x
