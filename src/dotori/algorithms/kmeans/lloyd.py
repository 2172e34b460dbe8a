"""k-means: centres that are the means of the points nearest to them.

The sum of squared distances (the inertia) that is to become small:

    J = sum_i w_i |x_i - c_l(i)|^2

Lloyd's algorithm takes turns. With the centres fixed, J is least if each point goes to
its nearest centre; with the labels fixed, if each centre is the mean of its points.
Neither step raises J, so the labels settle: at a local minimum, which depends on the
start (`dotori.algorithms.kmeans.start`).

    l(i) = argmin_j |x_i - c_j|^2 = argmin_j |c_j|^2 - 2 x_i . c_j
    c_j  = sum_{l(i) = j} w_i x_i / sum_{l(i) = j} w_i

`lloyd` is that, for dense and sparse tables. `dotori.algorithms.kmeans.bounds` comes to
the same labels without most of the distances, for large tables.

References: S. P. Lloyd, *Least squares quantization in PCM*, IEEE Transactions on
Information Theory 28, 1982. J. MacQueen, *Some methods for classification and analysis
of multivariate observations*, Berkeley Symposium, 1967.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms._stored import storable
from dotori.errors import ShapeError
from dotori.kernels import in_parallel, one_blas_thread
from dotori.kernels.embedding import add_rows

Array = NDArray[Any]

#: Called after each iteration with its number, centres and inertia; True ends the fit.
Listener = Callable[[int, Array, float], bool]

#: Numbers in the products of one block of rows: they should stay in the cache.
_BLOCK = 1 << 16
#: Rows of one product. Where centres tie, rounding decides, and that of BLAS depends on
#: the shape of a product: with scikit-learn's number of rows it is scikit-learn's.
ROWS = 256
#: Products from which on several threads search for the nearest centres.
_PARALLEL = 1 << 23
#: Pairs of a row and a centre whose distance is worked out again at a time.
_PAIRS = 1 << 12
#: Numbers that the centres of all iterations may take in a history.
_KEPT = 1 << 18


class History:
    """Centres and inertia by iteration; of many large centres every second, fourth...

    Examples
    --------
    >>> history = History()
    >>> history.add(np.zeros((2, 1)), 5.0)
    >>> history.as_dict()["inertia"]
    [5.0]
    """

    def __init__(self) -> None:
        self.centers: list[Array] = []
        self.inertia: list[float] = []
        self.iterations: list[int] = []
        self._step = 1

    def add(self, centers: Array, inertia: float) -> None:
        """Note one iteration: the centres that points went to, and J at that moment."""
        at = len(self.inertia)
        self.inertia.append(inertia)
        if at % self._step == 0:
            self.iterations.append(at)
            self.centers.append(centers.copy())
        if len(self.centers) > max(2, _KEPT // max(centers.size, 1)):
            self._step *= 2
            self.centers, self.iterations = self.centers[::2], self.iterations[::2]

    def finish(self, centers: Array, inertia: float) -> None:
        """Note the end, whatever was left out before."""
        if not self.iterations or self.iterations[-1] != len(self.inertia):
            self.iterations.append(len(self.inertia))
            self.centers.append(centers.copy())
        self.inertia.append(inertia)

    def as_dict(self) -> dict[str, list[Any]]:
        """What people plot; ``centers[i]`` are those of ``iteration[i]``."""
        return {
            "centers": self.centers,
            "iteration": self.iterations,
            "inertia": self.inertia,
        }


@dataclass
class Clustering:
    """What a run of k-means ends with.

    Parameters
    ----------
    labels : int32 array, shape (n,)
    centers : array, shape (k, d)
    inertia : float
    n_iter : int
    history : History
    """

    labels: Array
    centers: Array
    inertia: float
    n_iter: int
    history: History = field(repr=False, default_factory=History)


@storable
@dataclass(frozen=True)
class KMeansModel:
    """Centres that new points are assigned to; needs nothing but NumPy.

    Parameters
    ----------
    centers : array, shape (k, d)

    Examples
    --------
    >>> model = KMeansModel(np.array([[0.0, 0.0], [4.0, 0.0]]))
    >>> model.predict(np.array([[1.0, 1.0], [3.0, 0.0]]))
    array([0, 1], dtype=int32)
    >>> model.transform(np.array([[4.0, 3.0]]))
    array([[5., 3.]])
    """

    centers: Array

    def __post_init__(self) -> None:
        if np.ndim(self.centers) != 2:
            raise ShapeError(
                "KMeansModel: centers must be a table of shape (k, d), got "
                f"{np.shape(self.centers)}"
            )

    def predict(self, x: Any) -> Array:
        """The nearest centre of each row, the lowest of several, as int32."""
        return nearest(x, self.centers)[0]

    def transform(self, x: Any) -> Array:
        """The distance of each row of `x` to each centre, shape (n, k)."""
        return distances(x, self.centers)


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse matrix (in the rows' format) and no array."""
    return hasattr(x, "indptr")


def square_norms(x: Any) -> Array:
    """|x_i|^2 of each row, of a dense or sparse table.

    Examples
    --------
    >>> square_norms(np.array([[3.0, 4.0], [1.0, 0.0]]))
    array([25.,  1.])
    """
    if is_sparse(x):
        return _row_sums(x, x.data * x.data)
    return np.asarray(np.einsum("ij,ij->i", x, x))


def nearest(x: Any, centers: Array) -> tuple[Array, Array]:
    """The label of each row, and |c|^2 - 2 x . c for its centre.

    Parameters
    ----------
    x : array or sparse matrix, shape (n, d)
    centers : array, shape (k, d)

    Returns
    -------
    labels : int32 array, shape (n,)
        The nearest centre; of several equally near, the lowest.
    scores : array, shape (n,)
        The squared distance less |x|^2, which is the same for all centres.

    Examples
    --------
    >>> nearest(np.array([[0.0], [3.0], [1.5]]), np.array([[0.0], [3.0]]))[0]
    array([0, 1, 0], dtype=int32)
    """
    n, norms = x.shape[0], square_norms(centers)
    labels = np.empty(n, np.int32)
    scores = np.empty(n, np.result_type(x.dtype, centers.dtype))
    doubled = centers * -2  # exact, and a product with it is as well -2 times the other
    blocks = -(-n // ROWS)
    step = max(_BLOCK // (len(centers) * ROWS), 1)

    def run(first: int, last: int) -> None:
        for b in range(first, last, step):
            part = slice(b * ROWS, min(b + step, last) * ROWS)
            q = _products(x[part], doubled)
            q += norms
            labels[part] = best = q.argmin(axis=1)
            scores[part] = q[np.arange(len(q)), best]

    if n * centers.size < _PARALLEL:
        run(0, blocks)
    else:
        with one_blas_thread:
            in_parallel(blocks, run)
    return labels, scores


def _products(x: Any, centers: Array) -> Array:
    """x . c for all rows and centres, by `ROWS` rows at a time."""
    whole = x.shape[0] // ROWS * ROWS
    if is_sparse(x) or not whole:
        return np.asarray(x @ centers.T)
    q = np.empty((len(x), len(centers)), np.result_type(x.dtype, centers.dtype))
    blocks = x[:whole].reshape(-1, ROWS, x.shape[1])
    np.matmul(blocks, centers.T, out=q[:whole].reshape(-1, ROWS, len(centers)))
    if whole < len(x):
        np.matmul(x[whole:], centers.T, out=q[whole:])
    return q


def cluster_sums(
    x: Any, labels: Array, weights: Array | None, k: int
) -> tuple[Array, Array]:
    """sum w x and sum w over the points of each cluster: shapes (k, d) and (k,).

    Examples
    --------
    >>> x = np.array([[1.0], [3.0], [10.0]])
    >>> sums, mass = cluster_sums(x, np.array([0, 0, 1]), None, 2)
    >>> (sums / mass[:, None]).ravel().tolist()
    [2.0, 10.0]
    """
    sums = np.zeros((k, x.shape[1]), x.dtype)
    mass = np.bincount(labels, minlength=k).astype(x.dtype)
    if weights is not None:
        mass[:] = 0
        np.add.at(mass, labels, weights)
    if is_sparse(x):
        counts = np.diff(x.indptr)
        values = x.data if weights is None else x.data * np.repeat(weights, counts)
        places = np.repeat(labels.astype(np.int64), counts) * x.shape[1] + x.indices
        np.add.at(sums.reshape(-1), places, values)
    else:
        add_rows(x if weights is None else x * weights[:, None], labels, sums)
    return sums, mass


def own_distances(x: Any, centers: Array, labels: Array) -> Array:
    """|x_i - c_l(i)|^2 of each row, without the cancellation of the expanded form."""
    if is_sparse(x):
        own = np.repeat(labels, np.diff(x.indptr))
        c = centers[own, x.indices]
        found = _row_sums(x, (x.data - c) ** 2 - c * c) + square_norms(centers)[labels]
        return np.asarray(np.maximum(found, 0))
    found = np.empty(len(x), np.result_type(x.dtype, centers.dtype))
    step = max(_BLOCK // x.shape[1], 1)
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        found[part] = ((x[part] - centers[labels[part]]) ** 2).sum(axis=1)
    return found


def reseed_empty(
    sums: Array,
    mass: Array,
    labels: Array,
    weights: Array | None,
    distances: Callable[[], Array],
    rows: Callable[[Array], Array],
) -> None:
    """Give each empty cluster one of the points that are farthest from their centres.

    Parameters
    ----------
    sums, mass : array, shapes (k, d) and (k,)
        Of each cluster; the point's part goes from its old cluster to the empty one.
    labels, weights : array, shape (n,)
    distances : callable
        Gives the squared distances to the points' own centres, if they are needed.
    rows : callable
        Gives some points, by their places.
    """
    empty = np.flatnonzero(mass == 0)
    if not len(empty):
        return
    found = distances()
    if found.max() == 0:  # fewer different points than clusters: nobody to give away
        return
    farthest = np.argpartition(found, -len(empty))[: -len(empty) - 1 : -1]
    for j, i, point in zip(empty, farthest, rows(farthest), strict=True):
        w = mass.dtype.type(1 if weights is None else weights[i])
        sums[labels[i]] -= point * w
        sums[j] = point * w
        mass[j] = w
        mass[labels[i]] -= w


def means(sums: Array, mass: Array) -> Array:
    """The centres: sums over masses.

    What is still empty goes to the heaviest cluster's place, as in scikit-learn; before
    that one in order, to its sum, so that it takes none of its points.

    Examples
    --------
    >>> means(np.array([[4.0], [3.0], [0.0]]), np.array([2.0, 1.0, 0.0])).tolist()
    [[2.0], [3.0], [2.0]]
    """
    filled = mass > 0
    centers = sums * (1 / np.where(filled, mass, 1))[:, None]
    heaviest = int(np.argmax(mass))
    for j in np.flatnonzero(~filled):
        centers[j] = sums[heaviest] if j < heaviest else centers[heaviest]
    return centers.astype(sums.dtype, copy=False)


def lloyd_step(
    x: Any, centers: Array, weights: Array | None = None
) -> tuple[Array, Array]:
    """One turn: every point to its nearest centre, every centre to its points' mean.

    Parameters
    ----------
    x : array or sparse matrix, shape (n, d)
    centers : array, shape (k, d)
    weights : array, shape (n,), optional

    Returns
    -------
    labels : int32 array, shape (n,)
        For the centres given.
    centers : array, shape (k, d)
        The new ones.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [5.0], [6.0]])
    >>> labels, centers = lloyd_step(x, np.array([[0.0], [1.0]]))
    >>> labels.tolist(), centers.ravel().tolist()
    ([0, 1, 1, 1], [0.0, 4.0])
    """
    labels, _ = nearest(x, centers)
    return labels, _moved(x, centers, weights, labels)


def _moved(x: Any, centers: Array, weights: Array | None, labels: Array) -> Array:
    sums, mass = cluster_sums(x, labels, weights, len(centers))
    reseed_empty(
        sums,
        mass,
        labels,
        weights,
        lambda: own_distances(x, centers, labels),
        lambda places: x[places].toarray() if is_sparse(x) else x[places],
    )
    return means(sums, mass)


def lloyd(
    x: Any,
    start: Array,
    weights: Array | None = None,
    max_iter: int = 300,
    tol: float = 0.0,
    listener: Listener | None = None,
) -> Clustering:
    """Lloyd's algorithm, from given centres until the labels settle.

    Parameters
    ----------
    x : array or sparse matrix, shape (n, d)
        Centred around zero, rounding errors are smallest.
    start : array, shape (k, d)
    weights : array, shape (n,), optional
    max_iter : int
    tol : float
        Ends as well when the squared moves of the centres sum up to at most that.
    listener : callable, optional
        ``listener(iteration, centers, inertia)``, whether to end here.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [5.0], [6.0]])
    >>> found = lloyd(x, np.array([[0.0], [1.0]]))
    >>> found.labels.tolist(), found.centers.ravel().tolist(), found.inertia
    ([0, 0, 1, 1], [0.5, 5.5], 1.0)
    """
    w = 1.0 if weights is None else weights
    x_squares, history = square_norms(x), History()
    centers, labels = start, np.full(x.shape[0], -1, np.int32)
    settled, n_iter = False, 0
    for n_iter in range(1, max_iter + 1):
        before, labels_before = centers, labels
        labels, scores = nearest(x, centers)
        inertia = max(float(np.sum(w * (x_squares + scores))), 0.0)
        history.add(centers, inertia)
        centers = _moved(x, before, weights, labels)
        settled = bool(np.array_equal(labels, labels_before))
        asked = listener is not None and listener(n_iter, centers, inertia)
        if settled or asked or np.sum((centers - before) ** 2) <= tol:
            break
    if not settled:  # the labels belong to the centres before
        labels, _ = nearest(x, centers)
    inertia = float(np.sum(w * own_distances(x, centers, labels)))
    history.finish(centers, inertia)
    return Clustering(labels, centers, inertia, n_iter, history)


def distances(x: Any, centers: Array) -> Array:
    """|x_i - c_j| for all rows and centres, shape (n, k).

    Examples
    --------
    >>> distances(np.array([[3.0, 4.0]]), np.zeros((1, 2)))
    array([[5.]])
    """
    found = np.asarray(x @ centers.T, dtype=np.result_type(x.dtype, centers.dtype))
    found *= -2
    together = square_norms(x)[:, None] + square_norms(centers)
    found += together
    # where the squares cancel, little but rounding is left: subtract before squaring
    together *= 1e-4
    i, j = np.nonzero(found < together)
    for start in range(0, len(i), _PAIRS):
        part = slice(start, start + _PAIRS)
        found[i[part], j[part]] = own_distances(x[i[part]], centers, j[part])
    return np.asarray(np.sqrt(found, out=found))


def same_partition(a: Array, b: Array, k: int) -> bool:
    """Whether two labellings differ by the clusters' names alone.

    Examples
    --------
    >>> same_partition(np.array([0, 0, 1]), np.array([1, 1, 0]), 2)
    True
    """
    names = np.full(k, -1)
    names[a[::-1]] = b[::-1]  # each cluster of a gets the name of its first point in b
    return bool(np.array_equal(names[a], b))


def _row_sums(x: Any, values: Array) -> Array:
    """The sums of `values`, one for each stored element of a sparse matrix, by row."""
    rows = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
    return np.bincount(rows, values, minlength=x.shape[0]).astype(x.dtype)
