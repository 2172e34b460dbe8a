"""The distribution function of the standard normal distribution, as fast as it goes.

It is what GELU needs, in the arithmetic of its input. `error_function.py` has it (and
the rest of the family) with all digits in the tail as well, from the same series.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from dotori.ops._op import Op, Sample
from dotori.ops.approximation import horner, in_blocks, in_powers

# (1 + 2z) e^(z^2) erfc(z) as a Chebyshev series in t = (z - 3.75) / (z + 3.75), z >= 0:
# the form of Shepherd and Laframboise, Mathematics of Computation 36 (1981), 249-253.
# `tools/fit_special.py` makes it under the name TAIL; `tests/ops/test_normal.py` holds
# the result against SciPy.
SERIES = (
    1.177578934567401755,
    -0.00459005458064647733,
    -0.0842491333665179156,
    0.0592099399981918905,
    -0.0266586684353057523,
    0.00907499767070526509,
    -0.00241316354041760819,
    0.000490775836525808632,
    -0.0000691697330250120637,
    4.13902798607301017e-6,
    7.74038306619849067e-7,
    -2.18864010492343957e-7,
    1.07649994656709104e-8,
    4.5219598112182869e-9,
    -7.75440020883135111e-10,
    -6.31808834088668449e-11,
    2.8687950109306699e-11,
    1.94558685457773472e-13,
    -9.65469674843343891e-13,
    3.25254814814873984e-14,
    3.34781194828680539e-14,
    -1.8645628804193131e-15,
    -1.25079505306886471e-15,
)
# The first terms make a polynomial of less precision; by the bytes of a float.
_POLYNOMIALS = {n: in_powers(SERIES[:terms]) for n, terms in ((2, 8), (4, 12), (8, 23))}


def _normal_cdf(xp: Any, x: Any) -> Any:
    """P(Z <= x) in the type of x, an array of one axis."""
    z = xp.minimum(abs(x), 40)  # beyond, e^(-z^2/2) is 0 anyway
    z *= math.sqrt(0.5)
    t = 1 - 7.5 / (z + 3.75)
    tail = horner(t, _POLYNOMIALS[x.dtype.itemsize])
    tail /= z * 4 + 2
    z *= z
    tail *= xp.exp(-z)
    return xp.where(x < 0, tail, 1 - tail)


class NormalCdf(Op):
    """y = P(Z <= x) for a standard normal Z; dy/dx = e^(-x^2/2) / sqrt(2 pi)."""

    real = True
    saves = ("x",)
    floats = True
    torch = "special.ndtr"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_blocks(xp, _normal_cdf, x.dtype.newbyteorder("="), x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy * xp.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((rng.uniform(-3, 3, (3, 4)),))
        yield Sample((rng.uniform(-3, 3, ()),))
