"""The incomplete gamma functions P(a, x) and Q(a, x) = 1 - P(a, x).

Each region has its formula, which gives the smaller of the two with all its digits:
a power series (DLMF 8.11.4), a continued fraction (8.9.2), an alternating series for
small x (8.7.3), and for a > 20 with x near a Temme's uniform expansion (8.12.7).
Where the series and the fraction take over follows N. M. Temme, "The asymptotic
expansion of the incomplete gamma functions", SIAM J. Math. Anal. 10, 1979.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import Any

from dotori.errors import GradientError
from dotori.ops._op import Op, Sample, follow
from dotori.ops.approximation import INFINITY, by_case, horner, in_float64
from dotori.ops.error_function import erfc
from dotori.ops.gamma import LGamma, lgamma, log_gamma_1p, stirling_rest

EPSILON = 1e-17
MOST_TERMS = 2000


def gammainc(xp: Any, a: Any, x: Any) -> Any:
    """P(a, x), for float64 arrays."""
    return _either(xp, a, x, False)


def gammaincc(xp: Any, a: Any, x: Any) -> Any:
    """Q(a, x), for float64 arrays."""
    return _either(xp, a, x, True)


def _either(xp: Any, a: Any, x: Any, upper: bool) -> Any:
    """Q if `upper`, else P: by the formula of its region."""

    def lower_one(f: Any) -> Any:
        return (lambda a, x: 1 - f(xp, a, x)) if upper else lambda a, x: f(xp, a, x)

    def upper_one(f: Any) -> Any:
        return (lambda a, x: f(xp, a, x)) if upper else lambda a, x: 1 - f(xp, a, x)

    inside = (a > 0) & (x > 0) & (a < INFINITY) & (x < INFINITY)
    near = inside & (a > 20) & (abs(x - a) < 0.3 * a)
    rest = inside & ~near
    # For small x: Q is close to 0 for small a, P for greater ones.
    bound = xp.where(x > 0.5, x * 1.1, -0.4 / xp.log(xp.clip(x, 1e-320, 0.5)))
    low_series = rest & xp.where(x > 1.1, x < a, a > bound)
    alternating = rest & ~low_series & (x <= 1.1)
    fraction = rest & ~low_series & (x > 1.1)
    return by_case(
        xp,
        (near, lambda a, x: _uniform(xp, a, x, upper)),
        (low_series, lower_one(_power_series)),
        (alternating, upper_one(_alternating_series)),
        (fraction, upper_one(_continued_fraction)),
        xs=(a, x),
        other=_at_the_edge(xp, a, x, upper),
    )


def _at_the_edge(xp: Any, a: Any, x: Any, upper: bool) -> Any:
    """0 or 1 where an argument is 0 or infinite; NaN elsewhere."""
    right = (x == INFINITY) & (a >= 0) & (a < INFINITY) | (a == 0) & (x > 0)
    left = (a == INFINITY) & (x >= 0) & (x < INFINITY) | (x == 0) & (a > 0)
    zero, one = (right, left) if upper else (left, right)
    return xp.where(one, 1.0, xp.where(zero, 0.0, xp.nan))


def _log_excess(xp: Any, a: Any, x: Any) -> Any:
    """mu - ln(1 + mu) with mu = x/a - 1, without cancellation.

    ln(1 + mu) = 2 artanh v with v = mu / (2 + mu), and mu - 2v = mu v.
    """
    mu = (x - a) / a
    v = (x - a) / (x + a)
    series = [2 / (2 * k + 3) for k in range(13)]
    near = mu * v - v**3 * horner(v * v, series)
    return xp.where(abs(v) < 0.2, near, mu - xp.log(x / a))


def _front(xp: Any, a: Any, x: Any) -> Any:
    """x^a e^-x / gamma(a + 1)."""

    def large(a: Any, x: Any) -> Any:
        exponent = -a * _log_excess(xp, a, x) - stirling_rest(a)
        return xp.exp(exponent) / xp.sqrt(2 * math.pi * a)

    def small(a: Any, x: Any) -> Any:
        return xp.exp(a * xp.log(x) - x - lgamma(xp, a + 1))

    return by_case(xp, (a >= 20, large), (a < 20, small), xs=(a, x))


def _power_series(xp: Any, a: Any, x: Any) -> Any:
    """P = front (1 + x/(a+1) + x^2/((a+1)(a+2)) + ...)  (DLMF 8.11.4)."""
    total = term = xp.ones_like(x)
    for n in range(1, MOST_TERMS):
        term = term * x / (a + n)
        total = total + term
        if (term <= EPSILON * total).all():
            break
    return total * _front(xp, a, x)


def _alternating_series(xp: Any, a: Any, x: Any) -> Any:
    """Q = 1 - x^a/gamma(a+1) (1 + a sum_n (-x)^n / (n! (a + n)))  (DLMF 8.7.1)."""
    total, term = xp.zeros_like(x), xp.ones_like(x)
    for n in range(1, 30):  # x <= 1.1
        term = term * -x / n
        total = total + term / (a + n)
    exponent = a * xp.log(x) - log_gamma_1p(xp, a)
    return -xp.expm1(exponent) - xp.exp(exponent) * a * total


def _continued_fraction(xp: Any, a: Any, x: Any) -> Any:
    """Q by DLMF 8.9.2, contracted; evaluated forwards by Lentz's method."""
    b = x + 1 - a
    c = xp.full_like(x, 1e300)
    d = value = 1 / b
    done = x != x
    for n in range(1, MOST_TERMS):
        numerator = n * (a - n)
        b = b + 2
        d = 1 / (numerator * d + b)
        c = b + numerator / c
        step = c * d
        done = done | (abs(step - 1) < 3e-16)
        value = xp.where(done, value, value * step)
        if done.all():
            break
    return value * a * _front(xp, a, x)


def _uniform(xp: Any, a: Any, x: Any, upper: bool) -> Any:
    """Temme's expansion: DLMF 8.12.3, 8.12.4 and 8.12.7."""
    half_square = _log_excess(xp, a, x)  # eta^2 / 2
    sign = 1.0 if upper else -1.0
    eta = xp.copysign(xp.sqrt(2 * half_square), x - a)
    total = xp.zeros_like(x)
    for row in reversed(temme_coefficients()):
        total = total / a + horner(eta, row)
    rest = xp.exp(-a * half_square) / xp.sqrt(2 * math.pi * a) * total
    return erfc(xp, sign * eta * xp.sqrt(a / 2)) / 2 + sign * rest


@cache
def temme_coefficients(rows: int = 13, columns: int = 22) -> list[list[float]]:
    """c_k(eta) as power series: row k holds its coefficients (DLMF 8.12.9 to 8.12.12).

    In exact fractions: c_0 = 1/mu - 1/eta, and c_k = c_{k-1}' / eta + (-1)^k g_k / mu,
    where g_k is such that no power eta^-1 is left.
    """
    length = columns + 2 * rows
    mu = _mu_by_eta(length + 2)
    over_mu = _reciprocal([mu[k + 1] for k in range(length + 1)])  # eta / mu
    row = over_mu[1:]
    found = [row]
    for _ in range(1, rows):
        slope = [k * row[k] for k in range(1, len(row))]  # c', from eta^0 on
        g = -slope[0]
        row = [slope[k] + g * over_mu[k] for k in range(1, len(slope))]
        found.append(row)
    return [[float(c) for c in row[:columns]] for row in found]


def _mu_by_eta(length: int) -> list[Fraction]:
    """mu = eta + eta^2/3 + ...: from mu - ln(1 + mu) = eta^2/2 follows
    mu mu' = eta (1 + mu), which gives one coefficient after the other."""
    mu = [Fraction(0), Fraction(1)]
    for n in range(2, length):
        mixed = sum(mu[i] * (n + 1 - i) * mu[n + 1 - i] for i in range(2, n))
        mu.append((mu[n - 1] - mixed) / (n + 1))
    return mu


def _reciprocal(series: list[Fraction]) -> list[Fraction]:
    """The power series of 1 / series; series[0] is 1."""
    found = [Fraction(1)]
    for n in range(1, len(series)):
        known = sum((series[k] * found[n - k] for k in range(1, n + 1)), Fraction(0))
        found.append(-known)
    return found


class _Incomplete(Op, abstract=True):
    """P or Q; differentiable by x alone, as in PyTorch."""

    saves = ("a", "x")
    floats = True

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((2.0, rng.uniform(0.3, 4, (3, 4))))
        yield Sample((30.0, rng.uniform(25, 35, ())))


class GammaInc(_Incomplete):
    """y = P(a, x); dy/dx = x^(a-1) e^-x / gamma(a)."""

    real = True

    @staticmethod
    def forward(xp: Any, a: Any, x: Any) -> Any:
        return in_float64(xp, gammainc, a, x)

    @staticmethod
    def torch(a: float, x: Any) -> Any:
        import torch

        return torch.special.gammainc(x.new_tensor(a), x)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, x: Any) -> Any:
        return None, dy * _density(xp, needs, a, x)


class GammaIncC(_Incomplete):
    """y = Q(a, x) = 1 - P(a, x); dy/dx = -x^(a-1) e^-x / gamma(a)."""

    real = True

    @staticmethod
    def forward(xp: Any, a: Any, x: Any) -> Any:
        return in_float64(xp, gammaincc, a, x)

    @staticmethod
    def torch(a: float, x: Any) -> Any:
        import torch

        return torch.special.gammaincc(x.new_tensor(a), x)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, a: Any, x: Any) -> Any:
        return None, -dy * _density(xp, needs, a, x)


def _density(xp: Any, needs: Any, a: Any, x: Any) -> Any:
    """The slope of P in x."""
    if needs[0]:
        raise GradientError(
            "the incomplete gamma functions have no gradient for their first argument "
            "(nor have PyTorch's); detach it"
        )
    log_gamma = math.lgamma(a) if isinstance(a, float) else follow(LGamma, xp, a)
    return xp.exp((a - 1) * xp.log(x) - x - log_gamma)
