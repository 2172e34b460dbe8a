"""Layers that undo max pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from dotori.nn import functional as F
from dotori.nn.functional.sizes import Sizes, each_axis
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"]


class _MaxUnpool(Module):
    """What unpooling over one, two or three axes shares."""

    _axes: ClassVar[int]

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0
    ) -> None:
        super().__init__()
        name, steps = type(self).__name__, kernel_size if stride is None else stride
        self.kernel_size = each_axis(name, "kernel_size", kernel_size, self._axes)
        self.stride = each_axis(name, "stride", steps, self._axes)
        self.padding = each_axis(name, "padding", padding, self._axes)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}"
        )


class MaxUnpool1d(_MaxUnpool):
    """Zeros with the values of `MaxPool1d` where they were: see `MaxUnpool2d`.

    Examples
    --------
    >>> import dotori
    >>> from dotori.nn import MaxPool1d
    >>> values, indices = MaxPool1d(2, return_indices=True)(dotori.rand(5, 4, 8))
    >>> MaxUnpool1d(2)(values, indices).shape
    (5, 4, 8)
    """

    _axes = 1

    def forward(
        self, x: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        return F.max_unpool1d(
            x, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool2d(_MaxUnpool):
    """Zeros with the values of `MaxPool2d` where they were.

    It is called with the values, their indices, and the size of what was pooled if it
    was not the smallest that the windows fit into.

    Parameters
    ----------
    kernel_size, stride, padding : int or pair
        As for `MaxPool2d`.

    Examples
    --------
    >>> import dotori
    >>> from dotori.nn import MaxPool2d
    >>> x = dotori.rand(5, 4, 8, 7)
    >>> values, indices = MaxPool2d(2, return_indices=True)(x)
    >>> MaxUnpool2d(2)(values, indices, output_size=x.shape).shape
    (5, 4, 8, 7)
    """

    _axes = 2

    def forward(
        self, x: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        return F.max_unpool2d(
            x, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool3d(_MaxUnpool):
    """Zeros with the values of `MaxPool3d` where they were: see `MaxUnpool2d`.

    Examples
    --------
    >>> import dotori
    >>> from dotori.nn import MaxPool3d
    >>> values, indices = MaxPool3d(2, return_indices=True)(dotori.rand(1, 4, 4, 4))
    >>> MaxUnpool3d(2)(values, indices).shape
    (1, 4, 4, 4)
    """

    _axes = 3

    def forward(
        self, x: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        return F.max_unpool3d(
            x, indices, self.kernel_size, self.stride, self.padding, output_size
        )
