"""Logistic regression with an L1 penalty, whose minimum has weights that are zero.

The penalty has no gradient at zero, so each step minimises a model of the loss plus the
penalty itself. Few weights: the quadratic with the true Hessian, by coordinate descent
(proximal Newton; Lee, Sun and Saunders, SIAM J. Optim. 24 (2014), 1420-1443). Many: a
quadratic with a diagonal Hessian, which has a closed form, with momentum (FISTA; Beck
and Teboulle, SIAM J. Imaging Sci. 2 (2009), 183-202).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.lbfgs import Minimum
from dotori.algorithms.linear.coordinate_descent import soft_threshold
from dotori.algorithms.logistic.loss import LogisticLoss
from dotori.algorithms.logistic.newton import hessian, solve_hessian
from dotori.algorithms.logistic.start import squares
from dotori.kernels.logistic import quadratic_lasso

Float = NDArray[np.float64]
Each = Callable[[Float, float], bool]

_FEW = 1000  # weights
_WORK = 4e10  # multiplications for a Hessian
_SWEEPS = 3
_ROUNDS = 50
_IDLE = 3
_TWIN_SECONDS = 2e-6  # of a coordinate
_DECREASE = 1e-4


def subgradient(point: Float, gradient: Float, level: Float) -> Float:
    """The shortest subgradient of loss + sum_j level_j |w_j|: zero at the minimum.

    Examples
    --------
    >>> point, gradient = np.array([0.0, 0.0, 2.0]), np.array([0.5, 3.0, -1.0])
    >>> subgradient(point, gradient, np.ones(3)).tolist()
    [0.0, 2.0, 0.0]
    """
    moved = gradient + level * np.sign(point)
    return np.where(point != 0, moved, soft_threshold(gradient, level))


def minimise_l1(
    loss: LogisticLoss,
    start: Float,
    l1: float,
    intercept_l1: float = 0.0,
    max_iter: int = 100,
    tolerance: float = 1e-4,
    each: Each | None = None,
    noise: float = 1e-15,
) -> Minimum:
    """Minimise loss + l1 ||W||_1 + intercept_l1 ||b||_1.

    Parameters
    ----------
    loss : LogisticLoss
    start : array of shape (rows, columns)
    l1, intercept_l1 : float
    max_iter : int
    tolerance : float
        It ends when no component of the shortest subgradient exceeds this.
    each : callable, optional
        Called with the point and the value after each step; True ends it.
    noise : float
        Changes of the value by less than this part of it are rounding.

    Examples
    --------
    Three of four rows agree with x. The minimum is where the gradient, p - 3/4, is -l1.

    >>> loss = LogisticLoss(np.ones((4, 1)), np.array([0, 1, 1, 1]), 2, intercept=False)
    >>> fit = lambda l1: minimise_l1(loss, np.zeros((1, 1)), l1, tolerance=1e-8).point
    >>> w = np.concatenate([fit(l1) for l1 in (0.0, 0.1, 0.25)])
    >>> (1 / (1 + np.exp(-w))).round(6).tolist()
    [0.75, 0.65, 0.5]
    """
    level = np.full(loss.shape, l1)
    if loss.intercept:
        level[:, -1] = intercept_l1
    pairs = loss.rows * (loss.rows + 1) / 2
    work = pairs * loss.count * loss.shape[1] ** 2
    small = start.size <= _FEW and work <= _WORK
    method = _ProximalNewton if small else _Fista
    run = method(loss, start.ravel(), level.ravel(), tolerance, noise)
    values, idle, reason = [run.value], 0, "iterations"
    while reason == "iterations":
        if np.abs(run.rest()).max(initial=0.0) <= tolerance:
            reason = "gradient"
        elif idle >= _IDLE or not np.isfinite(run.value + run.gradient.sum()):
            reason = "flat"
        if reason != "iterations" or len(values) > max_iter:
            break
        run.step()
        gained = values[-1] - run.value > noise * abs(run.value)
        idle = 0 if gained else idle + 1
        values.append(run.value)
        if each is not None and each(run.point, run.value):
            reason = "stopped"
    point = _centred(loss, start, run.point) if not intercept_l1 else run.point
    steps = len(values) - 1
    return Minimum(
        point, run.value, run.gradient, steps, run.evaluations, values, reason
    )


def _centred(loss: LogisticLoss, start: Float, point: Float) -> Float:
    """Intercepts whose mean is the start's: for k > 2 the loss leaves it open."""
    if loss.rows == 1 or not loss.intercept:
        return point
    theta = point.reshape(loss.shape).copy()
    theta[:, -1] -= theta[:, -1].mean() - start[:, -1].mean()
    return theta.ravel()


class _Method:
    """A point with its value (penalty included) and the gradient of the loss there."""

    def __init__(
        self, loss: LogisticLoss, start: Float, level: Float, tol: float, noise: float
    ) -> None:
        self.loss, self.level, self.tolerance, self.noise = loss, level, tol, noise
        self.evaluations = 0
        self.move(start, *self.evaluate(start))

    def evaluate(self, point: Float) -> tuple[float, Float]:
        self.evaluations += 1
        value, gradient = self.loss(point)
        return value + float(self.level @ np.abs(point)), gradient

    def move(self, point: Float, value: float, gradient: Float) -> None:
        self.point, self.value, self.gradient = point, value, gradient

    def rest(self) -> Float:
        return subgradient(self.point, self.gradient, self.level)

    def step(self) -> None:
        raise NotImplementedError


class _ProximalNewton(_Method):
    """Steps to the minimum of the quadratic model plus the penalty, then a line search.

    The model is solved the more exactly the nearer the end is.
    """

    def target(self) -> Float:
        """The minimum of the model: sweeps, and the system of what is not zero."""
        matrix = hessian(self.loss, self.point)
        target, slope = self.point.copy(), self.gradient.copy()
        goal = 0.01 * max(float(np.abs(self.rest()).max()), self.tolerance)
        seconds = _SWEEPS * len(target) * _TWIN_SECONDS
        largest = np.zeros(1)
        for _ in range(_ROUNDS):
            quadratic_lasso.run(
                seconds, matrix, slope, target, self.level, largest, _SWEEPS, goal
            )
            _solve_signs(matrix, slope, target, self.level)
            if np.abs(subgradient(target, slope, self.level)).max() <= goal:
                break
        return target

    def step(self) -> None:
        target = self.target()
        direction = target - self.point
        promised = float(self.gradient @ direction) + float(
            self.level @ (np.abs(target) - np.abs(self.point))
        )
        size = 1.0
        for _ in range(30):
            point = target if size == 1 else self.point + size * direction
            value, gradient = self.evaluate(point)
            slack = self.noise * abs(self.value)
            if value <= self.value + _DECREASE * size * promised + slack:
                self.move(point, value, gradient)
                return
            size /= 2


def _solve_signs(matrix: Float, slope: Float, target: Float, level: Float) -> None:
    """Bring the weights that are not zero to their minimum, if their signs stay.

    Where signs change on the way, it ends at the best of the places where a weight
    becomes zero, which it stays (the feature-sign search of Lee et al., NIPS 2006).
    `target` and its `slope` are changed in place.
    """
    free = (target != 0) | (level == 0)
    pull = (slope + level * np.sign(target))[free]
    move = np.zeros_like(target)
    move[free] = -solve_hessian(matrix[np.ix_(free, free)], pull)
    crossed = (np.sign(target + move) != np.sign(target)) & (target != 0) & (level > 0)
    where = np.full(target.shape, np.inf)
    where[crossed] = -target[crossed] / move[crossed]
    shares = np.append(np.unique(where[crossed]), 1.0)
    curved = matrix @ move
    along = float(slope @ move) * shares + float(move @ curved) / 2 * shares**2
    absolute = np.abs(target[:, np.newaxis] + move[:, np.newaxis] * shares)
    values = along + level @ absolute
    best = int(values.argmin())
    if not values[best] < level @ np.abs(target):
        return
    target += shares[best] * move
    target[where == shares[best]] = 0.0
    slope += shares[best] * curved


class _Fista(_Method):
    """Proximal gradient steps with momentum, scaled by the columns' curvatures.

    The momentum begins anew whenever it leads uphill (O'Donoghue and Candes, Found.
    Comput. Math. 15 (2015), 715-732).
    """

    def __init__(
        self, loss: LogisticLoss, start: Float, level: Float, tol: float, noise: float
    ) -> None:
        super().__init__(loss, start, level, tol, noise)
        self.scale, self.bound, self.age = squares(loss).ravel() + loss.l2, 1.0, 1.0
        self.ahead = (self.point, self.value - self._penalty(start), self.gradient)

    def _penalty(self, point: Float) -> float:
        return float(self.level @ np.abs(point))

    def step(self) -> None:
        place, value, slope = self.ahead
        for _ in range(60):
            curvature = self.bound * self.scale
            point = soft_threshold(place - slope / curvature, self.level / curvature)
            change = point - place
            new_value, gradient = self.evaluate(point)
            model = value + slope @ change + curvature @ (change * change) / 2
            slack = self.noise * abs(value)
            if new_value - self._penalty(point) <= model + slack:
                break
            self.bound *= 2
        self.bound *= 0.95
        uphill = (place - point) @ (point - self.point) > 0
        age = 1.0 if uphill else (1 + np.sqrt(1 + 4 * self.age**2)) / 2
        share = 0.0 if uphill else (self.age - 1) / age
        place = point + share * (point - self.point)
        self.age = age
        self.move(point, new_value, gradient)
        if share:
            self.evaluations += 1
            self.ahead = (place, *self.loss(place))
        else:
            self.ahead = (point, new_value - self._penalty(point), gradient)
