"""Layers without memory: affine maps, convolutions, pooling, normalisation."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Array: TypeAlias = Any  # for people; a checker would want a variable for each result


# Layers


def linear(x: Array, weight: Array, bias: Array | float = 0) -> Array:
    """x W^T + b: each row of `weight` is one output."""
    return x @ weight.T + bias


def embedding(index: Array, weight: Array) -> Array:
    """Row `index` of the table, for each index."""
    return weight[index.astype(int)]


def bilinear(a: Array, b: Array, weight: Array, bias: Array | float = 0) -> Array:
    """y_k = a^T W_k b + b_k."""
    return np.einsum("...i,kij,...j->...k", a, weight, b, optimize=True) + bias


def conv1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: int = 1,
    padding: int = 0,
) -> Array:
    """y[n, o, t] = b[o] + sum over c, i of x[n, c, stride t + i] weight[o, c, i]."""
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding)])
    windows = sliding_window_view(x, weight.shape[2], axis=2)[:, :, ::stride]
    y = np.tensordot(windows, weight, axes=((1, 3), (1, 2)))  # (n, t, o)
    y = y.transpose(0, 2, 1)
    return y if bias is None else y + bias[:, None]


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: int = 1,
    padding: int = 0,
) -> Array:
    """Slide each kernel over the picture; with i, j running over the kernel,

    y[n, o, h, w] = b[o] + sum over c, i, j of
                    x[n, c, stride h + i, stride w + j] weight[o, c, i, j].
    """
    border = (padding, padding)
    x = np.pad(x, [(0, 0), (0, 0), border, border])
    windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # (n, c, h, w, i, j)
    y = np.tensordot(windows, weight, axes=((1, 4, 5), (1, 2, 3)))  # (n, h, w, o)
    y = y.transpose(0, 3, 1, 2)
    return y if bias is None else y + bias[:, None, None]


def convolution(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
    groups: int,
) -> Array:
    """Slide each kernel over x of shape (n, channels, *places).

    `dilation` is the distance between the numbers that a kernel sees, `padding` the
    zeros before and behind each axis. Each of the groups of outputs sees its own
    channels only.
    """
    places = len(stride)
    x = np.pad(x, [(0, 0), (0, 0), *padding])
    windows = spread_windows(x, weight.shape[2:], stride, dilation)
    inner = range(2 + places, 2 + 2 * places)
    outputs = [
        np.tensordot(seen, kernel, axes=((1, *inner), range(1, 2 + places)))
        for seen, kernel in zip(
            np.split(windows, groups, axis=1), np.split(weight, groups), strict=True
        )
    ]
    y = np.moveaxis(np.concatenate(outputs, axis=-1), -1, 1)
    return y if bias is None else y + bias.reshape(-1, *[1] * places)


def spread_windows(
    x: Array, size: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> Array:
    """All windows of the last axes: shape (n, channels, *places, *size)."""
    axes = tuple(range(2, 2 + len(size)))
    reach = [d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True)]
    windows = sliding_window_view(x, reach, axis=axes)
    steps = [slice(None, None, step) for step in (*stride, *dilation)]
    return windows[(slice(None), slice(None), *steps)]


def transposed_convolution(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    output_padding: tuple[int, ...],
    dilation: tuple[int, ...],
    groups: int,
) -> Array:
    """Each number of x adds a kernel, times itself, to the output around its place."""
    sizes = weight.shape[2:]
    reach = [d * (k - 1) + 1 for k, d in zip(sizes, dilation, strict=True)]
    whole = [
        s * (n - 1) + r + more
        for n, s, r, more in zip(
            x.shape[2:], stride, reach, output_padding, strict=True
        )
    ]
    y = np.zeros((len(x), groups * weight.shape[1], *whole), x.dtype)
    for place in np.ndindex(sizes):
        added = np.concatenate(
            [
                np.einsum("nc...,co->no...", part, kernel)
                for part, kernel in zip(
                    np.split(x, groups, axis=1),
                    np.split(weight[(..., *place)], groups),
                    strict=True,
                )
            ],
            axis=1,
        )
        at = [
            slice(i * d, i * d + s * (n - 1) + 1, s)
            for i, d, s, n in zip(place, dilation, stride, x.shape[2:], strict=True)
        ]
        y[(slice(None), slice(None), *at)] += added
    inside = [slice(p, n - p) for p, n in zip(padding, whole, strict=True)]
    y = y[(slice(None), slice(None), *inside)]
    return y if bias is None else y + bias.reshape(-1, *[1] * len(sizes))


# Pooling


def max_pool1d(x: Array, size: int, stride: int) -> Array:
    """The largest number of each window."""
    return sliding_window_view(x, size, axis=-1)[..., ::stride, :].max(axis=-1)


def avg_pool1d(x: Array, size: int, stride: int) -> Array:
    """The mean of each window."""
    return sliding_window_view(x, size, axis=-1)[..., ::stride, :].mean(axis=-1)


def max_pool2d(x: Array, size: int, stride: int) -> Array:
    """The largest number of each window of size x size."""
    windows = sliding_window_view(x, (size, size), axis=(-2, -1))
    return windows[..., ::stride, ::stride, :, :].max(axis=(-2, -1))


def avg_pool2d(x: Array, size: int, stride: int) -> Array:
    """The mean of each window of size x size."""
    windows = sliding_window_view(x, (size, size), axis=(-2, -1))
    return windows[..., ::stride, ::stride, :, :].mean(axis=(-2, -1))


def max_pool(
    x: Array,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
) -> Array:
    """The largest number of each window; beyond the border lies -infinity."""
    x = np.pad(x, [(0, 0), (0, 0), *padding], constant_values=-np.inf)
    windows = spread_windows(x, size, stride, dilation)
    return windows.max(axis=tuple(range(-len(size), 0)))


def avg_pool(
    x: Array,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
) -> Array:
    """The mean of each window, the zeros beyond the border included."""
    x = np.pad(x, [(0, 0), (0, 0), *padding])
    windows = spread_windows(x, size, stride, (1,) * len(size))
    return windows.mean(axis=tuple(range(-len(size), 0)))


def adaptive_pool(x: Array, size: tuple[int, ...], reduce: Any) -> Array:
    """`reduce` (np.mean or np.max) over `size` windows that cover each last axis.

    Along an axis of n places, window i of m goes from floor(i n / m) to
    ceil((i + 1) n / m).
    """
    for axis, m in enumerate(size, start=x.ndim - len(size)):
        n = x.shape[axis]
        parts = [
            reduce(x.take(range(i * n // m, -((i + 1) * -n // m)), axis), axis=axis)
            for i in range(m)
        ]
        x = np.stack(parts, axis=axis)
    return x


# Normalisation


def batch_norm(
    x: Array,
    running_mean: Array,
    running_var: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel, axis 1.

    Mean and variance are those that the training has found.
    """
    channels = (-1, *[1] * (x.ndim - 2))
    mean, var = running_mean.reshape(channels), running_var.reshape(channels)
    y = (x - mean) / np.sqrt(var + eps)
    if weight is not None:
        y = y * weight.reshape(channels)
    return y if bias is None else y + bias.reshape(channels)


def layer_norm(
    x: Array,
    axes: tuple[int, ...],
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """(x - mean) / sqrt(var + eps) * weight + bias, statistics over `axes`."""
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    y = (x - mean) / np.sqrt(var + eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


def rms_norm(
    x: Array, axes: tuple[int, ...], weight: Array | None, eps: float
) -> Array:
    """x / sqrt(mean(x^2) + eps) * weight, the mean over `axes`."""
    y = x / np.sqrt(np.square(x).mean(axis=axes, keepdims=True) + eps)
    return y if weight is None else y * weight


def group_norm(
    x: Array,
    groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """Mean 0 and variance 1 within each group of channels; then weight and bias."""
    parts = x.reshape(len(x), groups, -1)
    mean, var = parts.mean(axis=2, keepdims=True), parts.var(axis=2, keepdims=True)
    y = ((parts - mean) / np.sqrt(var + eps)).reshape(x.shape)
    channels = (-1, *[1] * (x.ndim - 2))
    if weight is not None:
        y = y * weight.reshape(channels)
    return y if bias is None else y + bias.reshape(channels)
