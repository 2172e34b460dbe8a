"""The Airy function Ai, the solution of y'' = x y that falls to the right.

Far to the right as e^-zeta / (2 sqrt(pi) x^(1/4)) times a smooth function of 1/zeta,
zeta = 2/3 x^(3/2) (DLMF 9.7.5); far to the left as the oscillation 9.7.9; between by
one Chebyshev series. `tools/fit_special.py` makes the series.
"""

from __future__ import annotations

import math
from typing import Any

from dotori.ops.approximation import INFINITY, clenshaw, in_float64, piecewise
from dotori.ops.elementwise import Unary

RIGHT = 2 / 3 * 2.0**1.5  # zeta at 2
LEFT = 2 / 3 * 5.0**1.5  # and at 5

_AIRY = (
    0.151689476282236718,
    -0.00522869240847236502,
    -0.00718300756334212319,
    -0.275008582517007838,
    0.152672856527366125,
    0.112997229018335714,
    -0.129301635199807934,
    0.0217179504230826672,
    0.0249118507027364134,
    -0.0143358574218957304,
    0.000696689451639598042,
    0.00197439893352901904,
    -0.000723039397225219928,
    -1.61124145261774665e-5,
    8.13327367324993929e-5,
    -2.07753658139754613e-5,
    -1.60547626871647576e-6,
    2.05601582556013877e-6,
    -3.82552051728417797e-7,
    -4.91387059618417806e-8,
    3.51416864205189188e-8,
    -4.84638501086049629e-9,
    -8.89781205942221303e-10,
    4.32978624864880762e-10,
    -4.41474559743930138e-11,
    -1.10968629957643418e-11,
    4.02483202879783206e-12,
    -2.96099362498464524e-13,
    -1.02576351272874762e-13,
    2.92057987682902401e-14,
    -1.46199555114862313e-15,
    -7.35505053091766958e-16,
    1.69865484081828054e-16,
    -5.05632082246529418e-18,
    -4.22344484836266438e-18,
)
_AIRY_TAIL = (
    0.984405304917155196,
    -0.0147927848501041987,
    0.000732717746542671434,
    -6.12595423417824993e-5,
    6.83476697557269029e-6,
    -9.23722973540398155e-7,
    1.4362253404380519e-7,
    -2.48931942232209598e-8,
    4.7097934400543278e-9,
    -9.58386370811273208e-10,
    2.07458554836775917e-10,
    -4.73726733219227696e-11,
    1.13360998082242348e-11,
    -2.82770678231935085e-12,
    7.32071209512559757e-13,
    -1.95997939110897221e-13,
    5.41011625706839221e-14,
    -1.53564668022238356e-14,
    4.47234039330002478e-15,
    -1.33380946747566825e-15,
    4.06658204645623099e-16,
    -1.26558322564528899e-16,
    4.0151263340158711e-17,
    -1.29699721359609367e-17,
)
_AIRY_P = (
    0.999672341546100543,
    -0.000325548356105532215,
    2.06974515596911914e-6,
    -3.8909617364744243e-8,
    1.36459594469503361e-9,
    -7.26556343886668169e-11,
    5.23467562906290689e-12,
    -4.74966941582145197e-13,
    5.17215613960418868e-14,
    -6.53372529554528448e-15,
    9.33927407277720897e-16,
    -1.48233305125804555e-16,
    2.57459883996440026e-17,
)
_AIRY_Q = (
    0.0691152804016050246,
    -0.000325106036458669499,
    3.94597774386632252e-6,
    -1.0689290905143409e-7,
    4.80033471895161651e-9,
    -3.06910671699976379e-10,
    2.55175943690139273e-11,
    -2.60160673175243392e-12,
    3.12366685511918613e-13,
    -4.29032517128394835e-14,
    6.59671059597743505e-15,
    -1.11683321604168796e-15,
    2.05513501588503257e-16,
    -4.06800560984382551e-17,
    8.58918263139261904e-18,
    -1.92101881890205405e-18,
)


def airy_ai(xp: Any, x: Any) -> Any:
    """For float64 arrays; NaN at both infinities, as in PyTorch."""

    def right(x: Any) -> Any:
        root = xp.sqrt(x)
        zeta = 2 / 3 * x * root
        y = clenshaw(2 * RIGHT / zeta - 1, _AIRY_TAIL) * xp.exp(-zeta)
        return y / (2 * math.sqrt(math.pi) * xp.sqrt(root))

    def left(x: Any) -> Any:
        root = xp.sqrt(-x)
        zeta = -2 / 3 * x * root
        t = 2 * (LEFT / zeta) ** 2 - 1
        p, q = clenshaw(t, _AIRY_P), clenshaw(t, _AIRY_Q) / zeta
        sin, cos = xp.sin(zeta), xp.cos(zeta)
        y = p * (cos + sin) + q * (sin - cos)  # of zeta - pi/4, times sqrt 2
        return y / xp.sqrt(2 * math.pi * root)

    def middle(x: Any) -> Any:
        return clenshaw((x + 1.5) / 3.5, _AIRY)

    finite = xp.where(abs(x) == INFINITY, xp.nan, x)
    return piecewise(xp, finite, (-5.0, left), (2.0, middle), (INFINITY, right))


class AiryAi(Unary):
    """y = Ai(x)."""

    real = True
    floats = True
    differentiable = False
    torch = "special.airy_ai"

    @staticmethod
    def forward(xp: Any, x: Any) -> Any:
        return in_float64(xp, airy_ai, x)
