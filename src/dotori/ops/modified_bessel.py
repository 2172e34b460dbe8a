"""The modified Bessel functions I and K of orders 0 and 1, plain and scaled.

Up to x = 8 (for K up to 2) by their power series, whose terms have one sign (DLMF
10.25.2, 10.31.1); beyond as e^x / sqrt(x) (for K e^-x / sqrt(x)) times a smooth
function of 1/x (10.40), whose Chebyshev series `tools/fit_special.py` makes.
"""

from __future__ import annotations

import math
from typing import Any

from dotori.ops._op import follow
from dotori.ops.approximation import INFINITY, clenshaw, horner, in_float64, piecewise
from dotori.ops.elementwise import Unary

_I0_LARGE = (
    0.402245205507054416,
    0.00336911647825569409,
    6.88975834691682398e-5,
    2.89137052083475648e-6,
    2.04891858946906374e-7,
    2.26666899049817806e-8,
    3.39623202570838635e-9,
    4.94060238822496959e-10,
    1.18891471078464383e-11,
    -3.14991652796324136e-11,
    -1.32158118404477131e-11,
    -1.79417853150680612e-12,
    7.18012445138366623e-13,
    3.8527783827421427e-13,
    1.54008621752140983e-14,
    -4.15056934728722209e-14,
    -9.55484669882830765e-15,
    3.81168066935262242e-15,
    1.77256013305652638e-15,
    -3.42548561967721913e-16,
    -2.82762398051658348e-16,
    3.46122286769746109e-17,
    4.46562142029676e-17,
    -4.83050448594418207e-18,
    -7.23318048787475395e-18,
)
_I1_LARGE = (
    0.38928811750914006,
    -0.00976109749136146841,
    -0.000110588938762623716,
    -3.88256480887769039e-6,
    -2.51223623787020893e-7,
    -2.63146884688951951e-8,
    -3.83538038596423702e-9,
    -5.58974346219658381e-10,
    -1.89749581235054123e-11,
    3.25260358301548824e-11,
    1.41258074366137813e-11,
    2.03562854414708951e-12,
    -7.19855177624590851e-13,
    -4.08355111109219732e-13,
    -2.10154184277266431e-14,
    4.27244001671195135e-14,
    1.04202769841288028e-14,
    -3.8144030724370078e-15,
    -1.88035477551078245e-15,
    3.30820231092092828e-16,
    2.96262899764595014e-16,
    -3.20952592199342396e-17,
    -4.65030536848935833e-17,
    4.41434832307170795e-18,
    7.51729631084210481e-18,
)
_K0_LARGE = (
    1.22015154103297773,
    -0.0314481013119645005,
    0.00156988388573005337,
    -0.000128495495816278026,
    1.39498137188764994e-5,
    -1.83175552271911948e-6,
    2.76681363944501508e-7,
    -4.66048989768794767e-8,
    8.57403401741422609e-9,
    -1.69753450938906152e-9,
    3.57739728140032845e-10,
    -7.95748924447739704e-11,
    1.85594911495492655e-11,
    -4.51459788337451918e-12,
    1.14034058820734423e-12,
    -2.98009692314817835e-13,
    8.03289077506837437e-14,
    -2.22751332674629636e-14,
    6.34007647627664597e-15,
    -1.84859337792090717e-15,
    5.51205599940433336e-16,
    -1.67823112575490064e-16,
    5.21039177764355411e-17,
    -1.64758059398426328e-17,
)
_K1_LARGE = (
    1.36031309524222133,
    0.103923736576817238,
    -0.00285781685962277939,
    0.000195215518471351631,
    -1.93619797416608296e-5,
    2.40648494783721712e-6,
    -3.50196060308781254e-7,
    5.74108412545004929e-8,
    -1.0345762465678097e-8,
    2.01504975519703462e-9,
    -4.19035475934192558e-10,
    9.21831518760531413e-11,
    -2.12996783842779102e-11,
    5.13963967348234354e-12,
    -1.28917396094982294e-12,
    3.34841966605224312e-13,
    -8.97670518201014607e-14,
    2.47715442421959868e-14,
    -7.01983708921476885e-15,
    2.03870316623986088e-15,
    -6.05704727064301782e-16,
    1.83809357524304543e-16,
    -5.68946284919364837e-17,
    1.79405104788635729e-17,
)

# I_0 and 2/x I_1 as series in (x/2)^2: 1 / (k!)^2 and 1 / (k! (k+1)!).
_I0 = tuple(1 / math.factorial(k) ** 2 for k in range(26))
_I1 = tuple(1 / (math.factorial(k) * math.factorial(k + 1)) for k in range(26))
# psi(k + 1) = 1 + 1/2 + ... + 1/k - Euler's constant, in the series of K.
_PSI = tuple(
    math.fsum(1 / j for j in range(1, k + 1)) - 0.57721566490153286 for k in range(13)
)
_K0 = tuple(p * c for p, c in zip(_PSI, _I0, strict=False))
_K1 = tuple((_PSI[k] + _PSI[k + 1]) / 2 * _I1[k] for k in range(12))


# ---- formulas for float64 arrays


def _i(xp: Any, x: Any, order: int, scaled: bool) -> Any:
    """I_order(|x|), times e^-|x| if `scaled`."""

    def near(x: Any) -> Any:
        y = horner(x * x / 4, (_I0, _I1)[order])
        if order:
            y *= x / 2
        return y * xp.exp(-x) if scaled else y

    def far(x: Any) -> Any:
        y = clenshaw(16 / x - 1, (_I0_LARGE, _I1_LARGE)[order]) / xp.sqrt(x)
        if scaled:
            return y
        half = xp.exp(x / 2)  # e^x may overflow where I does not
        return y * half * half

    return piecewise(xp, abs(x), (8.0, near), (INFINITY, far))


def _k(xp: Any, x: Any, order: int, scaled: bool) -> Any:
    """K_order(x), times e^x if `scaled`: infinite at 0, NaN below."""

    def near(x: Any) -> Any:
        square = x * x / 4
        if order:
            log_part = xp.log(x / 2) * (x / 2) * horner(square, _I1)
            y = 1 / x + (log_part - (x / 2) * horner(square, _K1))
        else:
            y = horner(square, _K0) - xp.log(x / 2) * horner(square, _I0)
        return y * xp.exp(x) if scaled else y

    def far(x: Any) -> Any:
        y = clenshaw(4 / x - 1, (_K0_LARGE, _K1_LARGE)[order]) / xp.sqrt(x)
        return y if scaled else y * xp.exp(-x)

    y = piecewise(xp, xp.where(x >= 0, x, xp.nan), (2.0, near), (INFINITY, far))
    return xp.where(x == 0, INFINITY, y)


def i0(xp: Any, x: Any) -> Any:
    return _i(xp, x, 0, False)


def i0e(xp: Any, x: Any) -> Any:
    return _i(xp, x, 0, True)


def i1(xp: Any, x: Any) -> Any:
    return xp.copysign(_i(xp, x, 1, False), x)


def i1e(xp: Any, x: Any) -> Any:
    return xp.copysign(_i(xp, x, 1, True), x)


def k0(xp: Any, x: Any) -> Any:
    return _k(xp, x, 0, False)


def k0e(xp: Any, x: Any) -> Any:
    return _k(xp, x, 0, True)


def k1(xp: Any, x: Any) -> Any:
    return _k(xp, x, 1, False)


def k1e(xp: Any, x: Any) -> Any:
    return _k(xp, x, 1, True)


# ---- operations


class BesselI0(Unary):
    """y = I_0(x); y' = I_1(x)."""

    real = True
    saves = ("x",)
    floats = True
    torch = "i0"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, i0, x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any) -> Any:
        return dy * follow(BesselI1, xp, x)


class BesselI0E(Unary):
    """y = e^-|x| I_0(x); y' = e^-|x| I_1(x) - sign(x) y."""

    real = True
    saves = ("x", "y")
    floats = True
    torch = "special.i0e"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, i0e, x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, y: Any) -> Any:
        return dy * (follow(BesselI1E, xp, x) - xp.sign(x) * y)


class BesselI1(Unary):
    """y = I_1(x); y' = I_0(x) - y/x, 1/2 at 0."""

    real = True
    saves = ("x", "y")
    floats = True
    torch = "special.i1"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, i1, x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, y: Any) -> Any:
        zero = abs(x) < _NEXT_TO_0[x.dtype.itemsize]
        quotient = y / xp.where(zero, 1.0, x)
        return dy * xp.where(zero, 0.5, follow(BesselI0, xp, x) - quotient)


class BesselI1E(Unary):
    """y = e^-|x| I_1(x); y' = e^-|x| I_0(x) - y (sign x + 1/x), 1/2 at 0."""

    real = True
    saves = ("x", "y")
    floats = True
    torch = "special.i1e"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, i1e, x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, y: Any) -> Any:
        zero = abs(x) < _NEXT_TO_0[x.dtype.itemsize]
        safe = xp.where(zero, 1.0, x)
        slope = follow(BesselI0E, xp, x) - y * (xp.sign(x) + 1 / safe)
        return dy * xp.where(zero, 0.5, slope)


# So near to 0, where the slopes of I_1 are 1/2; by the bytes of a float.
_NEXT_TO_0 = {2: 1e-3, 4: 1e-7, 8: 2e-16}


class BesselK0(Unary):
    """y = K_0(x)."""

    real = True
    floats = True
    differentiable = False
    low, high = 0.2, 4.0
    torch = "special.modified_bessel_k0"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, k0, x)


class BesselK0E(Unary):
    """y = e^x K_0(x)."""

    real = True
    floats = True
    differentiable = False
    low, high = 0.2, 4.0
    torch = "special.scaled_modified_bessel_k0"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, k0e, x)


class BesselK1(Unary):
    """y = K_1(x)."""

    real = True
    floats = True
    differentiable = False
    low, high = 0.2, 4.0
    torch = "special.modified_bessel_k1"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, k1, x)


class BesselK1E(Unary):
    """y = e^x K_1(x)."""

    real = True
    floats = True
    differentiable = False
    low, high = 0.2, 4.0
    torch = "special.scaled_modified_bessel_k1"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, k1e, x)
