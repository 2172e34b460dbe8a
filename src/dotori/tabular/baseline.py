"""What a network must beat: a constant, and a linear model, fitted to the same rows.

A regression's constant is the mean, and its linear model ridge regression. Classes have
the frequencies of the training split, and multinomial logistic regression. All of it is
float64 arithmetic on the preprocessed matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dotori.algorithms import lbfgs
from dotori.algorithms.linear.ridge import ridge
from dotori.algorithms.logistic.fit import fit_logistic as fit_softmax
from dotori.algorithms.logistic.model import softmax
from dotori.errors import DataError
from dotori.tabular.target import Target

Float = NDArray[np.float64]
_BLOCK = 65_536


class Baseline(Protocol):
    """A fitted model: amounts of shape (n,), or probabilities of shape (n, k)."""

    def predict(self, x: NDArray[Any]) -> Float:
        """Predict for the rows of a matrix of shape (n, d)."""


def fit_baselines(
    target: Target,
    x: NDArray[Any],
    y: NDArray[Any],
    sample_weight: ArrayLike | None = None,
) -> dict[str, Baseline]:
    """The constant and the linear model of a task.

    Parameters
    ----------
    target : Target
        Says whether amounts or classes are predicted.
    x : array of shape (n, d)
        The preprocessed matrix of the training split.
    y : array of shape (n,)
        Amounts, or class numbers.
    sample_weight : array of shape (n,), optional
        Weights of the rows.

    Returns
    -------
    dict
        "mean" and "linear"; or "frequencies" and "logistic".

    Examples
    --------
    >>> target = Target("y", "number", "regression")
    >>> models = fit_baselines(target, np.array([[0.0], [1.0]]), np.array([1.0, 3.0]))
    >>> models["mean"].predict(np.zeros((2, 1))).tolist()
    [2.0, 2.0]
    """
    if target.is_regression:
        return {
            "mean": fit_mean(y, sample_weight),
            "linear": fit_ridge(x, y, sample_weight=sample_weight),
        }
    k = len(target.classes)
    return {
        "frequencies": fit_frequencies(y, k, sample_weight),
        "logistic": fit_logistic(x, y, k, sample_weight=sample_weight),
    }


@dataclass(frozen=True)
class Constant:
    """The same prediction for every row: a number, or a row of probabilities."""

    value: Float

    def predict(self, x: NDArray[Any]) -> Float:
        """The constant, once for each row of `x`."""
        return np.tile(self.value, (len(x), *(1,) * self.value.ndim))


@dataclass(frozen=True)
class LinearBaseline:
    """x @ weight + intercept, through a softmax if there are classes."""

    weight: Float
    intercept: Float
    classes: bool

    def predict(self, x: NDArray[Any]) -> Float:
        """Amounts of shape (n,), or probabilities of shape (n, k)."""
        # A float64 product a block at a time: float32 rows are not copied as a whole.
        blocks = [
            x[start : start + _BLOCK].astype(np.float64) @ self.weight
            for start in range(0, len(x), _BLOCK)
        ]
        scores: Float = np.concatenate([*blocks, np.zeros((0, self.weight.shape[1]))])
        scores = scores + self.intercept
        return softmax(scores) if self.classes else scores[:, 0]


def fit_mean(y: ArrayLike, sample_weight: ArrayLike | None = None) -> Constant:
    """The mean of the training split's target.

    Examples
    --------
    >>> fit_mean([1.0, 3.0]).predict(np.zeros((3, 0))).tolist()
    [2.0, 2.0, 2.0]
    """
    true = np.asarray(y, np.float64)
    mean = np.average(true, weights=_weights(sample_weight, len(true)))
    return Constant(np.asarray(mean))


def fit_frequencies(
    y: ArrayLike, num_classes: int, sample_weight: ArrayLike | None = None
) -> Constant:
    """The share of each class in the training split.

    Examples
    --------
    >>> fit_frequencies([0, 1, 1, 1], 2).predict(np.zeros((1, 0))).tolist()
    [[0.25, 0.75]]
    """
    counts = np.bincount(np.asarray(y), _weights(sample_weight, len(np.asarray(y))))
    counts = np.pad(counts.astype(np.float64), (0, num_classes - len(counts)))
    return Constant(counts / counts.sum())


def fit_ridge(
    x: NDArray[Any],
    y: ArrayLike,
    alpha: float = 1.0,
    sample_weight: ArrayLike | None = None,
) -> LinearBaseline:
    """Minimise sum_i w_i (y_i - x_i @ b - c)^2 + alpha ||b||^2.

    As `dotori.algorithms.linear.ridge` solves it. One-hot columns are linearly
    dependent; alpha > 0 makes the solution unique.

    Parameters
    ----------
    x : array of shape (n, d)
        The preprocessed matrix.
    y : array of shape (n,)
        Amounts.
    alpha : float
        The weight of the penalty; the intercept has none.
    sample_weight : array of shape (n,), optional
        Weights of the rows.

    Examples
    --------
    >>> line = fit_ridge(np.array([[0.0], [1.0], [2.0]]), [1.0, 3.0, 5.0], alpha=0.0)
    >>> line.predict(np.array([[10.0]])).round(6).tolist()
    [21.0]
    """
    _check_rows(x)
    model, _ = ridge(x, np.asarray(y, np.float64), alpha, sample_weight)
    return LinearBaseline(
        model.coef[:, np.newaxis], np.array([model.intercept]), classes=False
    )


def fit_logistic(
    x: NDArray[Any],
    y: ArrayLike,
    num_classes: int,
    alpha: float = 1.0,
    sample_weight: ArrayLike | None = None,
    max_iter: int = 200,
) -> LinearBaseline:
    """Minimise -sum_i w_i log p(y_i | x_i) + alpha/2 ||weights||^2 over softmax models.

    With alpha = 1 / C this is scikit-learn's LogisticRegression. The penalty keeps the
    solution finite where a plane separates the classes.

    Parameters
    ----------
    x : array of shape (n, d)
        The preprocessed matrix.
    y : int array of shape (n,)
        Class numbers 0, ..., k - 1.
    num_classes : int
        k.
    alpha : float
        The weight of the penalty; the intercepts have none.
    sample_weight : array of shape (n,), optional
        Weights of the rows.
    max_iter : int
        The most steps of L-BFGS.

    Examples
    --------
    >>> x = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> model = fit_logistic(x, np.array([0, 0, 1, 1]), 2)
    >>> model.predict(x).argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """
    _check_rows(x)
    weight = _weights(sample_weight, len(x))
    values, classes = np.asarray(x, np.float64), np.asarray(y)
    if num_classes < 2:
        return LinearBaseline(np.zeros((x.shape[1], 1)), np.zeros(1), classes=True)
    # Two classes have one row of weights there, w = W[1] - W[0] with W[0] = -W[1], of
    # which the penalty alpha / 2 ||W||^2 is alpha / 4 ||w||^2.
    share = 0.5 if num_classes == 2 else 1.0
    fit = fit_softmax(
        values,
        classes,
        num_classes,
        weight=weight,
        l2=share * alpha / weight.sum(),
        tolerance=1e-7,
        max_iter=max_iter,
    )
    coef, intercept = fit.model.coef, fit.model.intercept
    if num_classes == 2:
        coef, intercept = (np.concatenate([-a / 2, a / 2]) for a in (coef, intercept))
    return LinearBaseline(coef.T, intercept, classes=True)


def minimise(
    function: Callable[[Float], tuple[float, Float]],
    start: Float,
    max_iter: int,
    tolerance: float = 1e-7,
    memory: int = 10,
) -> Float:
    """Minimise a smooth convex function by L-BFGS (Nocedal and Wright, algorithm 7.5).

    `function` gives the value and the gradient. It ends when no component of the
    gradient exceeds the tolerance, when no step lowers the value, or after `max_iter`.

    Examples
    --------
    >>> bowl = lambda x: (float(((x - 3) ** 2).sum()), 2 * (x - 3))
    >>> minimise(bowl, np.zeros(2), 50).round(6).tolist()
    [3.0, 3.0]
    """
    found = lbfgs.minimise(function, start, max_iter, tolerance, memory=memory)
    return found.point


def _weights(sample_weight: ArrayLike | None, n: int) -> Float:
    return (
        np.ones(n) if sample_weight is None else np.asarray(sample_weight, np.float64)
    )


def _check_rows(x: NDArray[Any]) -> None:
    if x.ndim != 2 or not len(x):
        raise DataError(
            f"baseline: a matrix of shape (n, d) with n >= 1 was wanted, got {x.shape}"
        )
