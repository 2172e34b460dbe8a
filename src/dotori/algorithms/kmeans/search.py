"""Rows in search of their nearest centres, with bounds: the parts of `bounds`.

`Points` are the rows about their mean, `Frame` are the centres of one iteration, and a
`Part` is a range of rows that keeps its labels and bounds right while centres move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.kmeans.lloyd import ROWS, nearest, square_norms
from dotori.kernels import in_parallel
from dotori.kernels.embedding import add_rows
from dotori.kernels.kmeans import loosen_bounds, nearest_centers, renew_bounds

Array = NDArray[Any]

#: Bytes of a block of rows, and of its products: both should stay in the cache.
CACHE = 1 << 21
#: Lengths that float32 squares without a loss beyond rounding.
_SAFE = 1e-12, 1e12


class Points:
    """A table's rows about their mean, in the form in which they are searched.

    Parameters
    ----------
    x : array, shape (n, d)
        Left as it is. Only a float32 copy of its rows about the mean is kept.

    Attributes
    ----------
    mean : array, shape (d,)
    squares : float64 array, shape (n,)
        |x_i - mean|^2.
    variance : float
        The mean of the columns' variances.

    Examples
    --------
    >>> points = Points(np.array([[0.0], [1.0], [5.0]]))
    >>> points.mean, points.squares, round(points.variance, 3)
    (array([2.]), array([4., 1., 9.]), 4.667)
    """

    def __init__(self, x: Array) -> None:
        self.x, (n, d) = x, x.shape
        self.mean = x.mean(axis=0)
        self.squares = np.empty(n)
        self.lean = np.empty((n, d), np.float32)
        in_parallel(n, self._centre, least=max(CACHE // d, 1))
        self.variance = float(self.squares.sum()) / (n * d)
        reach = float(np.sqrt(self.squares.max()))
        if not _SAFE[0] < reach < _SAFE[1]:
            self.lean = x - self.mean

    def _centre(self, start: int, stop: int) -> None:
        step = max(CACHE // (32 * self.x.shape[1]), 1)
        for i in range(start, stop, step):
            part = slice(i, min(i + step, stop))
            rows = self.x[part] - self.mean
            self.lean[part] = rows
            rows = rows.astype(np.float64, copy=False)
            np.einsum("ij,ij->i", rows, rows, out=self.squares[part])

    def error(self, dtype: Any) -> tuple[float, float]:
        """What two scores computed in `dtype` are off by: a (|x| + |c|)^2 + b."""
        info, d = np.finfo(dtype), self.x.shape[1]
        # eps is twice the unit of rounding; b is for what becomes too small for it
        return (d + 5) * float(info.eps), (d + 5) * float(info.tiny)

    def rows(self, places: Any) -> Array:
        """Some rows about the mean, in the table's own precision."""
        if self.lean.dtype == self.x.dtype:
            return np.asarray(self.lean[places])
        return np.asarray(self.x[places] - self.mean)


@dataclass
class Frame:
    """The centres of one iteration, and what the search needs to know of them.

    Attributes
    ----------
    order : array, shape (k,)
        The centres one group after the other; `starts` says where each begins.
    lean, norms : array, shapes (k, d) and (k,)
        The centres in this order and in the search's precision, and |c|^2.
    moved, half : array, shape (k,)
        How far each has moved, and half its distance to the next; in their own order.
    drift : array, shape (groups,)
    reach : float
        The largest |c|.
    """

    centers: Array
    order: Array
    starts: Array
    lean: Array
    norms: Array
    moved: Array
    half: Array
    drift: Array
    reach: float


class Room:
    """Memory for one block of rows and its products, used again and again."""

    def __init__(self, frame: Frame, most: int) -> None:
        k, d = frame.lean.shape
        step = min(max(CACHE // (frame.lean.itemsize * max(d, k)), 16), most)
        self.rows = np.empty((step, d), frame.lean.dtype)
        self.products = np.empty((k, step), frame.lean.dtype)


class Part:
    """A range of rows with its labels and bounds, and how it changes the sums."""

    def __init__(
        self, points: Points, labels: Array, weights: Array | None, start: int, k: int
    ) -> None:
        n, d = len(labels), points.x.shape[1]
        self.points, self.labels, self.weights = points, labels, weights
        self.start, self.new = start, True
        self.squares = points.squares[start : start + n]
        self.lengths = np.sqrt(self.squares)
        self.upper, self.slack = np.empty(n), np.empty(n)
        self.lower = np.empty((0, n))
        self.doubtful = np.ones(n, np.bool_)
        self.reach = 0.0
        self.sums, self.mass = np.zeros((k, d)), np.zeros(k)
        self.counts = np.zeros(k, np.int64)
        self.changed = 0

    def update(self, frame: Frame, room: Room) -> None:
        """Bring labels and bounds up to date; note what that does to the sums."""
        self.sums[:], self.mass[:], self.counts[:], self.changed = 0, 0, 0, 0
        if not self.reach / 2 < frame.reach <= self.reach:
            self.reach = 1.1 * frame.reach
            relative, least = self.points.error(self.points.x.dtype)
            self.slack = relative * (self.lengths + self.reach) ** 2 + least
        if self.new:
            self.lower = np.empty((len(frame.starts) - 1, len(self.labels)))
        else:
            loosen_bounds(
                self.upper,
                self.lower,
                self.slack,
                self.labels,
                frame.moved,
                frame.drift,
                frame.half,
                self.doubtful,
            )
        places = np.flatnonzero(self.doubtful)
        step = room.products.shape[1]
        for i in range(0, len(places), step):
            self._look(places[i : i + step], frame, room)
        self.new = False

    def _look(self, places: Array, frame: Frame, room: Room) -> None:
        """Compare some rows with all centres."""
        n, points, at = len(places), self.points, self.start + places
        if places[-1] - places[0] == n - 1:
            rows = points.lean[at[0] : at[0] + n]
        else:
            rows = points.lean.take(at, axis=0, out=room.rows[:n], mode="clip")
        products = room.products.reshape(-1)[: len(frame.order) * n].reshape(-1, n)
        np.matmul(frame.lean, rows.T, out=products)
        labels, scores = np.empty(n, np.int32), np.empty(n, products.dtype)
        others = np.empty((len(self.lower), n), products.dtype)
        nearest_centers(products, frame.norms, frame.starts, labels, scores, others)
        labels = frame.order[labels]
        close = np.empty(n, np.bool_)
        renew_bounds(
            self.upper,
            self.lower,
            self.squares,
            self.lengths,
            places,
            scores,
            others,
            frame.reach,
            *points.error(products.dtype),
            close,
        )
        if close.any():
            labels[close] = self._decide(places[close], frame)
        self._relabel(places, labels)

    def _decide(self, places: Array, frame: Frame) -> Array:
        """Labels, and bounds, by the plain formula, in the table's own precision."""
        q = self.points.rows(self.start + places) @ frame.centers.T
        q *= -2
        q += square_norms(frame.centers)
        labels, each = q.argmin(axis=1).astype(np.int32), np.arange(len(q))
        relative, least = self.points.error(q.dtype)
        error = relative * (self.lengths[places] + frame.reach) ** 2 + least
        tied = (q <= (q[each, labels] + error)[:, None]).sum(axis=1) > 1
        if tied.any():
            labels[tied] = self._settle(places[tied], frame)
        scores = q[each, labels]
        q[each, labels] = np.inf
        others = np.minimum.reduceat(q[:, frame.order], frame.starts[:-1], axis=1).T
        renew_bounds(
            self.upper,
            self.lower,
            self.squares,
            self.lengths,
            places,
            scores,
            np.ascontiguousarray(others),
            frame.reach,
            relative,
            least,
            np.empty(len(places), np.bool_),
        )
        return np.asarray(labels)

    def _settle(self, places: Array, frame: Frame) -> Array:
        """Labels where rounding decides: by the very products of `kmeans.nearest`."""
        at = self.start + places
        labels = np.empty(len(places), np.int32)
        for block in np.unique(at // ROWS):
            rows = self.points.rows(slice(block * ROWS, (block + 1) * ROWS))
            mine = at // ROWS == block
            labels[mine] = nearest(rows, frame.centers)[0][at[mine] % ROWS]
        return labels

    def _relabel(self, places: Array, labels: Array) -> None:
        """Give rows their new labels, and the sums what that changes."""
        before = self.labels[places]
        other = np.flatnonzero(before != labels)
        if not len(other):
            return
        places, old, new = places[other], before[other], labels[other]
        self.labels[places] = new
        self.changed += len(other)
        rows = self.points.rows(self.start + places).astype(np.float64, copy=False)
        w = None if self.weights is None else self.weights[places]
        if w is not None:
            rows = rows * w[:, None]
        self._add(rows, new, w, 1)
        if not self.new:
            self._add(np.negative(rows), old, None if w is None else -w, -1)

    def _add(self, rows: Array, labels: Array, w: Array | None, sign: int) -> None:
        k = len(self.mass)
        add_rows(np.ascontiguousarray(rows), labels, self.sums)
        if w is None:
            found = sign * np.bincount(labels, minlength=k)
            self.counts += found
            self.mass += found
        else:
            self.counts += sign * np.bincount(labels, w != 0, minlength=k).astype(int)
            self.mass += np.bincount(labels, w, minlength=k)
