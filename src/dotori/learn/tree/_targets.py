"""What a tree learns: y as class numbers or numbers, and the weights of the samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from dotori.errors import DataError

Array = NDArray[Any]


def encoded_classes(estimator: Any, y: Array) -> Array:
    """Class numbers, shape (n, outputs); sets `classes_` and `n_classes_`.

    Both have an entry for each output, which `unwrap` takes out where there is one.
    """
    check_classification_targets(y)
    numbers = np.empty(y.shape, np.int64)
    estimator.classes_ = []
    for k in range(y.shape[1]):
        classes, numbers[:, k] = np.unique(y[:, k], return_inverse=True)
        estimator.classes_.append(classes)
    estimator.n_classes_ = np.array([len(c) for c in estimator.classes_], np.int64)
    return numbers


def unwrap(estimator: Any) -> None:
    """With one output, `classes_` is its array and `n_classes_` its number."""
    if estimator.n_outputs_ == 1:
        estimator.n_classes_ = int(estimator.n_classes_[0])
        estimator.classes_ = estimator.classes_[0]


def numbers_for(estimator: Any, y: Array) -> Array:
    """Targets of a regression: float64, shape (n, outputs)."""
    if estimator.criterion == "poisson":
        name = type(estimator).__name__
        if np.any(y < 0):
            raise DataError(
                f"{name}: Some value(s) of y are negative which is not allowed for "
                "Poisson regression."
            )
        if np.sum(y) <= 0:
            raise DataError(
                f"{name}: Sum of y is not positive which is necessary for Poisson "
                "regression."
            )
    return np.ascontiguousarray(y, dtype=np.float64)


def weight_of_classes(class_weight: Any, y: Array) -> Array | None:
    """The weight that each sample has by its class, None where there is none."""
    if class_weight is None:
        return None
    weights: Array = compute_sample_weight(class_weight, y)
    return weights


def product(first: Array | None, second: Array | None) -> Array | None:
    """The product of two weights, either of which may be None for ones."""
    if first is None or second is None:
        return second if first is None else first
    return first * second


def predicted_classes(estimator: Any, probabilities: Any) -> Array:
    """The most probable class of each output; the first of equals."""
    if estimator.n_outputs_ == 1:
        best: Array = estimator.classes_.take(probabilities.argmax(axis=1))
        return best
    pairs = zip(estimator.classes_, probabilities, strict=True)
    return np.stack([c.take(p.argmax(axis=1)) for c, p in pairs], axis=1)


def by_output(estimator: Any, fractions: Array) -> Any:
    """Probabilities as scikit-learn gives them: an array, or a list by output.

    `fractions` has the shape (n, outputs, classes), padded where an output has fewer.
    """
    if estimator.n_outputs_ == 1:
        return fractions[:, 0, : estimator.n_classes_]
    counts = np.asarray(estimator.n_classes_).tolist()
    return [fractions[:, k, :count] for k, count in enumerate(counts)]


def logarithms(probabilities: Any) -> Any:
    """Of one array or of a list; log 0 is -inf, without a warning."""
    with np.errstate(divide="ignore"):
        if isinstance(probabilities, list):
            return [np.log(p) for p in probabilities]
        return np.log(probabilities)
