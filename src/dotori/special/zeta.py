"""Hurwitz's zeta function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dotori.functions._numpy import TensorLike
from dotori.functions.special import of_two
from dotori.ops.gamma import Zeta

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def zeta(x: TensorLike, other: TensorLike) -> Tensor:
    """The sum of (other + k)^-x over k = 0, 1, ...; for other = 1 that of Riemann.

    Infinite at x = 1, NaN below. There is a gradient for `other`, none for `x` (as in
    PyTorch): there it raises GradientError.

    Examples
    --------
    >>> round(zeta([2.0], [1.0]).item(), 4)  # pi^2 / 6
    1.6449
    """
    return of_two(Zeta, x, other)
