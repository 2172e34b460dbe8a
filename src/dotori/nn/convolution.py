"""Convolutional layers: kernels that slide over sequences, pictures and volumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from numpy.typing import DTypeLike

from dotori.errors import ArgumentError, ShapeError
from dotori.nn import functional as F
from dotori.nn.functional.convolution import paddings
from dotori.nn.functional.sizes import Sizes, each_axis
from dotori.nn.initial import new_parameter
from dotori.nn.module import Module
from dotori.nn.parameter import Parameter

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
]

_MODES = ("zeros", "reflect", "replicate", "circular")


class _Conv(Module):
    """What all convolutions share: kernels, a bias, and how the kernels step."""

    n_axes: ClassVar[int]
    transposed: ClassVar[bool] = False

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes | str,
        dilation: Sizes,
        output_padding: Sizes,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: str | None,
        dtype: DTypeLike | None,
    ) -> None:
        super().__init__()
        self._check_arguments(in_channels, out_channels, groups, padding_mode)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = self._each("kernel_size", kernel_size, 1)
        self.stride = self._each("stride", stride, 1)
        self.dilation = self._each("dilation", dilation, 1)
        self.padding = (
            padding if isinstance(padding, str) else self._each("padding", padding, 0)
        )
        self._paddings()  # which refuses an unknown name
        self.output_padding = self._each("output_padding", output_padding, 0)
        self.groups, self.padding_mode = groups, padding_mode
        ends = (
            (in_channels, out_channels)
            if self.transposed
            else (out_channels, in_channels)
        )
        shape = (ends[0], ends[1] // groups, *self.kernel_size)
        taps = math.prod(shape[1:])
        bound = 1 / math.sqrt(taps) if taps else 0.0
        self.weight = new_parameter(shape, dtype, device, bound)
        self.bias = (
            new_parameter((out_channels,), dtype, device, bound) if bias else None
        )

    def _each(self, what: str, value: Sizes, least: int) -> tuple[int, ...]:
        return each_axis(type(self).__name__, what, value, self.n_axes, least)

    def _check_arguments(self, n_in: int, n_out: int, groups: int, mode: str) -> None:
        name = type(self).__name__
        if groups < 1 or n_in % groups or n_out % groups:
            raise ArgumentError(
                f"{name}: in_channels {n_in} and out_channels {n_out} must both be "
                f"multiples of groups, which is {groups}"
            )
        if mode not in _MODES or (self.transposed and mode != "zeros"):
            known = _MODES[:1] if self.transposed else _MODES
            raise ArgumentError(
                f"{name}: padding_mode must be in {known}, got {mode!r}"
            )

    def _paddings(self) -> tuple[tuple[int, int], ...]:
        """Before and behind each axis."""
        name, steps = type(self).__name__, (self.stride, self.dilation)
        return paddings(name, self.padding, self.kernel_size, *steps)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}"]
        parts += [f"kernel_size={self.kernel_size}, stride={self.stride}"]
        zero, one = (0,) * self.n_axes, (1,) * self.n_axes
        optional = {
            "padding": (self.padding, zero),
            "dilation": (self.dilation, one),
            "output_padding": (self.output_padding, zero),
            "groups": (self.groups, 1),
            "bias": (self.bias is not None, True),
            "padding_mode": (self.padding_mode, "zeros"),
        }
        parts += [
            f"{name}={value}"
            for name, (value, usual) in optional.items()
            if value != usual
        ]
        return ", ".join(parts)


class _Forward(_Conv):
    """Convolutions that gather."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            0,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, x: Tensor) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            widths = [n for pair in reversed(self._paddings()) for n in pair]
            x, padding = F.pad(x, widths, self.padding_mode), "valid"
        convolve = getattr(F, f"conv{self.n_axes}d")
        how = (self.stride, padding, self.dilation, self.groups)
        y: Tensor = convolve(x, self.weight, self.bias, *how)
        return y


class _Transposed(_Conv):
    """Convolutions that spread."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            output_padding,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        more = self.output_padding
        if output_size is not None:
            more = self._output_padding(x, tuple(output_size))
        convolve = getattr(F, f"conv_transpose{self.n_axes}d")
        how = (self.stride, self.padding, more, self.groups, self.dilation)
        y: Tensor = convolve(x, self.weight, self.bias, *how)
        return y

    def _output_padding(self, x: Tensor, wanted: tuple[int, ...]) -> tuple[int, ...]:
        """What must be added behind, that the output has the wanted size."""
        if len(wanted) == x.ndim:
            wanted = wanted[-self.n_axes :]
        sizes, widths = x.shape[-self.n_axes :], [n for n, _ in self._paddings()]
        rows = zip(
            sizes, self.stride, widths, self.dilation, self.kernel_size, strict=True
        )
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in rows]
        most = [n + s - 1 for n, s in zip(least, self.stride, strict=True)]
        if len(wanted) != self.n_axes or not all(
            a <= n <= b for a, n, b in zip(least, wanted, most, strict=True)
        ):
            raise ShapeError(
                f"{type(self).__name__}: output_size must lie between {least} and "
                f"{most} for x of shape {x.shape}, got {wanted}"
            )
        return tuple(n - a for n, a in zip(wanted, least, strict=True))


class Conv1d(_Forward):
    """Kernels that slide over sequences: x (N, C, L) -> (N, K, L_out).

    The formula is that of `functional.conv1d`. Weights and bias start evenly spread
    between -1/sqrt(C / groups * kernel) and its opposite, as in PyTorch.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, dilation : int
    padding : int, "same" or "valid"
    groups : int
    bias : bool
    padding_mode : {"zeros", "reflect", "replicate", "circular"}

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, kernel_size)
    bias : Parameter, shape (out_channels,), or None

    Examples
    --------
    >>> import dotori
    >>> Conv1d(3, 8, 5, padding="same")(dotori.zeros(2, 3, 40)).shape
    (2, 8, 40)
    """

    n_axes = 1


class Conv2d(_Forward):
    """Kernels that slide over pictures: x (N, C, H, W) -> (N, K, H_out, W_out).

    The formula is that of `functional.conv2d`; sizes of one axis may be given for both.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, dilation : int or pair of int
    padding : int, pair of int, "same" or "valid"
    groups : int
        ``groups=in_channels`` is a depthwise convolution.
    bias : bool
    padding_mode : {"zeros", "reflect", "replicate", "circular"}

    Attributes
    ----------
    weight : Parameter, shape ``(out_channels, in_channels / groups, *kernel_size)``
    bias : Parameter, shape (out_channels,), or None

    Examples
    --------
    >>> import dotori
    >>> layer = Conv2d(3, 16, 3, stride=2, padding=1)
    >>> layer
    Conv2d(3, 16, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
    >>> layer(dotori.zeros(8, 3, 32, 32)).shape
    (8, 16, 16, 16)
    """

    n_axes = 2


class Conv3d(_Forward):
    """Kernels that slide over volumes: x (N, C, D, H, W) -> (N, K, D, H, W).

    Parameters are those of `Conv2d`, for three axes.

    Examples
    --------
    >>> import dotori
    >>> Conv3d(1, 4, 3)(dotori.zeros(2, 1, 8, 8, 8)).shape
    (2, 4, 6, 6, 6)
    """

    n_axes = 3


class ConvTranspose1d(_Transposed):
    """The shape of a `Conv1d` undone: x (N, C, L) -> (N, K, L_out).

    The formula is that of `functional.conv_transpose1d`.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, dilation : int
    padding : int
        Places that are cut off at both ends.
    output_padding : int
        Places that are added behind. ``forward(x, output_size)`` finds it by itself.
    groups : int
    bias : bool

    Attributes
    ----------
    weight : Parameter, shape (in_channels, out_channels / groups, kernel_size)
    bias : Parameter, shape (out_channels,), or None

    Examples
    --------
    >>> import dotori
    >>> ConvTranspose1d(8, 3, 4, stride=2, padding=1)(dotori.zeros(2, 8, 20)).shape
    (2, 3, 40)
    """

    n_axes = 1


class ConvTranspose2d(_Transposed):
    """The shape of a `Conv2d` undone: x (N, C, H, W) -> (N, K, H_out, W_out).

    Parameters are those of `ConvTranspose1d`, an int or a pair for each.

    Examples
    --------
    >>> import dotori
    >>> layer = ConvTranspose2d(8, 3, 3, stride=2, padding=1)
    >>> layer(dotori.zeros(2, 8, 16, 16), output_size=(32, 32)).shape
    (2, 3, 32, 32)
    """

    n_axes = 2


class ConvTranspose3d(_Transposed):
    """The shape of a `Conv3d` undone: x (N, C, D, H, W) -> (N, K, D, H, W).

    Parameters are those of `ConvTranspose1d`, an int or three for each.

    Examples
    --------
    >>> import dotori
    >>> ConvTranspose3d(2, 1, 2, stride=2)(dotori.zeros(1, 2, 4, 4, 4)).shape
    (1, 1, 8, 8, 8)
    """

    n_axes = 3
