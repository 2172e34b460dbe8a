"""The coefficients of `dotori.compiler.native.functions`, fitted with 50 digits.

Each function is brought to a small interval, where a polynomial that equals it at
Chebyshev's points is within a factor of three of the best one there is.

    python tools/minimax.py

prints the tuples for `functions.py` and the error of each fit; needs mpmath.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np

mp.mp.dps = 50

HALF_LN2 = mp.log(2) / 2
#: ((m - 1) / (m + 1))^2 at m = sqrt(2), the largest that `log` meets
LOG_Z = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2


def exp_rest(r: Any) -> Any:
    """p in e^r = 1 + r + r^2 p(r), |r| <= ln(2) / 2."""
    return (mp.expm1(r) - r) / r**2 if abs(r) > 1e-18 else mp.mpf(1) / 2


def log_rest(z: Any) -> Any:
    """p in ln(m) = 2s + s z p(z), s = (m - 1) / (m + 1), z = s^2."""
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) / s - 2) / z if s > 1e-12 else mp.mpf(2) / 3


def erf_inner(z: Any) -> Any:
    """p in erf(x) = x p(x^2), |x| <= 1."""
    x = mp.sqrt(z)
    return mp.erf(x) / x if x > 1e-18 else 2 / mp.sqrt(mp.pi)


def erf_outer(last: int) -> Callable[[Any], Any]:
    """p in erf(a) = 1 - e^(p(u) - a^2), 1 <= a <= last, u in [-1, 1] in its place."""

    def rest(u: Any) -> Any:
        a = (last + 1 + (last - 1) * u) / mp.mpf(2)
        return mp.log(mp.erfc(a)) + a**2

    return rest


FITS = [
    ("_EXP", exp_rest, (-HALF_LN2, HALF_LN2), (5, 10)),
    ("_LOG", log_rest, (0, LOG_Z), (3, 7)),
    ("_ERF", erf_inner, (0, 1), (7, 12)),
]


def show(name: str, function: Any, interval: Any, count: int, dtype: Any) -> None:
    """Print one tuple, the constant term first."""
    found, error = mp.chebyfit(function, [mp.mpf(x) for x in interval], count, True)
    numbers = ", ".join(repr(float(dtype(str(c)))) for c in reversed(found))
    print(f"# {dtype.__name__}: error of the fit {mp.nstr(error, 2)}")
    print(f"{name}{np.dtype(dtype).itemsize * 8} = ({numbers})")


def main() -> None:
    for name, function, interval, counts in FITS:
        for count, dtype in zip(counts, (np.float32, np.float64), strict=True):
            show(name, function, interval, count, dtype)
    show("_ERFC", erf_outer(4), (-1, 1), 10, np.float32)
    show("_ERFC", erf_outer(6), (-1, 1), 25, np.float64)


if __name__ == "__main__":
    main()
