"""Normalisation: activations brought to mean 0 and variance 1 before the next layer.

What shares a mean and a variance tells the kinds apart: a channel over the whole batch
(batch norm), a channel of one sample (instance norm), a group of channels of one sample
(group norm), or the last axes (layer norm; RMS norm does without the mean). Variances
are those of the numbers at hand, divided by n; running ones are divided by n - 1.

Halves are computed as float32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable, note_change
from dotori.dtypes import float16, float32, get_default_dtype
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.padding import pad
from dotori.nn.functional.linear import at_dtype_of
from dotori.ops.batch_norm import BatchNorm, FixedNorm
from dotori.ops.normalisation import LayerNorm, RmsNorm, Standardize

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "rms_norm",
]


def batch_norm(
    input: TensorLike,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel.

    Ioffe and Szegedy, "Batch normalization", 2015, algorithm 1. While training, mean
    and variance are those of the batch, and the running ones, if given, move towards
    them in place: running <- (1 - momentum) running + momentum new. Otherwise the
    running ones are used.

    Parameters
    ----------
    input : Tensor, shape (batch, channels, ...)
        Other types are cast to the type of `weight`.
    running_mean, running_var, weight, bias : Tensor, shape (channels,), or None

    Raises
    ------
    ShapeError
        If the shapes do not fit, or there is but one value for a channel to train on.

    Examples
    --------
    >>> import dotori
    >>> mean, var = dotori.tensor([1.0]), dotori.tensor([4.0])
    >>> batch_norm([[1.0], [5.0]], mean, var, eps=0).tolist()
    [[0.0], [2.0]]
    >>> batch_norm([[1.0], [5.0]], mean, var, None, None, True, 0.5, 0).tolist()
    [[-1.0], [1.0]]
    >>> mean.tolist(), var.tolist()
    ([2.0], [6.0])
    """
    x, weight, bias, dtype = _prepared(input, weight, bias)
    _check_channels("batch_norm", x, weight, bias, running_mean, running_var)
    if not training:
        y = _by_running("batch_norm", x, running_mean, running_var, weight, bias, eps)
        return _back(y, dtype)
    n = x.array.size // max(x.shape[1], 1)
    if n == 1:
        raise ShapeError(
            "batch_norm: there is one value for each channel to train on, of x of "
            f"shape {x.shape}; a variance needs two: leave out the last batch if it is "
            "smaller (drop_last=True), or call eval()"
        )
    y, mean, var = apply(BatchNorm, x, weight, bias, eps=eps)
    if n:
        _move(running_mean, mean.array, momentum)
        _move(running_var, var.array * (n / (n - 1)), momentum)
    return _back(y, dtype)


def instance_norm(
    input: TensorLike,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel of each sample.

    Ulyanov, Vedaldi and Lempitsky, "Instance normalization", 2016. With
    `use_input_stats`, running statistics, if given, move towards the batch's average;
    without, they are used.

    Parameters
    ----------
    input : Tensor, shape (batch, channels, ...)
    running_mean, running_var, weight, bias : Tensor, shape (channels,), or None

    Raises
    ------
    ShapeError
        If the shapes do not fit, or a channel of a sample has but one value.

    Examples
    --------
    >>> instance_norm([[[1.0, 3.0], [10.0, 30.0]]], eps=0).tolist()
    [[[-1.0, 1.0], [-1.0, 1.0]]]
    """
    x, weight, bias, dtype = _prepared(input, weight, bias)
    _check_channels("instance_norm", x, weight, bias, running_mean, running_var)
    if not use_input_stats:
        y = _by_running(
            "instance_norm", x, running_mean, running_var, weight, bias, eps
        )
        return _back(y, dtype)
    n = math.prod(x.shape[2:])
    if n == 1:
        raise ShapeError(
            f"instance_norm: each channel of x of shape {x.shape} has one value; a "
            "variance needs two"
        )
    y, mean, var = apply(Standardize, x, axes=tuple(range(2, x.ndim)), eps=eps)
    if x.array.size:
        _move(running_mean, _over_batch(mean), momentum)
        _move(running_var, _over_batch(var) * (n / (n - 1)), momentum)
    return _back(_per_channel(y, weight, bias), dtype)


def group_norm(
    input: TensorLike,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias for groups of channels of a sample.

    Wu and He, "Group normalization", 2018, equations 1 to 7.

    Parameters
    ----------
    input : Tensor, shape (batch, channels, ...)
    num_groups : int
        Divides the number of channels.
    weight, bias : Tensor, shape (channels,), or None

    Raises
    ------
    ShapeError
        If the shapes do not fit, or `num_groups` does not divide the channels.

    Examples
    --------
    >>> group_norm([[1.0, 3.0, 10.0, 30.0]], 2, eps=0).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """
    x, weight, bias, dtype = _prepared(input, weight, bias)
    _check_channels("group_norm", x, weight, bias)
    n_batch, n_channels, *rest = x.shape
    if num_groups < 1 or n_channels % num_groups:
        raise ShapeError(
            f"group_norm: x of shape {x.shape} has {n_channels} channels, which cannot "
            f"be cut into {num_groups} groups"
        )
    if n_batch * n_channels // num_groups * math.prod(rest) == 1:
        raise ShapeError(
            f"group_norm: a group of x of shape {x.shape} has one value; a variance "
            "needs two"
        )
    parts = x.reshape(n_batch, num_groups, n_channels // num_groups, *rest)
    y, _, _ = apply(Standardize, parts, axes=tuple(range(2, parts.ndim)), eps=eps)
    return _back(_per_channel(y.reshape(*x.shape), weight, bias), dtype)


def layer_norm(
    input: TensorLike,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias over the last axes.

    Ba, Kiros and Hinton, "Layer normalization", 2016.

    Parameters
    ----------
    input : Tensor, shape ``(..., *normalized_shape)``
    normalized_shape : int or sequence of int
    weight, bias : Tensor, shape normalized_shape, or None

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    Examples
    --------
    >>> layer_norm([[1.0, 3.0], [10.0, 30.0]], [2], eps=0).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """
    x, weight, bias, dtype = _prepared(input, weight, bias)
    n_axes = _check_last_axes("layer_norm", x, normalized_shape, weight, bias)
    y: Tensor = apply(LayerNorm, x, weight, bias, n_axes=n_axes, eps=eps)
    return _back(y, dtype)


def rms_norm(
    input: TensorLike,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """x / sqrt(mean of x^2 + eps) * weight over the last axes.

    Zhang and Sennrich, "Root mean square layer normalization", 2019.

    Parameters
    ----------
    input : Tensor, shape ``(..., *normalized_shape)``
    normalized_shape : int or sequence of int
    weight : Tensor, shape normalized_shape, or None
    eps : float, optional
        By default the distance from 1 to the next number of the type.

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    Examples
    --------
    >>> rms_norm([[1.0, 7.0]], [2], eps=0).tolist()
    [[0.20000000298023224, 1.399999976158142]]
    """
    x, weight, _, dtype = _prepared(input, weight, None)
    n_axes = _check_last_axes("rms_norm", x, normalized_shape, weight)
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    y: Tensor = apply(RmsNorm, x, weight, n_axes=n_axes, eps=eps)
    return _back(y, dtype)


def local_response_norm(
    input: TensorLike,
    size: int,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
) -> Tensor:
    """x / (k + alpha * (mean of x^2 over `size` channels around each))^beta.

    Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional
    neural networks", 2012, section 3.3. Channels beyond the first and last are 0.

    Parameters
    ----------
    input : Tensor, shape (batch, channels, ...), of 3 axes or more
    size : int

    Examples
    --------
    >>> local_response_norm([[[3.0], [4.0]]], 2, alpha=2, beta=0.5, k=0).tolist()
    [[[1.0], [0.800000011920929]]]
    """
    x = as_variable(input)
    if x.ndim < 3:
        raise ShapeError(
            f"local_response_norm: x has shape {x.shape}; it must have three axes or "
            "more, (batch, channels, ...)"
        )
    if size < 1:
        raise ArgumentError(f"local_response_norm: size must be positive, got {size}")
    if not x.array.size:
        return x
    return across_channels(x, size // 2, (size - 1) // 2, alpha / size, beta, k)


def across_channels(
    x: Tensor, before: int, after: int, alpha: float, beta: float, k: float
) -> Tensor:
    """x / (k + alpha * sum of x^2 from `before` to `after` a channel)^beta."""
    n_channels = x.shape[1]
    squares = pad(x * x, (*(0,) * (2 * (x.ndim - 2)), before, after))
    total: Tensor = squares[:, :n_channels]
    for i in range(1, before + after + 1):
        total = total + squares[:, i : i + n_channels]
    return x / (total * alpha + k) ** beta


# ------------------------------------------------------------------- what they share


def _prepared(
    input: TensorLike, weight: Tensor | None, bias: Tensor | None
) -> tuple[Tensor, Tensor | None, Tensor | None, np.dtype[Any]]:
    """Input and parameters in one type of 32 bits or more, and that of the result."""
    x = as_variable(input)
    given = weight if weight is not None else bias
    if given is not None and not (x.dtype == float16 and given.dtype == float32):
        x = at_dtype_of(given, x)
    elif x.dtype.kind in "bui":
        x = x.to(get_default_dtype())
    dtype = x.dtype
    wide = float32 if dtype == float16 else dtype
    weight, bias = (None if t is None else _back(t, wide) for t in (weight, bias))
    return _back(x, wide), weight, bias, dtype


def _back(x: Tensor, dtype: np.dtype[Any]) -> Tensor:
    return x if x.dtype == dtype else x.to(dtype)


def _check_channels(place: str, x: Tensor, *given: Tensor | None) -> None:
    if x.ndim < 2:
        raise ShapeError(
            f"{place}: x has shape {x.shape}; it must be (batch, channels, ...)"
        )
    for t in given:
        if t is not None and t.shape != x.shape[1:2]:
            raise ShapeError(
                f"{place}: x of shape {x.shape} has {x.shape[1]} channels, but a "
                f"weight, bias or running statistic has shape {t.shape}"
            )


def _check_last_axes(
    place: str, x: Tensor, normalized_shape: int | Sequence[int], *given: Tensor | None
) -> int:
    """How many axes `normalized_shape` names."""
    if hasattr(normalized_shape, "__index__"):
        shape: tuple[int, ...] = (int(normalized_shape),)
    else:
        shape = tuple(normalized_shape)
    if not shape or x.shape[-len(shape) :] != shape:
        raise ShapeError(
            f"{place}: x has shape {x.shape}, but its last axes must be "
            f"normalized_shape, {shape}, of one axis at least"
        )
    for t in given:
        if t is not None and t.shape != shape:
            raise ShapeError(
                f"{place}: weight and bias must have the shape {shape} of "
                f"normalized_shape, got {t.shape}"
            )
    return len(shape)


def _by_running(
    place: str,
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Tensor:
    """With copies of the running statistics, as the next training step changes them."""
    if running_mean is None or running_var is None:
        raise ArgumentError(
            f"{place}: without the statistics of the input, running_mean and "
            "running_var are needed"
        )
    mean, var = (t.array.astype(x.dtype) for t in (running_mean, running_var))
    y: Tensor = apply(FixedNorm, x, weight, bias, mean=mean, var=var, eps=eps)
    return y


def _over_batch(statistic: Tensor) -> Any:
    """The average over the samples of one number for each sample and channel."""
    array = statistic.array
    return array.reshape(array.shape[:2]).mean(axis=0)


def _per_channel(y: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """y * weight + bias, of one number for each channel."""
    shape = (-1, *(1,) * (y.ndim - 2))
    y = y if weight is None else y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


def _move(running: Tensor | None, new: Any, momentum: float) -> None:
    """running <- (1 - momentum) running + momentum new, in place."""
    if running is not None:
        array = running.array
        array[...] = (1 - momentum) * array + momentum * new
        note_change(array, "the running statistics")
