"""Determinants."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dotori.autograd import wrap
from dotori.functions._numpy import TensorLike, implements
from dotori.functions.elementwise import where
from dotori.functions.transcendental import log
from dotori.linalg.checks import matrix, run
from dotori.ops import linalg as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor


class SlogDet(NamedTuple):
    """What `slogdet` gives."""

    sign: Tensor
    logabsdet: Tensor


@implements(np.linalg.det)
def det(A: TensorLike) -> Tensor:
    """The determinant. Its gradient, the cofactors, exists at singular matrices too.

    Examples
    --------
    >>> det([[2.0, 0.0], [0.0, 4.0]]).item()
    8.0
    """
    result: Tensor = run("det", op.Determinant, matrix("det", A))
    return result


@implements(np.linalg.slogdet)
def slogdet(A: TensorLike) -> SlogDet:
    """The sign of the determinant, and the logarithm of its absolute value.

    Examples
    --------
    >>> slogdet([[2.0, 0.0], [0.0, -0.5]]).sign.item()
    -1.0
    """
    return SlogDet(*run("slogdet", op.SignLogDet, matrix("slogdet", A)))


def logdet(x: TensorLike) -> Tensor:
    """The logarithm of the determinant: NaN where it is negative.

    Examples
    --------
    >>> logdet([[1.0, 0.0], [0.0, 1.0]]).item()
    0.0
    """
    a = matrix("logdet", x)
    if a.dtype.kind == "c":
        return log(det(a))
    sign, size = slogdet(a)
    negative = sign.array < 0
    if not negative.any():
        return size
    return where(wrap(negative), size.dtype.type(np.nan), size)
