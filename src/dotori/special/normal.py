"""The normal distribution by its functions, and entropies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dotori.autograd import unary
from dotori.functions._numpy import TensorLike
from dotori.functions.special import of_two
from dotori.ops import entropy, error_function

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def erfcx(x: TensorLike) -> Tensor:
    """e^(x^2) erfc(x): the tail of `erfc`, without its underflow.

    Examples
    --------
    >>> round(erfcx([1.0]).item(), 4)
    0.4276
    """
    return unary(error_function.Erfcx, x)


def ndtr(x: TensorLike) -> Tensor:
    """P(Z <= x) for a standard normal Z, with all digits in the lower tail.

    Examples
    --------
    >>> round(ndtr([0.0]).item(), 4)
    0.5
    """
    return unary(error_function.Ndtr, x)


def ndtri(x: TensorLike) -> Tensor:
    """The quantile of the standard normal distribution: `ndtr` gives x there.

    Examples
    --------
    >>> ndtri([0.0, 0.5, 1.0]).tolist()
    [-inf, 0.0, inf]
    """
    return unary(error_function.Ndtri, x)


def log_ndtr(x: TensorLike) -> Tensor:
    """ln of `ndtr`, finite also where that is 0.

    Examples
    --------
    >>> round(log_ndtr([0.0]).item(), 4)
    -0.6931
    """
    return unary(error_function.LogNdtr, x)


def entr(x: TensorLike) -> Tensor:
    """-x ln x: 0 at 0, -inf below.

    Examples
    --------
    >>> entr([0.0, 0.5]).numpy().round(4).tolist()
    [0.0, 0.3465999960899353]
    """
    return unary(entropy.Entr, x)


def xlog1py(x: TensorLike, other: TensorLike) -> Tensor:
    """x ln(1 + other), and 0 where x is 0.

    Examples
    --------
    >>> xlog1py([0.0, 1.0], [-1.0, 0.0]).tolist()
    [0.0, 0.0]
    """
    return of_two(entropy.XLog1pY, x, other)
