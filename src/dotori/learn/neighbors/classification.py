"""KNeighborsClassifier: the neighbours vote."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, MultiOutputMixin
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from dotori.algorithms.neighbors.search import votes, weights_of
from dotori.errors import ArgumentError
from dotori.learn._callbacks import with_callbacks
from dotori.learn.neighbors._base import NeighborsEstimator


def check_weights(estimator: Any) -> None:
    """Refuse a parameter `weights` that is neither a name nor a function."""
    kind = estimator.weights
    if kind not in (None, "uniform", "distance") and not callable(kind):
        raise ArgumentError(
            f"{type(estimator).__name__}: weights must be 'uniform', 'distance', a "
            f"function or None, got {kind!r}"
        )


class KNeighborsClassifier(MultiOutputMixin, ClassifierMixin, NeighborsEstimator):
    """The class that most of the k nearest training rows have.

    Parameters
    ----------
    n_neighbors : int
        k, how many vote.
    weights : {"uniform", "distance"} or callable
        All votes alike, by 1 / distance, or what the function makes of the distances.
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
    classes_ : array, or list of one for each output
    effective_metric_, effective_metric_params_
        The metric under its plainest name.
    n_samples_fit_ : int
    outputs_2d_ : bool
        Whether there are several outputs.

    Examples
    --------
    >>> model = KNeighborsClassifier(n_neighbors=3)
    >>> _ = model.fit([[0.0], [1.0], [2.0], [9.0]], ["a", "a", "b", "b"])
    >>> model.predict([[0.4]]).tolist()
    ['a']
    """

    classes_: Any
    outputs_2d_: bool

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
    def fit(self, X: Any, y: Any) -> KNeighborsClassifier:
        """Remember the rows of X, of shape (n, d), and their classes."""
        check_weights(self)
        X, y = self._read_training(X, y)
        with self._tasks("fit", X, y, most=0):
            self._know(y)
            self._remember(X)
        return self

    def _know(self, y: Any) -> None:
        self.outputs_2d_ = y.ndim == 2 and y.shape[1] > 1
        if y.ndim == 2 and not self.outputs_2d_:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected. Please "
                "change the shape of y to (n_samples,), for example using ravel().",
                DataConversionWarning,
                stacklevel=3,
            )
        check_classification_targets(y)
        columns = y.reshape(len(y), -1)
        found = [np.unique(column, return_inverse=True) for column in columns.T]
        places = np.stack([inverse.ravel() for _, inverse in found], axis=1)
        if self.outputs_2d_:
            self.classes_, self._y = [classes for classes, _ in found], places
        else:
            self.classes_, self._y = found[0][0], places[:, 0]

    def predict_proba(self, X: Any) -> Any:
        """Each class's share of the votes; shape (m, classes), or a list of these."""
        check_is_fitted(self)
        distances, indices = self.kneighbors(X)
        weights = weights_of(distances, self.weights)
        if weights is not None and not weights.any(axis=1).all():
            raise ArgumentError(
                "All neighbors of some sample is getting zero weights. Please modify "
                "'weights' to avoid this case if you are using a user-defined function."
            )
        if not self.outputs_2d_:
            return votes(self._y[indices], weights, len(self.classes_))
        return [
            votes(self._y[indices, j], weights, len(classes))
            for j, classes in enumerate(self.classes_)
        ]

    def predict(self, X: Any) -> Any:
        """The class with most votes, the first of equals; (m,) or (m, outputs)."""
        shares = self.predict_proba(X)
        if not self.outputs_2d_:
            return self.classes_[shares.argmax(axis=1)]
        columns = [
            classes[share.argmax(axis=1)]
            for classes, share in zip(self.classes_, shares, strict=True)
        ]
        return np.stack(columns, axis=1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
