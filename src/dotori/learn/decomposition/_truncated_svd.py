"""`TruncatedSVD`: the largest singular values as an estimator."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.sparsefuncs import mean_variance_axis
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from dotori.algorithms.kmeans.lloyd import is_sparse
from dotori.algorithms.pca import flipped
from dotori.algorithms.randomized_svd import randomized_svd
from dotori.errors import ArgumentError
from dotori.learn._arguments import choice, number
from dotori.learn._base import Estimator
from dotori.learn._callbacks import with_callbacks
from dotori.learn._random import generator
from dotori.learn.decomposition._pca import NORMALIZERS, normalizes
from dotori.learn.decomposition._solvers import arpack

Array = NDArray[Any]
Self = TypeVar("Self", bound="TruncatedSVD")


class TruncatedSVD(TransformerMixin, ClassNamePrefixFeaturesOutMixin, Estimator):
    """Rows along the largest singular directions of a table, its mean included.

    As nothing is subtracted, a sparse table stays sparse. Of a table of word counts it
    is latent semantic analysis.

    Parameters
    ----------
    n_components : int
    algorithm : {"randomized", "arpack"}
        Random projection, or Lanczos' method.
    n_iter : int
        Powers of "randomized".
    n_oversamples : int
        Extra directions of "randomized".
    power_iteration_normalizer : {"auto", "QR", "LU", "none"}
        Whether columns are made orthonormal between the powers: "none" does not,
        "auto" from three powers on. "LU" is "QR" here.
    random_state : int, RandomState or None
    tol : float
        Of "arpack"; 0 for all digits.

    Attributes
    ----------
    components_ : array, shape (n_components, d)
        By falling singular value; the largest entry of each is positive.
    explained_variance_, explained_variance_ratio_ : array, shape (n_components,)
        The variance of the rows along each component, and its part of all variance.
    singular_values_ : array, shape (n_components,)

    Examples
    --------
    >>> X = np.array([[2.0, 0.0, 1.0], [4.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
    >>> svd = TruncatedSVD(n_components=2, random_state=0).fit(X)
    >>> np.round(svd.singular_values_, 3).tolist()
    [5.0, 3.0]
    >>> np.round(svd.transform(X), 3).tolist()[2]
    [0.0, 3.0]

    References
    ----------
    N. Halko et al., *Finding structure with randomness*, SIAM Review 53, 2011.
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        algorithm: str = "randomized",
        n_iter: int = 5,
        n_oversamples: int = 10,
        power_iteration_normalizer: str = "auto",
        random_state: Any = None,
        tol: float = 0.0,
    ) -> None:
        self.n_components = n_components
        self.algorithm = algorithm
        self.n_iter = n_iter
        self.n_oversamples = n_oversamples
        self.power_iteration_normalizer = power_iteration_normalizer
        self.random_state = random_state
        self.tol = tol

    @with_callbacks
    def fit(self: Self, X: Any, y: Any = None) -> Self:
        """Find the components of a dense or sparse table of two columns or more."""
        self._learn(X)
        return self

    @with_callbacks
    def fit_transform(self, X: Any, y: Any = None) -> Array:
        """`fit`, and the rows along the components: shape (n, n_components)."""
        return self._learn(X)

    def _learn(self, X: Any) -> Array:
        self._check()
        X = self._validated(X, reset=True, ensure_min_features=2)
        u, singular, vt = self._solved(X)
        flipped(vt, u)
        self.components_, self.singular_values_ = vt, singular
        exact = self.algorithm == "arpack" and self.tol == 0
        found = u * singular if exact else np.asarray(X @ vt.T)
        self.explained_variance_ = np.var(found, axis=0)
        sparse = is_sparse(X)
        each = mean_variance_axis(X, axis=0)[1] if sparse else np.var(X, axis=0)
        total = each.sum()
        self.explained_variance_ratio_ = self.explained_variance_ / (total or 1)
        return found

    def _check(self) -> None:
        number(self, "n_components", 1, integer=True)
        choice(self, "algorithm", ("randomized", "arpack"))
        number(self, "n_iter", 0, integer=True)
        number(self, "n_oversamples", 1, integer=True)
        choice(self, "power_iteration_normalizer", NORMALIZERS)
        number(self, "tol", 0)

    def _solved(self, X: Any) -> tuple[Array, Array, Array]:
        draws, k = generator(self.random_state), int(self.n_components)
        if self.algorithm == "arpack":
            if k >= min(X.shape):
                raise ArgumentError(
                    f"TruncatedSVD: n_components={k} must be less than "
                    f"min(n_samples, n_features)={min(X.shape)} with 'arpack'"
                )
            return arpack(
                X.astype(np.result_type(X, 0.0), copy=False), k, self.tol, draws
            )
        if k > X.shape[1]:
            raise ArgumentError(
                f"TruncatedSVD: n_components({k}) must be <= n_features({X.shape[1]})"
            )
        normalize = normalizes(self.power_iteration_normalizer, self.n_iter)
        u, singular, vt = randomized_svd(
            X, k, draws, self.n_iter, self.n_oversamples, normalize
        )
        return u.copy(), singular, vt.copy()

    def _validated(self, X: Any, reset: bool, **more: Any) -> Any:
        return validate_data(
            self,
            X,
            accept_sparse=["csr", "csc"],
            dtype=[np.float64, np.float32],
            reset=reset,
            **more,
        )

    def transform(self, X: Any) -> Array:
        """The rows along the components: shape (n, n_components)."""
        check_is_fitted(self)
        return np.asarray(self._validated(X, reset=False) @ self.components_.T)

    def inverse_transform(self, X: Any) -> Array:
        """The rows that have these scores along the components: shape (n, d)."""
        check_is_fitted(self)
        X = check_array(X, dtype=[np.float64, np.float32])
        return np.asarray(X @ self.components_)

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
