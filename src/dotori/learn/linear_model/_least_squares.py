"""`LinearRegression`."""

from __future__ import annotations

from typing import Any

from dotori.algorithms.linear.least_squares import least_squares
from dotori.algorithms.linear.ridge import ridge_by_products
from dotori.errors import DataError
from dotori.learn._arguments import boolean, number
from dotori.learn._callbacks import with_callbacks
from dotori.learn.linear_model._base import Array, LinearRegressor


class LinearRegression(LinearRegressor):
    """Ordinary least squares: minimise sum_i w_i (y_i - x_i @ b - c)^2.

    A dense table is reduced to a triangle of d x d numbers in one pass over its rows:
    by its Gram matrix if it is long and well conditioned, by Householder reflections
    otherwise. A sparse matrix is only multiplied with (LSQR).

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether there is an intercept c.
    copy_X : bool, default=True
        Has no effect: X is never changed, and never copied as a whole.
    tol : float, default=1e-6
        Singular values up to this share of the largest count as zero. For sparse X, the
        precision at which LSQR ends.
    n_jobs : int, default=None
        Has no effect: large tables are worked at by all threads.
    positive : bool, default=False
        Only coefficients that are not negative (Lawson and Hanson's algorithm); X must
        be dense.

    Attributes
    ----------
    coef_ : array of shape (d,) or (k, d)
    intercept_ : float or array of shape (k,)
    rank_ : int
        The rank of the centred X, if it is dense and `positive` is False.
    singular_ : array of shape (min(n, d),)
        Its singular values.
    n_features_in_ : int
    feature_names_in_ : array of shape (d,)
        If X has columns with names.

    References
    ----------
    Golub, Numerical methods for solving linear least squares problems, Numerische
    Mathematik 7 (1965), 206-216. The formulas are in
    `dotori.algorithms.linear.least_squares`.

    Examples
    --------
    >>> from dotori.learn import LinearRegression
    >>> model = LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> model.coef_.round(6).tolist(), float(model.intercept_.round(6))
    ([2.0], 1.0)
    >>> model.predict([[10.0]]).round(6).tolist()
    [21.0]
    """

    rank_: int
    singular_: Array

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        tol: float = 1e-6,
        n_jobs: int | None = None,
        positive: bool = False,
    ) -> None:
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearRegression:
        """Fit the model.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        y : array of shape (n,) or (n, k)
        sample_weight : array of shape (n,), optional

        Returns
        -------
        self
        """
        positive = boolean(self, "positive")
        intercept, tolerance = boolean(self, "fit_intercept"), number(self, "tol", 0)
        boolean(self, "copy_X")
        number(self, "n_jobs", integer=True, none=True)
        formats = () if positive else ("csr", "csc", "coo")
        X, y, weight = self._checked(X, y, sample_weight, formats)
        with self._tasks("iteration", X, y, most=0):
            if hasattr(X, "toarray"):
                model, _ = ridge_by_products(
                    X, y, 0.0, weight, intercept, "lsqr", tolerance
                )
                self._keep(model, X.dtype, flat=False)
                return self
            try:
                found = least_squares(X, y, weight, intercept, tolerance, positive)
            except DataError:
                self._refuse_infinite(X)
                raise
        self._keep(found.model, X.dtype, flat=False)
        if not positive:
            self.rank_ = found.rank
            self.singular_ = found.singular.astype(X.dtype)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = not self.positive
        return tags
