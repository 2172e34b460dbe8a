"""Losses of regression: how far numbers are from numbers.

All take predictions and targets of one shape, and ``reduction="mean"``, ``"sum"`` or
``"none"``. Shapes must be equal: PyTorch broadcasts (n, 1) against (n,) to (n, n) and
warns; here it is an error.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from dotori import functions as fn
from dotori.autograd import apply, as_variable, binary, wrap
from dotori.backend import is_captured
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.nn.functional.reduction import checked_pair, reduced, watched
from dotori.ops.loss import Huber, MeanSquaredError

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "gaussian_nll_loss",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
]


def mse_loss(
    input: TensorLike,
    target: TensorLike,
    *,
    reduction: str = "mean",
    weight: TensorLike | None = None,
) -> Tensor:
    """(y - t)^2, averaged. With `weight`, the mean weighted by it.

    Examples
    --------
    >>> mse_loss([1.0, 2.0], [1.0, 4.0]).item()
    2.0
    """
    x, t = checked_pair("mse_loss", input, target)
    if weight is None and reduction == "mean":
        return watched("mse_loss", binary(MeanSquaredError, x, t), t)
    d = x - t
    return _weighted("mse_loss", d * d, weight, reduction, t)


def l1_loss(
    input: TensorLike,
    target: TensorLike,
    *,
    reduction: str = "mean",
    weight: TensorLike | None = None,
) -> Tensor:
    """|y - t|, averaged. With `weight`, the mean weighted by it.

    Examples
    --------
    >>> l1_loss([1.0, 2.0], [1.0, 4.0]).item()
    1.0
    """
    x, t = checked_pair("l1_loss", input, target)
    return _weighted("l1_loss", abs(x - t), weight, reduction, t)


def huber_loss(
    input: TensorLike,
    target: TensorLike,
    *,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: TensorLike | None = None,
) -> Tensor:
    """d^2/2 where |d| = |y - t| <= delta, else delta (|d| - delta/2), averaged.

    Values are multiplied by `weight`; as in PyTorch, their mean is then over their
    number, where `mse_loss` and `l1_loss` divide by the sum of the weights.

    Examples
    --------
    >>> huber_loss([1.0, 2.0], [1.0, 4.0], reduction="none").tolist()
    [0.0, 1.5]
    """
    if delta <= 0:
        raise ArgumentError(f"huber_loss: delta must be greater than 0, got {delta}")
    x, t = checked_pair("huber_loss", input, target)
    values = apply(Huber, x - t, delta=delta)
    if weight is not None:
        values = values * _fitting("huber_loss", weight, x)
    return reduced("huber_loss", values, reduction, t)


def smooth_l1_loss(
    input: TensorLike, target: TensorLike, *, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """d^2/(2 beta) where |d| = |y - t| < beta, else |d| - beta/2, averaged.

    It is ``huber_loss(delta=beta) / beta``; with beta = 0 it is the L1 loss (Girshick,
    "Fast R-CNN", 2015, equation 3).

    Examples
    --------
    >>> smooth_l1_loss([1.0, 2.0], [1.0, 4.0], beta=0.5, reduction="none").tolist()
    [0.0, 1.75]
    """
    if beta < 0:
        raise ArgumentError(f"smooth_l1_loss: beta must be at least 0, got {beta}")
    x, t = checked_pair("smooth_l1_loss", input, target)
    if beta == 0:
        return reduced("smooth_l1_loss", abs(x - t), reduction, t)
    values = apply(Huber, x - t, delta=beta) / beta
    return reduced("smooth_l1_loss", values, reduction, t)


def poisson_nll_loss(
    input: TensorLike,
    target: TensorLike,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    """lambda - t log(lambda): the loss of counts t from a Poisson distribution.

    Parameters
    ----------
    input : Tensor
        log(lambda), or lambda itself with ``log_input=False``.
    target : Tensor, of the same shape
    full : bool
        Where t > 1, add Stirling's approximation of log(t!): t log t - t +
        log(2 pi t)/2.
    eps : float
        Added to lambda before its logarithm is taken.

    Examples
    --------
    >>> poisson_nll_loss([0.0], [3.0]).item()
    1.0
    """
    x, t = checked_pair("poisson_nll_loss", input, target)
    loss = fn.exp(x) - t * x if log_input else x - t * fn.log(x + eps)
    if full:
        many = fn.where(t > 1, t, 1.0)
        stirling = many * fn.log(many) - many + fn.log(many * (2 * math.pi)) * 0.5
        loss = loss + fn.where(t > 1, stirling, 0.0)
    return reduced("poisson_nll_loss", loss, reduction, t)


def gaussian_nll_loss(
    input: TensorLike,
    target: TensorLike,
    var: TensorLike,
    *,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(log v + (y - t)^2 / v) / 2 for a predicted variance v.

    Nix and Weigend, "Estimating the mean and variance of the target probability
    distribution", 1994.

    Parameters
    ----------
    input, target : Tensor
        Of one shape.
    var : Tensor
        Of that shape, or with a last axis of length 1, or without the last axis.
    full : bool
        Add the constant log(2 pi)/2.
    eps : float
        What is below counts as `eps`, without a gradient of its own being lost.

    Examples
    --------
    >>> gaussian_nll_loss([1.0], [3.0], [1.0]).item()
    2.0
    """
    x, t = checked_pair("gaussian_nll_loss", input, target)
    v = as_variable(var)
    if v.shape == x.shape[:-1] and x.ndim:
        v = v.reshape(*v.shape, 1)
    if v.shape != x.shape and v.shape != (*x.shape[:-1], 1) and v.ndim:
        raise ShapeError(
            f"gaussian_nll_loss: var has shape {v.shape}, the prediction {x.shape}; "
            "they must be equal, or var has one number for each row"
        )
    negative = ArgumentError("gaussian_nll_loss: var holds negative numbers")
    found: Any = (v.array < 0).any()
    if is_captured(found):  # looked at in each run
        found.trace.require(found == 0, lambda: negative)
    elif found:
        raise negative
    v = v + (v.detach().array.clip(min=eps) - v.array)
    d = x - t
    loss = (fn.log(v) + d * d / v) * 0.5
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced("gaussian_nll_loss", loss, reduction, t)


def _weighted(
    name: str,
    values: Tensor,
    weight: TensorLike | None,
    reduction: str,
    target: Tensor,
) -> Tensor:
    """`values` times `weight`; its mean is divided by the sum of the weights."""
    if weight is None:
        return reduced(name, values, reduction, target)
    w = _fitting(name, weight, values)
    if reduction == "mean":
        return (values * w).sum() / w.sum()
    return reduced(name, values * w, reduction, target)


def _fitting(name: str, weight: TensorLike, values: Tensor) -> Tensor:
    """The weights of elements, in the type of `values`."""
    w = as_variable(weight)
    if w.shape != values.shape:
        raise ShapeError(
            f"{name}: weight has shape {w.shape}, the prediction {values.shape}; "
            "they must be equal"
        )
    return w if w.node is not None else wrap(w.array.astype(values.dtype, copy=False))
