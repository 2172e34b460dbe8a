"""The Bessel functions J and Y of orders 0 and 1, and sin(x)/x.

Up to x = 8 as Chebyshev series in x^2 (for Y beside (2/pi) ln(x) J, DLMF 10.8.1);
beyond in Hankel's form (10.17.3, 10.17.4)

    J = sqrt(2/(pi x)) (P cos chi - Q sin chi),   Y = ... (P sin chi + Q cos chi)

with chi = x - (2 order + 1) pi/4, P and x Q being smooth functions of 1/x^2.
`tools/fit_special.py` makes the series. Next to a root the error is small beside the
greatest values of the function, as it must be: x itself is rounded.
"""

from __future__ import annotations

import math
from typing import Any

from dotori.ops.approximation import INFINITY, clenshaw, in_float64, piecewise
from dotori.ops.elementwise import Unary

TWO_BY_PI = 2 / math.pi

_J0 = (
    0.15772797147489012,
    -0.00872344235285222129,
    0.26517861320333681,
    -0.370094993872649779,
    0.158067102332097261,
    -0.0348937694114088852,
    0.0048191800694676045,
    -0.000460626166206275048,
    3.24603288210050808e-5,
    -1.76194690776215075e-6,
    7.60816359241878187e-8,
    -2.6792535305576729e-9,
    7.84869631447946442e-11,
    -1.94383468673701657e-12,
    4.12532059563437393e-14,
    -7.58850812544754634e-16,
    1.2218515873961411e-17,
)
_J1 = (
    0.0810448463256581151,
    -0.148975145067652109,
    0.160999262357209703,
    -0.0826804917668179066,
    0.0222136396549660354,
    -0.00364694060076927596,
    0.000405033772835482183,
    -3.25555486685725852e-5,
    1.98587740499151674e-6,
    -9.52198475675043618e-8,
    3.68713375909714824e-9,
    -1.17802662269588484e-10,
    3.16015458034800332e-12,
    -7.22175523965177343e-14,
    1.42321440035139423e-15,
    -2.44419729161904639e-17,
)
_Y0 = (
    -0.0331461132032849417,
    -0.274474305529745265,
    0.179034314077182663,
    0.261567346255046637,
    -0.177302012781143582,
    0.0471966895957633869,
    -0.00728796247955207918,
    0.000753113593257774228,
    -5.63207914105698698e-5,
    3.20653253765480098e-6,
    -1.44072332740186995e-7,
    5.24879478733051612e-9,
    -1.58375525418120151e-10,
    4.02633081830612075e-12,
    -8.74734120331076955e-14,
    1.6434898714919469e-15,
    -2.69778811525668356e-17,
)
_Y1 = (
    0.00253801323574178173,
    -0.0160871730476687502,
    -0.0959120453608307425,
    0.0844519725965234584,
    -0.0283281239445943656,
    0.00528989754416711301,
    -0.000641455145132635599,
    5.50598287333874384e-5,
    -3.5380800186893499e-6,
    1.77078045561544034e-7,
    -7.11055004989927978e-9,
    2.34433790591151639e-10,
    -6.46515184141159424e-12,
    1.51429151205001995e-13,
    -3.05118596944732527e-15,
    5.34668038572867012e-17,
)
_P0 = (
    0.999460349347518665,
    -0.000536522046813211742,
    3.07518478751947462e-6,
    -5.1705945376060977e-8,
    1.63064646351513831e-9,
    -7.86409137723707e-11,
    5.16826238734919246e-12,
    -4.30457886992539122e-13,
    4.32659574315494056e-14,
    -5.06903409593523608e-15,
    6.7480722157338737e-16,
    -1.00115137234677858e-16,
    1.63059192337441847e-17,
)
_Q0 = (
    -0.0155558546053370091,
    6.8385199426116496e-5,
    -7.41449841106064726e-7,
    1.79724572479689918e-8,
    -7.27191593686631998e-10,
    4.22012190466873844e-11,
    -3.20674742099663474e-12,
    3.00614512535170631e-13,
    -3.336328185322427e-14,
    4.25522504024546112e-15,
    -6.09993013164005001e-16,
    9.66212897030325674e-17,
    -1.66860652143781463e-17,
    3.10824404867381443e-18,
    -6.19111578735814493e-19,
)
_P1 = (
    1.0009030408600137,
    0.000898989833085940856,
    -3.98728430048890852e-6,
    6.17763396064429853e-8,
    -1.87189074910630661e-9,
    8.8168986595823389e-11,
    -5.7048636403956447e-12,
    4.69919551523054238e-13,
    -4.68422378399048922e-14,
    5.45267489604471717e-15,
    -7.22118084227401792e-16,
    1.06676891143354125e-16,
    -1.7312313216116335e-17,
)
_Q1 = (
    0.0467777870695353252,
    -9.62772354915707932e-5,
    9.13861525795545412e-7,
    -2.09597813840834225e-8,
    8.22919332765055413e-10,
    -4.68636368817694523e-11,
    3.51521879496860809e-12,
    -3.26431567432789993e-13,
    3.59677658291652919e-14,
    -4.56125239507729719e-15,
    6.50828295778338395e-16,
    -1.02691475318232429e-16,
    1.76763554877647916e-17,
    -3.28345198729816146e-18,
    6.5240811495892603e-19,
)


# ---- formulas for float64 arrays


def _hankel(xp: Any, x: Any, order: int) -> tuple[Any, Any]:
    """J and Y for x >= 8.

    The cosine of x - pi/4 is (cos x + sin x)/sqrt 2, so that nothing large is rounded.
    """
    t = 128 / (x * x) - 1
    p = clenshaw(t, (_P0, _P1)[order])
    q = clenshaw(t, (_Q0, _Q1)[order]) * (8 / x)
    sin, cos = xp.sin(x), xp.cos(x)
    c, s = cos + sin, sin - cos  # cos chi and sin chi, times sqrt 2, for order 0
    if order:
        c, s = s, -c
    scale = 1 / xp.sqrt(math.pi * x)
    far = x == INFINITY
    return (
        xp.where(far, 0.0, scale * (p * c - q * s)),
        xp.where(far, 0.0, scale * (p * s + q * c)),
    )


def _j0_near(x: Any) -> Any:
    return clenshaw(x * x / 32 - 1, _J0)


def _j1_near(x: Any) -> Any:
    return x * clenshaw(x * x / 32 - 1, _J1)


def j0(xp: Any, x: Any) -> Any:
    return piecewise(
        xp, abs(x), (8.0, _j0_near), (INFINITY, lambda x: _hankel(xp, x, 0)[0])
    )


def j1(xp: Any, x: Any) -> Any:
    y = piecewise(
        xp, abs(x), (8.0, _j1_near), (INFINITY, lambda x: _hankel(xp, x, 1)[0])
    )
    return xp.where(x < 0, -y, y)


def y0(xp: Any, x: Any) -> Any:
    def near(x: Any) -> Any:
        return clenshaw(x * x / 32 - 1, _Y0) + TWO_BY_PI * xp.log(x) * _j0_near(x)

    return _second_kind(xp, x, near, 0)


def y1(xp: Any, x: Any) -> Any:
    def near(x: Any) -> Any:
        rest = x * clenshaw(x * x / 32 - 1, _Y1)
        return rest + TWO_BY_PI * (xp.log(x) * _j1_near(x) - 1 / x)

    return _second_kind(xp, x, near, 1)


def _second_kind(xp: Any, x: Any, near: Any, order: int) -> Any:
    """-inf at 0, NaN below."""
    y = piecewise(
        xp,
        xp.where(x > 0, x, xp.nan),
        (8.0, near),
        (INFINITY, lambda x: _hankel(xp, x, order)[1]),
    )
    return xp.where(x == 0, -INFINITY, y)


def spherical_j0(xp: Any, x: Any) -> Any:
    """sin(x) / x, 1 at 0."""
    zero, far = x == 0, abs(x) == INFINITY
    safe = xp.where(zero | far, 1.0, x)
    return xp.where(far, 0.0, xp.where(zero, 1.0, xp.sin(safe) / safe))


def sinc(xp: Any, x: Any) -> Any:
    """sin(pi x) / (pi x), 1 at 0."""
    zero = x == 0
    safe = xp.where(zero, 1.0, x) * math.pi
    return xp.where(zero, 1.0, xp.sin(safe) / safe)


# ---- operations


class Sinc(Unary):
    """y = sin(pi x) / (pi x); y' = (cos(pi x) - y) / x, 0 at 0."""

    real = True
    saves = ("x", "y")
    floats = True
    torch = "sinc"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, sinc, x)

    @staticmethod
    def backward(xp: Any, dy: Any, x: Any, y: Any) -> Any:
        zero = x == 0
        slope = (xp.cos(x * math.pi) - y) / xp.where(zero, 1.0, x)
        return dy * xp.where(zero, 0.0, slope)


class BesselJ0(Unary):
    """y = J_0(x)."""

    real = True
    floats = True
    differentiable = False
    low, high = 0.2, 4.5  # beyond, PyTorch's has 7 digits only
    torch = "special.bessel_j0"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, j0, x)


class BesselJ1(Unary):
    """y = J_1(x)."""

    real = True
    floats = True
    differentiable = False
    low, high = 0.2, 4.5  # beyond, PyTorch's has 7 digits only
    torch = "special.bessel_j1"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, j1, x)


class BesselY0(Unary):
    """y = Y_0(x), -inf at 0 and NaN below."""

    real = True
    floats = True
    differentiable = False
    low, high = 1.5, 3.5  # about its roots, PyTorch's has 7 digits only
    torch = "special.bessel_y0"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, y0, x)


class BesselY1(Unary):
    """y = Y_1(x), -inf at 0 and NaN below."""

    real = True
    floats = True
    differentiable = False
    low, high = 0.2, 4.5  # beyond, PyTorch's has 7 digits only
    torch = "special.bessel_y1"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, y1, x)


class SphericalBesselJ0(Unary):
    """y = sin(x) / x, 1 at 0."""

    real = True
    floats = True
    differentiable = False
    torch = "special.spherical_bessel_j0"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, spherical_j0, x)
