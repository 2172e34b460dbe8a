"""How good predictions are: the usual figures, as functions of plain arrays.

Arguments, defaults and values are those of scikit-learn's functions (``f1`` is its
``f1_score``). All of them take the truth first, the prediction second, and an optional
weight for each sample; all compute in float64 and return Python numbers (but the
confusion matrix, an array). The classes of ``running.py`` keep running figures, batch
by batch, and give the same values.

Empty input is an ArgumentError, arrays of different lengths a ShapeError, and a NaN or
an infinity, in the truth, the prediction or the weights, a NonFiniteError: a figure
that hides a NaN is worse than none. Labels are whole numbers or texts; where
probabilities are given, labels are the class numbers 0, ..., k - 1 that index their
columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dotori.errors import ArgumentError
from dotori.train.metric_inputs import (
    Float,
    check_amounts,
    check_classes,
    check_labels,
    check_probabilities,
    class_numbers,
    count_confusion,
    label_set,
    r2_from_sums,
    weighted_mean,
)
from dotori.train.running import MAE as MAE
from dotori.train.running import MSE as MSE
from dotori.train.running import R2 as R2
from dotori.train.running import RMSE as RMSE
from dotori.train.running import Accuracy as Accuracy
from dotori.train.running import ConfusionMatrix as ConfusionMatrix
from dotori.train.running import LogLoss as LogLoss
from dotori.train.running import Metric as Metric

Average: TypeAlias = Literal["binary", "macro", "micro", "weighted"]


def mse(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """mean((y_true - y_pred)^2), over samples and outputs.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape, (n,) or (n, k)
        The truth and the prediction.
    sample_weight : array of shape (n,), optional
        Non-negative weights.

    Examples
    --------
    >>> mse([3.0, 5.0], [2.0, 7.0])
    2.5
    """
    true, pred, weight = check_amounts(y_true, y_pred, sample_weight)
    return float(weighted_mean(np.square(true - pred), weight).mean())


def rmse(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """sqrt(mean((y_true - y_pred)^2)); for k outputs, the mean of their k roots.

    Examples
    --------
    >>> rmse([3.0, 5.0], [0.0, 1.0], sample_weight=[0, 1])
    4.0
    """
    true, pred, weight = check_amounts(y_true, y_pred, sample_weight)
    return float(np.sqrt(weighted_mean(np.square(true - pred), weight)).mean())


def mae(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """mean(abs(y_true - y_pred)), over samples and outputs.

    Examples
    --------
    >>> mae([3.0, 5.0], [2.0, 7.0])
    1.5
    """
    true, pred, weight = check_amounts(y_true, y_pred, sample_weight)
    return float(weighted_mean(np.abs(true - pred), weight).mean())


def r2(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """1 - sum((y_true - y_pred)^2) / sum((y_true - mean(y_true))^2).

    The share of the truth's variance that the prediction explains; the mean over
    outputs for truths of shape (n, k). Where the truth does not vary it is 1 for a
    perfect prediction and 0 for any other; of a single sample it is NaN.

    Examples
    --------
    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    true, pred, weight = check_amounts(y_true, y_pred, sample_weight)
    if len(true) < 2:
        return float("nan")
    column = weight[:, np.newaxis]
    residual = (column * np.square(true - pred)).sum(axis=0)
    total = (column * np.square(true - weighted_mean(true, weight))).sum(axis=0)
    return float(r2_from_sums(residual, total).mean())


def accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """The share of samples whose predicted label is the true one.

    Examples
    --------
    >>> accuracy([0, 1, 2, 1], [0, 1, 1, 1])
    0.75
    """
    true, pred, weight = check_labels(y_true, y_pred, sample_weight)
    return float((weight * (true == pred)).sum() / weight.sum())


def confusion_matrix(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> NDArray[Any]:
    """Entry (i, j): how many samples of the true label i were predicted as label j.

    Parameters
    ----------
    y_true, y_pred : arrays of shape (n,)
        Labels.
    labels : array of shape (k,), optional
        The labels of rows and columns, in order; without it all that occur, sorted.
        Samples with others are not counted.
    sample_weight : array of shape (n,), optional
        Weights to add up instead of counting; the entries are float64 then, else int64.

    Returns
    -------
    array of shape (k, k)

    Examples
    --------
    >>> confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1])
    array([[1, 1],
           [0, 2]])
    """
    true, pred, weight = check_labels(y_true, y_pred, sample_weight)
    matrix = count_confusion(true, pred, weight, label_set(true, pred, labels))
    return matrix if sample_weight is not None else matrix.astype(np.int64)


def precision(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    pos_label: Any = 1,
    average: Average | None = "binary",
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> Any:
    """True positives / predicted positives: how much of what was found is right.

    Parameters
    ----------
    y_true, y_pred : arrays of shape (n,)
        Labels.
    labels : array, optional
        The labels to take part, for averages other than "binary"; all without it.
    pos_label : label
        The class that counts as positive, for the average "binary".
    average : {"binary", "macro", "micro", "weighted", None}
        The figure of `pos_label`; the plain mean over labels; the figure of all counts
        together; the mean weighted by the labels' true counts; or, for None, an array
        of the figure of each label.
    sample_weight : array of shape (n,), optional
        Weights of the samples.
    zero_division : float
        The figure where its denominator is 0.

    Examples
    --------
    >>> precision([0, 1, 1, 1], [1, 1, 1, 0])
    0.6666666666666666
    """
    counts = _counts(y_true, y_pred, labels, pos_label, average, sample_weight)
    return _averaged(
        counts, average, zero_division, lambda hit, said, real: (hit, said)
    )


def recall(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    pos_label: Any = 1,
    average: Average | None = "binary",
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> Any:
    """True positives / real positives: how much of what there is was found.

    The parameters are those of :func:`precision`.

    Examples
    --------
    >>> recall([0, 1, 1, 1, 1], [1, 1, 1, 1, 0])
    0.75
    """
    counts = _counts(y_true, y_pred, labels, pos_label, average, sample_weight)
    return _averaged(
        counts, average, zero_division, lambda hit, said, real: (hit, real)
    )


def f1(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    pos_label: Any = 1,
    average: Average | None = "binary",
    sample_weight: ArrayLike | None = None,
    zero_division: float = 0.0,
) -> Any:
    """2 * true positives / (predicted positives + real positives).

    The harmonic mean of precision and recall; parameters as for
    :func:`precision`.

    Examples
    --------
    >>> f1([0, 1, 1, 1], [0, 1, 1, 0])
    0.8
    """
    counts = _counts(y_true, y_pred, labels, pos_label, average, sample_weight)
    return _averaged(
        counts, average, zero_division, lambda hit, said, real: (2 * hit, said + real)
    )


def log_loss(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """-mean(log p of the true class): the cross-entropy in nats.

    Parameters
    ----------
    y_true : array of shape (n,)
        Class numbers 0, ..., k - 1, or any of `labels`.
    y_proba : array of shape (n, k) or (n,)
        The probability of each class, or of class 1 of two. They are kept away from 0
        and 1 by their type's machine epsilon, so that the figure is finite.
    labels : array of shape (k,), optional
        The labels that belong to the columns, in order.
    sample_weight : array of shape (n,), optional
        Weights of the samples.

    Examples
    --------
    >>> round(log_loss([0, 1], [[0.9, 0.1], [0.2, 0.8]]), 6)
    0.164252
    """
    if labels is not None:
        y_true = class_numbers(y_true, labels)
    classes, proba, weight = check_probabilities(y_true, y_proba, sample_weight)
    epsilon = np.finfo(proba.dtype).eps
    chosen = proba[np.arange(len(proba)), classes]
    logs = np.log(np.clip(chosen, epsilon, 1 - epsilon))
    return float(-(weight * logs).sum() / weight.sum())


def roc_auc(
    y_true: ArrayLike, y_score: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """The chance that a positive sample scores above a negative one, ties half.

    Parameters
    ----------
    y_true : int array of shape (n,)
        Class numbers; 0 and 1 for scores of shape (n,).
    y_score : array of shape (n,) or (n, k)
        Any scores of class 1, larger for surer; or one column for each class: two
        classes then use the second column, more are taken one against the rest, and
        the k areas averaged.
    sample_weight : array of shape (n,), optional
        Weights of the samples.

    Raises
    ------
    ArgumentError
        If a class has no samples (or no weight), so that the area does not exist.

    Notes
    -----
    The area under the ROC curve equals the Mann-Whitney statistic (Hanley and McNeil,
    Radiology 143 (1982), 29-36): the sum over positives of the weight of negatives
    below, plus half of that of negatives with the same score.

    Examples
    --------
    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    score = np.asarray(y_score)
    width = score.shape[1] if score.ndim == 2 else 2
    classes, weight = check_classes(y_true, score, width, sample_weight)
    if score.ndim == 1 or width == 2:
        return _area(classes == 1, score if score.ndim == 1 else score[:, 1], weight)
    areas = [_area(classes == k, score[:, k], weight) for k in range(width)]
    return float(np.mean(areas))


def _area(positive: NDArray[np.bool_], score: NDArray[Any], weight: Float) -> float:
    values, place = np.unique(score, return_inverse=True)
    size = len(values)
    above = np.bincount(place, weights=weight * positive, minlength=size)
    below = np.bincount(place, weights=weight * ~positive, minlength=size)
    total = above.sum() * below.sum()
    if total == 0:
        raise ArgumentError(
            "roc_auc: samples of both classes were wanted, got one class only"
        )
    lower = np.cumsum(below) - below / 2
    return float((above * lower).sum() / total)


_Counts: TypeAlias = tuple[Float, Float, Float]


def _counts(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    labels: ArrayLike | None,
    pos_label: Any,
    average: Average | None,
    sample_weight: ArrayLike | None,
) -> _Counts:
    """Of each label that takes part: right, predicted and real weight."""
    if average not in ("binary", "macro", "micro", "weighted", None):
        raise ArgumentError(
            "metric: average must be 'binary', 'macro', 'micro', 'weighted' or None, "
            f"got {average!r}"
        )
    true, pred, weight = check_labels(y_true, y_pred, sample_weight)
    every = label_set(true, pred, None)
    chosen = every if labels is None else label_set(true, pred, labels)
    if average == "binary":
        if len(every) > 2:
            raise ArgumentError(
                f"metric: average='binary' needs two classes, got {len(every)}; "
                "use 'macro', 'micro' or 'weighted'"
            )
        chosen = np.asarray([pos_label])
    every = np.union1d(every, chosen)
    matrix = count_confusion(true, pred, weight, every)
    places = np.searchsorted(every, chosen)
    return (
        matrix.diagonal()[places],
        matrix.sum(axis=0)[places],
        matrix.sum(axis=1)[places],
    )


def _averaged(
    counts: _Counts,
    average: Average | None,
    zero_division: float,
    ratio: Callable[[Float, Float, Float], tuple[Float, Float]],
) -> Any:
    if average == "micro":
        hit, said, real = (count.sum(keepdims=True) for count in counts)
        counts = hit, said, real
    top, bottom = ratio(*counts)
    safe = np.where(bottom == 0, 1.0, bottom)
    figures = np.where(bottom == 0, zero_division, top / safe)
    if average is None:
        return figures
    if average == "weighted":
        real = counts[2]
        if real.sum() == 0:
            return float(zero_division)
        return float(np.average(figures, weights=real))
    return float(figures.mean())
