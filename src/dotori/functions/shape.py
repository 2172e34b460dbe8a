"""Shapes of tensors: other shapes, other orders of axes, other types.

Results share the memory of their input where NumPy's do: `reshape` of contiguous
memory, `permute`, `transpose`, `expand`, `squeeze` and all indexing by integers and
slices are views; `flip`, `cat` and indexing by arrays are copies.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import apply, as_variable, wrap
from dotori.errors import ArgumentError, AxisError, DTypeError, ShapeError
from dotori.functions import elementwise
from dotori.functions._numpy import TensorLike, implements
from dotori.ops import indexing
from dotori.ops import shape as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "broadcast_to",
    "clone",
    "detach",
    "flatten",
    "flip",
    "movedim",
    "permute",
    "reshape",
    "squeeze",
    "swapaxes",
    "transpose",
    "tril",
    "triu",
    "unsqueeze",
]


def sizes(given: tuple[Any, ...]) -> tuple[int, ...]:
    """The ints in ``f(2, 3)``, ``f((2, 3))`` and ``f([2, 3])``."""
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = tuple(given[0])
    try:
        return tuple(map(int, given))
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"whole numbers are wanted, got {given}") from error


def axis_of(place: str, axis: int, ndim: int, shape: tuple[int, ...]) -> int:
    """`axis` counted from the front.

    Raises
    ------
    AxisError
        If it lies outside of 0, ..., ndim - 1 from either end.
    ArgumentError
        If it is no whole number.
    """
    if not hasattr(axis, "__index__"):
        raise ArgumentError(f"{place}: an axis is a whole number, got {axis!r}")
    if not -ndim <= axis < ndim:
        raise AxisError(
            f"{place}: axis {axis} lies outside of the shape {shape}; it must be from "
            f"{-ndim} to {ndim - 1}"
        )
    return axis % ndim


@implements(np.reshape)
def reshape(x: TensorLike, *size: Any, shape: Any = None) -> Tensor:
    """The same elements, in C order, under another shape; one size may be -1.

    A view where the memory allows it, else a copy; `Tensor.view` never copies.

    Raises
    ------
    ShapeError
        If the numbers of elements differ, or more than one size is negative.

    Examples
    --------
    >>> reshape([1.0, 2.0, 3.0, 4.0], (2, -1)).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    t = as_variable(x)
    wanted = sizes(size if shape is None else (shape,))
    if wanted and min(wanted) < 0:
        wanted = _complete("reshape", t, wanted)
    try:
        result: Tensor = apply(op.Reshape, t, shape=wanted, was=t.array.shape)
    except ValueError as error:
        raise _misfit("reshape", t, wanted) from error
    return result


def _misfit(place: str, t: Tensor, shape: tuple[int, ...]) -> ShapeError:
    return ShapeError(
        f"{place}: {t.numel()} elements of shape {t.shape} cannot form {shape}"
    )


def _complete(place: str, t: Tensor, shape: tuple[int, ...]) -> tuple[int, ...]:
    """`shape` with a length in the place of its one -1."""
    if min(shape) < -1 or shape.count(-1) > 1:
        raise ShapeError(
            f"{place}: one size may be -1, the others are not negative; got {shape}"
        )
    others = math.prod(n for n in shape if n != -1)
    if not others:
        raise ShapeError(
            f"{place}: -1 could be anything in {shape}, as the tensor of shape "
            f"{t.shape} has no elements; give the length"
        )
    if t.numel() % others:
        raise _misfit(place, t, shape)
    return tuple(t.numel() // others if n == -1 else n for n in shape)


def flatten(x: TensorLike, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Make one axis of the axes from start_dim to end_dim.

    Examples
    --------
    >>> flatten(np.zeros((2, 3, 4)), 1).shape
    (2, 12)
    """
    t = as_variable(x)
    if not t.ndim:
        return reshape(t, 1)
    first = axis_of("flatten", start_dim, t.ndim, t.shape)
    last = axis_of("flatten", end_dim, t.ndim, t.shape)
    if first > last:
        raise AxisError(
            f"flatten: start_dim {start_dim} comes after end_dim {end_dim} in the "
            f"shape {t.shape}"
        )
    joined = math.prod(t.shape[first : last + 1])
    return reshape(t, (*t.shape[:first], joined, *t.shape[last + 1 :]))


def permute(x: TensorLike, *dims: Any) -> Tensor:
    """The axes in another order.

    Examples
    --------
    >>> permute(np.zeros((2, 3, 4)), 2, 0, 1).shape
    (4, 2, 3)
    """
    t = as_variable(x)
    axes = sizes(dims)
    order = tuple(axis_of("permute", a, t.ndim, t.shape) for a in axes)
    if sorted(order) != list(range(t.ndim)):
        raise AxisError(f"permute: {axes} is no order of the axes of shape {t.shape}")
    result: Tensor = apply(op.Permute, t, axes=order)
    return result


@implements(np.transpose)
def _reorder(x: TensorLike, axes: tuple[int, ...] | None = None) -> Tensor:
    """NumPy's meaning of transpose: the axes in the order `axes`, or reversed."""
    t = as_variable(x)
    return permute(t, tuple(range(t.ndim))[::-1] if axes is None else axes)


@implements(np.swapaxes)
def transpose(x: TensorLike, dim0: Any = None, dim1: int | None = None) -> Tensor:
    """Exchange two axes; or NumPy's meaning: the axes in the order of a tuple.

    Examples
    --------
    >>> transpose(np.zeros((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    if dim1 is None:
        return _reorder(x, dim0)
    t = as_variable(x)
    a, b = (axis_of("transpose", d, t.ndim or 1, t.shape) for d in (dim0, dim1))
    axes = list(range(t.ndim or 1))  # of a single number, PyTorch exchanges 0 and -1
    axes[a], axes[b] = axes[b], axes[a]
    return permute(t, axes if t.ndim else ())


swapaxes = transpose


@implements(np.moveaxis)
def movedim(x: TensorLike, source: Any, destination: Any) -> Tensor:
    """Take an axis out and put it in at another place; or several, in tuples.

    Examples
    --------
    >>> movedim(np.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    t = as_variable(x)
    taken, put = (
        [axis_of("movedim", d, t.ndim or 1, t.shape) for d in sizes((given,))]
        for given in (source, destination)
    )
    if len(taken) != len(put) or not len(set(taken)) == len(taken) == len(set(put)):
        raise AxisError(
            f"movedim: from {source} to {destination}: as many axes are wanted, and "
            "none of them twice"
        )
    axes = [i for i in range(t.ndim) if i not in taken]
    for place, axis in sorted(zip(put, taken, strict=True)):
        axes.insert(place, axis)
    return permute(t, axes if t.ndim else ())


@implements(np.squeeze)
def _numpys_squeeze(x: TensorLike, axis: Any = None) -> Tensor:
    """NumPy's meaning: an axis that is named must have length 1."""
    t = as_variable(x)
    for a in () if axis is None else sizes((axis,)):
        if t.shape[axis_of("squeeze", a, t.ndim, t.shape)] != 1:
            raise ShapeError(f"squeeze: axis {a} of shape {t.shape} is not 1 long")
    return squeeze(t, axis)


def squeeze(x: TensorLike, dim: Any = None, *, axis: Any = None) -> Tensor:
    """Without the axes of length 1: all, or those in `dim` that have it.

    Examples
    --------
    >>> squeeze(np.zeros((1, 3, 1))).shape, squeeze(np.zeros((1, 3, 1)), 0).shape
    ((3,), (3, 1))
    """
    t = as_variable(x)
    chosen = axis if dim is None else dim
    if chosen is None:
        chosen = range(t.ndim)
    many = chosen if isinstance(chosen, (tuple, list, range)) else (chosen,)
    axes = {axis_of("squeeze", a, t.ndim or 1, t.shape) for a in many}
    if len(axes) < len(many):
        raise AxisError(f"squeeze: the axes {chosen} name one twice")
    return reshape(t, [n for i, n in enumerate(t.shape) if i not in axes or n != 1])


@implements(np.expand_dims)
def _numpys_expand_dims(x: TensorLike, axis: Any) -> Tensor:
    """NumPy's meaning: one new axis, or several in a tuple."""
    t, places = as_variable(x), sizes((axis,))
    ndim = t.ndim + len(places)
    for place in sorted(axis_of("expand_dims", a, ndim, t.shape) for a in places):
        t = unsqueeze(t, place)
    return t


def unsqueeze(x: TensorLike, dim: int) -> Tensor:
    """With a new axis of length 1 at place `dim`.

    Examples
    --------
    >>> unsqueeze([1.0, 2.0], -1).shape
    (2, 1)
    """
    t = as_variable(x)
    place = axis_of("unsqueeze", dim, t.ndim + 1, t.shape)
    return reshape(t, (*t.shape[:place], 1, *t.shape[place:]))


@implements(np.broadcast_to)
def broadcast_to(x: TensorLike, *size: Any, shape: Any = None) -> Tensor:
    """The same numbers, repeated along new axes and axes of length 1, without a copy.

    A length of -1 keeps that of the axis.

    Examples
    --------
    >>> broadcast_to([1, 2], (2, 2)).tolist()
    [[1, 2], [1, 2]]
    """
    t = as_variable(x)
    size = sizes(size if shape is None else (shape,))
    if -1 in size:
        lead = len(size) - t.ndim
        size = tuple(
            t.shape[i - lead] if n == -1 and i >= lead else n
            for i, n in enumerate(size)
        )
    try:
        result: Tensor = apply(op.BroadcastTo, t, shape=size)
    except ValueError as error:
        raise ShapeError(
            f"broadcast_to: a tensor of shape {t.shape} cannot be stretched to "
            f"{size}; from the last axis backwards, its lengths must be equal "
            "or 1, and -1 stands for an axis that it has"
        ) from error
    return result


def expand(x: Tensor, *size: Any) -> Tensor:
    """`broadcast_to`, where -1 keeps the length of an axis.

    Examples
    --------
    >>> from dotori import ones
    >>> ones(3, 1).expand(-1, 4).shape
    (3, 4)
    """
    return broadcast_to(x, sizes(size))


@implements(np.flip)
def flip(x: TensorLike, dims: Any = None, *, axis: Any = None) -> Tensor:
    """The elements in reverse order along some axes, or along all.

    Examples
    --------
    >>> flip([1.0, 2.0, 3.0]).tolist()
    [3.0, 2.0, 1.0]
    """
    t = as_variable(x)
    chosen = axis if dims is None else dims
    if chosen is None:
        chosen = range(t.ndim)
    many = chosen if isinstance(chosen, (tuple, list, range)) else (chosen,)
    axes = {axis_of("flip", a, t.ndim or 1, t.shape) for a in many}
    if len(axes) < len(many):
        raise AxisError(f"flip: the axes {chosen} name one twice")
    result: Tensor = apply(op.Flip, t, axis=tuple(axes) if t.ndim else ())
    return result


@implements(np.tril)
def tril(x: TensorLike, diagonal: int = 0) -> Tensor:
    """Zero above a diagonal of the last two axes.

    Examples
    --------
    >>> tril([[1, 2], [3, 4]]).tolist()
    [[1, 0], [3, 4]]
    """
    t = as_variable(x)
    return elementwise.where(_lower(t, diagonal), t, t.dtype.type(0))


@implements(np.triu)
def triu(x: TensorLike, diagonal: int = 0) -> Tensor:
    """Zero below a diagonal of the last two axes.

    Examples
    --------
    >>> triu([[1, 2], [3, 4]]).tolist()
    [[1, 2], [0, 4]]
    """
    t = as_variable(x)
    return elementwise.where(_lower(t, diagonal - 1), t.dtype.type(0), t)


def _lower(t: Tensor, diagonal: int) -> Any:
    """True on and below a diagonal of matrices like those of `t`."""
    if t.ndim < 2:
        raise ShapeError(f"tril and triu want matrices, got shape {t.shape}")
    rows, columns = t.shape[-2:]
    return np.tri(rows, columns, diagonal, dtype=np.bool_)


def cast(x: TensorLike, dtype: DTypeLike) -> Tensor:
    """The same numbers as another type; itself where it has that type already."""
    t = as_variable(x)
    try:
        chosen = np.dtype(dtype)
    except TypeError as error:
        hint = "; NumPy has none, float32 and float16 are near it"
        raise DTypeError(
            f"there is no type {dtype!r}" + hint * ("bfloat16" in str(dtype))
        ) from error
    if t.dtype == chosen:
        return t
    if chosen.kind not in "fiubc":
        raise DTypeError(f"a tensor cannot hold {chosen}")
    rule = op.Cast if chosen.kind in "fc" else op.ToIntegers
    result: Tensor = apply(rule, t, dtype=chosen)
    return result


def clone(x: TensorLike, *, memory_format: Any = None) -> Tensor:
    """A copy, through which gradients flow.

    `memory_format` is PyTorch's, and changes nothing here.

    Examples
    --------
    >>> x = np.zeros(2)
    >>> y = clone(x)
    >>> x[0] = 1.0
    >>> y.tolist()
    [0.0, 0.0]
    """
    t = as_variable(x)
    result: Tensor = apply(op.Cast, t, dtype=t.dtype)
    return result


def detach(x: TensorLike) -> Tensor:
    """A tensor on the same memory, outside of the graph.

    Examples
    --------
    >>> from dotori import ones
    >>> detach(ones(2, requires_grad=True) * 2).requires_grad
    False
    """
    return as_variable(x).detach()


def plain_index(part: Any) -> Any:
    """One part of an index as NumPy takes it; arrays are copied.

    The gradient uses the index again, and the caller may have changed it by then.
    """
    if type(part) is int or type(part) is slice:
        return part
    array = getattr(part, "array", part)
    given = isinstance(array, np.ndarray)
    if not given and not isinstance(array, (list, range)):
        return array
    if array is not part and array.dtype.kind == "u":
        raise DTypeError(
            f"a tensor of {array.dtype} as an index could be meant as a mask or as "
            "numbers; convert it with .bool() or .long()"
        )
    array = np.array(array)
    if not array.ndim and array.dtype.kind in "iu":
        return int(array)
    return array if array.size or given else array.astype(np.intp)


def in_two_steps(parts: tuple[Any, ...]) -> tuple[Any, Any] | None:
    """What to take first, and of that then, where numbers and arrays are mixed.

    PyTorch takes what the numbers name before it looks at arrays; for NumPy a number
    is one more array, which moves axes: x[0, :, [1, 2]] has another shape there.
    None where both agree.
    """
    kinds = [type(p) for p in parts]
    arrays = [k for k in kinds if k is np.ndarray]
    if not arrays or int not in kinds or len(parts) == len(arrays) + kinds.count(int):
        return None
    first: list[Any] = []
    then: list[Any] = []
    for part in parts:
        if isinstance(part, np.ndarray):
            first += [slice(None)] * (part.ndim if part.dtype.kind == "b" else 1)
            then.append(part)
        else:
            first.append(part)
            if type(part) is not int:
                then.append(part if part is Ellipsis else slice(None))
    return tuple(first), tuple(then)


def getitem(x: Tensor, index: Any) -> Tensor:
    """x[index] with everything that PyTorch and NumPy take as an index.

    Integers, slices, None and ``...`` give views, arrays and masks copies. A slice may
    have a negative step, as in NumPy.

    Raises
    ------
    AxisError
        If the index lies outside of the shape; it is an `IndexError` too.
    """
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple([plain_index(p) for p in parts])
    steps = in_two_steps(plain) if len(plain) > 2 else None
    if steps is not None:
        return getitem(getitem(x, steps[0]), steps[1])
    try:
        result: Tensor = apply(indexing.Index, x, index=plain, shape=x.array.shape)
    except IndexError as error:
        raise AxisError(f"index into shape {x.shape}: {error}") from error
    return result


def detached_copy(x: Tensor) -> Tensor:
    """The values in memory of their own, outside of the graph."""
    return wrap(x.array.copy())
