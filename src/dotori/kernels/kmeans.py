"""What k-means does with distances: the nearest centre and the bounds of the others.

The products of rows and centres are BLAS's. These loops read them while they lie in the
cache, many rows side by side, and compare; so they are quick in NumPy too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._pair import paired

Array = NDArray[Any]


def nearest_centers_numpy(
    products: Array,
    norms: Array,
    starts: Array,
    labels: Array,
    nearest: Array,
    others: Array,
) -> None:
    """For each row its nearest centre, and how near each group's others are.

    Parameters
    ----------
    products : array, shape (k, n)
        c . x for each centre c and row x. Overwritten.
    norms : array, shape (k,)
        |c|^2 of the centres.
    starts : int64 array, shape (groups + 1,)
        Where each group of centres begins; the last entry is k.
    labels : int32 array, shape (n,)
        Written: the j with the least |c_j|^2 - 2 c_j . x, the lowest such j.
    nearest : array, shape (n,)
        Written: that least number.
    others : array, shape (groups, n)
        Written: the least such number in each group, without centre `labels`.
    """
    products *= -2
    products += norms[:, None]
    np.min(products, axis=0, out=nearest)
    for j in range(len(products) - 1, -1, -1):
        np.copyto(labels, np.int32(j), where=products[j] == nearest)
    products[labels, np.arange(len(labels))] = np.inf
    for g in range(len(others)):
        np.min(products[starts[g] : starts[g + 1]], axis=0, out=others[g])


@paired(nearest_centers_numpy)
def nearest_centers(
    products: Array,
    norms: Array,
    starts: Array,
    labels: Array,
    nearest: Array,
    others: Array,
) -> None:
    """Centre after centre, over all rows: the inner loops have no branches."""
    k, n = products.shape
    for i in range(n):
        nearest[i] = np.inf
        labels[i] = 0
    for j in range(k):
        for i in range(n):
            q = norms[j] - (products[j, i] + products[j, i])
            products[j, i] = q
            labels[i] = j if q < nearest[i] else labels[i]
            nearest[i] = q if q < nearest[i] else nearest[i]
    for i in range(n):
        products[labels[i], i] = np.inf
    for g in range(others.shape[0]):
        for i in range(n):
            others[g, i] = np.inf
        for j in range(starts[g], starts[g + 1]):
            for i in range(n):
                q = products[j, i]
                others[g, i] = q if q < others[g, i] else others[g, i]


def loosen_bounds_numpy(
    upper: Array,
    lower: Array,
    slack: Array,
    labels: Array,
    moved: Array,
    drift: Array,
    half: Array,
    doubtful: Array,
) -> None:
    """The bounds after the centres have moved, and which rows they leave in doubt.

    Parameters
    ----------
    upper : array, shape (n,)
        At least the distance to the row's own centre; grows by how far that moved.
    lower : array, shape (groups, n)
        At most the distance to any other centre of the group; shrinks by `drift`.
    slack : array, shape (n,)
        How far apart two squared distances must be for rounding not to swap them.
    labels : int32 array, shape (n,)
    moved, half : array, shape (k,)
        How far each centre moved, and half its distance to the next centre.
    drift : array, shape (groups,)
        The farthest that a centre of the group moved.
    doubtful : bool array, shape (n,)
        Written: whether another centre may be as near.
    """
    upper += moved[labels]
    lower -= drift[:, None]
    bound = np.maximum(lower.min(axis=0), half[labels])
    np.less_equal(bound * bound, upper * upper + slack, out=doubtful)
    doubtful |= bound <= 0


@paired(loosen_bounds_numpy)
def loosen_bounds(
    upper: Array,
    lower: Array,
    slack: Array,
    labels: Array,
    moved: Array,
    drift: Array,
    half: Array,
    doubtful: Array,
) -> None:
    """Row after row."""
    groups, n = lower.shape
    for i in range(n):
        upper[i] += moved[labels[i]]
        least = half[labels[i]]
        other = lower[0, i] - drift[0]
        lower[0, i] = other
        for g in range(1, groups):
            lower[g, i] -= drift[g]
            other = lower[g, i] if lower[g, i] < other else other
        least = other if other > least else least
        near = least * least <= upper[i] * upper[i] + slack[i]
        doubtful[i] = near or least <= 0


def renew_bounds_numpy(
    upper: Array,
    lower: Array,
    squares: Array,
    lengths: Array,
    places: Array,
    scores: Array,
    others: Array,
    reach: float,
    relative: float,
    least: float,
    close: Array,
) -> None:
    """Bounds of the rows that were compared with all centres, and which are undecided.

    Parameters
    ----------
    upper, lower : float64 array, shapes (n,) and (groups, n)
        Written at `places`: no less than the distance to the nearest centre, no more
        than the distances to others.
    squares, lengths : float64 array, shape (n,)
        |x|^2 and |x| of all rows.
    places : int64 array, shape (m,)
    scores, others : array, shapes (m,) and (groups, m)
        The least |c|^2 - 2 c . x, and each group's least without that centre.
    reach, relative, least : float
        The largest |c|, and what an error is made of: relative (|x| + reach)^2 + least.
    close : bool array, shape (m,)
        Written: whether the errors leave open which centre is nearest.
    """
    error = lengths[places] + reach
    error *= error
    error *= relative
    error += least
    shift = squares[places]
    upper[places] = np.sqrt(np.maximum(scores + shift + error, 0))
    gap = np.subtract(others.min(axis=0), scores, dtype=np.float64)
    np.logical_not(gap > error, out=close)
    shift -= error
    for g in range(len(lower)):
        lower[g, places] = np.sqrt(np.maximum(others[g] + shift, 0))


@paired(renew_bounds_numpy)
def renew_bounds(
    upper: Array,
    lower: Array,
    squares: Array,
    lengths: Array,
    places: Array,
    scores: Array,
    others: Array,
    reach: float,
    relative: float,
    least: float,
    close: Array,
) -> None:
    """Row after row."""
    for i in range(len(places)):
        p = places[i]
        error = lengths[p] + reach
        error = error * error * relative + least
        value = scores[i] + squares[p] + error
        upper[p] = np.sqrt(value) if value > 0 else 0
        shift = squares[p] - error
        second = np.inf
        for g in range(lower.shape[0]):
            value = others[g, i] + shift
            lower[g, p] = np.sqrt(value) if value > 0 else 0
            second = others[g, i] if others[g, i] < second else second
        close[i] = not second - scores[i] > error
