"""Class labels as people bring them, checked: what the cross-entropies work on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.backend import is_captured, namespace
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.nn.functional.hints import hint_once

if TYPE_CHECKING:
    from dotori._tensor import Tensor


def class_labels(
    name: str, logits: Tensor, target: Tensor, ignore_index: int
) -> tuple[Any, bool]:
    """The labels in `target` as an int64 array that fits `logits`; whether all count.

    Any integer type will do, and floats that are whole numbers, with a hint.

    Raises
    ------
    DTypeError
        For floats that are not whole numbers.
    ShapeError
        If the shape is not that of `logits` without axis 1.
    ArgumentError
        If a label is neither one of the classes nor `ignore_index`.
    """
    labels = target.array
    wanted = logits.shape[:1] + logits.shape[2:]
    if labels.shape != wanted:
        raise ShapeError(_wrong_shape(name, logits.shape, labels, wanted))
    if labels.dtype.kind == "f":
        labels = _whole_numbers(name, logits.shape, labels)
    elif labels.dtype != np.int64:
        labels = labels.astype(np.int64)
    n_classes = logits.shape[1]
    if is_captured(labels):
        return _captured_labels(name, labels, n_classes, ignore_index)
    # One comparison finds both ends: a negative number is huge without its sign.
    if labels.size and int(labels.view(np.uint64).max()) >= n_classes:
        _check_range(name, labels, n_classes, ignore_index)
        return labels, False
    return labels, not 0 <= ignore_index < n_classes


def _captured_labels(
    name: str, labels: Any, n_classes: int, ignore_index: int
) -> tuple[Any, bool]:
    """In a captured step, the check is made at each run, before weights change."""
    good = (labels >= 0) & (labels < n_classes)
    skips = not 0 <= ignore_index < n_classes and bool((labels.concrete < 0).any())
    if skips:
        good = good | (labels == ignore_index)

    def error() -> Exception:
        return ArgumentError(
            f"{name}: a label is not one of the {n_classes} classes 0, ..., "
            f"{n_classes - 1}"
        )

    labels.trace.require(good.all(), error)
    return labels, not skips and not 0 <= ignore_index < n_classes


def _wrong_shape(
    name: str, logits: tuple[int, ...], labels: Any, wanted: tuple[int, ...]
) -> str:
    message = (
        f"{name}: logits of shape {logits} have {logits[1]} classes along axis 1 and "
        f"want labels of shape {wanted}, got {labels.shape}"
    )
    if labels.shape == logits:
        return (
            f"{message}; if they are one-hot, use target.argmax(1), or target.float() "
            "to have them taken for probabilities"
        )
    if labels.shape == (*wanted, 1) or labels.shape == (*wanted[:1], 1, *wanted[1:]):
        return f"{message}; use target.squeeze(1)"
    return message


def _whole_numbers(name: str, logits: tuple[int, ...], labels: Any) -> Any:
    whole = labels.astype(np.int64) if np.isfinite(labels).all() else None
    if whole is None or (whole != labels).any():
        wrong = labels[~(labels == np.floor(labels))]
        sample = float(wrong.flat[0]) if wrong.size else float("inf")
        raise DTypeError(
            f"{name}: float labels must be whole numbers, found {sample}; give classes "
            f"as integers, or probabilities for the {logits[1]} classes in the shape "
            f"of the logits, {logits}"
        )
    hint_once(
        f"{name}: float labels",
        f"{name}: the labels are {labels.dtype}; they are whole numbers and are taken "
        "for classes; convert them once with target.long()",
    )
    return whole


def _check_range(name: str, labels: Any, n_classes: int, ignore_index: int) -> None:
    bad = ((labels < 0) | (labels >= n_classes)) & (labels != ignore_index)
    if not bad.any():
        return
    place = tuple(map(int, np.argwhere(bad)[0]))
    label = int(labels[place])
    message = (
        f"{name}: the label {label} at {place[0] if len(place) == 1 else place} is not "
        f"one of the {n_classes} classes 0, ..., {n_classes - 1}"
    )
    counted = labels[labels != ignore_index]
    if label == n_classes and counted.min() >= 1 and counted.max() == n_classes:
        message += "; the labels seem to start at 1: use target - 1"
    raise ArgumentError(message)


def class_weights(name: str, weight: Tensor, logits: Tensor) -> Any:
    """One number for each class, as an array of the logits' type."""
    n_classes = logits.shape[1]
    if weight.shape != (n_classes,):
        raise ShapeError(
            f"{name}: weight has shape {weight.shape}, but there are {n_classes} "
            f"classes: it must be ({n_classes},)"
        )
    return weight.array.astype(logits.dtype, copy=False)


def place_weights(
    labels: Any, weight: Any, ignore_index: int, dtype: Any
) -> tuple[Any, Any]:
    """The labels with a class in every place, and how much each place counts."""
    counts = labels != ignore_index
    labels = namespace(labels).where(counts, labels, 0)
    if weight is None:
        return labels, counts.astype(dtype)
    return labels, weight[labels] * counts.astype(dtype)
