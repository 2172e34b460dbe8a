"""Losses, gradients of layers, and what else a training step needs."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from dotori.compiler.script.library.activations import log_softmax

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


def with_part(x: Array, index: tuple[Any, ...], part: Array) -> Array:
    """A copy of x in which `part` stands at an index."""
    y = x.copy()
    y[index] = part
    return y
