"""Linear regression: the textbook's two exact ways, and the one that is used.

The sum of squares ||y - X theta||^2 is smallest where its gradient 2 X^T (X theta - y)
vanishes (Legendre, 1805; Gauss, 1809). With a column of ones in X for the intercept:

- the normal equations X^T X theta = X^T y say just that;
- with X = Q R they become R theta = Q^T y, without the square of X's condition number
  (Golub, Numerische Mathematik 7 (1965), 206-216).

`least_squares` is for all tables: long, wide, weighted, with columns that depend on
each other. The step by step way is in `gradient_descent`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dotori.algorithms._stored import storable
from dotori.algorithms.linear.gram import Array, Float
from dotori.algorithms.linear.nonnegative import nonnegative
from dotori.algorithms.linear.triangle import triangle
from dotori.errors import DataError, ShapeError


@storable
@dataclass(frozen=True)
class LinearModel:
    """A fitted linear model: x @ coef + intercept.

    Attributes
    ----------
    coef : array of shape (d,) or (k, d)
        One row for each target.
    intercept : float or array of shape (k,)

    Examples
    --------
    >>> LinearModel(np.array([2.0, -1.0]), 3.0).predict(np.array([[1.0, 1.0]])).tolist()
    [4.0]
    """

    coef: Array
    intercept: Any

    def __post_init__(self) -> None:
        if np.shape(self.intercept) not in ((), self.coef.shape[:-1]):
            raise ShapeError(
                f"LinearModel: coef of shape {self.coef.shape} goes with an intercept "
                f"of shape {self.coef.shape[:-1]}, got {np.shape(self.intercept)}"
            )

    def predict(self, x: Any) -> Array:
        """Predict the targets of the rows of `x`: of shape (n,) or (n, k)."""
        if np.ndim(x) != 2 or x.shape[1] != self.coef.shape[-1]:
            raise ShapeError(
                f"LinearModel: rows of {self.coef.shape[-1]} numbers were wanted, "
                f"got x of shape {np.shape(x)}"
            )
        found: Array = x @ self.coef.T + self.intercept
        return found


def normal_equations(x: Array, y: ArrayLike) -> LinearModel:
    """Solve X^T X theta = X^T y, the first column of X being ones.

    Half of the digits are gone before the work begins: the condition number of X^T X is
    the square of X's.

    Parameters
    ----------
    x : array of shape (n, d)
    y : array of shape (n,)

    Examples
    --------
    >>> line = normal_equations(np.array([[0.0], [1.0], [2.0]]), [1.0, 3.0, 5.0])
    >>> line.coef.round(6).tolist(), round(line.intercept, 6)
    ([2.0], 1.0)
    """
    columns = np.column_stack([np.ones(len(x)), x])
    theta = np.linalg.solve(columns.T @ columns, columns.T @ np.asarray(y))
    return LinearModel(theta[1:], float(theta[0]))


def by_qr(x: Array, y: ArrayLike) -> LinearModel:
    """Solve R theta = Q^T y for X = Q R, the first column of X being ones.

    Parameters
    ----------
    x : array of shape (n, d)
    y : array of shape (n,)

    Examples
    --------
    >>> line = by_qr(np.array([[0.0], [1.0], [2.0]]), [1.0, 3.0, 5.0])
    >>> line.coef.round(6).tolist(), round(line.intercept, 6)
    ([2.0], 1.0)
    """
    columns = np.column_stack([np.ones(len(x)), x])
    q, r = np.linalg.qr(columns)
    theta = np.linalg.solve(r, q.T @ np.asarray(y))
    return LinearModel(theta[1:], float(theta[0]))


class Solution(NamedTuple):
    """What `least_squares` finds.

    Attributes
    ----------
    model : LinearModel
    rank : int
        The rank of the centred table.
    singular : array of shape (min(n, d),)
        Its singular values.
    """

    model: LinearModel
    rank: int
    singular: Float


def least_squares(
    x: Array,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    tolerance: float = 1e-6,
    positive: bool = False,
) -> Solution:
    """Minimise sum_i w_i (y_i - x_i @ b - c)^2, for any shape and rank of the table.

    Parameters
    ----------
    x : array of shape (n, d)
    y : array of shape (n,) or (n, k)
        One column for each target.
    sample_weight : array of shape (n,), optional
        Weights w of the rows, not negative.
    fit_intercept : bool
        Whether there is a c.
    tolerance : float
        Singular values up to this share of the largest count as zero. The shortest
        solution is taken where there are many.
    positive : bool
        Only b >= 0 is allowed.

    Raises
    ------
    DataError
        If there are NaN or infinities, or squares that overflow.

    Examples
    --------
    >>> x = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])  # two equal columns
    >>> found = least_squares(x, np.array([1.0, 5.0, 9.0]))
    >>> found.model.coef.round(6).tolist(), found.rank
    ([2.0, 2.0], 1)
    """
    reduced = triangle(x, y, sample_weight, fit_intercept)
    if not reduced.finite:
        raise DataError(
            "least squares: the rows must be finite numbers whose squares are finite; "
            "scale columns with very large values down"
        )
    solution, rank, singular = reduced.solve(tolerance)
    if positive:
        solution = np.column_stack([nonnegative(reduced.r, c) for c in reduced.c.T])
    model = linear(solution, reduced.mean_x, reduced.mean_y, np.ndim(y))
    return Solution(model, rank, singular)


def linear(solution: Array, mean_x: Array, mean_y: Array, ndim: int) -> LinearModel:
    """The model with slopes (d, k) through the means, for y of `ndim` axes."""
    coef, intercept = solution.T, mean_y - mean_x @ solution
    if ndim == 1:
        return LinearModel(coef[0], float(intercept[0]))
    return LinearModel(coef, intercept)
