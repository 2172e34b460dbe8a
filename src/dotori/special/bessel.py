"""Bessel functions and their kin, of real numbers: K and Y are NaN below 0.

As in PyTorch, the functions I have gradients, the others have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dotori.autograd import unary
from dotori.functions._numpy import TensorLike
from dotori.ops import airy, bessel
from dotori.ops import modified_bessel as modified

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def i0e(x: TensorLike) -> Tensor:
    """e^-|x| I_0(x): `i0`, without its overflow.

    Examples
    --------
    >>> round(i0e([1.0]).item(), 4)
    0.4658
    """
    return unary(modified.BesselI0E, x)


def i1(x: TensorLike) -> Tensor:
    """I_1(x), the modified Bessel function of the first kind, of order 1.

    Examples
    --------
    >>> round(i1([1.0]).item(), 4)
    0.5652
    """
    return unary(modified.BesselI1, x)


def i1e(x: TensorLike) -> Tensor:
    """e^-|x| I_1(x): `i1`, without its overflow.

    Examples
    --------
    >>> round(i1e([1.0]).item(), 4)
    0.2079
    """
    return unary(modified.BesselI1E, x)


def modified_bessel_k0(x: TensorLike) -> Tensor:
    """K_0(x), the modified Bessel function of the second kind, of order 0.

    Examples
    --------
    >>> round(modified_bessel_k0([1.0]).item(), 4)
    0.421
    """
    return unary(modified.BesselK0, x)


def modified_bessel_k1(x: TensorLike) -> Tensor:
    """K_1(x), the modified Bessel function of the second kind, of order 1.

    Examples
    --------
    >>> round(modified_bessel_k1([1.0]).item(), 4)
    0.6019
    """
    return unary(modified.BesselK1, x)


def scaled_modified_bessel_k0(x: TensorLike) -> Tensor:
    """e^x K_0(x).

    Examples
    --------
    >>> round(scaled_modified_bessel_k0([1.0]).item(), 4)
    1.1445
    """
    return unary(modified.BesselK0E, x)


def scaled_modified_bessel_k1(x: TensorLike) -> Tensor:
    """e^x K_1(x).

    Examples
    --------
    >>> round(scaled_modified_bessel_k1([1.0]).item(), 4)
    1.6362
    """
    return unary(modified.BesselK1E, x)


def bessel_j0(x: TensorLike) -> Tensor:
    """J_0(x), the Bessel function of the first kind, of order 0.

    Examples
    --------
    >>> round(bessel_j0([1.0]).item(), 4)
    0.7652
    """
    return unary(bessel.BesselJ0, x)


def bessel_j1(x: TensorLike) -> Tensor:
    """J_1(x), the Bessel function of the first kind, of order 1.

    Examples
    --------
    >>> round(bessel_j1([1.0]).item(), 4)
    0.4401
    """
    return unary(bessel.BesselJ1, x)


def bessel_y0(x: TensorLike) -> Tensor:
    """Y_0(x), the Bessel function of the second kind, of order 0.

    Examples
    --------
    >>> round(bessel_y0([1.0]).item(), 4)
    0.0883
    """
    return unary(bessel.BesselY0, x)


def bessel_y1(x: TensorLike) -> Tensor:
    """Y_1(x), the Bessel function of the second kind, of order 1.

    Examples
    --------
    >>> round(bessel_y1([1.0]).item(), 4)
    -0.7812
    """
    return unary(bessel.BesselY1, x)


def spherical_bessel_j0(x: TensorLike) -> Tensor:
    """sin(x) / x, 1 at 0.

    Examples
    --------
    >>> round(spherical_bessel_j0([1.0]).item(), 4)
    0.8415
    """
    return unary(bessel.SphericalBesselJ0, x)


def airy_ai(x: TensorLike) -> Tensor:
    """Ai(x): the solution of y'' = x y that vanishes far to the right.

    Examples
    --------
    >>> round(airy_ai([1.0]).item(), 4)
    0.1353
    """
    return unary(airy.AiryAi, x)
