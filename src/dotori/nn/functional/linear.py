"""Affine maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dotori.autograd import as_variable
from dotori.errors import ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.linear import affine, matmul

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["bilinear", "linear"]


def at_dtype_of(weight: Tensor, x: Tensor) -> Tensor:
    """`x`, cast to the type of `weight` where it has another one.

    Data come as float64 from NumPy, or as integers; a network is float32. They are cast
    once, at the first layer, instead of being refused or of raising everything behind
    them to float64.
    """
    if x.array.dtype is weight.array.dtype or x.array.dtype == weight.array.dtype:
        return x
    return x.to(weight.dtype)


def linear(input: TensorLike, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x W^T + b.

    Parameters
    ----------
    input : Tensor, shape (..., in_features)
        Integers and floats of another width are cast to the type of `weight`.
    weight : Tensor, shape (out_features, in_features)
    bias : Tensor, shape (out_features,), optional

    Returns
    -------
    Tensor, shape (..., out_features)

    Raises
    ------
    ShapeError
        If the last axis of `input` is not in_features.

    Examples
    --------
    >>> import dotori
    >>> weight, bias = dotori.tensor([[1.0, 2.0]]), dotori.tensor([0.5])
    >>> linear([[1.0, 1.0], [0.0, 1.0]], weight, bias).tolist()
    [[3.5], [2.5]]
    """
    x = at_dtype_of(weight, as_variable(input))
    try:
        return matmul(x, weight.T) if bias is None else affine(x, weight, bias)
    except ValueError as error:  # asking first would cost every call
        raise ShapeError(_misfit(x, weight)) from error


def _misfit(x: Tensor, weight: Tensor) -> str:
    wanted = weight.shape[-1]
    if x.shape[-1:] == (wanted,):
        return f"linear: a bias does not fit the weight of shape {weight.shape}"
    message = (
        f"linear: x has shape {x.shape}, but the weight of shape {weight.shape} wants "
        f"its last axis to be {wanted}"
    )
    if x.ndim > 2 and math.prod(x.shape[1:]) == wanted:
        return f"{message}; put nn.Flatten() before this layer"
    if x.ndim == 2 and x.shape[0] == wanted:
        return f"{message}; x looks transposed, samples are rows"
    return message


def bilinear(
    input1: TensorLike, input2: TensorLike, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """x1^T W_k x2 + b_k for each output k.

    Parameters
    ----------
    input1 : Tensor, shape (..., in1_features)
    input2 : Tensor, shape (..., in2_features)
    weight : Tensor, shape (out_features, in1_features, in2_features)
    bias : Tensor, shape (out_features,), optional

    Examples
    --------
    >>> import dotori
    >>> bilinear([[1.0, 2.0]], [[3.0]], dotori.tensor([[[1.0], [10.0]]])).tolist()
    [[63.0]]
    """
    a = at_dtype_of(weight, as_variable(input1))
    b = at_dtype_of(weight, as_variable(input2))
    n_out, n_a, n_b = weight.shape
    if a.shape[:-1] != b.shape[:-1] or (a.shape[-1], b.shape[-1]) != (n_a, n_b):
        raise ShapeError(
            f"bilinear: the inputs have shapes {a.shape} and {b.shape}, but must agree "
            f"up to the last axis and end in {n_a} and {n_b}, as the weight of shape "
            f"{weight.shape} wants"
        )
    # (..., 1, a) (out, a, b) -> (..., out, b), then the inner product with b
    half = matmul(a.reshape(*a.shape[:-1], 1, 1, n_a), weight)
    y = half.reshape(*a.shape[:-1], n_out, n_b) * b.reshape(*b.shape[:-1], 1, n_b)
    total = y.sum(dim=-1)
    if total.dtype != y.dtype:  # integers, whose sums are int64 otherwise
        total = total.astype(y.dtype)
    return total if bias is None else total + bias
