"""Normalisation without running statistics, as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from numpy.typing import DTypeLike

from dotori.errors import ArgumentError, ShapeError
from dotori.nn import functional as F
from dotori.nn import init
from dotori.nn.functional.normalization import across_channels
from dotori.nn.initial import new_parameter
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori._tensor import Tensor
    from dotori.nn.parameter import Parameter

__all__ = [
    "CrossMapLRN2d",
    "GroupNorm",
    "LayerNorm",
    "LocalResponseNorm",
    "RMSNorm",
]


class _Affine(Module):
    """A weight that starts as 1 and a bias that starts as 0, or none."""

    weight: Parameter | None
    bias: Parameter | None

    def _make(
        self,
        shape: tuple[int, ...],
        weight: bool,
        bias: bool,
        device: str | None,
        dtype: DTypeLike | None,
    ) -> None:
        for name, wanted in (("weight", weight), ("bias", weight and bias)):
            p = new_parameter(shape, dtype, device) if wanted else None
            self.register_parameter(name, p)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weights 1, biases 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    if hasattr(normalized_shape, "__index__"):
        return (int(normalized_shape),)
    return tuple(normalized_shape)


class LayerNorm(_Affine):
    """(x - mean) / sqrt(var + eps) * weight + bias over the last axes.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The lengths of these axes.
    eps : float
    elementwise_affine, bias : bool
        Whether there is a weight, and whether a bias beside it.

    Attributes
    ----------
    weight, bias : Parameter, shape normalized_shape, or None

    Examples
    --------
    >>> import dotori
    >>> y = LayerNorm(2)(dotori.tensor([[1.0, 3.0], [10.0, 30.0]]))
    >>> [round(v, 3) for v in y.flatten().tolist()]
    [-1.0, 1.0, -1.0, 1.0]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._make(self.normalized_shape, elementwise_affine, bias, device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class GroupNorm(_Affine):
    """(x - mean) / sqrt(var + eps) * weight + bias for groups of channels of a sample.

    Parameters
    ----------
    num_groups, num_channels : int
        The first divides the second.
    eps : float
    affine, bias : bool
        Whether each channel has a weight, and whether a bias beside it.

    Examples
    --------
    >>> import dotori
    >>> GroupNorm(2, 4)(dotori.ones(3, 4, 5, 5)).shape
    (3, 4, 5, 5)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ArgumentError(
                f"GroupNorm: num_channels, {num_channels}, cannot be cut into "
                f"num_groups, {num_groups}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._make((num_channels,), affine, bias, device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, "
            f"affine={self.affine}, bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """x / sqrt(mean of x^2 + eps) * weight over the last axes.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The lengths of these axes.
    eps : float, optional
        By default the distance from 1 to the next number of the type.
    elementwise_affine : bool
        Whether there is a weight.

    Examples
    --------
    >>> import dotori
    >>> y = RMSNorm(2)(dotori.tensor([[1.0, 7.0]]))
    >>> [round(v, 3) for v in y.flatten().tolist()]
    [0.2, 1.4]
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        made = new_parameter(self.normalized_shape, dtype, device)
        self.register_parameter("weight", made if elementwise_affine else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weights 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}"
        )


class LocalResponseNorm(Module):
    """x / (k + alpha * (mean of x^2 over `size` channels around each))^beta.

    Parameters
    ----------
    size : int
    alpha, beta, k : float

    Examples
    --------
    >>> import dotori
    >>> LocalResponseNorm(2)(dotori.ones(3, 4, 5, 5)).shape
    (3, 4, 5, 5)
    """

    def __init__(
        self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
    ) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        return F.local_response_norm(x, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(LocalResponseNorm):
    """`LocalResponseNorm` of pictures, by a window that is the same on both sides.

    For an even `size`, the window has size - 1 channels and the mean still divides by
    `size`, as in PyTorch. With more than (size + 1) // 2 channels numbers differ from
    PyTorch's, where the first channel never leaves the window.

    Examples
    --------
    >>> import dotori
    >>> CrossMapLRN2d(3)(dotori.ones(3, 4, 5, 5)).shape
    (3, 4, 5, 5)
    """

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4:
            raise ShapeError(
                f"CrossMapLRN2d: x has shape {x.shape}; it must be (batch, channels, "
                "height, width)"
            )
        side = (self.size - 1) // 2
        alpha = self.alpha / self.size
        return across_channels(x, side, side, alpha, self.beta, self.k)
