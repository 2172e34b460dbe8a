"""Layers between pictures and columns of their windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dotori.nn import functional as F
from dotori.nn.functional.sizes import Sizes
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["Fold", "Unfold"]


class Unfold(Module):
    """Each window of a picture as a column: see `dotori.nn.functional.unfold`.

    Parameters
    ----------
    kernel_size, dilation, padding, stride : int or pair

    Examples
    --------
    >>> import dotori
    >>> Unfold((2, 3))(dotori.zeros(2, 5, 3, 4)).shape
    (2, 30, 4)
    """

    def __init__(
        self,
        kernel_size: Sizes,
        dilation: Sizes = 1,
        padding: Sizes = 0,
        stride: Sizes = 1,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return F.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )


class Fold(Module):
    """Columns added back into a picture: see `dotori.nn.functional.fold`.

    Parameters
    ----------
    output_size : int or pair
        The height and width of the picture.
    kernel_size, dilation, padding, stride : int or pair

    Examples
    --------
    >>> import dotori
    >>> Fold((4, 5), (2, 2))(dotori.zeros(1, 12, 12)).shape
    (1, 3, 4, 5)
    """

    def __init__(
        self,
        output_size: Sizes,
        kernel_size: Sizes,
        dilation: Sizes = 1,
        padding: Sizes = 0,
        stride: Sizes = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return F.fold(
            x,
            self.output_size,
            self.kernel_size,
            self.dilation,
            self.padding,
            self.stride,
        )

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )
