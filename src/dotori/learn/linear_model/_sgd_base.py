"""What `SGDClassifier` and `SGDRegressor` share: parameters, passes, what is kept."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from dotori.algorithms.sgd import (
    PENALTIES,
    RATES,
    SGDOptions,
    SGDState,
    fit_sgd,
)
from dotori.errors import ArgumentError, DataError
from dotori.kernels import in_parallel
from dotori.learn._arguments import boolean, choice, number
from dotori.learn._base import Estimator
from dotori.learn._random import generator
from dotori.random import Generator

Array = NDArray[Any]
Merit = Callable[[Array, Array, Array], float]


class StochasticModel(Estimator):
    """The parent of linear models that are fitted a row at a time.

    `_states` holds a state of the fit for each row of the coefficients; it goes into
    model files, so that `partial_fit` can go on after loading.
    """

    #: The losses, and their numbers in the kernel.
    loss_functions: ClassVar[dict[str, int]]
    _passive_loss: ClassVar[str]
    _stratified: ClassVar[bool]

    coef_: Any
    intercept_: Array
    t_: float
    n_iter_: int
    history_: dict[str, list[float]]

    def _check_parameters(self, partial: bool = False) -> None:
        choice(self, "loss", tuple(self.loss_functions))
        choice(self, "penalty", PENALTIES)
        choice(self, "learning_rate", tuple(RATES))
        number(self, "alpha", low=0)
        number(self, "l1_ratio", low=0, high=1, none=True)
        number(self, "max_iter", low=1, integer=True)
        number(self, "tol", low=0, none=True)
        number(self, "epsilon", low=0)
        number(self, "eta0", low=0, open_low=True)
        number(self, "power_t")
        number(self, "n_iter_no_change", low=1, integer=True)
        number(
            self, "validation_fraction", low=0, high=1, open_low=True, open_high=True
        )
        for name in ("fit_intercept", "shuffle", "warm_start", "early_stopping"):
            boolean(self, name)
        if not isinstance(self.average, (bool, np.bool_)):
            number(self, "average", low=0, open_low=True, integer=True)
        self._check_together(partial)

    def _check_together(self, partial: bool) -> None:
        name = type(self).__name__
        if partial and self.early_stopping:
            raise ArgumentError(
                f"{name}: early_stopping should be False with partial_fit, which makes "
                "one pass; score the batches yourself"
            )
        if self.learning_rate == "optimal" and self.alpha == 0:
            raise ArgumentError(
                f"{name}: alpha must be > 0 since learning_rate is 'optimal', which "
                "divides by it; take another learning_rate"
            )
        if self.learning_rate in ("pa1", "pa2") and self.loss != self._passive_loss:
            raise ArgumentError(
                f"{name}: learning_rate={self.learning_rate!r} only works with loss "
                f"{self._passive_loss!r}, got {self.loss!r}"
            )
        if self.penalty == "elasticnet" and self.l1_ratio is None:
            raise ArgumentError(
                f"{name}: l1_ratio must be set when penalty is 'elasticnet'"
            )
        if self.power_t < 0:
            warnings.warn(
                "negative values of power_t are deprecated since scikit-learn 1.8",
                FutureWarning,
                stacklevel=5,
            )

    def _options(
        self, max_iter: int, positive: float = 1.0, negative: float = 1.0
    ) -> SGDOptions:
        return SGDOptions(
            loss=self.loss,
            penalty=self.penalty,
            alpha=float(self.alpha),
            l1_ratio=0.0 if self.l1_ratio is None else float(self.l1_ratio),
            fit_intercept=self.fit_intercept,
            max_iter=max_iter,
            tol=self.tol,
            shuffle=self.shuffle,
            epsilon=float(self.epsilon),
            learning_rate=self.learning_rate,
            eta0=float(self.eta0),
            power_t=float(self.power_t),
            n_iter_no_change=self.n_iter_no_change,
            average=int(self.average),
            positive=float(positive),
            negative=float(negative),
        )

    def _split(
        self, y: Array, weight: Array, stream: Generator
    ) -> tuple[Array | None, Array | None]:
        """Rows to learn from and rows to score, if it is to stop early."""
        if not self.early_stopping:
            return None, None
        seed = self.random_state
        if seed is None:
            seed = int(stream.integers(0, 2**31))
        kind = StratifiedShuffleSplit if self._stratified else ShuffleSplit
        split = kind(test_size=self.validation_fraction, random_state=seed)
        learned, held = next(split.split(np.zeros((len(y), 1)), y))
        if not np.any(weight[held]):
            raise DataError(
                "The sample weights for validation set are all zero, consider using a "
                "different random state."
            )
        return np.sort(learned), np.sort(held)

    def _run(
        self,
        X: Any,
        targets: list[Array],
        options: list[SGDOptions],
        weight: Array,
        split_by: Array,
        merit: Merit,
    ) -> None:
        """Go on with each state on its target; on the threads, if nobody listens."""
        stream = generator(self.random_state)
        learned, held = self._split(split_by, weight, stream)
        most = options[0].max_iter * len(targets)
        with self._tasks("epoch", X, split_by, most=most) as tasks:

            def each(coef: Array, intercept: float) -> bool:
                tasks.begin()
                return tasks.end()

            def one(i: int) -> None:
                def score(coef: Array, intercept: float) -> float:
                    scores = X[held] @ coef + intercept
                    return merit(targets[i][held], weight[held], scores)

                fit_sgd(
                    X,
                    targets[i],
                    self._states[i],
                    options[i],
                    weight=weight,
                    rows=learned,
                    generator=stream.derive(i),
                    score=score if held is not None else None,
                    each=each if tasks.listened else None,
                )

            def some(first: int, last: int) -> None:
                for i in range(first, last):
                    one(i)

            if tasks.listened:
                some(0, len(targets))
            else:
                in_parallel(len(targets), some)
        self._note(X.shape[0])

    def _note(self, n: int) -> None:
        """Counts and history, after all states have moved on."""
        self.n_iter_ = max(state.epochs for state in self._states)
        self.t_ += float(self.n_iter_ * n)
        curves = [state.losses for state in self._states]
        self.history_ = {
            "loss": [
                sum(curve[min(i, len(curve) - 1)] for curve in curves)
                for i in range(self.n_iter_)
            ]
        }

    def _keep(self, dtype: Any) -> None:
        """coef_ and intercept_ of shape (k, d) and (k,), averaged if it is time."""
        averaged = 0 < int(self.average) <= self.t_ - 1
        rows, levels = [], []
        for state in self._states:
            mean = state.mean_coef if averaged else None
            rows.append(state.coef if mean is None else mean)
            levels.append(state.intercept if mean is None else state.mean_intercept)
        self.coef_ = np.array(rows, dtype)
        self.intercept_ = np.array(levels, dtype)

    def _begin(
        self, shape: tuple[int, int], coef_init: Any, intercept_init: Any
    ) -> None:
        """States of shape[0] models of shape[1] columns, from zero or what is given."""
        k, d = shape
        coef, intercept = np.zeros(shape), np.zeros(k)
        if coef_init is not None:
            coef = np.asarray(coef_init, np.float64)
            if coef.shape != shape and not (k == 1 and coef.size == d):
                raise ArgumentError(
                    f"{type(self).__name__}: coef_init does not match dataset, shape "
                    f"{shape} was wanted, got {coef.shape}"
                )
        if intercept_init is not None:
            intercept = np.asarray(intercept_init, np.float64)
            if intercept.size != k:
                raise ArgumentError(
                    f"{type(self).__name__}: intercept_init does not match dataset, "
                    f"{k} numbers were wanted, got {intercept.size}"
                )
        pairs = zip(coef.reshape(shape), intercept.reshape(k), strict=True)
        self._states = [SGDState(row.copy(), float(level)) for row, level in pairs]

    def _resume(self) -> None:
        """States as the attributes say: a user may have changed them."""
        coef = np.asarray(self.coef_, np.float64).reshape(len(self._states), -1)
        for state, row, level in zip(self._states, coef, self.intercept_, strict=True):
            state.t = self.t_
            if not self.average:
                state.coef, state.intercept = row.copy(), float(level)

    def _warn(self) -> None:
        if self.tol is not None and self.n_iter_ == self.max_iter:
            warnings.warn(
                f"max_iter={self.max_iter} passes were not enough for tol={self.tol}; "
                "raise max_iter, or scale the columns of X",
                ConvergenceWarning,
                stacklevel=4,
            )
