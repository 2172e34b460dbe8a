"""Classifiers and losses for many classes: the last layer belongs to the loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from dotori import functions as fn
from dotori.autograd import as_variable
from dotori.errors import ArgumentError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.nn import functional as F
from dotori.nn.container import ModuleList, Sequential
from dotori.nn.linear import Linear
from dotori.nn.loss import WeightedLoss
from dotori.nn.module import Module

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["AdaptiveLogSoftmaxWithLoss", "LinearCrossEntropyLoss"]


class LinearCrossEntropyLoss(WeightedLoss):
    """Cross-entropy of a linear layer that is part of the loss.

    Parameters
    ----------
    in_features, num_classes : int
    out_features : tuple of int
        The shape of the places that each have a class.
    bias : bool
    reduction, weight, ignore_index, label_smoothing
        Those of `functional.cross_entropy`.
    options
        By which PyTorch takes the batch in pieces: accepted, and changes nothing.

    Examples
    --------
    >>> import dotori
    >>> LinearCrossEntropyLoss(3, 5)(dotori.ones(4, 3), [0, 1, 2, 3]).shape
    ()
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: str | None = None,
        dtype: DTypeLike | None = None,
        reduction: str = "mean",
        weight: TensorLike | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: Any = None,
    ) -> None:
        super().__init__(weight, reduction=reduction)
        if not 0 <= label_smoothing <= 1:
            raise ArgumentError(
                f"LinearCrossEntropyLoss: label_smoothing must be from 0 to 1, "
                f"got {label_smoothing}"
            )
        self.num_classes = num_classes
        self.out_features = tuple(out_features)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        n_out = math.prod(out_features, start=num_classes)
        self.linear = Linear(in_features, n_out, bias, device, dtype)

    def forward(self, input: TensorLike, target: TensorLike) -> Tensor:
        shape = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*shape, -1),
            target,
            linear_bias=None if bias is None else bias.reshape(*shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
        )


class OutputAndLoss(NamedTuple):
    """What `AdaptiveLogSoftmaxWithLoss` gives.

    Attributes
    ----------
    output : Tensor, shape (batch,)
        The logarithm of the probability of each target.
    loss : Tensor
        Their mean, with the sign turned.
    """

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Softmax over many classes, of which the rare ones have small layers of their own.

    Grave, Joulin, Cisse, Grangier and Jegou, "Efficient softmax approximation for
    GPUs", 2017. Classes are sorted by how often they occur, the most frequent first.
    The head tells the first ``cutoffs[0]`` of them apart, and one cluster for each
    further cutoff; p(class) = p(cluster) p(class | cluster).

    Parameters
    ----------
    in_features, n_classes : int
    cutoffs : sequence of int
        Rising numbers between 0 and n_classes: where clusters begin.
    div_value : float
        Cluster i works with ``in_features / div_value^(i+1)`` features.
    head_bias : bool

    Examples
    --------
    >>> import dotori
    >>> layer = AdaptiveLogSoftmaxWithLoss(8, 10, [3, 6])
    >>> output, loss = layer(dotori.ones(2, 8), dotori.tensor([0, 9]))
    >>> output.shape, layer.log_prob(dotori.ones(2, 8)).shape
    ((2,), (2, 10))
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        ends = [int(c) for c in cutoffs]
        rising = all(a < b for a, b in zip(ends, [*ends[1:], n_classes], strict=True))
        if not ends or ends[0] <= 0 or not rising:
            raise ArgumentError(
                "AdaptiveLogSoftmaxWithLoss: cutoffs must be rising numbers between 1 "
                f"and n_classes - 1 = {n_classes - 1}, got {list(cutoffs)}"
            )
        self.in_features, self.n_classes = in_features, n_classes
        self.cutoffs = [*ends, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = ends[0], len(ends)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            width = int(in_features // div_value ** (i + 1))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(
                    Linear(in_features, width, False, device, dtype),
                    Linear(width, size, False, device, dtype),
                )
            )

    def forward(self, input: TensorLike, target: TensorLike) -> OutputAndLoss:
        """The logarithms of the targets' probabilities, and the loss."""
        x, t = as_variable(input), as_variable(target)
        if x.ndim == 1:
            found = self.forward(x.reshape(1, -1), t.reshape(1))
            return OutputAndLoss(found.output.reshape(()), found.loss)
        if x.ndim != 2 or t.shape != x.shape[:1]:
            raise ShapeError(
                f"AdaptiveLogSoftmaxWithLoss: x of shape {x.shape} and a target of "
                f"shape {t.shape}; wanted are (batch, features) and (batch,)"
            )
        labels = t.array
        if labels.size and not 0 <= labels.min() <= labels.max() < self.n_classes:
            raise ArgumentError(
                f"AdaptiveLogSoftmaxWithLoss: targets from {labels.min()} to "
                f"{labels.max()}; the classes are 0, ..., {self.n_classes - 1}"
            )
        head = F.log_softmax(self.head(x), 1)
        cluster = np.searchsorted(self.cutoffs[1:], labels, side="right")
        cluster = np.where(labels < self.shortlist_size, -1, cluster)
        # The column of the head: the class itself, or its cluster.
        column = np.where(cluster < 0, labels, self.shortlist_size + cluster)
        output = head[np.arange(len(labels)), column]
        for i in range(self.n_clusters):
            rows = np.nonzero(cluster == i)[0]
            if rows.size:
                within = F.log_softmax(self.tail[i](x[rows]), 1)
                places = labels[rows] - self.cutoffs[i]
                found_here = within[np.arange(rows.size), places]
                output[rows] = output[rows] + found_here
        return OutputAndLoss(output, -output.mean())

    def log_prob(self, input: TensorLike) -> Tensor:
        """The logarithms of the probabilities of all classes, (batch, n_classes)."""
        x = as_variable(input)
        head = F.log_softmax(self.head(x), 1)
        parts = [head[:, : self.shortlist_size]]
        for i in range(self.n_clusters):
            of_cluster = head[:, self.shortlist_size + i].unsqueeze(1)
            parts.append(F.log_softmax(self.tail[i](x), 1) + of_cluster)
        return fn.cat(parts, dim=1)

    def predict(self, input: TensorLike) -> Tensor:
        """The most probable class of each sample."""
        return self.log_prob(input).argmax(dim=1)
