"""Logistic regression on one screen each: gradient descent, Newton, and the model.

Two classes: p(1 | x) = sigmoid(x . w + b). k classes: p(. | x) = softmax(W x + b), for
k = 2 the sigmoid of the difference of the two rows (Cox, J. R. Stat. Soc. B 20 (1958),
215-242; Bishop, Pattern Recognition and Machine Learning (2006), section 4.3).
`dotori.algorithms.logistic.fit` finds the same minimum faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dotori.algorithms._stored import storable
from dotori.errors import ArgumentError, ShapeError

Array = NDArray[Any]
Float = NDArray[np.float64]

_BLOCK = 65_536


def sigmoid(scores: ArrayLike) -> Array:
    """1 / (1 + exp(-s)), without overflow.

    Examples
    --------
    >>> sigmoid([-1000.0, 0.0, 1000.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    values = np.asarray(scores)
    small = np.exp(-np.abs(values))
    result: Array = np.where(values >= 0, 1, small) / (1 + small)
    return result


def softmax(scores: ArrayLike) -> Array:
    """exp(s_j) / sum_k exp(s_k) for each row, shifted so that nothing overflows.

    Examples
    --------
    >>> softmax([[0.0, 0.0], [1000.0, 0.0]]).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    values = np.asarray(scores)
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    result: Array = powers / powers.sum(axis=1, keepdims=True)
    return result


def logistic_descent(
    x: ArrayLike, y: ArrayLike, rate: float = 0.1, steps: int = 100, l2: float = 0.0
) -> tuple[Float, list[float]]:
    """Logistic regression of two classes by gradient descent.

    The loss -(1/m) sum_i [y_i log h_i + (1 - y_i) log(1 - h_i)] + l2/2 ||theta||^2 of
    h = sigmoid(X theta) has the gradient X^T (h - y) / m + l2 theta. A column of ones
    in X is the intercept.

    Parameters
    ----------
    x : array of shape (m, d)
    y : array of shape (m,)
        0 or 1.
    rate : float
        What the gradient is multiplied by.
    steps : int
    l2 : float
        The weight of the penalty.

    Returns
    -------
    theta : array of shape (d,)
    losses : list of float
        The loss before each step and at the end.

    Examples
    --------
    One row in four is of class 1 where x = 0, three in four where x = 1: the intercept
    becomes log(1/3), and the slope log(3) - log(1/3).

    >>> x = np.array([[1.0, 0.0]] * 4 + [[1.0, 1.0]] * 4)
    >>> y = [0, 0, 0, 1, 0, 1, 1, 1]
    >>> theta, losses = logistic_descent(x, y, rate=2.0, steps=200)
    >>> theta.round(4).tolist(), round(losses[0], 4)
    ([-1.0986, 2.1972], 0.6931)
    """
    matrix, target = _pairs("logistic_descent", x, y)
    m, theta, losses = len(matrix), np.zeros(matrix.shape[1]), []
    for _ in range(steps):
        losses.append(_loss(matrix, target, theta, l2))
        h = sigmoid(matrix @ theta)
        theta = theta - rate * (matrix.T @ (h - target) / m + l2 * theta)
    return theta, [*losses, _loss(matrix, target, theta, l2)]


def logistic_newton(
    x: ArrayLike, y: ArrayLike, steps: int = 25, l2: float = 0.0
) -> tuple[Float, list[float]]:
    """The same by Newton's method: iteratively reweighted least squares.

    theta - H^-1 g, with the Hessian H = X^T diag(h (1 - h)) X / m + l2 I (Bishop 2006,
    equations 4.96 to 4.100). It ends when a step no longer lowers the loss. Steps are
    not damped here: far from the minimum they may lead away from it.

    Parameters
    ----------
    x : array of shape (m, d)
    y : array of shape (m,)
        0 or 1.
    steps : int
        The most steps.
    l2 : float
        The weight of the penalty.

    Returns
    -------
    theta : array of shape (d,)
    losses : list of float

    Examples
    --------
    >>> x = np.array([[1.0, 0.0]] * 4 + [[1.0, 1.0]] * 4)
    >>> theta, losses = logistic_newton(x, [0, 0, 0, 1, 0, 1, 1, 1])
    >>> theta.round(4).tolist(), len(losses) < 10
    ([-1.0986, 2.1972], True)
    """
    matrix, target = _pairs("logistic_newton", x, y)
    m, theta = len(matrix), np.zeros(matrix.shape[1])
    losses = [_loss(matrix, target, theta, l2)]
    for _ in range(steps):
        h = sigmoid(matrix @ theta)
        gradient = matrix.T @ (h - target) / m + l2 * theta
        hessian = (matrix.T * (h * (1 - h))) @ matrix / m + l2 * np.eye(len(theta))
        better = theta - np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        loss = _loss(matrix, target, better, l2)
        if not loss < losses[-1]:
            break
        theta = better
        losses.append(loss)
    return theta, losses


def _loss(x: Float, y: Float, theta: Float, l2: float) -> float:
    # log(1 + exp(s)) - y s, which is the cross entropy without a logarithm of 0
    scores = x @ theta
    penalty = l2 / 2 * float(theta @ theta)
    return float(np.mean(np.logaddexp(0, scores) - y * scores)) + penalty


def _pairs(place: str, x: ArrayLike, y: ArrayLike) -> tuple[Float, Float]:
    matrix, target = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if matrix.ndim != 2 or target.shape != matrix.shape[:1] or not len(target):
        raise ShapeError(
            f"{place}: x of shape (m, d) and y of shape (m,) were wanted with m >= 1, "
            f"got {matrix.shape} and {target.shape}"
        )
    if not np.isin(target, (0, 1)).all():
        raise ArgumentError(
            f"{place}: y must be 0 or 1, got {np.unique(target)[:5].tolist()}; number "
            "the classes with np.unique(y, return_inverse=True)"
        )
    return matrix, target


@storable
@dataclass(frozen=True)
class LogisticModel:
    """A fitted logistic regression: what `predict` needs, and nothing else.

    Attributes
    ----------
    coef : array of shape (k, d), or (1, d) for two classes
    intercept : array of shape (k,) or (1,)

    Examples
    --------
    >>> model = LogisticModel(np.array([[2.0]]), np.array([0.0]))
    >>> model.predict(np.array([[0.0]])).tolist()
    [[0.5, 0.5]]
    """

    coef: Array
    intercept: Array

    def __post_init__(self) -> None:
        if self.coef.ndim != 2 or self.intercept.shape != self.coef.shape[:1]:
            raise ShapeError(
                "LogisticModel: coef of shape (k, d) and intercept of shape (k,) were "
                f"wanted, got {self.coef.shape} and {self.intercept.shape}"
            )

    def scores(self, x: Any) -> Array:
        """W x + b of shape (n, k), or (n,) for two classes."""
        found: Array = np.asarray(x @ self.coef.T) + self.intercept
        return found[:, 0] if len(self.coef) == 1 else found

    def predict(self, x: Any) -> Array:
        """Probabilities of shape (n, classes), for a matrix of shape (n, d)."""
        parts = [
            self.probabilities(self.scores(x[start : start + _BLOCK]))
            for start in range(0, x.shape[0], _BLOCK)
        ]
        classes = max(2, len(self.coef))
        return np.concatenate([*parts, np.zeros((0, classes), self.coef.dtype)])

    def probabilities(self, scores: Array) -> Array:
        """Probabilities of shape (n, classes) for what `scores` gives."""
        if scores.ndim == 2:
            return softmax(scores)
        second = sigmoid(scores)
        return np.stack([1 - second, second], axis=1)
