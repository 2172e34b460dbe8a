"""Least squares whose coefficients must not be negative.

Lawson and Hanson, Solving Least Squares Problems (1974), chapter 23: some coefficients
are free and the others are zero. In turn, the zero that would lower the sum of squares
most is set free, and those that would turn negative go back to zero. Each set of free
coefficients lowers the sum, so none comes twice, and the end is the exact solution.
"""

from __future__ import annotations

import numpy as np

from dotori.algorithms.gram import Array, Float
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
    free = np.zeros(d, dtype=bool)
    z: Float = np.zeros(d)
    size = np.linalg.norm(a, axis=0)
    noise = 10 * max(a.shape) * np.finfo(float).eps * size * np.linalg.norm(b)
    for _ in range(max_iter or 10 * max(d, 1)):
        downhill = a.T @ (b - a @ z)
        downhill[free] = -np.inf
        if not (downhill > noise).any():
            return z
        best = int(np.argmax(np.where(downhill > noise, downhill, -np.inf)))
        free[best] = True
        z = _feasible(a, b, z, free, best)
    raise LinAlgError(
        f"nonnegative least squares: no end after {max_iter or 10 * d} sets of free "
        "coefficients; give a larger max_iter"
    )


def _feasible(a: Float, b: Float, z: Float, free: Array, newest: int) -> Float:
    """The solution over the free coefficients, after some were put back to zero."""
    while True:
        there = np.zeros(len(z))
        if free.any():
            there[free] = np.linalg.lstsq(a[:, free], b, rcond=None)[0]
        below = free & (there <= 0)
        if not below.any():
            return there
        if below[newest] and not z[newest]:
            # Rounding alone said that it would grow: it depends on the others.
            free[newest] = False
            continue
        # As far on the way there as the first of them allows.
        share = np.min(z[below] / (z[below] - there[below]))
        z = z + share * (there - z)
        free &= z > 0
        z[~free] = 0
