"""`SGDRegressor`."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from dotori.algorithms.sgd import LOSSES
from dotori.learn._callbacks import with_callbacks
from dotori.learn.linear_model._classifier import SparseCoefficients
from dotori.learn.linear_model._sgd_base import StochasticModel

Array = NDArray[Any]


class SGDRegressor(SparseCoefficients, RegressorMixin, StochasticModel):
    """Linear regression by stochastic gradient descent.

    It minimises mean_i L(y_i, x_i . w + b) + alpha (1 - r)/2 ||w||^2 + alpha r ||w||_1
    one row after the other. Scale the columns first.

    Parameters
    ----------
    loss : str
        "squared_error", "huber", "epsilon_insensitive" (a linear support vector
        regression) or "squared_epsilon_insensitive".
    penalty : {"l2", "l1", "elasticnet", None}
    alpha : float
        The weight of the penalty; the rate "optimal" is worked out from it.
    l1_ratio : float
        r, for `penalty="elasticnet"`.
    fit_intercept : bool
    max_iter : int
        The most passes over the rows.
    tol : float or None
        What the mean objective has to fall by in a pass; None makes all passes.
    shuffle : bool
        Whether each pass takes the rows in an order of its own.
    verbose : int
        For compatibility: nothing is printed; see `history_`, or use a callback.
    epsilon : float
        The corner of "huber" and of the insensitive losses.
    random_state : None, int or RandomState
    learning_rate : {"invscaling", "constant", "optimal", "adaptive", "pa1", "pa2"}
        eta0 / t^power_t; eta0; 1 / (alpha (t + t_0)); eta0 until progress ends, then a
        fifth of it; passive-aggressive steps, with "epsilon_insensitive".
    eta0, power_t : float
    early_stopping : bool
        Hold `validation_fraction` of the rows back and stop by R^2 on them.
    validation_fraction : float
    n_iter_no_change : int
        Passes without progress before it ends.
    warm_start : bool
        Begin from the last solution.
    average : bool or int
        Average the weights over all steps, or over those from this one on.

    Attributes
    ----------
    coef_ : array of shape (d,)
    intercept_ : array of shape (1,)
    n_iter_ : int
        Passes made.
    t_ : float
        Steps made, plus 1.
    history_ : dict
        ``{"loss": [...]}``: the mean objective over each pass.

    Examples
    --------
    >>> from dotori.learn import SGDRegressor
    >>> X = [[-1.0], [0.0], [1.0]]
    >>> model = SGDRegressor(alpha=0.0, eta0=0.1, tol=1e-8, random_state=0)
    >>> model.fit(X, [-1.0, 1.0, 3.0]).predict([[2.0]]).round(2).tolist()
    [5.0]

    References
    ----------
    H. Robbins and S. Monro, A stochastic approximation method, Ann. Math. Stat. 22
    (1951), 400-407. L. Bottou, Stochastic gradient descent tricks (2012).
    """

    loss_functions: ClassVar[dict[str, int]] = {
        name: LOSSES[name]
        for name in (
            "squared_error",
            "huber",
            "epsilon_insensitive",
            "squared_epsilon_insensitive",
        )
    }
    _passive_loss: ClassVar[str] = "epsilon_insensitive"
    _stratified: ClassVar[bool] = False

    def __init__(
        self,
        loss: str = "squared_error",
        *,
        penalty: str | None = "l2",
        alpha: float = 0.0001,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        epsilon: float = 0.1,
        random_state: Any = None,
        learning_rate: str = "invscaling",
        eta0: float = 0.01,
        power_t: float = 0.25,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        warm_start: bool = False,
        average: bool | int = False,
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.average = average

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: Any,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Fit from the beginning (or the last solution, with `warm_start`).

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        y : array of shape (n,)
            Amounts.
        coef_init : array of shape (d,), optional
            Weights to begin with.
        intercept_init : array of shape (1,), optional
        sample_weight : array of shape (n,), optional
        """
        self._check_parameters()
        X, y = self._checked(X, y, reset=True)
        if self.warm_start and hasattr(self, "coef_"):
            self.densify()
            coef_init = self.coef_ if coef_init is None else coef_init
            if intercept_init is None:
                intercept_init = self.intercept_
        self.t_ = 1.0
        self._begin((1, X.shape[1]), coef_init, intercept_init)
        self._learn(X, y, self.max_iter, sample_weight)
        self._warn()
        return self

    @with_callbacks
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One pass over some rows, going on from what was learnt before.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        y : array of shape (n,)
        sample_weight : array of shape (n,), optional
        """
        first = not hasattr(self, "coef_")
        if first:
            self._check_parameters(partial=True)
        X, y = self._checked(X, y, reset=first)
        if first:
            self.t_ = 1.0
            self._begin((1, X.shape[1]), None, None)
        else:
            self._resume()
        return self._learn(X, y, 1, sample_weight)

    def densify(self) -> Self:
        """Make coef_ an array again."""
        super().densify()
        self.coef_ = np.ravel(self.coef_)
        return self

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Any, Array]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            order="C",
            accept_large_sparse=False,
            y_numeric=True,
            reset=reset,
        )
        targets: Array = y.astype(X.dtype, copy=False)
        return X, targets

    def _learn(self, X: Any, y: Array, max_iter: int, sample_weight: Any) -> Self:
        weight = _check_sample_weight(sample_weight, X, dtype=X.dtype)
        self._run(X, [y], [self._options(max_iter)], weight, y, _explained)
        self._keep(X.dtype)
        self.coef_ = self.coef_[0]
        return self

    def predict(self, X: Any) -> Array:
        """Predict amounts, of shape (n,).

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        coef = self.coef_
        dense = coef if isinstance(coef, np.ndarray) else coef.toarray().ravel()
        predicted: Array = np.asarray(X @ dense) + self.intercept_
        return predicted

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _explained(y: Array, weight: Array, scores: Array) -> float:
    return float(r2_score(y, scores, sample_weight=weight))
