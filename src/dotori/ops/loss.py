"""Losses whose value and gradient are worth writing as one operation.

All others are compositions; see `dotori.nn.functional.loss`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from dotori.backend import is_captured, namespace
from dotori.ops._op import Op, Sample


class MeanSquaredError(Op):
    """y = mean (a - b)^2; dy/da = 2 (a - b) / n. One node instead of three."""

    real = True
    saves = ("a", "b")
    floats = True
    torch = "nn.functional.mse_loss"

    @staticmethod
    def forward(xp: Any, a: Any, b: Any) -> Any:
        d = a - b
        return xp.add.reduce(d * d, axis=None) / (d.size or math.nan)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, b: Any) -> Any:
        d = a - b
        da = d * (dy * (2 / (math.prod(d.shape) or 1)))
        return (da if needs[0] else None), (-da if needs[1] else None)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((3, 4)), rng.standard_normal((3, 4))))
        yield Sample((rng.standard_normal(5), rng.standard_normal(5)))


class CrossEntropy(Op):
    """y_i = -log softmax(x_i)[target_i] over axis 1, times `weight`.

    `target` holds one class for each place of x without axis 1. `weight` is a number or
    one number for each of these places; where it is zero the place does not count,
    whatever is found there. ``total=True`` adds everything up.

    The second output is softmax(x), because the gradient is softmax(x) - onehot(target)
    (Bishop, "Pattern Recognition and Machine Learning", 2006, equation 4.109): no
    logarithm is taken of a probability, and none is divided by.
    """

    real = True
    outputs = ("y", "p")
    saves = ("p",)

    @staticmethod
    def forward(xp: Any, x: Any, *, target: Any, weight: Any, total: bool) -> Any:
        z = x - x.max(axis=1, keepdims=True)
        e = xp.exp(z)
        s = e.sum(axis=1, keepdims=True)
        y = xp.log(s[:, 0]) - _chosen(xp, z, target)
        if isinstance(weight, float):
            y = y * weight
        else:
            y = xp.where(weight == 0, x.dtype.type(0), y * weight)
        return (y.sum() if total else y), e / s

    @staticmethod
    def backward(
        xp: Any, dy: Any, p: Any, *, target: Any, weight: Any, total: bool
    ) -> Any:
        first, second = dy
        dx = None
        if first is not None:
            scale = first * weight
            if scale.ndim:
                scale = scale.reshape(scale.shape[0], 1, *scale.shape[1:])
            dx = (p - _one_hot(target, p)) * scale
        if second is not None:  # a gradient of a gradient goes through p
            g = second * p
            through = g - p * g.sum(axis=1, keepdims=True)
            dx = through if dx is None else dx + through
        return dx

    @staticmethod
    def torch(x: Any, target: Any, weight: Any, total: bool) -> Any:
        places = x.new_tensor(target).long()
        chosen = x.log_softmax(1).gather(1, places.unsqueeze(1)).squeeze(1)
        y = (
            -chosen * weight
            if isinstance(weight, float)
            else -chosen * x.new_tensor(weight)
        )
        return (y.sum() if total else y), x.softmax(1)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x, t = rng.standard_normal((5, 4)), rng.integers(0, 4, 5)
        yield Sample((x,), {"target": t, "weight": 0.2, "total": True})
        weight = rng.uniform(0.5, 2.0, 5)
        yield Sample((x,), {"target": t, "weight": weight, "total": False})
        x, t = rng.standard_normal((2, 4, 3)), rng.integers(0, 4, (2, 3))
        weight = rng.uniform(0.5, 2.0, (2, 3))
        yield Sample((x,), {"target": t, "weight": weight, "total": True})


def _chosen(xp: Any, z: Any, target: Any) -> Any:
    """z[i, target[i, ...], ...]."""
    if is_captured(target):  # no place may be looked up that is not known
        return xp.where(_is_class(target, z), z, 0).sum(axis=1)
    if z.ndim == 2:
        return z[xp.arange(len(z)), target]
    return xp.take_along_axis(z, target[:, None], axis=1)[:, 0]


def _one_hot(target: Any, p: Any) -> Any:
    """1 at the class of each place, along axis 1: a constant, so plain array code."""
    if is_captured(target):
        return _is_class(target, p).astype(p.dtype)
    ns = namespace(target)
    found = ns.zeros(p.shape, p.dtype)
    if found.ndim == 2:
        found[ns.arange(len(found)), target] = 1
    else:
        ns.put_along_axis(found, target[:, None], 1, axis=1)
    return found


def _is_class(target: Any, p: Any) -> Any:
    """Whether the place along axis 1 is the class of the target."""
    classes = np.arange(p.shape[1]).reshape(-1, *(1,) * (p.ndim - 2))
    return target[:, None] == classes


class BinaryCrossEntropyWithLogits(Op):
    """y = max(x, 0) - x t + log1p(e^-|x|); dy/dx = sigmoid(x) - t.

    This is -t log sigmoid(x) - (1 - t) log(1 - sigmoid(x)), without an exponential that
    overflows or a logarithm of zero.
    """

    real = True
    saves = ("x", "t")
    floats = True

    @staticmethod
    def torch(x: Any, t: Any) -> Any:
        from torch.nn.functional import binary_cross_entropy_with_logits

        return binary_cross_entropy_with_logits(x, t, reduction="none")

    @staticmethod
    def forward(xp: Any, x: Any, t: Any) -> Any:
        return xp.maximum(x, 0) - x * t + xp.log1p(xp.exp(-abs(x)))

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, x: Any, t: Any) -> Any:
        dx = dt = None
        if needs[0]:
            dx = dy * (xp.tanh(x * 0.5) * 0.5 + (0.5 - t))
        if needs[1]:
            dt = dy * -x
        return dx, dt

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.uniform(-3, 3, (3, 4)), rng.uniform(0, 1, (3, 4))))


class Huber(Op):
    """y = d^2/2 where |d| <= delta, else delta (|d| - delta/2) (Huber, 1964)."""

    saves = ("d",)
    floats = True

    @staticmethod
    def forward(xp: Any, d: Any, *, delta: float) -> Any:
        z = abs(d)
        inside = xp.minimum(z, delta)  # squares nothing that could overflow
        return inside * (z - inside * 0.5)

    @staticmethod
    def backward(xp: Any, dy: Any, d: Any, *, delta: float) -> Any:
        return dy * xp.clip(d, -delta, delta)

    @staticmethod
    def torch(d: Any, delta: float) -> Any:
        z = d.abs()
        return (0.5 * d * d).where(z <= delta, delta * (z - 0.5 * delta))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.standard_normal((3, 4)),), {"delta": 0.7})


class NegativeLogLikelihood(Op):
    """y_i = -x_i[target_i] weight_i along axis 1; see `CrossEntropy`."""

    saves = ("x",)  # for its shape alone
    floats = True

    @staticmethod
    def forward(xp: Any, x: Any, *, target: Any, weight: Any, total: bool) -> Any:
        y = xp.where(weight == 0, x.dtype.type(0), -_chosen(xp, x, target) * weight)
        return y.sum() if total else y

    @staticmethod
    def backward(
        xp: Any, dy: Any, x: Any, *, target: Any, weight: Any, total: bool
    ) -> Any:
        scale = dy * weight
        if scale.ndim:
            scale = scale.reshape(scale.shape[0], 1, *scale.shape[1:])
        return scale * -_one_hot(target, x)

    @staticmethod
    def torch(x: Any, target: Any, weight: Any, total: bool) -> Any:
        places = x.new_tensor(target).long()
        y = -x.gather(1, places.unsqueeze(1)).squeeze(1) * x.new_tensor(weight)
        return y.sum() if total else y

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        x, t = rng.standard_normal((5, 4)), rng.integers(0, 4, 5)
        weight = rng.uniform(0.5, 2.0, 5)
        yield Sample((x,), {"target": t, "weight": weight, "total": True})
        x, t = rng.standard_normal((2, 4, 3)), rng.integers(0, 4, (2, 3))
        weight = rng.uniform(0.5, 2.0, (2, 3))
        yield Sample((x,), {"target": t, "weight": weight, "total": False})


class BinaryCrossEntropy(Op):
    """y = -t log x - (1 - t) log(1 - x), each logarithm at least -100.

    The bound, and that of x (1 - x) in the gradient, are PyTorch's: they keep both
    finite where x is 0 or 1.
    """

    real = True
    saves = ("x", "t")
    floats = True

    @staticmethod
    def torch(x: Any, t: Any) -> Any:
        from torch.nn.functional import binary_cross_entropy

        return binary_cross_entropy(x, t, reduction="none")

    @staticmethod
    def forward(xp: Any, x: Any, t: Any) -> Any:
        log_x, log_rest = xp.log(x), xp.log1p(-x)
        return (t - 1) * xp.maximum(log_rest, -100) - t * xp.maximum(log_x, -100)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, x: Any, t: Any) -> Any:
        dx = dt = None
        if needs[0]:
            dx = dy * (x - t) / xp.maximum(x * (1 - x), 1e-12)
        if needs[1]:
            low = 4e-44  # e^-100, a number in float32 as well
            dt = dy * (xp.log(xp.maximum(1 - x, low)) - xp.log(xp.maximum(x, low)))
        return dx, dt

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.uniform(0.1, 0.9, (3, 4)), rng.uniform(0, 1, (3, 4))))
