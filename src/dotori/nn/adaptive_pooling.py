"""Layers of pooling to a given size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dotori.nn import functional as F
from dotori.nn.functional.adaptive_pooling import OutputSize
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
]


class _AdaptiveAvgPool(Module):
    """What the means over one, two or three axes share."""

    def __init__(self, output_size: OutputSize) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """As many means of windows of a line as are asked for.

    Examples
    --------
    >>> import dotori
    >>> AdaptiveAvgPool1d(3)(dotori.zeros(5, 4, 8)).shape
    (5, 4, 3)
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(x, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """As many means of windows of a picture as are asked for.

    Windows cover the picture evenly, whatever its size. With 1, it is the mean of each
    channel: what networks that take pictures of any size have before their last layer.

    Parameters
    ----------
    output_size : int, pair or None
        The height and width of the result; None leaves them as they are.

    Examples
    --------
    >>> import dotori
    >>> AdaptiveAvgPool2d((3, None))(dotori.zeros(5, 4, 8, 6)).shape
    (5, 4, 3, 6)
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(x, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The same for volumes: see `AdaptiveAvgPool2d`.

    Examples
    --------
    >>> import dotori
    >>> AdaptiveAvgPool3d(2)(dotori.zeros(5, 4, 8, 6, 4)).shape
    (5, 4, 2, 2, 2)
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool3d(x, self.output_size)


class _AdaptiveMaxPool(Module):
    """What the largest numbers over one, two or three axes share."""

    def __init__(self, output_size: OutputSize, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest numbers of as many windows of a line as are asked for.

    Examples
    --------
    >>> import dotori
    >>> AdaptiveMaxPool1d(3)(dotori.zeros(5, 4, 8)).shape
    (5, 4, 3)
    """

    def forward(self, x: Tensor) -> Any:
        return F.adaptive_max_pool1d(x, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest numbers of as many windows of a picture as are asked for.

    Parameters
    ----------
    output_size : int, pair or None
        The height and width of the result; None leaves them as they are.
    return_indices : bool
        Give also where the numbers are from, which `MaxUnpool2d` wants.

    Examples
    --------
    >>> import dotori
    >>> AdaptiveMaxPool2d(3)(dotori.zeros(5, 4, 8, 6)).shape
    (5, 4, 3, 3)
    """

    def forward(self, x: Tensor) -> Any:
        return F.adaptive_max_pool2d(x, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The same for volumes: see `AdaptiveMaxPool2d`.

    Examples
    --------
    >>> import dotori
    >>> AdaptiveMaxPool3d(2)(dotori.zeros(5, 4, 8, 6, 4)).shape
    (5, 4, 2, 2, 2)
    """

    def forward(self, x: Tensor) -> Any:
        return F.adaptive_max_pool3d(x, self.output_size, self.return_indices)
