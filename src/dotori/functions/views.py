"""Other views of the same memory: by strides, in windows, as another type; and shapes.

A view shares the memory of its tensor. `Tensor.view` never copies and says so where it
cannot do without; `reshape` copies then.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dotori.autograd import apply, as_variable
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.memory import contiguous
from dotori.functions.shape import (
    axis_of,
    broadcast_to,
    permute,
    reshape,
    sizes,
    transpose,
)
from dotori.ops.shape import Reinterpret
from dotori.ops.views import AsStrided, Unfold, memory_of, steps_of

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "adjoint",
    "as_strided",
    "as_strided_scatter",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_tensors",
    "expand_as",
    "ravel",
    "reshape_as",
    "sum_to_size",
    "t",
    "unflatten",
    "unfold",
    "view",
    "view_as",
]


def view(x: Tensor, *size: Any, dtype: DTypeLike | None = None) -> Tensor:
    """The same memory under another shape, or as another type.

    ``x.view(2, -1)`` is `reshape` that never copies; ``x.view(dtype)`` reads the bytes
    as numbers of that type, without a gradient, and changes the length of the last
    axis if their widths differ.

    Raises
    ------
    ShapeError
        If the elements do not lie in memory so that such a view is possible.

    Examples
    --------
    >>> from dotori import float32, int32, tensor
    >>> tensor([1.0, 2.0]).view(2, 1).shape
    (2, 1)
    >>> tensor([1.0]).view(int32).tolist()
    [1065353216]
    """
    if len(size) == 1 and isinstance(size[0], (str, type, np.dtype)):
        dtype = size[0]
    if dtype is not None:
        return _reinterpreted(x, np.dtype(dtype))
    y = reshape(x, *size)
    if x.numel() and not np.may_share_memory(x.array, y.array):
        raise ShapeError(
            f"view: a tensor of shape {x.shape} and strides {steps_of(x.array)} cannot "
            f"be seen as {y.shape} without a copy; use reshape"
        )
    return y


def _reinterpreted(x: Tensor, dtype: np.dtype[Any]) -> Tensor:
    if dtype.kind not in "fiubc":
        raise DTypeError(f"view: a tensor cannot hold {dtype}")
    try:
        result: Tensor = apply(Reinterpret, x, dtype=dtype)
    except (ValueError, TypeError) as error:
        raise ShapeError(
            f"view: {x.dtype} of shape {x.shape} and strides {steps_of(x.array)} "
            f"cannot be read as {dtype}: {error}"
        ) from error
    return result


def view_as(x: Tensor, other: Tensor) -> Tensor:
    """`x` under the shape of `other`, without a copy.

    Examples
    --------
    >>> from dotori import ones
    >>> ones(4).view_as(ones(2, 2)).shape
    (2, 2)
    """
    return view(x, other.shape)


def reshape_as(x: TensorLike, other: TensorLike) -> Tensor:
    """`x` under the shape of `other`.

    Examples
    --------
    >>> reshape_as([1, 2, 3, 4], [[0, 0], [0, 0]]).tolist()
    [[1, 2], [3, 4]]
    """
    return reshape(x, as_variable(other).shape)


def expand_as(x: TensorLike, other: TensorLike) -> Tensor:
    """`x` stretched to the shape of `other`.

    Examples
    --------
    >>> expand_as([1, 2], [[0, 0], [0, 0]]).tolist()
    [[1, 2], [1, 2]]
    """
    return broadcast_to(x, as_variable(other).shape)


@implements(np.ravel)
def ravel(x: TensorLike) -> Tensor:
    """All elements in one axis, in C order.

    Examples
    --------
    >>> ravel([[1, 2], [3, 4]]).tolist()
    [1, 2, 3, 4]
    """
    a = contiguous(as_variable(x))  # as in PyTorch, a view of whole memory alone
    return reshape(a, (a.numel(),))


def unflatten(x: TensorLike, dim: int, sizes: Any) -> Tensor:
    """One axis made into several, of lengths `sizes`, one of which may be -1.

    Examples
    --------
    >>> unflatten([1, 2, 3, 4], 0, (2, -1)).shape
    (2, 2)
    """
    a = as_variable(x)
    axis = axis_of("unflatten", dim, a.ndim, a.shape)
    lengths = tuple(map(int, sizes))
    n = a.shape[axis]
    known = math.prod(m for m in lengths if m != -1)
    if lengths.count(-1) == 1 and known > 0:
        lengths = tuple(n // known if m == -1 else m for m in lengths)
    if not lengths or min(lengths) < 0 or math.prod(lengths) != n:
        raise ShapeError(
            f"unflatten: axis {axis} of shape {a.shape} cannot be made into "
            f"{tuple(sizes)}"
        )
    return reshape(a, (*a.shape[:axis], *lengths, *a.shape[axis + 1 :]))


def unfold(x: TensorLike, dimension: int, size: int, step: int) -> Tensor:
    """All windows of `size` along an axis, `step` apart, as a last axis: a view.

    Examples
    --------
    >>> unfold([1, 2, 3, 4], 0, 2, 1).tolist()
    [[1, 2], [2, 3], [3, 4]]
    """
    a = as_variable(x)
    if not a.ndim:
        axis_of("unfold", dimension, 1, a.shape)
        a = reshape(a, (1,))
        if size == 0:
            return reshape(a, (1,))[:0]
        if size == 1 and step > 0:
            return a
        axis = 0
    else:
        axis = axis_of("unfold", dimension, a.ndim, a.shape)
    if not 0 <= size <= a.shape[axis] or step < 1:
        raise ArgumentError(
            f"unfold: windows of size {size}, {step} apart, do not fit axis {axis} of "
            f"shape {a.shape}; the step must be at least 1"
        )
    result: Tensor = apply(
        Unfold, a, axis=axis, size=size, step=step, shape=a.array.shape
    )
    return result


def as_strided(
    x: TensorLike, size: Any, stride: Any, storage_offset: int | None = None
) -> Tensor:
    """The elements at storage_offset + sum_d i_d stride_d of the memory of `x`: a view.

    Parameters
    ----------
    x : Tensor
        One that is itself a view is left for the memory that it lies in.
    size, stride : sequence of int
        The shape, and for each axis how many elements lie between neighbours.
    storage_offset : int, optional
        Where it begins; by default where `x` does.

    Raises
    ------
    ShapeError
        If that would leave the memory of `x`. Strides are not negative.

    Examples
    --------
    >>> as_strided(np.arange(5), (3, 2), (1, 2)).tolist()
    [[0, 2], [1, 3], [2, 4]]
    """
    a = as_variable(x)
    shape, strides = tuple(map(int, size)), tuple(map(int, stride))
    start, memory = memory_of(a.array)
    offset = start if storage_offset is None else int(storage_offset)
    if len(shape) != len(strides) or min((*shape, *strides, offset), default=0) < 0:
        raise ShapeError(
            f"as_strided: size {shape}, stride {strides} and offset {offset} must be "
            "as many, and not negative"
        )
    last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    if last >= memory and 0 not in shape:
        raise ShapeError(
            f"as_strided: size {shape} and stride {strides} from {offset} on reach to "
            f"element {last} of a memory of {memory}"
        )
    if 0 in shape:
        offset = 0
    was = (a.array.shape, steps_of(a.array), start)
    result: Tensor = apply(
        AsStrided,
        a,
        shape=shape,
        strides=strides,
        offset=offset,
        memory=memory,
        was=was,
    )
    return result


def as_strided_scatter(
    x: TensorLike,
    src: TensorLike,
    size: Any,
    stride: Any,
    storage_offset: int | None = None,
) -> Tensor:
    """`x` with `src` in the place of what `as_strided` gives of it.

    Examples
    --------
    >>> as_strided_scatter(np.arange(4), [8, 9], (2,), (2,)).tolist()
    [8, 1, 9, 3]
    """
    from dotori.functions.scattering import write
    from dotori.ops.views import strided_places

    a, values = as_variable(x), as_variable(src)
    row = reshape(a.contiguous(), (-1,)) if a.numel() else reshape(a, (0,))
    part = as_strided(row.detach().clone(), size, stride, storage_offset)
    if part.shape != values.shape:
        raise ShapeError(
            f"as_strided_scatter: the part has shape {part.shape}, the source "
            f"{values.shape}; they must be equal"
        )
    places = strided_places(part.shape, tuple(stride), storage_offset or 0)
    return reshape(write(row, (places,), values), a.shape)


def t(x: TensorLike) -> Tensor:
    """A matrix transposed; a vector or a number as it is.

    Examples
    --------
    >>> t([[1, 2], [3, 4]]).tolist()
    [[1, 3], [2, 4]]
    """
    a = as_variable(x)
    if a.ndim > 2:
        raise ShapeError(f"t: at most two axes are wanted, got shape {a.shape}")
    return permute(a, tuple(range(a.ndim))[::-1])


def adjoint(x: TensorLike) -> Tensor:
    """Matrices, the last two axes, transposed, and conjugated if they are complex.

    Examples
    --------
    >>> adjoint([[1, 2], [3, 4]]).tolist()
    [[1, 3], [2, 4]]
    """
    a = as_variable(x)
    if a.ndim < 2:
        raise ShapeError(f"adjoint: a matrix is wanted, got shape {a.shape}")
    turned = transpose(a, -1, -2)
    return turned if a.dtype.kind != "c" else turned.conj()


@implements(np.broadcast_arrays)
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Tensors stretched to one shape, without copies.

    Examples
    --------
    >>> [a.shape for a in broadcast_tensors([1, 2], [[3], [4]])]
    [(2, 2), (2, 2)]
    """
    parts = [as_variable(a) for a in _unpacked(tensors)]
    try:
        shape = np.broadcast_shapes(*(a.shape for a in parts))
    except ValueError as error:
        raise ShapeError(
            "broadcast_tensors: the shapes do not go together: "
            + ", ".join(str(a.shape) for a in parts)
        ) from error
    return tuple(broadcast_to(a, shape) for a in parts)


def _unpacked(tensors: tuple[Any, ...]) -> tuple[Any, ...]:
    """The tensors in ``f(a, b)`` and ``f([a, b])``."""
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        inside = tensors[0]
        if any(hasattr(x, "shape") for x in inside) or not inside:
            return tuple(inside)
    return tensors


def _at_least(x: TensorLike, ndim: int) -> Tensor:
    a = as_variable(x)
    if ndim == 3 and a.ndim == 2:
        return reshape(a, (*a.shape, 1))
    if ndim == 3 and a.ndim == 1:
        return reshape(a, (1, *a.shape, 1))
    return a if a.ndim >= ndim else reshape(a, (1,) * (ndim - a.ndim) + a.shape)


def _each_at_least(tensors: tuple[Any, ...], ndim: int) -> Any:
    packed = len(tensors) == 1 and isinstance(tensors[0], (list, tuple))
    parts = _unpacked(tensors)
    found = tuple(_at_least(x, ndim) for x in parts)
    alone = len(tensors) == 1 and not (packed and parts is not tensors)
    return found[0] if alone else found


@implements(np.atleast_1d)
def atleast_1d(*tensors: Any) -> Any:
    """A number as a vector of one; what has axes as it is. A tuple for several.

    Examples
    --------
    >>> atleast_1d(3).tolist()
    [3]
    """
    return _each_at_least(tensors, 1)


@implements(np.atleast_2d)
def atleast_2d(*tensors: Any) -> Any:
    """A vector as a matrix of one row; what has two axes as it is.

    Examples
    --------
    >>> atleast_2d([1, 2]).tolist()
    [[1, 2]]
    """
    return _each_at_least(tensors, 2)


@implements(np.atleast_3d)
def atleast_3d(*tensors: Any) -> Any:
    """With axes of length 1 added up to three: around a vector, behind a matrix.

    Examples
    --------
    >>> atleast_3d([1, 2]).shape, atleast_3d([[1, 2]]).shape
    ((1, 2, 1), (1, 2, 1))
    """
    return _each_at_least(tensors, 3)


def sum_to_size(x: TensorLike, *size: Any) -> Tensor:
    """Sums over the axes that broadcasting from the shape `size` would have stretched.

    Examples
    --------
    >>> sum_to_size([[1, 2], [3, 4]], 1, 2).tolist()
    [[4, 6]]
    """
    a, shape = as_variable(x), sizes(size)
    try:
        fits = np.broadcast_shapes(shape, a.shape) == a.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"sum_to_size: the shape {shape} cannot be stretched to {a.shape}"
        )
    lead = a.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(
        i + lead for i, n in enumerate(shape) if n == 1 and a.shape[i + lead] != 1
    )
    if not shape:
        return a.sum()
    return reshape(a.sum(axis=axes), shape) if axes else a
