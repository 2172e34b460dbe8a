"""Activations, elementwise or along an axis."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any  # for people; a checker would want a variable for each result


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


def normal_cdf(x: Array) -> Array:
    """The probability that a standard normal number is below x."""
    return 0.5 * (1 + erf(x / math.sqrt(2)))


def normal_density(x: Array) -> Array:
    """e^(-x^2 / 2) / sqrt(2 pi), the slope of normal_cdf."""
    return np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


def gelu(x: Array) -> Array:
    """x times the probability that a standard normal number is below x."""
    return x * normal_cdf(x)


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
