"""The loss of unaligned sequences as a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dotori.functions._numpy import TensorLike
from dotori.nn import functional as F
from dotori.nn.loss import Loss

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["CTCLoss"]


class CTCLoss(Loss):
    """-log p of all alignments of a sequence of labels with a longer input.

    Parameters, shapes and errors are those of `functional.ctc_loss`.

    Examples
    --------
    >>> import dotori
    >>> even = dotori.zeros(2, 1, 2).log_softmax(2)
    >>> round(CTCLoss()(even, [[1]], [2], [1]).item(), 4)
    0.2877
    """

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self,
        log_probs: TensorLike,
        targets: TensorLike,
        input_lengths: Any,
        target_lengths: Any,
    ) -> Tensor:
        return F.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
        )
