"""The updates of optimisers over flat arrays: NumPy block by block, and as loops.

A block is small enough that it and its temporaries stay in the cache, and large enough
that the calls cost little. The loops pass the memory once.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._pair import paired

BLOCK = 65_536
Array = NDArray[Any]


class _Scratch(threading.local):
    """Two blocks of temporary memory for each thread and type."""

    def __init__(self) -> None:
        self._blocks: dict[np.dtype[Any], tuple[Array, Array]] = {}

    def of(self, dtype: np.dtype[Any], n: int) -> tuple[Array, Array]:
        found = self._blocks.get(dtype)
        if found is None or found[0].size < min(n, BLOCK):
            size = min(max(n, 1024), BLOCK)
            found = np.empty(size, dtype), np.empty(size, dtype)
            self._blocks[dtype] = found
        return found


_scratch = _Scratch()


def _blocks(n: int) -> Iterator[slice]:
    return (slice(i, min(i + BLOCK, n)) for i in range(0, n, BLOCK))


def adam_numpy(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    largest: Array | None,
    rate: float,
    new1: float,
    new2: float,
    beta2: float,
    eps: float,
    decay: float,
    keep: float,
) -> None:
    """g += decay p; m += new1 (g-m); v = beta2 v + new2 g^2; p -= rate m/(sqrt(v)+eps).

    Algorithm 1 of Kingma and Ba with new1 = 1-beta1, new2 = 1-beta2. At its step t,
    ``rate = lr c/(1-beta1^t)`` and ``eps = epsilon c``, where ``c = sqrt(1-beta2^t)``,
    make it lr mhat/(sqrt(vhat) + epsilon) without a pass for each correction. First, p
    is multiplied by `keep` (AdamW: 1 - lr decay). `largest`, if given, keeps the
    largest v (AMSGrad). All arrays but g are written in place.
    """
    t, u = _scratch.of(p.dtype, p.size)
    for k in _blocks(p.size):
        pk, gk, mk, vk = p[k], g[k], m[k], v[k]
        a = t[: pk.size]
        if keep != 1:
            np.multiply(pk, keep, pk)
        if decay:
            b = u[: pk.size]
            np.multiply(pk, decay, b)
            gk = np.add(gk, b, b)
        np.subtract(gk, mk, a)
        np.multiply(a, new1, a)
        np.add(mk, a, mk)
        np.multiply(gk, gk, a)
        np.multiply(a, new2, a)
        np.multiply(vk, beta2, vk)
        np.add(vk, a, vk)
        if largest is not None:
            vk = np.maximum(largest[k], vk, out=largest[k])
        np.sqrt(vk, a)
        np.add(a, eps, a)
        np.divide(mk, a, a)
        np.multiply(a, rate, a)
        np.subtract(pk, a, pk)


@paired(adam_numpy)
def adam(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    largest: Array | None,
    rate: float,
    new1: float,
    new2: float,
    beta2: float,
    eps: float,
    decay: float,
    keep: float,
) -> None:
    """One pass over the memory instead of twelve."""
    for i in range(p.size):
        pi, gi = p[i], g[i]
        if keep != 1:
            pi = pi * keep
        if decay != 0:
            gi = gi + pi * decay
        mi = m[i] + (gi - m[i]) * new1
        vi = v[i] * beta2 + gi * gi * new2
        m[i] = mi
        v[i] = vi
        if largest is not None:
            before = largest[i]
            if before == before and not before >= vi:  # a NaN stays, a NaN gets in
                largest[i] = vi
            vi = largest[i]
        p[i] = pi - mi / (math.sqrt(vi) + eps) * rate


def sgd_numpy(
    p: Array,
    g: Array,
    velocity: Array | None,
    lr: float,
    momentum: float,
    new: float,
    decay: float,
    nesterov: bool,
    first: bool,
) -> None:
    """g += decay p; v = momentum v + new g; p -= lr v, or lr (g + momentum v).

    Sutskever, Martens, Dahl and Hinton, ICML 2013, in PyTorch's form: `new` is one
    minus the dampening, and the first step takes v = g. `nesterov` chooses the second
    form. Without `velocity`, p -= lr g.
    """
    t, u = _scratch.of(p.dtype, p.size)
    for k in _blocks(p.size):
        pk, gk = p[k], g[k]
        a, b = t[: pk.size], u[: pk.size]
        if decay:
            np.multiply(pk, decay, b)
            gk = np.add(gk, b, b)
        if velocity is not None:
            vk = velocity[k]
            if first:
                np.copyto(vk, gk)
            else:
                np.multiply(vk, momentum, vk)
                np.multiply(gk, new, a)
                np.add(vk, a, vk)
            if nesterov:
                np.multiply(vk, momentum, a)
                gk = np.add(gk, a, a)
            else:
                gk = vk
        np.multiply(gk, lr, a)
        np.subtract(pk, a, pk)


@paired(sgd_numpy)
def sgd(
    p: Array,
    g: Array,
    velocity: Array | None,
    lr: float,
    momentum: float,
    new: float,
    decay: float,
    nesterov: bool,
    first: bool,
) -> None:
    """One pass over the memory."""
    for i in range(p.size):
        pi, gi = p[i], g[i]
        if decay != 0:
            gi = gi + pi * decay
        if velocity is not None:
            vi = gi
            if not first:
                vi = velocity[i] * momentum + gi * new
            velocity[i] = vi
            gi = gi + vi * momentum if nesterov else vi
        p[i] = pi - gi * lr


def rmsprop_numpy(
    p: Array,
    g: Array,
    square: Array,
    velocity: Array | None,
    mean: Array | None,
    lr: float,
    alpha: float,
    new: float,
    eps: float,
    decay: float,
    momentum: float,
) -> None:
    """g += decay p; s = alpha s + new g^2; p -= lr g/(sqrt(s)+eps), new = 1-alpha.

    Tieleman and Hinton, "Neural networks for machine learning", lecture 6.5, 2012.
    With `mean`, the running mean of g, s - mean^2 takes the place of s (Graves, 2013).
    With `velocity`, v = momentum v + g/(sqrt(s)+eps) and p -= lr v.
    """
    t, u = _scratch.of(p.dtype, p.size)
    for k in _blocks(p.size):
        pk, gk, sk = p[k], g[k], square[k]
        a, b = t[: pk.size], u[: pk.size]
        if decay:
            np.multiply(pk, decay, b)
            gk = np.add(gk, b, b)
        np.multiply(gk, gk, a)
        np.multiply(a, new, a)
        np.multiply(sk, alpha, sk)
        np.add(sk, a, sk)
        if mean is not None:
            nk = mean[k]
            np.subtract(gk, nk, a)
            np.multiply(a, new, a)
            np.add(nk, a, nk)
            np.multiply(nk, nk, a)
            sk = np.subtract(sk, a, a)
        np.sqrt(sk, a)
        np.add(a, eps, a)
        np.divide(gk, a, a)
        if velocity is not None:
            vk = velocity[k]
            np.multiply(vk, momentum, vk)
            gk = np.add(vk, a, vk)
        else:
            gk = a
        np.multiply(gk, lr, a)
        np.subtract(pk, a, pk)


@paired(rmsprop_numpy)
def rmsprop(
    p: Array,
    g: Array,
    square: Array,
    velocity: Array | None,
    mean: Array | None,
    lr: float,
    alpha: float,
    new: float,
    eps: float,
    decay: float,
    momentum: float,
) -> None:
    """One pass over the memory."""
    for i in range(p.size):
        pi, gi = p[i], g[i]
        if decay != 0:
            gi = gi + pi * decay
        si = square[i] * alpha + gi * gi * new
        square[i] = si
        if mean is not None:
            ni = mean[i] + (gi - mean[i]) * new
            mean[i] = ni
            si = si - ni * ni
        gi = gi / (math.sqrt(si) + eps)
        if velocity is not None:
            gi = velocity[i] * momentum + gi
            velocity[i] = gi
        p[i] = pi - gi * lr
