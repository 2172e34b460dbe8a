"""Elementwise functions of tensors, under PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dotori.autograd import binary, unary
from dotori.functions._numpy import TensorLike, implements
from dotori.ops import elementwise as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["add", "exp", "mul", "neg"]


@implements(np.negative)
def neg(x: TensorLike) -> Tensor:
    """-x.

    Examples
    --------
    >>> neg([1.0, -2.0]).tolist()
    [-1.0, 2.0]
    """
    return unary(op.Neg, x)


@implements(np.exp)
def exp(x: TensorLike) -> Tensor:
    """e to the power of each element.

    Examples
    --------
    >>> exp([0.0, 1.0]).tolist()
    [1.0, 2.7182817459106445]
    """
    return unary(op.Exp, x)


@implements(np.add)
def add(a: TensorLike, b: TensorLike, *, alpha: float = 1) -> Tensor:
    """a + alpha b, with broadcasting.

    Examples
    --------
    >>> add([1.0, 2.0], 10).tolist()
    [11.0, 12.0]
    """
    return binary(op.Add, a, b if alpha == 1 else mul(b, alpha))


@implements(np.multiply)
def mul(a: TensorLike, b: TensorLike) -> Tensor:
    """a b, elementwise, with broadcasting.

    Examples
    --------
    >>> mul([1.0, 2.0], [3.0, 4.0]).tolist()
    [3.0, 8.0]
    """
    return binary(op.Mul, a, b)
