"""The updates of Adam's relatives over a block of flat arrays, in NumPy and as loops.

The gradient has its weight decay and its sign already: see `dotori.optim.flat.Run`.
All arrays but `g` are written in place.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._pair import paired

Array = NDArray[Any]


def adagrad_numpy(p: Array, g: Array, s: Array, rate: float, eps: float) -> None:
    """s += g^2; p -= rate g / (sqrt(s) + eps).

    Duchi, Hazan and Singer, JMLR 2011, figure 1.
    """
    s += g * g
    p -= rate * g / (np.sqrt(s) + eps)


@paired(adagrad_numpy)
def adagrad(p: Array, g: Array, s: Array, rate: float, eps: float) -> None:
    """One pass over the memory instead of six."""
    for i in range(p.size):
        gi = g[i]
        s[i] += gi * gi
        p[i] -= rate * gi / (math.sqrt(s[i]) + eps)


def adadelta_numpy(
    p: Array,
    g: Array,
    s: Array,
    a: Array,
    lr: float,
    rho: float,
    new: float,
    eps: float,
) -> None:
    """s = rho s + new g^2; d = sqrt(a+eps)/sqrt(s+eps) g; p -= lr d.

    Then a = rho a + new d^2. Zeiler, 2012, algorithm 1, with new = 1 - rho.
    """
    s *= rho
    s += new * g * g
    d = np.sqrt(a + eps) / np.sqrt(s + eps) * g
    a *= rho
    a += new * d * d
    p -= lr * d


@paired(adadelta_numpy)
def adadelta(
    p: Array,
    g: Array,
    s: Array,
    a: Array,
    lr: float,
    rho: float,
    new: float,
    eps: float,
) -> None:
    """One pass over the memory instead of sixteen."""
    for i in range(p.size):
        gi = g[i]
        si = s[i] * rho + new * gi * gi
        d = np.sqrt(a[i] + eps) / np.sqrt(si + eps) * gi
        s[i] = si
        a[i] = a[i] * rho + new * d * d
        p[i] -= lr * d


def adamax_numpy(
    p: Array,
    g: Array,
    m: Array,
    u: Array,
    rate: float,
    new: float,
    beta2: float,
    eps: float,
) -> None:
    """m += new (g - m); u = max(beta2 u, |g| + eps); p -= rate m / u.

    Kingma and Ba, ICLR 2015, algorithm 2, with new = 1 - beta1 and the correction of m
    in `rate`.
    """
    m += new * (g - m)
    np.maximum(beta2 * u, np.abs(g) + eps, out=u)
    p -= rate * m / u


@paired(adamax_numpy)
def adamax(
    p: Array,
    g: Array,
    m: Array,
    u: Array,
    rate: float,
    new: float,
    beta2: float,
    eps: float,
) -> None:
    """One pass over the memory instead of nine."""
    for i in range(p.size):
        gi = g[i]
        m[i] += new * (gi - m[i])
        faded, seen = beta2 * u[i], abs(gi) + eps
        if faded == faded and not faded >= seen:  # a NaN stays, a NaN gets in
            faded = seen
        u[i] = faded
        p[i] -= rate * m[i] / faded


def nadam_numpy(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    now: float,
    ahead: float,
    new1: float,
    new2: float,
    beta2: float,
    scale: float,
    eps: float,
) -> None:
    """m += new1 (g-m); v = beta2 v + new2 g^2; p -= (now g + ahead m)/(sqrt(c v)+eps).

    Dozat, 2016, algorithm 2: c is `scale` = 1 / (1 - beta2^t), and `now` and `ahead`
    hold the rate, the shares of the momentum and their corrections.
    """
    m += new1 * (g - m)
    v *= beta2
    v += new2 * g * g
    p -= (now * g + ahead * m) / (np.sqrt(v * scale) + eps)


@paired(nadam_numpy)
def nadam(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    now: float,
    ahead: float,
    new1: float,
    new2: float,
    beta2: float,
    scale: float,
    eps: float,
) -> None:
    """One pass over the memory instead of fourteen."""
    for i in range(p.size):
        gi = g[i]
        mi = m[i] + new1 * (gi - m[i])
        vi = v[i] * beta2 + new2 * gi * gi
        m[i] = mi
        v[i] = vi
        p[i] -= (now * gi + ahead * mi) / (math.sqrt(vi * scale) + eps)


def radam_numpy(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    rate: float,
    new1: float,
    new2: float,
    beta2: float,
    eps: float,
    trusted: bool,
) -> None:
    """m += new1 (g-m); v = beta2 v + new2 g^2; p -= rate m/(sqrt(v)+eps), or rate m.

    Liu and others, ICLR 2020, algorithm 2: the first form once v is `trusted`, with the
    rectification and all corrections in `rate`.
    """
    m += new1 * (g - m)
    v *= beta2
    v += new2 * g * g
    p -= rate * m / (np.sqrt(v) + eps) if trusted else rate * m


@paired(radam_numpy)
def radam(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    rate: float,
    new1: float,
    new2: float,
    beta2: float,
    eps: float,
    trusted: bool,
) -> None:
    """One pass over the memory instead of twelve."""
    for i in range(p.size):
        gi = g[i]
        mi = m[i] + new1 * (gi - m[i])
        vi = v[i] * beta2 + new2 * gi * gi
        m[i] = mi
        v[i] = vi
        if trusted:
            p[i] -= rate * mi / (math.sqrt(vi) + eps)
        else:
            p[i] -= rate * mi
