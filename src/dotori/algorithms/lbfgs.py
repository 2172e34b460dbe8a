"""L-BFGS: minimising a smooth function of many variables from its gradients.

Nocedal and Wright, Numerical Optimization (2nd ed., 2006): the two loops of algorithm
7.4, the method of algorithm 7.5, and a line search for the strong Wolfe conditions
(algorithms 3.5 and 3.6).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Function = Callable[[Float], tuple[float, Float]]
Operator = Callable[[Float], Float]
_Kept = deque[tuple[Float, Float]]

#: A step must lower the value by this part of what the slope promises (c1) ...
_DECREASE = 1e-4
#: ... and the slope at its end must have become this much flatter (c2).
_CURVATURE = 0.9
_MOST_TRIALS = 30
#: Steps in a row without a lower value: the rest is rounding.
_MOST_IDLE = 5


@dataclass(frozen=True)
class Minimum:
    """Where `minimise` has stopped.

    Attributes
    ----------
    point : array of shape (n,)
    value : float
    gradient : array of shape (n,)
    iterations : int
        Steps that were made.
    evaluations : int
        How often the function was worked out.
    values : list of float
        The value at the start and after each step.
    reason : {"gradient", "flat", "iterations", "stopped"}
        No component of the gradient exceeds the tolerance; no step lowers the value
        any more, as far as rounding lets one see (or the start is not finite);
        `max_iter`; or `each` said so.
    pairs : tuple of pairs of arrays
        The last steps and changes of the gradient, for a continuation.
    """

    point: Float
    value: float
    gradient: Float
    iterations: int
    evaluations: int
    values: list[float]
    reason: str
    pairs: tuple[tuple[Float, Float], ...] = field(default=(), repr=False)


@dataclass
class Place:
    """A trial of the line search: how far it went, and what was found there."""

    size: float
    value: float
    gradient: Float
    point: Float
    slope: float = 0.0


def minimise(
    function: Function,
    start: Float,
    max_iter: int = 100,
    tolerance: float = 1e-7,
    *,
    memory: int = 10,
    inverse: Operator | None = None,
    pairs: tuple[tuple[Float, Float], ...] = (),
    noise: float = 4 * float(np.finfo(float).eps),
    decrement: float = 0.0,
    each: Callable[[Float, float], bool] | None = None,
) -> Minimum:
    """Minimise a smooth function by L-BFGS (Nocedal and Wright, algorithm 7.5).

    Parameters
    ----------
    function : callable
        Gives the value and the gradient at a point of shape (n,).
    start : array of shape (n,)
    max_iter : int
        The most steps.
    tolerance : float
        It ends once no component of the gradient exceeds this.
    memory : int
        How many steps the curvature is estimated from.
    inverse : callable, optional
        Applies a guess of the inverse Hessian to a vector: the H_0 that the memory
        improves on. Without it, a multiple of the identity.
    pairs : tuple
        What an earlier run has learnt of the curvature (`Minimum.pairs`).
    noise : float
        Changes of the value by less than this part of it are rounding.
    decrement : float
        It ends as well once gradient . H . gradient, twice the decrease that the next
        step promises, is below this.
    each : callable, optional
        Called with the point and the value after each step; True ends it.

    Returns
    -------
    Minimum

    Examples
    --------
    >>> bowl = lambda x: (float(((x - 3) ** 2).sum()), 2 * (x - 3))
    >>> found = minimise(bowl, np.zeros(2))
    >>> found.point.round(6).tolist(), found.reason
    ([3.0, 3.0], 'gradient')
    """
    here = Place(0.0, *function(start), start)
    kept: _Kept = deque(pairs, maxlen=memory)
    values, evaluations, idle = [here.value], 1, 0
    reason = "gradient" if _largest(here) <= tolerance else "iterations"
    if not np.isfinite(here.value + here.gradient.sum()):
        reason = "flat"
    while len(values) <= max_iter and reason == "iterations":
        direction = _descent(here.gradient, kept, inverse)
        slope = float(here.gradient @ direction)
        if -slope <= decrement:
            reason = "flat"
            break
        new, trials = line_search(function, here, direction, noise)
        evaluations += trials
        if new is None:
            if not kept:
                reason = "flat"
            kept.clear()  # once more, without what was learnt
            continue
        kept.append((new.point - here.point, new.gradient - here.gradient))
        idle = 0 if new.value < here.value - noise * abs(here.value) else idle + 1
        here = new
        values.append(here.value)
        if _largest(here) <= tolerance:
            reason = "gradient"
        elif idle >= _MOST_IDLE:
            reason = "flat"
        if each is not None and each(here.point, here.value):
            reason = "stopped"
    return Minimum(
        here.point,
        here.value,
        here.gradient,
        len(values) - 1,
        evaluations,
        values,
        reason,
        tuple(kept),
    )


def _largest(place: Place) -> float:
    return float(np.abs(place.gradient).max(initial=0.0))


def _descent(gradient: Float, kept: _Kept, inverse: Operator | None) -> Float:
    """The step that the memory suggests; the memory is emptied if it leads uphill."""
    direction = two_loops(gradient, kept, inverse)
    if not gradient @ direction < 0 and kept:
        kept.clear()
        direction = two_loops(gradient, kept, inverse)
    return direction


def two_loops(
    gradient: Float,
    pairs: Iterable[tuple[Float, Float]],
    inverse: Operator | None = None,
) -> Float:
    """-H gradient, for the H that the pairs imply (Nocedal and Wright, algorithm 7.4).

    Parameters
    ----------
    gradient : array of shape (n,)
    pairs : iterable of (step, change of the gradient)
        Oldest first. Pairs without positive curvature are passed over.
    inverse : callable, optional
        Applies H_0, up to a factor that the newest pair sets (their equation 7.20).

    Examples
    --------
    On a quadratic with the Hessian diag(1, 4), two exact pairs give Newton's step.

    >>> pairs = [(np.array([1.0, 0.0]), np.array([1.0, 0.0]))]
    >>> pairs += [(np.array([0.0, 1.0]), np.array([0.0, 4.0]))]
    >>> two_loops(np.array([2.0, 4.0]), pairs).tolist()
    [-2.0, -1.0]
    """
    curved = [(s, y, float(s @ y)) for s, y in pairs if s @ y > 1e-12 * (y @ y)]
    direction, shares = -gradient, []
    for step, change, product in reversed(curved):
        shares.append((step @ direction) / product)
        direction = direction - shares[-1] * change
    direction = _guess(direction, curved, inverse)
    for (step, change, product), share in zip(curved, reversed(shares), strict=True):
        direction = direction + (share - (change @ direction) / product) * step
    return direction


def _guess(
    direction: Float,
    curved: list[tuple[Float, Float, float]],
    inverse: Operator | None,
) -> Float:
    """H_0 applied to `direction`."""
    if not curved:
        if inverse is not None:
            return inverse(direction)
        return direction / max(1.0, float(np.linalg.norm(direction)))
    _, change, product = curved[-1]
    if inverse is None:
        return direction * (product / (change @ change))
    return inverse(direction) * (product / (change @ inverse(change)))


def line_search(
    function: Function, start: Place, direction: Float, noise: float = 0.0
) -> tuple[Place | None, int]:
    """A step along `direction` for the strong Wolfe conditions, and the trials made.

    Steps 1, 2, 4, ... until a minimum lies between two trials (Nocedal and Wright,
    algorithm 3.5), which then close in on it (3.6). Where the values differ by rounding
    alone, the slopes decide (Hager and Zhang, SIAM J. Optim. 16 (2005), 170-192).
    None if no trial was acceptable.
    """
    slope = float(start.gradient @ direction)
    low = Place(0.0, start.value, start.gradient, start.point, slope)
    high, size = None, 1.0
    slack = noise * abs(start.value)
    for trial in range(1, _MOST_TRIALS + 1):
        point = start.point + size * direction
        value, gradient = function(point)
        new = Place(size, value, gradient, point, float(gradient @ direction))
        if np.isfinite(value):
            enough = value <= start.value + _DECREASE * size * slope + slack
            if enough and abs(new.slope) <= -_CURVATURE * slope:
                return new, trial
        else:
            enough = False
        if not enough or value > low.value + slack:
            high = new
        elif new.slope * ((size + 1 if high is None else high.size) - low.size) >= 0:
            low, high = new, low
        else:
            low = new
        size = 2 * low.size if high is None else _between(low, high)
        if not abs(size) * np.abs(direction).max() > 0 or size == low.size:
            break
    return (low if low.size > 0 else None), trial


def _between(low: Place, high: Place) -> float:
    """The minimum of a cubic through two trials (equation 3.59), kept off the ends."""
    width = high.size - low.size
    middle = low.size + width / 2
    if not (np.isfinite(high.value) and np.isfinite(high.slope)):
        return low.size + width / 10
    d1 = low.slope + high.slope - 3 * (low.value - high.value) / -width
    square = d1 * d1 - low.slope * high.slope
    if square < 0:
        return middle
    d2 = np.copysign(np.sqrt(square), width)
    bottom = high.slope - low.slope + 2 * d2
    if bottom == 0:
        return middle
    size = high.size - width * (high.slope + d2 - d1) / bottom
    first, last = sorted((low.size + width / 10, high.size - width / 10))
    return float(min(max(size, first), last)) if np.isfinite(size) else middle
