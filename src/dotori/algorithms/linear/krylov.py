"""Least squares and linear systems by products with a matrix alone.

For a matrix that is sparse, or too large to be decomposed, there are the products A v
and A^T u. Conjugate gradients (Hestenes and Stiefel, J. Research of the NBS 49 (1952),
409-436) and LSQR (Paige and Saunders, ACM Trans. Math. Software 8 (1982), 43-71) find
the best answer in the space that such products span. LSQR is conjugate gradients on the
normal equations, in an arrangement that does not square the condition number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from dotori.algorithms.linear.gram import Array, Float, as_double

_BLOCK = 1 << 20  # numbers of float32 rows that are multiplied at a time


class Columns:
    """A matrix whose weighted columns are centred without that being written down.

    Stands for ``sqrt(w) (X - m)``: taking the means out would fill a sparse matrix.

    Parameters
    ----------
    x : array or sparse matrix of shape (n, d)
    mean : array of shape (d,), optional
        What is taken out, by default nothing.
    sample_weight : array of shape (n,), optional
    precise : bool
        Whether float32 rows are multiplied in float64, which takes longer.

    Examples
    --------
    >>> columns = Columns(np.array([[1.0], [3.0]]), np.array([2.0]))
    >>> columns.times(np.array([5.0])).tolist()
    [-5.0, 5.0]
    >>> columns.transposed_times(np.array([1.0, 2.0])).tolist()
    [1.0]
    """

    def __init__(
        self,
        x: Any,
        mean: Array | None = None,
        sample_weight: Array | None = None,
        precise: bool = True,
    ) -> None:
        self.x, self.shape = x, x.shape
        self.turned: Any = None
        if hasattr(x, "toarray"):
            self.x, self.turned = as_double(x), as_double(x.T.tocsr())
        elif x.dtype == np.float64 or not precise:
            self.turned = x.T
        self.step = max(1, _BLOCK // max(1, x.shape[1]))
        self.mean = np.zeros(x.shape[1]) if mean is None else mean
        self.root = None if sample_weight is None else np.sqrt(sample_weight)

    def times(self, v: Float) -> Float:
        """The matrix times `v` of shape (d,)."""
        found: Float = self._blocks(v) - self.mean @ v
        return found if self.root is None else self.root * found

    def transposed_times(self, u: Float) -> Float:
        """The transposed matrix times `u` of shape (n,)."""
        u = u if self.root is None else self.root * u
        if self.turned is not None:
            product: Float = self.turned @ u.astype(self.x.dtype, copy=False)
            product = product - self.mean * u.sum()
            return product
        total: Float = -self.mean * u.sum()
        for start in range(0, self.shape[0], self.step):
            part = slice(start, start + self.step)
            total += u[part] @ np.asarray(self.x[part], np.float64)
        return total

    def _blocks(self, v: Float) -> Float:
        """x @ v in float64: float32 rows are not copied as a whole."""
        if self.turned is not None:
            return np.asarray(self.x @ v.astype(self.x.dtype, copy=False))
        found = np.empty(self.shape[0])
        for start in range(0, self.shape[0], self.step):
            part = slice(start, start + self.step)
            found[part] = np.asarray(self.x[part], np.float64) @ v
        return found


def conjugate_gradients(
    times: Callable[[Float], Float], b: Float, tolerance: float, max_iter: int
) -> tuple[Float, int]:
    """Solve A v = b for a symmetric positive definite matrix A.

    Parameters
    ----------
    times : callable
        ``times(v)`` gives A v.
    b : array of shape (d,)
    tolerance : float
        The residual is made smaller than this share of b.
    max_iter : int

    Returns
    -------
    v : array of shape (d,)
    iterations : int

    Examples
    --------
    >>> a = np.array([[4.0, 1.0], [1.0, 3.0]])
    >>> b = np.array([1.0, 2.0])
    >>> v, iterations = conjugate_gradients(lambda v: a @ v, b, 1e-9, 9)
    >>> (a @ v).round(9).tolist(), iterations
    ([1.0, 2.0], 2)
    """
    v, residual = np.zeros_like(b), b.copy()
    direction, square = residual.copy(), float(residual @ residual)
    goal = tolerance**2 * square
    for iteration in range(max_iter):
        if square <= goal:
            return v, iteration
        ahead = times(direction)
        bend = float(direction @ ahead)
        if bend <= 0:  # nothing but rounding is left
            return v, iteration
        step = square / bend
        v += step * direction
        residual -= step * ahead
        before, square = square, float(residual @ residual)
        direction = residual + square / before * direction
    return v, max_iter


def lsqr(
    a: Columns, b: Float, damp: float, tolerance: float, max_iter: int
) -> tuple[Float, int]:
    """Minimise ||a v - b||^2 + damp^2 ||v||^2; of many solutions, the shortest.

    Golub and Kahan's steps bring `a` to a matrix with two diagonals, and a rotation at
    each step solves its least squares problem.

    Parameters
    ----------
    a : Columns
        A matrix of shape (n, d).
    b : array of shape (n,)
    damp : float
    tolerance : float
        It ends when the residual is this small, relative to `b` and to ||a|| ||v||, or
        when the residual's gradient is, relative to ||a|| and the residual.
    max_iter : int

    Returns
    -------
    v : array of shape (d,)
    iterations : int

    Examples
    --------
    >>> a = Columns(np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]))
    >>> v, _ = lsqr(a, np.array([1.0, 3.0, 2.0]), 0.0, 1e-12, 10)
    >>> v.round(9).tolist()
    [1.0, 2.0]
    """
    v = np.zeros(a.shape[1])
    beta, left = _unit(b)
    alpha, right = _unit(a.transposed_times(left))
    direction = right.copy()
    phi, rho, norm, damped = beta, alpha, 0.0, 0.0
    if alpha * beta == 0:
        return v, 0
    for iteration in range(1, max_iter + 1):
        norm = math.hypot(norm, alpha, damp)
        beta, left = _unit(a.times(right) - alpha * left)
        norm = math.hypot(norm, beta)
        alpha, right = _unit(a.transposed_times(left) - beta * right)
        # the rotation that takes the damping out, and the one for the lower diagonal
        first = math.hypot(rho, damp)
        damped, phi = math.hypot(damped, damp / first * phi), rho / first * phi
        second = math.hypot(first, beta)
        cosine, sine = first / second, beta / second
        v += cosine * phi / second * direction
        direction = right - sine * alpha / second * direction
        rho, phi = -cosine * alpha, sine * phi
        residual = math.hypot(phi, damped)
        gradient = alpha * abs(cosine * phi)  # || A^T (A v - b) ||
        size = float(np.linalg.norm(v))
        small = residual <= tolerance * (float(np.linalg.norm(b)) + norm * size)
        if small or gradient <= tolerance * norm * residual or not alpha * beta:
            return v, iteration
    return v, max_iter


def _unit(v: Float) -> tuple[float, Float]:
    """The length of a vector, and the vector of length one."""
    length = float(np.linalg.norm(v))
    return length, v / length if length else v
