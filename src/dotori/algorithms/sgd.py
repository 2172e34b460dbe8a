"""Stochastic gradient descent for linear models: one row, one step.

The textbook is `sgd_descent`. `fit_sgd` makes the same steps with every loss, penalty
and learning rate that scikit-learn has, by a kernel, and knows when to stop.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms._stored import storable
from dotori.errors import ArgumentError, DataError
from dotori.kernels import sgd as kernel
from dotori.random import Generator

Array = NDArray[Any]
Float = NDArray[np.float64]
Score = Callable[[Float, float], float]
Each = Callable[[Float, float], bool]

LOSSES = {
    "hinge": kernel.HINGE,
    "perceptron": kernel.HINGE,
    "squared_hinge": kernel.SQUARED_HINGE,
    "log_loss": kernel.LOG,
    "modified_huber": kernel.MODIFIED_HUBER,
    "squared_error": kernel.SQUARED,
    "huber": kernel.HUBER,
    "epsilon_insensitive": kernel.INSENSITIVE,
    "squared_epsilon_insensitive": kernel.SQUARED_INSENSITIVE,
}
RATES = {
    "constant": kernel.CONSTANT,
    "optimal": kernel.OPTIMAL,
    "invscaling": kernel.INVSCALING,
    "adaptive": kernel.ADAPTIVE,
    "pa1": kernel.PASSIVE1,
    "pa2": kernel.PASSIVE2,
}
PENALTIES = ("l2", "l1", "elasticnet", None)

_SPARSE_DECAY = 0.01
_LEAST_RATE = 1e-6
_TWIN_SECONDS = 1e-5  # of a row
_LIKELY_EPOCHS = 10


def sgd_descent(
    x: Array,
    y: Array,
    slope: Callable[[float, float], float],
    *,
    alpha: float = 1e-4,
    rate: Callable[[int], float] = lambda t: 0.01,
    epochs: int = 5,
) -> tuple[Float, float]:
    """Stochastic gradient descent on sum_i L(y_i, x_i . w + b) / n + alpha/2 ||w||^2.

    For each row in turn, w <- w - eta_t (L'(y, x . w + b) x + alpha w), and b likewise
    without the penalty (Robbins and Monro, Ann. Math. Stat. 22 (1951), 400-407).

    Parameters
    ----------
    x : array of shape (n, d)
    y : array of shape (n,)
    slope : callable
        L', the derivative of the loss by the score, of (y, score).
    alpha : float
        The weight of the penalty.
    rate : callable
        eta_t for t = 1, 2, ...
    epochs : int
        Passes over the rows.

    Returns
    -------
    w : array of shape (d,)
    b : float

    Examples
    --------
    Least squares: L' is the error.

    >>> x = np.array([[0.0], [1.0], [2.0]])
    >>> w, b = sgd_descent(x, 2 * x[:, 0] + 1, lambda y, s: s - y, alpha=0.0,
    ...                    rate=lambda t: 0.2, epochs=200)
    >>> w.round(4).tolist(), round(b, 4)
    ([2.0], 1.0)
    """
    w, b, t = np.zeros(x.shape[1]), 0.0, 0
    for _ in range(epochs):
        for row, target in zip(x, y, strict=True):
            t += 1
            g = slope(float(target), float(row @ w) + b)
            w = w - rate(t) * (g * row + alpha * w)
            b = b - rate(t) * g
    return w, b


@storable
@dataclass
class SGDState:
    """Weights and what the steps carry along: a fit begins from one and changes it.

    Attributes
    ----------
    coef : array of shape (d,)
    intercept : float
    mean_coef, mean_intercept
        The average over steps, where asked for.
    t : float
        The number of the next step, from 1.
    averaged : float
        Over how many steps the average goes.
    epochs : int
        Passes made by the last fit.
    losses : list of float
        The mean objective over each of its passes.
    converged : bool
        Whether it has ended before `max_iter`.

    Examples
    --------
    >>> SGDState(np.zeros(2)).t
    1.0
    """

    coef: Float
    intercept: float = 0.0
    mean_coef: Float | None = None
    mean_intercept: float = 0.0
    t: float = 1.0
    averaged: float = 0.0
    epochs: int = 0
    losses: list[float] = field(default_factory=list)
    converged: bool = False


@dataclass(frozen=True)
class SGDOptions:
    """What is minimised and how. The names are those of scikit-learn's parameters.

    `average` is the first step that the average takes in, 0 for none; `positive` and
    `negative` are weights of the two classes; `tol` None is a fit of `max_iter` passes.

    Examples
    --------
    >>> SGDOptions("log_loss").first_step  # t_0 of the rate 1 / (alpha (t_0 + t - 1))
    1000.0
    """

    loss: str
    penalty: str | None = "l2"
    alpha: float = 1e-4
    l1_ratio: float = 0.15
    fit_intercept: bool = True
    max_iter: int = 1000
    tol: float | None = 1e-3
    shuffle: bool = True
    epsilon: float = 0.1
    learning_rate: str = "optimal"
    eta0: float = 0.01
    power_t: float = 0.5
    n_iter_no_change: int = 5
    average: int = 0
    positive: float = 1.0
    negative: float = 1.0

    @property
    def margin(self) -> float:
        """Where the loss has its corner."""
        code = LOSSES[self.loss]
        if code in (kernel.HINGE, kernel.SQUARED_HINGE):
            return 0.0 if self.loss == "perceptron" else 1.0
        return self.epsilon

    @property
    def first_step(self) -> float:
        """t_0 of the "optimal" rate: the first step is about the size of the weights.

        Bottou's heuristic: their typical size is alpha^(-1/4).
        """
        if self.learning_rate != "optimal":
            return 0.0
        if not self.alpha > 0:
            raise ArgumentError(
                "SGD: alpha must be > 0 for learning_rate='optimal', which divides by "
                f"it, got {self.alpha!r}; take another learning_rate"
            )
        typical = math.sqrt(1.0 / math.sqrt(self.alpha))
        code = LOSSES[self.loss]
        about = (
            kernel.margin_loss
            if code <= kernel.MODIFIED_HUBER
            else kernel.distance_loss
        )
        slope = float(about(code, self.margin, 1.0, -typical)[1])
        return max(1.0, slope) / (typical * self.alpha)

    def numbers(self, decay: float) -> Float:
        """The kernel's `numbers`."""
        ratio = {"l1": 1.0, "elasticnet": self.l1_ratio}.get(str(self.penalty), 0.0)
        about = {
            kernel.ALPHA: self.alpha,
            kernel.RATIO: ratio,
            kernel.ETA0: self.eta0,
            kernel.POWER: self.power_t,
            kernel.FIRST: self.first_step,
            kernel.MARGIN: self.margin,
            kernel.POSITIVE: self.positive,
            kernel.NEGATIVE: self.negative,
            kernel.AVERAGE: self.average,
            kernel.DECAY: decay if self.fit_intercept else 0.0,
            kernel.L2: self.penalty in ("l2", "elasticnet"),
        }
        return np.array([about[i] for i in range(len(about))], np.float64)


def fit_sgd(
    x: Any,
    y: Array,
    state: SGDState,
    options: SGDOptions,
    *,
    weight: Array | None = None,
    rows: NDArray[np.integer[Any]] | None = None,
    generator: Generator | None = None,
    score: Score | None = None,
    each: Each | None = None,
) -> SGDState:
    """Go over the rows until the objective falls no further; `state` is changed.

    It ends after `n_iter_no_change` passes in a row that did not lower the best mean
    objective by `tol`, or raise the best `score` by it; the rate "adaptive" is divided
    by 5 instead, until it is below 1e-6.

    Parameters
    ----------
    x : array or sparse CSR matrix of shape (n, d)
    y : array of shape (n,)
        Amounts, or -1 and 1.
    state : SGDState
        Where to begin.
    options : SGDOptions
    weight : array of shape (n,), optional
        Weights of the rows.
    rows : int array, optional
        The rows to learn from; all by default.
    generator : Generator, optional
        Shuffles the rows before each pass; needed for `options.shuffle`.
    score : callable, optional
        A figure of merit of (coef, intercept) after each pass, for early stopping.
    each : callable, optional
        Called with coef and intercept after each pass; True ends it.

    Raises
    ------
    DataError
        If the weights have become infinite.

    Examples
    --------
    >>> x, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([-1, -1, 1, 1])
    >>> state = fit_sgd(x, y, SGDState(np.zeros(1)), SGDOptions("hinge", shuffle=False))
    >>> bool((np.sign(x[:, 0] * state.coef[0] + state.intercept) == y).all())
    True
    """
    passes = _Passes(x, y, state, options, weight, rows, generator)
    best, idle = math.inf, 0
    state.losses, state.converged = [], False
    for epoch in range(1, options.max_iter + 1):
        objective = passes.run()
        state.epochs = epoch
        state.losses.append(objective)
        now = objective if score is None else -score(*passes.weights())
        if each is not None and each(*passes.weights()):
            break
        enough = options.tol is None or now <= best - options.tol
        idle = 0 if enough else idle + 1
        best = min(best, now)
        if idle < options.n_iter_no_change:
            continue
        if options.learning_rate == "adaptive" and passes.slower():
            idle = 0
            continue
        state.converged = True
        break
    passes.finish()
    return state


class _Passes:
    """The arrays of a kernel, and a pass over the rows."""

    def __init__(
        self,
        x: Any,
        y: Array,
        state: SGDState,
        options: SGDOptions,
        weight: Array | None,
        rows: Any,
        generator: Generator | None,
    ) -> None:
        n, d = x.shape
        self.first = True
        self.state, self.options, self.generator = state, options, generator
        sparse = not isinstance(x, np.ndarray)
        self.numbers = options.numbers(_SPARSE_DECAY if sparse else 1.0)
        self.square = _row_squares(x)
        self.order = np.arange(n) if rows is None else np.asarray(rows)
        self.learned = max(len(self.order), 1)
        if options.learning_rate == "pa1":  # a step over ||x||^2 = 0 is none
            self.order = self.order[self.square[self.order] > 0]
        self.v = np.array(state.coef, np.float64)
        penalised = self.numbers[kernel.RATIO] > 0
        self.q = np.zeros(d if penalised else 0)
        self.z = np.zeros(d if options.average else 0)
        if options.average and state.mean_coef is not None:
            self.z -= state.averaged * state.mean_coef
        self.known = np.zeros(11)
        self._begin()
        weights = np.ones(n) if weight is None else np.asarray(weight, np.float64)
        rest = (np.asarray(y, np.float64), weights, self.square)
        self.kernel = kernel.sgd_sparse if sparse else kernel.sgd_dense
        matrix = (x.data, x.indices, x.indptr) if sparse else (np.ascontiguousarray(x),)
        self.matrix, self.rest = matrix, rest
        self.codes = (LOSSES[options.loss], RATES[options.learning_rate])

    def _begin(self) -> None:
        known, state = self.known, self.state
        known[kernel.INTERCEPT], known[kernel.T] = state.intercept, state.t
        known[kernel.SCALE], known[kernel.ETA] = 1.0, self.options.eta0
        known[kernel.SQUARES] = self.v @ self.v
        known[kernel.ABSOLUTES] = np.abs(self.v).sum()
        known[kernel.COUNT], known[kernel.MEAN] = state.averaged, state.mean_intercept

    def run(self) -> float:
        """One pass; the mean objective over its rows."""
        order = self.order
        if self.options.shuffle and self.generator is not None:
            order = order[self.generator.permutation(len(order))]
        self.known[kernel.OBJECTIVE] = 0.0
        likely = min(self.options.max_iter, _LIKELY_EPOCHS) if self.first else 1
        seconds, self.first = len(order) * likely * _TWIN_SECONDS, False
        rest = [values[order] for values in self.rest]
        held = (order, self.v, self.z, self.q, self.known, self.numbers)
        with np.errstate(all="ignore"):
            self.kernel.run(seconds, *self.matrix, *rest, *held, *self.codes)
        if not np.isfinite(self.known[kernel.INTERCEPT] + self.v.sum()):
            raise DataError(
                "SGD: floating-point under-/overflow occurred, the weights are not "
                "finite; scale the columns of x, or take a smaller eta0"
            )
        return float(self.known[kernel.OBJECTIVE]) / self.learned

    def slower(self) -> bool:
        """Divide the rate by 5, unless it is tiny already."""
        if not self.known[kernel.ETA] > _LEAST_RATE:
            return False
        self.known[kernel.ETA] /= 5
        return True

    def weights(self) -> tuple[Float, float]:
        """The weights now."""
        coef = self.v * self.known[kernel.SCALE]
        return coef, float(self.known[kernel.INTERCEPT])

    def finish(self) -> None:
        """Put the weights and averages into the state."""
        state, known = self.state, self.known
        state.coef, state.intercept = self.weights()
        state.t, state.averaged = float(known[kernel.T]), float(known[kernel.COUNT])
        if self.options.average and state.averaged:
            state.mean_coef = (known[kernel.SUM] * self.v - self.z) / state.averaged
            state.mean_intercept = float(known[kernel.MEAN])


def _row_squares(x: Any) -> Float:
    """||x_i||^2 of each row, of shape (n,)."""
    if isinstance(x, np.ndarray):
        squares: Float = np.einsum("ij,ij->i", x, x, dtype=np.float64)
        return squares
    data = x.data.astype(np.float64)
    rows = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
    return np.bincount(rows, data * data, x.shape[0]).astype(np.float64)
