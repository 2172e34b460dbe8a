"""What metrics share: checks of their input, weighted means, pairs of labels."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dotori.errors import ArgumentError, NonFiniteError, ShapeError

Float: TypeAlias = NDArray[np.float64]


def check_amounts(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    sample_weight: ArrayLike | None,
    running: bool = False,
) -> tuple[Float, Float, Float]:
    """Truth and prediction of shape (n, k), and the weights of shape (n,)."""
    true, pred = np.asarray(y_true, np.float64), np.asarray(y_pred, np.float64)
    if true.shape != pred.shape or true.ndim not in (1, 2):
        raise ShapeError(
            "metric: y_true and y_pred of one shape, (n,) or (n, k), were wanted, got "
            f"{true.shape} and {pred.shape}"
        )
    check_not_empty(len(true))
    true, pred = true.reshape(len(true), -1), pred.reshape(len(pred), -1)
    check_finite("y_true", true)
    check_finite("y_pred", pred)
    return true, pred, check_weights(sample_weight, len(true), running)


def check_labels(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    sample_weight: ArrayLike | None,
    running: bool = False,
) -> tuple[NDArray[Any], NDArray[Any], Float]:
    true, pred = np.asarray(y_true), np.asarray(y_pred)
    if true.shape != pred.shape or true.ndim != 1:
        raise ShapeError(
            "metric: labels of one shape (n,) were wanted, got "
            f"{true.shape} and {pred.shape}"
        )
    check_not_empty(len(true))
    for name, labels in (("y_true", true), ("y_pred", pred)):
        if labels.dtype.kind == "f":
            check_finite(name, labels)
    return true, pred, check_weights(sample_weight, len(true), running)


def check_weights(
    sample_weight: ArrayLike | None, n: int, running: bool = False
) -> Float:
    """The weights, ones if there are none; a running metric's batch may have all 0."""
    if sample_weight is None:
        return np.ones(n)
    weight = np.asarray(sample_weight, np.float64)
    if weight.shape != (n,):
        raise ShapeError(
            f"metric: weights of shape ({n},) were wanted, got {weight.shape}"
        )
    check_finite("sample_weight", weight)
    if (weight < 0).any() or (weight.sum() == 0 and not running):
        raise ArgumentError("metric: weights >= 0 with a sum above 0 were wanted")
    return weight


def check_not_empty(n: int) -> None:
    if n == 0:
        raise ArgumentError("metric: at least one sample was wanted, got none")


def check_finite(name: str, values: NDArray[Any]) -> None:
    finite = np.isfinite(values)
    if not finite.all():
        place = int(np.argmin(finite.reshape(len(values), -1).all(axis=1)))
        raise NonFiniteError(
            f"metric: finite numbers were wanted, but {name}[{place}] is "
            f"{values[place]}"
        )


def weighted_mean(values: Float, weight: Float) -> Float:
    """The weighted mean over samples, for each output."""
    return np.asarray(np.average(values, axis=0, weights=weight))


def r2_from_sums(residual: Float, total: Float) -> Float:
    """1 - residual / total, 1 for 0 / 0, and 0 where only the total is 0."""
    ratio = residual / np.where(total == 0, 1.0, total)
    return np.where(total == 0, np.where(residual == 0, 1.0, 0.0), 1 - ratio)


def label_set(
    true: NDArray[Any], pred: NDArray[Any], labels: ArrayLike | None
) -> NDArray[Any]:
    if labels is None:
        return np.unique(np.concatenate([true, pred]))
    chosen = np.asarray(labels)
    if len(np.unique(chosen)) != len(chosen) or not len(chosen):
        raise ArgumentError(f"metric: distinct labels were wanted, got {labels!r}")
    return chosen


def count_confusion(
    true: NDArray[Any], pred: NDArray[Any], weight: Float, labels: NDArray[Any]
) -> Float:
    rows, columns = _places(true, labels), _places(pred, labels)
    known = (rows >= 0) & (columns >= 0)
    k = len(labels)
    cells = rows[known] * k + columns[known]
    counts = np.bincount(cells, weight[known], minlength=k * k)
    return counts.astype(np.float64).reshape(k, k)


def _places(values: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.int64]:
    """The place of each value among the labels, -1 if it is none of them."""
    order = np.argsort(labels, kind="stable")
    found = np.searchsorted(labels[order], values).clip(max=len(labels) - 1)
    return np.where(labels[order][found] == values, order[found], -1)


def class_numbers(y_true: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
    """The class numbers 0, ..., k - 1 of labels."""
    true, known = np.asarray(y_true), np.asarray(labels)
    places = _places(true, known)
    if (places < 0).any():
        raise ArgumentError(
            f"metric: one of the labels {known.tolist()} was wanted in y_true, got "
            f"{true[int(np.argmax(places < 0))]!r}"
        )
    return places


def check_classes(
    y_true: ArrayLike,
    score: NDArray[Any],
    k: int,
    sample_weight: ArrayLike | None,
    running: bool = False,
) -> tuple[NDArray[np.int64], Float]:
    true = np.asarray(y_true)
    if score.ndim not in (1, 2) or true.shape != score.shape[:1]:
        raise ShapeError(
            "metric: classes of shape (n,) and scores of shape (n,) or (n, k) were "
            f"wanted, got {true.shape} and {score.shape}"
        )
    check_not_empty(len(true))
    check_finite("y_score", score)
    if true.dtype.kind == "f":
        check_finite("y_true", true)
    if true.dtype.kind not in "biuf" or not np.isin(true, np.arange(k)).all():
        raise ArgumentError(
            f"metric: class numbers 0, ..., {k - 1} were wanted in y_true, got "
            f"{np.unique(true)[:10]}"
        )
    return true.astype(np.int64), check_weights(sample_weight, len(true), running)


def check_probabilities(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    sample_weight: ArrayLike | None,
    running: bool = False,
) -> tuple[NDArray[np.int64], Float, Float]:
    proba = np.asarray(y_proba)
    if proba.dtype.kind != "f":
        proba = proba.astype(np.float64)
    width = proba.shape[1] if proba.ndim == 2 else 2
    classes, weight = check_classes(y_true, proba, width, sample_weight, running)
    if (proba < 0).any() or (proba > 1).any():
        raise ArgumentError("log_loss: probabilities between 0 and 1 were wanted")
    if proba.ndim == 1:
        proba = np.stack([1 - proba, proba], axis=1)
    elif not np.allclose(proba.sum(axis=1), 1, atol=1e-4):
        raise ArgumentError(
            "log_loss: probabilities that add up to 1 in each row were wanted; "
            "apply softmax to logits first"
        )
    return classes, proba, weight
