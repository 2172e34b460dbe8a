"""`elastic_net`: coordinate descent for tables of any shape, dense or sparse.

With few columns, one pass over the rows gives the Gram matrix, and the rest is
`coordinate_descent.elastic_net_gram`. With many columns, most coefficients are zero in
the end, and their part of the Gram matrix is never asked for: a set of columns that
matter is solved by itself, then all slopes X^T r are looked at, and the columns that
would move most join the set (Massias, Gramfort and Salmon, Celer: a fast solver for the
Lasso with dual extrapolation, ICML 2018, section 4). A set that may not hold all
coefficients that are not zero makes this descent by blocks of coordinates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dotori.algorithms.linear.coordinate_descent import Fit, Penalty, elastic_net_gram
from dotori.algorithms.linear.gram import (
    Array,
    Float,
    as_columns,
    column_moments,
    moments,
)
from dotori.algorithms.linear.krylov import Columns
from dotori.algorithms.linear.least_squares import LinearModel, linear
from dotori.errors import ArgumentError, DataError
from dotori.random import Generator

#: Columns and multiplications up to which the whole Gram matrix costs little.
_FEW, _PRODUCTS = 100, 1 << 31
#: The sizes of sets of columns.
_FIRST, _LARGEST = 100, 2000


def _never() -> bool:
    return False


class Net(NamedTuple):
    """What `elastic_net` finds.

    Attributes
    ----------
    model : LinearModel
    fits : list of Fit
        For each target; gaps and objectives are sums over the rows.
    """

    model: LinearModel
    fits: list[Fit]


def elastic_net(
    x: Any,
    y: ArrayLike,
    alpha: float = 1.0,
    l1_ratio: float = 0.5,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    positive: bool = False,
    tolerance: float = 1e-4,
    max_iter: int = 1000,
    start: ArrayLike | None = None,
    generator: Generator | None = None,
    gram: ArrayLike | bool = False,
    ended: Callable[[], bool] = _never,
) -> Net:
    """Minimise the mean squared error / 2 and a price on the coefficients' size.

    (1 / 2) sum_i w_i (y_i - x_i @ b - c)^2 / sum_i w_i
    + alpha l1_ratio sum |b_j| + alpha (1 - l1_ratio) ||b||^2 / 2

    Parameters
    ----------
    x : array or sparse matrix of shape (n, d)
    y : array of shape (n,) or (n, k)
        Each target is a problem of its own.
    alpha, l1_ratio : float
        The price, and the share of it that is for |b|.
    sample_weight : array of shape (n,), optional
        Weights w of the rows.
    fit_intercept : bool
        Whether there is a c.
    positive : bool
        Only b >= 0 is allowed.
    tolerance, max_iter
        See `Penalty`.
    start : array of shape (d,) or (k, d), optional
        Where to begin.
    generator : dotori.random.Generator, optional
        Draws which coefficient is set next; by default they take turns.
    gram : bool or array of shape (d, d)
        The Gram matrix of the centred rows with weights that sum to n, or whether it is
        made in any case.
    ended : callable
        Asked where the gap is looked at; True ends the fit.

    Raises
    ------
    DataError
        If there are NaN or infinities, or squares that overflow.

    Examples
    --------
    >>> x = np.array([[-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
    >>> found = elastic_net(x, 3 * x[:, 0] + 5, alpha=1.0, l1_ratio=1.0)
    >>> found.model.coef.round(6).tolist(), round(found.model.intercept, 6)
    ([2.0, 0.0], 5.0)
    """
    targets = as_columns(y)
    (n, d), k = x.shape, targets.shape[1]
    weight = None
    if sample_weight is not None:
        weight = np.asarray(sample_weight, np.float64)
        weight = weight * (n / weight.sum())
    price = alpha * n
    penalty = Penalty(
        price * l1_ratio,
        price * (1 - l1_ratio),
        positive,
        tolerance,
        max_iter,
        generator,
        ended,
    )
    first = np.zeros((k, d)) if start is None else np.reshape(start, (k, d))
    problem = _problem(x, targets, weight, fit_intercept, gram)
    fits = [problem.solve(i, penalty, first[i]) for i in range(k)]
    slopes = np.column_stack([fit.w for fit in fits])
    return Net(linear(slopes, problem.mean_x, problem.mean_y, np.ndim(y)), fits)


class Path(NamedTuple):
    """What `elastic_net_path` finds.

    Attributes
    ----------
    alphas : array of shape (m,)
        From the largest to the smallest.
    fits : list of Fit
        One for each; gaps and objectives are sums over the rows.
    """

    alphas: Float
    fits: list[Fit]


def elastic_net_path(
    x: Any,
    y: ArrayLike,
    alphas: ArrayLike | int = 100,
    shortest: float = 1e-3,
    l1_ratio: float = 0.5,
    positive: bool = False,
    tolerance: float = 1e-4,
    max_iter: int = 1000,
    start: ArrayLike | None = None,
    generator: Generator | None = None,
    gram: ArrayLike | bool = False,
) -> Path:
    """The solutions for many alphas, each beginning with the one before.

    There is no intercept: `x` and `y` are taken as they are.

    Parameters
    ----------
    x : array or sparse matrix of shape (n, d)
    y : array of shape (n,)
    alphas : array or int
        The alphas, or how many: equal ratios apart, from the smallest one with which
        all coefficients are zero.
    shortest : float
        The last of these over the first.
    l1_ratio, positive, tolerance, max_iter, start, generator, gram
        As for `elastic_net`.

    Raises
    ------
    ArgumentError
        If alphas are to be chosen and l1_ratio is 0: no alpha makes all of them zero.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> path = elastic_net_path(x, [4.0, 2.0], alphas=3, shortest=0.25, l1_ratio=1.0)
    >>> path.alphas.round(9).tolist()
    [2.0, 1.0, 0.5]
    >>> [fit.w.round(9).tolist() for fit in path.fits]
    [[0.0, 0.0], [2.0, 0.0], [3.0, 1.0]]
    """
    n, d = x.shape
    problem = _problem(x, as_columns(y), None, False, gram)
    if isinstance(alphas, (int, np.integer)):
        if l1_ratio == 0:
            raise ArgumentError(
                "elastic net: alphas cannot be chosen for l1_ratio=0, where none makes "
                "all coefficients zero; give the alphas"
            )
        slope = problem.slope(0)
        largest = (slope if positive else np.abs(slope)).max(initial=0.0)
        # The last bits are for rounding: all shall be zero with the first alpha.
        top = max(float(largest) / (n * l1_ratio) * (1 + 1e-15), 1e-300)
        chosen = np.geomspace(top, top * shortest, int(alphas))
    else:
        chosen = np.sort(np.asarray(alphas, np.float64))[::-1]
    w = np.zeros(d) if start is None else np.asarray(start, np.float64)
    fits = []
    for price in chosen * n:
        l1, l2 = float(price * l1_ratio), float(price * (1 - l1_ratio))
        penalty = Penalty(l1, l2, positive, tolerance, max_iter, generator)
        fits.append(problem.solve(0, penalty, w))
        w = fits[-1].w
    return Path(chosen, fits)


def _problem(
    x: Any,
    y: Array,
    weight: Array | None,
    centred: bool,
    gram: ArrayLike | bool,
) -> _Whole | _Columns:
    n, d = x.shape
    whole = d <= _FEW or (n >= d and n * d**2 <= _PRODUCTS)
    problem: _Whole | _Columns
    with np.errstate(all="ignore"):  # what is not finite shows in the sums
        if gram is True or (gram is False and whole):
            problem = _Whole(x, y, weight, centred)
        else:
            given = None if gram is False else np.asarray(gram, np.float64)
            problem = _Columns(x, y, weight, centred, given)
    if not problem.finite:
        raise DataError(
            "elastic net: the rows must be finite numbers whose squares are finite; "
            "scale columns with very large values down"
        )
    return problem


class _Whole:
    """A table by its moments."""

    def __init__(self, x: Any, y: Array, weight: Array | None, centred: bool) -> None:
        self.sums = moments(x, y, weight, centred)
        self.mean_x, self.mean_y = self.sums.mean_x, self.sums.mean_y
        self.finite = self.sums.finite

    def slope(self, target: int) -> Float:
        """X^T y."""
        return self.sums.cross[:, target]

    def solve(self, target: int, penalty: Penalty, start: Float) -> Fit:
        """Solve for one target."""
        cross, square = self.sums.cross[:, target], float(self.sums.square[target])
        return elastic_net_gram(self.sums.gram, cross, square, penalty, start)


class _Columns:
    """A table with centred and weighted columns that are never written down."""

    def __init__(
        self,
        x: Any,
        y: Array,
        weight: Array | None,
        centred: bool,
        gram: Float | None = None,
    ) -> None:
        self.x, self.weight, self.centred, self.gram = x, weight, centred, gram
        sums = column_moments(x, y, weight, centred)
        self.mean_x, self.mean_y = sums.mean_x, sums.mean_y
        self.curve, self.cross, self.y = sums.square_x, sums.cross, y - self.mean_y
        if weight is not None:
            self.y = np.sqrt(weight)[:, np.newaxis] * self.y
        self.finite = bool(np.isfinite(self.curve).all() and np.isfinite(self.y).all())

    def slope(self, target: int) -> Float:
        """X^T y."""
        return self.cross[:, target]

    def solve(self, target: int, penalty: Penalty, start: Float) -> Fit:
        """Solve for one target: by sets of columns, unless there is a Gram matrix."""
        if self.gram is None:
            return self._by_sets(target, penalty, start)
        true = self.y[:, target]
        square = float(true @ true)
        return elastic_net_gram(self.gram, self.slope(target), square, penalty, start)

    def _by_sets(self, target: int, penalty: Penalty, start: Float) -> Fit:
        columns = Columns(self.x, self.mean_x, self.weight, penalty.tolerance < 1e-5)
        true, fit = self.y[:, target], Fit(start.copy())
        residual, slope = true, self.slope(target)
        if start.any():
            residual = true - columns.times(start)
            slope = columns.transposed_times(residual)
        square, inner, least = float(true @ true), 1.0, 0.1 * penalty.tolerance
        some: _Some | None = None
        while True:
            rest, along = float(residual @ residual), float(residual @ true)
            gap = penalty.gap(fit.w, slope, rest, along)
            fit.note(max(gap, 0.0), rest / 2 + penalty.price(fit.w))
            moves = penalty.moves(fit.w, slope, self.curve)
            still = moves.max(initial=0.0) <= penalty.tolerance * np.abs(fit.w).max()
            small = gap <= max(penalty.tolerance, 1e-14) * square
            fit.converged = bool(small and still)
            if fit.converged or fit.sweeps >= penalty.max_iter or penalty.ended():
                return fit
            wanted = _chosen(fit.w, moves * np.sqrt(self.curve + penalty.l2))
            if some is None or np.setdiff1d(wanted, some.chosen).size:
                some = None  # two would take twice the memory
                some = _Some(self, wanted)
            else:  # it was not solved well enough
                inner, least = 0.3 * inner, 0.3 * least if inner <= least else least
            # What the chosen columns have to explain, the others being as they are.
            w = fit.w[some.chosen]
            cross = slope[some.chosen] + some.gram @ w
            theirs = rest + float(w @ (slope[some.chosen] + cross))
            inner = max(min(inner, 0.1 * gap / max(theirs, 1e-300)), least)
            left = penalty.max_iter - fit.sweeps
            part = replace(penalty, tolerance=inner, max_iter=left, ended=_never)
            found = elastic_net_gram(some.gram, cross, theirs, part, w)
            fit.w[some.chosen] = found.w
            fit.sweeps += found.sweeps
            residual = residual - some.columns.times(found.w - w)
            slope = columns.transposed_times(residual)


class _Some:
    """A set of columns, copied, and their Gram matrix."""

    def __init__(self, table: _Columns, chosen: Array) -> None:
        self.chosen, x = chosen, table.x[:, chosen]
        self.columns = Columns(x, table.mean_x[chosen], table.weight)
        self.gram = moments(x, table.y[:, :1], table.weight, table.centred).gram


def _chosen(w: Float, moves: Float) -> Array:
    """The columns to solve for: those in use, and those that would move most."""
    used = w != 0
    most = min(max(_FIRST, 2 * int(used.sum())), _LARGEST, len(w))
    if 2 * used.sum() <= most:
        moves = np.where(used, np.inf, moves)
    best = np.argpartition(-moves, most - 1)[:most]
    return np.sort(best[moves[best] > 0])
