"""Products of many matrices, of vectors along an axis, and of tensors as matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import as_variable
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.complex import conj
from dotori.functions.diagonal import diagonal as _diagonal
from dotori.functions.elementwise import mul
from dotori.functions.linear import matmul as matmul
from dotori.functions.products import cross as _cross
from dotori.functions.products import trace as trace
from dotori.functions.reduce import sum as _sum
from dotori.functions.shape import axis_of, permute, reshape
from dotori.linalg.systems import inv, solve

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def cross(x: TensorLike, other: TensorLike, *, dim: int = -1) -> Tensor:
    """The vector at right angles to both, along an axis of length 3.

    Examples
    --------
    >>> cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).tolist()
    [0.0, 0.0, 1.0]
    """
    return _cross(x, other, dim)


def vecdot(x: TensorLike, y: TensorLike, *, dim: int = -1) -> Tensor:
    """The sum of products along an axis, the first factor conjugated.

    Examples
    --------
    >>> vecdot([[1.0, 2.0]], [[3.0, 4.0]]).tolist()
    [11.0]
    """
    return _sum(mul(conj(x), y), dim)


def diagonal(
    A: TensorLike, *, offset: int = 0, dim1: int = -2, dim2: int = -1
) -> Tensor:
    """The diagonals of matrices, as a last axis: a view.

    Examples
    --------
    >>> diagonal([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [1.0, 4.0]
    """
    return _diagonal(A, offset, dim1, dim2)


@implements(np.linalg.multi_dot)
def multi_dot(tensors: Sequence[TensorLike]) -> Tensor:
    """The product of two or more matrices, in the order with the fewest operations.

    The first and the last one may be vectors.

    Examples
    --------
    >>> multi_dot([[[1.0, 2.0]], [[3.0], [4.0]], [[2.0]]]).tolist()
    [[22.0]]
    """
    parts = [as_variable(t) for t in tensors]
    if len(parts) < 2:
        raise ArgumentError(f"linalg.multi_dot: 2 or more are wanted, got {len(parts)}")
    row, column = parts[0].ndim == 1, parts[-1].ndim == 1
    if row:
        parts[0] = reshape(parts[0], (1, -1))
    if column:
        parts[-1] = reshape(parts[-1], (-1, 1))
    for a, b in zip(parts, [*parts[1:], parts[-1]], strict=True):
        if a.ndim != 2 or (a is not b and a.shape[1] != b.shape[0]):
            shapes = ", ".join(str(t.shape) for t in parts)
            raise ShapeError(f"linalg.multi_dot: {shapes} cannot be multiplied")
        if a.dtype != b.dtype:
            raise ArgumentError(
                f"linalg.multi_dot: one type is wanted, got {a.dtype} and {b.dtype}"
            )
    sizes = [parts[0].shape[0], *(t.shape[1] for t in parts)]
    y = _multiply(parts, _best_cuts(sizes), 0, len(parts) - 1)
    if row or column:
        return reshape(y, () if row and column else -1)
    return y


def _best_cuts(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where to cut the chain from i to j: matrix i is sizes[i] by sizes[i + 1].

    Cormen, Leiserson, Rivest and Stein, "Introduction to Algorithms", section 15.2.
    """
    n = len(sizes) - 1
    cost: dict[tuple[int, int], int] = {(i, i): 0 for i in range(n)}
    cuts: dict[tuple[int, int], int] = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j], cuts[i, j] = min(
                (
                    cost[i, k]
                    + cost[k + 1, j]
                    + sizes[i] * sizes[k + 1] * sizes[j + 1],
                    k,
                )
                for k in range(i, j)
            )
    return cuts


def _multiply(
    parts: Sequence[Tensor], cuts: dict[tuple[int, int], int], i: int, j: int
) -> Tensor:
    if i == j:
        return parts[i]
    k = cuts[i, j]
    return matmul(_multiply(parts, cuts, i, k), _multiply(parts, cuts, k + 1, j))


@implements(np.linalg.tensorinv)
def tensorinv(A: TensorLike, ind: int = 2) -> Tensor:
    """The inverse of A as a map from its last axes to its first `ind` ones.

    Examples
    --------
    >>> tensorinv([[2.0, 0.0], [0.0, 4.0]], 1).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    a = as_variable(A)
    if ind <= 0:
        raise ArgumentError(f"linalg.tensorinv: ind must be positive, got {ind}")
    front, back = a.shape[:ind], a.shape[ind:]
    n = math.prod(front)
    if n != math.prod(back):
        raise ShapeError(
            f"linalg.tensorinv: the first {ind} axes of shape {a.shape} must hold as "
            "many elements as the others"
        )
    return reshape(inv(reshape(a, (n, n))), (*back, *front))


@implements(np.linalg.tensorsolve)
def tensorsolve(A: TensorLike, B: TensorLike, dims: Any = None) -> Tensor:
    """X with tensordot(A, X, X.ndim) = B.

    Parameters
    ----------
    dims : tuple of ints, optional
        Axes of A that are moved to the end first.

    Examples
    --------
    >>> tensorsolve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]).tolist()
    [1.0, 0.5]
    """
    a, b = as_variable(A), as_variable(B)
    if dims is not None:
        moved = [axis_of("linalg.tensorsolve", d, a.ndim, a.shape) for d in dims]
        a = permute(a, [*(i for i in range(a.ndim) if i not in moved), *moved])
    shape, n = a.shape[b.ndim :], math.prod(b.shape)
    if math.prod(shape) != n or math.prod(a.shape[: b.ndim]) != n:
        raise ShapeError(
            f"linalg.tensorsolve: A of shape {a.shape} must have the axes of B, "
            f"{b.shape}, and as many elements in the others"
        )
    return reshape(solve(reshape(a, (n, n)), reshape(b, -1)), shape)
