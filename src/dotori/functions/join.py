"""Tensors put together and taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable
from dotori.dtypes import promote_types
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.shape import axis_of, cast, getitem, unsqueeze
from dotori.ops.shape import Concatenate

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["cat", "chunk", "concat", "hstack", "split", "stack", "unbind", "vstack"]


def cat(
    tensors: Sequence[TensorLike], dim: int = 0, *, axis: int | None = None
) -> Tensor:
    """Tensors one after the other along an axis; their other axes must be equal.

    As in PyTorch, empty vectors, of shape (0,), go with any shape.

    Raises
    ------
    ShapeError
        If shapes do not go together, or a tensor has no axes.

    Examples
    --------
    >>> cat([[1.0, 2.0], [3.0]]).tolist()
    [1.0, 2.0, 3.0]
    """
    parts = [as_variable(t) for t in tensors]
    if not parts:
        raise ArgumentError("cat: at least one tensor is wanted, got none")
    dtype = parts[0].dtype
    for t in parts:
        if t.dtype != dtype:
            dtype = promote_types(dtype, t.dtype)
    kept = [t for t in parts if t.array.shape != (0,)] or parts
    first = kept[0]
    if not first.ndim:
        raise ShapeError(
            "cat: a tensor without axes has none to go on along; use stack, or "
            "reshape(1) first"
        )
    place = axis_of("cat", dim if axis is None else axis, first.ndim, first.shape)
    for i, t in enumerate(parts):
        others = [s.shape[:place] + s.shape[place + 1 :] for s in (first, t)]
        alike = t.ndim == first.ndim and others[0] == others[1]
        if not alike and t.array.shape != (0,):
            raise ShapeError(
                f"cat along axis {place}: a tensor of shape {first.shape}, and tensor "
                f"{i} of shape {t.shape}; they may differ in that axis only"
            )
    ends = tuple(accumulate(t.shape[place] for t in kept))
    kept = [cast(t, dtype) for t in kept]
    result: Tensor = apply(Concatenate, *kept, axis=place, ends=ends)
    return result


concat = cat


@implements(np.concatenate)
def _numpys_concatenate(arrays: Sequence[TensorLike], axis: int | None = 0) -> Tensor:
    """NumPy's meaning: an axis of None lays everything out in one row."""
    if axis is None:
        return cat([as_variable(a).reshape(-1) for a in arrays])
    return cat(arrays, axis)


def _some(place: str, tensors: Sequence[TensorLike]) -> list[Tensor]:
    """At least one tensor."""
    parts = [as_variable(t) for t in tensors]
    if not parts:
        raise ArgumentError(f"{place}: at least one tensor is wanted, got none")
    return parts


@implements(np.stack)
def stack(
    tensors: Sequence[TensorLike], dim: int = 0, *, axis: int | None = None
) -> Tensor:
    """Tensors of one shape along a new axis.

    Examples
    --------
    >>> stack([[1.0, 2.0], [3.0, 4.0]], dim=1).tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    parts = _some("stack", tensors)
    for i, t in enumerate(parts):
        if t.shape != parts[0].shape:
            raise ShapeError(
                f"stack: tensor 0 has shape {parts[0].shape}, tensor {i} {t.shape}; "
                "they must be equal"
            )
    place = dim if axis is None else axis
    return cat([unsqueeze(t, place) for t in parts], place)


@implements(np.hstack)
def hstack(tensors: Sequence[TensorLike]) -> Tensor:
    """Tensors side by side: along axis 1, or 0 for vectors.

    Examples
    --------
    >>> hstack([[1.0], [2.0]]).tolist()
    [1.0, 2.0]
    """
    parts = [t.reshape(1) if not t.ndim else t for t in _some("hstack", tensors)]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


@implements(np.vstack)
def vstack(tensors: Sequence[TensorLike]) -> Tensor:
    """Tensors below each other: along axis 0, a vector as one row.

    Examples
    --------
    >>> vstack([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    parts = _some("vstack", tensors)
    return cat([t.reshape(1, t.numel()) if t.ndim < 2 else t for t in parts], 0)


def split(
    x: TensorLike, split_size: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Views of parts along an axis: of one size (the last may be smaller), or of given.

    Examples
    --------
    >>> [part.tolist() for part in split([1, 2, 3, 4, 5], 2)]
    [[1, 2], [3, 4], [5]]
    """
    t = as_variable(x)
    place = axis_of("split", dim, t.ndim, t.shape)
    n = t.shape[place]
    if isinstance(split_size, (int, np.integer)):
        if split_size < 0 or (not split_size and n):
            raise ArgumentError(f"split: a size must be at least 1, got {split_size}")
        ends = [*range(split_size, n, split_size), n] if n else [0]
    else:
        if any(size < 0 for size in split_size):
            raise ArgumentError(f"split: sizes are not negative, got {split_size}")
        ends = list(accumulate(split_size))
        if (ends[-1] if ends else 0) != n:
            raise ShapeError(
                f"split: sizes {list(split_size)} add up to {ends[-1] if ends else 0}, "
                f"axis {place} of shape {t.shape} is {n} long"
            )
    before: tuple[Any, ...] = (slice(None),) * place
    starts = [0, *ends[:-1]]
    return tuple(
        getitem(t, (*before, slice(a, b))) for a, b in zip(starts, ends, strict=True)
    )


def chunk(x: TensorLike, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most so many parts of equal size along an axis; the last may be smaller.

    Examples
    --------
    >>> [part.tolist() for part in chunk([1, 2, 3, 4, 5], 2)]
    [[1, 2, 3], [4, 5]]
    """
    t = as_variable(x)
    if chunks < 1:
        raise ArgumentError(f"chunk: at least 1 part is wanted, got {chunks}")
    place = axis_of("chunk", dim, t.ndim, t.shape)
    if not t.shape[place]:
        return split(t, [0] * chunks, place)
    return split(t, -(-t.shape[place] // chunks), place)


def unbind(x: TensorLike, dim: int = 0) -> tuple[Tensor, ...]:
    """The parts along an axis, without it.

    Examples
    --------
    >>> [part.tolist() for part in unbind([[1, 2], [3, 4]], 1)]
    [[1, 3], [2, 4]]
    """
    t = as_variable(x)
    place = axis_of("unbind", dim, t.ndim, t.shape)
    before: tuple[Any, ...] = (slice(None),) * place
    return tuple(getitem(t, (*before, i)) for i in range(t.shape[place]))
