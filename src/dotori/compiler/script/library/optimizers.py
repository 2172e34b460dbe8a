"""The optimisers of a script of a training step, as their papers have them.

As all of the library, what a script calls is copied into it. Each changes the
weights and its own memory in place. `t` counts the steps from 1.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any


def adam(
    w: Array,
    g: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    t: int,
    lr: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> None:
    """Kingma and Ba, 2015: w -= lr m / (sqrt(v) + eps), in place.

    m and v are running means of the gradient and of its square, divided by what they
    lack because they began at 0.
    """
    g = g + weight_decay * w
    exp_avg += (1 - beta1) * (g - exp_avg)
    exp_avg_sq += (1 - beta2) * (g**2 - exp_avg_sq)
    m, v = exp_avg / (1 - beta1**t), exp_avg_sq / (1 - beta2**t)
    w -= lr * m / (np.sqrt(v) + eps)


def adamw(
    w: Array,
    g: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    t: int,
    lr: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> None:
    """Loshchilov and Hutter, 2019: w *= 1 - lr weight_decay, then a step of Adam."""
    w *= 1 - lr * weight_decay
    adam(w, g, exp_avg, exp_avg_sq, t, lr, beta1, beta2, eps)


def sgd(w: Array, g: Array, lr: float, weight_decay: float = 0.0) -> None:
    """w -= lr g, in place."""
    w -= lr * (g + weight_decay * w)


def sgd_with_momentum(
    w: Array,
    g: Array,
    momentum_buffer: Array,
    t: int,
    lr: float,
    momentum: float,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
) -> None:
    """v = momentum v + g, w -= lr v; with `nesterov`, w -= lr (g + momentum v)."""
    g = g + weight_decay * w
    momentum_buffer *= momentum
    momentum_buffer += g if t == 1 else (1 - dampening) * g
    w -= lr * (g + momentum * momentum_buffer if nesterov else momentum_buffer)


def rmsprop(
    w: Array,
    g: Array,
    square_avg: Array,
    lr: float,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> None:
    """Tieleman and Hinton, 2012: w -= lr g / (sqrt(s) + eps), s the mean of g^2."""
    g = g + weight_decay * w
    square_avg += (1 - alpha) * (g**2 - square_avg)
    w -= lr * g / (np.sqrt(square_avg) + eps)


def clip_gradients(grad: dict[str, Array], limit: float) -> None:
    """Shorten all gradients if together they are longer than `limit`."""
    length = np.sqrt(sum(np.sum(g**2) for g in grad.values()))
    factor = min(1.0, limit / (length + 1e-6))
    for name in grad:
        grad[name] = grad[name] * factor
