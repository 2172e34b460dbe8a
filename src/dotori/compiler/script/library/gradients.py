"""Losses, gradients of layers, and what else a training step needs."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from dotori.compiler.script.library.activations import log_softmax
from dotori.compiler.script.library.layers import batch_norm

Array: TypeAlias = Any  # for people; a checker would want a variable for each result


def mean_squared_error(y: Array, target: Array) -> Array:
    """mean (y - target)^2; its slope is 2 (y - target) / n."""
    return np.mean((y - target) ** 2)


def cross_entropy(x: Array, target: Array) -> Array:
    """mean of -log softmax(x)[target]; its slope is (softmax(x) - one_hot) / n."""
    return -log_softmax(x)[np.arange(len(x)), target].mean()


def one_hot(target: Array, classes: int) -> Array:
    """A row for each target, 1 at its class."""
    return np.arange(classes) == target[:, None]


def binary_cross_entropy(x: Array, target: Array) -> Array:
    """-t log p - (1 - t) log(1 - p) with p = sigmoid(x); its slope is p - t."""
    return np.logaddexp(0, x) - x * target


def conv2d_gradients(
    dy: Array, x: Array, weight: Array, stride: int = 1, padding: int = 0
) -> tuple[Array, Array]:
    """The gradients of conv2d for x and weight.

    Each output is a product with a window: the window's gradient is dy times the
    kernel, and the kernel's is dy times the window, summed over all windows.
    """
    border = (padding, padding)
    x = np.pad(x, [(0, 0), (0, 0), border, border])
    dx = np.zeros_like(x)
    windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    dweight = np.tensordot(dy, windows, axes=((0, 2, 3), (0, 2, 3)))
    spans = stride * np.array(dy.shape[2:])
    for i, j in np.ndindex(weight.shape[2:]):
        back = np.tensordot(dy, weight[:, :, i, j], axes=(1, 0)).transpose(0, 3, 1, 2)
        dx[:, :, i : i + spans[0] : stride, j : j + spans[1] : stride] += back
    inside = slice(padding, -padding or None)
    return dx[:, :, inside, inside], dweight


def max_pool2d_gradient(dy: Array, x: Array, y: Array, size: int, stride: int) -> Array:
    """The gradient of max_pool2d: each goes to the first largest of its window."""
    dx, taken = np.zeros_like(x), np.zeros(y.shape, bool)
    spans = stride * np.array(y.shape[2:])
    for i, j in np.ndindex(size, size):
        part = np.s_[:, :, i : i + spans[0] : stride, j : j + spans[1] : stride]
        winner = (x[part] == y) & ~taken
        dx[part] += dy * winner
        taken |= winner
    return dx


def batch_norm_of_batch(
    x: Array, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """Batch norm with the mean and variance of this batch, which are given as well."""
    axes = (0, *range(2, x.ndim))
    mean, var = x.mean(axis=axes), x.var(axis=axes)
    return batch_norm(x, mean, var, weight, bias, eps), mean, var


def batch_norm_gradients(
    dy: Array, x: Array, weight: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """The gradients of batch_norm_of_batch for x, weight and bias.

    The mean and variance depend on x as well: with z = (x - mean) / s and g the
    gradient for z, dx = (g - mean(g) - z mean(g z)) / s.
    """
    axes = (0, *range(2, x.ndim))
    s = np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    z = (x - x.mean(axis=axes, keepdims=True)) / s
    g = dy if weight is None else dy * weight.reshape(-1, *[1] * (x.ndim - 2))
    mean, slope = (v.mean(axis=axes, keepdims=True) for v in (g, g * z))
    return (g - mean - z * slope) / s, (dy * z).sum(axis=axes), dy.sum(axis=axes)


def layer_norm_gradients(
    dy: Array, x: Array, axes: tuple[int, ...], weight: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """The gradients of layer_norm for x, weight and bias: see batch_norm_gradients."""
    s = np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    z = (x - x.mean(axis=axes, keepdims=True)) / s
    g = dy if weight is None else dy * weight
    mean, slope = (v.mean(axis=axes, keepdims=True) for v in (g, g * z))
    rows = tuple(range(x.ndim - len(axes)))
    return (g - mean - z * slope) / s, (dy * z).sum(axis=rows), dy.sum(axis=rows)


def window_sum2d(x: Array, size: int, stride: int) -> Array:
    """The sum of each window of size x size."""
    windows = sliding_window_view(x, (size, size), axis=(-2, -1))
    return windows[..., ::stride, ::stride, :, :].sum(axis=(-2, -1))


def spread_sum2d(dy: Array, shape: tuple[int, ...], size: int, stride: int) -> Array:
    """The gradient of window_sum2d: to each place, that of all windows over it."""
    dx = np.zeros(shape, dy.dtype)
    spans = stride * np.array(dy.shape[2:])
    for i, j in np.ndindex(size, size):
        dx[:, :, i : i + spans[0] : stride, j : j + spans[1] : stride] += dy
    return dx


def embedding_gradient(dy: Array, index: Array, weight: Array) -> Array:
    """The gradient of embedding: each row's goes to the row that it was taken from."""
    dweight = np.zeros_like(weight)
    np.add.at(dweight, index, dy)
    return dweight


def with_part(x: Array, index: tuple[Any, ...], part: Array) -> Array:
    """A copy of x in which `part` stands at an index."""
    y = x.copy()
    y[index] = part
    return y
