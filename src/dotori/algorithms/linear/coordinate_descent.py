"""Lasso and elastic net: least squares with a price on the size of the coefficients.

Minimises, for centred columns and weights that sum to n,

    P(w) = ||y - X w||^2 / 2 + a sum |w_j| + b ||w||^2 / 2

(Tibshirani, J. Royal Statistical Society B 58 (1996), 267-288; Zou and Hastie, 67
(2005), 301-320). With all other coefficients fixed, the best w_j is

    S(x_j^T r + x_j^T x_j w_j, a) / (x_j^T x_j + b),  S(t, a) = sign(t) max(|t| - a, 0)

for the residual r = y - X w: `coordinate_descent` below is that formula and a loop.
`elastic_net_gram` keeps the slopes X^T r up to date by means of the Gram matrix, so a
sweep does not touch the rows. How far P is above its minimum is known at any time: at
most by the duality gap (Fercoq, Gramfort and Salmon, ICML 2015, equations 2 to 9).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from dotori.algorithms.linear.gram import Array, Float
from dotori.kernels.coordinate_descent import descend
from dotori.random import Generator

#: Sweeps between two looks at the gap.
_SWEEPS = 10
#: Coefficients up to which a system is solved for their best values.
_SOLVED = 500
#: Seconds that NumPy takes for one coefficient.
_SECONDS = 2e-6


def soft_threshold(t: Array, a: float | Array) -> Array:
    """sign(t) max(|t| - a, 0): what is left of t when a is the price of being nonzero.

    Examples
    --------
    >>> soft_threshold(np.array([-3.0, 0.5, 2.0]), 1.0).tolist()
    [-2.0, 0.0, 1.0]
    """
    left: Array = np.sign(t) * np.maximum(np.abs(t) - a, 0)
    return left


def coordinate_descent(
    x: Array, y: Array, l1: float, l2: float = 0.0, sweeps: int = 100
) -> Array:
    """Minimise ||y - x w||^2 / 2 + l1 sum |w_j| + l2 ||w||^2 / 2: the textbook's form.

    Parameters
    ----------
    x : array of shape (n, d)
        Centred columns, none of them constant.
    y : array of shape (n,)
    l1, l2 : float
    sweeps : int
        How often each coefficient is set to its best value.

    Examples
    --------
    >>> coordinate_descent(np.eye(2), np.array([3.0, 0.5]), l1=1.0).tolist()
    [2.0, 0.0]
    """
    w, residual = np.zeros(x.shape[1]), np.array(y, np.float64)
    for _ in range(sweeps):
        for j in range(x.shape[1]):
            column, before = x[:, j], w[j]
            curve = column @ column
            w[j] = soft_threshold(column @ residual + curve * before, l1) / (curve + l2)
            residual += column * (before - w[j])
    return w


@dataclass(frozen=True)
class Penalty:
    """What is asked for.

    Attributes
    ----------
    l1, l2 : float
        The prices a and b, for sums over the rows.
    positive : bool
        Only coefficients that are not negative.
    tolerance : float
        It ends when a sweep moves no coefficient by more than this share of the
        largest one, and the gap is at most this share of ||y||^2.
    max_iter : int
        The most sweeps.
    generator : dotori.random.Generator, optional
        Draws the coefficient to set next. By default they take turns.
    ended : callable
        Called where the gap is looked at; True ends the descent.
    """

    l1: float
    l2: float = 0.0
    positive: bool = False
    tolerance: float = 1e-4
    max_iter: int = 1000
    generator: Generator | None = None
    ended: Callable[[], bool] = lambda: False

    def price(self, w: Float) -> float:
        """What the coefficients cost."""
        return self.l1 * float(np.abs(w).sum()) + self.l2 * float(w @ w) / 2

    def gap(self, w: Float, slope: Float, square: float, along: float) -> float:
        """How far P(w) is above its minimum, at most.

        Parameters
        ----------
        w : array of shape (d,)
        slope : array of shape (d,)
            X^T r.
        square, along : float
            ||r||^2 and r^T y.
        """
        length = self.l2 * float(w @ w)
        if self.l1 == 0:
            uphill = np.maximum(slope, 0) if self.positive else slope
            steep = float(uphill @ uphill)
            if self.l2 == 0:
                return steep
            return square + length / 2 - along + steep / (2 * self.l2)
        pull = slope - self.l2 * w
        steepest = float((pull if self.positive else np.abs(pull)).max(initial=0.0))
        share = 1.0 if steepest <= self.l1 else self.l1 / steepest
        primal = (square + length) / 2 + self.l1 * float(np.abs(w).sum())
        return primal - share * along + share**2 * (square + length) / 2

    def moves(self, w: Float, slope: Float, curve: Float) -> Float:
        """How far each coefficient would go if it alone moved; `curve` is x_j^T x_j."""
        steep = curve + self.l2
        pull = slope + curve * w
        best = soft_threshold(pull, self.l1)
        if self.positive:
            best = np.maximum(best, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(steep > 0, np.abs(best / steep - w), 0.0)


@dataclass
class Fit:
    """A solution and how it was found.

    Attributes
    ----------
    w : array of shape (d,)
    gap : float
        The duality gap at the end.
    sweeps : int
    converged : bool
    history : dict
        ``"iteration"``, ``"objective"`` and ``"dual_gap"`` where it was looked at.
    """

    w: Float
    gap: float = np.inf
    sweeps: int = 0
    converged: bool = False
    history: dict[str, list[float]] = field(
        default_factory=lambda: {"iteration": [], "objective": [], "dual_gap": []}
    )

    def note(self, gap: float, objective: float) -> None:
        """Keep where it stands."""
        self.gap = gap
        for name, value in zip(
            self.history, (self.sweeps, objective, gap), strict=True
        ):
            self.history[name].append(value)


def elastic_net_gram(
    gram: Float,
    cross: Float,
    square: float,
    penalty: Penalty,
    start: Float | None = None,
) -> Fit:
    """Minimise P(w), given X^T X, X^T y and ||y||^2.

    Parameters
    ----------
    gram : array of shape (d, d)
    cross : array of shape (d,)
    square : float
    penalty : Penalty
    start : array of shape (d,), optional
        Where to begin, by default zeros.

    Examples
    --------
    >>> fit = elastic_net_gram(np.eye(2), np.array([3.0, 0.5]), 9.25, Penalty(l1=1.0))
    >>> fit.w.tolist(), fit.converged
    ([2.0, 0.0], True)
    """
    w = np.zeros(len(cross)) if start is None else np.array(start, np.float64)
    fit, inner = Fit(w), penalty.tolerance
    gram, slope = np.ascontiguousarray(gram, np.float64), cross - gram @ w
    done = np.zeros(3)
    while True:
        left = penalty.max_iter - fit.sweeps
        few = min(_SWEEPS, left)
        order = _order(len(w), few, penalty.generator)
        seconds = _SECONDS * len(w) * max(100, fit.sweeps)
        _run(w, slope, gram, penalty, order, few, inner, done, seconds)
        fit.sweeps += int(done[0])
        settled = bool(done[1] <= inner * done[2])
        if settled:
            slope = cross - gram @ w  # without what rounding has added up
        residual = square - float(w @ cross) - float(w @ slope)
        along = square - float(w @ cross)
        gap = penalty.gap(w, slope, max(residual, 0.0), along)
        fit.note(gap, residual / 2 + penalty.price(w))
        # Below the last bits of ||y||^2, a gap is rounding, and may be negative.
        small = gap <= max(penalty.tolerance, 1e-15 * len(w)) * square
        at_end = fit.sweeps >= penalty.max_iter or not done[1]
        fit.converged = small and (settled or at_end)
        if fit.converged or at_end or penalty.ended():
            fit.gap = max(gap, 0.0)
            return fit
        if settled:
            inner /= 4
        w += _step(w, slope, gram, penalty)
        slope = cross - gram @ w


def _run(
    w: Float,
    slope: Float,
    gram: Float,
    penalty: Penalty,
    order: Array,
    sweeps: int,
    inner: float,
    done: Float,
    seconds: float,
) -> None:
    prices = float(penalty.l1), float(penalty.l2), penalty.positive
    descend.run(seconds, w, slope, gram, *prices, order, sweeps, float(inner), done)


def _step(w: Float, slope: Float, gram: Float, penalty: Penalty) -> Float:
    """The step to the minimum of P over the coefficients that are not zero.

    As long as they keep their signs, P is a parabola, and its minimum a linear system.
    Where one would change its sign, the step ends there. It is what many sweeps come
    to, where columns are much alike.
    """
    step, used = np.zeros(len(w)), np.flatnonzero(w)
    if not 0 < len(used) <= _SOLVED:
        return step
    matrix = gram[np.ix_(used, used)] + penalty.l2 * np.eye(len(used))
    now, signs = w[used], np.sign(w[used])
    down = slope[used] - penalty.l2 * now - penalty.l1 * signs
    try:
        there = np.linalg.solve(matrix, down)
    except np.linalg.LinAlgError:
        return step
    if not there @ down > 0:  # rounding is all that is left, or has taken over
        return step
    beyond = (now + there) * signs < 0
    share = np.min(-now[beyond] / there[beyond], initial=1.0)
    step[used] = share * there
    ends = beyond & (now + share * there == 0)
    step[used[ends]] = -now[ends]
    return step


def _order(d: int, sweeps: int, generator: Generator | None) -> Array:
    if generator is None:
        return np.arange(d)[np.newaxis]
    return np.asarray(generator.integers(0, d, (max(sweeps, 1), d)))
