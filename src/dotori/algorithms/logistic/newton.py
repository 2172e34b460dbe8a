"""Newton's method for logistic regression, with the whole Hessian or without it.

Few steps, each of which costs rows x columns^2 (times classes^2), or some twenty passes
over the rows. It reaches the last digits where L-BFGS slows down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.lbfgs import Minimum, Place, line_search
from dotori.algorithms.logistic.loss import LogisticLoss
from dotori.algorithms.logistic.model import sigmoid
from dotori.algorithms.logistic.start import inverse_at_zero

Array = NDArray[Any]
Float = NDArray[np.float64]
Each = Callable[[Float, float], bool]

_SINGULAR = 1e-12
_MOST_IDLE = 3


def newton(
    loss: LogisticLoss,
    start: Float,
    max_iter: int,
    tolerance: float,
    direct: bool = True,
    each: Each | None = None,
    noise: float = 1e-15,
) -> Minimum:
    """Minimise a logistic loss by Newton steps with a line search.

    Parameters
    ----------
    loss : LogisticLoss
    start : array of shape (rows, columns)
    max_iter : int
    tolerance : float
        It ends when no component of the gradient exceeds this.
    direct : bool
        Solve with the Hessian as a matrix; otherwise by conjugate gradients (Nocedal
        and Wright 2006, algorithm 7.1), which need its products with vectors alone.
    each : callable, optional
        Called with the point and the loss after each step; True ends it.
    noise : float
        Changes of the loss by less than this part of it are rounding.

    Examples
    --------
    >>> loss = LogisticLoss(np.array([[0.0], [1.0], [2.0]]), np.array([0, 1, 0]), 2)
    >>> found = newton(loss, np.zeros((1, 2)), 20, 1e-10)
    >>> (1 / (1 + np.exp(-found.point))).round(4).tolist()  # one in three, slope 0
    [0.5, 0.3333]
    """
    point = start.ravel()
    here = Place(0.0, *loss(point), point)
    inverse = None if direct else inverse_at_zero(loss)
    values, evaluations, idle, reason = [here.value], 1, 0, "iterations"
    while True:
        if np.abs(here.gradient).max(initial=0.0) <= tolerance:
            reason = "gradient"
        elif idle >= _MOST_IDLE or not np.isfinite(here.value + here.gradient.sum()):
            reason = "flat"
        if reason != "iterations" or len(values) > max_iter:
            break
        if inverse is None:
            step = solve_hessian(hessian(loss, here.point), here.gradient)
            direction = -_anchored(loss, step)
        else:
            direction = _truncated(loss, here, inverse)
        new, trials = line_search(loss, here, direction, noise)
        evaluations += trials
        if new is None:
            reason = "flat"
            break
        idle = 0 if new.value < here.value - noise * abs(here.value) else idle + 1
        here = new
        values.append(here.value)
        if each is not None and each(here.point, here.value):
            reason = "stopped"
    count = len(values) - 1
    return Minimum(
        here.point, here.value, here.gradient, count, evaluations, values, reason
    )


def hessian(loss: LogisticLoss, flat: Float) -> Float:
    """The Hessian of the loss, of shape (parameters, parameters).

    Its block of the classes c and e is X^T diag(w p_c (1[c = e] - p_e)) X / sum w
    (Bishop 2006, equation 4.110), and the penalty on its diagonal.

    Examples
    --------
    >>> loss = LogisticLoss(np.array([[2.0], [0.0]]), np.array([0, 1]), 2)
    >>> hessian(loss, np.zeros(2)).tolist()
    [[0.5, 0.25], [0.25, 0.25]]
    """
    theta, (rows, width) = flat.reshape(loss.shape), loss.shape
    total = np.zeros((rows, width, rows, width))
    for part in loss.blocks:
        x = _with_ones(loss.x[part], loss.intercept)
        p = _probabilities(loss, part, theta)
        weight = 1.0 if loss.weight is None else loss.weight[part].astype(np.float64)
        for c in range(rows):
            for e in range(c, rows):
                curvature = p[c] * ((c == e) - p[e]) * weight
                if isinstance(x, np.ndarray):
                    block = (x.T * curvature) @ x
                else:
                    block = (
                        x.T @ x.multiply(curvature[:, np.newaxis]).tocsr()
                    ).toarray()
                total[c, :, e] += block
                if c != e:
                    total[e, :, c] += block.T
    total /= loss.total
    matrix = total.reshape(flat.size, flat.size)
    matrix[np.diag_indices(flat.size)] += _penalties(loss)
    return matrix


def hessian_product(loss: LogisticLoss, theta: Float) -> Callable[[Float], Float]:
    """The Hessian at a point as a function of vectors: two passes over the rows."""
    d = loss.x.shape[1]
    held = [_probabilities(loss, part, theta) for part in loss.blocks]
    penalties = _penalties(loss)

    def apply(flat: Float) -> Float:
        direction = flat.reshape(loss.shape)
        found = np.zeros(loss.shape)
        for part, p in zip(loss.blocks, held, strict=True):
            change = loss.scores(part, direction).astype(np.float64)
            # d p_c = p_c (d s_c - sum_e p_e d s_e)
            change = p * (change - (p * change).sum(axis=0))
            if loss.weight is not None:
                change *= loss.weight[part]
            found[:, :d] += (loss.x[part].T @ change.T).T
            if loss.intercept:
                found[:, d] += change.sum(axis=1)
        return found.ravel() / loss.total + penalties * flat

    return apply


def solve_hessian(matrix: Float, gradient: Float) -> Float:
    """matrix^-1 gradient; columns that depend on others get nothing of their own.

    Examples
    --------
    >>> solve_hessian(np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([2.0, 2.0])).round(6)
    array([1., 1.])
    """
    diagonal = np.diagonal(matrix)
    solution: Float
    scale: Float = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = matrix * scale * scale[:, np.newaxis]
    scaled[np.diag_indices_from(scaled)] += _SINGULAR
    try:
        solution = np.linalg.solve(scaled, gradient * scale).astype(np.float64)
    except np.linalg.LinAlgError:
        solution = np.linalg.lstsq(scaled, gradient * scale, rcond=None)[0].astype(
            np.float64
        )
    return solution * scale


def _anchored(loss: LogisticLoss, step: Float) -> Float:
    """The step without what softmax leaves open: scores of all classes moved alike.

    There the Hessian is zero, unless there is a penalty, and the solution rounding.
    """
    if loss.rows == 1:
        return step
    found, d = step.reshape(loss.shape).copy(), loss.x.shape[1]
    if not loss.l2:
        found[:, :d] -= found[:, :d].mean(axis=0)
    if not loss.intercept_l2:
        found[:, d:] -= found[:, d:].mean(axis=0)
    return found.ravel()


def _truncated(
    loss: LogisticLoss, here: Place, inverse: Callable[[Float], Float]
) -> Float:
    """Newton's direction as exactly as the size of the gradient deserves."""
    product = hessian_product(loss, here.point.reshape(loss.shape))
    norm = float(np.linalg.norm(here.gradient))
    goal = min(0.5, norm**0.5) * norm
    step, rest = np.zeros_like(here.gradient), here.gradient.copy()
    guess = inverse(rest)
    direction, level = -guess, float(rest @ guess)
    for _ in range(min(200, 20 + len(rest))):
        curved = product(direction)
        curvature = float(direction @ curved)
        if curvature <= 0 or np.linalg.norm(rest) <= goal:
            break
        size = level / curvature
        step += size * direction
        rest += size * curved
        guess = inverse(rest)
        level, before = float(rest @ guess), level
        direction = -guess + (level / before) * direction
    return step if step.any() else direction


def _probabilities(loss: LogisticLoss, part: slice, theta: Float) -> Float:
    """p of a block in float64, of shape (rows, block): of two classes the second."""
    scores = loss.scores(part, theta).astype(np.float64)
    if loss.rows == 1:
        return sigmoid(scores)
    scores -= scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    return scores


def _penalties(loss: LogisticLoss) -> Float:
    diagonal = np.full(loss.shape, loss.l2)
    if loss.intercept:
        diagonal[:, -1] = loss.intercept_l2
    return diagonal.ravel()


def _with_ones(x: Any, intercept: bool) -> Any:
    if isinstance(x, np.ndarray):
        ones = np.ones((len(x), int(intercept)))
        return np.concatenate([x.astype(np.float64), ones], axis=1)
    if not intercept:
        return x.astype(np.float64)
    n, d = x.shape
    # the sparse matrix with a column of ones, built from its own arrays
    counts = np.diff(x.indptr)
    places = np.cumsum(counts)
    data = np.insert(x.data.astype(np.float64), places, 1.0)
    columns = np.insert(x.indices, places, d)
    return type(x)((data, columns, x.indptr + np.arange(n + 1)), shape=(n, d + 1))
