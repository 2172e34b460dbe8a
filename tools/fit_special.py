"""The polynomials in `dotori.ops` for special functions, fitted anew.

Each function is brought to a form that is smooth on an interval, which `t` in [-1, 1]
runs over. Its Chebyshev series is taken from its values at Chebyshev's nodes (a cosine
transform: Trefethen, "Approximation theory and approximation practice", 2013, chapter
3) with 50 digits, and cut where its coefficients fall below 10^-17 of the greatest.
Where the series converges fast, it is written in powers of t, for Horner's rule.

    python tools/fit_special.py            all of them
    python tools/fit_special.py I0_LARGE   one

Needs mpmath.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import mpmath as m
from mpmath import mpf

m.mp.dps = 50
NODES = 90
Form = Callable[[Any], Any]


def chebyshev(f: Form) -> list[Any]:
    """The Chebyshev coefficients of `f`."""
    angles = [m.pi * (2 * k + 1) / (2 * NODES) for k in range(NODES)]
    values = [f(m.cos(a)) for a in angles]
    found = []
    for j in range(60):
        total = m.fsum(y * m.cos(j * a) for y, a in zip(values, angles, strict=True))
        found.append((2 if j else 1) * total / NODES)
    greatest = max(abs(c) for c in found)
    while abs(found[-1]) < mpf(10) ** -17 * greatest:
        found.pop()
    return found


def powers(series: list[Any]) -> list[Any]:
    """The same polynomial in powers of t."""
    total = [mpf(0)] * len(series)
    before, now = [mpf(0), mpf(1)], [mpf(1)]  # T_{-1} = T_1 and T_0
    for c in series:
        for i, a in enumerate(now):
            total[i] += c * a
        after = [mpf(0), *(2 * a for a in now)]
        for i, a in enumerate(before):
            after[i] -= a
        before, now = now, after
    return total


def between(a: float, b: float) -> Form:
    """t -> x, from [-1, 1] to [a, b]."""
    low, high = mpf(a), mpf(b)
    return lambda t: (low + high) / 2 + t * (high - low) / 2


def beyond(a: float) -> Form:
    """t -> x = 2a / (t + 1), from [-1, 1] to [a, oo]."""
    return lambda t: 2 * mpf(a) / (t + 1)


def beyond_by_squares(a: float) -> Form:
    """t -> x = a sqrt(2 / (t + 1)), from [-1, 1] to [a, oo]: for series in x^-2."""
    return lambda t: mpf(a) * m.sqrt(2 / (t + 1))


def by_squares(b: float) -> Form:
    """t -> x, so that x^2 runs over [0, b^2]: for even functions."""
    return lambda t: mpf(b) * m.sqrt((t + 1) / 2)


def erfc_inverse_over_r(r: Any) -> Any:
    """z / r where erfc(z) = e^(-r^2), by Newton's method on the logarithm."""
    z = r * mpf("0.9")
    for _ in range(80):
        slope = -2 / m.sqrt(m.pi) * m.exp(-z * z) / m.erfc(z)
        step = (m.log(m.erfc(z)) + r * r) / slope
        z -= step
        if abs(step) < mpf(10) ** -40:
            return z / r
    raise ArithmeticError(f"no convergence at r = {r}")


def hankel(order: int) -> tuple[Form, Form]:
    """P and (x/8) Q of the Bessel functions (DLMF 10.17.3 and 10.17.4)."""

    def both(x: Any) -> tuple[Any, Any]:
        chi = x - (2 * order + 1) * m.pi / 4
        j, y, scale = m.besselj(order, x), m.bessely(order, x), m.sqrt(m.pi * x / 2)
        cos, sin = m.cos(chi), m.sin(chi)
        return scale * (j * cos + y * sin), scale * (y * cos - j * sin) * x / 8

    return lambda x: both(x)[0], lambda x: both(x)[1]


def airy_phase() -> tuple[Form, Form]:
    """P and zeta Q of Ai(-x) and Bi(-x) by zeta = 2/3 x^(3/2) (DLMF 9.7.9, 9.7.11)."""

    def both(zeta: Any) -> tuple[Any, Any]:
        x = (mpf(3) / 2 * zeta) ** (mpf(2) / 3)
        scale, phase = m.sqrt(m.pi) * x ** mpf("0.25"), zeta - m.pi / 4
        a, b = m.airyai(-x) * scale, m.airybi(-x) * scale
        cos, sin = m.cos(phase), m.sin(phase)
        return a * cos - b * sin, (a * sin + b * cos) * zeta

    return lambda z: both(z)[0], lambda z: both(z)[1]


def airy_tail(zeta: Any) -> Any:
    """2 sqrt(pi) x^(1/4) e^zeta Ai(x) (DLMF 9.7.5)."""
    x = (mpf(3) / 2 * zeta) ** (mpf(2) / 3)
    return 2 * m.sqrt(m.pi) * x ** mpf("0.25") * m.exp(zeta) * m.airyai(x)


def log_gamma_over(root: int) -> Form:
    """ln gamma(x) / (x - root), about its root."""
    tiny = mpf(10) ** -40
    return lambda x: m.loggamma(x + tiny) / (x + tiny - root)


PSI_ROOT = m.findroot(m.digamma, 1.46)
TWO_PI = 2 / m.pi
P0, Q0 = hankel(0)
P1, Q1 = hankel(1)
AIRY_P, AIRY_Q = airy_phase()


def zeta_of(x: float) -> Any:
    return mpf(2) / 3 * mpf(x) ** mpf("1.5")


#: Name: the form of the function, t -> x, and whether it is written in powers of t.
FITS: dict[str, tuple[Form, Form, bool]] = {
    "ERF": (lambda x: m.erf(x) / x, by_squares(1), True),
    "TAIL": (
        lambda z: (1 + 2 * z) * m.exp(z * z) * m.erfc(z),
        lambda t: mpf("3.75") * (1 + t) / (1 - t),
        False,
    ),
    "ERFINV": (lambda y: m.erfinv(y) / y, by_squares(0.75), True),
    "INVERSE_NEAR": (erfc_inverse_over_r, between(1, 2.5), True),
    "INVERSE_MIDDLE": (erfc_inverse_over_r, between(2.5, 7), True),
    "INVERSE_FAR": (erfc_inverse_over_r, between(7, 28), True),
    "ABOUT_ONE": (log_gamma_over(1), between(0.5, 1.5), True),
    "ABOUT_TWO": (log_gamma_over(2), between(1.5, 2.5), True),
    "DIGAMMA": (lambda x: m.digamma(x) / (x - PSI_ROOT), between(1, 2), True),
    "I0_LARGE": (
        lambda x: m.sqrt(x) * m.exp(-x) * m.besseli(0, x),
        beyond(8),
        False,
    ),
    "I1_LARGE": (
        lambda x: m.sqrt(x) * m.exp(-x) * m.besseli(1, x),
        beyond(8),
        False,
    ),
    "K0_LARGE": (lambda x: m.sqrt(x) * m.exp(x) * m.besselk(0, x), beyond(2), False),
    "K1_LARGE": (lambda x: m.sqrt(x) * m.exp(x) * m.besselk(1, x), beyond(2), False),
    "J0": (lambda x: m.besselj(0, x), by_squares(8), False),
    "J1": (lambda x: m.besselj(1, x) / x, by_squares(8), False),
    "Y0": (
        lambda x: m.bessely(0, x) - TWO_PI * m.log(x) * m.besselj(0, x),
        by_squares(8),
        False,
    ),
    "Y1": (
        lambda x: (m.bessely(1, x) - TWO_PI * (m.log(x) * m.besselj(1, x) - 1 / x)) / x,
        by_squares(8),
        False,
    ),
    "P0": (P0, beyond_by_squares(8), False),
    "Q0": (Q0, beyond_by_squares(8), False),
    "P1": (P1, beyond_by_squares(8), False),
    "Q1": (Q1, beyond_by_squares(8), False),
    "AIRY": (m.airyai, between(-5, 2), False),
    "AIRY_TAIL": (airy_tail, beyond(zeta_of(2)), False),
    "AIRY_P": (AIRY_P, beyond_by_squares(zeta_of(5)), False),
    "AIRY_Q": (AIRY_Q, beyond_by_squares(zeta_of(5)), False),
}


def main() -> None:
    for name in sys.argv[1:] or FITS:
        form, place, in_powers = FITS[name]
        coefficients = chebyshev(lambda t, f=form, x=place: f(x(t)))
        if in_powers:
            coefficients = powers(coefficients)
        print(f"{name} = (")
        for c in coefficients:
            print(f"    {m.nstr(c, 18, min_fixed=-5, max_fixed=3)},")
        print(")", flush=True)


if __name__ == "__main__":
    main()
