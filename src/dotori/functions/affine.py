"""Products with something added: beta x + alpha a b."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dotori.autograd import as_variable
from dotori.errors import DTypeError, ShapeError
from dotori.functions import elementwise
from dotori.functions._numpy import TensorLike
from dotori.functions.linear import matmul
from dotori.functions.products import bmm, mm, mv, outer, ranked
from dotori.functions.shape import reshape, transpose

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "addbmm",
    "addmm",
    "addmv",
    "addr",
    "baddbmm",
]


def _added(
    place: str, x: TensorLike, product: Tensor, beta: float, alpha: float
) -> Tensor:
    """beta x + alpha product; x is not looked at where beta is 0.

    Raises
    ------
    ShapeError
        If x does not broadcast to the product.
    DTypeError
        If the types differ.
    """
    t = as_variable(x)
    if t.dtype != product.dtype:
        raise DTypeError(
            f"{place}: x holds {t.dtype}, but the product {product.dtype}; "
            "they must have one type"
        )
    try:
        fits = np.broadcast_shapes(t.shape, product.shape) == product.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{place}: x of shape {t.shape} does not broadcast to {product.shape}, the "
            "shape of the product"
        )
    # Of integers and booleans, PyTorch takes the factors as such.
    many, weight = (t.dtype.type(factor).item() for factor in (alpha, beta))
    scaled = product if many == 1 else elementwise.mul(product, many)
    if beta == 0:
        return scaled
    return elementwise.add(t if weight == 1 else elementwise.mul(t, weight), scaled)


def addmm(
    x: TensorLike,
    mat1: TensorLike,
    mat2: TensorLike,
    *,
    beta: float = 1,
    alpha: float = 1,
) -> Tensor:
    """beta x + alpha mat1 mat2.

    Examples
    --------
    >>> addmm([[1.0]], [[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[12.0]]
    """
    return _added("addmm", x, mm(mat1, mat2), beta, alpha)


def addmv(
    x: TensorLike,
    mat: TensorLike,
    vec: TensorLike,
    *,
    beta: float = 1,
    alpha: float = 1,
) -> Tensor:
    """beta x + alpha mat vec.

    Examples
    --------
    >>> addmv([1.0], [[1.0, 2.0]], [3.0, 4.0]).tolist()
    [12.0]
    """
    return _added("addmv", x, mv(mat, vec), beta, alpha)


def addr(
    x: TensorLike,
    vec1: TensorLike,
    vec2: TensorLike,
    *,
    beta: float = 1,
    alpha: float = 1,
) -> Tensor:
    """beta x + alpha times the outer product of two vectors.

    Examples
    --------
    >>> addr([[1.0]], [2.0], [3.0]).tolist()
    [[7.0]]
    """
    return _added("addr", x, outer(vec1, vec2), beta, alpha)


def baddbmm(
    x: TensorLike,
    batch1: TensorLike,
    batch2: TensorLike,
    *,
    beta: float = 1,
    alpha: float = 1,
) -> Tensor:
    """beta x + alpha times the products of two stacks of matrices.

    Examples
    --------
    >>> baddbmm([[[1.0]]], [[[1.0, 2.0]]], [[[3.0], [4.0]]]).tolist()
    [[[12.0]]]
    """
    return _added("baddbmm", x, bmm(batch1, batch2), beta, alpha)


def addbmm(
    x: TensorLike,
    batch1: TensorLike,
    batch2: TensorLike,
    *,
    beta: float = 1,
    alpha: float = 1,
) -> Tensor:
    """beta x + alpha times the sum of the products of two stacks of matrices.

    Examples
    --------
    >>> addbmm([[1.0]], [[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]).tolist()
    [[12.0]]
    """
    a, b = ranked("addbmm", (3, 3), batch1, batch2)
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise ShapeError(
            f"addbmm: the stacks of shapes {a.shape} and {b.shape} cannot be multiplied"
        )
    # One product: the stack is one more axis to sum over.
    wide = reshape(transpose(a, 0, 1), (a.shape[1], -1))
    product = matmul(wide, reshape(b, (-1, b.shape[2])))
    return _added("addbmm", x, product, beta, alpha)
