"""Grids, products and stacks of several tensors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations as _choices
from itertools import combinations_with_replacement as _choices_again
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import as_variable
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.gathering import take_places
from dotori.functions.join import cat, stack
from dotori.functions.shape import broadcast_to, reshape, transpose
from dotori.functions.views import _unpacked, atleast_3d

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "cartesian_prod",
    "column_stack",
    "combinations",
    "dstack",
    "meshgrid",
]


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """For each vector a tensor of its values at all points of the grid of them all.

    Parameters
    ----------
    tensors : Tensor
        Vectors, or single numbers.
    indexing : "ij" or "xy"
        With "xy" the first two axes are exchanged.

    Examples
    --------
    >>> rows, columns = meshgrid([1, 2], [3, 4, 5])
    >>> rows.tolist(), columns.tolist()
    ([[1, 1, 1], [2, 2, 2]], [[3, 4, 5], [3, 4, 5]])
    """
    parts = [as_variable(x) for x in _unpacked(tensors)]
    if not parts:
        raise ArgumentError("meshgrid: at least one tensor is wanted, got none")
    if indexing not in ("ij", "xy"):
        raise ArgumentError(f"meshgrid: indexing is 'ij' or 'xy', got {indexing!r}")
    for i, t in enumerate(parts):
        if t.ndim > 1 or t.dtype != parts[0].dtype:
            raise ShapeError(
                f"meshgrid: vectors of one type are wanted, tensor {i} has shape "
                f"{t.shape} and type {t.dtype}, tensor 0 has type {parts[0].dtype}"
            )
    shape = tuple(t.numel() for t in parts)
    grids = [
        broadcast_to(reshape(t, (t.numel(), *(1,) * (len(shape) - i - 1))), shape)
        for i, t in enumerate(parts)
    ]
    if indexing == "xy" and len(parts) > 1:
        grids = [transpose(g, 0, 1) for g in grids]
    return tuple(grids)


@implements(np.meshgrid)
def _numpys_meshgrid(
    *xi: TensorLike, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Tensor, ...]:
    """NumPy's meaning: "xy", and types may differ. `copy` is as NumPy's False."""
    parts = [reshape(x, -1) for x in xi]
    found = []
    for i, t in enumerate(parts):
        others = list(parts)
        others[i] = t
        shape = tuple(p.numel() for p in others)
        grid = reshape(t, (*(1,) * i, t.numel(), *(1,) * (len(parts) - i - 1)))
        grid = grid if sparse else broadcast_to(grid, shape)
        swap = indexing == "xy" and len(parts) > 1
        found.append(transpose(grid, 0, 1) if swap else grid)
    return tuple(found)


def cartesian_prod(*tensors: TensorLike) -> Tensor:
    """All ways to choose an element of each vector: a row each, the last one fastest.

    Examples
    --------
    >>> cartesian_prod([1, 2], [3, 4]).tolist()
    [[1, 3], [1, 4], [2, 3], [2, 4]]
    """
    parts = [as_variable(t) for t in tensors]
    for i, t in enumerate(parts):
        if t.ndim != 1:
            raise ShapeError(
                f"cartesian_prod: vectors are wanted, tensor {i} has shape {t.shape}"
            )
    if len(parts) == 1:
        return parts[0]
    return stack([reshape(g, (g.numel(),)) for g in meshgrid(*parts)], dim=1)


def combinations(x: TensorLike, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All ways to choose `r` elements of a vector, whatever their order: a row each.

    Examples
    --------
    >>> combinations([1, 2, 3]).tolist()
    [[1, 2], [1, 3], [2, 3]]
    """
    t = as_variable(x)
    if t.ndim != 1:
        raise ShapeError(f"combinations: a vector is wanted, got shape {t.shape}")
    if r < 0:
        raise ArgumentError(f"combinations: r must not be negative, got {r}")
    if r == 0:
        return t[:0]
    choose = _choices_again if with_replacement else _choices
    rows = np.array(list(choose(range(t.numel()), r)), np.intp).reshape(-1, r)
    return take_places(t, (rows,))


@implements(np.column_stack)
def column_stack(tensors: Sequence[TensorLike]) -> Tensor:
    """Vectors as the columns of a matrix; matrices beside each other.

    Examples
    --------
    >>> column_stack([[1, 2], [3, 4]]).tolist()
    [[1, 3], [2, 4]]
    """
    parts = [as_variable(t) for t in tensors]
    if not parts:
        raise ArgumentError("column_stack: at least one tensor is wanted, got none")
    return cat([reshape(t, (t.numel(), 1)) if t.ndim < 2 else t for t in parts], 1)


@implements(np.dstack)
def dstack(tensors: Sequence[TensorLike]) -> Tensor:
    """Tensors behind each other, along axis 2.

    Examples
    --------
    >>> dstack([[1, 2], [3, 4]]).tolist()
    [[[1, 3], [2, 4]]]
    """
    parts = [atleast_3d(t) for t in map(as_variable, tensors)]
    if not parts:
        raise ArgumentError("dstack: at least one tensor is wanted, got none")
    return cat(parts, 2)
