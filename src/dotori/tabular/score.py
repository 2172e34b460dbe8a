"""The figures that a prediction is judged by."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dotori.tabular.target import Target
from dotori.train import metrics

#: The first figure of a task is its headline; lower is better for those named here.
HEADLINE = {"regression": "rmse", "binary": "accuracy", "multiclass": "accuracy"}
LOWER_IS_BETTER = ("rmse", "mae", "log_loss")


def score(
    target: Target, true: NDArray[Any], predicted: NDArray[Any]
) -> dict[str, Any]:
    """Judge predictions: amounts, or a row of probabilities for each row.

    Parameters
    ----------
    target : Target
    true : array of shape (n,)
        Amounts, or class numbers.
    predicted : array of shape (n,) or (n, k)
        Amounts, or the probability of each class.

    Returns
    -------
    dict
        rmse, mae, r2; or accuracy, log_loss, f1 (of the second class, or the mean
        over classes), roc_auc (None where a class is absent) and confusion, a list of
        rows, one for each true class.
    """
    if target.is_regression:
        return {
            "rmse": metrics.rmse(true, predicted),
            "mae": metrics.mae(true, predicted),
            "r2": metrics.r2(true, predicted) if len(true) > 1 else None,
        }
    k = len(target.classes)
    labels, chosen = list(range(k)), predicted.argmax(axis=1)
    average: Literal["binary", "macro"] = "binary" if k == 2 else "macro"
    confusion = metrics.confusion_matrix(true, chosen, labels=labels)
    return {
        "accuracy": metrics.accuracy(true, chosen),
        "log_loss": metrics.log_loss(true, predicted, labels=labels),
        "f1": metrics.f1(true, chosen, average=average),
        "roc_auc": _roc_auc(true, predicted, k),
        "confusion": np.asarray(confusion).tolist(),
    }


def _roc_auc(true: NDArray[Any], predicted: NDArray[Any], k: int) -> float | None:
    if len(np.unique(true)) < k:
        return None
    return float(metrics.roc_auc(true, predicted[:, 1] if k == 2 else predicted))


def numbers(scores: dict[str, Any]) -> dict[str, float]:
    """The scores that are single numbers, for a table."""
    return {k: v for k, v in scores.items() if isinstance(v, (int, float))}
