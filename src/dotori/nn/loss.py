"""Losses of regression as modules, and what all losses as modules share.

`reduction` is ``"mean"``, ``"sum"`` or ``"none"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dotori.autograd import as_variable
from dotori.errors import ArgumentError, DTypeError
from dotori.functions._numpy import TensorLike
from dotori.nn import functional as F
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "GaussianNLLLoss",
    "HuberLoss",
    "L1Loss",
    "MSELoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
]


class Loss(Module):
    """A module of a prediction and a target, with a reduction.

    Examples
    --------
    >>> MSELoss(reduction="sum").reduction
    'sum'
    """

    reductions: tuple[str, ...] = ("mean", "sum", "none")

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in self.reductions:
            names = ", ".join(map(repr, self.reductions))
            raise ArgumentError(
                f"{type(self).__name__}: reduction must be one of {names}, "
                f"got {reduction!r}"
            )
        self.reduction = reduction

    def extra_repr(self) -> str:
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"


class WeightedLoss(Loss):
    """A loss with a constant `weight`, which moves and is saved with the module.

    Examples
    --------
    >>> WeightedLoss([1.0, 2.0]).weight.tolist()
    [1.0, 2.0]
    """

    weight: Tensor | None

    def __init__(
        self, weight: TensorLike | None = None, *, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", None if weight is None else as_variable(weight))


class L1Loss(Loss):
    """mean |y - t|.

    Examples
    --------
    >>> L1Loss()([1.0, 2.0], [1.0, 4.0]).item()
    1.0
    """

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.l1_loss(
            input,
            target,
            reduction=self.reduction,
        )


class MSELoss(Loss):
    """mean (y - t)^2.

    Examples
    --------
    >>> MSELoss()([1.0, 2.0], [1.0, 4.0]).item()
    2.0
    """

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.mse_loss(
            input,
            target,
            reduction=self.reduction,
        )


class HuberLoss(Loss):
    """d^2/2 where |d| = |y - t| <= delta, else delta (|d| - delta/2).

    Examples
    --------
    >>> HuberLoss()([1.0], [3.0]).item()
    1.5
    """

    def __init__(
        self,
        *,
        delta: float = 1.0,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        if not isinstance(delta, (int, float)):
            raise DTypeError(f"HuberLoss: delta must be a real number, got {delta!r}")
        self.delta = delta

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.huber_loss(
            input,
            target,
            delta=self.delta,
            reduction=self.reduction,
        )


class SmoothL1Loss(Loss):
    """d^2/(2 beta) where |d| = |y - t| < beta, else |d| - beta/2.

    Examples
    --------
    >>> SmoothL1Loss()([1.0], [3.0]).item()
    1.5
    """

    def __init__(
        self,
        *,
        beta: float = 1.0,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.smooth_l1_loss(
            input,
            target,
            beta=self.beta,
            reduction=self.reduction,
        )


class PoissonNLLLoss(Loss):
    """lambda - t log(lambda) for counts t; the prediction is log(lambda).

    Examples
    --------
    >>> PoissonNLLLoss()([0.0], [3.0]).item()
    1.0
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        *,
        eps: float = 1e-08,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.poisson_nll_loss(
            input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(Loss):
    """(log v + (y - t)^2 / v) / 2 for a predicted variance v.

    Examples
    --------
    >>> GaussianNLLLoss()([1.0], [3.0], [1.0]).item()
    2.0
    """

    def __init__(
        self,
        *,
        full: bool = False,
        eps: float = 1e-06,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: TensorLike, target: TensorLike, var: TensorLike) -> Tensor:
        return F.gaussian_nll_loss(
            input,
            target,
            var,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )
