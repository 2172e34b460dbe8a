"""Operations that write into the memory of a tensor.

What is written is recorded like any other operation: the tensor then comes from the
write, and so does every view of it. A leaf that requires a gradient refuses to be
written to while operations are recorded. Each write is noted, so that a `backward` that
needs the old values raises instead of using the new ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import is_grad_enabled, note_change, wrap
from dotori.autograd.graph import recording
from dotori.autograd.views import (
    current_node,
    note_reshaped,
    origin_of,
    rewrite,
    root_of,
)
from dotori.dtypes import category
from dotori.errors import DTypeError, GradientError, ShapeError
from dotori.functions import elementwise
from dotori.functions._numpy import TensorLike
from dotori.functions.shape import (
    broadcast_to,
    cast,
    getitem,
    in_two_steps,
    plain_index,
    reshape,
)
from dotori.ops.indexing import Overwrite

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def _array(value: TensorLike) -> Any:
    return getattr(value, "array", value)


def _check(x: Tensor, name: str) -> None:
    """Raise if `x` must not be written to."""
    strides = zip(x.array.strides, x.shape, strict=True)
    if any(step == 0 and n > 1 for step, n in strides) and x.array.size:
        raise ShapeError(
            f"{name}: several elements of the tensor of shape {x.shape} share one "
            "place in memory, as after expand(); clone() it first"
        )
    if not is_grad_enabled():
        return
    root = root_of(x)
    if root.node is not None and root.node.op is None:
        view = "a tensor" if root is x else f"a view, of shape {x.shape}, of a tensor"
        raise GradientError(
            f"{name} would change {view} of shape {root.array.shape} that gradients "
            "are kept for; use the form that makes a new tensor, or write under "
            "`with dotori.no_grad():`"
        )


def recorded(x: Tensor, *values: TensorLike) -> bool:
    """Whether a write of `values` into `x` has a gradient to record.

    Raises
    ------
    GradientError
        If it has, and `x` is a view of other types of numbers, such as a real part.
    """
    if not is_grad_enabled():
        return False
    root = root_of(x)
    due = any(current_node(v) is not None for v in (root, x, *values))
    if due and root.array.dtype != x.dtype:
        raise GradientError(
            f"a write into {x.dtype} numbers that are a view of {root.array.dtype} "
            "ones cannot be recorded; make a new tensor, for example with "
            "dotori.complex, or write under `with dotori.no_grad():`"
        )
    return due


def _fitting(x: Tensor, value: Tensor, name: str) -> Tensor:
    """`value` brought to the type and the shape of `x`, or an error."""
    if category(value.dtype) > category(x.dtype):
        raise DTypeError(
            f"{name}: the result, of type {value.dtype}, cannot be kept as {x.dtype}; "
            "convert the tensor first"
        )
    if value.shape != x.shape:
        try:
            value = broadcast_to(value, x.shape)
        except ValueError as error:
            raise ShapeError(
                f"{name}: the result, of shape {value.shape}, does not fit into the "
                f"tensor's shape {x.shape}"
            ) from error
    return value if value.dtype == x.dtype else cast(value, x.dtype)


def in_place(
    name: str, function: Callable[..., Tensor], x: Tensor, *args: Any, **kwargs: Any
) -> Tensor:
    """``x[...] = function(x, ...)``, with its gradient; returns `x`.

    Raises
    ------
    GradientError
        If `x` is a leaf that requires a gradient, and operations are recorded.
    DTypeError, ShapeError
        If the result does not fit the type or shape of `x`.
    """
    _check(x, name)
    due = recorded(x, *args, *kwargs.values())
    # What the rule needs of x must be what x was before.
    before = wrap(x.array.copy(), current_node(x)) if due else x
    value = _fitting(x, function(before, *args, **kwargs), name)
    x.array[...] = value.array
    note_change(x.array, name)
    if due:
        rewrite(Overwrite, x, None, value.node)
    return x


def write(
    x: Tensor,
    name: str,
    ufunc: Callable[..., Any],
    function: Callable[..., Tensor],
    other: TensorLike,
) -> Tensor:
    """``x[...] = ufunc(x, other)``: the short way through `in_place`."""
    array = _array(other)
    if recorded(x, other) or not isinstance(array, (np.ndarray, float, int)):
        return in_place(name, function, x, other)
    _check(x, name)
    try:
        recording.state.quietly(ufunc, x.array, array, out=x.array)
    except (TypeError, ValueError, OverflowError):  # says in our words what is wrong
        return in_place(name, function, x, other)
    note_change(x.array, name)
    return x


def assign(x: Tensor, index: Any, value: TensorLike, name: str = "setitem") -> Tensor:
    """``x[index] = value``, with its gradient; returns `x`."""
    _check(x, name)
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple(plain_index(p) for p in parts)
    steps = in_two_steps(plain)
    if steps:
        assign(getitem(x, steps[0]), steps[1], value, name)
        return x
    due = recorded(x, value)
    try:
        x.array[plain] = _array(value)
    except OverflowError as error:
        raise DTypeError(f"{name}: {error}; the tensor holds {x.dtype}") from error
    except (ValueError, IndexError, TypeError) as error:
        raise ShapeError(
            f"{name}: a value of shape {np.shape(_array(value))} does not fit the part "
            f"of a tensor of shape {x.shape}: {error}"
        ) from error
    note_change(x.array, name)
    if due:
        node = current_node(value)
        if node is not None:
            node = _trimmed(value, np.ndim(x.array[plain])).node
        rewrite(Overwrite, x, plain, node)
    return x


def _trimmed(value: Tensor, ndim: int) -> Tensor:
    """`value` without axes of length 1 in front that the part has not got."""
    extra = value.ndim - ndim
    return value if extra <= 0 else reshape(value, value.shape[extra:])


def setitem(x: Tensor, index: Any, value: TensorLike) -> None:
    """``x[index] = value``, with everything that `getitem` takes."""
    assign(x, index, value)


def copy_(x: Tensor, src: TensorLike, non_blocking: bool = False) -> Tensor:
    """The values of `src`, which may broadcast and have another type."""
    return assign(x, ..., src, "copy_")


def fill_(x: Tensor, value: TensorLike) -> Tensor:
    """`value` everywhere."""
    return assign(x, ..., value, "fill_")


def zero_(x: Tensor) -> Tensor:
    """Zero everywhere."""
    return assign(x, ..., 0, "zero_")


def add_(x: Tensor, other: TensorLike, *, alpha: float = 1) -> Tensor:
    """x += alpha other."""
    if alpha != 1:
        return in_place("add_", elementwise.add, x, other, alpha=alpha)
    return write(x, "add_", np.add, elementwise.add, other)


def sub_(x: Tensor, other: TensorLike, *, alpha: float = 1) -> Tensor:
    """x -= alpha other."""
    if alpha != 1:
        return in_place("sub_", elementwise.sub, x, other, alpha=alpha)
    return write(x, "sub_", np.subtract, elementwise.sub, other)


def mul_(x: Tensor, other: TensorLike) -> Tensor:
    """x = x other."""
    return write(x, "mul_", np.multiply, elementwise.mul, other)


def div_(x: Tensor, other: TensorLike, *, rounding_mode: str | None = None) -> Tensor:
    """x /= other."""
    if rounding_mode is not None:
        args = {"rounding_mode": rounding_mode}
        return in_place("div_", elementwise.div, x, other, **args)
    return write(x, "div_", np.divide, elementwise.div, other)


def fill_diagonal_(x: Tensor, fill_value: float, wrap: bool = False) -> Tensor:
    """`fill_value` on the main diagonal; with `wrap`, a tall matrix starts anew."""
    if x.ndim < 2 or (x.ndim > 2 and len(set(x.shape)) > 1):
        raise ShapeError(
            "fill_diagonal_ needs a matrix, or axes of one length if there are more, "
            f"got shape {x.shape}"
        )
    mask = np.zeros(x.shape, np.bool_)
    np.fill_diagonal(mask, True, wrap=wrap)
    return assign(x, mask, fill_value, "fill_diagonal_")


def form(name: str) -> Callable[..., Tensor]:
    """The method `name`, as ``"sin_"``: the one without the underline, in place."""
    base = name[:-1]

    def out_of_place(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        result: Tensor = getattr(x, base)(*args, **kwargs)
        return result

    def method(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return in_place(name, out_of_place, x, *args, **kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{base}`, written into the memory of the tensor; returns it."
    return method


def reshaping_form(name: str) -> Callable[..., Tensor]:
    """The method `name`, as ``"t_"``: the tensor itself gets the other shape."""
    base = name[:-1]

    def method(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        _check(x, name)
        before = wrap(x.array, current_node(x))
        origin = origin_of(x)
        if origin is not None:
            before.origin = origin
        after = getattr(before, base)(*args, **kwargs)
        note_reshaped(x, before, after)
        return x

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{base}` of the tensor itself; returns it."
    return method
