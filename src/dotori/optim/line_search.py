"""A step length that satisfies the strong Wolfe conditions, for quasi-Newton steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Evaluate = Callable[[float], tuple[float, Array]]


class Point(NamedTuple):
    """A place on the line: its t, and the loss, gradient and slope along the line."""

    t: float
    f: float
    g: Array
    slope: float


class _Line:
    """The function along d, and Wolfe's two conditions (Nocedal and Wright, 3.7)."""

    def __init__(
        self, evaluate: Evaluate, d: Array, start: Point, c1: float, c2: float
    ) -> None:
        self._evaluate, self._d, self.start = evaluate, d, start
        self._c1, self._c2 = c1, c2

    def at(self, t: float) -> Point:
        f, g = self._evaluate(t)
        return Point(t, f, g, float(g @ self._d))

    def too_high(self, point: Point) -> bool:
        """Whether f(t) > f(0) + c1 t f'(0): the loss fell too little."""
        return point.f > self.start.f + self._c1 * point.t * self.start.slope

    def flat(self, point: Point) -> bool:
        """Whether abs(f'(t)) <= c2 abs(f'(0)): the slope fell enough."""
        return abs(point.slope) <= -self._c2 * self.start.slope


def strong_wolfe(
    evaluate: Evaluate,
    t: float,
    d: Array,
    f: float,
    g: Array,
    tries: int = 25,
    c1: float = 1e-4,
    c2: float = 0.9,
    least: float = 1e-9,
) -> tuple[float, Array, float, int]:
    """Find t > 0 with f(t) low enough and f'(t) flat enough.

    Nocedal and Wright, "Numerical optimization", 2nd edition, 2006, algorithm 3.5
    (bracket) and 3.6 (zoom), with cubic interpolation.

    Parameters
    ----------
    evaluate : callable
        t -> (loss, gradient) at x + t d.
    t : float
        The first guess.
    d, g : arrays of shape (n,)
        The direction, and the gradient at t = 0.
    f : float
        The loss at t = 0.
    tries : int
        At most so many evaluations after the first one.
    c1, c2 : float
        How much loss and slope have to fall.
    least : float
        Stop zooming where the bracket moves no parameter by more.

    Returns
    -------
    (loss, gradient, t, evaluations)

    Examples
    --------
    >>> f = lambda t: ((t - 3) ** 2, np.array([2 * (t - 3)]))
    >>> loss, g, t, calls = strong_wolfe(f, 1.0, np.array([1.0]), 9.0, np.array([-6.0]))
    >>> t, loss, calls
    (1.0, 4.0, 1)
    """
    line = _Line(evaluate, d, Point(0.0, f, g, float(g @ d)), c1, c2)
    bracket, used = _bracket(line, t, tries)
    width = least / max(float(np.abs(d).max(initial=0.0)), np.finfo(float).tiny)
    if len(bracket) == 2:
        found, used = _zoom(line, bracket, used, tries, width)
    else:
        found = bracket[0]
    return found.f, found.g, found.t, used + 1


def _bracket(line: _Line, t: float, tries: int) -> tuple[list[Point], int]:
    """Two points with a good one between them, or one that is good itself."""
    before, point, used = line.start, line.at(t), 0
    while used < tries:
        rises = used > 1 and point.f >= before.f
        if line.too_high(point) or rises:
            return [before, point], used
        if line.flat(point):
            return [point], used
        if point.slope >= 0:
            return [before, point], used
        nearest = point.t + 0.01 * (point.t - before.t)
        t = _cubic_minimum(before, point, nearest, 10 * point.t)
        before, point, used = point, line.at(t), used + 1
    return [line.start, point], used


def _zoom(
    line: _Line, bracket: list[Point], used: int, tries: int, width: float
) -> tuple[Point, int]:
    """Shrink the bracket until its lower end is good, too narrow, or tries are used."""
    low = 0 if bracket[0].f <= bracket[1].f else 1
    at_edge = False
    while used < tries and abs(bracket[1].t - bracket[0].t) >= width:
        left, right = sorted((bracket[0].t, bracket[1].t))
        t = _cubic_minimum(bracket[0], bracket[1], left, right)
        t, at_edge = _away_from_edges(t, left, right, at_edge)
        point, used = line.at(t), used + 1
        if line.too_high(point) or point.f >= bracket[low].f:
            bracket[1 - low] = point
            low = 0 if bracket[0].f <= bracket[1].f else 1
            continue
        if line.flat(point):
            return point, used
        if point.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = point
    return bracket[low], used


def _away_from_edges(
    t: float, left: float, right: float, at_edge: bool
) -> tuple[float, bool]:
    """Twice near an edge in turn, or beyond it: a tenth of the bracket away from it."""
    margin = 0.1 * (right - left)
    if min(right - t, t - left) >= margin:
        return t, False
    if not at_edge and left < t < right:
        return t, True
    return (right - margin if abs(t - right) < abs(t - left) else left + margin), False


def _cubic_minimum(a: Point, b: Point, low: float, high: float) -> float:
    """Where the cubic through two losses and slopes is lowest, within [low, high].

    Nocedal and Wright, equation 3.59; the middle where it has no minimum.
    """
    if a.t > b.t:
        a, b = b, a
    middle = (low + high) / 2
    if a.t == b.t:
        return middle
    d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return middle
    d2 = square**0.5
    down = b.slope - a.slope + 2 * d2
    if down == 0:
        return middle
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / down)
    return float(min(max(t, low), high))
