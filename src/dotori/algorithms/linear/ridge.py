"""Ridge regression: least squares with a price on the length of the coefficients.

Minimises sum_i w_i (y_i - x_i @ b - c)^2 + alpha ||b||^2 (Hoerl and Kennard,
Technometrics 12 (1970), 55-67). With centred columns, the minimum is at

    b = (X^T X + alpha I)^-1 X^T y  =  X^T (X X^T + alpha I)^-1 y

of which the first is the smaller system for long tables and the second for wide ones.
Where alpha is too small to help a matrix that is nearly singular, singular values do:
with X = U S V^T, b = V (S^2 + alpha)^-1 S U^T y.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dotori.algorithms.linear.gram import (
    Array,
    Float,
    Moments,
    Rows,
    as_columns,
    moments,
)
from dotori.algorithms.linear.krylov import Columns, conjugate_gradients, lsqr
from dotori.algorithms.linear.least_squares import LinearModel, linear
from dotori.algorithms.linear.nonnegative import nonnegative
from dotori.algorithms.linear.triangle import Triangle, by_reflections, triangle
from dotori.errors import ArgumentError, DataError

#: What must be left of each column when all columns before it are taken out, squared
#: and relative: less, and half of the digits or more would be gone.
_LEAST = 1e-8
#: Columns from which on float32 tables are multiplied as they are.
_LARGE = 256
#: The precision of conjugate gradients where a decomposition was wanted.
_EXACT = 1e-12
_INFINITE = (
    "ridge: the rows must be finite numbers whose squares are finite; scale columns "
    "with very large values down"
)


def ridge_equations(x: Array, y: ArrayLike, alpha: float) -> LinearModel:
    """Solve (X^T X + alpha I) b = X^T y for centred columns: the textbook's form.

    Parameters
    ----------
    x : array of shape (n, d)
    y : array of shape (n,)
    alpha : float

    Examples
    --------
    >>> ridge_equations(np.array([[-1.0], [1.0]]), np.array([2.0, 6.0]), 2.0)
    LinearModel(coef=array([1.]), intercept=4.0)
    """
    true = np.asarray(y, np.float64)
    mean_x, mean_y = x.mean(axis=0), float(true.mean())
    centred = x - mean_x
    penalised = centred.T @ centred + alpha * np.eye(x.shape[1])
    b = np.linalg.solve(penalised, centred.T @ (true - mean_y))
    return LinearModel(b, mean_y - float(mean_x @ b))


def ridge(
    x: Any,
    y: ArrayLike,
    alpha: ArrayLike = 1.0,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    stable: bool = False,
) -> tuple[LinearModel, bool]:
    """Minimise sum_i w_i (y_i - x_i @ b - c)^2 + alpha ||b||^2.

    Parameters
    ----------
    x : array or sparse matrix of shape (n, d)
    y : array of shape (n,) or (n, k)
    alpha : float or array of shape (k,)
        The price, or one for each target. The intercept has none.
    sample_weight : array of shape (n,), optional
        Weights w of the rows.
    fit_intercept : bool
        Whether there is a c.
    stable : bool
        Whether singular values are used in any case; `x` must be dense then.

    Returns
    -------
    model : LinearModel
    stable : bool
        Whether singular values were used.

    Raises
    ------
    ArgumentError
        If there are neither one nor k prices.
    DataError
        If there are NaN or infinities, or squares that overflow.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [2.0]])
    >>> ridge(x, np.array([1.0, 3.0, 5.0]), alpha=2.0)
    (LinearModel(coef=array([1.]), intercept=2.0), False)
    """
    targets = as_columns(y)
    prices = as_prices(alpha, targets.shape[1])
    weight = None if sample_weight is None else np.asarray(sample_weight)
    long, found = x.shape[0] >= x.shape[1], None
    if hasattr(x, "toarray"):
        found = _primal(x, targets, prices, weight, fit_intercept) if long else None
        if found is None:  # a decomposition would fill the matrix
            sums = (x, y, prices, weight, fit_intercept)
            return ridge_by_products(*sums, tolerance=_EXACT)[0], False
    elif not stable:
        way = _primal if long else _dual
        found = way(x, targets, prices, weight, fit_intercept)
    stable = found is None
    if found is None:
        found = _by_singular_values(x, targets, prices, weight, fit_intercept)
    return linear(*found, np.ndim(y)), stable


Found = tuple[Float, Float, Float]  # slopes (d, k), means of x, means of y


def as_prices(alpha: ArrayLike, k: int) -> Float:
    """One alpha for each of k targets."""
    prices = np.asarray(alpha, np.float64).ravel()
    if prices.size not in (1, k):
        raise ArgumentError(
            f"ridge: one alpha or one for each of {k} targets was wanted, "
            f"got {prices.size}; the number of targets and of penalties must agree"
        )
    return np.broadcast_to(prices, (k,))


def _primal(
    x: Array, y: Array, alpha: Float, weight: Array | None, centred: bool
) -> Found | None:
    """The d x d system, or None if it is too near to a singular one."""
    large = x.dtype == np.float32 and x.shape[1] >= _LARGE
    sums = moments(x, y, weight, centred, np.float32 if large else np.float64)
    slopes = np.zeros(sums.cross.shape)
    for price in np.unique(alpha):
        columns = alpha == price
        solved = solve_penalised(
            sums.gram, sums.cross[:, columns], float(price), 1e-2 if large else _LEAST
        )
        if solved is None:
            return None
        slopes[:, columns] = solved
    return slopes, sums.mean_x, sums.mean_y


def solve_penalised(
    gram: Float, cross: Float, alpha: float, least: float = _LEAST
) -> Float | None:
    """(gram + alpha I)^-1 cross; None where that would lose more than half the digits.

    Examples
    --------
    >>> solve_penalised(np.array([[3.0]]), np.array([[8.0]]), 1.0).tolist()
    [[2.0]]
    >>> solve_penalised(np.ones((2, 2)), np.ones((2, 1)), 0.0) is None
    True
    """
    diagonal = np.diagonal(gram) + alpha
    if not np.isfinite(diagonal).all() or not (diagonal > 0).all():
        return None
    # With ones on the diagonal, that of the factor is what each column adds.
    scale = np.sqrt(diagonal)
    matrix = gram / scale
    matrix /= scale[:, np.newaxis]
    np.fill_diagonal(matrix, 1.0)
    try:
        lower = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return None
    if np.square(np.diagonal(lower)).min(initial=1.0) < least:
        return None
    scaled = np.linalg.solve(matrix, cross / scale[:, np.newaxis])
    found: Float = scaled / scale[:, np.newaxis]
    return found


def _dual(
    x: Array, y: Array, alpha: Float, weight: Array | None, centred: bool
) -> Found | None:
    """The n x n system of a table with more columns than rows."""
    with np.errstate(all="ignore"):
        rows = by_reflections(Rows(x, y, weight, centred))
        products = rows.r @ rows.r.T
    slopes = np.zeros((x.shape[1], y.shape[1]))
    for price in np.unique(alpha):
        columns = alpha == price
        solved = solve_penalised(products, rows.c[:, columns], float(price))
        if solved is None:
            return None
        slopes[:, columns] = rows.r.T @ solved
    return slopes, rows.mean_x, rows.mean_y


def _by_singular_values(
    x: Array, y: Array, alpha: Float, weight: Array | None, centred: bool
) -> Found:
    """V S / (S^2 + alpha) U^T y, without the values that are zero but for rounding."""
    with np.errstate(all="ignore"):
        rows = by_reflections(Rows(x, y, weight, centred))
    if not rows.finite:
        raise DataError(_INFINITE)
    u, s, v = np.linalg.svd(rows.r, full_matrices=False)
    real = s > max(x.shape) * np.finfo(float).eps * s[:1]
    u, s, v = u[:, real], s[real, np.newaxis], v[real]
    slopes = v.T @ ((u.T @ rows.c) / (s + alpha / s))
    return slopes, rows.mean_x, rows.mean_y


def ridge_nonnegative(
    x: Any,
    y: ArrayLike,
    alpha: ArrayLike = 1.0,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
) -> LinearModel:
    """The same with b >= 0: nonnegative least squares on d rows more.

    ||y - X b||^2 + alpha ||b||^2 is the sum of squares of a table with the rows
    sqrt(alpha) I below, whose targets are zero.

    Parameters
    ----------
    x, y, alpha, sample_weight, fit_intercept
        As for `ridge`.

    Examples
    --------
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0]])
    >>> ridge_nonnegative(x, [1.0, 3.0, 5.0], 2.0).coef.round(9).tolist()
    [1.0, 0.0]
    """
    if hasattr(x, "toarray"):
        rows = _root(moments(x, y, sample_weight, fit_intercept))
    else:
        rows = triangle(x, y, sample_weight, fit_intercept)
    if not rows.finite:
        raise DataError(_INFINITE)
    d, k = rows.r.shape[1], rows.c.shape[1]
    prices, slopes = np.sqrt(as_prices(alpha, k)), np.zeros((d, k))
    for i in range(k):
        below = np.concatenate([rows.c[:, i], np.zeros(d)])
        penalised = np.concatenate([rows.r, prices[i] * np.eye(d)])
        slopes[:, i] = nonnegative(penalised, below)
    return linear(slopes, rows.mean_x, rows.mean_y, np.ndim(y))


def _root(sums: Moments) -> Triangle:
    """R and C with R^T R = Gram and R^T C = cross, for a Gram matrix of any rank."""
    values, vectors = np.linalg.eigh(sums.gram)
    real = values > len(values) * np.finfo(float).eps * values.max(initial=0.0)
    root = np.sqrt(values[real])[:, np.newaxis]
    turned = vectors[:, real].T
    c = turned @ sums.cross / root
    return Triangle(root * turned, c, sums.mean_x, sums.mean_y)


def ridge_by_products(
    x: Any,
    y: ArrayLike,
    alpha: ArrayLike = 1.0,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    method: str = "cg",
    tolerance: float = 1e-4,
    max_iter: int | None = None,
) -> tuple[LinearModel, list[int]]:
    """The same by products with the matrix alone, for large sparse ones.

    Parameters
    ----------
    x : array or sparse matrix of shape (n, d)
    y, alpha, sample_weight, fit_intercept
        As for `ridge`.
    method : {"cg", "lsqr"}
        Conjugate gradients on the smaller of the two systems, or LSQR.
    tolerance : float
        As for `conjugate_gradients` and `lsqr`.
    max_iter : int, optional
        By default ten times the size of the system for conjugate gradients and twice d
        for LSQR.

    Returns
    -------
    model : LinearModel
    iterations : list of int
        For each target.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [2.0]])
    >>> model, _ = ridge_by_products(x, [1.0, 3.0, 5.0], 2.0)
    >>> model.coef.round(9).tolist()
    [1.0]
    """
    targets = as_columns(y).astype(np.float64)
    (n, d), k = x.shape, targets.shape[1]
    weight = None if sample_weight is None else np.asarray(sample_weight, np.float64)
    ones = np.ones(n) if weight is None else weight
    mean_x, mean_y = np.zeros(d), np.zeros(k)
    if fit_intercept:
        mean_x = np.asarray(x.T @ ones).ravel() / ones.sum()
        mean_y = ones @ targets / ones.sum()
    columns, true = Columns(x, mean_x, weight), targets - mean_y
    if weight is not None:
        true = np.sqrt(weight)[:, np.newaxis] * true
    solve = _by_lsqr if method == "lsqr" else _by_conjugate_gradients
    prices = as_prices(alpha, k)
    found = [
        solve(columns, true[:, i], float(prices[i]), tolerance, max_iter)
        for i in range(k)
    ]
    slopes = np.column_stack([b for b, _ in found])
    return linear(slopes, mean_x, mean_y, np.ndim(y)), [i for _, i in found]


def _by_lsqr(
    a: Columns, b: Float, alpha: float, tolerance: float, max_iter: int | None
) -> tuple[Float, int]:
    return lsqr(a, b, float(np.sqrt(alpha)), tolerance, max_iter or 2 * a.shape[1])


def _by_conjugate_gradients(
    a: Columns, b: Float, alpha: float, tolerance: float, max_iter: int | None
) -> tuple[Float, int]:
    n, d = a.shape
    most = max_iter or 10 * min(n, d)
    if d > n:
        dual, steps = conjugate_gradients(
            lambda u: a.times(a.transposed_times(u)) + alpha * u, b, tolerance, most
        )
        return a.transposed_times(dual), steps
    return conjugate_gradients(
        lambda v: a.transposed_times(a.times(v)) + alpha * v,
        a.transposed_times(b),
        tolerance,
        most,
    )
