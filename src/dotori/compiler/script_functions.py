"""The functions of a stand-alone script, in plain NumPy, as a textbook has them.

`dotori.compiler.script` copies the source of those that a script needs into it, without
the types. So they use NumPy and each other, nothing else, and are written to be read;
`dotori.nn.functional` has the fast ones. float32 stays float32 in all of them.
"""

from __future__ import annotations

import math
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


# Activations


def relu(x: Array) -> Array:
    """max(x, 0)."""
    return np.maximum(x, 0)


def leaky_relu(x: Array, slope: float = 0.01) -> Array:
    """x where it is positive, else slope x."""
    return np.where(x > 0, x, slope * x)


def prelu(x: Array, weight: Array) -> Array:
    """x where it is positive, else weight x; one weight for all or for each channel."""
    slope = weight.reshape(-1, *[1] * (x.ndim - 2)) if x.ndim > 1 else weight
    return np.where(x > 0, x, slope * x)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """x where it is positive, else alpha (e^x - 1)."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def celu(x: Array, alpha: float = 1.0) -> Array:
    """x where it is positive, else alpha (e^(x / alpha) - 1)."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))


def selu(x: Array) -> Array:
    """An ELU with constants that keep mean 0 and variance 1 from layer to layer."""
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def erf(x: Array) -> Array:
    """2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
    return np.vectorize(math.erf, otypes=[float])(x).astype(x.dtype)


def gelu(x: Array) -> Array:
    """x times the probability that a standard normal number is below x."""
    return x * (0.5 * (1 + erf(x / math.sqrt(2))))


def gelu_tanh(x: Array) -> Array:
    """The GELU, with a tanh in the place of the normal distribution."""
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return 0.5 * x * (1 + np.tanh(inner))


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x), written such that e^-x cannot overflow."""
    return np.exp(-np.logaddexp(0, -x))


def log_sigmoid(x: Array) -> Array:
    """log(1 / (1 + e^-x))."""
    return -np.logaddexp(0, -x)


def silu(x: Array) -> Array:
    """x / (1 + e^-x)."""
    return x * sigmoid(x)


def softplus(x: Array, beta: float = 1.0) -> Array:
    """log(1 + e^(beta x)) / beta."""
    return np.logaddexp(0, beta * x) / beta


def mish(x: Array) -> Array:
    """x tanh(log(1 + e^x))."""
    return x * np.tanh(softplus(x))


def softsign(x: Array) -> Array:
    """x / (1 + |x|)."""
    return x / (1 + np.abs(x))


def hardtanh(x: Array, low: float = -1.0, high: float = 1.0) -> Array:
    """x, but at least `low` and at most `high`."""
    return np.clip(x, low, high)


def hardsigmoid(x: Array) -> Array:
    """x / 6 + 1/2, but at least 0 and at most 1."""
    return np.clip(x / 6 + 0.5, 0, 1)


def hardswish(x: Array) -> Array:
    """x times hardsigmoid(x)."""
    return x * np.clip(x + 3, 0, 6) / 6


def tanhshrink(x: Array) -> Array:
    """x - tanh(x)."""
    return x - np.tanh(x)


def softshrink(x: Array, size: float = 0.5) -> Array:
    """x, moved by `size` towards 0."""
    return np.sign(x) * np.maximum(np.abs(x) - size, 0)


def hardshrink(x: Array, size: float = 0.5) -> Array:
    """x, but 0 where |x| is at most `size`."""
    return np.where(np.abs(x) > size, x, 0)


def threshold(x: Array, limit: float, value: float) -> Array:
    """x where it is above the limit, else `value`."""
    return np.where(x > limit, x, value)


def glu(x: Array, axis: int = -1) -> Array:
    """a sigmoid(b), where a and b are the halves of x."""
    a, b = np.split(x, 2, axis=axis)
    return a * sigmoid(b)


def softmax(x: Array, axis: int = -1) -> Array:
    """e^x_i / sum_j e^x_j; less the maximum first, so that nothing overflows."""
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """log(softmax(x)), without taking the logarithm of a number near 0."""
    x = x - x.max(axis=axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def with_part(x: Array, index: tuple[Any, ...], part: Array) -> Array:
    """A copy of x in which `part` stands at an index."""
    y = x.copy()
    y[index] = part
    return y


# Losses, and gradients of layers


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
