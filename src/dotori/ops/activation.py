"""Activations whose value and gradient are worth writing as one operation.

The others are compositions of these; see `dotori.nn.functional.activation`. A rule that
works from the output keeps the output alone, so that the input can be freed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.ops._op import Op, Sample
from dotori.ops.elementwise import Unary

#: Arrays with more elements are worth kernels on several threads.
LARGE = 1 << 17


class Relu(Unary):
    """y = max(x, 0); dy/dx = 1 where y > 0 (Nair and Hinton, 2010). NaN stays NaN."""

    real = True
    saves = ("y",)
    torch = "relu"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        if xp is np and x.size > LARGE:
            from dotori.kernels import activation as kernel

            if kernel.alike(x):
                return kernel.relu(x)
        return xp.maximum(x, 0)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        if xp is np and y.size > LARGE:
            from dotori.kernels import activation as kernel

            if kernel.alike(dy, y):
                return kernel.relu_back(dy, y)
        return dy * (y > 0)


class LeakyRelu(Op):
    """y = x where x > 0, else negative_slope x (Maas, Hannun and Ng, 2013)."""

    real = True
    saves = ("x",)
    floats = True
    torch = "nn.functional.leaky_relu"

    @staticmethod
    def forward(xp: Any, x: Any, *, negative_slope: float) -> Any:
        return xp.where(x > 0, x, x * negative_slope)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, *, negative_slope: float) -> Any:
        return xp.where(x > 0, dy, dy * negative_slope)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((3, 4)),), {"negative_slope": 0.1})


class Elu(Op):
    """y = scale x where x > 0, else scale alpha (e^(x input_scale) - 1).

    Clevert, Unterthiner and Hochreiter, 2016; with its two scales it is SELU (Klambauer
    and others, 2017) and CELU (Barron, 2017) as well.
    """

    real = True
    saves = ("x",)
    floats = True

    @staticmethod
    def forward(
        xp: Any, x: Any, *, alpha: float, scale: float, input_scale: float
    ) -> Any:
        below = xp.expm1(xp.minimum(x, 0) * input_scale)
        return xp.where(x > 0, x, below * alpha) * scale

    @staticmethod
    def backward(
        xp: Any, dy: Any, x: Any, *, alpha: float, scale: float, input_scale: float
    ) -> Any:
        below = xp.exp(xp.where(x > 0, 0.0, x) * input_scale)
        slope = xp.where(x > 0, 1.0, below * (alpha * input_scale))
        return dy * slope * scale

    @staticmethod
    def torch(x: Any, alpha: float, scale: float, input_scale: float) -> Any:
        below = (x.clamp(max=0) * input_scale).expm1() * alpha
        return scale * x.where(x > 0, below)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.standard_normal((3, 4))
        yield Sample((x,), {"alpha": 1.0, "scale": 1.0, "input_scale": 1.0})
        yield Sample((x,), {"alpha": 1.5, "scale": 1.1, "input_scale": 0.7})


class Hardtanh(Op):
    """y = x held between min_val and max_val; no gradient at and beyond the bounds."""

    real = True
    saves = ("x",)
    torch = "nn.functional.hardtanh"

    @staticmethod
    def forward(xp: Any, x: Any, *, min_val: float, max_val: float) -> Any:
        kept = xp.minimum(xp.maximum(x, min_val), max_val)
        return kept.astype(x.dtype, copy=False)  # integers stay integers

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, *, min_val: float, max_val: float) -> Any:
        return dy * ((x > min_val) & (x < max_val))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((3, 4)),), {"min_val": -0.6, "max_val": 0.7})


class Softplus(Op):
    """y = log(1 + e^(beta x)) / beta, and x itself where beta x > threshold.

    Written as max(z, 0) + log1p(e^-|z|), which cannot overflow. The slope is
    sigmoid(beta x) = 1 - e^(-beta y), exact also where it is tiny.
    """

    real = True
    saves = ("x", "y")
    floats = True
    torch = "nn.functional.softplus"

    @staticmethod
    def forward(xp: Any, x: Any, *, beta: float, threshold: float) -> Any:
        z = x if beta == 1 else x * beta
        y = xp.maximum(z, 0) + xp.log1p(xp.exp(-abs(z)))
        if beta != 1:
            y = y / beta
        return y if threshold == math.inf else xp.where(z > threshold, x, y)

    @staticmethod
    def backward(
        xp: Any, dy: Any, x: Any, y: Any, *, beta: float, threshold: float
    ) -> Any:
        dx = dy * -xp.expm1(y * -beta)
        return dx if threshold == math.inf else xp.where(x * beta > threshold, dy, dx)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x = rng.uniform(-3, 3, (3, 4))
        yield Sample((x,), {"beta": 1.0, "threshold": 20.0})
        yield Sample((x,), {"beta": 2.0, "threshold": 1.0})


_CUBIC = 0.044715
_ROOT = math.sqrt(2 / math.pi)


class GeluTanh(Unary):
    """y = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).

    Hendrycks and Gimpel, "Gaussian error linear units", 2016, equation 2 (section 2).
    """

    saves = ("x",)
    floats = True

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        t = xp.tanh(x * (x * x * (_ROOT * _CUBIC) + _ROOT))
        return (t + 1) * x * 0.5

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        square = x * x
        t = xp.tanh(x * (square * (_ROOT * _CUBIC) + _ROOT))
        inner = square * (3 * _ROOT * _CUBIC) + _ROOT
        return dy * ((t + 1) * 0.5 + x * (1 - t * t) * inner * 0.5)

    @staticmethod
    def torch(x: Any) -> Any:
        inner = _ROOT * (x + _CUBIC * x**3)
        return 0.5 * x * (1 + inner.tanh())


class Softmax(Op):
    """y_i = e^(x_i) / sum_j e^(x_j) along `axis`.

    Shifted by the maximum, so that nothing overflows (Goodfellow, Bengio and Courville,
    "Deep Learning", 2016, section 4.1).
    """

    real = True
    saves = ("y",)
    floats = True

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: int) -> Any:
        if not x.size:
            return x.copy()
        e = xp.exp(x - xp.maximum.reduce(x, axis=axis, keepdims=True))
        e /= xp.add.reduce(e, axis=axis, keepdims=True)
        return e

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any, *, axis: int) -> Any:
        g = dy * y
        return g - y * g.sum(axis=axis, keepdims=True)

    @staticmethod
    def torch(x: Any, axis: int) -> Any:
        return x.softmax(axis)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield from _along_axes(rng)


class LogSoftmax(Op):
    """y_i = x_i - log sum_j e^(x_j) along `axis`, shifted by the maximum."""

    real = True
    saves = ("y",)
    floats = True

    @staticmethod
    def forward(xp: Any, x: Any, *, axis: int) -> Any:
        if not x.size:
            return x.copy()
        z = x - xp.maximum.reduce(x, axis=axis, keepdims=True)
        z -= xp.log(xp.add.reduce(xp.exp(z), axis=axis, keepdims=True))
        return z

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any, *, axis: int) -> Any:
        return dy - xp.exp(y) * dy.sum(axis=axis, keepdims=True)

    @staticmethod
    def torch(x: Any, axis: int) -> Any:
        return x.log_softmax(axis)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield from _along_axes(rng)


def _along_axes(rng: Any) -> Iterator[Sample]:
    yield Sample((rng.standard_normal((3, 4)),), {"axis": -1})
    yield Sample((rng.standard_normal((2, 3, 4)),), {"axis": 1})
