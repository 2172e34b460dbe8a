"""Losses with a margin as modules, and the distances that they rest on.

`reduction` is ``"mean"``, ``"sum"`` or ``"none"``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dotori.errors import ArgumentError
from dotori.functions._numpy import TensorLike
from dotori.nn import functional as F
from dotori.nn.loss import Loss, WeightedLoss
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "PairwiseDistance",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class SoftMarginLoss(Loss):
    """log(1 + e^(-t x)) for targets of -1 and 1.

    Examples
    --------
    >>> round(SoftMarginLoss()([0.0], [1.0]).item(), 4)
    0.6931
    """

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.soft_margin_loss(
            input,
            target,
            reduction=self.reduction,
        )


class HingeEmbeddingLoss(Loss):
    """x where the target is 1, max(0, margin - x) where it is -1.

    Examples
    --------
    >>> HingeEmbeddingLoss()([0.5], [1.0]).item()
    0.5
    """

    def __init__(
        self,
        *,
        margin: float = 1.0,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.hinge_embedding_loss(
            input,
            target,
            margin=self.margin,
            reduction=self.reduction,
        )


class MarginRankingLoss(Loss):
    """max(0, -t (x1 - x2) + margin).

    Examples
    --------
    >>> MarginRankingLoss()([1.0], [3.0], [1.0]).item()
    2.0
    """

    def __init__(
        self,
        *,
        margin: float = 0.0,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(
        self, input1: TensorLike, input2: TensorLike, target: TensorLike
    ) -> Tensor:
        return F.margin_ranking_loss(
            input1,
            input2,
            target,
            margin=self.margin,
            reduction=self.reduction,
        )


class CosineEmbeddingLoss(Loss):
    """1 - cos(x1, x2) where t = 1, max(0, cos(x1, x2) - margin) where t = -1.

    Examples
    --------
    >>> CosineEmbeddingLoss()([[1.0, 0.0]], [[0.0, 1.0]], [1]).item()
    1.0
    """

    def __init__(
        self,
        *,
        margin: float = 0.0,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(
        self, input1: TensorLike, input2: TensorLike, target: TensorLike
    ) -> Tensor:
        return F.cosine_embedding_loss(
            input1,
            input2,
            target,
            margin=self.margin,
            reduction=self.reduction,
        )


class TripletMarginLoss(Loss):
    """max(0, |a - p| - |a - n| + margin).

    Examples
    --------
    >>> round(TripletMarginLoss()([[0.0]], [[3.0]], [[1.0]]).item(), 4)
    3.0
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-06,
        swap: bool = False,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(
        self, anchor: TensorLike, positive: TensorLike, negative: TensorLike
    ) -> Tensor:
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class MultiMarginLoss(WeightedLoss):
    """sum_{j != t} max(0, margin - x_t + x_j)^p / classes.

    Examples
    --------
    >>> MultiMarginLoss()([[0.0, 0.5]], [1]).item()
    0.25
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: TensorLike | None = None,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.p = p
        self.margin = margin

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.multi_margin_loss(
            input,
            target,
            weight=self.weight,
            p=self.p,
            margin=self.margin,
            reduction=self.reduction,
        )


class MultiLabelMarginLoss(Loss):
    """sum_ij max(0, 1 - (x_i - x_j)) / classes over labels i, other classes j.

    Examples
    --------
    >>> MultiLabelMarginLoss()([[0.0, 0.5]], [[1, -1]]).item()
    0.25
    """

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.multilabel_margin_loss(
            input,
            target,
            reduction=self.reduction,
        )


class MultiLabelSoftMarginLoss(WeightedLoss):
    """-(t log s(x) + (1 - t) log s(-x)), averaged over classes.

    Examples
    --------
    >>> round(MultiLabelSoftMarginLoss()([[0.0]], [[1.0]]).item(), 4)
    0.6931
    """

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        return F.multilabel_soft_margin_loss(
            input,
            target,
            weight=self.weight,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(Loss):
    """max(0, d(a, p) - d(a, n) + margin) with a distance d of one's own.

    Examples
    --------
    >>> import dotori
    >>> a, p, n = (dotori.tensor([[v]]) for v in (0.0, 3.0, 1.0))
    >>> round(TripletMarginWithDistanceLoss(margin=2.0)(a, p, n).item(), 4)
    4.0
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ArgumentError(
                "TripletMarginWithDistanceLoss: margin must be greater than 0, "
                f"got {margin}"
            )
        self.distance_function = distance_function or F.pairwise_distance
        self.margin = margin
        self.swap = swap

    def forward(
        self, anchor: TensorLike, positive: TensorLike, negative: TensorLike
    ) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class PairwiseDistance(Module):
    """|x1 - x2 + eps|_p over the last axis.

    Examples
    --------
    >>> import dotori
    >>> round(PairwiseDistance()([[0.0, 0.0]], [[3.0, 4.0]]).item(), 4)
    5.0
    """

    def __init__(
        self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
    ) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: TensorLike, x2: TensorLike) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between x1 and x2 along `dim`.

    Examples
    --------
    >>> import dotori
    >>> CosineSimilarity()(dotori.ones(1, 2), dotori.zeros(1, 2)).tolist()
    [0.0]
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: TensorLike, x2: TensorLike) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
