"""Layers of pooling over windows: the largest number, the mean, a power mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dotori.nn import functional as F
from dotori.nn.functional.sizes import Sizes, each_axis
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
]


class _MaxPool(Module):
    """What max pooling over one, two or three axes shares."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def _arguments(self) -> dict[str, Any]:
        return {
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "ceil_mode": self.ceil_mode,
            "return_indices": self.return_indices,
        }

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest number of each window of a line: see `max_pool2d`.

    Examples
    --------
    >>> import dotori
    >>> MaxPool1d(3, stride=2)(dotori.zeros(5, 4, 9)).shape
    (5, 4, 4)
    """

    def forward(self, x: Tensor) -> Any:
        return F.max_pool1d(x, **self._arguments())


class MaxPool2d(_MaxPool):
    """The largest number of each window of a picture.

    Parameters
    ----------
    kernel_size : int or pair
        The size of a window.
    stride : int or pair, optional
        From one window to the next; by default, windows touch.
    padding : int or pair
        How far windows reach beyond the picture, at most half of one.
    dilation : int or pair
        From one element of a window to the next.
    return_indices : bool
        Give also where the numbers are from, which `MaxUnpool2d` wants.
    ceil_mode : bool
        Whether a last window may reach beyond the end.

    Examples
    --------
    >>> import dotori
    >>> MaxPool2d(2)(dotori.zeros(5, 4, 8, 6)).shape
    (5, 4, 4, 3)
    """

    def forward(self, x: Tensor) -> Any:
        return F.max_pool2d(x, **self._arguments())


class MaxPool3d(_MaxPool):
    """The largest number of each window of a volume: see `MaxPool2d`.

    Examples
    --------
    >>> import dotori
    >>> MaxPool3d(2)(dotori.zeros(5, 4, 8, 6, 4)).shape
    (5, 4, 4, 3, 2)
    """

    def forward(self, x: Tensor) -> Any:
        return F.max_pool3d(x, **self._arguments())


class _AvgPool(Module):
    """What the means of windows share."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def _arguments(self) -> dict[str, Any]:
        return {
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "padding": self.padding,
            "ceil_mode": self.ceil_mode,
            "count_include_pad": self.count_include_pad,
        }

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}"
        )


class AvgPool1d(_AvgPool):
    """The mean of each window of a line: see `AvgPool2d`.

    Examples
    --------
    >>> import dotori
    >>> AvgPool1d(3, stride=2)(dotori.zeros(5, 4, 9)).shape
    (5, 4, 4)
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        steps = kernel_size if stride is None else stride
        super().__init__(
            each_axis("AvgPool1d", "kernel_size", kernel_size, 1),
            each_axis("AvgPool1d", "stride", steps, 1),
            each_axis("AvgPool1d", "padding", padding, 1),
            ceil_mode,
            count_include_pad,
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool1d(x, **self._arguments())


class AvgPool2d(_AvgPool):
    """The mean of each window of a picture.

    Parameters
    ----------
    kernel_size : int or pair
        The size of a window.
    stride : int or pair, optional
        From one window to the next; by default, windows touch.
    padding : int or pair
        How many zeros stand around the picture: at most half a window.
    ceil_mode : bool
        Whether a last window may reach beyond the end.
    count_include_pad : bool
        Whether these zeros count among the elements of a window.
    divisor_override : int, optional
        What to divide sums by, instead of the number of elements.

    Examples
    --------
    >>> import dotori
    >>> AvgPool2d(2)(dotori.ones(1, 1, 4, 2)).tolist()
    [[[[1.0], [1.0]]]]
    """

    def forward(self, x: Tensor) -> Tensor:
        divisor = self.divisor_override
        return F.avg_pool2d(x, **self._arguments(), divisor_override=divisor)


class AvgPool3d(_AvgPool):
    """The mean of each window of a volume: see `AvgPool2d`.

    Examples
    --------
    >>> import dotori
    >>> AvgPool3d(2)(dotori.zeros(5, 4, 8, 6, 4)).shape
    (5, 4, 4, 3, 2)
    """

    def forward(self, x: Tensor) -> Tensor:
        divisor = self.divisor_override
        return F.avg_pool3d(x, **self._arguments(), divisor_override=divisor)


class _LPPool(Module):
    """What power means share."""

    def __init__(
        self,
        norm_type: float,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def _arguments(self) -> tuple[float, Sizes, Sizes | None, bool]:
        return self.norm_type, self.kernel_size, self.stride, self.ceil_mode

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """(sum of x^p)^(1/p) of each window of a line: see `lp_pool2d`.

    Examples
    --------
    >>> import dotori
    >>> LPPool1d(2, 2)(dotori.tensor([[3.0, 4.0]])).tolist()
    [[5.0]]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.lp_pool1d(x, *self._arguments())


class LPPool2d(_LPPool):
    """(sum of x^p)^(1/p) of each window of a picture.

    Parameters
    ----------
    norm_type : float
        p: 1 gives sums, infinity the largest absolute value.
    kernel_size : int or pair
    stride : int or pair, optional
        From one window to the next; by default, windows touch.
    ceil_mode : bool
        Whether a last window may reach beyond the end.

    Examples
    --------
    >>> import dotori
    >>> LPPool2d(2, (1, 2))(dotori.tensor([[[3.0, 4.0]]])).tolist()
    [[[5.0]]]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.lp_pool2d(x, *self._arguments())


class LPPool3d(_LPPool):
    """(sum of x^p)^(1/p) of each window of a volume: see `LPPool2d`.

    Examples
    --------
    >>> import dotori
    >>> LPPool3d(2, 2)(dotori.zeros(5, 4, 8, 6, 4)).shape
    (5, 4, 4, 3, 2)
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.lp_pool3d(x, *self._arguments())
