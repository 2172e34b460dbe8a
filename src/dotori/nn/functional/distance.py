"""Distances and similarities of vectors, and rows brought to unit length."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dotori import functions as fn
from dotori.autograd import as_variable
from dotori.errors import ShapeError
from dotori.functions._numpy import TensorLike
from dotori.nn.functional.reduction import checked_pair

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "cosine_similarity",
    "l1_distance",
    "l2_distance",
    "normalize",
    "pairwise_distance",
]


def l1_distance(input: TensorLike, target: TensorLike) -> Tensor:
    """sum |y - t| over the last axis: one number for each row of a batch.

    Examples
    --------
    >>> yhat, y = [0.9, 0.2, 0.1, 0.4, 0.9], [1.0, 0.0, 0.0, 1.0, 1.0]
    >>> round(l1_distance(yhat, y).item(), 6)
    1.1
    """
    x, t = checked_pair("l1_distance", input, target)
    return abs(x - t).sum(dim=-1)


def l2_distance(input: TensorLike, target: TensorLike) -> Tensor:
    """sum (y - t)^2 over the last axis: one number for each row of a batch.

    This is the square of the Euclidean distance: the loss that textbooks call L2.

    Examples
    --------
    >>> yhat, y = [0.9, 0.2, 0.1, 0.4, 0.9], [1.0, 0.0, 0.0, 1.0, 1.0]
    >>> round(l2_distance(yhat, y).item(), 6)
    0.43
    """
    x, t = checked_pair("l2_distance", input, target)
    d = x - t
    return (d * d).sum(dim=-1)


def normalize(
    input: TensorLike, p: float = 2.0, dim: int = 1, eps: float = 1e-12
) -> Tensor:
    """x / max(|x|_p, eps) along `dim`: vectors of length 1.

    A vector of zeros stays zero, and its gradient is finite.

    Examples
    --------
    >>> normalize([[0.0, 3.0, 4.0], [0.0, 0.0, 0.0]]).tolist()
    [[0.0, 0.6000000238418579, 0.800000011920929], [0.0, 0.0, 0.0]]
    """
    x = as_variable(input)
    return x / fn.maximum(length(x, p, dim, keepdim=True), eps)


def pairwise_distance(
    x1: TensorLike,
    x2: TensorLike,
    p: float = 2.0,
    eps: float = 1e-6,
    keepdim: bool = False,
) -> Tensor:
    """|x1 - x2 + eps|_p over the last axis.

    Examples
    --------
    >>> round(pairwise_distance([[0.0, 0.0]], [[3.0, 4.0]]).item(), 4)
    5.0
    """
    a, b = as_variable(x1), as_variable(x2)
    return length(a - b + eps, p, -1, keepdim)


def cosine_similarity(
    x1: TensorLike, x2: TensorLike, dim: int = 1, eps: float = 1e-8
) -> Tensor:
    """x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along `dim`.

    Examples
    --------
    >>> cosine_similarity([[1.0, 0.0]], [[0.0, 2.0]]).tolist()
    [0.0]
    """
    a, b = as_variable(x1), as_variable(x2)
    if a.shape != b.shape:  # the lengths are those of the vectors that meet
        shape = np.broadcast_shapes(a.shape, b.shape)
        a, b = fn.broadcast_to(a, shape), fn.broadcast_to(b, shape)
    unit_a = a / fn.maximum(length(a, 2.0, dim, keepdim=True), eps)
    unit_b = b / fn.maximum(length(b, 2.0, dim, keepdim=True), eps)
    return (unit_a * unit_b).sum(dim=dim)


def length(x: Tensor, p: float, dim: int, keepdim: bool) -> Tensor:
    """(sum |x|^p)^(1/p) along `dim`, with the gradient 0 where x is 0.

    The root has an infinite slope at 0; there it is taken of 1 instead, and the result
    set to 0 afterwards.
    """
    if not -max(x.ndim, 1) <= dim < max(x.ndim, 1):
        raise ShapeError(f"a vector of shape {x.shape} has no axis {dim}")
    if p == math.inf:
        return fn.amax(abs(x), dim=dim, keepdim=keepdim)
    if p == 1:
        return abs(x).sum(dim=dim, keepdim=keepdim)
    if p == 0:  # the number of elements that are not zero, whose slope is 0
        count: Tensor = (x != 0).sum(dim=dim, keepdim=keepdim)
        return count.astype(x.dtype)
    powers = x * x if p == 2 else abs(x) ** p
    total = powers.sum(dim=dim, keepdim=keepdim)
    some = total.detach() > 0
    safe = fn.where(some, total, 1.0)
    root = fn.sqrt(safe) if p == 2 else safe ** (1 / p)
    return fn.where(some, root, 0.0)
