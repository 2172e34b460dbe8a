"""`SGDClassifier`."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from dotori.algorithms.logistic.model import sigmoid
from dotori.algorithms.sgd import LOSSES
from dotori.errors import ArgumentError, DataError
from dotori.learn._callbacks import with_callbacks
from dotori.learn.linear_model._classifier import LinearClassifier
from dotori.learn.linear_model._sgd_base import StochasticModel

Array = NDArray[Any]


def _has_probabilities(estimator: Any) -> bool:
    if estimator.loss not in ("log_loss", "modified_huber"):
        raise AttributeError(
            f"probability estimates are not available for loss={estimator.loss!r}"
        )
    return True


class SGDClassifier(LinearClassifier, StochasticModel):
    """Linear classifiers (support vector machine, logistic regression, ...) by SGD.

    It minimises mean_i L(y_i, x_i . w + b) + alpha (1 - r)/2 ||w||^2 + alpha r ||w||_1,
    with y_i in {-1, 1}, one row after the other. More than two classes have a model
    each, against all others.

    Parameters
    ----------
    loss : str
        "hinge" (a linear support vector machine), "log_loss" (logistic regression),
        "modified_huber", "squared_hinge", "perceptron", or a regression's:
        "squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive".
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
    n_jobs : None or int
        For compatibility: classes are fitted on all threads.
    random_state : None, int or RandomState
    learning_rate : {"optimal", "constant", "invscaling", "adaptive", "pa1", "pa2"}
        1 / (alpha (t + t_0)); eta0; eta0 / t^power_t; eta0 until progress ends, then a
        fifth of it; passive-aggressive steps (Crammer et al. 2006), with "hinge".
    eta0, power_t : float
    early_stopping : bool
        Hold `validation_fraction` of the rows back and stop by the accuracy on them.
    validation_fraction : float
    n_iter_no_change : int
        Passes without progress before it ends.
    class_weight : dict, "balanced" or None
    warm_start : bool
        Begin from the last solution.
    average : bool or int
        Average the weights over all steps, or over those from this one on.

    Attributes
    ----------
    classes_ : array of shape (k,)
    coef_ : array of shape (k, d), or (1, d) for two classes
    intercept_ : array of shape (k,) or (1,)
    n_iter_ : int
        Passes made, the most of all classes.
    t_ : float
        Steps made, plus 1.
    history_ : dict
        ``{"loss": [...]}``: the mean objective over each pass, summed over the classes.

    Examples
    --------
    >>> from dotori.learn import SGDClassifier
    >>> X = [[-2.0, -1.0], [-1.0, -2.0], [1.0, 2.0], [2.0, 1.0]]
    >>> model = SGDClassifier(random_state=0).fit(X, ["no", "no", "yes", "yes"])
    >>> model.predict([[-1.0, -1.0], [1.0, 1.0]]).tolist()
    ['no', 'yes']

    References
    ----------
    L. Bottou, Stochastic gradient descent tricks, in Neural Networks: Tricks of the
    Trade (2012). Y. Tsuruoka et al., Stochastic gradient descent training for
    L1-regularized log-linear models with cumulative penalty, ACL (2009). W. Xu, Towards
    optimal one pass large scale learning with averaged SGD, arXiv:1107.2490 (2011).
    """

    loss_functions: ClassVar[dict[str, int]] = LOSSES
    _passive_loss: ClassVar[str] = "hinge"
    _stratified: ClassVar[bool] = True

    def __init__(
        self,
        loss: str = "hinge",
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
        n_jobs: int | None = None,
        random_state: Any = None,
        learning_rate: str = "optimal",
        eta0: float = 0.01,
        power_t: float = 0.5,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: Any = None,
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
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
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
            Classes.
        coef_init : array of shape (k, d) or (1, d), optional
            Weights to begin with.
        intercept_init : array of shape (k,) or (1,), optional
        sample_weight : array of shape (n,), optional
        """
        self._check_parameters()
        X, y = self._checked(X, y, reset=True)
        classes = np.unique(y)
        if self.warm_start and hasattr(self, "coef_"):
            self.densify()
            coef_init = self.coef_ if coef_init is None else coef_init
            if intercept_init is None:
                intercept_init = self.intercept_
        self.classes_, self.t_ = classes, 1.0
        self._check_classes()
        k = 1 if len(classes) == 2 else len(classes)
        self._begin((k, X.shape[1]), coef_init, intercept_init)
        self._learn(X, y, self.max_iter, sample_weight)
        self._warn()
        return self

    @with_callbacks
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> Self:
        """One pass over some rows, going on from what was learnt before.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        y : array of shape (n,)
        classes : array of shape (k,), optional
            All classes there are; needed in the first call.
        sample_weight : array of shape (n,), optional
        """
        first = not hasattr(self, "classes_")
        if first:
            self._check_parameters(partial=True)
            self._check_partial(classes)
        X, y = self._checked(X, y, reset=first)
        if first:
            self.classes_, self.t_ = np.unique(classes), 1.0
            self._check_classes()
            k = 1 if len(self.classes_) == 2 else len(self.classes_)
            self._begin((k, X.shape[1]), None, None)
        else:
            if classes is not None and not np.array_equal(
                np.unique(classes), self.classes_
            ):
                raise ArgumentError(
                    f"SGDClassifier: `classes={classes!r}` is not the same as on last "
                    f"call to partial_fit, was: {self.classes_!r}"
                )
            self._resume()
        return self._learn(X, y, 1, sample_weight)

    def _check_partial(self, classes: Any) -> None:
        if classes is None:
            raise ArgumentError(
                "SGDClassifier: classes must be passed on the first call to partial_fit"
            )
        if isinstance(self.class_weight, str):
            raise ArgumentError(
                "SGDClassifier: class_weight 'balanced' is not supported for "
                "partial_fit, which sees a part of the rows; pass a dict from "
                "compute_class_weight('balanced', classes=classes, y=y)"
            )

    def _check_classes(self) -> None:
        if len(self.classes_) < 2:
            raise DataError(
                "The number of classes has to be greater than one; got "
                f"{len(self.classes_)} class"
            )

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Any, Array]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            order="C",
            accept_large_sparse=False,
            reset=reset,
        )
        check_classification_targets(y)
        return X, y

    def _learn(self, X: Any, y: Array, max_iter: int, sample_weight: Any) -> Self:
        weight = _check_sample_weight(sample_weight, X, dtype=X.dtype)
        about = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        if len(self.classes_) == 2:
            targets = [np.where(y == self.classes_[1], 1.0, -1.0)]
            options = [self._options(max_iter, about[1], about[0])]
        else:
            targets = [np.where(y == c, 1.0, -1.0) for c in self.classes_]
            options = [self._options(max_iter, share) for share in about]
        self._run(X, targets, options, weight, y, _accuracy)
        self._keep(X.dtype)
        return self

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, of shape (n, k).

        With "log_loss" the sigmoid of the scores, with "modified_huber" the scores cut
        off at -1 and 1 and brought to [0, 1] (Zhang, ICML 2004). Those of several
        classes are divided by their sum.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        """
        check_is_fitted(self)
        scores = self.decision_function(X)
        if self.loss == "log_loss":
            share = sigmoid(scores)
        else:
            share = ((np.clip(scores, -1, 1) + 1) / 2).astype(np.float64)
        if share.ndim == 1:
            return np.stack([1 - share, share], axis=1)
        total = share.sum(axis=1, keepdims=True)
        share = np.where(total == 0, 1, share)
        found: Array = share / np.where(total == 0, share.shape[1], total)
        return found

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of each probability, of shape (n, k).

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
        """
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(self.predict_proba(X))
        return logarithms


def _accuracy(y: Array, weight: Array, scores: Array) -> float:
    return float(np.average((scores > 0) == (y > 0), weights=weight))
