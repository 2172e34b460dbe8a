"""NearestNeighbors: who is near, without labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from dotori.algorithms.neighbors.search import within
from dotori.errors import ArgumentError
from dotori.learn._arguments import number
from dotori.learn._callbacks import with_callbacks
from dotori.learn.neighbors._base import NeighborsEstimator


class NearestNeighbors(NeighborsEstimator):
    """The nearest training rows, or all within a radius.

    Parameters
    ----------
    n_neighbors : int
    radius : float
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}
        All give the same neighbours, exactly; with few features a k-d tree finds them.
    leaf_size : int
        Accepted for compatibility; results do not depend on it.
    metric : str or callable
        "minkowski", "euclidean", "manhattan", "chebyshev", "cosine" and all others of
        scikit-learn; "precomputed" for distances in place of rows.
    p : float
        The power of the Minkowski distance.
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
    >>> search = NearestNeighbors(n_neighbors=2).fit([[0.0], [2.0], [7.0]])
    >>> distances, indices = search.kneighbors([[3.0]])
    >>> distances.tolist(), indices.tolist()
    ([[1.0, 3.0]], [[1, 0]])
    """

    def __init__(
        self,
        *,
        n_neighbors: int = 5,
        radius: float = 1.0,
        algorithm: str = "auto",
        leaf_size: int = 30,
        metric: Any = "minkowski",
        p: float = 2,
        metric_params: dict[str, Any] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.metric = metric
        self.p = p
        self.metric_params = metric_params
        self.n_jobs = n_jobs

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> NearestNeighbors:
        """Remember the rows of X, of shape (n, d)."""
        number(self, "radius", low=0.0, none=True)
        X = self._read_training(X)
        with self._tasks("fit", X, y, most=0):
            self._remember(X)
        return self

    def radius_neighbors(
        self,
        X: Any = None,
        radius: float | None = None,
        return_distance: bool = True,
        sort_results: bool = False,
    ) -> Any:
        """All training rows within a distance of `radius` of each row of X.

        Parameters
        ----------
        X : array of shape (m, d), optional
            Without it, the neighbours of each training row but itself.
        radius : float, optional
            The parameter of the same name otherwise.
        return_distance : bool
        sort_results : bool
            By rising distance; by rising index otherwise.

        Returns
        -------
        distances, indices : object arrays of shape (m,), of one array for each row
        """
        check_is_fitted(self)
        if sort_results and not return_distance:
            raise ArgumentError(
                "radius_neighbors: return_distance must be True if "
                "sort_results is True."
            )
        radius = self.radius if radius is None else radius
        queries = self._fit_X if X is None else self._read(X)
        distances, indices = within(self._finder, self._as_points(queries), radius)
        for i in range(len(indices)):
            if X is None:
                others = indices[i] != i
                distances[i], indices[i] = distances[i][others], indices[i][others]
            if sort_results:
                order = np.argsort(distances[i], kind="stable")
                distances[i], indices[i] = distances[i][order], indices[i][order]
        found = _as_objects(indices)
        return (_as_objects(distances), found) if return_distance else found

    def radius_neighbors_graph(
        self,
        X: Any = None,
        radius: float | None = None,
        mode: str = "connectivity",
        sort_results: bool = False,
    ) -> Any:
        """The neighbours as a sparse matrix of shape (m, training rows)."""
        if mode not in ("connectivity", "distance"):
            raise ArgumentError(
                "radius_neighbors_graph: mode must be 'connectivity' or 'distance', "
                f"got {mode!r}"
            )
        distances, indices = self.radius_neighbors(
            X, radius, sort_results=sort_results and mode == "distance"
        )
        starts = np.concatenate([[0], np.cumsum([len(row) for row in indices])])
        columns = np.concatenate([*indices, np.empty(0, np.int64)])
        values = np.concatenate([*distances, np.empty(0)])
        if mode == "connectivity":
            values = np.ones_like(values)
        shape = (len(indices), self.n_samples_fit_)
        return sparse.csr_matrix((values, columns, starts), shape=shape)


def _as_objects(rows: list[Any]) -> Any:
    found = np.empty(len(rows), object)
    for i, row in enumerate(rows):  # one by one: equal lengths would make a matrix
        found[i] = row
    return found
