"""Distances between vectors: of two tensors, of all pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dotori.autograd import apply, as_variable
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions import elementwise
from dotori.functions._numpy import TensorLike
from dotori.functions.reduce import norm
from dotori.functions.shape import broadcast_to, getitem
from dotori.ops.distance import Euclidean

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["cdist", "dist", "pdist"]

_MODES = (
    None,
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)


def dist(x: TensorLike, other: TensorLike, p: float = 2) -> Tensor:
    """The p-norm of x - other, over all elements; its gradient at 0 is 0.

    Examples
    --------
    >>> dist([1.0, 2.0], [4.0, 6.0]).item()
    5.0
    """
    difference = elementwise.sub(x, other)
    if difference.dtype.kind in "bui":
        difference = difference.float()
    return norm(difference, p)


def cdist(
    x1: TensorLike, x2: TensorLike, p: float = 2.0, compute_mode: str | None = None
) -> Tensor:
    """The p-norm of all differences: (..., n, d) and (..., m, d) give (..., n, m).

    The gradient at a distance of 0 is 0. `compute_mode` is one of PyTorch's; here all
    mean the same: products of matrices where they are faster, and the differences
    themselves for few or for near points, which stay exact.

    Examples
    --------
    >>> cdist([[0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]]).tolist()
    [[5.0, 1.0]]
    """
    a, b = as_variable(x1), as_variable(x2)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise ShapeError(
            "cdist: vectors (..., n, d) and (..., m, d) are wanted, got shapes "
            f"{a.shape} and {b.shape}"
        )
    if p < 0:
        raise ArgumentError(f"cdist: p must not be negative, got {p}")
    if a.dtype.kind != "f" or a.dtype != b.dtype:
        raise DTypeError(
            f"cdist: two equal float types are wanted, got {a.dtype}, {b.dtype}"
        )
    if compute_mode not in _MODES:
        raise ArgumentError(f"cdist: compute_mode must be one of {_MODES}")
    try:
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError as error:
        raise ShapeError(
            f"cdist: the stacks {a.shape[:-2]} and {b.shape[:-2]} do not go together"
        ) from error
    a = broadcast_to(a, (*lead, *a.shape[-2:]))
    b = broadcast_to(b, (*lead, *b.shape[-2:]))
    if p == 2:
        result: Tensor = apply(Euclidean, a, b)
        return result
    pairs = getitem(a, (..., slice(None), None, slice(None))) - getitem(
        b, (..., None, slice(None), slice(None))
    )
    return _lengths(pairs, p)


def _lengths(pairs: Tensor, p: float) -> Tensor:
    """The p-norms of vectors on the last axis, which may be empty."""
    if not pairs.shape[-1]:
        return pairs.sum(-1)
    return norm(pairs, p, -1)


def pdist(x: TensorLike, p: float = 2.0) -> Tensor:
    """The p-norms of the differences of all pairs of rows: (0, 1), (0, 2), ..., (1, 2).

    Examples
    --------
    >>> pdist([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]).tolist()[:2]
    [5.0, 1.0]
    """
    t = as_variable(x)
    if t.ndim != 2:
        raise ShapeError(f"pdist: rows (n, d) are wanted, got shape {t.shape}")
    if t.dtype.kind != "f":
        raise DTypeError(f"pdist: floats were wanted, got {t.dtype}")
    if p < 0:
        raise ArgumentError(f"pdist: p must not be negative, got {p}")
    first, second = np.triu_indices(len(t), 1)
    return _lengths(t[first] - t[second], p)
