"""Tensors cut into parts along an axis; the parts are views.

``dotori.split`` takes the length of the parts, ``tensor_split`` and NumPy's
``np.split`` take their number, or the places to cut at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import as_variable
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions._places import at_axis
from dotori.functions.join import chunk, split
from dotori.functions.shape import axis_of, getitem

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "dsplit",
    "hsplit",
    "split_with_sizes",
    "tensor_split",
    "unsafe_chunk",
    "unsafe_split",
    "unsafe_split_with_sizes",
    "vsplit",
]


def tensor_split(
    x: TensorLike,
    indices_or_sections: Any = None,
    dim: int = 0,
    *,
    indices: Any = None,
    sections: Any = None,
) -> tuple[Tensor, ...]:
    """So many parts along an axis, or the parts between places to cut at.

    Where the length cannot be divided, the first parts are one longer.

    Examples
    --------
    >>> [part.tolist() for part in tensor_split([1, 2, 3], 2)]
    [[1, 2], [3]]
    >>> [part.tolist() for part in tensor_split([1, 2, 3], (1,))]
    [[1], [2, 3]]
    """
    t = as_variable(x)
    asked = [g for g in (indices_or_sections, indices, sections) if g is not None]
    if len(asked) != 1:
        raise ArgumentError("tensor_split: give one number of parts, or places")
    (given,) = asked
    axis = axis_of("tensor_split", dim, t.ndim, t.shape)
    cuts = np.asarray(getattr(given, "array", given))
    if cuts.ndim > 1 or (cuts.size and cuts.dtype.kind not in "iu"):
        raise ArgumentError(
            "tensor_split: a number of parts, or one axis of places, is wanted, got "
            f"{cuts.dtype} of shape {cuts.shape}"
        )
    if cuts.ndim:
        return _between(t, [int(i) for i in cuts], axis)
    parts = int(cuts)
    if parts < 1:
        raise ArgumentError(f"tensor_split: at least 1 part is wanted, got {parts}")
    small, longer = divmod(t.shape[axis], parts)
    lengths = [small + 1] * longer + [small] * (parts - longer)
    return split(t, lengths, axis)


def _between(t: Tensor, cuts: list[int], axis: int) -> tuple[Tensor, ...]:
    """The parts of `t` between the places `cuts`, which slices may cross."""
    starts, ends = [0, *cuts], [*cuts, t.shape[axis]]
    return tuple(
        getitem(t, at_axis(slice(a, b), axis))
        for a, b in zip(starts, ends, strict=True)
    )


@implements(np.array_split)
def _numpys_array_split(
    x: TensorLike, indices_or_sections: Any, axis: int = 0
) -> tuple[Tensor, ...]:
    return tensor_split(x, indices_or_sections, axis)


@implements(np.split)
def _numpys_split(
    x: TensorLike, indices_or_sections: Any, axis: int = 0
) -> tuple[Tensor, ...]:
    """NumPy's meaning: a number of equal parts, or places to cut at."""
    return _equal_parts("split", x, indices_or_sections, axis)


def _equal_parts(
    place: str, x: TensorLike, given: Any, axis: int
) -> tuple[Tensor, ...]:
    t = as_variable(x)
    n = t.shape[axis_of(place, axis, t.ndim, t.shape)]
    if isinstance(given, (int, np.integer)) and (given < 1 or n % int(given)):
        raise ShapeError(
            f"{place}: axis {axis} of shape {t.shape} cannot be cut into {given} equal "
            "parts"
        )
    return tensor_split(t, given, axis)


def _at_least(place: str, x: TensorLike, ndim: int) -> Tensor:
    t = as_variable(x)
    if t.ndim < ndim:
        raise ShapeError(f"{place}: at least {ndim} axes are wanted, got {t.shape}")
    return t


@implements(np.hsplit)
def hsplit(x: TensorLike, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Equal parts, or those between places, along axis 1; of a vector along axis 0.

    Examples
    --------
    >>> [part.tolist() for part in hsplit([[1, 2], [3, 4]], 2)]
    [[[1], [3]], [[2], [4]]]
    """
    t = _at_least("hsplit", x, 1)
    return _equal_parts("hsplit", t, indices_or_sections, 0 if t.ndim == 1 else 1)


@implements(np.vsplit)
def vsplit(x: TensorLike, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Equal parts, or those between places, along axis 0 of at least two.

    Examples
    --------
    >>> [part.tolist() for part in vsplit([[1, 2], [3, 4]], 2)]
    [[[1, 2]], [[3, 4]]]
    """
    return _equal_parts("vsplit", _at_least("vsplit", x, 2), indices_or_sections, 0)


@implements(np.dsplit)
def dsplit(x: TensorLike, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Equal parts, or those between places, along axis 2 of at least three.

    Examples
    --------
    >>> [part.tolist() for part in dsplit([[[1, 2]]], 2)]
    [[[[1]]], [[[2]]]]
    """
    return _equal_parts("dsplit", _at_least("dsplit", x, 3), indices_or_sections, 2)


def split_with_sizes(
    x: TensorLike, split_sizes: Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Parts of given lengths along an axis.

    Examples
    --------
    >>> [part.tolist() for part in split_with_sizes([1, 2, 3], [1, 2])]
    [[1], [2, 3]]
    """
    return split(x, list(split_sizes), dim)


# PyTorch's "unsafe" forms may be written to in place without care for their siblings;
# here every view may.
unsafe_chunk = chunk
unsafe_split = split
unsafe_split_with_sizes = split_with_sizes
