"""Special functions under the names of ``torch.special``, on NumPy alone.

Those that are nowhere else (and `erf`'s family, gamma's and Bessel's) are computed to
about 15 digits: relative ones, but for an oscillation next to its roots, where they are
counted from its greatest values around. A result in float32 is a float64 that was
rounded, `erf` excepted, which is right to two units in the last place.
"""

from dotori.functions.activation import log_softmax, softmax
from dotori.functions.elementwise import round
from dotori.functions.reduce import logsumexp
from dotori.functions.special import (
    digamma,
    erf,
    erfc,
    erfinv,
    i0,
    logit,
    polygamma,
    sinc,
    xlogy,
)
from dotori.functions.special import igamma as gammainc
from dotori.functions.special import igammac as gammaincc
from dotori.functions.special import lgamma as gammaln
from dotori.functions.special import mvlgamma as multigammaln
from dotori.functions.transcendental import exp2, expm1, log1p
from dotori.functions.transcendental import sigmoid as expit
from dotori.special.bessel import (
    airy_ai,
    bessel_j0,
    bessel_j1,
    bessel_y0,
    bessel_y1,
    i0e,
    i1,
    i1e,
    modified_bessel_k0,
    modified_bessel_k1,
    scaled_modified_bessel_k0,
    scaled_modified_bessel_k1,
    spherical_bessel_j0,
)
from dotori.special.normal import (
    entr,
    erfcx,
    log_ndtr,
    ndtr,
    ndtri,
    xlog1py,
)
from dotori.special.polynomial import (
    chebyshev_polynomial_t,
    chebyshev_polynomial_u,
    chebyshev_polynomial_v,
    chebyshev_polynomial_w,
    hermite_polynomial_h,
    hermite_polynomial_he,
    laguerre_polynomial_l,
    legendre_polynomial_p,
    shifted_chebyshev_polynomial_t,
    shifted_chebyshev_polynomial_u,
    shifted_chebyshev_polynomial_v,
    shifted_chebyshev_polynomial_w,
)
from dotori.special.zeta import zeta

psi = digamma
modified_bessel_i0 = i0
modified_bessel_i1 = i1

__all__ = [
    "airy_ai",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "gammainc",
    "gammaincc",
    "gammaln",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "log1p",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "modified_bessel_i0",
    "modified_bessel_i1",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "round",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
    "sinc",
    "softmax",
    "spherical_bessel_j0",
    "xlog1py",
    "xlogy",
    "zeta",
]
