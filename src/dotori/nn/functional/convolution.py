"""Convolutions over one, two and three axes, and transposed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dotori.autograd import apply, as_variable
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.kernels.window import Window
from dotori.nn.functional.linear import at_dtype_of
from dotori.nn.functional.sizes import Sizes, each_axis
from dotori.ops.convolution import (
    Convolution,
    ConvolutionWithBias,
    TransposedConvolution,
)

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
]


def conv1d(
    input: TensorLike,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Slide kernels over a sequence.

    y[n, k, i] = b[k] + sum over (c, r) of x[n, c, i * stride + r * dilation] w[k, c, r]

    Parameters
    ----------
    input : Tensor, shape (N, C, L) or (C, L)
        Integers and floats of another width are cast to the type of `weight`.
    weight : Tensor, shape (K, C / groups, kernel)
    bias : Tensor, shape (K,), optional
    stride : int
        Steps between places where the kernel is laid.
    padding : int, "same" or "valid"
        Zeros at both ends. "same" gives as many places as `input` has, "valid" none.
    dilation : int
        Steps between the places that a kernel covers.
    groups : int
        The channels fall into so many groups, each with kernels of its own.

    Returns
    -------
    Tensor, shape (N, K, L_out)
        L_out = (L + 2 padding - dilation (kernel - 1) - 1) // stride + 1

    Raises
    ------
    ShapeError
        If shapes do not fit together, or the kernel is longer than the padded input.

    Examples
    --------
    >>> import dotori
    >>> edge = dotori.tensor([[[-1.0, 1.0]]])
    >>> conv1d([[[0.0, 0.0, 5.0, 5.0]]], edge).tolist()
    [[[0.0, 5.0, 0.0]]]
    """
    return _convolve(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: TensorLike,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Slide kernels over pictures.

    y[n, k, i, j] = b[k] + sum over (c, r, s) of
    x[n, c, i * stride + r * dilation, j * stride + s * dilation] w[k, c, r, s]

    Parameters
    ----------
    input : Tensor, shape (N, C, H, W) or (C, H, W)
    weight : Tensor, shape (K, C / groups, height, width)
    bias : Tensor, shape (K,), optional
    stride, padding, dilation : int or pair of int
        As in `conv1d`, for both axes or for each.
    groups : int

    Returns
    -------
    Tensor, shape (N, K, H_out, W_out)
        In memory, the channels of a place lie side by side.

    Examples
    --------
    >>> import dotori
    >>> blur = dotori.full((1, 1, 3, 3), 1 / 9)
    >>> conv2d(dotori.ones(1, 1, 5, 5), blur, padding=1).shape
    (1, 1, 5, 5)
    """
    return _convolve(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: TensorLike,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Slide kernels over volumes, or over films: `conv2d` with one more axis.

    Parameters
    ----------
    input : Tensor, shape (N, C, D, H, W) or (C, D, H, W)
    weight : Tensor, shape (K, C / groups, depth, height, width)
    bias : Tensor, shape (K,), optional
    stride, padding, dilation : int or three
    groups : int

    Examples
    --------
    >>> import dotori
    >>> conv3d(dotori.ones(1, 2, 4, 4, 4), dotori.ones(3, 2, 2, 2, 2)).shape
    (1, 3, 3, 3, 3)
    """
    return _convolve(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: TensorLike,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """What `conv1d` gathered, put back: each input place adds its kernel to the output.

    y[n, k, i * stride + r * dilation - padding] += x[n, c, i] w[c, k, r]

    It is the gradient of a convolution for its input, and its inverse in shape only.

    Parameters
    ----------
    input : Tensor, shape (N, C, L) or (C, L)
    weight : Tensor, shape (C, K / groups, kernel)
    bias : Tensor, shape (K,), optional
    stride, dilation : int
    padding : int
        Places that are cut off at both ends.
    output_padding : int
        Places that are added behind: below `stride` or `dilation`.
    groups : int

    Returns
    -------
    Tensor, shape (N, K, L_out)
        L_out = (L - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1

    Examples
    --------
    >>> import dotori
    >>> conv_transpose1d([[[1.0, 2.0]]], dotori.tensor([[[1.0, 10.0]]])).tolist()
    [[[1.0, 12.0, 20.0]]]
    """
    options = stride, padding, output_padding, groups, dilation
    return _convolve_transposed(1, input, weight, bias, *options)


def conv_transpose2d(
    input: TensorLike,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """What `conv2d` gathered, put back: pictures that grow (see `conv_transpose1d`).

    Parameters
    ----------
    input : Tensor, shape (N, C, H, W) or (C, H, W)
    weight : Tensor, shape (C, K / groups, height, width)
    bias : Tensor, shape (K,), optional
    stride, padding, output_padding, dilation : int or pair of int
    groups : int

    Examples
    --------
    >>> import dotori
    >>> x, weight = dotori.ones(1, 3, 4, 4), dotori.ones(3, 2, 2, 2)
    >>> conv_transpose2d(x, weight, stride=2).shape
    (1, 2, 8, 8)
    """
    options = stride, padding, output_padding, groups, dilation
    return _convolve_transposed(2, input, weight, bias, *options)


def conv_transpose3d(
    input: TensorLike,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """What `conv3d` gathered, put back: volumes that grow (see `conv_transpose1d`).

    Parameters
    ----------
    input : Tensor, shape (N, C, D, H, W) or (C, D, H, W)
    weight : Tensor, shape (C, K / groups, depth, height, width)
    bias : Tensor, shape (K,), optional
    stride, padding, output_padding, dilation : int or three
    groups : int

    Examples
    --------
    >>> import dotori
    >>> conv_transpose3d(dotori.ones(1, 1, 2, 2, 2), dotori.ones(1, 1, 2, 2, 2)).shape
    (1, 1, 3, 3, 3)
    """
    options = stride, padding, output_padding, groups, dilation
    return _convolve_transposed(3, input, weight, bias, *options)


def _convolve(
    n_axes: int,
    input: TensorLike,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Sizes | str,
    dilation: Sizes,
    groups: int,
) -> Tensor:
    name = f"conv{n_axes}d"
    x, weight, batched = _operands(name, n_axes, input, weight)
    steps = each_axis(name, "stride", stride, n_axes, 1)
    holes = each_axis(name, "dilation", dilation, n_axes, 1)
    kernel = weight.shape[2:]
    around = paddings(name, padding, kernel, steps, holes)
    window = Window(kernel, steps, around, holes)
    _check_channels(name, x.shape[1], weight, groups)
    _check_bias(name, bias, weight, weight.shape[0])
    _check_fit(name, x, window)
    how: dict[str, Any] = {"window": window, "groups": groups}
    if bias is None:
        y = apply(Convolution, x, weight, **how)
    else:
        y = apply(ConvolutionWithBias, x, weight, bias, **how)
    result: Tensor = y if batched else y.reshape(y.shape[1:])
    return result


def _convolve_transposed(
    n_axes: int,
    input: TensorLike,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Sizes,
    output_padding: Sizes,
    groups: int,
    dilation: Sizes,
) -> Tensor:
    name = f"conv_transpose{n_axes}d"
    x, weight, batched = _operands(name, n_axes, input, weight)
    steps = each_axis(name, "stride", stride, n_axes, 1)
    holes = each_axis(name, "dilation", dilation, n_axes, 1)
    ahead = each_axis(name, "padding", padding, n_axes, 0)
    more = each_axis(name, "output_padding", output_padding, n_axes, 0)
    for extra, step, hole in zip(more, steps, holes, strict=True):
        if extra >= max(step, hole):
            raise ArgumentError(
                f"{name}: output_padding must be less than stride or dilation, got "
                f"output_padding {more}, stride {steps} and dilation {holes}"
            )
    if groups < 1 or x.shape[1] != weight.shape[0] or x.shape[1] % groups:
        raise ShapeError(
            f"{name}: x has shape {x.shape} with {x.shape[1]} channels, the weight of "
            f"shape {weight.shape} wants {weight.shape[0]}, in {groups} groups"
        )
    _check_bias(name, bias, weight, weight.shape[1] * groups)
    # whole steps that output_padding adds are places that no kernel reaches
    rows = zip(ahead, more, steps, strict=True)
    around = tuple((n, n - extra // step * step) for n, extra, step in rows)
    window = Window(weight.shape[2:], steps, around, holes)
    places = zip(x.shape[2:], steps, ahead, window.reach(), more, strict=True)
    size = tuple((n - 1) * s - 2 * p + reach + e for n, s, p, reach, e in places)
    if min(size) < 1:
        raise ShapeError(
            f"{name}: x of shape {x.shape} would give an output of size {size}"
        )
    y: Tensor = apply(
        TransposedConvolution, x, weight, window=window, groups=groups, size=size
    )
    if bias is not None:
        y = y + bias.reshape(-1, *[1] * n_axes)
    return y if batched else y.reshape(y.shape[1:])


def _operands(
    name: str, n_axes: int, input: TensorLike, weight: Tensor
) -> tuple[Tensor, Tensor, bool]:
    """Pictures as a batch, the weight, and whether they were a batch before."""
    weight = as_variable(weight)
    x = at_dtype_of(weight, as_variable(input))
    _check_axes(name, n_axes, x, weight)
    batched = x.ndim == n_axes + 2
    return x if batched else x.reshape(1, *x.shape), weight, batched


def paddings(
    name: str,
    padding: Sizes | str,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> tuple[tuple[int, int], ...]:
    """Zeros before and behind each axis."""
    if not isinstance(padding, str):
        widths = each_axis(name, "padding", padding, len(kernel), 0)
        return tuple((n, n) for n in widths)
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same":
        raise ArgumentError(
            f"{name}: padding must be a number, 'same' or 'valid', got {padding!r}"
        )
    if max(stride) > 1:
        raise ArgumentError(
            f"{name}: padding='same' does not go with a stride of {stride}; give the "
            "padding in numbers"
        )
    totals = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    return tuple((n // 2, n - n // 2) for n in totals)  # an odd one goes behind


def _check_axes(name: str, n_axes: int, x: Tensor, weight: Tensor) -> None:
    if weight.ndim != n_axes + 2:
        raise ShapeError(
            f"{name}: the weight must have {n_axes + 2} axes (channels out and in, and "
            f"the kernel's {n_axes}), got the shape {weight.shape}"
        )
    if x.ndim not in (n_axes + 1, n_axes + 2):
        raise ShapeError(
            f"{name}: x must have the shape (N, C, {n_axes} spatial axes), or the same "
            f"without N, got {x.shape}"
        )


def _check_channels(name: str, channels: int, weight: Tensor, groups: int) -> None:
    if isinstance(groups, bool) or not isinstance(groups, int) or groups < 1:
        raise ArgumentError(f"{name}: groups must be a positive int, got {groups!r}")
    if weight.shape[1] * groups != channels or weight.shape[0] % groups:
        raise ShapeError(
            f"{name}: x has {channels} channels and groups is {groups}, but the weight "
            f"has the shape {weight.shape}: it wants {weight.shape[1] * groups} "
            f"channels, and its {weight.shape[0]} outputs a multiple of groups"
        )


def _check_bias(name: str, bias: Tensor | None, weight: Tensor, n_out: int) -> None:
    if bias is None:
        return
    if bias.shape != (n_out,):
        raise ShapeError(
            f"{name}: the bias must have the shape ({n_out},), got {bias.shape}"
        )
    if bias.dtype != weight.dtype:
        raise DTypeError(
            f"{name}: the bias must have the weight's type {weight.dtype}, got "
            f"{bias.dtype}"
        )


def _check_fit(name: str, x: Tensor, window: Window) -> None:
    size = window.around(x.shape[2:])
    if min(window.kernel) < 1 or any(
        n < reach for n, reach in zip(size, window.reach(), strict=True)
    ):
        raise ShapeError(
            f"{name}: a kernel that spans {window.reach()} does not fit x of shape "
            f"{x.shape}, which is {size} with its padding"
        )
