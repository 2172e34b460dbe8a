"""Running figures: the metrics that can be had batch by batch, exactly.

A running metric sees a batch at a time and holds a few sums in float64, so an epoch's
figure needs neither all predictions in memory nor a mean of means, which is wrong where
batches differ in size. Each is the figure of all batches put together.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dotori.errors import ArgumentError
from dotori.train.metric_inputs import (
    Float,
    check_amounts,
    check_labels,
    check_probabilities,
    count_confusion,
    r2_from_sums,
)


class Metric(Protocol):
    """A figure that is kept up to date batch by batch."""

    def update(
        self, pred: ArrayLike, true: ArrayLike, weight: ArrayLike | None = None
    ) -> None:
        """Take in a batch of predictions, truths and weights of the samples."""

    def compute(self) -> Any:
        """The figure of everything since the last reset."""

    def reset(self) -> None:
        """Forget everything."""


def _nothing_yet(metric: object) -> ArgumentError:
    return ArgumentError(
        f"{type(metric).__name__}.compute: there is no figure before the first update "
        "with a sample whose weight is above 0"
    )


class _Mean:
    """The weighted mean of something that each sample has."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._sum: Float | None = None
        self._weight = 0.0

    def compute(self) -> float:
        """The figure of everything since the last reset; ArgumentError for nothing."""
        if self._sum is None or self._weight == 0:
            raise _nothing_yet(self)
        return self._finish(self._sum / self._weight)

    def _finish(self, mean: Float) -> float:
        return float(mean.mean())

    def _add(self, values: Float, weight: Float) -> None:
        """Values of shape (n, outputs), weights of shape (n,)."""
        total = (weight[:, np.newaxis] * values).sum(axis=0)
        self._sum = total if self._sum is None else self._sum + total
        self._weight += float(weight.sum())


class MSE(_Mean):
    """The running :func:`~dotori.train.metrics.mse`.

    Examples
    --------
    >>> metric = MSE()
    >>> metric.update([2.0, 7.0], [3.0, 5.0])
    >>> metric.update([1.0], [1.0])
    >>> round(metric.compute(), 6)
    1.666667
    """

    def update(
        self, pred: ArrayLike, true: ArrayLike, weight: ArrayLike | None = None
    ) -> None:
        """Take in predictions and truths of one shape, (n,) or (n, outputs)."""
        y, p, w = check_amounts(true, pred, weight, running=True)
        self._add(np.square(y - p), w)


class RMSE(MSE):
    """The running :func:`~dotori.train.metrics.rmse`.

    Examples
    --------
    >>> metric = RMSE()
    >>> metric.update([0.0], [3.0])
    >>> metric.update([0.0], [3.0])
    >>> metric.compute()
    3.0
    """

    def _finish(self, mean: Float) -> float:
        return float(np.sqrt(mean).mean())


class MAE(_Mean):
    """The running :func:`~dotori.train.metrics.mae`.

    Examples
    --------
    >>> metric = MAE()
    >>> metric.update([0.0, 0.0], [3.0, -1.0])
    >>> metric.compute()
    2.0
    """

    def update(
        self, pred: ArrayLike, true: ArrayLike, weight: ArrayLike | None = None
    ) -> None:
        """Take in predictions and truths of one shape, (n,) or (n, outputs)."""
        y, p, w = check_amounts(true, pred, weight, running=True)
        self._add(np.abs(y - p), w)


class Accuracy(_Mean):
    """The running :func:`~dotori.train.metrics.accuracy`.

    Examples
    --------
    >>> metric = Accuracy()
    >>> metric.update([0, 1, 1], [0, 1, 2])
    >>> metric.update([1], [1])
    >>> metric.compute()
    0.75
    """

    def update(
        self, pred: ArrayLike, true: ArrayLike, weight: ArrayLike | None = None
    ) -> None:
        """Take in predicted and true labels of shape (n,)."""
        y, p, w = check_labels(true, pred, weight, running=True)
        self._add((y == p).astype(np.float64)[:, np.newaxis], w)


class LogLoss(_Mean):
    """The running :func:`~dotori.train.metrics.log_loss`.

    Examples
    --------
    >>> metric = LogLoss()
    >>> metric.update([[0.5, 0.5], [0.25, 0.75]], [0, 1])
    >>> round(metric.compute(), 6)
    0.490415
    """

    def update(
        self, pred: ArrayLike, true: ArrayLike, weight: ArrayLike | None = None
    ) -> None:
        """Take in probabilities of shape (n, k) or (n,), and class numbers (n,)."""
        classes, proba, w = check_probabilities(true, pred, weight, running=True)
        epsilon = np.finfo(proba.dtype).eps
        chosen = proba[np.arange(len(proba)), classes].clip(epsilon, 1 - epsilon)
        self._add(-np.log(chosen.astype(np.float64))[:, np.newaxis], w)


class R2:
    """The running :func:`~dotori.train.metrics.r2`.

    The truth's mean is not known before the last batch, so its squares are summed
    about the mean so far, and batches are joined by the formula of Chan, Golub and
    LeVeque ("Algorithms for computing the sample variance", American Statistician 37
    (1983), 242-247): no digits are lost to a large mean.

    Examples
    --------
    >>> metric = R2()
    >>> metric.update([1.0, 2.0], [1.0, 2.0])
    >>> metric.update([4.0], [3.0])
    >>> metric.compute()
    0.5
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._count = 0
        self._weight = 0.0
        self._mean: Float = np.zeros(1)
        self._total: Float = np.zeros(1)
        self._residual: Float = np.zeros(1)

    def update(
        self, pred: ArrayLike, true: ArrayLike, weight: ArrayLike | None = None
    ) -> None:
        """Take in predictions and truths of one shape, (n,) or (n, outputs)."""
        y, p, w = check_amounts(true, pred, weight, running=True)
        column, added = w[:, np.newaxis], float(w.sum())
        self._count += len(y)
        if added == 0:
            return
        mean = (column * y).sum(axis=0) / added
        joined = self._weight + added
        step = mean - self._mean
        self._total = (
            self._total
            + (column * np.square(y - mean)).sum(axis=0)
            + np.square(step) * (self._weight * added / joined)
        )
        self._residual = self._residual + (column * np.square(y - p)).sum(axis=0)
        self._mean = self._mean + step * (added / joined)
        self._weight = joined

    def compute(self) -> float:
        """The figure of everything since the last reset; NaN for a single sample."""
        if self._weight == 0:
            raise _nothing_yet(self)
        if self._count == 1:
            return math.nan
        return float(r2_from_sums(self._residual, self._total).mean())


class ConfusionMatrix:
    """The running :func:`~dotori.train.metrics.confusion_matrix` of k classes.

    Parameters
    ----------
    num_classes : int
        Labels are class numbers 0, ..., k - 1.

    Examples
    --------
    >>> metric = ConfusionMatrix(2)
    >>> metric.update([0, 1], [0, 0])
    >>> metric.update([1], [1])
    >>> metric.compute().tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """

    def __init__(self, num_classes: int) -> None:
        if num_classes < 1:
            raise ArgumentError(
                f"ConfusionMatrix: num_classes must be at least 1, got {num_classes}"
            )
        self.num_classes = num_classes
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._matrix: Float = np.zeros((self.num_classes, self.num_classes))

    def update(
        self, pred: ArrayLike, true: ArrayLike, weight: ArrayLike | None = None
    ) -> None:
        """Take in predicted and true class numbers of shape (n,)."""
        y, p, w = check_labels(true, pred, weight, running=True)
        labels = np.arange(self.num_classes)
        if not (np.isin(y, labels).all() and np.isin(p, labels).all()):
            raise ArgumentError(
                f"ConfusionMatrix: class numbers 0, ..., {self.num_classes - 1} were "
                f"wanted, got {np.setdiff1d(np.union1d(y, p), labels)[:10]}"
            )
        self._matrix = self._matrix + count_confusion(y, p, w, labels)

    def compute(self) -> NDArray[np.float64]:
        """The matrix of everything since the last reset: rows true, columns said."""
        return self._matrix.copy()
