"""`Ridge`."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from dotori.algorithms.linear.ridge import ridge, ridge_by_products, ridge_nonnegative
from dotori.errors import ArgumentError, DataError
from dotori.learn._arguments import boolean, choice, number
from dotori.learn._callbacks import with_callbacks
from dotori.learn.linear_model._base import Array, LinearRegressor

SOLVERS = ("auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs")
#: Those that take sparse X with an intercept.
_IMPLICIT = ("auto", "lsqr", "sag", "sparse_cg", "lbfgs")


class Ridge(LinearRegressor):
    """Minimise sum_i w_i (y_i - x_i @ b - c)^2 + alpha ||b||^2.

    Parameters
    ----------
    alpha : float or array of shape (k,), default=1.0
        The price of the squared coefficients, or one for each target.
    fit_intercept : bool, default=True
        Whether there is an intercept c; it costs nothing.
    copy_X : bool, default=True
        Has no effect: X is never changed.
    max_iter : int, default=None
        The most iterations of the solvers that iterate.
    tol : float, default=1e-4
        The precision at which these end.
    solver : str, default="auto"
        - ``"cholesky"``: the normal equations, of size d for long tables and n for wide
          ones. If they are too near to singular for half of the digits, singular
          values take their place, and `solver_` says so.
        - ``"svd"``: singular values.
        - ``"sparse_cg"``: conjugate gradients. They serve ``"sag"`` and ``"saga"`` as
          well: the same answer in fewer passes over the rows.
        - ``"lsqr"``: LSQR.
        - ``"lbfgs"``: only with `positive`, and by Lawson and Hanson's exact algorithm.
        - ``"auto"``: ``"cholesky"``, for sparse X ``"sparse_cg"``, and ``"lbfgs"`` with
          `positive`.
    positive : bool, default=False
        Only coefficients that are not negative.
    random_state : int, RandomState, default=None
        Has no effect: no solver draws random numbers.

    Attributes
    ----------
    coef_ : array of shape (d,) or (k, d)
    intercept_ : float or array of shape (k,)
    n_iter_ : array of shape (k,)
        Iterations for each target; 1 where the solver does not iterate.
    solver_ : str
        The solver that was used.
    n_features_in_ : int
    feature_names_in_ : array of shape (d,)
        If X has columns with names.

    References
    ----------
    Hoerl and Kennard, Ridge regression, Technometrics 12 (1970), 55-67.
    `dotori.algorithms.linear.ridge` has the formulas.

    Examples
    --------
    >>> from dotori.learn import Ridge
    >>> model = Ridge(alpha=2.0).fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> model.coef_.round(6).tolist(), float(model.intercept_.round(6))
    ([1.0], 2.0)
    """

    n_iter_: Array
    solver_: str

    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = None,
        tol: float = 1e-4,
        solver: str = "auto",
        positive: bool = False,
        random_state: Any = None,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Ridge:
        """Fit the model.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        y : array of shape (n,) or (n, k)
        sample_weight : float or array of shape (n,), optional

        Returns
        -------
        self
        """
        solver, alpha = self._solver(sparse.issparse(X)), self._prices()
        intercept = boolean(self, "fit_intercept")
        boolean(self, "copy_X")
        most = number(self, "max_iter", 1, integer=True, none=True)
        tolerance = number(self, "tol", 0)
        formats = () if solver == "svd" else ("csr", "csc", "coo")
        X, y, weight = self._checked(X, y, sample_weight, formats)
        self.solver_, steps = solver, [1] * (1 if y.ndim == 1 else y.shape[1])
        dense = not sparse.issparse(X)
        with self._tasks("iteration", X, y, most=0):
            try:
                if solver == "lbfgs":
                    model = ridge_nonnegative(X, y, alpha, weight, intercept)
                elif dense and solver in ("svd", "cholesky"):
                    stable = solver == "svd"
                    model, stable = ridge(X, y, alpha, weight, intercept, stable)
                    self.solver_ = "svd" if stable else solver
                else:
                    method = "lsqr" if solver == "lsqr" else "cg"
                    if dense:
                        self._refuse_infinite(X)
                    model, steps = ridge_by_products(
                        X, y, alpha, weight, intercept, method, tolerance, most
                    )
            except DataError:
                self._refuse_infinite(X)
                raise
        self._keep(model, X.dtype)
        self.n_iter_ = np.array(steps, np.int32)
        return self

    def _prices(self) -> Any:
        if np.ndim(self.alpha) == 0:
            return number(self, "alpha", 0)
        prices = np.asarray(self.alpha)
        if prices.dtype.kind not in "fiu" or not (prices >= 0).all():
            raise ArgumentError(
                f"Ridge: alpha must be numbers >= 0, one for each target, got {prices}"
            )
        return prices

    def _solver(self, is_sparse: bool) -> str:
        """The solver to use, or the reason why the one that is asked for cannot be."""
        solver, positive = choice(self, "solver", SOLVERS), boolean(self, "positive")
        if positive and solver not in ("auto", "lbfgs"):
            raise ArgumentError(
                f"Ridge: solver={solver!r} does not support positive fitting; take "
                "solver='auto' or 'lbfgs', or positive=False"
            )
        if solver == "lbfgs" and not positive:
            raise ArgumentError(
                "Ridge: solver='lbfgs' can be used only with positive=True; take "
                "solver='auto'"
            )
        if is_sparse and self.fit_intercept and solver not in _IMPLICIT:
            raise ArgumentError(
                f"Ridge: solver={solver!r} does not support fitting the intercept on "
                "sparse data; take solver='auto', or fit_intercept=False"
            )
        if solver != "auto":
            return str(solver)
        if positive:
            return "lbfgs"
        return "sparse_cg" if is_sparse else "cholesky"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.solver != "svd" and (
            self.solver != "cholesky" or not self.fit_intercept
        )
        return tags
