"""The twin of growing trees: what is measured of a node, and running sums."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dotori.kernels.tree_table import ABSOLUTE, GINI, POISSON, Rules, Table, log

Array = NDArray[Any]

_LN2 = math.log(2.0)


def parts_of(v: Array, rules: Rules, table: Table) -> Array:
    if rules.criterion == GINI:
        return v * v
    if len(table.logs):
        return table.logs[v.astype(np.int64)]
    return v * log(np.where(v > 0.0, v, 1.0))


def running(start: Array | float, steps: Array) -> Array:
    """start + steps[0] + ... + steps[i] along the first axis, one after the other."""
    first = np.broadcast_to(np.asarray(start, np.float64), (1, *steps.shape[1:]))
    return np.cumsum(np.concatenate([first, steps]), axis=0)


def last_total(steps: Array) -> Any:
    return np.cumsum(steps, axis=0)[-1]


class Node(NamedTuple):
    """What is measured of a node."""

    ids: Array
    y: Array  # (m, q)
    w: Array  # (m,)
    weight: float
    impurity: float
    gain: float
    total: Array  # (q, k)
    value: Array  # (q, k)
    medians: Any  # sorted targets and their weights, for absolute errors


def measure(table: Table, rules: Rules, ids: Array, classes: int) -> Node:
    y, raw, q = table.y[ids], table.raw[ids], table.y.shape[1]
    w = table.weight[ids] if len(table.weight) else np.ones(len(ids))
    weight = float(last_total(w))
    if rules.by_class:
        number = y.astype(np.int64)
        k = max(classes, 2)
        total = np.array([np.bincount(number[:, o], w, k) for o in range(q)])
        shares = total / weight
        squares = last_total((shares * shares).ravel())
        gain = last_total(parts_of(total, rules, table).ravel())
        impurity = 1.0 - squares / q
        if rules.criterion == GINI:
            gain = gain / weight
        else:
            gain = gain - q * parts_of(np.asarray(weight), rules, table)
            impurity = -gain / (weight * _LN2 * q)
            impurity = impurity if impurity > 0.0 else 0.0
        value = shares[:, :classes]
        return Node(ids, y, w, weight, impurity, gain, total, value, None)
    total = last_total(y)[:, None]
    mean = total / weight
    squares = last_total((mean * mean).ravel())
    gain = last_total((total * total / weight).ravel())
    if rules.criterion == GINI:
        other = (weight - total[0, 0]) / weight
        impurity = 1.0 - (squares + other * other)
        value = np.array([[other, mean[0, 0]]])
        return Node(ids, y, w, weight, impurity, gain, total, value, None)
    value, medians = mean, None
    impurity = max(last_total((y * raw).ravel()) / weight - squares, 0.0) / q
    if rules.criterion == ABSOLUTE:
        medians = SimpleNamespace(ranks=np.empty(y.shape), y=[], w=[])
        answers = [_median(y[:, k], w, medians, k) for k in range(q)]
        value = np.array([[answer] for answer, _ in answers])
        error = last_total(np.array([error for _, error in answers]))
        impurity, gain = error / weight / q, -error
    elif rules.criterion == POISSON:
        some = y > 0.0
        terms = y * log(np.where(some, raw, 1.0) / np.where(mean > 0.0, mean, 1.0).T)
        impurity = last_total(np.where(some, terms, 0.0).T.ravel()) / weight / q
        positive = np.where(mean > 0.0, mean, 1.0)
        gain = last_total(np.where(mean > 0.0, total * log(positive), 0.0).ravel())
    if (raw == raw[:1]).all():
        impurity = 0.0
    return Node(ids, y, w, weight, impurity, gain, total, value, medians)


def _median(y: Array, w: Array, medians: Any, k: int) -> tuple[float, float]:
    """The weighted median, and the sum of the distances from it."""
    by = np.argsort(y, kind="stable")
    medians.ranks[by, k] = np.arange(len(y))
    y, w = y[by], w[by]
    medians.y.append(y)
    medians.w.append(w)
    upto = np.cumsum(w)
    half = upto[-1] / 2
    c = min(int(np.searchsorted(upto, half)), len(y) - 1)
    answer = y[c]
    if upto[c] == half and c + 1 < len(y):
        answer = (answer + y[c + 1]) / 2
    return answer, last_total(w * np.abs(y - answer))
