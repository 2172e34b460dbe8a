"""Gamma and its logarithm's derivatives; Hurwitz's zeta function.

About its roots a function is (x - root) times a polynomial, so that no digits cancel;
elsewhere arguments are moved far out, where the asymptotic series holds (DLMF 5.11.1,
5.11.2 and 25.11.43), and negative ones are reflected (5.5.3, 5.5.4).
`tools/fit_special.py` makes the polynomials.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from dotori.errors import GradientError
from dotori.ops._op import Op, Sample, follow
from dotori.ops.approximation import INFINITY, by_case, horner, in_float64, piecewise
from dotori.ops.elementwise import Unary

HALF_LOG_TWO_PI = math.log(2 * math.pi) / 2

# B_2, B_4, ...: Bernoulli's numbers (DLMF 24.2.10).
BERNOULLI = (
    1 / 6,
    -1 / 30,
    1 / 42,
    -1 / 30,
    5 / 66,
    -691 / 2730,
    7 / 6,
    -3617 / 510,
    43867 / 798,
    -174611 / 330,
)
_LOG_GAMMA = tuple(
    b / (2 * k * (2 * k - 1)) for k, b in enumerate(BERNOULLI[:9], start=1)
)
_PSI = tuple(-b / (2 * k) for k, b in enumerate(BERNOULLI[:9], start=1))

# The root of digamma, whose digits go beyond those of one float64.
ROOT = 1.4616321449683622
ROOT_REST = 9.549995429965697e-17

_ABOUT_ONE = (
    -0.577215664901532861,
    0.411233516712056562,
    -0.100171408596632669,
    0.0338226010534795765,
    -0.0129615969393060222,
    0.00529866178090122556,
    -0.00225077963660828805,
    0.000980544298299057231,
    -0.000434899482219505649,
    0.000195506697280017174,
    -8.88222259565284408e-5,
    4.07004954033004476e-5,
    -1.87826884003846838e-5,
    8.71813434542190486e-6,
    -4.06777029347345884e-6,
    1.91270149153051833e-6,
    -9.01479357264929602e-7,
    4.12192106757167402e-7,
    -1.92846752794704711e-7,
    1.13398920298278254e-7,
    -5.69077454705265811e-8,
    2.25035696049175753e-9,
    1.34162858343334632e-9,
    1.90486401120660672e-8,
    -1.04576946469831212e-8,
    -5.21170518829764577e-9,
    2.9300069217588621e-9,
    1.73787923159144008e-9,
    -8.99080904342447866e-10,
)
_ABOUT_TWO = (
    0.422784335098467136,
    0.161233516712056618,
    -0.0168380752632989025,
    0.00257260105347254193,
    -0.000461596939308623381,
    9.0328447844899129e-5,
    -1.86367797018812796e-5,
    3.98179308865966651e-6,
    -8.71699135505154085e-7,
    1.94253270314389918e-7,
    -4.38708174645962846e-8,
    1.00124923695785797e-8,
    -2.30867629897708068e-9,
    5.35245597147140445e-10,
    -1.20494900713535064e-10,
    2.80758608266338949e-11,
    -8.86917305084115769e-12,
    2.12707621707854042e-12,
)
_DIGAMMA = (
    0.951055876031832879,
    -0.211813710640730301,
    0.0601356210601968425,
    -0.0185506153817350084,
    0.00593679527830176124,
    -0.00193506666486130704,
    0.000636888030386581667,
    -0.000210748411381755614,
    6.99501882511279383e-5,
    -2.32582425191132855e-5,
    7.74123450863636361e-6,
    -2.57809395404577217e-6,
    8.58906072193069426e-7,
    -2.86316116688319304e-7,
    9.54329828827827398e-8,
    -3.16291114740845416e-8,
    1.05276924350266868e-8,
    -3.70837532428072759e-9,
    1.24699846167074037e-9,
    -2.75809948143769984e-10,
    8.73452842914295289e-11,
    -8.50550766013261025e-11,
    2.91862273216826115e-11,
)


# ---- formulas for float64 arrays


def stirling_rest(x: Any) -> Any:
    """ln gamma(x) - (x - 1/2) ln x + x - ln(2 pi)/2, for x >= 8 (DLMF 5.11.1)."""
    return horner(1 / (x * x), _LOG_GAMMA) / x


def _sin_pi(xp: Any, x: Any) -> Any:
    """|sin(pi x)|, exactly 0 at whole numbers."""
    return xp.sin(math.pi * abs(x - xp.rint(x)))


def lgamma(xp: Any, x: Any) -> Any:
    """ln |gamma(x)|."""

    def negative(x: Any) -> Any:
        sine = _sin_pi(xp, x)
        y = math.log(math.pi) - xp.log(sine * -x) - lgamma(xp, -x)
        return xp.where(sine == 0, INFINITY, y)

    def tiny(x: Any) -> Any:  # gamma(x) is 1/x; 0 and -0 are poles
        return -xp.log(abs(x))

    def about_1(x: Any) -> Any:
        return (x - 1) * horner(2 * x - 2, _ABOUT_ONE)

    def about_2(x: Any) -> Any:
        return (x - 2) * horner(2 * x - 4, _ABOUT_TWO)

    def moved(x: Any) -> Any:  # gamma(x + 6) = x (x + 1) ... (x + 5) gamma(x)
        product = x * (x + 5)
        return large(x + 6) - xp.log(product * (product + 4) * (product + 6))

    def large(x: Any) -> Any:
        x = xp.minimum(x, 1e306)  # from there on the result is infinite
        log = xp.log(x)
        return (x - 0.5) * (log - 1) + (HALF_LOG_TWO_PI - 0.5 + stirling_rest(x))

    y = piecewise(
        xp,
        x,
        (-1e-17, negative),
        (1e-17, tiny),
        (0.5, lambda x: about_1(x + 1) - xp.log(x)),
        (1.5, about_1),
        (2.5, about_2),
        (8.0, moved),
        (INFINITY, large),
    )
    return xp.where(abs(x) >= 1e306, INFINITY, y)


def log_gamma_1p(xp: Any, x: Any) -> Any:
    """ln gamma(1 + x) for x >= 0, without a loss where x is small."""
    near = x * horner(2 * xp.minimum(x, 0.5), _ABOUT_ONE)
    return xp.where(x <= 0.5, near, lgamma(xp, x + 1))


def digamma(xp: Any, x: Any) -> Any:
    """The derivative of ln gamma(x)."""

    def reflected(x: Any) -> Any:
        off = x - xp.rint(x)
        y = digamma(xp, 1 - x) - math.pi / xp.tan(math.pi * off)
        y = xp.where(off == 0, xp.nan, y)
        return xp.where(x == 0, xp.copysign(INFINITY, -x), y)

    def about_root(x: Any) -> Any:
        return ((x - ROOT) - ROOT_REST) * horner(2 * x - 3, _DIGAMMA)

    def moved(x: Any) -> Any:  # psi(x + 8) = 1/x + ... + 1/(x + 7) + psi(x)
        total = 1 / x
        for k in range(1, 8):
            total += 1 / (x + k)
        return large(x + 8) - total

    def large(x: Any) -> Any:
        inverse = 1 / x
        square = inverse * inverse
        return xp.log(x) - 0.5 * inverse + square * horner(square, _PSI)

    return piecewise(
        xp,
        x,
        (1e-3, reflected),
        (1.0, lambda x: about_root(x + 1) - 1 / x),
        (2.0, about_root),
        (10.0, moved),
        (INFINITY, large),
    )


def zeta(xp: Any, s: Any, q: Any) -> Any:
    """The sum of (q + k)^-s, k = 0, 1, ...: NaN for s < 1 and where q^s is not real.

    Nine terms, then Euler and Maclaurin's formula (DLMF 25.11.43).
    """
    whole, pole = xp.floor(s) == s, (q <= 0) & (xp.floor(q) == q)
    return by_case(
        xp,
        (s == 1, lambda s, q: xp.full_like(s, INFINITY)),
        ((s > 1) & pole, lambda s, q: xp.full_like(s, INFINITY)),
        ((s > 1) & (q > 0), lambda s, q: _zeta_sum(xp, s, q)),
        ((s > 1) & (q < 0) & whole & ~pole, lambda s, q: _zeta_left(xp, s, q)),
        xs=(s, q),
    )


def _zeta_sum(xp: Any, s: Any, q: Any) -> Any:
    total = q**-s
    for k in range(1, 9):
        total += (q + k) ** -s
    a = q + 9
    power = a ** (1 - s)
    total += power / (s - 1)
    power = power / a
    total += power * 0.5
    factor = s / a
    for k, b in enumerate(BERNOULLI, start=1):
        total += power * factor * (b / math.factorial(2 * k))
        factor = factor * ((s + (2 * k - 1)) / a) * ((s + 2 * k) / a)
    # Far out all terms but the first vanish, while the factors overflow.
    return xp.where((s > 200) | ~xp.isfinite(total), _zeta_head(xp, s, q), total)


def _zeta_head(xp: Any, s: Any, q: Any) -> Any:
    """The same where terms fall fast, or q is infinite."""
    total = q**-s
    for k in range(1, 60):
        total += (q + k) ** -s
    return total


def _zeta_left(xp: Any, s: Any, q: Any) -> Any:
    """For q = f - m < 0 with 0 < f < 1.

    The m terms below 0 are, but for their sign (-1)^s, zeta(s, 1 - f) up to its term
    number m. The two greatest terms, beside 0, are added first: they may cancel.
    """
    m = -xp.floor(q)
    f = q + m
    sign = xp.where(s % 2 == 0, 1.0, -1.0)
    greatest = f**-s + sign * (1 - f) ** -s
    below = _zeta_sum(xp, s, 2 - f) - _zeta_sum(xp, s, 1 - f + m)
    return greatest + (_zeta_sum(xp, s, 1 + f) + sign * below)


def polygamma(n: int) -> Any:
    """The formula for the derivative number n of digamma (DLMF 5.15.1, 25.11.12)."""
    if n == 0:
        return digamma
    factor = (-1.0) ** (n + 1) * (math.factorial(n) if n < 171 else INFINITY)

    def formula(xp: Any, x: Any) -> Any:
        return factor * zeta(xp, xp.full_like(x, n + 1.0), x)

    return formula


# ---- operations


class LGamma(Unary):
    """y = ln |gamma(x)|; y' = digamma(x)."""

    real = True
    saves = ("x",)
    floats = True
    low, high = 0.2, 4.0
    torch = "lgamma"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, lgamma, x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy * follow(Polygamma, xp, x, n=0)


class Polygamma(Op):
    """y = derivative number n of digamma = (ln gamma)'; y' is the next one."""

    real = True
    saves = ("x",)
    floats = True

    @staticmethod
    def forward(xp: Any, x: Any, *, n: int) -> Any:
        return in_float64(xp, polygamma(n), x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, *, n: int) -> Any:
        return dy * follow(Polygamma, xp, x, n=n + 1)

    @staticmethod
    def torch(x: Any, n: int) -> Any:
        return x.polygamma(n)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        for n in range(4):
            yield Sample((rng.uniform(0.3, 4, (3, 4)),), {"n": n})
        yield Sample((rng.uniform(-1.9, -1.1, ()),), {"n": 1})


class Zeta(Op):
    """y = the sum of (q + k)^-s over k = 0, 1, ...; dy/dq = -s zeta(s + 1, q)."""

    real = True
    saves = ("s", "q")
    floats = True
    torch = "special.zeta"

    @staticmethod
    def forward(xp: Any, s: Any, q: Any) -> Any:
        return in_float64(xp, zeta, s, q)

    @staticmethod
    def backward(xp: Any, dy: Any, needs: Any, s: Any, q: Any) -> Any:
        if needs[0]:
            raise GradientError(
                "zeta has no gradient for its first argument (nor has PyTorch's); "
                "detach it"
            )
        return None, -dy * s * follow(Zeta, xp, s + 1, q)

    @staticmethod
    def samples(rng: Any) -> Iterator[Sample]:
        yield Sample((2.0, rng.uniform(0.3, 4, (3, 4))))
