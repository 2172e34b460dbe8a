r"""What a tree wants to lower: how mixed the targets in a node are.

Each criterion is a function of the targets `y` and their weights `w`; with

.. math:: p_k = \sum_{i: y_i = k} w_i \Big/ \sum_i w_i

the weighted fraction of class k and m the weighted mean, a criterion is 0 where all
targets are equal. A tree asks the question whose `information_gain` is largest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dotori.errors import ShapeError

Array = NDArray[Any]
Criterion = Callable[..., float]


def fractions(y: ArrayLike, weight: ArrayLike | None = None) -> Array:
    """The weighted fraction p_k of each class that occurs, in the classes' order.

    Parameters
    ----------
    y : array_like, shape (n,)
        Classes: numbers or strings.
    weight : array_like, shape (n,), optional
        1 for each if left out.

    Examples
    --------
    >>> fractions(["no", "yes", "yes", "yes"]).tolist()
    [0.25, 0.75]
    """
    classes, number = np.unique(np.asarray(y), return_inverse=True)
    totals = np.bincount(number, _weights(y, weight), minlength=len(classes))
    shares: Array = totals / totals.sum()
    return shares[shares > 0]


def entropy(y: ArrayLike, weight: ArrayLike | None = None) -> float:
    r"""The entropy of the classes in bits: -sum_k p_k log2 p_k.

    Shannon, "A mathematical theory of communication", 1948. It is the mean number of
    yes-no questions that a class must be asked for.

    Examples
    --------
    >>> entropy([0, 0, 1, 1])
    1.0
    """
    p = fractions(y, weight)
    return float(-np.sum(p * np.log2(p))) + 0.0  # no -0.0


def gini(y: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Gini's impurity, 1 - sum_k p_k^2.

    Breiman et al., "Classification and regression trees", 1984, 4.3. It is the
    probability that two samples, drawn with replacement, differ in their class.

    Examples
    --------
    >>> gini([0, 0, 1, 1])
    0.5
    """
    return float(1 - np.sum(fractions(y, weight) ** 2))


def squared_error(y: ArrayLike, weight: ArrayLike | None = None) -> float:
    """The mean squared distance from the mean: the variance, mean((y - m)^2).

    Examples
    --------
    >>> squared_error([1.0, 3.0])
    1.0
    """
    target = np.asarray(y, np.float64)
    w = _weights(y, weight)
    mean = np.average(target, weights=w)
    return float(np.average((target - mean) ** 2, weights=w))


def absolute_error(y: ArrayLike, weight: ArrayLike | None = None) -> float:
    """The mean distance from the median: mean(|y - median|).

    Examples
    --------
    >>> absolute_error([1.0, 2.0, 6.0])
    1.6666666666666667
    """
    target = np.asarray(y, np.float64)
    w = _weights(y, weight)
    return float(np.average(np.abs(target - median(target, w)), weights=w))


def poisson(y: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Half of the mean Poisson deviance from the mean: mean(y log(y / m)).

    For counts and rates: y >= 0, and not all 0. 0 log 0 is 0.

    Examples
    --------
    >>> round(poisson([1.0, 3.0]), 4)
    0.2616
    """
    target = np.asarray(y, np.float64)
    w = _weights(y, weight)
    mean = np.average(target, weights=w)
    some = target > 0
    terms = target[some] * np.log(target[some] / mean)
    return float(np.sum(w[some] * terms) / np.sum(w))


def median(y: ArrayLike, weight: ArrayLike | None = None) -> float:
    """The weighted median: half of the weight lies on either side.

    Between two values that both halve the weight, it is the middle.

    Examples
    --------
    >>> median([1.0, 2.0, 10.0]), median([1.0, 2.0])
    (2.0, 1.5)
    """
    target = np.asarray(y, np.float64)
    order = np.argsort(target, kind="stable")
    target, upto = target[order], np.cumsum(_weights(y, weight)[order])
    half = upto[-1] / 2
    below = int(np.searchsorted(upto, half, side="left"))
    above = int(np.searchsorted(upto, half, side="right"))
    return float((target[below] + target[min(above, len(target) - 1)]) / 2)


def information_gain(
    y: ArrayLike,
    left: ArrayLike,
    criterion: Criterion = entropy,
    weight: ArrayLike | None = None,
) -> float:
    r"""What a split tells: the criterion of all, less its mean over both sides.

    .. math:: H(y) - \frac{W_l}{W} H(y_l) - \frac{W_r}{W} H(y_r)

    Quinlan, "Induction of decision trees", 1986. A split that leaves a side empty has
    told nothing: its gain is 0.

    Parameters
    ----------
    y : array_like, shape (n,)
    left : array_like of bool, shape (n,)
        Which samples go to the left.
    criterion : callable
        One of this module's.
    weight : array_like, shape (n,), optional

    Raises
    ------
    ShapeError
        If `left` has another shape than `y`.

    Examples
    --------
    >>> information_gain([0, 0, 1, 1], [True, True, False, False])
    1.0
    >>> information_gain([0, 0, 1, 1], [True, True, True, True])
    0.0
    """
    target, side = np.asarray(y), np.asarray(left, np.bool_)
    if side.shape != target.shape[:1]:
        raise ShapeError(
            f"information_gain: left must have the shape {target.shape[:1]} of y, "
            f"got {side.shape}"
        )
    w = _weights(y, weight)
    total = w.sum()
    if w[side].sum() in (0, total):
        return 0.0
    gain = criterion(target, w)
    for part in (side, ~side):
        gain -= w[part].sum() / total * criterion(target[part], w[part])
    return float(gain)


def branching_gain(
    y: ArrayLike, attribute: ArrayLike, criterion: Criterion = entropy
) -> float:
    """The gain of a question with one branch for each value of an attribute.

    The split of Quinlan's ID3. It favours attributes of many values: a number that
    names each row "explains" everything. Trees of two branches do not.

    Examples
    --------
    >>> branching_gain([0, 0, 1, 1], ["a", "b", "c", "c"])
    1.0
    """
    target, values = np.asarray(y), np.asarray(attribute)
    rest = sum(
        np.mean(values == v) * criterion(target[values == v]) for v in np.unique(values)
    )
    return float(criterion(target) - rest)


#: The criteria by scikit-learn's names. For classes, then for numbers.
CLASSIFICATION: dict[str, Criterion] = {
    "gini": gini,
    "entropy": entropy,
    "log_loss": entropy,
}
REGRESSION: dict[str, Criterion] = {
    "squared_error": squared_error,
    "friedman_mse": squared_error,  # another formula for the same gain
    "absolute_error": absolute_error,
    "poisson": poisson,
}
ALL = CLASSIFICATION | REGRESSION


def _weights(y: ArrayLike, weight: ArrayLike | None) -> Array:
    return np.ones(len(np.asarray(y))) if weight is None else np.asarray(weight, float)
