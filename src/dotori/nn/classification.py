"""Losses of classification as modules.

`reduction` is ``"mean"``, ``"sum"`` or ``"none"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dotori.autograd import as_variable
from dotori.functions._numpy import TensorLike
from dotori.nn import functional as F
from dotori.nn.loss import Loss, WeightedLoss

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "KLDivLoss",
    "NLLLoss",
]


class CrossEntropyLoss(WeightedLoss):
    """-log softmax(x)[t]: the loss of a classifier, from its logits.

    Parameters, shapes and errors are those of `functional.cross_entropy`.

    Examples
    --------
    >>> round(CrossEntropyLoss()([[2.0, 0.0]], [0]).item(), 4)
    0.1269
    """

    def __init__(
        self,
        weight: TensorLike | None = None,
        *,
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            reduction=self.reduction,
        )


class NLLLoss(WeightedLoss):
    """-x[t] for logarithms of probabilities x, such as `LogSoftmax` gives.

    Examples
    --------
    >>> NLLLoss()([[-0.5, -1.0]], [0]).item()
    0.5
    """

    def __init__(
        self,
        weight: TensorLike | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.ignore_index = ignore_index

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.nll_loss(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class BCELoss(WeightedLoss):
    """-t log y - (1 - t) log(1 - y) for probabilities y.

    Examples
    --------
    >>> round(BCELoss()([0.5], [1.0]).item(), 4)
    0.6931
    """

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.binary_cross_entropy(
            input,
            target,
            weight=self.weight,
            reduction=self.reduction,
        )


class BCEWithLogitsLoss(WeightedLoss):
    """-t log s(x) - (1 - t) log(1 - s(x)), where s is the sigmoid; x are logits.

    Examples
    --------
    >>> BCEWithLogitsLoss()([-10000.0], [1.0]).item()
    10000.0
    """

    pos_weight: Tensor | None

    def __init__(
        self,
        weight: TensorLike | None = None,
        *,
        reduction: str = "mean",
        pos_weight: TensorLike | None = None,
    ) -> None:
        super().__init__(weight, reduction=reduction)
        given = None if pos_weight is None else as_variable(pos_weight)
        self.register_buffer("pos_weight", given)

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input,
            target,
            weight=self.weight,
            pos_weight=self.pos_weight,
            reduction=self.reduction,
        )


class KLDivLoss(Loss):
    """t (log t - x) for logarithms of probabilities x; use ``"batchmean"``.

    Examples
    --------
    >>> KLDivLoss(reduction="batchmean")([[0.0]], [[1.0]]).item()
    0.0
    """

    reductions = ("mean", "batchmean", "sum", "none")

    def __init__(
        self,
        *,
        log_target: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.log_target = log_target

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.kl_div(
            input,
            target,
            log_target=self.log_target,
            reduction=self.reduction,
        )
