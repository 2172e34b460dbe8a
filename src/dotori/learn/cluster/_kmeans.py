"""`KMeans`: Lloyd's algorithm as an estimator."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.sparsefuncs import mean_variance_axis

from dotori.algorithms.kmeans.bounds import bounded_lloyd, pays
from dotori.algorithms.kmeans.lloyd import (
    Clustering,
    Listener,
    is_sparse,
    lloyd,
    same_partition,
)
from dotori.algorithms.kmeans.search import Points
from dotori.learn._arguments import boolean, choice
from dotori.learn._callbacks import Tasks, with_callbacks
from dotori.learn._random import generator
from dotori.learn.cluster._base import CentersMixin
from dotori.random import Generator

Array = NDArray[Any]
Self = TypeVar("Self", bound="KMeans")


class KMeans(CentersMixin):
    """Groups of points around their means, by Lloyd's algorithm.

    Parameters
    ----------
    n_clusters : int
    init : {"k-means++", "random"}, array of shape (k, d), or callable
        Where the centres start. A callable gets ``(X, n_clusters, random_state=...)``.
    n_init : "auto" or int
        Runs from different starts; the one with the least inertia is kept. "auto" is
        one for k-means++ and given centres, ten otherwise.
    max_iter : int
    tol : float
        A run ends when the squared moves of all centres sum up to at most `tol` times
        the mean variance of the columns, or earlier if no label changes.
    verbose : int
        Print the inertia of each iteration.
    random_state : int, RandomState or None
        Its numbers are dotori's: the same seed starts elsewhere than in scikit-learn.
    copy_x : bool
        Accepted; `X` is never changed, and a table of float64 is not copied either.
    algorithm : {"lloyd", "elkan"}
        Both names run the same code. Small tables are clustered step by step, large
        dense ones with bounds on the distances (Elkan's and Hamerly's), which lead to
        the same labels.

    Attributes
    ----------
    cluster_centers_ : array, shape (n_clusters, d)
    labels_ : int32 array, shape (n,)
    inertia_ : float
        The sum of squared distances of points to their centres.
    n_iter_ : int
    history_ : dict
        "inertia" of each iteration and "centers" of those in "iteration", which are
        all of them unless the centres are many; the last belongs to the result.

    Examples
    --------
    >>> X = np.array([[1.0, 2.0], [1.0, 4.0], [10.0, 2.0], [10.0, 4.0]])
    >>> model = KMeans(n_clusters=2, random_state=0).fit(X)
    >>> model.inertia_
    4.0
    >>> sorted(model.cluster_centers_.tolist())
    [[1.0, 3.0], [10.0, 3.0]]
    >>> bool(model.predict([[0.0, 0.0]])[0] == model.labels_[0])
    True

    References
    ----------
    S. P. Lloyd, *Least squares quantization in PCM*, 1982. D. Arthur and S.
    Vassilvitskii, *k-means++: the advantages of careful seeding*, 2007. C. Elkan,
    *Using the triangle inequality to accelerate k-means*, 2003.
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: Any = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,
        copy_x: bool = True,
        algorithm: str = "lloyd",
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm

    @with_callbacks
    def fit(self: Self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the centres.

        Parameters
        ----------
        X : array or sparse matrix, shape (n, d)
        y : ignored
        sample_weight : array, shape (n,), optional

        Raises
        ------
        ArgumentError, ShapeError
            For parameters that are not possible, or fewer rows than clusters.

        Warns
        -----
        ConvergenceWarning
            If there are fewer different points than clusters.
        """
        X = self._validated(X, reset=True)
        runs = self._check_common(runs=10)
        boolean(self, "copy_x")
        self._check_algorithm()
        self._check_rows(X)
        weights, draws = self._weights(sample_weight, X), generator(self.random_state)
        with self._tasks("iteration", X, y, most=runs * self.max_iter) as tasks:
            best, mean = self._best(X, weights, draws, runs, tasks)
        self._warn_if_few(best.labels)
        best.centers += mean
        for centers in best.history.centers:
            centers += mean
        self.cluster_centers_ = best.centers
        self._n_features_out = len(best.centers)
        self.labels_ = best.labels
        self.inertia_ = best.inertia
        self.n_iter_ = best.n_iter
        self.history_ = best.history.as_dict()
        return self

    def _check_algorithm(self) -> None:
        choice(self, "algorithm", ("lloyd", "elkan"))
        if self.algorithm == "elkan" and self.n_clusters == 1:
            warnings.warn(
                "KMeans: algorithm='elkan' makes no sense with a single cluster; "
                "'lloyd' is used",
                RuntimeWarning,
                stacklevel=3,
            )

    def _best(
        self,
        X: Any,
        weights: Array | None,
        draws: Generator,
        runs: int,
        tasks: Tasks,
    ) -> tuple[Clustering, Array]:
        """The best of several runs, about the mean that comes with it."""
        given = self._given_start(X)
        rows, mean, tol = self._centred(X)
        best: Clustering | None = None
        for _ in range(runs):
            start = self._begin(rows, mean, given, draws, weights)
            listener = self._listener(tasks, mean)
            run: Any = bounded_lloyd if isinstance(rows, Points) else lloyd
            found = run(rows, start, weights, self.max_iter, tol, listener)
            if best is None or (
                found.inertia < best.inertia
                and not same_partition(found.labels, best.labels, self.n_clusters)
            ):
                best = found
        assert best is not None
        return best, mean

    def _centred(self, X: Any) -> tuple[Any, Array, float]:
        """The rows about their mean in the form that suits them, and `tol` for them."""
        if is_sparse(X):
            variance = mean_variance_axis(X, axis=0)[1] if self.tol else 0.0
            tol = float(np.mean(variance)) * self.tol
            return X, np.zeros(X.shape[1], X.dtype), tol
        if pays(X.shape, self.n_clusters):
            points = Points(X)
            return points, points.mean, points.variance * self.tol
        mean = X.mean(axis=0)
        variance = np.var(X, axis=0) if self.tol else 0.0
        return X - mean, mean, float(np.mean(variance) * self.tol)

    def _begin(
        self,
        rows: Any,
        mean: Array,
        given: Array | None,
        draws: Generator,
        weights: Array | None,
    ) -> Array:
        if given is not None:
            return given - mean
        if isinstance(rows, Points):
            table = rows.rows(slice(None)) if callable(self.init) else rows.x
            start = self._start(table, draws, weights)
            return start if callable(self.init) else start - mean
        return self._start(rows, draws, weights)

    def _listener(self, tasks: Tasks, mean: Array) -> Listener | None:
        if not (self.verbose or tasks.listened):
            return None

        def listener(iteration: int, centers: Array, inertia: float) -> bool:
            if self.verbose:
                print(f"KMeans: iteration {iteration}, inertia {inertia:g}")  # noqa: T201
            tasks.begin()
            return tasks.end(
                lambda: {
                    "cluster_centers_": centers + mean,
                    "_n_features_out": len(centers),
                }
            )

        return listener

    def _warn_if_few(self, labels: Array) -> None:
        found = int(np.count_nonzero(np.bincount(labels)))
        if found < self.n_clusters:
            warnings.warn(
                f"KMeans: {found} distinct clusters were found, fewer than "
                f"n_clusters={self.n_clusters}; there may be duplicate points in X",
                ConvergenceWarning,
                stacklevel=3,
            )
