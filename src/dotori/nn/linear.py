"""Affine layers, and layers that only change the shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from numpy.typing import DTypeLike

from dotori.errors import ArgumentError
from dotori.nn import functional as F
from dotori.nn.initial import new_parameter
from dotori.nn.module import Module
from dotori.nn.parameter import Parameter

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["Bilinear", "Flatten", "Identity", "Linear", "Unflatten"]


class Linear(Module):
    """y = x W^T + b.  x: (..., in_features) -> (..., out_features).

    Weights and bias start evenly spread between -1/sqrt(in_features) and its opposite,
    as in PyTorch. Other float types and integers are cast to the type of the weight.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features)
    bias : Parameter, shape (out_features,), or None

    Examples
    --------
    >>> import dotori
    >>> Linear(3, 2)(dotori.ones(5, 3)).shape
    (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        _check_sizes("Linear", in_features=in_features, out_features=out_features)
        self.in_features = in_features
        self.out_features = out_features
        bound = 1 / math.sqrt(in_features) if in_features else 0.0
        self.weight = new_parameter((out_features, in_features), dtype, device, bound)
        self.bias = (
            new_parameter((out_features,), dtype, device, bound) if bias else None
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Bilinear(Module):
    """y_k = x1^T W_k x2 + b_k.

    Parameters
    ----------
    in1_features, in2_features, out_features : int
    bias : bool

    Examples
    --------
    >>> import dotori
    >>> Bilinear(3, 4, 2)(dotori.ones(5, 3), dotori.ones(5, 4)).shape
    (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        _check_sizes(
            "Bilinear",
            in1_features=in1_features,
            in2_features=in2_features,
            out_features=out_features,
        )
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        bound = 1 / math.sqrt(in1_features) if in1_features else 0.0
        self.weight = new_parameter(shape, dtype, device, bound)
        self.bias = (
            new_parameter((out_features,), dtype, device, bound) if bias else None
        )

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Identity(Module):
    """Its input, whatever arguments it was made with.

    Examples
    --------
    >>> import dotori
    >>> Identity()(dotori.tensor([1.0])).tolist()
    [1.0]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` made one, in C order.

    By default everything but the batch: a picture of (h, w, c) becomes h*w*c numbers.

    Examples
    --------
    >>> import dotori
    >>> Flatten()(dotori.zeros(8, 4, 4, 3)).shape
    (8, 48)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """The axis `dim` made into several, of lengths `unflattened_size`.

    Examples
    --------
    >>> import dotori
    >>> Unflatten(1, (3, 4))(dotori.zeros(8, 12)).shape
    (8, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        super().__init__()
        self.dim = dim
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, x: Tensor) -> Tensor:
        dim = self.dim % x.ndim
        return x.reshape(*x.shape[:dim], *self.unflattened_size, *x.shape[dim + 1 :])

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


def _check_sizes(name: str, **sizes: int) -> None:
    for what, n in sizes.items():
        if isinstance(n, bool) or not hasattr(n, "__index__") or n < 0:
            raise ArgumentError(
                f"{name}: {what} must be an int of at least 0, got {n!r}"
            )
