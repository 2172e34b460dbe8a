"""`MiniBatchKMeans`: k-means on small batches as an estimator."""

from __future__ import annotations

import math
import warnings
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.sparsefuncs import mean_variance_axis

from dotori.algorithms.kmeans.lloyd import History, is_sparse, nearest, own_distances
from dotori.algorithms.kmeans.minibatch import (
    Progress,
    Urn,
    minibatch_step,
    restart_rare,
)
from dotori.learn._arguments import boolean, number
from dotori.learn._callbacks import Tasks, with_callbacks
from dotori.learn._random import generator
from dotori.learn.cluster._base import CentersMixin

Array = NDArray[Any]
Self = TypeVar("Self", bound="MiniBatchKMeans")


class MiniBatchKMeans(CentersMixin):
    """k-means that sees a small random batch at a time: for tables that are large.

    Parameters
    ----------
    n_clusters : int
    init : {"k-means++", "random"}, array of shape (k, d), or callable
        Where the centres start. A callable gets ``(X, n_clusters, random_state=...)``.
    max_iter : int
        The most times that as many rows as `X` has are drawn.
    batch_size : int
    verbose : int
        Print the inertia of each batch.
    compute_labels : bool
        Work out `labels_` and the inertia of all of `X` at the end.
    random_state : int, RandomState or None
        Its numbers are dotori's: the same seed starts elsewhere than in scikit-learn.
    tol : float
        End when the squared moves of the centres in one batch sum up to at most `tol`
        times the mean variance of the columns; 0 for never.
    max_no_improvement : int or None
        End after so many batches without a new least running mean of the inertia.
    init_size : int or None
        Rows that the start is chosen from: three batches unless given.
    n_init : "auto" or int
        Starts that are tried; the one with the least inertia is trained. "auto" is one
        for k-means++ and given centres, three otherwise.
    reassignment_ratio : float
        Centres that have seen less than that part of what the fullest has seen start
        again, from random points.

    Attributes
    ----------
    cluster_centers_ : array, shape (n_clusters, d)
    labels_ : int32 array, shape (n,)
    inertia_ : float
    n_iter_ : int
        How many times as many rows as `X` has were drawn.
    n_steps_ : int
        How many batches there were.
    history_ : dict
        "inertia" of each batch and "centers" of those in "iteration".

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 2)) + 20 * rng.integers(0, 2, (300, 1))
    >>> model = MiniBatchKMeans(n_clusters=2, batch_size=50, random_state=0).fit(X)
    >>> [round(float(c)) for c in sorted(model.cluster_centers_[:, 0])]
    [0, 20]

    References
    ----------
    D. Sculley, *Web-scale k-means clustering*, WWW 2010.
    """

    inertia_: float
    history_: dict[str, list[Any]]

    #: The stream of `partial_fit`; a loaded estimator begins a new one.
    _unstored: ClassVar[tuple[str, ...]] = ("_draws",)

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        max_iter: int = 100,
        batch_size: int = 1024,
        verbose: int = 0,
        compute_labels: bool = True,
        random_state: Any = None,
        tol: float = 0.0,
        max_no_improvement: int | None = 10,
        init_size: int | None = None,
        n_init: Any = "auto",
        reassignment_ratio: float = 0.01,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.verbose = verbose
        self.compute_labels = compute_labels
        self.random_state = random_state
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.init_size = init_size
        self.n_init = n_init
        self.reassignment_ratio = reassignment_ratio

    @with_callbacks
    def fit(self: Self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the centres on random batches of `X`.

        Parameters
        ----------
        X : array or sparse matrix, shape (n, d)
        y : ignored
        sample_weight : array, shape (n,), optional
            Rows are drawn with probabilities as their weights.
        """
        X = self._validated(X, reset=True)
        runs = self._check()
        self._check_rows(X)
        weights = self._weights(sample_weight, X)
        urn, self._draws = Urn(X, weights), generator(self.random_state)
        self._begin(X, weights, urn, runs)
        n = urn.n
        size = min(self.batch_size, n)
        tol = self.tol * float(np.mean(_variances(X))) if self.tol else 0.0
        progress = Progress(size, n, tol, self.max_no_improvement)
        steps, history = (self.max_iter * n) // size, History()
        with self._tasks("batch", X, y, most=steps) as tasks:
            for _ in range(steps):
                places = urn.draw(size, self._draws)
                before = self.cluster_centers_
                inertia = self._step(X[places], None, size)
                history.add(before, inertia)
                moves = float(np.sum((self.cluster_centers_ - before) ** 2))
                if progress.settled(inertia, moves) or self._told(tasks, inertia):
                    break
        self.n_steps_ = progress.steps
        self.n_iter_ = math.ceil(progress.steps * size / n)
        self._finish(X, weights, progress)
        history.finish(self.cluster_centers_, self.inertia_)
        self.history_ = history.as_dict()
        return self

    @with_callbacks
    def partial_fit(
        self: Self, X: Any, y: Any = None, sample_weight: Any = None
    ) -> Self:
        """Train on one batch more.

        Parameters
        ----------
        X : array or sparse matrix, shape (n, d)
            The first batch needs at least `n_clusters` rows, as it gives the start.
        y : ignored
        sample_weight : array, shape (n,), optional
        """
        begun = hasattr(self, "cluster_centers_")
        X = self._validated(X, reset=not begun)
        weights = self._weights(sample_weight, X)
        if not hasattr(self, "_draws"):
            self._draws = generator(self.random_state)
        if not begun:
            self._check()
            self._check_rows(X)
            self._begin(X, weights, Urn(X, weights), 1)
            self.n_steps_ = 0
            self.history_ = {"inertia": []}
        found = self._step(X, weights, min(self.batch_size, X.shape[0]))
        self.history_["inertia"].append(found)
        self.n_steps_ += 1
        if self.compute_labels:
            self.labels_, self.inertia_ = self._inertia(X, weights)
        return self

    def _check(self) -> int:
        runs = self._check_common(runs=3)
        number(self, "batch_size", 1, integer=True)
        boolean(self, "compute_labels")
        number(self, "max_no_improvement", 0, integer=True, none=True)
        number(self, "init_size", 1, integer=True, none=True)
        number(self, "reassignment_ratio", 0)
        return runs

    def _begin(self, X: Any, weights: Array | None, urn: Urn, runs: int) -> None:
        """Choose the start, on some rows, and forget what was learnt."""
        size, draws, given = self._start_size(urn.n), self._draws, self._given_start(X)
        self._mass = np.zeros(self.n_clusters, X.dtype)
        self._since_restart = 0
        if given is not None:
            self.cluster_centers_ = given
            self._n_features_out = len(given)
            return
        held, best = X[urn.draw(size, draws)], math.inf
        for _ in range(runs):
            if size < urn.n:
                start = self._start(X[urn.draw(size, draws)], draws, None)
            else:
                start = self._start(X, draws, weights)
            inertia = float(own_distances(held, start, nearest(held, start)[0]).sum())
            if inertia < best:
                best, self.cluster_centers_ = inertia, start
        self._n_features_out = len(self.cluster_centers_)

    def _start_size(self, n: int) -> int:
        size = self.init_size
        if size is None:
            size = 3 * min(self.batch_size, n)
            if size < self.n_clusters:
                size = 3 * self.n_clusters
        elif size < self.n_clusters:
            warnings.warn(
                f"MiniBatchKMeans: init_size={size} should be at least n_clusters="
                f"{self.n_clusters}; three times n_clusters is taken",
                RuntimeWarning,
                stacklevel=4,
            )
            size = 3 * self.n_clusters
        return int(min(size, n))

    def _step(self, X: Any, weights: Array | None, size: int) -> float:
        """Train on one batch; its inertia before."""
        self._since_restart += size
        restart = bool((self._mass == 0).any())
        if restart or self._since_restart >= 10 * self.n_clusters:
            self._since_restart, restart = 0, True
        centers, self._mass, inertia = minibatch_step(
            X, self.cluster_centers_, self._mass, weights
        )
        if restart and self.reassignment_ratio > 0:
            restart_rare(X, centers, self._mass, self.reassignment_ratio, self._draws)
        self.cluster_centers_ = centers
        return inertia

    def _told(self, tasks: Tasks, inertia: float) -> bool:
        if self.verbose:
            print(f"MiniBatchKMeans: batch inertia {inertia:g}")  # noqa: T201
        tasks.begin()
        return tasks.end(
            lambda: {
                "cluster_centers_": self.cluster_centers_,
                "_n_features_out": len(self.cluster_centers_),
            }
        )

    def _finish(self, X: Any, weights: Array | None, progress: Progress) -> None:
        if self.compute_labels:
            self.labels_, self.inertia_ = self._inertia(X, weights)
        else:
            total = X.shape[0] if weights is None else float(weights.sum())
            self.inertia_ = (progress.mean or 0.0) * total


def _variances(X: Any) -> Array:
    return np.asarray(
        mean_variance_axis(X, axis=0)[1] if is_sparse(X) else np.var(X, 0)
    )
