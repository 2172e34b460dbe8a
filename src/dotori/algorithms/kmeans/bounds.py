"""Lloyd's algorithm with bounds: the same labels, without most of the distances.

A few iterations in, most points stay where they are, and the triangle inequality proves
it: no centre comes nearer to a point than by how far that centre has moved. For each
point are kept

    u    >= |x - c_own|              grows by how far its own centre moved
    l_g  <= |x - c_j|, j in group g  shrinks by the farthest move in the group

and s = half the distance from its own centre to the next one. While u is less than s or
all l_g, no other centre can be nearer, and the point is not looked at. With one group
this is Hamerly's algorithm, with a group for each centre Elkan's, between them Ding's
"Yinyang".

What is looked at goes through BLAS in single precision: |c|^2 - 2 x . c in float32 is
off by at most

    e = 2 (d + 5) 2^-24 (|x| + |c|)^2

for two centres together (Higham, "Accuracy and stability of numerical algorithms",
2002, section 3.1). Where the two nearest are closer than that, the row is worked out
again in its own precision, and where that leaves a tie, by the very products of
`kmeans.nearest`. Bounds carry the same slack. So for given centres the labels are those
of `kmeans.lloyd`, ties included.

Sums of clusters change by the points that change sides, in float64; parts are cut and
joined by shapes alone, so the result does not depend on the number of threads.

References: G. Hamerly, *Making k-means even faster*, SDM 2010. C. Elkan, *Using the
triangle inequality to accelerate k-means*, ICML 2003. Y. Ding et al., *Yinyang
k-means*, ICML 2015.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.kmeans.lloyd import (
    Clustering,
    History,
    Listener,
    lloyd,
    means,
    reseed_empty,
    square_norms,
)
from dotori.algorithms.kmeans.search import CACHE, Frame, Part, Points, Room
from dotori.kernels import in_parallel, one_blas_thread

Array = NDArray[Any]

#: The most parts that rows are cut into, whatever the number of threads.
_PARTS = 8
#: Products (n k d) from which on the bounds are worth their bookkeeping.
_WORTHWHILE = 1 << 22
#: An inertia below this part of the sum of squares is added up point by point.
_CANCELS = 1e-2


def pays(shape: tuple[int, int], k: int) -> bool:
    """Whether bounds are worth it for so many rows, columns and centres.

    Examples
    --------
    >>> pays((150, 4), 3), pays((100_000, 20), 50)
    (False, True)
    """
    return k > 1 and shape[0] * shape[1] * k >= _WORTHWHILE


class _Search:
    """All rows with their labels, and the sums of the clusters."""

    def __init__(self, points: Points, weights: Array | None, start: Array) -> None:
        n, k = len(points.x), len(start)
        self.points, self.weights, self.k = points, weights, k
        self.labels = np.full(n, -1, np.int32)
        number = int(np.clip(n // (8 * k), 1, _PARTS))
        bounds = [n * i // number for i in range(number + 1)]
        self.parts = [
            Part(
                points,
                self.labels[a:b],
                None if weights is None else weights[a:b].astype(np.float64),
                a,
                k,
            )
            for a, b in pairwise(bounds)
        ]
        self.sums, self.mass = np.zeros((k, points.x.shape[1])), np.zeros(k)
        self.counts = np.zeros(k, np.int64)
        self.order, self.starts = grouped(start)
        self.centers: Array | None = None
        w = 1.0 if weights is None else weights
        self.total = float(np.sum(w * points.squares))

    def assign(self, centers: Array) -> int:
        """Each row to its nearest centre; how many rows have another label now."""
        frame = self._frame(centers)

        def run(first: int, last: int) -> None:
            room = Room(frame, len(self.parts[0].labels))
            with one_blas_thread:
                for part in self.parts[first:last]:
                    part.update(frame, room)

        in_parallel(len(self.parts), run)
        self.centers = centers
        for part in self.parts:  # in order: the same sums for any number of threads
            self.sums += part.sums
            self.mass += part.mass
            self.counts += part.counts
        self.mass[self.counts == 0] = 0
        self.sums[self.counts == 0] = 0
        return sum(part.changed for part in self.parts)

    def _frame(self, centers: Array) -> Frame:
        wide = centers.astype(np.float64)
        lean_type = self.points.lean.dtype
        squares = square_norms(wide)
        moved = np.zeros(self.k)
        if self.centers is not None:
            moved = np.sqrt(((wide - self.centers) ** 2).sum(axis=1)) * (1 + 1e-12)
        reach = float(np.sqrt(squares.max()))
        return Frame(
            centers=centers,
            order=self.order,
            starts=self.starts,
            lean=np.ascontiguousarray(wide[self.order].astype(lean_type)),
            norms=squares[self.order].astype(lean_type),
            moved=moved,
            half=_half_gaps(wide, squares),
            drift=np.maximum.reduceat(moved[self.order], self.starts[:-1]),
            reach=reach,
        )

    def means(self) -> Array:
        """The centres of the labels that there are now."""
        sums = self.sums.astype(self.points.x.dtype)
        mass = self.mass.astype(sums.dtype)
        if (mass == 0).any():
            reseed_empty(
                sums,
                mass,
                self.labels,
                self.weights,
                lambda: self.own_distances(sums.dtype),
                self.points.rows,
            )
        return means(sums, mass)

    def own_distances(self, dtype: Any) -> Array:
        """|x_i - c_l(i)|^2, row by row."""
        assert self.centers is not None
        found = np.empty(len(self.labels), dtype)
        step = max(CACHE // (8 * self.points.x.shape[1]), 1)
        for i in range(0, len(found), step):
            part = slice(i, i + step)
            apart = self.points.rows(part) - self.centers[self.labels[part]]
            found[part] = (apart**2).sum(axis=1)
        return found

    def inertia(self) -> float:
        """sum w |x|^2 - 2 c . sums + mass |c|^2; by rows where that cancels."""
        assert self.centers is not None
        c = self.centers.astype(np.float64)
        crossed = float(np.sum(c * self.sums))
        found = self.total - 2 * crossed + float(self.mass @ square_norms(c))
        if found >= _CANCELS * self.total:
            return found
        w = 1.0 if self.weights is None else self.weights
        return float(np.sum(w * self.own_distances(np.float64)))


@one_blas_thread
def bounded_lloyd(
    points: Points,
    start: Array,
    weights: Array | None = None,
    max_iter: int = 300,
    tol: float = 0.0,
    listener: Listener | None = None,
) -> Clustering:
    """What `kmeans.lloyd` finds for the rows about their mean, sooner.

    Parameters
    ----------
    points : Points
    start : array, shape (k, d)
        About the mean as well.
    weights, max_iter, tol, listener
        As for `kmeans.lloyd`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((500, 2)) + 5 * rng.integers(0, 2, (500, 1))
    >>> points = Points(x)
    >>> found = bounded_lloyd(points, x[:4] - points.mean)
    >>> plain = lloyd(x - points.mean, x[:4] - points.mean)
    >>> bool((found.labels == plain.labels).all()), found.n_iter == plain.n_iter
    (True, True)
    """
    search, history = _Search(points, weights, start), History()
    centers, settled, n_iter = start, False, 0
    for n_iter in range(1, max_iter + 1):
        before = centers
        settled = search.assign(before) == 0
        inertia = search.inertia()
        history.add(before, inertia)
        centers = search.means()
        asked = listener is not None and listener(n_iter, centers, inertia)
        if settled or asked or np.sum((centers - before) ** 2) <= tol:
            break
    if settled:
        search.centers = centers
    else:  # the labels belong to the centres before
        search.assign(centers)
    inertia = search.inertia()
    history.finish(centers, inertia)
    return Clustering(search.labels, centers, inertia, n_iter, history)


def grouped(start: Array) -> tuple[Array, Array]:
    """Centres in groups that lie together: their order, and where each group begins.

    Few centres are a group each: their bounds cost little beside the distances of long
    rows. Of many, about ten share a bound.

    Examples
    --------
    >>> grouped(np.array([[0.0], [1.0], [5.0]]))
    (array([0, 1, 2]), array([0, 1, 2, 3]))
    """
    k, d = start.shape
    if k <= 4 or (k <= 32 and d >= 16):
        return np.arange(k), np.arange(k + 1)
    groups = max(k // 10, 1)
    found = lloyd(start, start[:: -(-k // groups)].copy(), max_iter=5)
    order = np.argsort(found.labels, kind="stable")
    sizes = np.bincount(found.labels, minlength=len(found.centers))
    return order, np.concatenate(([0], np.cumsum(sizes[sizes > 0])))


def _half_gaps(centers: Array, squares: Array) -> Array:
    """Half the distance from each centre to the next, a little less for rounding."""
    d = centers.shape[1]
    gaps = squares[:, None] + squares - 2 * (centers @ centers.T)
    gaps -= 4 * (d + 5) * np.finfo(np.float64).eps * squares.max()
    np.fill_diagonal(gaps, np.inf)
    return np.asarray(np.sqrt(np.maximum(gaps.min(axis=1), 0)) / 2)
