"""What the two forms of k-means share: parameters, the start, and predicting."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils import check_array
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from dotori.algorithms.kmeans.lloyd import distances, is_sparse, nearest, own_distances
from dotori.algorithms.kmeans.start import kmeans_plusplus, random_rows
from dotori.errors import ArgumentError, ShapeError
from dotori.learn._arguments import choice, number
from dotori.learn._base import Estimator
from dotori.random import Generator

Array = NDArray[Any]
Self = TypeVar("Self", bound="CentersMixin")

STARTS = ("k-means++", "random")


class CentersMixin(
    ClusterMixin,
    TransformerMixin,
    ClassNamePrefixFeaturesOutMixin,
    Estimator,
):
    """Centres that points are assigned to."""

    cluster_centers_: Array

    def _check_common(self, runs: int) -> int:
        """Check the parameters that both have; how many starts there will be.

        `runs` is what "auto" stands for with random starts.
        """
        number(self, "n_clusters", 1, integer=True)
        number(self, "max_iter", 1, integer=True)
        number(self, "tol", 0)
        number(self, "verbose", 0) if not isinstance(self.verbose, bool) else None
        given = not isinstance(self.init, str) and not callable(self.init)
        if isinstance(self.init, str):
            choice(self, "init", STARTS)
        if isinstance(self.n_init, str):
            choice(self, "n_init", ("auto",))
            return 1 if given or self.init == "k-means++" else runs
        found = int(number(self, "n_init", 1, integer=True))
        if given and found != 1:
            warnings.warn(
                f"{type(self).__name__}: initial centers are given, so there is one "
                f"run and not n_init={found}",
                RuntimeWarning,
                stacklevel=3,
            )
            return 1
        return found

    def _check_rows(self, X: Any) -> None:
        if X.shape[0] < self.n_clusters:
            raise ArgumentError(
                f"{type(self).__name__}: n_samples={X.shape[0]} should be >= "
                f"n_clusters={self.n_clusters}; ask for fewer clusters"
            )

    def _validated(self, X: Any, reset: bool) -> Any:
        return validate_data(
            self,
            X,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            order="C",
            accept_large_sparse=False,
            reset=reset,
        )

    def _weights(self, sample_weight: Any, X: Any) -> Array | None:
        if sample_weight is None:
            return None
        found: Array = _check_sample_weight(sample_weight, X, dtype=X.dtype)
        return found

    def _given_start(self, X: Any) -> Array | None:
        """The parameter `init`, if it is centres."""
        if isinstance(self.init, str) or callable(self.init):
            return None
        centers = check_array(self.init, dtype=X.dtype, copy=True, order="C")
        return self._checked_centers(centers, X)

    def _checked_centers(self, centers: Array, X: Any) -> Array:
        wanted = (self.n_clusters, X.shape[1])
        if centers.shape != wanted:
            raise ShapeError(
                f"{type(self).__name__}: the shape of the initial centers "
                f"{centers.shape} does not match (n_clusters, n_features) = {wanted}"
            )
        return centers

    def _start(self, x: Any, generator: Generator, weights: Array | None) -> Array:
        """Centres to begin with: chosen rows of `x`, or what the function `init` says.

        A function gets what it would get from scikit-learn, NumPy's `RandomState`.
        """
        k = self.n_clusters
        if callable(self.init):
            seed = int(generator.integers(0, 2**31))
            made = self.init(x, k, random_state=np.random.RandomState(seed))
            made = check_array(made, dtype=x.dtype, copy=False, order="C")
            return self._checked_centers(made, x)
        if self.init == "random":
            rows = x[random_rows(x.shape[0], k, generator, weights)]
        else:
            rows = x[kmeans_plusplus(x, k, generator, weights)]
        return np.asarray(rows.toarray() if is_sparse(x) else rows)

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Array:
        """`fit`, and the labels that it found."""
        found: Array = self.fit(X, sample_weight=sample_weight).labels_
        return found

    def predict(self, X: Any) -> Array:
        """The nearest centre of each row; of several, the lowest.

        Parameters
        ----------
        X : array or sparse matrix, shape (n, d)

        Returns
        -------
        int32 array, shape (n,)
        """
        check_is_fitted(self)
        return nearest(self._validated(X, reset=False), self.cluster_centers_)[0]

    def transform(self, X: Any) -> Array:
        """The distance of each row to each centre, shape (n, n_clusters)."""
        check_is_fitted(self)
        return distances(self._validated(X, reset=False), self.cluster_centers_)

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Array:
        """`fit`, and the distances to the centres."""
        fitted: CentersMixin = self.fit(X, sample_weight=sample_weight)
        return fitted.transform(X)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The inertia of `X` with its sign turned: the greater, the better."""
        check_is_fitted(self)
        X = self._validated(X, reset=False)
        return -self._inertia(X, self._weights(sample_weight, X))[1]

    def _inertia(self, X: Any, weights: Array | None) -> tuple[Array, float]:
        """Labels of rows, and sum w |x - c|^2."""
        labels, _ = nearest(X, self.cluster_centers_)
        apart = own_distances(X, self.cluster_centers_, labels)
        return labels, float(np.sum(apart if weights is None else weights * apart))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
