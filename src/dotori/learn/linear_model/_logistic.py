"""`LogisticRegression`."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from dotori.algorithms.logistic.fit import LogisticFit, fit_logistic
from dotori.algorithms.logistic.model import LogisticModel
from dotori.errors import ArgumentError, DataError
from dotori.learn._arguments import boolean, choice, number
from dotori.learn._callbacks import with_callbacks
from dotori.learn.linear_model._classifier import LinearClassifier

Array = NDArray[Any]

_METHODS = {
    "lbfgs": "lbfgs",
    "liblinear": "lbfgs",
    "newton-cg": "newton-cg",
    "newton-cholesky": "newton",
    "sag": "lbfgs",
    "saga": "lbfgs",
}
_PENALTIES = ("deprecated", "l1", "l2", "elasticnet", None)


class LogisticRegression(LinearClassifier):
    """Logistic regression: classes by the softmax of linear scores, with a penalty.

    It minimises C * sum_i w_i (-log p(y_i | x_i)) + (1 - l1_ratio) / 2 ||W||_2^2 +
    l1_ratio ||W||_1. Two classes have one row of weights and p = sigmoid(x . w + b),
    more have a row each and p = softmax(W x + b).

    Parameters
    ----------
    penalty : {"l1", "l2", "elasticnet", None}, optional
        The older way to say `l1_ratio` and `C`; it warns, as in scikit-learn.
    C : float
        The inverse of the strength of the penalty; infinity for none.
    l1_ratio : float
        The share of the L1 penalty.
    dual : bool
        Only with `solver="liblinear"` and an L2 penalty; the minimum is the same.
    tol : float
        Fitting ends when no component of the gradient of the mean loss exceeds this.
    fit_intercept : bool
    intercept_scaling : float
        With `solver="liblinear"`, which penalises the intercept: its weight in the
        penalty is that of a column of this constant.
    class_weight : dict, "balanced" or None
        Weights by class, multiplied with `sample_weight`.
    random_state : None, int or RandomState
        For compatibility: no solver here draws random numbers.
    solver : str
        "lbfgs": L-BFGS that begins with the inverse of the Hessian at zero.
        "newton-cholesky": Newton's method with the whole Hessian. "newton-cg": by
        conjugate gradients. "liblinear", "sag" and "saga" name scikit-learn's
        objectives (the first penalises the intercept and takes two classes); their
        minimum is found by L-BFGS, and by proximal methods where there is an L1 penalty
        ("liblinear", "saga").
    max_iter : int
        The most steps.
    verbose : int
        For compatibility: nothing is printed; see `history_`, or use a callback.
    warm_start : bool
        Begin from the last solution.
    n_jobs : None
        Has no effect, as in scikit-learn, which deprecates it.

    Attributes
    ----------
    classes_ : array of shape (k,)
    coef_ : array of shape (k, d), or (1, d) for two classes
    intercept_ : array of shape (k,) or (1,)
    n_iter_ : int array of shape (1,)
        Steps made. On large tables the first ones look at a quarter of the rows.
    history_ : dict
        ``{"loss": [...]}``: the mean loss with its penalty, at the start and after each
        step.

    Examples
    --------
    >>> from dotori.learn import LogisticRegression
    >>> X = [[0.0], [1.0], [2.0], [3.0]]
    >>> model = LogisticRegression().fit(X, ["low", "low", "high", "high"])
    >>> model.predict([[0.2], [2.9]]).tolist()
    ['low', 'high']

    References
    ----------
    D. R. Cox, The regression analysis of binary sequences, J. R. Stat. Soc. B 20
    (1958), 215-242. J. Nocedal and S. Wright, Numerical Optimization (2006), chapter 7.
    """

    n_iter_: Array
    history_: dict[str, list[float]]

    def __init__(
        self,
        penalty: Any = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float | None = 0.0,
        dual: bool = False,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: Any = None,
        random_state: Any = None,
        solver: str = "lbfgs",
        max_iter: int = 100,
        verbose: int = 0,
        warm_start: bool = False,
        n_jobs: Any = None,
    ) -> None:
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Find the weights that minimise the penalised loss.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        y : array of shape (n,)
            Classes.
        sample_weight : array of shape (n,), optional
        """
        l1_ratio, inverse_c = self._penalty()
        # A dense X that is not finite shows in the loss: that saves a pass over it.
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            order="C",
            ensure_all_finite=sparse.issparse(X),
        )
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self._check_classes()
        weight = self._weights(X, y, codes, sample_weight)
        total = float(len(y) if weight is None else weight.sum(dtype=np.float64))
        scale = inverse_c / total
        fit = self._solve(X, y, codes, weight, (1 - l1_ratio) * scale, l1_ratio * scale)
        self._keep(fit, X)
        return self

    def _solve(
        self, X: Any, y: Any, codes: Array, weight: Array | None, l2: float, l1: float
    ) -> LogisticFit:
        number(self, "intercept_scaling", low=0, open_low=True)
        # liblinear's intercept is the weight of one more column, penalised like others
        share = 1 / self.intercept_scaling if self.solver == "liblinear" else 0.0
        about = None if weight is None else {"sample_weight": weight}
        most = max(self.max_iter, 1)
        with self._tasks("iteration", X, y, most=most, metadata=about) as tasks:

            def each(point: Array, loss: float) -> bool:
                tasks.begin()
                return tasks.end(lambda: self._attributes(point, X))

            with np.errstate(all="ignore"):
                fit = fit_logistic(
                    X,
                    codes,
                    len(self.classes_),
                    weight=weight,
                    l2=l2,
                    l1=l1,
                    intercept=boolean(self, "fit_intercept"),
                    intercept_l2=l2 * share * share,
                    intercept_l1=l1 * share,
                    method=_METHODS[self.solver],
                    start=self._start(X),
                    max_iter=number(self, "max_iter", low=0, integer=True),
                    tolerance=number(self, "tol", low=0),
                    each=each if tasks.listened else None,
                )
        return fit

    def _keep(self, fit: LogisticFit, X: Any) -> None:
        if not fit.finite:
            with np.errstate(all="ignore"):  # names what it is
                validate_data(self, X, accept_sparse="csr", reset=False)
            raise DataError(
                "LogisticRegression: the loss is not finite, as values of X are too "
                "large; scale its columns"
            )
        for name, value in self._attributes(fit.theta, X).items():
            setattr(self, name, value)
        self.n_iter_ = np.array([fit.iterations], np.int32)
        self.history_ = {"loss": fit.losses}
        if not fit.converged:
            warnings.warn(
                f"{self.solver} has not converged in max_iter={self.max_iter} steps "
                f"(tol={self.tol}); raise max_iter, or scale the columns of X",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _attributes(self, point: Array, X: Any) -> dict[str, Any]:
        """coef_ and intercept_ from a point of the solver, in the type of X."""
        theta, d = point.reshape(-1, X.shape[1] + self.fit_intercept), X.shape[1]
        level = theta[:, d] if self.fit_intercept else np.zeros(len(theta))
        return {
            "coef_": np.array(theta[:, :d], X.dtype, order="C"),
            "intercept_": np.array(level, X.dtype),
        }

    def _start(self, X: Any) -> Array | None:
        """The last solution for a warm start, as a point of the solver."""
        if not boolean(self, "warm_start") or not hasattr(self, "coef_"):
            return None
        if self.solver == "liblinear":  # scikit-learn's has no warm start
            return None
        self.densify()
        theta = np.asarray(self.coef_)
        if self.fit_intercept:
            theta = np.concatenate([theta, self.intercept_[:, np.newaxis]], axis=1)
        rows = 1 if len(self.classes_) == 2 else len(self.classes_)
        wanted = (rows, X.shape[1] + self.fit_intercept)
        if theta.shape != wanted:
            raise ArgumentError(
                f"LogisticRegression: warm_start needs coefficients of shape {wanted}, "
                f"those of the last fit have {theta.shape}; fit a new estimator"
            )
        return theta

    def _weights(
        self, X: Any, y: Array, codes: Array, sample_weight: Any
    ) -> Array | None:
        """Weights of the rows times those of their classes; None if all are 1."""
        if sample_weight is None and self.class_weight is None:
            return None
        weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, copy=True)
        if self.class_weight is not None:
            about = _class_weight(self.class_weight, self.classes_, y, weight)
            weight *= about.astype(X.dtype)[codes]
        return np.asarray(weight)

    def _check_classes(self) -> None:
        if self.solver == "liblinear" and len(self.classes_) > 2:
            raise DataError(
                "LogisticRegression: the 'liblinear' solver does not support "
                "multiclass classification (n_classes >= 3); use another solver, or "
                "OneVsRestClassifier around this one"
            )
        if len(self.classes_) < 2:
            raise DataError(
                "This solver needs samples of at least 2 classes in the data, but the "
                f"data contains only one class: {self.classes_[0]!r}"
            )

    def _penalty(self) -> tuple[float, float]:
        """l1_ratio, and 1 / C."""
        c = number(self, "C", low=0, open_low=True)
        number(self, "l1_ratio", low=0, high=1, none=True)
        choice(self, "penalty", _PENALTIES)
        choice(self, "solver", tuple(_METHODS))
        ratio = 0.0 if self.l1_ratio is None else float(self.l1_ratio)
        kind = {0.0: "l2", 1.0: "l1"}.get(ratio, "elasticnet")
        if self.penalty != "deprecated":
            self._warn_of_penalty()
            kind = self.penalty or "l2"
            if kind == "elasticnet" and self.l1_ratio is None:
                raise ArgumentError(
                    "LogisticRegression: l1_ratio must be specified when penalty is "
                    "elasticnet"
                )
            ratio = {"l2": 0.0, "l1": 1.0}.get(kind, ratio)
        elif self.l1_ratio is None:
            warnings.warn(
                "l1_ratio=None was deprecated in scikit-learn 1.8; use 0 for L2",
                FutureWarning,
                stacklevel=3,
            )
        if self.n_jobs is not None:
            warnings.warn(
                f"n_jobs has no effect and is deprecated, got n_jobs={self.n_jobs}",
                FutureWarning,
                stacklevel=3,
            )
        unpenalised = self.penalty is None or c == np.inf
        self._check_solver(None if unpenalised else kind)
        return ratio, 0.0 if unpenalised else 1 / c

    def _check_solver(self, kind: str | None) -> None:
        solver = self.solver
        if solver not in ("liblinear", "saga") and kind not in ("l2", None):
            raise ArgumentError(
                f"LogisticRegression: solver {solver} supports only 'l2' or no "
                f"penalties (l1_ratio=0), got {kind} penalty; use 'saga'"
            )
        if boolean(self, "dual") and (solver != "liblinear" or kind != "l2"):
            raise ArgumentError(
                "LogisticRegression: dual=True needs solver='liblinear' and an L2 "
                f"penalty, got solver={solver!r} with {kind} penalty"
            )
        if solver == "liblinear" and kind in ("elasticnet", None):
            raise ArgumentError(
                "LogisticRegression: liblinear needs an 'l1' or 'l2' penalty "
                f"(C=np.inf is not supported either), got {kind}; use 'saga' or 'lbfgs'"
            )

    def _warn_of_penalty(self) -> None:
        warnings.warn(
            "penalty was deprecated in scikit-learn 1.8; use l1_ratio=0 for 'l2', "
            "l1_ratio=1 for 'l1', another l1_ratio for 'elasticnet', and C=np.inf for "
            "None",
            FutureWarning,
            stacklevel=4,
        )
        ratio = self.l1_ratio
        if (self.penalty == "l2" and ratio) or (self.penalty == "l1" and ratio != 1):
            warnings.warn(
                f"inconsistent values: penalty={self.penalty!r} with l1_ratio={ratio}",
                UserWarning,
                stacklevel=4,
            )

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, of shape (n, k).

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        """
        check_is_fitted(self)
        scores = self.decision_function(X)
        return self.model_.probabilities(scores)

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of each probability, of shape (n, k).

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @property
    def model_(self) -> LogisticModel:
        """The fitted model as plain arrays: it predicts with NumPy alone."""
        check_is_fitted(self)
        dense = sparse.issparse(self.coef_)
        coef = self.coef_.toarray() if dense else self.coef_
        return LogisticModel(coef, self.intercept_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if self.solver == "liblinear":
            tags.classifier_tags.multi_class = False
        return tags


def _class_weight(given: Any, classes: Array, y: Array, weight: Array) -> Array:
    """Weights of the classes; "balanced" counts rows by their weights."""
    if isinstance(given, str) and given == "balanced":
        counts = np.array([weight[y == c].sum(dtype=np.float64) for c in classes])
        balanced: Array = counts.sum() / (len(classes) * np.where(counts, counts, 1.0))
        return balanced
    return np.asarray(compute_class_weight(given, classes=classes, y=y))
