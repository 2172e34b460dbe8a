"""Losses of classification: how far probabilities are from classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori import functions as fn
from dotori.autograd import apply, as_variable, binary, wrap
from dotori.backend import is_captured
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.functions.activation import log_softmax
from dotori.nn.functional.activation import softplus
from dotori.nn.functional.classes import class_labels, class_weights, place_weights
from dotori.nn.functional.hints import hint_once, made_by
from dotori.nn.functional.linear import linear
from dotori.nn.functional.reduction import checked_pair, reduced
from dotori.ops import loss as op

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "kl_div",
    "linear_cross_entropy",
    "nll_loss",
    "one_hot",
]


def cross_entropy(
    input: TensorLike,
    target: TensorLike,
    weight: TensorLike | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(x)[t]: the loss of a classifier, from its logits.

    Parameters
    ----------
    input : Tensor, shape (batch, classes, ...) or (classes,)
        Logits: scores of any size, before any softmax.
    target : Tensor
        Classes, of shape (batch, ...), of any integer type; or probabilities of the
        classes, floats in the shape of `input`.
    weight : Tensor, shape (classes,), optional
        How much each class counts; the mean is divided by the weights that occur.
    ignore_index : int
        A label that does not count.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float
        The share of the target that is spread evenly over all classes (Szegedy and
        others, "Rethinking the Inception architecture", 2016, section 7).

    Raises
    ------
    ShapeError, DTypeError, ArgumentError
        For labels that do not fit the logits.

    Examples
    --------
    >>> round(cross_entropy([[2.0, 0.0], [0.0, 3.0]], [0, 1]).item(), 4)
    0.0878
    >>> cross_entropy([[-10000.0, 10000.0]], [0]).item()
    20000.0
    """
    x, t = as_variable(input), as_variable(target)
    _warn_of_probabilities(x)
    if x.ndim == 1:
        return _without_batch(x, t, weight, ignore_index, reduction, label_smoothing)
    _check_options("cross_entropy", x, reduction)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(
            f"cross_entropy: label_smoothing must be from 0 to 1, got {label_smoothing}"
        )
    if t.array.dtype.kind == "f" and t.shape == x.shape:
        if ignore_index >= 0:
            raise ArgumentError(
                "cross_entropy: ignore_index is for labels, but the target holds "
                f"probabilities; got {ignore_index}"
            )
        return _from_probabilities(x, t, weight, reduction, label_smoothing)
    labels, all_count = class_labels("cross_entropy", x, t, ignore_index)
    n = labels.size
    if (
        all_count
        and reduction == "mean"
        and weight is None
        and n
        and not label_smoothing
    ):
        loss: Tensor
        loss, _ = apply(op.CrossEntropy, x, target=labels, weight=1 / n, total=True)
        return loss
    w = None if weight is None else as_variable(weight)
    if label_smoothing:
        return _smoothed(x, labels, w, ignore_index, reduction, label_smoothing)
    return _of_labels(op.CrossEntropy, x, labels, w, ignore_index, reduction)


def linear_cross_entropy(
    input: TensorLike,
    linear_weight: Tensor,
    target: TensorLike,
    *,
    linear_bias: Tensor | None = None,
    weight: TensorLike | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """`cross_entropy` of ``linear(input, linear_weight, linear_bias)``.

    Parameters are those of `cross_entropy`; those of the layer are its own. `options`,
    by which PyTorch takes the batch in pieces, is accepted and changes nothing.

    Examples
    --------
    >>> import dotori
    >>> w = dotori.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> round(linear_cross_entropy([[2.0, 0.0]], w, [0]).item(), 4)
    0.1269
    """
    x, w = as_variable(input), linear_weight
    if ignore_index is not None and as_variable(target).dtype.kind == "f":
        raise ArgumentError(
            "linear_cross_entropy: ignore_index is for labels, but the target holds "
            "probabilities"
        )
    if w.ndim > 2 and x.ndim < 2:
        raise ShapeError(
            f"linear_cross_entropy: a weight of shape {w.shape} wants a batch, of "
            f"shape (batch, {w.shape[-1]}), got shape {x.shape}"
        )
    if w.ndim > 2:  # (classes, d1, ..., dk, features): logits of several places
        logits = linear(x, w.reshape(-1, w.shape[-1]))
        logits = logits.reshape(*x.shape[:-1], *w.shape[:-1])
        if linear_bias is not None:
            extra = (1,) * (w.ndim - 1 - linear_bias.ndim)
            logits = logits + linear_bias.reshape(*linear_bias.shape, *extra)
    else:
        logits = linear(x, w, linear_bias)
    return cross_entropy(
        logits,
        target,
        weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def nll_loss(
    input: TensorLike,
    target: TensorLike,
    weight: TensorLike | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-x[t] for logarithms of probabilities x, such as `log_softmax` gives.

    Parameters are those of `cross_entropy`.

    Examples
    --------
    >>> nll_loss([[-0.5, -1.0], [-0.25, -2.0]], [0, 1]).item()
    1.25
    """
    x, t = as_variable(input), as_variable(target)
    if x.ndim == 1:
        x, t = x.reshape(1, -1), t.reshape(1, *t.shape)
        loss = nll_loss(x, t, weight, ignore_index=ignore_index, reduction=reduction)
        return loss.reshape(())
    _check_options("nll_loss", x, reduction)
    labels, _ = class_labels("nll_loss", x, t, ignore_index)
    w = None if weight is None else as_variable(weight)
    return _of_labels(op.NegativeLogLikelihood, x, labels, w, ignore_index, reduction)


def _of_labels(
    operation: Any,
    x: Tensor,
    labels: Any,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
) -> Tensor:
    """The loss of every place, by how much it counts."""
    name = "nll_loss" if operation is op.NegativeLogLikelihood else "cross_entropy"
    per_class = None if weight is None else class_weights(name, weight, x)
    dtype = x.dtype if x.dtype.kind == "f" else np.float32
    labels, counts = place_weights(labels, per_class, ignore_index, dtype)
    if reduction == "mean":
        total = counts.sum()
        if not is_captured(total) and not total:
            return x.sum() * float("nan")  # the mean of nothing
        counts = counts / total
    found = apply(operation, x, target=labels, weight=counts, total=reduction != "none")
    loss: Tensor = found[0] if operation is op.CrossEntropy else found
    return loss


def _smoothed(
    x: Tensor,
    labels: Any,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    smoothing: float,
) -> Tensor:
    """A share of the loss goes to all classes alike."""
    hard = _of_labels(op.CrossEntropy, x, labels, weight, ignore_index, reduction)
    logp = log_softmax(x, 1)
    per_class = None
    if weight is not None:
        per_class = class_weights("cross_entropy", weight, x)
        logp = logp * wrap(per_class.reshape(-1, *(1,) * (x.ndim - 2)))
    counts = (labels != ignore_index).astype(logp.dtype)
    soft = -(logp.sum(dim=1)) * wrap(counts)
    if reduction != "none":
        soft = soft.sum()
    if reduction == "mean":
        _, shares = place_weights(labels, per_class, ignore_index, x.dtype)
        total = shares.sum()
        soft = soft / (wrap(total) if is_captured(total) else float(total))
    return hard * (1 - smoothing) + soft * (smoothing / x.shape[1])


def _from_probabilities(
    x: Tensor,
    t: Tensor,
    weight: TensorLike | None,
    reduction: str,
    smoothing: float,
) -> Tensor:
    if t.node is None and t.dtype != x.dtype and x.dtype.kind == "f":
        t = wrap(t.array.astype(x.dtype))
    if smoothing:
        t = t * (1 - smoothing) + smoothing / x.shape[1]
    values = t * log_softmax(x, 1)
    if weight is not None:
        per_class = class_weights("cross_entropy", as_variable(weight), x)
        values = values * wrap(per_class.reshape(-1, *(1,) * (x.ndim - 2)))
    return reduced("cross_entropy", -(values.sum(dim=1)), reduction, t)


def _without_batch(
    x: Tensor,
    t: Tensor,
    weight: TensorLike | None,
    ignore_index: int,
    reduction: str,
    smoothing: float,
) -> Tensor:
    """One sample: as a batch of one."""
    loss = cross_entropy(
        x.reshape(1, -1),
        t.reshape(1, *t.shape),
        weight,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=smoothing,
    )
    return loss.reshape(())


def _check_options(name: str, x: Tensor, reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ArgumentError(
            f"{name}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}"
        )
    if x.ndim < 2:
        raise ShapeError(
            f"{name}: the prediction must have a class axis, (batch, classes, ...), "
            f"got shape {x.shape}"
        )


def _warn_of_probabilities(x: Tensor) -> None:
    """Softmax twice trains slowly and never gets sure; nothing else would tell."""
    if made_by(x, "Softmax") or (x.node is None and _rows_are_probabilities(x.array)):
        hint_once(
            "cross_entropy: probabilities",
            "cross_entropy: the input looks like the output of softmax, but logits are "
            "wanted: softmax is part of this loss; leave it out of the model, or use "
            "nll_loss(log(p), target)",
        )


def _rows_are_probabilities(array: Any) -> bool:
    if array.ndim != 2 or not array.size or array.shape[1] < 2 or array.min() < 0:
        return False
    return bool(abs(array.sum(axis=1) - 1).max() < 1e-4)


def binary_cross_entropy(
    input: TensorLike,
    target: TensorLike,
    weight: TensorLike | None = None,
    *,
    reduction: str = "mean",
) -> Tensor:
    """-t log y - (1 - t) log(1 - y) for probabilities y.

    Logarithms are at least -100, so that a certain and wrong prediction has a finite
    loss, as in PyTorch. From logits, `binary_cross_entropy_with_logits` is exact.

    Raises
    ------
    ArgumentError
        If a prediction or a target is not from 0 to 1.

    Examples
    --------
    >>> round(binary_cross_entropy([0.5, 0.5], [0.0, 1.0]).item(), 4)
    0.6931
    >>> binary_cross_entropy([0.0], [1.0]).item()
    100.0
    """
    name = "binary_cross_entropy"
    x, t = checked_pair(name, input, target)
    for what, values, advice in (
        ("prediction", x.array, "; for logits use binary_cross_entropy_with_logits"),
        ("target", t.array, ""),
    ):
        if is_captured(values):
            _require_probabilities(name, what, values, advice)
        elif values.size and not (values.min() >= 0 and values.max() <= 1):
            _check_probabilities(name, what, values, advice)
    loss = binary(op.BinaryCrossEntropy, x, t)
    if weight is not None:
        loss = loss * as_variable(weight)
    return reduced(name, loss, reduction, t)


def _require_probabilities(name: str, what: str, values: Any, advice: str) -> None:
    """In a captured step, each run looks at the numbers."""
    message = f"{name}: every {what} must be from 0 to 1{advice}"
    good = ((values < 0) | (values > 1)).any() == 0
    values.trace.require(good, lambda: ArgumentError(message))


def _check_probabilities(name: str, what: str, values: Any, advice: str) -> None:
    bad = (values < 0) | (values > 1)  # NaN is none of both and goes through
    if bad.any():
        place = tuple(map(int, np.argwhere(bad)[0]))
        raise ArgumentError(
            f"{name}: every {what} must be from 0 to 1, "
            f"found {float(values[place]):.6g} at {place}{advice}"
        )


def binary_cross_entropy_with_logits(
    input: TensorLike,
    target: TensorLike,
    weight: TensorLike | None = None,
    *,
    reduction: str = "mean",
    pos_weight: TensorLike | None = None,
) -> Tensor:
    """-p t log s(x) - (1 - t) log(1 - s(x)), where s is the sigmoid and p `pos_weight`.

    Parameters
    ----------
    input : Tensor
        Logits of any size.
    target : Tensor, of the same shape
        From 0 to 1.
    weight, pos_weight : Tensor, optional
        A factor for each element, and one for the positive part; both broadcast.

    Examples
    --------
    >>> round(binary_cross_entropy_with_logits([0.0, 2.0], [1.0, 1.0]).item(), 4)
    0.41
    >>> binary_cross_entropy_with_logits([-10000.0], [1.0]).item()
    10000.0
    """
    name = "binary_cross_entropy_with_logits"
    x, t = checked_pair(name, input, target)
    if made_by(x, "Sigmoid"):
        hint_once(
            name,
            f"{name}: the input comes from sigmoid, but logits are wanted: sigmoid is "
            "part of this loss; leave it out of the model, or use binary_cross_entropy",
        )
    if pos_weight is None:
        values = binary(op.BinaryCrossEntropyWithLogits, x, t)
    else:
        # softplus(-x) = -log s(x), and log(1 - s(x)) = log s(x) - x
        factor = (as_variable(pos_weight) - 1) * t + 1
        values = (1 - t) * x + factor * softplus(-x, threshold=float("inf"))
    if weight is not None:
        values = values * as_variable(weight)
    return reduced(name, values, reduction, t)


def kl_div(
    input: TensorLike,
    target: TensorLike,
    *,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """sum t (log t - x) for logarithms of probabilities x: KL(target || prediction).

    Parameters
    ----------
    input : Tensor
        Logarithms of probabilities.
    target : Tensor, of the same shape
        Probabilities, or their logarithms with `log_target`.
    reduction : {"mean", "batchmean", "sum", "none"}
        ``"batchmean"`` divides the sum by the first axis' length: the definition.
        ``"mean"``, the default as in PyTorch, divides it by the number of elements.

    Examples
    --------
    >>> round(kl_div([[-0.6931, -0.6931]], [[0.5, 0.5]]).item(), 3)
    -0.0
    """
    x, t = checked_pair("kl_div", input, target)
    if log_target:
        values = fn.exp(t) * (t - x)
    else:
        some = t.detach() > 0
        values = fn.where(some, t * fn.log(fn.where(some, t, 1.0)), 0.0) - t * x
    if reduction == "batchmean":
        total = reduced("kl_div", values, "sum", t)
        return total / x.shape[0] if x.ndim else total
    return reduced("kl_div", values, reduction, t)


def _require_classes(labels: Any, n: int) -> None:
    """In a captured step, each run looks whether all labels are classes."""
    good = ((labels >= 0) & (labels < n)).all()
    message = f"one_hot: a label does not fit into the {n} classes 0, ..., {n - 1}"
    labels.trace.require(good, lambda: ArgumentError(message))


def one_hot(tensor: TensorLike, num_classes: int = -1) -> Tensor:
    """1 in the place of each class, 0 elsewhere, along a new last axis; int64.

    Parameters
    ----------
    tensor : Tensor of integers, shape (...)
    num_classes : int
        By default one more than the largest class.

    Examples
    --------
    >>> one_hot([0, 2]).tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    labels = as_variable(tensor).array
    if labels.dtype.kind not in "iu":
        raise DTypeError(f"one_hot: classes must be integers, got {labels.dtype}")
    if labels.size == 0 and num_classes <= 0:
        raise ArgumentError("one_hot: of no labels; give num_classes")
    if is_captured(labels) and num_classes > 0:
        _require_classes(labels, num_classes)
        return wrap((labels[..., None] == np.arange(num_classes)).astype(np.int64))
    lowest, highest = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    n = highest + 1 if num_classes == -1 else num_classes
    if lowest < 0 or highest >= n:
        raise ArgumentError(
            f"one_hot: classes go from {lowest} to {highest}, which does not fit into "
            f"the {n} classes 0, ..., {n - 1}"
        )
    return wrap((labels[..., None] == np.arange(n)).astype(np.int64))
