"""`ElasticNet` and `Lasso`."""

from __future__ import annotations

import numbers
import warnings
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from dotori.algorithms.linear.elastic_net import Net, elastic_net
from dotori.errors import ArgumentError, DataError
from dotori.learn._arguments import boolean, choice, number
from dotori.learn._callbacks import with_callbacks
from dotori.learn._random import generator
from dotori.learn.linear_model._base import Array, LinearRegressor
from dotori.learn.linear_model._path import enet_path


class ElasticNet(LinearRegressor):
    """Least squares with a price on |b| and on b^2.

    Minimises the mean of (y_i - x_i @ b - c)^2 / 2 (weighted, if there are weights)
    plus alpha (l1_ratio sum |b_j| + (1 - l1_ratio) sum b_j^2 / 2), by coordinate
    descent. Tables with few columns are read once; of wide ones, a set of columns that
    matter grows until the duality gap is small.

    Parameters
    ----------
    alpha : float, default=1.0
        The price.
    l1_ratio : float, default=0.5
        The share of it that is for |b|: 1 is the Lasso, 0 ridge regression.
    fit_intercept : bool, default=True
        Whether there is an intercept c; it costs nothing.
    precompute : bool or array of shape (d, d), default=False
        The Gram matrix of the centred (and weighted) rows, if it is known. True makes
        it in any case, False if that is worth it.
    max_iter : int, default=1000
        The most sweeps over the coefficients, or over those of a set.
    copy_X : bool, default=True
        Has no effect: X is never changed.
    tol : float, default=1e-4
        It ends when a sweep moves no coefficient by more than this share of the largest
        one, and the duality gap is at most this share of the sum of y^2.
    warm_start : bool, default=False
        Whether a fit begins with the coefficients of the one before.
    positive : bool, default=False
        Only coefficients that are not negative.
    random_state : int, RandomState, default=None
        Draws the order of ``selection="random"``.
    selection : {"cyclic", "random"}, default="cyclic"
        Whether coefficients take turns or are drawn.

    Attributes
    ----------
    coef_ : array of shape (d,) or (k, d)
    sparse_coef_ : CSR matrix of shape (1, d) or (k, d)
        The same without its zeros.
    intercept_ : float or array of shape (k,)
    n_iter_ : int or list of int
        Sweeps, for each target.
    dual_gap_ : float or array of shape (k,)
        The minimum is at most this much below what was reached.
    history_ : dict
        ``"iteration"``, ``"objective"`` and ``"dual_gap"`` where the gap was looked at:
        lists, or lists for each target.
    n_features_in_ : int
    feature_names_in_ : array of shape (d,)
        If X has columns with names.

    References
    ----------
    Zou and Hastie, Regularization and variable selection via the elastic net, J. Royal
    Statistical Society B 67 (2005), 301-320. The formulas are in
    `dotori.algorithms.linear.coordinate_descent`.

    Examples
    --------
    >>> from dotori.learn import ElasticNet
    >>> X = [[-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]
    >>> model = ElasticNet(alpha=0.5).fit(X, [0.0, 2.0, 1.0, 3.0])
    >>> model.coef_.round(6).tolist(), float(model.intercept_.round(6))
    ([0.6, -0.2], 1.5)
    """

    n_iter_: Any
    dual_gap_: Any
    history_: dict[str, Any]

    path = staticmethod(enet_path)

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        precompute: Any = False,
        max_iter: int = 1000,
        copy_X: bool = True,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection

    @with_callbacks
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True
    ) -> ElasticNet:
        """Fit the model.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        y : array of shape (n,) or (n, k)
        sample_weight : float or array of shape (n,), optional
        check_input : bool, default=True
            Has no effect: the checks take no time.

        Returns
        -------
        self
        """
        settings = self._settings()
        if isinstance(sample_weight, numbers.Number):
            sample_weight = None  # weights are relative
        X, y, weight = self._checked(X, y, sample_weight, ("csc",))
        start = None
        if boolean(self, "warm_start") and hasattr(self, "coef_"):
            start = self._start(1 if y.ndim == 1 else y.shape[1])
        with self._tasks("iteration", X, y, most=self.max_iter) as tasks:

            def ended() -> bool:
                tasks.begin()
                return tasks.end()

            try:
                found = elastic_net(
                    X,
                    y,
                    sample_weight=weight,
                    start=start,
                    gram=self._gram(X, weight),
                    ended=ended,
                    **settings,
                )
            except DataError:
                self._refuse_infinite(X)
                raise
        self._keep(found.model, X.dtype)
        self._note(found, X.shape[0], y.ndim == 1)
        return self

    def _settings(self) -> dict[str, Any]:
        """The parameters, checked, under the solver's names."""
        alpha = number(self, "alpha", 0)
        if alpha == 0:
            warnings.warn(
                f"{type(self).__name__}: alpha=0 puts no price on coefficients, and "
                "coordinate descent is slow then; take LinearRegression",
                UserWarning,
                stacklevel=4,
            )
        boolean(self, "copy_X")
        random = choice(self, "selection", ("cyclic", "random")) == "random"
        most = number(self, "max_iter", 1, integer=True, none=True)
        return {
            "alpha": float(alpha),
            "l1_ratio": float(number(self, "l1_ratio", 0, 1)),
            "fit_intercept": boolean(self, "fit_intercept"),
            "positive": boolean(self, "positive"),
            "tolerance": float(number(self, "tol", 0)),
            "max_iter": 1000 if most is None else int(most),
            "generator": generator(self.random_state) if random else None,
        }

    def _start(self, k: int) -> Array:
        start = np.atleast_2d(self.coef_)
        if start.shape != (k, self.n_features_in_):
            raise ArgumentError(
                f"{type(self).__name__}: warm_start needs coef_ of shape "
                f"{(k, self.n_features_in_)}, but there is one of shape {start.shape}; "
                "fit a new estimator, or take warm_start=False"
            )
        return start

    def _gram(self, X: Any, weight: Array | None) -> Any:
        """A Gram matrix that was given, if it can be that of these rows."""
        if np.ndim(self.precompute) == 0:
            return boolean(self, "precompute") and not sparse.issparse(X)
        gram, d = np.asarray(self.precompute, np.float64), X.shape[1]
        if gram.shape != (d, d):
            raise ArgumentError(
                f"{type(self).__name__}: precompute must be a Gram matrix of shape "
                f"{(d, d)}, got one of shape {gram.shape}"
            )
        if sparse.issparse(X):
            return False
        ones = np.ones(len(X)) if weight is None else weight * (len(X) / weight.sum())
        mean = (ones @ X) / len(X)
        if self.fit_intercept and not np.allclose(mean, 0):
            warnings.warn(
                "Gram matrix was provided but X was centered to fit intercept: it is "
                "recomputed",
                UserWarning,
                stacklevel=3,
            )
            return True
        # One element tells a wrong matrix from a right one.
        i, j = d // 2, min(d // 2 + 1, d - 1)
        expected, given = float((ones * X[:, i]) @ X[:, j]), float(gram[i, j])
        tolerance = 1e-7 if X.dtype == np.float64 else 1e-4
        if not np.isclose(expected, given, rtol=tolerance, atol=1e-5):
            raise ArgumentError(
                "Gram matrix passed in via 'precompute' parameter did not pass "
                f"validation when a single element was checked - please check that it "
                f"was computed properly. For element ({i},{j}) we computed {expected} "
                f"but the user-supplied value was {given}."
            )
        return gram

    def _note(self, found: Net, n: int, single: bool) -> None:
        """Set what tells of the descent, in units of the mean over the rows."""
        gaps = np.array([fit.gap / n for fit in found.fits], self.coef_.dtype)
        sweeps = [max(fit.sweeps, 1) for fit in found.fits]
        self.dual_gap_ = gaps[0] if single or len(gaps) == 1 else gaps
        self.n_iter_ = sweeps[0] if single or len(gaps) == 1 else sweeps
        histories = [
            {
                "iteration": [int(i) for i in fit.history["iteration"]],
                "objective": [value / n for value in fit.history["objective"]],
                "dual_gap": [value / n for value in fit.history["dual_gap"]],
            }
            for fit in found.fits
        ]
        self.history_ = {
            name: histories[0][name] if single else [h[name] for h in histories]
            for name in histories[0]
        }
        if not all(fit.converged for fit in found.fits):
            warnings.warn(
                f"{type(self).__name__}: the duality gap is {gaps.max():.3g} after "
                f"{max(sweeps)} sweeps and should be below tol={self.tol:g} times the "
                "mean of y^2; scale the columns, raise alpha, or give more max_iter",
                ConvergenceWarning,
                stacklevel=4,
            )

    @property
    def sparse_coef_(self) -> Any:
        """`coef_` as a CSR matrix."""
        return sparse.csr_matrix(np.atleast_2d(self.coef_))


class Lasso(ElasticNet):
    """Least squares with a price on |b|: many coefficients are exactly zero.

    Minimises the mean of (y_i - x_i @ b - c)^2 / 2 plus alpha sum |b_j|. It is
    `ElasticNet` with ``l1_ratio=1``.

    Parameters
    ----------
    alpha : float, default=1.0
        The price.
    fit_intercept, precompute, copy_X, max_iter, tol, warm_start, positive, \
random_state, selection
        As for `ElasticNet`.

    Attributes
    ----------
    coef_, sparse_coef_, intercept_, n_iter_, dual_gap_, history_, n_features_in_, \
feature_names_in_
        As for `ElasticNet`.

    References
    ----------
    Tibshirani, Regression shrinkage and selection via the lasso, J. Royal Statistical
    Society B 58 (1996), 267-288.

    Examples
    --------
    >>> from dotori.learn import Lasso
    >>> X = [[-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]
    >>> model = Lasso(alpha=0.5).fit(X, [0.0, 2.0, 1.0, 3.0])
    >>> model.coef_.round(6).tolist(), float(model.intercept_.round(6))
    ([0.5, 0.0], 1.5)
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        precompute: Any = False,
        copy_X: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        super().__init__(
            alpha=alpha,
            l1_ratio=1.0,
            fit_intercept=fit_intercept,
            precompute=precompute,
            copy_X=copy_X,
            max_iter=max_iter,
            tol=tol,
            warm_start=warm_start,
            positive=positive,
            random_state=random_state,
            selection=selection,
        )
