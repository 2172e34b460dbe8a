"""Layers of pooling by a ratio that need not be whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dotori.errors import ArgumentError
from dotori.functions import as_tensor
from dotori.nn import functional as F
from dotori.nn.functional.sizes import Sizes
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["FractionalMaxPool2d", "FractionalMaxPool3d"]


class _FractionalMaxPool(Module):
    """What fractional max pooling over two or three axes shares."""

    _random_samples: Tensor | None

    def __init__(
        self,
        kernel_size: Sizes,
        output_size: Sizes | None = None,
        output_ratio: float | Sequence[float] | None = None,
        return_indices: bool = False,
        _random_samples: Any = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.output_size = output_size
        self.output_ratio = output_ratio
        self.return_indices = return_indices
        samples = None if _random_samples is None else as_tensor(_random_samples)
        self.register_buffer("_random_samples", samples)
        if (output_size is None) == (output_ratio is None):
            raise ArgumentError(
                f"{type(self).__name__}: one of output_size and output_ratio is "
                f"wanted, got {output_size} and {output_ratio}"
            )
        ratios = output_ratio if isinstance(output_ratio, Sequence) else [output_ratio]
        if any(r is not None and not 0 < r < 1 for r in ratios):
            raise ArgumentError(
                f"{type(self).__name__}: output_ratio lies between 0 and 1, got "
                f"{output_ratio}"
            )

    def _arguments(self) -> tuple[Any, ...]:
        return (
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            self._random_samples,
        )


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest numbers of windows that begin at random: `fractional_max_pool2d`.

    Parameters
    ----------
    kernel_size : int or pair
    output_size : int or pair, optional
        The height and width of the result.
    output_ratio : float or pair, optional
        The same as a part of the input's, between 0 and 1.
    return_indices : bool
        Give also where the numbers are from, which `MaxUnpool2d` wants.

    Examples
    --------
    >>> import dotori
    >>> FractionalMaxPool2d(2, output_ratio=0.7)(dotori.rand(2, 3, 9, 9)).shape
    (2, 3, 6, 6)
    """

    def forward(self, x: Tensor) -> Any:
        return F.fractional_max_pool2d(x, *self._arguments())


class FractionalMaxPool3d(_FractionalMaxPool):
    """The same for volumes: see `FractionalMaxPool2d`.

    Examples
    --------
    >>> import dotori
    >>> FractionalMaxPool3d(2, output_size=4)(dotori.rand(2, 3, 6, 6, 6)).shape
    (2, 3, 4, 4, 4)
    """

    def forward(self, x: Tensor) -> Any:
        return F.fractional_max_pool3d(x, *self._arguments())
