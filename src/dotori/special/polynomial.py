"""Orthogonal polynomials of degree n at x; 0 where n is negative.

`n` is a number or a tensor of whole numbers, which broadcasts with `x`. As in PyTorch,
these functions have no gradient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dotori.autograd import apply
from dotori.dtypes import promote_operands
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.ops.polynomial import OrthogonalPolynomial

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def _polynomial(family: str, x: TensorLike, n: TensorLike) -> Tensor:
    given = [getattr(value, "array", value) for value in (x, n)]
    if all(isinstance(value, (int, float)) for value in given):
        raise ArgumentError(
            f"{family}: x or n must be a tensor or an array, got {x} and {n}"
        )
    points, degrees = promote_operands(*given, floats=True)
    try:
        np.broadcast_shapes(np.shape(points), np.shape(degrees))
    except ValueError:
        raise ShapeError(
            f"{family}: x of shape {np.shape(points)} and n of shape "
            f"{np.shape(degrees)} do not broadcast"
        ) from None
    y: Tensor = apply(OrthogonalPolynomial, points, degrees, family=family)
    return y


def chebyshev_polynomial_t(x: TensorLike, n: TensorLike) -> Tensor:
    """T_n(x): cos(n arccos x) where |x| <= 1.

    Examples
    --------
    >>> chebyshev_polynomial_t([2.0], 3).tolist()
    [26.0]
    """
    return _polynomial("chebyshev_t", x, n)


def chebyshev_polynomial_u(x: TensorLike, n: TensorLike) -> Tensor:
    """U_n(x): sin((n + 1) t) / sin t for x = cos t.

    Examples
    --------
    >>> chebyshev_polynomial_u([2.0], 3).tolist()
    [56.0]
    """
    return _polynomial("chebyshev_u", x, n)


def chebyshev_polynomial_v(x: TensorLike, n: TensorLike) -> Tensor:
    """V_n(x): cos((n + 1/2) t) / cos(t/2) for x = cos t.

    Examples
    --------
    >>> chebyshev_polynomial_v([2.0], 3).tolist()
    [41.0]
    """
    return _polynomial("chebyshev_v", x, n)


def chebyshev_polynomial_w(x: TensorLike, n: TensorLike) -> Tensor:
    """W_n(x): sin((n + 1/2) t) / sin(t/2) for x = cos t.

    Examples
    --------
    >>> chebyshev_polynomial_w([2.0], 3).tolist()
    [71.0]
    """
    return _polynomial("chebyshev_w", x, n)


def shifted_chebyshev_polynomial_t(x: TensorLike, n: TensorLike) -> Tensor:
    """T_n(2x - 1), for x in [0, 1].

    Examples
    --------
    >>> shifted_chebyshev_polynomial_t([2.0], 3).tolist()
    [99.0]
    """
    return _polynomial("shifted_chebyshev_t", x, n)


def shifted_chebyshev_polynomial_u(x: TensorLike, n: TensorLike) -> Tensor:
    """U_n(2x - 1), for x in [0, 1].

    Examples
    --------
    >>> shifted_chebyshev_polynomial_u([2.0], 3).tolist()
    [204.0]
    """
    return _polynomial("shifted_chebyshev_u", x, n)


def shifted_chebyshev_polynomial_v(x: TensorLike, n: TensorLike) -> Tensor:
    """V_n(2x - 1), for x in [0, 1].

    Examples
    --------
    >>> shifted_chebyshev_polynomial_v([2.0], 3).tolist()
    [169.0]
    """
    return _polynomial("shifted_chebyshev_v", x, n)


def shifted_chebyshev_polynomial_w(x: TensorLike, n: TensorLike) -> Tensor:
    """W_n(2x - 1), for x in [0, 1].

    Examples
    --------
    >>> shifted_chebyshev_polynomial_w([2.0], 3).tolist()
    [239.0]
    """
    return _polynomial("shifted_chebyshev_w", x, n)


def hermite_polynomial_h(x: TensorLike, n: TensorLike) -> Tensor:
    """H_n(x), as physicists have it: orthogonal under e^(-x^2).

    Examples
    --------
    >>> hermite_polynomial_h([2.0], 3).tolist()
    [40.0]
    """
    return _polynomial("hermite_h", x, n)


def hermite_polynomial_he(x: TensorLike, n: TensorLike) -> Tensor:
    """He_n(x), as statisticians have it: orthogonal under e^(-x^2/2).

    Examples
    --------
    >>> hermite_polynomial_he([2.0], 3).tolist()
    [2.0]
    """
    return _polynomial("hermite_he", x, n)


def laguerre_polynomial_l(x: TensorLike, n: TensorLike) -> Tensor:
    """L_n(x): orthogonal on x >= 0 under e^-x.

    Examples
    --------
    >>> laguerre_polynomial_l([2.0], 2).tolist()
    [-1.0]
    """
    return _polynomial("laguerre_l", x, n)


def legendre_polynomial_p(x: TensorLike, n: TensorLike) -> Tensor:
    """P_n(x): orthogonal on [-1, 1].

    Examples
    --------
    >>> legendre_polynomial_p([2.0], 3).tolist()
    [17.0]
    """
    return _polynomial("legendre_p", x, n)
