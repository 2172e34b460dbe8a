"""Least squares whose coefficients must not be negative.

Lawson and Hanson, Solving Least Squares Problems (1974), chapter 23: some coefficients
are free and the others are zero. In turn, the zero that would lower the sum of squares
most is set free, and those that would turn negative go back to zero. Each set of free
coefficients lowers the sum, so none comes twice, and the end is the exact solution.
"""

from __future__ import annotations

import numpy as np

from dotori.algorithms.linear.gram import Array, Float
from dotori.errors import LinAlgError


def nonnegative(a: Float, b: Float, max_iter: int | None = None) -> Float:
    """Minimise ||a z - b|| over z >= 0.

    Parameters
    ----------
    a : array of shape (n, d)
    b : array of shape (n,)
    max_iter : int, optional
        The most sets of free coefficients that are tried, by default 10 d.

    Returns
    -------
    array of shape (d,)

    Raises
    ------
    LinAlgError
        If `max_iter` sets were not enough.

    Examples
    --------
    >>> a = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> nonnegative(a, np.array([2.0, -1.0])).tolist()
    [2.0, 0.0]
    """
    d = a.shape[1]
    # Columns of length about one: no square overflows, and the slopes compare.
    unit = np.abs(a).max(axis=0, initial=0.0)
    unit = np.where(unit > 0, unit, 1.0)
    height = float(np.abs(b).max(initial=0.0)) or 1.0
    a, b = a / unit, b / height
    free = np.zeros(d, dtype=bool)
    z: Float = np.zeros(d)
    size = np.linalg.norm(a, axis=0)
    noise = 10 * max(a.shape) * np.finfo(float).eps * size * np.linalg.norm(b)
    barred = np.zeros(d, dtype=bool)
    for _ in range(max_iter or 10 * max(d, 1)):
        downhill = a.T @ (b - a @ z)
        choice = np.flatnonzero((downhill > noise) & ~free & ~barred)
        if not len(choice):
            return z * (height / unit)
        newest = choice[np.argmax(downhill[choice] / size[choice])]
        free[newest] = True
        there = _solution(a, b, free)
        # Rounding alone may say that it would grow: it depends on the others then.
        barred[newest] = there[newest] <= 0
        if barred[newest]:
            free[newest] = False
            continue
        barred[:] = False
        z = _feasible(a, b, z, there, free)
    raise LinAlgError(
        f"nonnegative least squares: no end after {max_iter or 10 * d} sets of free "
        "coefficients; give a larger max_iter"
    )


def _solution(a: Float, b: Float, free: Array) -> Float:
    """Least squares in the free coefficients; the others are zero."""
    z: Float = np.zeros(a.shape[1])
    z[free] = np.linalg.lstsq(a[:, free], b, rcond=None)[0]
    return z


def _feasible(a: Float, b: Float, z: Float, there: Float, free: Array) -> Float:
    """Go from z to the solution, putting back to zero what would turn negative."""
    while True:
        below = free & (there <= 0)
        if not below.any():
            return there
        # As far on the way there as the first of them allows.
        shares = np.ones(len(z))
        shares[below] = z[below] / (z[below] - there[below])
        z = z + shares.min() * (there - z)
        free &= ~(below & (shares == shares.min())) & (z > 0)
        z[~free] = 0
        there = _solution(a, b, free)
