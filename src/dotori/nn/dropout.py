"""Dropout as modules: at work while training, absent in inference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dotori.errors import ArgumentError
from dotori.nn import functional as F
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
]


class _Dropout(Module):
    """The probability `p` that something is dropped, and PyTorch's `inplace`."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ArgumentError(
                f"{type(self).__name__}: p is a probability, from 0 to 1, got {p}"
            )
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Each element 0 with probability `p`, else divided by 1 - p.

    Examples
    --------
    >>> import dotori
    >>> Dropout(0.2)(dotori.ones(2, 3)).shape
    (2, 3)
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.p, self.training)


class Dropout1d(_Dropout):
    """Whole channels of (batch, channels, length) set to 0.

    Examples
    --------
    >>> import dotori
    >>> Dropout1d(0.2)(dotori.ones(2, 3, 4)).shape
    (2, 3, 4)
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout1d(x, self.p, self.training)


class Dropout2d(_Dropout):
    """Whole channels of (batch, channels, height, width) set to 0.

    Examples
    --------
    >>> import dotori
    >>> Dropout2d(0.2)(dotori.ones(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout2d(x, self.p, self.training)


class Dropout3d(_Dropout):
    """Whole channels of (batch, channels, depth, height, width) set to 0.

    Examples
    --------
    >>> import dotori
    >>> Dropout3d(0.2)(dotori.ones(2, 3, 2, 2, 2)).shape
    (2, 3, 2, 2, 2)
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout3d(x, self.p, self.training)


class AlphaDropout(_Dropout):
    """Dropout for SELU: keeps mean 0 and variance 1.

    Examples
    --------
    >>> import dotori
    >>> AlphaDropout(0.2)(dotori.ones(2, 3)).shape
    (2, 3)
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.alpha_dropout(x, self.p, self.training)


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels (axis 1).

    Examples
    --------
    >>> import dotori
    >>> FeatureAlphaDropout(0.2)(dotori.ones(2, 3, 4)).shape
    (2, 3, 4)
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.feature_alpha_dropout(x, self.p, self.training)
