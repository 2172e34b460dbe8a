"""How L-BFGS begins on a logistic regression: a guess of the curvature, and of W.

At W = 0 all probabilities are 1/k, and the Hessian of the loss is the covariance of the
columns times 1/4 (two classes) or 1/k. Its inverse makes the first step Newton's, and
the method indifferent to the scales of the columns and to their correlations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.logistic.loss import LogisticLoss

Array = NDArray[Any]
Float = NDArray[np.float64]

_ROWS_PER_COLUMN = 2
_CHEAP = 2e7  # multiplications
_SINGULAR = 1e-8
_GATHERED = 256  # rows
_MANY_COLUMNS = 256
_HALVED = 128
_SINGULAR_SINGLE = 1e-5


def inverse_at_zero(loss: LogisticLoss) -> Callable[[Float], Float]:
    """The inverse of the Hessian at W = 0, estimated from some of the rows.

    With c = b + mean . W in place of b the Hessian is block diagonal: the covariance
    plus the penalty for W, the identity for c. Where the covariance costs more than it
    saves, its diagonal takes its place.

    Examples
    --------
    >>> loss = LogisticLoss(np.array([[-1.0], [1.0]]), np.array([0, 1]), 2)
    >>> inverse_at_zero(loss)(np.array([0.25, 0.25])).round(6).tolist()
    [1.0, 1.0]
    """
    share = 0.25 if loss.rows == 1 else 1 / loss.rows
    d = loss.x.shape[1]
    rows = min(loss.count, max(2048, _ROWS_PER_COLUMN * d))
    cost = rows * d * d + d**3 / 3
    budget = max(_CHEAP, 8.0 * loss.count * d * loss.rows)
    if isinstance(loss.x, np.ndarray) and cost <= budget:
        mean, solve = _full(loss, rows, share)
    else:
        mean, solve = _diagonal(loss, share)
    if not loss.intercept:
        return lambda flat: solve(flat.reshape(loss.shape)).ravel()

    def apply(flat: Float) -> Float:
        gradient = flat.reshape(loss.shape)
        step = np.empty(loss.shape)
        level = gradient[:, d]
        step[:, :d] = solve(gradient[:, :d] - level[:, np.newaxis] * mean)
        step[:, d] = level / (share + loss.intercept_l2) - step[:, :d] @ mean
        return step.ravel()

    return apply


_Solve = Callable[[Float], Float]


def _full(loss: LogisticLoss, rows: int, share: float) -> tuple[Float, _Solve]:
    """Mean and inverse of the curvature of W, from the covariance of some rows."""
    d = loss.x.shape[1]
    dtype = loss.x.dtype if d > _MANY_COLUMNS else np.dtype(np.float64)
    gram, moment, total = np.zeros((d, d), dtype), np.zeros(d), 0.0
    shift = loss.x[: min(rows, 64)].mean(axis=0, dtype=np.float64).astype(dtype)
    for parts in _gathered(_some(loss.blocks, rows)):
        x = np.concatenate([loss.x[part] for part in parts], dtype=dtype)
        if loss.intercept:
            x -= shift
        if loss.weight is None:
            moment += x.sum(axis=0)
            total += len(x)
        else:
            root = np.sqrt(np.concatenate([loss.weight[part] for part in parts]))
            x *= root[:, np.newaxis]
            moment += root @ x
            total += float(root @ root)
        gram += x.T @ x
    mean = moment / max(total, 1e-300)
    gram *= share / max(total, 1e-300)
    if loss.intercept:
        for row, level in zip(gram, mean, strict=True):  # no second matrix
            row -= share * level * mean
        mean += shift
    return mean, _solver(gram, loss.l2)


def _solver(curvature: Array, l2: float) -> _Solve:
    """(curvature + l2)^-1, of columns scaled to the same curvature."""
    scale = 1 / np.sqrt(_positive(np.diagonal(curvature).astype(np.float64)) + l2)
    curvature *= scale
    curvature *= scale[:, np.newaxis]
    single = curvature.dtype == np.float32
    values = curvature.astype(np.float64, copy=False)
    np.fill_diagonal(values, 1 + (_SINGULAR_SINGLE if single else _SINGULAR))
    invert(values)
    return lambda gradient: ((gradient * scale) @ values) * scale


def invert(matrix: Array) -> None:
    """Turn a symmetric positive definite matrix into its inverse, where it lies.

    By halves (Golub and Van Loan, Matrix Computations (2013), section 3.2): with the
    inverse of the first half, of A, that of the other's Schur complement S = C - B^T
    A^-1 B gives the rest. `numpy.linalg.inv` needs four times the memory.

    Examples
    --------
    >>> matrix = np.diag(np.arange(1.0, 301.0)) + 0.1
    >>> inverse = matrix.copy()
    >>> invert(inverse)
    >>> bool(np.allclose(matrix @ inverse, np.eye(300)))
    True
    """
    if len(matrix) <= _HALVED:
        matrix[:] = np.linalg.inv(matrix)
        return
    half = len(matrix) // 2
    a, b, c = matrix[:half, :half], matrix[:half, half:], matrix[half:, half:]
    invert(a)
    product = a @ b
    c -= b.T @ product
    invert(c)
    np.matmul(product, c, out=b)
    a += b @ product.T
    np.negative(b, out=b)
    matrix[half:, :half] = b.T


def _diagonal(loss: LogisticLoss, share: float) -> tuple[Float, _Solve]:
    """Mean and inverse of the curvature of each column of W by itself."""
    mean, square = _moments(loss)
    if loss.intercept:
        square = square - mean * mean
    diagonal = _positive(share * square)
    return mean, lambda gradient: gradient / (diagonal + loss.l2)


def squares(loss: LogisticLoss) -> Float:
    """The curvature of each weight and intercept at W = 0, shaped like a point.

    Examples
    --------
    >>> squares(LogisticLoss(np.array([[2.0], [2.0]]), np.array([0, 1]), 2)).tolist()
    [[1.0, 0.25]]
    """
    share = 0.25 if loss.rows == 1 else 1 / loss.rows
    found = np.full(loss.shape, share)
    found[:, : loss.x.shape[1]] *= _positive(_moments(loss)[1])
    return found


def _moments(loss: LogisticLoss) -> tuple[Float, Float]:
    """Mean and mean square of the columns; of a large array from some of its rows."""
    n, d = loss.x.shape
    weight = np.ones(n) if loss.weight is None else loss.weight.astype(np.float64)
    total = max(float(weight.sum()), 1e-300)
    if not isinstance(loss.x, np.ndarray):
        repeated = np.repeat(weight, np.diff(loss.x.indptr)) / total
        data = loss.x.data.astype(np.float64)
        places: Float = data * repeated
        mean: Float = np.bincount(loss.x.indices, places, d).astype(np.float64)
        square: Float = np.bincount(loss.x.indices, data * places, d).astype(np.float64)
        return mean, square
    rows = np.arange(0, n, max(1, n // 2048))
    some, part = loss.x[rows].astype(np.float64), weight[rows]
    part = part / max(float(part.sum()), 1e-300)
    return part @ some, part @ np.square(some)


def _positive(diagonal: Float) -> Float:
    """Zeros replaced by the largest: what is not seen here takes small steps."""
    return np.where(diagonal > 0, diagonal, diagonal.max(initial=0.0) or 1.0)


def _gathered(parts: list[slice]) -> Iterator[list[slice]]:
    """Parts put together to some hundred rows, as a product costs its result too."""
    held: list[slice] = []
    for part in parts:
        held.append(part)
        if sum(p.stop - p.start for p in held) >= _GATHERED:
            yield held
            held = []
    if held:
        yield held


def _some(blocks: list[slice], rows: int) -> list[slice]:
    """Parts of all blocks that have about `rows` rows together."""
    count = sum(part.stop - part.start for part in blocks)
    share = min(1.0, rows / max(count, 1))
    ends = [p.start + int(np.ceil(share * (p.stop - p.start))) for p in blocks]
    return [slice(p.start, end) for p, end in zip(blocks, ends, strict=True)]
