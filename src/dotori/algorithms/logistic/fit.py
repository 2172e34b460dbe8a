"""`fit_logistic`: the minimum of the penalised loss, by the method that suits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.lbfgs import Minimum, minimise
from dotori.algorithms.logistic.loss import LogisticLoss
from dotori.algorithms.logistic.model import LogisticModel
from dotori.algorithms.logistic.start import inverse_at_zero

Array = NDArray[Any]
Float = NDArray[np.float64]
Each = Callable[[Float, float], bool]

_SAMPLED = 4  # the first steps look at one block of rows in so many
_EARLY = 0.6  # of the steps, at most
_MANY_BLOCKS = 16
_MANY_STEPS = 8
_OVERFITTED = 0.005
_FLOAT32_NOISE = 4e-7


@dataclass(frozen=True)
class LogisticFit:
    """What `fit_logistic` has found.

    Attributes
    ----------
    theta : array of shape (rows, d + 1)
        Weights and intercepts; one row for two classes. (rows, d) without intercept.
    intercept : bool
    iterations : int
    losses : list of float
        The penalised mean loss at the start and after each step.
    converged : bool
        False if the steps were used up.
    finite : bool
        False if the rows held infinities or NaN, or values too large for the loss.
    """

    theta: Float
    intercept: bool
    iterations: int
    losses: list[float]
    converged: bool
    finite: bool

    @property
    def model(self) -> LogisticModel:
        """What predicts."""
        d = self.theta.shape[1] - self.intercept
        level = self.theta[:, d] if self.intercept else np.zeros(len(self.theta))
        return LogisticModel(self.theta[:, :d], level)


def fit_logistic(
    x: Any,
    y: NDArray[np.integer[Any]],
    num_classes: int,
    *,
    weight: Array | None = None,
    l2: float = 0.0,
    l1: float = 0.0,
    intercept: bool = True,
    intercept_l2: float = 0.0,
    intercept_l1: float = 0.0,
    method: str = "lbfgs",
    start: Array | None = None,
    max_iter: int = 100,
    tolerance: float = 1e-4,
    each: Each | None = None,
) -> LogisticFit:
    """Minimise the weighted mean of -log p(y_i | x_i) + l2/2 ||W||^2 + l1 ||W||_1.

    Parameters
    ----------
    x : array or sparse CSR matrix of shape (n, d)
        float32 or float64.
    y : int array of shape (n,)
        Class numbers 0, ..., k - 1.
    num_classes : int
    weight : array of shape (n,), optional
        Weights of the rows; the penalties are those of the mean loss.
    l2, l1 : float
        The weights of the penalties of W.
    intercept : bool
    intercept_l2, intercept_l1 : float
        The weights of penalties of the intercept.
    method : {"lbfgs", "newton", "newton-cg"}
        How a smooth loss is minimised. "newton" solves with the whole Hessian,
        "newton-cg" by conjugate gradients without forming it. With `l1`, the methods of
        `proximal` are used.
    start : array of shape (rows, d + 1), optional
    max_iter : int
    tolerance : float
        It ends when no component of the gradient exceeds this.
    each : callable, optional
        Called with the point and the loss after each step; True ends it.

    Examples
    --------
    >>> x = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> fit = fit_logistic(x, np.array([0, 0, 1, 1]), 2, l2=0.25)
    >>> fit.model.predict(x).argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """
    loss = LogisticLoss(x, y, num_classes, weight, l2, intercept, intercept_l2)
    first = np.zeros(loss.shape) if start is None else np.array(start, np.float64)
    if l1 or intercept_l1:
        from dotori.algorithms.logistic.l1 import minimise_l1

        found = minimise_l1(
            loss, first, l1, intercept_l1, max_iter, tolerance, each, noise(loss)
        )
    elif method == "lbfgs":
        found = _lbfgs(loss, first.ravel(), max_iter, tolerance, each)
    else:
        from dotori.algorithms.logistic.newton import newton

        direct = method == "newton"
        found = newton(loss, first, max_iter, tolerance, direct, each, noise(loss))
    return LogisticFit(
        found.point.reshape(loss.shape),
        intercept,
        found.iterations,
        found.values,
        found.reason != "iterations",
        bool(np.isfinite(found.value + found.gradient.sum())),
    )


def noise(loss: LogisticLoss) -> float:
    """Which part of the loss is rounding."""
    single = loss.x.dtype == np.float32
    return _FLOAT32_NOISE if single else 4 * float(np.finfo(np.float64).eps)


def _lbfgs(
    loss: LogisticLoss,
    start: Float,
    max_iter: int,
    tolerance: float,
    each: Each | None,
) -> Minimum:
    """L-BFGS from the inverse Hessian at W = 0.

    On many rows, up to three steps in five are made on a quarter of them. That ends
    where the next one would gain less than the choice of rows makes uncertain: on m
    rows, p parameters lower the loss by p / 2m that is not there on others.
    """
    run = partial(
        minimise,
        tolerance=tolerance,
        inverse=inverse_at_zero(loss),
        noise=noise(loss),
        each=each,
    )
    before: list[float] = []
    pairs: Any = ()
    if len(loss.blocks) >= _MANY_BLOCKS and max_iter >= _MANY_STEPS:
        some = loss.sampled(_SAMPLED)
        least = _OVERFITTED * start.size / some.count
        found = run(some, start, int(_EARLY * max_iter), decrement=least)
        if found.reason == "stopped":
            return found
        start, pairs, before = found.point, found.pairs, found.values[:-1]
        max_iter -= found.iterations
    found = run(loss, start, max_iter, pairs=pairs)
    values = [*before, *found.values]
    return replace(found, iterations=found.iterations + len(before), values=values)
