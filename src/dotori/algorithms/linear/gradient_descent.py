"""Linear regression by gradient descent: the first learning algorithm of every course.

Half of the mean squared error, J(theta) = ||X theta - y||^2 / (2 m) over m rows, has
the gradient

    X^T (X theta - y) / m

Each step goes against it; each of mini-batch descent takes the gradient of some rows
only (Robbins and Monro, Annals of Mathematical Statistics 22 (1951), 400-407). It ends
near the minimum if the learning rate is below 2 over the largest eigenvalue of
X^T X / m, after a number of steps that grows with X's condition number squared: scale
the columns first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dotori.algorithms.linear.gram import Array, Float
from dotori.algorithms.linear.least_squares import LinearModel
from dotori.errors import ArgumentError, NonFiniteError
from dotori.random import Generator


class Descent(NamedTuple):
    """A model found by gradient descent, and how it was found.

    Attributes
    ----------
    model : LinearModel
    loss : list of float
        Half of the mean squared error over all rows, before each epoch and at the end.
    """

    model: LinearModel
    loss: list[float]


def half_mean_squared_error(x: Array, y: Array, theta: Array) -> float:
    """||X theta - y||^2 / (2 m).

    Examples
    --------
    >>> half_mean_squared_error(np.eye(2), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    1.0
    """
    residual = x @ theta - y
    return float(residual @ residual) / (2 * len(y))


def gradient(x: Array, y: Array, theta: Array) -> Array:
    """X^T (X theta - y) / m, the gradient of `half_mean_squared_error`.

    Examples
    --------
    >>> gradient(np.eye(2), np.array([1.0, 2.0]), np.array([1.0, 0.0])).tolist()
    [0.0, -1.0]
    """
    found: Array = x.T @ (x @ theta - y) / len(y)
    return found


def gradient_descent(
    x: Array,
    y: ArrayLike,
    learning_rate: float = 0.1,
    epochs: int = 100,
    batch_size: int | None = None,
    generator: Generator | None = None,
) -> Descent:
    """Fit a linear model with an intercept by (mini-batch) gradient descent.

    Parameters
    ----------
    x : array of shape (m, d)
    y : array of shape (m,)
    learning_rate : float
        The length of a step over that of the gradient.
    epochs : int
        How often all rows are used.
    batch_size : int, optional
        Rows for one step, by default all. Rows are shuffled before each epoch if there
        are several batches.
    generator : dotori.random.Generator, optional
        Shuffles; by default one with the seed 0.

    Raises
    ------
    ArgumentError
        If a number is out of range.
    NonFiniteError
        If the steps grow without end: the learning rate is too large.

    Examples
    --------
    >>> x, y = np.array([[-1.0], [0.0], [1.0]]), np.array([1.0, 3.0, 5.0])
    >>> found = gradient_descent(x, y, learning_rate=1.0, epochs=50)
    >>> found.model.coef.round(6).tolist(), round(found.model.intercept, 6)
    ([2.0], 3.0)
    >>> found.loss[0] > found.loss[1] > found.loss[-1]
    True
    """
    m, targets = len(x), np.asarray(y, np.float64)
    batch = m if batch_size is None else batch_size
    if learning_rate <= 0 or epochs < 0 or batch < 1:
        raise ArgumentError(
            "gradient_descent: learning_rate > 0, epochs >= 0 and batch_size >= 1 were "
            f"wanted, got {learning_rate}, {epochs} and {batch_size}"
        )
    generator = Generator(0) if generator is None else generator
    columns = np.column_stack([np.ones(m), x])
    theta: Float = np.zeros(columns.shape[1])
    loss = [half_mean_squared_error(columns, targets, theta)]
    for epoch in range(epochs):
        if batch < m:
            order = generator.permutation(m)
            columns, targets = columns[order], targets[order]
        for start in range(0, m, batch):
            rows = slice(start, start + batch)
            theta -= learning_rate * gradient(columns[rows], targets[rows], theta)
        loss.append(half_mean_squared_error(columns, targets, theta))
        if not loss[-1] <= 1e6 * (loss[0] + 1):
            raise NonFiniteError(
                f"gradient_descent: the loss was {loss[0]:g} and is {loss[-1]:g} after "
                f"{epoch + 1} epochs; scale the columns, or take a learning rate below "
                f"{learning_rate:g}"
            )
    return Descent(LinearModel(theta[1:], float(theta[0])), loss)
