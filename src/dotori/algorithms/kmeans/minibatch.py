"""k-means on small batches: each centre is the running mean of what it was given.

A batch's points go to their nearest centres, and each centre moves towards its points,

    m_j <- m_j + sum w_i,    c_j <- c_j + sum w_i (x_i - c_j) / m_j,

with a step that shrinks as the mass m_j that it has seen grows. Centres that see next
to nothing start again from points of the batch.

Reference: D. Sculley, *Web-scale k-means clustering*, WWW 2010.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.kmeans.lloyd import (
    cluster_sums,
    is_sparse,
    nearest,
    own_distances,
)
from dotori.algorithms.kmeans.start import fixed_order
from dotori.random import Generator

Array = NDArray[Any]


def minibatch_step(
    x: Any, centers: Array, mass: Array, weights: Array | None = None
) -> tuple[Array, Array, float]:
    """The centres and their masses after one batch, and its inertia before.

    Parameters
    ----------
    x : array or sparse matrix, shape (n, d)
    centers, mass : array, shapes (k, d) and (k,)
    weights : array, shape (n,), optional

    Examples
    --------
    >>> x, centers = np.array([[2.0], [8.0]]), np.array([[0.0], [10.0]])
    >>> centers, mass, inertia = minibatch_step(x, centers, np.array([1.0, 0.0]))
    >>> centers.ravel().tolist(), mass.tolist(), inertia
    ([1.0, 8.0], [2.0, 1.0], 8.0)
    """
    labels, _ = nearest(x, centers)
    apart = own_distances(x, centers, labels)
    inertia = float(np.sum(apart if weights is None else weights * apart))
    sums, new = cluster_sums(x, labels, weights, len(centers))
    total = mass + new
    met = new > 0
    share = (1 / np.where(met, total, 1))[:, None]
    moved = np.where(met[:, None], (centers * mass[:, None] + sums) * share, centers)
    return moved.astype(centers.dtype, copy=False), np.where(met, total, mass), inertia


def restart_rare(
    x: Any, centers: Array, mass: Array, ratio: float, generator: Generator
) -> int:
    """Put centres with less than `ratio` of the largest mass onto points of the batch.

    At most half of the batch is used. The restarted get the least mass of the others,
    so that they are not restarted at once. Changes `centers` and `mass`; returns how
    many were restarted.

    Examples
    --------
    >>> centers, mass = np.array([[0.0], [9.0]]), np.array([100.0, 0.5])
    >>> restart_rare(np.array([[1.0], [1.0]]), centers, mass, 0.01, Generator(0))
    1
    >>> centers.ravel().tolist(), mass.tolist()
    ([0.0, 1.0], [100.0, 100.0])
    """
    rare = mass < ratio * mass.max()
    most = int(0.5 * x.shape[0])
    if rare.sum() > 0.5 * x.shape[0]:
        rare[np.argsort(mass)[most:]] = False
    number = int(rare.sum())
    if number:
        places = generator.numpy().choice(x.shape[0], replace=False, size=number)
        centers[rare] = x[places].toarray() if is_sparse(x) else x[places]
        mass[rare] = mass[~rare].min()
    return number


class Urn:
    """Rows to draw from, with repetition; probabilities are as the weights.

    Parameters
    ----------
    x : array or sparse matrix, shape (n, d)
    weights : array, shape (n,), optional

    Attributes
    ----------
    n : int
        How many rows there are; whole weights say how often each counts.

    Examples
    --------
    >>> urn = Urn(np.array([[5.0], [7.0]]), np.array([0.0, 3.0]))
    >>> urn.n, urn.draw(4, Generator(0)).tolist()
    (3, [1, 1, 1, 1])
    """

    def __init__(self, x: Any, weights: Array | None) -> None:
        self._order, self._ends, self.n = fixed_order(x), None, x.shape[0]
        if weights is not None:
            w = weights.astype(np.float64)
            if (w == np.floor(w)).all() and 0 < w.sum() < 2**53:
                self.n = int(w.sum())
            self._ends = np.cumsum(w if self._order is None else w[self._order])

    def draw(self, size: int, generator: Generator) -> Array:
        """The places of `size` rows."""
        uniform = generator.numpy().random(size)
        if self._ends is None:
            found = (uniform * self.n).astype(np.int64)
        else:
            found = np.searchsorted(self._ends, uniform * self._ends[-1], "right")
            found = np.minimum(found, np.searchsorted(self._ends, self._ends[-1]))
        return np.asarray(found if self._order is None else self._order[found])


@dataclass
class Progress:
    """Whether training on batches still gets anywhere: by a running mean of inertia.

    Parameters
    ----------
    batch_size, n : int
        Rows in a batch and in all.
    tol : float
        Settled if the squared moves of the centres sum up to at most that; 0: never.
    patience : int or None
        Settled after so many batches without a new least running mean.

    Examples
    --------
    >>> progress = Progress(batch_size=1, n=1, tol=0.0, patience=2)
    >>> [progress.settled(inertia, moves=1.0) for inertia in (9, 5, 6, 7)]
    [False, False, False, True]
    """

    batch_size: int
    n: int
    tol: float
    patience: int | None
    mean: float | None = None
    least: float | None = None
    steps: int = 0
    without: int = 0

    def settled(self, inertia: float, moves: float) -> bool:
        """Note a batch's inertia and how far it moved the centres."""
        self.steps += 1
        if self.steps == 1:  # that of the start
            return False
        inertia /= self.batch_size
        share = min(2 * self.batch_size / (self.n + 1), 1)
        before = self.mean
        self.mean = inertia if before is None else before + share * (inertia - before)
        if self.tol > 0 and moves <= self.tol:
            return True
        if self.least is None or self.mean < self.least:
            self.least, self.without = self.mean, 0
        else:
            self.without += 1
        return self.patience is not None and self.without >= self.patience
