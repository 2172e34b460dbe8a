"""Losses with a margin: right answers are to win by a distance."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.autograd import as_variable, wrap
from dotori.errors import ArgumentError, ShapeError
from dotori.functions import where
from dotori.functions._numpy import TensorLike
from dotori.functions.activation import relu
from dotori.nn.functional.activation import logsigmoid, softplus
from dotori.nn.functional.classes import class_labels, class_weights
from dotori.nn.functional.distance import pairwise_distance
from dotori.nn.functional.reduction import checked_pair, reduced

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]

_INF = float("inf")


def soft_margin_loss(
    input: TensorLike, target: TensorLike, *, reduction: str = "mean"
) -> Tensor:
    """log(1 + e^(-t x)) for targets of -1 and 1.

    Examples
    --------
    >>> round(soft_margin_loss([0.0], [1.0]).item(), 4)
    0.6931
    """
    x, t = checked_pair("soft_margin_loss", input, target)
    return reduced("soft_margin_loss", softplus(-t * x, 1.0, _INF), reduction)


def hinge_embedding_loss(
    input: TensorLike,
    target: TensorLike,
    *,
    margin: float = 1.0,
    reduction: str = "mean",
) -> Tensor:
    """x where the target is 1, max(0, margin - x) where it is -1.

    Examples
    --------
    >>> hinge_embedding_loss([0.5, 0.25], [1.0, -1.0], reduction="none").tolist()
    [0.5, 0.75]
    """
    x, t = checked_pair("hinge_embedding_loss", input, target)
    same, other = where(t.detach() == -1, 0.0, x), relu(margin - x)
    values = same + where(t.detach() == 1, 0.0, other)
    return reduced("hinge_embedding_loss", values, reduction)


def margin_ranking_loss(
    input1: TensorLike,
    input2: TensorLike,
    target: TensorLike,
    *,
    margin: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    """max(0, -t (x1 - x2) + margin): x1 is to be larger where t = 1, smaller for -1.

    Examples
    --------
    >>> margin_ranking_loss([1.0], [3.0], [1.0]).item()
    2.0
    """
    name = "margin_ranking_loss"
    a, b = checked_pair(name, input1, input2)
    a, t = checked_pair(name, a, target)
    return reduced(name, relu(margin - t * (a - b)), reduction)


def cosine_embedding_loss(
    input1: TensorLike,
    input2: TensorLike,
    target: TensorLike,
    *,
    margin: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos(x1, x2) where t = 1, max(0, cos(x1, x2) - margin) where t = -1.

    Parameters
    ----------
    input1, input2 : Tensor, shape (batch, features) or (features,)
    target : Tensor, shape (batch,) or ()

    Examples
    --------
    >>> cosine_embedding_loss([[1.0, 0.0]], [[0.0, 1.0]], [1]).item()
    1.0
    """
    name = "cosine_embedding_loss"
    a, b = checked_pair(name, input1, input2)
    t = as_variable(target)
    if a.ndim not in (1, 2) or t.shape != a.shape[:-1]:
        raise ShapeError(
            f"{name}: inputs of shape {a.shape} want a target of -1 and 1 in shape "
            f"{a.shape[:-1]}, got {t.shape}"
        )
    # PyTorch adds 1e-12 to each squared length rather than bounding it from below
    tiny = 1e-12
    squares = ((a * a).sum(dim=-1) + tiny) * ((b * b).sum(dim=-1) + tiny)
    cos = (a * b).sum(dim=-1) / squares**0.5
    same = where(t == 1, 1 - cos, 0.0)
    values = where(t == -1, relu(cos - margin), same)
    return reduced(name, values, reduction)


def triplet_margin_loss(
    anchor: TensorLike,
    positive: TensorLike,
    negative: TensorLike,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Tensor:
    """max(0, |a - p| - |a - n| + margin): the same is to be nearer than the other.

    With `swap`, |p - n| counts where it is smaller than |a - n| (Balntas and others,
    "Learning local feature descriptors with triplets", 2016, section 3.3).

    Examples
    --------
    >>> round(triplet_margin_loss([[0.0]], [[3.0]], [[1.0]]).item(), 4)
    3.0
    """

    def distance(a: TensorLike, b: TensorLike) -> Tensor:
        return pairwise_distance(a, b, p, eps)

    name = "triplet_margin_loss"
    return _triplet(name, anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: TensorLike,
    positive: TensorLike,
    negative: TensorLike,
    *,
    distance_function: Callable[[Any, Any], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with a distance of one's own.

    Parameters
    ----------
    distance_function : callable, optional
        Gives the distance of two batches; by default `pairwise_distance`.

    Examples
    --------
    >>> def squared(a, b):
    ...     return ((a - b) ** 2).sum(dim=-1)
    >>> import dotori
    >>> a, p, n = (dotori.tensor([[v]]) for v in (0.0, 3.0, 1.0))
    >>> triplet_margin_with_distance_loss(a, p, n, distance_function=squared).item()
    9.0
    """
    distance = distance_function or pairwise_distance
    name = "triplet_margin_with_distance_loss"
    return _triplet(name, anchor, positive, negative, distance, margin, swap, reduction)


def _triplet(
    name: str,
    anchor: TensorLike,
    positive: TensorLike,
    negative: TensorLike,
    distance: Callable[[Any, Any], Tensor],
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    if margin <= 0:
        raise ArgumentError(f"{name}: margin must be greater than 0, got {margin}")
    a, p, n = (as_variable(v) for v in (anchor, positive, negative))
    if not a.ndim == p.ndim == n.ndim:
        raise ShapeError(
            f"{name}: anchor, positive and negative have shapes {a.shape}, {p.shape} "
            f"and {n.shape}; they must have equally many axes"
        )
    near, far = distance(a, p), distance(a, n)
    if swap:
        other = distance(p, n)
        far = where(other.detach() < far.detach(), other, far)
    return reduced(name, relu(near - far + margin), reduction)


def multi_margin_loss(
    input: TensorLike,
    target: TensorLike,
    p: int = 1,
    margin: float = 1.0,
    weight: TensorLike | None = None,
    *,
    reduction: str = "mean",
) -> Tensor:
    """sum_{j != t} max(0, margin - x_t + x_j)^p / classes: the multi-class hinge.

    Parameters
    ----------
    input : Tensor, shape (batch, classes) or (classes,)
    target : Tensor of integers, shape (batch,) or ()
    p : {1, 2}
    weight : Tensor, shape (classes,), optional

    Examples
    --------
    >>> multi_margin_loss([[0.0, 0.5]], [1]).item()
    0.25
    """
    name = "multi_margin_loss"
    x, t = as_variable(input), as_variable(target)
    if p not in (1, 2):
        raise ArgumentError(f"{name}: p must be 1 or 2, got {p}")
    if x.ndim < 2:
        found = multi_margin_loss(
            x.reshape(1, -1), t.reshape(1), p, margin, weight, reduction=reduction
        )
        return found.reshape(())
    labels, _ = class_labels(name, x, t, ignore_index=-1 - x.shape[1])
    hot = _hot(labels, x)
    gap = relu(margin + x - (x * wrap(hot)).sum(dim=1, keepdim=True)) * wrap(1 - hot)
    values = (gap if p == 1 else gap * gap).sum(dim=1) / x.shape[1]
    if weight is not None:
        per_class = class_weights(name, as_variable(weight), x)
        values = values * wrap(per_class[labels])
    return reduced(name, values, reduction)


def multilabel_margin_loss(
    input: TensorLike, target: TensorLike, *, reduction: str = "mean"
) -> Tensor:
    """sum_ij max(0, 1 - (x_i - x_j)) / classes over labels i and the other classes j.

    Parameters
    ----------
    input : Tensor, shape (batch, classes) or (classes,)
    target : Tensor of integers, of the same shape
        The labels of each sample, filled up with -1.

    Examples
    --------
    >>> multilabel_margin_loss([[0.0, 0.5]], [[1, -1]]).item()
    0.25
    """
    name = "multilabel_margin_loss"
    x, t = as_variable(input), as_variable(target)
    if x.shape != t.shape or x.ndim > 2:
        raise ShapeError(
            f"{name}: the prediction has shape {x.shape}, the target {t.shape}; both "
            "must be (batch, classes) or (classes,)"
        )
    if x.ndim < 2:
        found = multilabel_margin_loss(
            x.reshape(1, -1), t.reshape(1, -1), reduction=reduction
        )
        return found.reshape(())
    n, n_classes = x.shape
    times = _label_counts(name, t.array, n_classes)
    # every pair (i, j) of a label, as often as it is named, and a class that is none
    pairs = (times[:, :, None] * (times == 0)[:, None, :]).astype(x.dtype)
    gap = relu(1 - (x.reshape(n, n_classes, 1) - x.reshape(n, 1, n_classes)))
    values = (gap * wrap(pairs)).sum(dim=(1, 2)) / n_classes
    return reduced(name, values, reduction)


def _label_counts(name: str, labels: Any, n_classes: int) -> Any:
    """How often class j is a label of sample i; what follows the first -1 is not."""
    if labels.dtype.kind not in "iu" or labels.max(initial=-1) >= n_classes:
        raise ArgumentError(
            f"{name}: labels must be integers from 0 to {n_classes - 1}, filled up "
            f"with -1; found {labels.max(initial=-1)}"
        )
    valid = np.cumprod(labels >= 0, axis=1).astype(bool)
    counts = np.zeros(labels.shape, np.int64)
    np.add.at(counts, (np.nonzero(valid)[0], labels[valid]), 1)
    return counts


def multilabel_soft_margin_loss(
    input: TensorLike,
    target: TensorLike,
    weight: TensorLike | None = None,
    *,
    reduction: str = "mean",
) -> Tensor:
    """-(t log s(x) + (1 - t) log s(-x)), averaged over classes; s is the sigmoid.

    Parameters
    ----------
    input : Tensor, shape (batch, classes)
    target : Tensor of 0 and 1, of the same shape
    weight : Tensor, shape (classes,), optional

    Examples
    --------
    >>> round(multilabel_soft_margin_loss([[0.0, 0.0]], [[1.0, 0.0]]).item(), 4)
    0.6931
    """
    name = "multilabel_soft_margin_loss"
    x, t = checked_pair(name, input, target)
    values = -(t * logsigmoid(x) + (1 - t) * logsigmoid(-x))
    if weight is not None:
        values = values * as_variable(weight)
    return reduced(name, values.mean(dim=-1), reduction)


def _hot(labels: Any, x: Tensor) -> Any:
    hot = np.zeros(x.shape, x.dtype)
    hot[np.arange(len(hot)), labels] = 1
    return hot
