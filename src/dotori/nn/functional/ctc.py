"""The loss of sequences whose labels are not aligned with the inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori import functions as fn
from dotori.autograd import apply, as_variable
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.functions._numpy import TensorLike
from dotori.ops.ctc import CTC, with_blanks

if TYPE_CHECKING:
    from dotori._tensor import Tensor

__all__ = ["ctc_loss"]


def ctc_loss(
    log_probs: TensorLike,
    targets: TensorLike,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-log p of all alignments of a sequence of labels with a longer input.

    Graves, Fernandez, Gomez and Schmidhuber, "Connectionist temporal classification",
    2006. The gradient is the derivative by `log_probs` as they are; PyTorch's takes it
    for granted that they come from `log_softmax`, through which both are the same.

    Parameters
    ----------
    log_probs : Tensor, shape (time, batch, classes) or (time, classes)
        Logarithms of probabilities, as `log_softmax` gives.
    targets : Tensor of integers, shape (batch, length), (length,), or one after another
        The labels, none of them `blank`.
    input_lengths, target_lengths : integers, one for each sample
    blank : int
        The class that stands for no label.
    reduction : {"mean", "sum", "none"}
        ``"mean"`` divides each loss by the number of its labels first.
    zero_infinity : bool
        Losses of sequences that do not fit into their input are 0, not infinite.

    Raises
    ------
    ShapeError, ArgumentError, DTypeError
        For lengths or labels that do not fit.

    Examples
    --------
    >>> import dotori
    >>> even = dotori.zeros(2, 1, 2).log_softmax(2)    # 2 times, 2 classes
    >>> round(ctc_loss(even, [[1]], [2], [1]).exp().item(), 4)  # 3 of the 4 paths
    1.3333
    """
    x = as_variable(log_probs)
    if x.ndim == 2:
        loss = ctc_loss(
            x.reshape(x.shape[0], 1, x.shape[1]),
            as_variable(targets).reshape(1, -1),
            np.reshape(_integers("input_lengths", input_lengths), 1),
            np.reshape(_integers("target_lengths", target_lengths), 1),
            blank,
            reduction,
            zero_infinity,
        )
        return loss.reshape(()) if reduction == "none" else loss
    if x.ndim != 3 or x.dtype.kind != "f":
        raise ShapeError(
            "ctc_loss: log_probs are floats of shape (time, batch, classes) or (time, "
            f"classes), got {x.dtype} of shape {x.shape}"
        )
    if reduction not in ("mean", "sum", "none"):
        raise ArgumentError(
            f"ctc_loss: reduction must be 'mean', 'sum' or 'none', got {reduction!r}"
        )
    times = _lengths("input_lengths", input_lengths, x.shape[1], x.shape[0])
    lengths = _integers("target_lengths", target_lengths).reshape(-1)
    labels = _rows(_integers("targets", targets), lengths, x.shape)
    _check_labels(labels, lengths, x.shape[2], blank)
    states, may_skip = with_blanks(labels, lengths, blank)
    losses: Tensor = apply(
        CTC, x, states=states, may_skip=may_skip, times=times, ends=2 * lengths + 1
    )
    if zero_infinity:
        losses = fn.where(np.isfinite(losses.array), losses, 0.0)
    if reduction == "mean":
        losses = losses / np.maximum(lengths, 1).astype(x.dtype)
        return losses.mean()
    return losses.sum() if reduction == "sum" else losses


def _integers(name: str, values: Any) -> Any:
    array = np.asarray(getattr(values, "array", values))
    if array.size and array.dtype.kind not in "iu":
        raise DTypeError(f"ctc_loss: {name} must be integers, got {array.dtype}")
    return array.astype(np.int64)


def _lengths(name: str, values: Any, batch: int, longest: int) -> Any:
    lengths = _integers(name, values).reshape(-1)
    if lengths.shape != (batch,):
        raise ShapeError(
            f"ctc_loss: {name} has {lengths.size} numbers for {batch} samples"
        )
    if lengths.size and not 0 <= lengths.min() <= lengths.max() <= longest:
        raise ArgumentError(
            f"ctc_loss: {name} go from {lengths.min()} to {lengths.max()}; they must "
            f"be from 0 to {longest}"
        )
    return lengths


def _rows(labels: Any, lengths: Any, shape: tuple[int, ...]) -> Any:
    """The labels as rows of one length, (batch, longest)."""
    batch = shape[1]
    longest = int(labels.shape[1]) if labels.ndim == 2 else int(lengths.max(initial=0))
    lengths = _lengths("target_lengths", lengths, batch, longest)
    if labels.ndim == 2:
        if len(labels) != batch:
            raise ShapeError(
                f"ctc_loss: targets of shape {labels.shape} for a batch of {batch}"
            )
        return labels
    if labels.ndim != 1 or labels.size != lengths.sum():
        raise ShapeError(
            f"ctc_loss: targets of shape {labels.shape}, one after another, must hold "
            f"as many labels as target_lengths say, {int(lengths.sum())}"
        )
    rows = np.zeros((batch, longest), np.int64)
    rows[np.arange(longest) < lengths[:, None]] = labels
    return rows


def _check_labels(labels: Any, lengths: Any, n_classes: int, blank: int) -> None:
    if not 0 <= blank < n_classes:
        raise ArgumentError(f"ctc_loss: blank={blank} is none of {n_classes} classes")
    used = labels[np.arange(labels.shape[1]) < lengths[:, None]]
    if used.size and not 0 <= used.min() <= used.max() < n_classes:
        raise ArgumentError(
            f"ctc_loss: labels go from {used.min()} to {used.max()}; the classes are "
            f"0, ..., {n_classes - 1}"
        )
    if (used == blank).any():
        raise ArgumentError(f"ctc_loss: a target holds {blank}, which is the blank")
