"""Products of matrices, and the affine map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dotori.autograd import apply, as_variable, binary
from dotori.errors import ShapeError
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.shape import reshape
from dotori.ops import linear as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["matmul"]


@implements(np.matmul)
def matmul(a: TensorLike, other: TensorLike) -> Tensor:
    """The product of matrices, of stacks of them, or with vectors.

    Examples
    --------
    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    """
    x, y = as_variable(a), as_variable(other)
    p, q = x.array.shape, y.array.shape
    if len(p) > 1 and len(q) > 1 and p[-1] == q[-2]:
        return binary(op.Matmul, x, y)
    if not x.ndim or not y.ndim or x.shape[-1] != y.shape[-2 if y.ndim > 1 else 0]:
        raise ShapeError(
            f"matmul was given shapes {x.shape} and {y.shape}: the last axis of the "
            "first must be as long as the last but one of the second"
        )
    left, right = x.ndim == 1, y.ndim == 1
    x = reshape(x, (1, -1)) if left else x
    y = reshape(y, (-1, 1)) if right else y
    z = binary(op.Matmul, x, y)
    keep = z.shape[:-2] + (() if left else z.shape[-2:-1])
    return reshape(z, keep + (() if right else z.shape[-1:]))


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """x W^T + b, as one operation."""
    result: Tensor = apply(op.Linear, x, weight, bias)
    return result
