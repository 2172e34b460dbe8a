"""Elements repeated, rolled around, and turned by right angles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable, wrap
from dotori.backend import namespace
from dotori.errors import ArgumentError, AxisError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions._places import at_axis, integers
from dotori.functions.gathering import take_places
from dotori.functions.shape import (
    axis_of,
    broadcast_to,
    clone,
    flip,
    reshape,
    sizes,
    transpose,
)
from dotori.ops.shape import Roll

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "fliplr",
    "flipud",
    "repeat",
    "repeat_interleave",
    "roll",
    "rot90",
    "tile",
]


def repeat(x: TensorLike, *repeats: Any) -> Tensor:
    """The whole of `x` again and again along its axes, and along new ones in front.

    This is the method of a tensor; NumPy's ``np.repeat`` is `repeat_interleave`.

    Examples
    --------
    >>> repeat([1, 2], 2, 2).tolist()
    [[1, 2, 1, 2], [1, 2, 1, 2]]
    """
    t, times = as_variable(x), sizes(repeats)
    if len(times) < t.ndim or any(n < 0 for n in times):
        raise ShapeError(
            f"repeat: a number of times for each axis of shape {t.shape} is wanted, "
            f"none of them negative, got {times}"
        )
    shape = (1,) * (len(times) - t.ndim) + t.shape
    apart = [m for n in shape for m in (1, n)]
    wide = [m for n, k in zip(shape, times, strict=True) for m in (k, n)]
    total = [n * k for n, k in zip(shape, times, strict=True)]
    found = reshape(broadcast_to(reshape(t, apart), tuple(wide)), total)
    # once around, and of a single element, no reshaping has made a copy yet
    shared = namespace(t.array).may_share_memory(found.array, t.array)
    return clone(found) if shared else found


@implements(np.tile)
def tile(x: TensorLike, *dims: Any, reps: Any = None) -> Tensor:
    """`repeat`, where the axes that `dims` does not name, in front, are repeated once.

    Examples
    --------
    >>> tile([[1], [2]], (2,)).tolist()
    [[1, 1], [2, 2]]
    """
    t = as_variable(x)
    times = sizes(dims if reps is None else (reps,))
    return repeat(t, (1,) * (t.ndim - len(times)) + times)


def repeat_interleave(
    x: TensorLike,
    repeats: TensorLike = None,
    dim: int | None = None,
    *,
    output_size: int | None = None,
) -> Tensor:
    """Each element (or part along an axis) several times, one beside the other.

    Parameters
    ----------
    x : Tensor
    repeats : int or Tensor of integers
        How often; or a number for each part.
    dim : int, optional
        Without it, elements of the flat order.
    output_size : int, optional
        The length of the result, which is checked.

    Examples
    --------
    >>> repeat_interleave([1, 2], 2).tolist()
    [1, 1, 2, 2]
    >>> repeat_interleave([[1, 2], [3, 4]], [1, 2], dim=0).tolist()
    [[1, 2], [3, 4], [3, 4]]
    """
    if repeats is None:  # repeat_interleave([0, 2]) counts the indices themselves
        times = integers("repeat_interleave", x)
        return wrap(np.repeat(np.arange(times.size, dtype=np.int64), times))
    t, times = as_variable(x), integers("repeat_interleave", repeats)
    if dim is None:
        t, dim = reshape(t, -1), 0
    elif not t.ndim:
        t = reshape(t, 1)
    axis = axis_of("repeat_interleave", dim, t.ndim, t.shape)
    n = t.shape[axis]
    if times.ndim > 1 or times.size not in (1, n) or (times < 0).any():
        raise ShapeError(
            "repeat_interleave: repeats must be one number, or one for each of the "
            f"{n} parts along axis {axis} of shape {t.shape}, none of them negative; "
            f"got shape {times.shape}"
        )
    places = np.repeat(np.arange(n), times if times.size == n else int(times.item()))
    if output_size is not None and output_size != places.size:
        raise ArgumentError(
            f"repeat_interleave: the result has {places.size} parts along axis {axis}, "
            f"output_size says {output_size}"
        )
    return take_places(t, at_axis(places, axis))


@implements(np.repeat)
def _numpys_repeat(
    x: TensorLike, repeats: TensorLike, axis: int | None = None
) -> Tensor:
    return repeat_interleave(x, repeats, axis)


@implements(np.roll)
def _numpys_roll(x: TensorLike, shift: Any, axis: Any = None) -> Tensor:
    """NumPy's meaning: one number and several axes, or the other way round."""
    if isinstance(shift, (tuple, list)) and isinstance(axis, int):
        axis = (axis,) * len(shift)
    elif isinstance(axis, (tuple, list)) and isinstance(shift, int):
        shift = (shift,) * len(axis)
    return roll(x, shift, axis)


def roll(x: TensorLike, shifts: Any, dims: Any = None) -> Tensor:
    """Elements moved along axes; what leaves at one end comes in at the other.

    Examples
    --------
    >>> roll([1, 2, 3, 4], 1).tolist()
    [4, 1, 2, 3]
    """
    t = as_variable(x)
    steps = sizes((shifts,))
    if dims is None or dims == () or dims == []:
        if len(steps) != 1:
            raise ArgumentError(f"roll: shifts {steps} need an axis each, got none")
        return reshape(roll(reshape(t, -1), steps, 0), t.shape)
    axes = tuple(axis_of("roll", d, t.ndim, t.shape) for d in sizes((dims,)))
    if len(axes) != len(steps):
        raise ArgumentError(
            f"roll: one shift for each axis is wanted, got {len(steps)} for {len(axes)}"
        )
    result: Tensor = apply(Roll, t, shifts=steps, axes=axes)
    return result


@implements(np.rot90)
def rot90(
    x: TensorLike, k: int = 1, dims: Sequence[int] = (0, 1), *, axes: Any = None
) -> Tensor:
    """Turned by `k` right angles in a plane, from its first axis to its second.

    Examples
    --------
    >>> rot90([[1, 2], [3, 4]]).tolist()
    [[2, 4], [1, 3]]
    """
    t = as_variable(x)
    chosen = tuple(dims if axes is None else axes)
    if len(chosen) != 2:
        raise AxisError(f"rot90: two axes are wanted, got {chosen}")
    if t.ndim < 2:
        raise ShapeError(f"rot90: at least two axes are wanted, got shape {t.shape}")
    a, b = (axis_of("rot90", d, t.ndim, t.shape) for d in chosen)
    if a == b:
        raise AxisError(f"rot90: two different axes are wanted, got {chosen}")
    if k % 4 == 0:
        return t.clone()
    if k % 4 == 2:
        return flip(t, (a, b))
    turned = transpose(flip(t, b if k % 4 == 1 else a), a, b)
    return turned


@implements(np.fliplr)
def fliplr(x: TensorLike) -> Tensor:
    """The columns, axis 1, in reverse order.

    Examples
    --------
    >>> fliplr([[1, 2], [3, 4]]).tolist()
    [[2, 1], [4, 3]]
    """
    t = as_variable(x)
    if t.ndim < 2:
        raise ShapeError(f"fliplr: at least two axes are wanted, got shape {t.shape}")
    return flip(t, 1)


@implements(np.flipud)
def flipud(x: TensorLike) -> Tensor:
    """The rows, axis 0, in reverse order.

    Examples
    --------
    >>> flipud([[1, 2], [3, 4]]).tolist()
    [[3, 4], [1, 2]]
    """
    t = as_variable(x)
    if not t.ndim:
        raise ShapeError("flipud: at least one axis is wanted, got a single number")
    return flip(t, 0)
