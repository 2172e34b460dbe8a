"""Dropout: elements, channels or features set to zero at random while training.

Inverted scaling: what is kept is divided by 1 - p while training, so that inference
needs nothing at all (Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov,
"Dropout", JMLR 2014, section 10). Masks come from the thread's default generator:
after `dotori.manual_seed` they are the same again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from dotori.autograd import apply, as_variable, wrap
from dotori.backend import device_of, to_device
from dotori.dtypes import to_floating
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.ops.dropout import Dropout
from dotori.random import default_generator

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]


def dropout(
    input: TensorLike, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Each element 0 with probability `p`, else divided by 1 - p.

    Outside of training, and for p = 0, it is the tensor itself. For p = 1 everything
    is 0, and so is the gradient.

    Examples
    --------
    >>> import dotori
    >>> _ = dotori.manual_seed(0)
    >>> sorted(set(dropout(dotori.ones(100), 0.75).tolist()))
    [0.0, 4.0]
    >>> dropout(dotori.ones(3), training=False).tolist()
    [1.0, 1.0, 1.0]
    """
    x = as_variable(input)
    if not _active("dropout", p, training):
        return x
    y: Tensor = apply(Dropout, x, mask=_scaled_mask(x, x.shape, p))
    return y


def dropout1d(
    input: TensorLike, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Whole channels of (batch, channels, length), or (channels, length), set to 0.

    Examples
    --------
    >>> import dotori
    >>> dropout1d(dotori.ones(2, 3, 4), training=False).shape
    (2, 3, 4)
    """
    return _drop_channels("dropout1d", input, p, training, 1)


def dropout2d(
    input: TensorLike, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Whole channels of (batch, channels, height, width) set to 0.

    Tompson, Goroshin, Jain, LeCun and Bregler, "Efficient object localization using
    convolutional networks", 2015.

    Examples
    --------
    >>> import dotori
    >>> dropout2d(dotori.ones(2, 3, 4, 4), training=False).shape
    (2, 3, 4, 4)
    """
    return _drop_channels("dropout2d", input, p, training, 2)


def dropout3d(
    input: TensorLike, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Whole channels of (batch, channels, depth, height, width) set to 0.

    Examples
    --------
    >>> import dotori
    >>> dropout3d(dotori.ones(1, 2, 2, 2, 2), training=False).shape
    (1, 2, 2, 2, 2)
    """
    return _drop_channels("dropout3d", input, p, training, 3)


def _drop_channels(
    name: str, input: TensorLike, p: float, training: bool, spatial: int
) -> Tensor:
    x = as_variable(input)
    if x.ndim not in (spatial + 1, spatial + 2):
        raise ShapeError(
            f"{name}: x has shape {x.shape}; it must be (batch, channels) and "
            f"{spatial} spatial axes, or the same without the batch"
        )
    if not _active(name, p, training):
        return x
    shape = x.shape[:-spatial] + (1,) * spatial
    y: Tensor = apply(Dropout, x, mask=_scaled_mask(x, shape, p))
    return y


# SELU's value far below zero, -scale alpha: what a dropped unit is set to.
_SATURATED = -1.7580993408473766


def alpha_dropout(
    input: TensorLike, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout for SELU: keeps mean 0 and variance 1.

    A dropped element becomes SELU's lowest value v; then all are mapped by a x + b with
    a = (q + v^2 q p)^(-1/2), b = -a p v, q = 1 - p (Klambauer and others, 2017, section
    "New dropout technique").

    Examples
    --------
    >>> import dotori
    >>> alpha_dropout(dotori.zeros(3)).tolist()
    [0.0, 0.0, 0.0]
    """
    x = as_variable(input)
    return _alpha_dropout("alpha_dropout", x, p, training, x.shape)


def feature_alpha_dropout(
    input: TensorLike, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """`alpha_dropout` of whole channels (axis 1).

    Examples
    --------
    >>> import dotori
    >>> feature_alpha_dropout(dotori.zeros(1, 2, 2)).tolist()
    [[[0.0, 0.0], [0.0, 0.0]]]
    """
    x = as_variable(input)
    if training and x.ndim < 2:
        raise ShapeError(
            f"feature_alpha_dropout: x has shape {x.shape}; it must be "
            "(batch, channels, ...)"
        )
    shape = x.shape[:2] + (1,) * (x.ndim - 2)
    return _alpha_dropout("feature_alpha_dropout", x, p, training, shape)


def _alpha_dropout(
    name: str, x: Tensor, p: float, training: bool, shape: tuple[int, ...]
) -> Tensor:
    if not _active(name, p, training):
        return x
    if p == 1:
        return x * 0.0
    keep = _keep(x, shape, p)
    a = 1 / math.sqrt((1 - p) * (1 + p * _SATURATED**2))
    shift = (1 - keep) * (_SATURATED * a) - p * _SATURATED * a
    y: Tensor = apply(Dropout, x, mask=keep * a) + wrap(shift.astype(keep.dtype))
    return y


def _active(name: str, p: float, training: bool) -> bool:
    """Check `p`; whether there is anything to drop."""
    if not 0 <= p <= 1:
        raise ArgumentError(f"{name}: p is a probability, from 0 to 1, got {p}")
    return training and p > 0


def _scaled_mask(x: Tensor, shape: tuple[int, ...], p: float) -> Any:
    """0 where dropped, 1/(1-p) where kept, in the type of `x`."""
    mask = _keep(x, shape, p)
    if p < 1:
        mask *= 1 / (1 - p)
    return mask


def _keep(x: Tensor, shape: tuple[int, ...], p: float) -> Any:
    """0 where dropped, 1 where kept, in the type of `x` and where it lives."""
    kept = default_generator().keep_mask(shape, p)
    array = x.array if x.array.dtype.kind == "f" else to_floating(x.array)
    mask = kept.astype(array.dtype)
    return mask if x.device == "cpu" else to_device(mask, device_of(array))
