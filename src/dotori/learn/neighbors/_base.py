"""What the estimators with neighbours share: which distance, and who is near."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.metrics import DistanceMetric, pairwise_distances
from sklearn.neighbors import VALID_METRICS, VALID_METRICS_SPARSE
from sklearn.utils.validation import check_is_fitted, validate_data

from dotori.algorithms.neighbors.distances import (
    AnyDistance,
    Cosine,
    Euclidean,
    Finder,
    Given,
    Minkowski,
    SparseEuclidean,
)
from dotori.algorithms.neighbors.kd_tree import KDTree
from dotori.algorithms.neighbors.search import k_nearest
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.learn._arguments import choice, number
from dotori.learn._base import Estimator

_SAME = {
    "l1": "manhattan",
    "cityblock": "manhattan",
    "l2": "euclidean",
    "infinity": "chebyshev",
    "p": "minkowski",
}
_NO_TARGET = object()
#: Up to this many features scikit-learn's "auto" takes a tree.
_TREE_FEATURES = 15


class NeighborsEstimator(Estimator):
    """Knows the training rows and finds the nearest of them."""

    _unstored: ClassVar[tuple[str, ...]] = ("_finder", "_tree")
    #: Only `NearestNeighbors` has the parameter.
    radius: Any = None
    n_neighbors: Any
    algorithm: Any
    leaf_size: Any
    metric: Any
    p: Any
    metric_params: Any
    n_jobs: Any
    effective_metric_: Any
    effective_metric_params_: Any
    _finder: Finder
    _tree: KDTree | None

    def _remember(self, X: Any) -> None:
        """Keep the training rows, of shape (n, d), and make ready to search in them."""
        self._check_parameters()
        self._choose_metric()
        if self.metric == "precomputed":
            if X.shape[0] != X.shape[1]:
                raise ShapeError(
                    "Precomputed matrix must be square: distances of all pairs of "
                    f"training rows were wanted, got {X.shape}"
                )
        self._check_sparse(X)
        self._fit_method = self._method(X)
        self._fit_X = X.copy() if sparse.issparse(X) else X
        self.n_samples_fit_ = X.shape[0]
        self._restore()

    def _read(self, X: Any) -> Any:
        """Rows to be looked up, checked."""
        nan = "allow-nan" if self.metric == "nan_euclidean" else True
        return validate_data(
            self, X, accept_sparse="csr", reset=False, order="C", ensure_all_finite=nan
        )

    def _read_training(self, X: Any, y: Any = _NO_TARGET) -> Any:
        settings: dict[str, Any] = {
            "accept_sparse": "csr",
            "order": "C",
            "ensure_all_finite": (
                "allow-nan" if self.metric == "nan_euclidean" else True
            ),
        }
        if y is _NO_TARGET:
            return validate_data(self, X, **settings)
        return validate_data(self, X, y, multi_output=True, **settings)

    def _check_parameters(self) -> None:
        kind = type(self).__name__
        number(self, "n_neighbors", low=1, integer=True, none=True)
        number(self, "leaf_size", low=1, integer=True)
        number(self, "p", low=0, open_low=True, none=True)
        number(self, "n_jobs", integer=True, none=True)
        method = choice(self, "algorithm", ("auto", "ball_tree", "kd_tree", "brute"))
        metric = self.metric
        if callable(metric) or isinstance(metric, DistanceMetric):
            if method == "kd_tree":
                raise ArgumentError(
                    f"{kind}: kd_tree does not support callable metric {metric!r}; "
                    "take algorithm='auto'"
                )
            return
        known = (
            set().union(*VALID_METRICS.values())
            if method == "auto"
            else set(VALID_METRICS[method])
        )
        if metric not in known:
            raise ArgumentError(
                f"{kind}: metric must be a function or one of {sorted(known)} with "
                f"algorithm={method!r}, got {metric!r}"
            )

    def _choose_metric(self) -> None:
        """The metric under its plainest name, and what it needs to know."""
        params = dict(self.metric_params or {})
        if "p" in params and self.p is not None:
            warnings.warn(
                "Parameter p is found in metric_params. The corresponding parameter "
                "from __init__ is ignored.",
                SyntaxWarning,
                stacklevel=4,
            )
        metric = self.metric
        if isinstance(metric, str) and metric in ("minkowski", "p"):
            metric = "minkowski"
            p, w = params.pop("p", self.p), params.pop("w", None)
            p = 2 if p is None else p
            plain = {1: "manhattan", 2: "euclidean", np.inf: "chebyshev"}
            if w is None and p in plain:
                metric = plain[p]
            else:
                params |= {"p": p, "w": w}
        self.effective_metric_, self.effective_metric_params_ = metric, params

    def _check_sparse(self, X: Any) -> None:
        metric = self.effective_metric_
        if not sparse.issparse(X):
            return
        if self.algorithm not in ("auto", "brute"):
            warnings.warn(
                "cannot use tree with sparse input: using brute force", stacklevel=4
            )
        if isinstance(metric, str) and metric not in VALID_METRICS_SPARSE["brute"]:
            raise ArgumentError(
                f"{type(self).__name__}: metric {metric!r} is not valid for sparse "
                f"input, these are: {sorted(VALID_METRICS_SPARSE['brute'])}"
            )

    def _method(self, X: Any) -> str:
        """What scikit-learn calls the way to search: the one that "auto" stands for."""
        metric, params = self.effective_metric_, self.effective_metric_params_
        method = self.algorithm
        if sparse.issparse(X):
            return "brute"
        if method == "auto":
            few = self.n_neighbors is not None and self.n_neighbors < X.shape[0] // 2
            if metric == "precomputed" or X.shape[1] > _TREE_FEATURES:
                method = "brute"
            elif not (few or self.n_neighbors is None):
                method = "brute"
            elif metric == "minkowski" and params["p"] < 1:
                method = "brute"
            elif metric == "minkowski" and params["w"] is not None:
                method = "ball_tree"
            elif isinstance(metric, str) and metric in VALID_METRICS["kd_tree"]:
                method = "kd_tree"
            elif not isinstance(metric, str) or metric in VALID_METRICS["ball_tree"]:
                method = "ball_tree"
            else:
                method = "brute"
        if metric == "minkowski":
            self._check_minkowski(str(method), params)
        return str(method)

    def _check_minkowski(self, method: str, params: dict[str, Any]) -> None:
        if params["p"] < 1 and method != "brute":
            raise ArgumentError(
                f'algorithm="{method}" does not support 0 < p < 1 for the Minkowski '
                'metric. Set p >= 1 or algorithm="brute".'
            )
        if params["p"] < 1:
            warnings.warn(
                "Mind that for 0 < p < 1, Minkowski metrics are not distance metrics. "
                "Continuing the execution with `algorithm='brute'`.",
                stacklevel=5,
            )
        if method == "kd_tree" and params["w"] is not None:
            raise ArgumentError(
                "algorithm='kd_tree' is not valid for metric='minkowski' with a weight "
                "parameter 'w': try algorithm='ball_tree' or algorithm='brute' instead."
            )

    def _restore(self) -> None:
        self._finder, self._tree = self._make_finder(), None
        p = {"manhattan": 1, "euclidean": 2, "chebyshev": np.inf}.get(self._plain())
        if p is not None and self._fit_method != "brute":
            if KDTree.serves(self._fit_X):
                self._tree = KDTree(self._fit_X, p)

    def __getstate__(self) -> Any:
        state = dict(super().__getstate__())
        for name in self._unstored:
            state.pop(name, None)
        return state

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        if hasattr(self, "n_samples_fit_"):
            self._restore()

    def _plain(self) -> str:
        """The metric's plainest name; "" for functions."""
        metric = self.effective_metric_
        return _SAME.get(metric, metric) if isinstance(metric, str) else ""

    def _make_finder(self) -> Finder:
        X, metric = self._fit_X, self.effective_metric_
        params = self.effective_metric_params_
        name = self._plain()
        if name == "precomputed":
            return Given(self.n_samples_fit_)
        if name == "euclidean" and not params:
            return SparseEuclidean(X) if sparse.issparse(X) else Euclidean(X)
        if not sparse.issparse(X) and not (params and name != "minkowski"):
            if name == "cosine":
                return Cosine(X)
            if name in ("manhattan", "chebyshev"):
                return Minkowski(X, 1 if name == "manhattan" else np.inf)
            if name == "minkowski":
                w = params.get("w")
                weights = None if w is None else np.asarray(w, float)
                return Minkowski(X, params["p"], weights)
        if isinstance(metric, DistanceMetric):
            return AnyDistance(X, metric.pairwise)

        def between(queries: Any, points: Any) -> Any:
            return pairwise_distances(queries, points, metric=metric, **params)

        return AnyDistance(X, between)

    def kneighbors(
        self, X: Any = None, n_neighbors: Any = None, return_distance: bool = True
    ) -> Any:
        """The nearest training rows of each row of X.

        Parameters
        ----------
        X : array or sparse matrix of shape (m, d), optional
            Without it, the neighbours of each training row but itself.
        n_neighbors : int, optional
            How many; the parameter of the same name otherwise.
        return_distance : bool

        Returns
        -------
        distances : array of shape (m, n_neighbors)
            Only if asked for.
        indices : int array of shape (m, n_neighbors)
            By rising distance; of equally near rows the first come first.
        """
        check_is_fitted(self)
        k = self._count(n_neighbors)
        if X is None:
            queries, wanted = self._fit_X, k + 1
        else:
            queries, wanted = self._read(X), k
        if wanted > self.n_samples_fit_:
            sign = "<" if X is None else "<="
            raise ArgumentError(
                f"Expected n_neighbors {sign} n_samples_fit, but n_neighbors = {k}, "
                f"n_samples_fit = {self.n_samples_fit_}, n_samples = {queries.shape[0]}"
            )
        distances, indices = self._search(self._as_points(queries), wanted)
        if X is None:
            keep = _others(indices)
            indices = indices[keep].reshape(-1, k)
            distances = distances[keep].reshape(-1, k)
        return (distances, indices) if return_distance else indices

    def _search(self, queries: Any, k: int) -> Any:
        """By the tree where there is one and it pays; both ways give the same bits."""
        if self._tree is not None and self._tree.pays(queries, k):
            return self._tree.k_nearest(queries, k)
        return k_nearest(self._finder, queries, k)

    def _as_points(self, queries: Any) -> Any:
        """Dense where the training rows are, and sparse where they are."""
        if sparse.issparse(self._fit_X) and not sparse.issparse(queries):
            return sparse.csr_array(queries)
        if sparse.issparse(queries) and not sparse.issparse(self._fit_X):
            if self._fit_method != "brute":
                raise ArgumentError(
                    f"{self._fit_method} does not work with sparse matrices. Densify "
                    "the data, or set algorithm='brute'"
                )
            return queries.toarray()
        return queries

    def _count(self, n_neighbors: Any) -> int:
        if n_neighbors is None:
            return int(self.n_neighbors)
        if not isinstance(n_neighbors, Integral):
            raise DTypeError(
                f"n_neighbors does not take {type(n_neighbors)} value, enter integer "
                "value"
            )
        if n_neighbors <= 0:
            raise ArgumentError(f"Expected n_neighbors > 0. Got {n_neighbors}")
        return int(n_neighbors)

    def kneighbors_graph(
        self, X: Any = None, n_neighbors: Any = None, mode: str = "connectivity"
    ) -> Any:
        """The neighbours as a sparse matrix of shape (m, training rows).

        Parameters
        ----------
        X, n_neighbors
            As in `kneighbors`.
        mode : {"connectivity", "distance"}
            Whether entries are ones or distances.
        """
        check_is_fitted(self)
        if mode not in ("connectivity", "distance"):
            raise ArgumentError(
                "kneighbors_graph: mode must be 'connectivity' or 'distance', "
                f"got {mode!r}"
            )
        distances, indices = self.kneighbors(X, n_neighbors)
        values = np.ones(indices.size) if mode == "connectivity" else distances.ravel()
        starts = np.arange(0, indices.size + 1, indices.shape[1])
        shape = (len(indices), self.n_samples_fit_)
        return sparse.csr_matrix((values, indices.ravel(), starts), shape=shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.pairwise = self.metric == "precomputed"
        tags.input_tags.positive_only = tags.input_tags.pairwise
        tags.input_tags.allow_nan = self.metric == "nan_euclidean"
        return tags


def _others(indices: Any) -> Any:
    """Which neighbours are not the row itself, one less in each row.

    Of more copies of a row than there is place for, the first is left out instead.
    """
    keep = indices != np.arange(len(indices))[:, None]
    keep[keep.all(axis=1), 0] = False
    return keep
