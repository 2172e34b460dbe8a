"""Operations that write into the memory of a tensor.

They are for values outside of the graph: data, gradients, parameters under `no_grad`.
A tensor that requires a gradient refuses them while operations are recorded. Every
write is noted, so that a `backward` that needs the old values raises instead of using
the new ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import is_grad_enabled, note_change
from dotori.errors import DTypeError, GradientError, ShapeError
from dotori.functions._numpy import TensorLike

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def _check(x: Tensor, name: str) -> None:
    if x.requires_grad and is_grad_enabled():
        raise GradientError(
            f"{name} would change a tensor of shape {x.shape} that the graph needs; "
            "use the form that makes a new tensor, or wrap it in "
            "`with dotori.no_grad():`"
        )


def _check_value(value: TensorLike, name: str) -> None:
    """Memory has no place in the graph: a gradient would end there without a word."""
    if getattr(value, "requires_grad", False) and is_grad_enabled():
        raise GradientError(
            f"{name}: the value, of shape {value.shape}, requires a gradient, which "
            "cannot flow through a write into memory; use the form that makes a new "
            "tensor, or write value.detach()"
        )


def _array(value: TensorLike) -> Any:
    return getattr(value, "array", value)


def write(x: Tensor, name: str, ufunc: Callable[..., Any], *operands: Any) -> Tensor:
    """``x[...] = ufunc(x, *operands)`` in the memory of `x`; returns `x`.

    Raises
    ------
    GradientError
        If `x` requires a gradient and operations are recorded.
    DTypeError, ShapeError
        If the result does not fit the type or shape of `x`.
    """
    _check(x, name)
    for value in operands:
        _check_value(value, name)
    arrays = [_array(v) for v in operands]
    try:
        with np.errstate(all="ignore"):
            ufunc(x.array, *arrays, out=x.array)
    except TypeError as error:  # NumPy's UFuncTypeError: floats into integers
        raise DTypeError(
            f"{name}: the result cannot be kept as {x.dtype}; convert the tensor first"
        ) from error
    except ValueError as error:
        shapes = ", ".join(str(np.shape(a)) for a in arrays)
        raise ShapeError(
            f"{name}: {shapes} does not broadcast to the tensor's shape {x.shape}"
        ) from error
    note_change(x.array, name)
    return x


def add_(x: Tensor, other: TensorLike, *, alpha: float = 1) -> Tensor:
    """x += alpha other."""
    return write(x, "add_", np.add, other if alpha == 1 else np.multiply(other, alpha))


def sub_(x: Tensor, other: TensorLike, *, alpha: float = 1) -> Tensor:
    """x -= alpha other."""
    value = other if alpha == 1 else np.multiply(other, alpha)
    return write(x, "sub_", np.subtract, value)


def mul_(x: Tensor, other: TensorLike) -> Tensor:
    """x = x other."""
    return write(x, "mul_", np.multiply, other)


def div_(x: Tensor, other: TensorLike) -> Tensor:
    """x /= other."""
    return write(x, "div_", np.divide, other)


def pow_(x: Tensor, exponent: TensorLike) -> Tensor:
    """x = x^exponent."""
    return write(x, "pow_", np.power, exponent)


def neg_(x: Tensor) -> Tensor:
    """x = -x."""
    return write(x, "neg_", np.negative)


def exp_(x: Tensor) -> Tensor:
    """x = e^x."""
    return write(x, "exp_", np.exp)


def sqrt_(x: Tensor) -> Tensor:
    """x = the root of x."""
    return write(x, "sqrt_", np.sqrt)


def clamp_(x: Tensor, min: float | None = None, max: float | None = None) -> Tensor:
    """x kept within [min, max]."""
    return write(x, "clamp_", np.clip, min, max)


def copy_(x: Tensor, other: TensorLike) -> Tensor:
    """The values of `other`, which may broadcast and have another type."""
    return assign(x, ..., other, "copy_")


def fill_(x: Tensor, value: float) -> Tensor:
    """`value` everywhere."""
    return assign(x, ..., value, "fill_")


def zero_(x: Tensor) -> Tensor:
    """Zero everywhere."""
    return assign(x, ..., 0, "zero_")


def assign(x: Tensor, index: Any, value: TensorLike, name: str = "setitem") -> Tensor:
    """``x[index] = value``."""
    _check(x, name)
    _check_value(value, name)
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple(_array(p) for p in parts)
    try:
        x.array[plain] = _array(value)
    except (ValueError, IndexError) as error:
        raise ShapeError(
            f"{name}: a value of shape {np.shape(_array(value))} does not fit the part "
            f"of a tensor of shape {x.shape}: {error}"
        ) from error
    note_change(x.array, name)
    return x


def setitem(x: Tensor, index: Any, value: TensorLike) -> None:
    """``x[index] = value``, with everything that `getitem` takes."""
    assign(x, index, value)
