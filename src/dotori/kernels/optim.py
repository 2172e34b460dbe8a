"""The updates of optimisers over flat arrays, block by block.

A block is small enough that it and its temporaries stay in the cache: the memory is
passed once, however many operations an update takes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 8192
Array = NDArray[Any]


class _Scratch(threading.local):
    """Two blocks of temporary memory for each thread and type."""

    def __init__(self) -> None:
        self._blocks: dict[np.dtype[Any], tuple[Array, Array]] = {}

    def of(self, dtype: np.dtype[Any]) -> tuple[Array, Array]:
        found = self._blocks.get(dtype)
        if found is None:
            found = np.empty(BLOCK, dtype), np.empty(BLOCK, dtype)
            self._blocks[dtype] = found
        return found


_scratch = _Scratch()


def _blocks(n: int) -> Iterator[slice]:
    return (slice(i, min(i + BLOCK, n)) for i in range(0, n, BLOCK))


def adam(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    largest: Array | None,
    step_size: float,
    correction: float,
    b1: float,
    b2: float,
    eps: float,
    decay: float,
    shrink: float,
) -> None:
    """m += (1-b1)(g-m); v = b2 v + (1-b2) g^2; p -= step_size m/(sqrt(v)/correction+eps).

    Kingma and Ba, algorithm 1, with step_size = lr/(1-b1^t) and
    correction = sqrt(1-b2^t). `p`, `m`, `v` and `largest` are written in place.
    """
    t, u = _scratch.of(p.dtype)
    for k in _blocks(p.size):
        pk, gk, mk, vk = p[k], g[k], m[k], v[k]
        a, b = t[: pk.size], u[: pk.size]
        if shrink:
            np.multiply(pk, 1 - shrink, out=pk)
        if decay:
            np.multiply(pk, decay, out=b)
            gk = np.add(b, gk, out=b)
        np.subtract(gk, mk, out=a)
        np.multiply(a, 1 - b1, out=a)
        np.add(mk, a, out=mk)
        np.multiply(gk, gk, out=a)
        np.multiply(a, 1 - b2, out=a)
        np.multiply(vk, b2, out=vk)
        np.add(vk, a, out=vk)
        if largest is not None:
            vk = np.maximum(largest[k], vk, out=largest[k])
        np.sqrt(vk, out=a)
        np.divide(a, correction, out=a)
        np.add(a, eps, out=a)
        np.divide(mk, a, out=a)
        np.multiply(a, step_size, out=a)
        np.subtract(pk, a, out=pk)


def sgd(
    p: Array,
    g: Array,
    velocity: Array | None,
    lr: float,
    momentum: float,
    dampening: float,
    decay: float,
    nesterov: bool,
    first: bool,
) -> None:
    """g += decay p; v = momentum v + (1-dampening) g; p -= lr v, or lr (g + momentum v).

    Sutskever, Martens, Dahl and Hinton, ICML 2013, in PyTorch's form: the first step
    takes v = g.
    """
    t, u = _scratch.of(p.dtype)
    for k in _blocks(p.size):
        pk, gk = p[k], g[k]
        a, b = t[: pk.size], u[: pk.size]
        if decay:
            np.multiply(pk, decay, out=b)
            gk = np.add(b, gk, out=b)
        if velocity is not None:
            vk = velocity[k]
            if first:
                np.copyto(vk, gk)
            else:
                np.multiply(vk, momentum, out=vk)
                np.multiply(gk, 1 - dampening, out=a)
                np.add(vk, a, out=vk)
            if nesterov:
                np.multiply(vk, momentum, out=a)
                gk = np.add(gk, a, out=a)
            else:
                gk = vk
        np.multiply(gk, lr, out=a)
        np.subtract(pk, a, out=pk)


def rmsprop(
    p: Array,
    g: Array,
    square: Array,
    velocity: Array | None,
    mean: Array | None,
    lr: float,
    alpha: float,
    eps: float,
    decay: float,
    momentum: float,
) -> None:
    """s = alpha s + (1-alpha) g^2; p -= lr g / (sqrt(s - mean^2) + eps).

    Tieleman and Hinton, "Neural networks for machine learning", lecture 6.5, 2012;
    centred by `mean`, the running mean of g, after Graves, 2013.
    """
    t, u = _scratch.of(p.dtype)
    for k in _blocks(p.size):
        pk, gk, sk = p[k], g[k], square[k]
        a, b = t[: pk.size], u[: pk.size]
        if decay:
            np.multiply(pk, decay, out=b)
            gk = np.add(b, gk, out=b)
        np.multiply(gk, gk, out=a)
        np.multiply(a, 1 - alpha, out=a)
        np.multiply(sk, alpha, out=sk)
        np.add(sk, a, out=sk)
        if mean is None:
            np.sqrt(sk, out=a)
        else:
            np.subtract(gk, mean[k], out=a)
            np.multiply(a, 1 - alpha, out=a)
            np.add(mean[k], a, out=mean[k])
            np.multiply(mean[k], mean[k], out=a)
            np.subtract(sk, a, out=a)
            np.sqrt(a, out=a)
        np.add(a, eps, out=a)
        np.divide(gk, a, out=a)
        if velocity is not None:
            vk = velocity[k]
            np.multiply(vk, momentum, out=vk)
            np.add(vk, a, out=vk)
            np.multiply(vk, lr, out=a)
        else:
            np.multiply(a, lr, out=a)
        np.subtract(pk, a, out=pk)
