"""KNeighborsRegressor: the mean of the neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from dotori.algorithms.neighbors.search import weights_of
from dotori.learn._callbacks import with_callbacks
from dotori.learn.neighbors._base import NeighborsEstimator
from dotori.learn.neighbors.classification import check_weights


class KNeighborsRegressor(MultiOutputMixin, RegressorMixin, NeighborsEstimator):
    """The mean of the targets of the k nearest training rows.

    Parameters
    ----------
    n_neighbors : int
        k, over how many the mean is taken.
    weights : {"uniform", "distance"} or callable
        All alike, by 1 / distance, or what the function makes of the distances.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}
        All give the same neighbours, exactly; with few features a k-d tree finds them.
    leaf_size : int
        Accepted for compatibility; results do not depend on it.
    p : float
        The power of the Minkowski distance.
    metric : str or callable
        "minkowski", "euclidean", "manhattan", "chebyshev", "cosine" and all others of
        scikit-learn; "precomputed" for distances in place of rows.
    metric_params : dict, optional
    n_jobs : int, optional
        Accepted for compatibility: dotori's own threads do the work.

    Attributes
    ----------
    effective_metric_, effective_metric_params_
        The metric under its plainest name.
    n_samples_fit_ : int

    Examples
    --------
    >>> model = KNeighborsRegressor(n_neighbors=2)
    >>> _ = model.fit([[0.0], [1.0], [9.0]], [10.0, 20.0, 90.0])
    >>> model.predict([[0.4]]).tolist()
    [15.0]
    """

    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        weights: Any = "uniform",
        algorithm: str = "auto",
        leaf_size: int = 30,
        p: float = 2,
        metric: Any = "minkowski",
        metric_params: dict[str, Any] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.weights = weights
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.p = p
        self.metric = metric
        self.metric_params = metric_params
        self.n_jobs = n_jobs

    @with_callbacks
    def fit(self, X: Any, y: Any) -> KNeighborsRegressor:
        """Remember the rows of X, of shape (n, d), and their targets."""
        check_weights(self)
        X, y = self._read_training(X, y)
        with self._tasks("fit", X, y, most=0):
            self._y = y
            self._remember(X)
        return self

    def predict(self, X: Any) -> Any:
        """The weighted mean of the neighbours; shape (m,) or (m, outputs)."""
        check_is_fitted(self)
        distances, indices = self.kneighbors(X)
        weights = weights_of(distances, self.weights)
        values = self._y[indices]
        if weights is None:
            return values.mean(axis=1)
        if values.ndim == 3:
            weights = weights[:, :, None]
        return np.sum(values * weights, axis=1, dtype=np.float64) / weights.sum(axis=1)
