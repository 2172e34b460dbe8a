"""Special functions that PyTorch has among its own names; `dotori.special` has all.

All but `erf` are computed in float64, whatever the type, to about 15 digits.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import apply, as_variable, binary, unary
from dotori.errors import ArgumentError, DTypeError
from dotori.functions._numpy import TensorLike, implements
from dotori.ops import bessel, entropy, error_function, gamma, incomplete_gamma
from dotori.ops import modified_bessel as modified

if TYPE_CHECKING:
    from dotori._tensor import Tensor
    from dotori.ops._op import Op

__all__ = [
    "digamma",
    "erf",
    "erfc",
    "erfinv",
    "i0",
    "igamma",
    "igammac",
    "lgamma",
    "logit",
    "mvlgamma",
    "polygamma",
    "sinc",
    "xlogy",
]


def of_two(op: type[Op], a: TensorLike, b: TensorLike) -> Tensor:
    """An operation of two arguments, of which one at least is no plain number."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        raise ArgumentError(
            f"{op.__name__}: one of both must be a tensor or an array, got {a} and {b}"
        )
    return binary(op, a, b)


def erf(x: TensorLike) -> Tensor:
    """The error function, 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x.

    Examples
    --------
    >>> erf([0.0, 1.0]).numpy().round(4).tolist()
    [0.0, 0.8427000045776367]
    """
    return unary(error_function.Erf, x)


def erfc(x: TensorLike) -> Tensor:
    """1 - erf(x), with all its digits where that is small.

    Examples
    --------
    >>> round(erfc([5.0]).log().item(), 2)
    -27.2
    """
    return unary(error_function.Erfc, x)


def erfinv(x: TensorLike) -> Tensor:
    """The number whose error function is x: infinite at -1 and 1, NaN beyond.

    Examples
    --------
    >>> erfinv([0.0, 1.0]).tolist()
    [0.0, inf]
    """
    return unary(error_function.Erfinv, x)


def lgamma(x: TensorLike) -> Tensor:
    """ln |gamma(x)|; gamma(n + 1) = n!. Infinite at 0, -1, -2, ...

    Examples
    --------
    >>> round(lgamma([5.0]).exp().item(), 4)  # 4!
    24.0
    """
    return unary(gamma.LGamma, x)


def digamma(x: TensorLike) -> Tensor:
    """The derivative of ln gamma(x). -inf at 0, NaN at -1, -2, ...

    Examples
    --------
    >>> round(digamma([1.0]).item(), 4)  # minus Euler's constant
    -0.5772
    """
    t = as_variable(x)
    result: Tensor = apply(gamma.Polygamma, t, n=0)
    return result


def polygamma(n: int, x: TensorLike) -> Tensor:
    """The derivative number `n` of `digamma`; as a method `x.polygamma(n)`.

    Raises
    ------
    ArgumentError
        If `n` is negative.

    Examples
    --------
    >>> round(polygamma(1, [1.0]).item(), 4)  # pi^2 / 6
    1.6449
    """
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool):
        n, x = x, n  # the method
    if not isinstance(n, (int, np.integer)) or n < 0:
        raise ArgumentError(f"polygamma: n must be a whole number from 0 on, got {n}")
    result: Tensor = apply(gamma.Polygamma, as_variable(x), n=int(n))
    return result


def mvlgamma(x: TensorLike, p: int) -> Tensor:
    """The logarithm of the gamma function of `p` dimensions.

    p (p - 1)/4 ln pi + sum of lgamma(x - j/2), j = 0 ... p - 1; for x > (p - 1)/2.

    Raises
    ------
    ArgumentError
        If `p` is less than 1.

    Examples
    --------
    >>> round(mvlgamma([3.0], 2).item(), 4)
    1.5502
    """
    if p < 1:
        raise ArgumentError(f"mvlgamma: p must be at least 1, got {p}")
    t: Any = as_variable(x)
    total = lgamma(t) + p * (p - 1) / 4 * math.log(math.pi)
    for j in range(1, p):
        total = total + lgamma(t - j / 2)
    return total


def igamma(a: TensorLike, other: TensorLike) -> Tensor:
    """The lower incomplete gamma function, regularised: from 0 at other = 0 to 1.

    1/gamma(a) times the integral of t^(a-1) e^-t from 0 to other; for a, other >= 0.
    There is a gradient for `other`, none for `a` (as in PyTorch): there it raises
    GradientError.

    Examples
    --------
    >>> round(igamma([1.0], [1.0]).item(), 4)  # 1 - 1/e
    0.6321
    """
    _want_floats("igamma", a, other)
    return of_two(incomplete_gamma.GammaInc, a, other)


def igammac(a: TensorLike, other: TensorLike) -> Tensor:
    """1 - igamma(a, other), with all its digits where that is small.

    Examples
    --------
    >>> round(igammac([1.0], [1.0]).item(), 4)  # 1/e
    0.3679
    """
    _want_floats("igammac", a, other)
    return of_two(incomplete_gamma.GammaIncC, a, other)


def _want_floats(name: str, a: TensorLike, x: TensorLike) -> None:
    types = [getattr(v, "dtype", None) or np.asarray(v).dtype for v in (a, x)]
    if all(dtype.kind in "biu" for dtype in types):
        raise DTypeError(f"{name}: expected floats, got {types[0]} and {types[1]}")


def xlogy(x: TensorLike, other: TensorLike) -> Tensor:
    """x ln other, and 0 where x is 0.

    Examples
    --------
    >>> xlogy([0.0, 1.0], [0.0, 1.0]).tolist()
    [0.0, 0.0]
    """
    return of_two(entropy.XLogY, x, other)


def logit(x: TensorLike, eps: float | None = None) -> Tensor:
    """ln(x / (1 - x)), the inverse of `sigmoid`; with x first in [eps, 1 - eps].

    Examples
    --------
    >>> logit([0.5, 1.0]).tolist()
    [0.0, inf]
    """
    result: Tensor = apply(entropy.Logit, as_variable(x), eps=eps)
    return result


@implements(np.sinc)
def sinc(x: TensorLike) -> Tensor:
    """sin(pi x) / (pi x), 1 at 0.

    Examples
    --------
    >>> sinc([0.0, 1.0]).numpy().round(4).tolist()
    [1.0, 0.0]
    """
    return unary(bessel.Sinc, x)


@implements(np.i0)
def i0(x: TensorLike) -> Tensor:
    """The modified Bessel function of the first kind, of order 0.

    Examples
    --------
    >>> i0([0.0]).tolist()
    [1.0]
    """
    return unary(modified.BesselI0, x)
