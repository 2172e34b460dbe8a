"""The error function and its family: complement, inverse, normal distribution.

    erf x = 2/sqrt(pi) int_0^x e^(-t^2) dt,      Phi(x) = erfc(-x / sqrt 2) / 2

near 0 by a polynomial in x^2, in the tail as e^(-x^2) times a smooth function (DLMF,
chapter 7). The inverse is y times a polynomial in y^2, and in the tail a smooth
function of r = sqrt(-ln(1 - y)), as M. J. Wichura has it ("Algorithm AS 241", Applied
Statistics 37, 1988). `tools/fit_special.py` makes the polynomials.
"""

from __future__ import annotations

import math
from typing import Any

from dotori.ops._op import follow
from dotori.ops.approximation import (
    INFINITY,
    horner,
    in_blocks,
    in_float64,
    in_powers,
    piecewise,
)
from dotori.ops.elementwise import Unary
from dotori.ops.normal import SERIES

ROOT_HALF = math.sqrt(0.5)
TWO_BY_ROOT_PI = 2 / math.sqrt(math.pi)


_ERF = (
    0.965468738669867301,
    -0.140536089022717119,
    0.0198524966889842187,
    -0.00228548556114411321,
    0.000217517156035634049,
    -1.75371694411248254e-5,
    1.22338276381169979e-6,
    -7.51156928660088963e-8,
    4.11575149758864577e-9,
    -2.03522840489946704e-10,
    9.21125125834826527e-12,
    -3.80788273952634126e-13,
)
_ERFINV = (
    0.964021637623827039,
    0.0934678108287231243,
    0.0196911562414999613,
    0.00517301341436698135,
    0.00150972288664880974,
    0.000468549079766559297,
    0.000151395793172233685,
    5.03291389927601137e-5,
    1.70882708691153597e-5,
    5.89736970710624848e-6,
    2.06180763408878514e-6,
    7.28441008753750618e-7,
    2.59628886896142675e-7,
    9.3334984754643646e-8,
    3.37416820793226211e-8,
    1.20695268192717824e-8,
    4.38656680748224464e-9,
    1.81950839674743372e-9,
    6.83870970155969598e-10,
    1.04030240129178051e-10,
    3.24511684229927491e-11,
    7.14178558158703153e-11,
    2.76821984034224198e-11,
)
_INVERSE_NEAR = (
    0.803423397527759113,
    0.104552588313293821,
    -0.0420071623968380882,
    0.0145003024678372546,
    -0.00437284417199649953,
    0.00111138314317258441,
    -0.000203847117731078998,
    2.37238526107577527e-6,
    2.13246110566225941e-5,
    -1.33966870760553426e-5,
    5.81850694597307466e-6,
    -2.03943817040200537e-6,
    5.77161688040254016e-7,
    -1.13921186545048333e-7,
    5.55632772693483148e-11,
    1.49167638009771048e-8,
    -9.634368958222565e-9,
    3.97193642184755176e-9,
    -1.43145598020409284e-9,
    6.76276787194626428e-10,
    -1.81261679856283852e-10,
    -7.55344230625039714e-11,
    4.28301276236606152e-11,
)
_INVERSE_MIDDLE = (
    0.952218005450994069,
    0.0350427756096050434,
    -0.0201105191411450813,
    0.0104593497778488796,
    -0.00514538167643400367,
    0.00243701839095965957,
    -0.00112088767974676012,
    0.000502841828213148086,
    -0.000220471045499782321,
    9.45189741379794493e-5,
    -3.95868304674982733e-5,
    1.61596515824677669e-5,
    -6.40091314868579626e-6,
    2.44308477098852735e-6,
    -8.90502679876856376e-7,
    3.00907527685449482e-7,
    -8.23869571358783752e-8,
    1.57141178036996733e-8,
    -7.36117271011146353e-9,
    -1.21900971469788511e-10,
    1.04956803661252387e-8,
    -5.64777387327746588e-9,
    -2.4928778015299944e-9,
    1.08418845962097437e-9,
    1.41337588520053182e-9,
    -6.48121461125021439e-10,
)
_INVERSE_FAR = (
    0.994383283123980893,
    0.00576770516154189109,
    -0.00461001828367120384,
    0.0033409158607991428,
    -0.00229824508087494686,
    0.00153072443189151189,
    -0.000997349046526239018,
    0.000639538513535017771,
    -0.000405149100436968191,
    0.000254216753389353512,
    -0.00015827700252993535,
    9.79175427793147903e-5,
    -6.02442018058888946e-5,
    3.68392942428155126e-5,
    -2.24439017626021125e-5,
    1.38478832459165668e-5,
    -8.45161518783257451e-6,
    4.4256227067190279e-6,
    -2.49813042331113643e-6,
    3.08341097198186402e-6,
    -2.15045046588251211e-6,
    -1.46153559550588357e-6,
    1.27783494577023971e-6,
    2.76010943353501281e-6,
    -2.0329122786390137e-6,
    -2.08380564800295394e-6,
    1.50134280298095262e-6,
    1.28936346187434519e-6,
    -8.82221792358738417e-7,
    -4.46645778641082328e-7,
    2.95620454037115949e-7,
    8.4513250029290743e-8,
    -5.35651241063632678e-8,
)


# By the bytes of a float: fewer terms for float32.
_NEAR = {4: _ERF[:8], 8: _ERF}
_TAIL = {4: in_powers(SERIES[:12]), 8: in_powers(SERIES)}


# ---- formulas for float64 arrays; erf for float32 as well


def scaled_tail(x: Any) -> Any:
    """e^(x^2) erfc(x) for x >= 0."""
    return horner(1 - 7.5 / (x + 3.75), _TAIL[x.dtype.itemsize]) / (2 * x + 1)


def exp_square(xp: Any, x: Any, factor: float) -> Any:
    """e^(factor x^2) to the last digits.

    Rounding x^2 would cost as many as x^2 has before the point; x is split into a short
    number, whose square is exact, and a small rest (W. J. Cody, Mathematics of
    Computation 23, 1969).
    """
    x = xp.minimum(abs(x), 60.0)  # beyond, the result is 0 or infinite anyway
    short = xp.floor(x * 16) / 16
    rest = (x - short) * (x + short)
    return xp.exp(short * short * factor) * xp.exp(rest * factor)


def erf_near_0(x: Any) -> Any:
    """erf for |x| <= 1."""
    return x * horner(2 * x * x - 1, _NEAR[x.dtype.itemsize])


def erf(xp: Any, x: Any) -> Any:
    def tail(z: Any) -> Any:
        return 1 - xp.exp(-z * z) * scaled_tail(z)

    def far(z: Any) -> Any:
        return xp.ones_like(z)

    y = piecewise(xp, abs(x), (1.0, erf_near_0), (6.0, tail), (INFINITY, far))
    return xp.copysign(y, x)


def erfc(xp: Any, x: Any) -> Any:
    def tail(z: Any) -> Any:
        return exp_square(xp, z, -1.0) * scaled_tail(z)

    return piecewise(
        xp,
        x,
        (-1.0, lambda z: 2 - tail(-z)),
        (0.5, lambda z: 1 - erf_near_0(z)),
        (INFINITY, tail),
    )


def erfcx(xp: Any, x: Any) -> Any:
    def left(z: Any) -> Any:
        return 2 * exp_square(xp, z, 1.0) - scaled_tail(-z)

    return piecewise(xp, x, (0.0, left), (INFINITY, scaled_tail))


def ndtr(xp: Any, x: Any) -> Any:
    def tail(z: Any) -> Any:
        return exp_square(xp, z, -0.5) * scaled_tail(z * ROOT_HALF) * 0.5

    return piecewise(
        xp,
        x,
        (-1.0, lambda z: tail(-z)),
        (1.0, lambda z: erf_near_0(z * ROOT_HALF) * 0.5 + 0.5),
        (INFINITY, lambda z: 1 - tail(z)),
    )


def log_ndtr(xp: Any, x: Any) -> Any:
    def left(z: Any) -> Any:
        return xp.log(scaled_tail(z * -ROOT_HALF) * 0.5) - z * (z * 0.5)

    def right(z: Any) -> Any:
        return xp.log1p(-ndtr(xp, -z))

    return piecewise(xp, x, (-1.0, left), (INFINITY, right))


def erfinv_near_0(y: Any) -> Any:
    """erfinv for |y| <= 3/4."""
    return y * horner(y * y / 0.28125 - 1, _ERFINV)


def inverse_tail(xp: Any, q: Any) -> Any:
    """x where erfc(x) = q, for q <= 1/4."""
    r = xp.sqrt(-xp.log(q))
    return piecewise(
        xp,
        r,
        (2.5, lambda r: r * horner((r - 1.75) / 0.75, _INVERSE_NEAR)),
        (7.0, lambda r: r * horner((r - 4.75) / 2.25, _INVERSE_MIDDLE)),
        (28.0, lambda r: r * horner((r - 17.5) / 10.5, _INVERSE_FAR)),
        (INFINITY, lambda r: r),  # infinite, as erfc is 0 from there on
    )


def erfinv(xp: Any, y: Any) -> Any:
    z = piecewise(
        xp,
        abs(y),
        (0.75, erfinv_near_0),
        (INFINITY, lambda a: inverse_tail(xp, 1 - a)),
    )
    return xp.copysign(z, y)


def ndtri(xp: Any, p: Any) -> Any:
    z = piecewise(
        xp,
        p,
        (0.125, lambda p: -inverse_tail(xp, 2 * p)),
        (0.875, lambda p: erfinv_near_0(2 * p - 1)),
        (INFINITY, lambda p: inverse_tail(xp, 2 * (1 - p))),
    )
    return z / ROOT_HALF


# ---- operations


class Erf(Unary):
    """y = erf x; y' = 2/sqrt(pi) e^(-x^2).

    In float32 if x is no wider: what is rounded is small beside the result. The other
    functions fall towards 0, where that would show.
    """

    real = True
    saves = ("x",)
    floats = True
    torch = "erf"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        inside = "float32" if x.dtype.itemsize <= 4 else "float64"
        return in_blocks(xp, erf, inside, x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy * TWO_BY_ROOT_PI * xp.exp(-x * x)


class Erfc(Unary):
    """y = 1 - erf x; y' = -2/sqrt(pi) e^(-x^2)."""

    real = True
    saves = ("x",)
    floats = True
    torch = "erfc"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, erfc, x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy * -TWO_BY_ROOT_PI * xp.exp(-x * x)


class Erfcx(Unary):
    """y = e^(x^2) erfc x; y' = 2xy - 2/sqrt(pi)."""

    real = True
    saves = ("x", "y")
    floats = True
    torch = "special.erfcx"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, erfcx, x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, y: Any) -> Any:
        return dy * (2 * x * y - TWO_BY_ROOT_PI)


class Erfinv(Unary):
    """y with erf y = x; y' = sqrt(pi)/2 e^(y^2)."""

    real = True
    saves = ("y",)
    floats = True
    low, high = -0.9, 0.9
    torch = "erfinv"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, erfinv, x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy / TWO_BY_ROOT_PI * xp.exp(y * y)


class Ndtr(Unary):
    """y = Phi(x), to the last digits; y' = e^(-x^2/2) / sqrt(2 pi)."""

    real = True
    saves = ("x",)
    floats = True
    torch = "special.ndtr"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, ndtr, x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy / math.sqrt(2 * math.pi) * xp.exp(x * x * -0.5)


class Ndtri(Unary):
    """y with Phi(y) = x; y' = sqrt(2 pi) e^(y^2/2)."""

    real = True
    saves = ("y",)
    floats = True
    low, high = 0.05, 0.95
    torch = "special.ndtri"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, ndtri, x)

    @staticmethod
    def backward(xp: Any, dy: Any, y: Any) -> Any:
        return dy * math.sqrt(2 * math.pi) * xp.exp(y * y * 0.5)


class LogNdtr(Unary):
    """y = ln Phi(x); y' = sqrt(2/pi) / erfcx(-x / sqrt 2)."""

    real = True
    saves = ("x",)
    floats = True
    torch = "special.log_ndtr"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, log_ndtr, x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy * math.sqrt(2 / math.pi) / follow(Erfcx, xp, x * -ROOT_HALF)
