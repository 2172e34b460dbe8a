"""`PCA`: principal components as an estimator."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from dotori.algorithms.kmeans.lloyd import is_sparse
from dotori.algorithms.pca import (
    PCAModel,
    Spectrum,
    by_covariance,
    by_svd,
    centred,
    flipped,
    minka_dimension,
)
from dotori.algorithms.randomized_svd import randomized_svd
from dotori.errors import ArgumentError, DTypeError
from dotori.learn._arguments import boolean, choice, number
from dotori.learn._base import Estimator
from dotori.learn._callbacks import with_callbacks
from dotori.learn._random import generator
from dotori.learn.decomposition._solvers import arpack, thin_svd, top_eigen

Array = NDArray[Any]
Self = TypeVar("Self", bound="PCA")

SOLVERS = ("auto", "full", "covariance_eigh", "arpack", "randomized")
NORMALIZERS = ("auto", "QR", "LU", "none")
#: Solvers that a sparse table may be given to.
SPARSE = ("auto", "arpack", "covariance_eigh")


class PCA(TransformerMixin, ClassNamePrefixFeaturesOutMixin, Estimator):
    """Rows along the directions in which they vary most.

    Parameters
    ----------
    n_components : int, float, "mle" or None
        How many directions; a number between 0 and 1 asks for as many as explain that
        part of the variance, "mle" for Minka's choice, None for all.
    copy : bool
        False lets `svd_solver="full"` work in `X` itself; others never change it.
    whiten : bool
        Scale the results to variance one.
    svd_solver : {"auto", "full", "covariance_eigh", "arpack", "randomized"}
        Singular values of the table; eigenvalues of the covariance, for many more rows
        than columns; some singular values by Lanczos' method or random projection.
    tol : float
        Of "arpack"; 0 for all digits.
    iterated_power : int or "auto"
        Powers of "randomized".
    n_oversamples : int
        Extra directions of "randomized".
    power_iteration_normalizer : {"auto", "QR", "LU", "none"}
        Whether columns are made orthonormal between the powers of "randomized": "none"
        does not, "auto" from three powers on. "LU" is "QR" here.
    random_state : int, RandomState or None
        For "arpack" and "randomized".

    Attributes
    ----------
    components_ : array, shape (n_components_, d)
        By falling variance; the largest entry of each is positive.
    explained_variance_, explained_variance_ratio_ : array, shape (n_components_,)
    singular_values_ : array, shape (n_components_,)
    mean_ : array, shape (d,)
    n_components_, n_samples_ : int
    noise_variance_ : float
        The mean variance of the directions left out.

    Examples
    --------
    >>> X = np.array([[1.0, 1.1], [2.0, 1.9], [3.0, 3.1], [4.0, 3.9]])
    >>> pca = PCA(n_components=1).fit(X)
    >>> np.round(pca.components_, 2).tolist()
    [[0.72, 0.69]]
    >>> bool(pca.explained_variance_ratio_[0] > 0.99)
    True
    >>> np.abs(pca.inverse_transform(pca.transform(X)) - X).max() < 0.11
    np.True_

    References
    ----------
    M. E. Tipping, C. M. Bishop, *Probabilistic principal component analysis*, 1999. T.
    P. Minka, *Automatic choice of dimensionality for PCA*, 2000. N. Halko et al.,
    *Finding structure with randomness*, 2011.
    """

    def __init__(
        self,
        n_components: Any = None,
        *,
        copy: bool = True,
        whiten: bool = False,
        svd_solver: str = "auto",
        tol: float = 0.0,
        iterated_power: Any = "auto",
        n_oversamples: int = 10,
        power_iteration_normalizer: str = "auto",
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.copy = copy
        self.whiten = whiten
        self.svd_solver = svd_solver
        self.tol = tol
        self.iterated_power = iterated_power
        self.n_oversamples = n_oversamples
        self.power_iteration_normalizer = power_iteration_normalizer
        self.random_state = random_state

    @with_callbacks
    def fit(self: Self, X: Any, y: Any = None) -> Self:
        """Find the components.

        Parameters
        ----------
        X : array or sparse matrix, shape (n, d)
            Two rows or more; sparse for some solvers.
        y : ignored

        Raises
        ------
        ArgumentError
            For parameters that are not possible.
        DTypeError
            For a sparse table with a solver that needs a dense one.
        """
        self._learn(X)
        return self

    @with_callbacks
    def fit_transform(self, X: Any, y: Any = None) -> Array:
        """`fit`, and the rows along the components: shape (n, n_components_)."""
        X, found = self._learn(X)
        if found.scores is None:
            return self._model().transform(X)
        u = found.scores[:, : self.n_components_]
        n = found.scores.shape[0]
        return np.asarray(
            u * (math.sqrt(n - 1) if self.whiten else self.singular_values_)
        )

    def transform(self, X: Any) -> Array:
        """The rows along the components: shape (n, n_components_)."""
        check_is_fitted(self)
        return self._model().transform(self._validated(X, reset=False))

    def inverse_transform(self, X: Any) -> Array:
        """What comes nearest to rows that `transform` has brought to these scores."""
        check_is_fitted(self)
        X = check_array(X, input_name="X", dtype=[np.float64, np.float32])
        return self._model().inverse_transform(X)

    def _model(self) -> PCAModel:
        return PCAModel(
            self.mean_, self.components_, self.explained_variance_, bool(self.whiten)
        )

    def _validated(self, X: Any, reset: bool, **more: Any) -> Any:
        return validate_data(
            self,
            X,
            dtype=[np.float64, np.float32],
            accept_sparse=("csr", "csc"),
            reset=reset,
            **more,
        )

    def _learn(self, X: Any) -> tuple[Any, Spectrum]:
        self._check()
        if hasattr(X, "indptr") and self.svd_solver not in SPARSE:
            raise DTypeError(
                "PCA: a sparse table needs svd_solver 'arpack' or 'covariance_eigh', "
                f"got {self.svd_solver!r}; TruncatedSVD takes sparse tables as well"
            )
        in_place = not self.copy and self.svd_solver in ("auto", "full")
        more = {"force_writeable": True} if in_place else {}
        X = self._validated(X, reset=True, ensure_min_samples=2, **more)
        solver, wanted = self._solver(X), self._wanted(X)
        self._check_wanted(solver, wanted, X)
        self._fit_svd_solver = solver
        found = self._spectrum(X, solver, wanted)
        self._keep(found, wanted, X)
        return X, found

    def _check(self) -> None:
        wanted = self.n_components
        if isinstance(wanted, str):
            choice(self, "n_components", ("mle",))
        elif isinstance(wanted, Integral):
            number(self, "n_components", 0, integer=True)
        elif wanted is not None:
            number(self, "n_components", 0, 1, open_low=True, open_high=True)
        boolean(self, "copy")
        boolean(self, "whiten")
        choice(self, "svd_solver", SOLVERS)
        number(self, "tol", 0)
        if isinstance(self.iterated_power, str):
            choice(self, "iterated_power", ("auto",))
        else:
            number(self, "iterated_power", 0, integer=True)
        number(self, "n_oversamples", 1, integer=True)
        choice(self, "power_iteration_normalizer", NORMALIZERS)

    def _wanted(self, X: Any) -> Any:
        if self.n_components is not None:
            return self.n_components
        arpack = self.svd_solver == "arpack"
        arpack = arpack or (self.svd_solver == "auto" and is_sparse(X))
        return min(X.shape) - 1 if arpack else min(X.shape)

    def _solver(self, X: Any) -> str:
        """The solver that "auto" stands for: scikit-learn's choice."""
        if self.svd_solver != "auto":
            return self.svd_solver
        if is_sparse(X):
            return "arpack"
        n, d = X.shape
        if d <= 1000 and n >= 10 * d:
            return "covariance_eigh"
        wanted = self._wanted(X)
        if max(n, d) <= 500 or isinstance(wanted, str):
            return "full"
        return "randomized" if 1 <= wanted < 0.8 * min(n, d) else "full"

    def _check_wanted(self, solver: str, wanted: Any, X: Any) -> None:
        least, most = 0, min(X.shape)
        if wanted == "mle" and solver in ("full", "covariance_eigh"):
            if X.shape[0] < X.shape[1]:
                raise ArgumentError(
                    "PCA: n_components='mle' is only supported if n_samples >= "
                    f"n_features, got a table of shape {X.shape}"
                )
            return
        if solver in ("arpack", "randomized"):
            least, most = 1, most - (solver == "arpack")
        if isinstance(wanted, str) or not least <= wanted <= most:
            raise ArgumentError(
                f"PCA: n_components={wanted!r} must be between {least} and {most} "
                f"(min(n_samples, n_features)={min(X.shape)}) with "
                f"svd_solver={solver!r}"
            )

    def _spectrum(self, X: Any, solver: str, wanted: Any) -> Spectrum:
        if solver == "full":
            return by_svd(X, bool(self.copy), thin_svd)
        if solver == "covariance_eigh":
            whole = isinstance(wanted, Integral)
            return by_covariance(X, int(wanted) if whole else None, top_eigen)
        table, mean, total = centred(X)
        draws, count = generator(self.random_state), int(wanted)
        if solver == "arpack":
            u, singular, vt = arpack(table, count, self.tol, draws)
        else:
            auto, power = self.iterated_power == "auto", self.iterated_power
            u, singular, vt = randomized_svd(
                table,
                count,
                draws,
                None if auto else power,
                self.n_oversamples,
                normalizes(self.power_iteration_normalizer, 4 if auto else power),
            )
            u, vt = u.copy(), vt.copy()
        flipped(vt, u)
        variances = singular.astype(np.float64) ** 2 / (X.shape[0] - 1)
        return Spectrum(mean, vt, variances, total, min(X.shape), u)

    def _keep(self, found: Spectrum, wanted: Any, X: Any) -> None:
        """The fitted attributes, for the components that are wanted."""
        n, variances, dtype = X.shape[0], found.variances, found.components.dtype
        total = found.total or 1.0
        if wanted == "mle":
            wanted = minka_dimension(variances, n)
        elif isinstance(wanted, Real) and not isinstance(wanted, Integral):
            ratios = np.cumsum(variances / total)
            wanted = np.searchsorted(ratios, float(wanted), side="right") + 1
        k = self.n_components_ = int(min(wanted, len(variances)))
        self.n_samples_, self.mean_ = n, found.mean
        self.components_ = found.components[:k].copy()
        self.explained_variance_ = variances[:k].astype(dtype)
        self.explained_variance_ratio_ = (variances[:k] / total).astype(dtype)
        self.singular_values_ = np.sqrt(variances[:k] * (n - 1)).astype(dtype)
        self.noise_variance_: Any = 0.0
        if k < min(X.shape):
            whole = len(variances) == found.length
            left = variances[k:].sum() if whole else found.total - variances[:k].sum()
            self.noise_variance_ = dtype.type(max(left, 0.0) / (found.length - k))

    def get_covariance(self) -> Array:
        """The covariance of the model: components, and equal noise in all directions.

        V^T (Lambda - s I) V + s I, with the noise's variance s. Shape (d, d). It is
        about the table, whatever `whiten` does to the scores; scikit-learn's, with
        `whiten=True`, has the variances in it twice.
        """
        check_is_fitted(self)
        found = (self.components_.T * self._above_noise()) @ self.components_
        found[np.diag_indices_from(found)] += self.noise_variance_
        return np.asarray(found)

    def get_precision(self) -> Array:
        """The inverse of `get_covariance`, by way of a matrix of n_components_ rows.

        With orthonormal components it is (I - V^T (1 - s / Lambda) V) / s.
        """
        check_is_fitted(self)
        d, s = self.components_.shape[1], self.noise_variance_
        if self.n_components_ == 0:
            return np.asarray(np.eye(d) / s)
        if s == 0.0:
            return np.asarray(np.linalg.inv(self.get_covariance()))
        above = self._above_noise()
        share = above / (above + s)
        found = (self.components_.T * -share) @ self.components_
        found[np.diag_indices_from(found)] += 1
        return np.asarray(found / s)

    def _above_noise(self) -> Array:
        variances, s = self.explained_variance_, self.noise_variance_
        return np.asarray(np.maximum(variances - s, 0))

    def score_samples(self, X: Any) -> Array:
        """The log-likelihood of each row under the model, shape (n,).

        Bishop, *Pattern recognition and machine learning* (2006), section 12.2.1.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        apart, precision = X - self.mean_, self.get_precision()
        _, log_det = np.linalg.slogdet(precision)
        squares = np.sum(apart * (apart @ precision), axis=1)
        constant = X.shape[1] * math.log(2 * math.pi) - log_det
        return np.asarray(-0.5 * squares - 0.5 * constant)

    def score(self, X: Any, y: Any = None) -> float:
        """The mean log-likelihood of the rows."""
        return float(np.mean(self.score_samples(X)))

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.sparse = self.svd_solver in SPARSE
        return tags


def normalizes(normalizer: str, powers: int) -> bool:
    """Whether columns are made orthonormal between the powers of a random projection.

    Examples
    --------
    >>> normalizes("auto", 2), normalizes("auto", 4), normalizes("none", 4)
    (False, True, False)
    """
    return powers > 2 if normalizer == "auto" else normalizer != "none"
