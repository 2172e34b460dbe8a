"""For growing trees: what each place of a column in order would gain.

A walk goes along the samples and keeps sums of the targets on either side. What is
compared of the places is the part of the children's impurity that differs: for squares,
sum_l^2 / w_l + sum_r^2 / w_r.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._compiler import borrowing
from dotori.kernels.tree_medians import errors
from dotori.kernels.tree_room import More, Room
from dotori.kernels.tree_sort import log_of
from dotori.kernels.tree_table import ABSOLUTE, GINI, POISSON, SQUARES, Rules, Table

Array = NDArray[Any]

#: A gain that is this much lower than the best by a rough formula is lower.
NEARLY = 1 - 1e-13


@borrowing
def _allowed(limits: Array, w: float, other: float, low: float, high: float) -> Any:
    """Whether both sides are heavy enough, and their answers as `monotonic` wants."""
    if not (w > 0.0 and other > 0.0 and w >= limits[0] and other >= limits[0]):
        return False
    if limits[3] == 0.0:
        return True
    inside = min(low, high) >= limits[1] and max(low, high) <= limits[2]
    return inside and (low - high) * limits[3] <= 0.0


@borrowing
def walk_squares(
    ys: Array,
    ws: Array,
    breaks: Array,
    first: int,
    last: int,
    s: float,
    w: float,
    total: float,
    weight: float,
    best: float,
    limits: Array,
) -> tuple[float, int]:
    """sum_l^2 / w_l + sum_r^2 / w_r: squared error, and Gini's impurity of two."""
    bar, found, unit = best * NEARLY, -1, ws.size == 0
    for i in range(last):
        s += ys[i]
        w += 1.0 if unit else ws[i]
        if breaks[i]:
            rest, other = total - s, weight - w
            if s * s * other + rest * rest * w > bar * (w * other) and i >= first:
                gain = s * s / w + rest * rest / other
                if gain > best and _allowed(limits, w, other, s / w, rest / other):
                    best, bar, found = gain, gain * NEARLY, i
    return best, found


@borrowing
def _walk_classes(
    room: Room,
    table: Table,
    rules: Rules,
    span: Any,
    w: float,
    weight: float,
    best: float,
    more: More | None,
) -> tuple[float, int]:
    """Sums over the classes: f(weight) with f(v) = v^2 (Gini) or v log v (entropy)."""
    ys, ws, breaks, logs = room.ys, room.ws, room.breaks, table.logs
    left, right = room.left, room.right
    unit, gini, q = table.weight.size == 0, rules.criterion == GINI, table.y.shape[1]
    first, last = span
    a, b, found = 0.0, 0.0, -1
    for k in range(q):
        for c in range(left.shape[1]):
            a += part(left[k, c], gini, logs, more)
            b += part(right[k, c], gini, logs, more)
    for i in range(last):
        step = 1.0 if unit else ws[i]
        for k in range(q):
            c = int(ys[i, k])
            old, new = left[k, c], left[k, c] + step
            a += part(new, gini, logs, more) - part(old, gini, logs, more)
            left[k, c] = new
            old, new = right[k, c], right[k, c] - step
            b += part(new, gini, logs, more) - part(old, gini, logs, more)
            right[k, c] = new
        w += step
        if breaks[i] and i >= first:
            other = weight - w
            if gini:
                gain = a / w + b / other
            else:
                gain = (a - q * part(w, gini, logs, more)) + (
                    b - q * part(other, gini, logs, more)
                )
            if gain > best and _allowed(
                room.limits, w, other, left[0, 1] / w, right[0, 1] / other
            ):
                best, found = gain, i
    return best, found


@borrowing
def part(v: float, gini: bool, logs: Array, more: More | None) -> Any:
    """v^2, or v log v: from a table where weights are whole."""
    if gini:
        return v * v
    if more is not None:
        if logs.size == 0:
            return v * log_of(v) if v > 0.0 else 0.0
    return logs[int(v)]


@borrowing
def _walk_sums(
    room: Room,
    unit: bool,
    rules: Rules,
    span: Any,
    w: float,
    weight: float,
    best: float,
) -> tuple[float, int]:
    """Squares of several outputs; sum log(mean) on both sides (Poisson)."""
    ys, ws, breaks = room.ys, room.ws, room.breaks
    left, total = room.left, room.total
    first, last = span
    squares, found = rules.criterion == SQUARES, -1
    for i in range(last):
        w += 1.0 if unit else ws[i]
        for k in range(ys.shape[1]):
            left[k, 0] += ys[i, k]
        if breaks[i] and i >= first:
            other, gain = weight - w, 0.0
            for k in range(ys.shape[1]):
                s, rest = left[k, 0], total[k, 0] - left[k, 0]
                if squares:
                    gain += s * s / w + rest * rest / other
                elif s > 0.0 and rest > 0.0:  # an answer of 0 has no logarithm
                    gain += s * log_of(s / w) + rest * log_of(rest / other)
                else:
                    gain = -np.inf
            if gain > best and _allowed(
                room.limits,
                w,
                other,
                left[0, 0] / w,
                (total[0, 0] - left[0, 0]) / other,
            ):
                best, found = gain, i
    return best, found


@borrowing
def _walk_medians(
    room: Room,
    more: More,
    unit: bool,
    span: Any,
    p: int,
    m: int,
    side: int,
    weight: float,
    best: float,
) -> tuple[float, int]:
    """The sums of |y - median| of both sides, negative."""
    ws, breaks, q, found = room.ws, room.breaks, room.ys.shape[1], -1
    first, last = span
    wrong, answers = more.medians[2 * q : 2 * q + 2], more.medians[2 * q + 2 :]
    for i in range(m):
        wrong[0, i] = wrong[1, i] = 0.0
    for k in range(q):
        errors(room.ys, more.medians, more.chain, k, p, m, side == 1)
    w = 0.0
    for i in range(p, m if side else p):
        w += 1.0 if unit else ws[i]
    for i in range(last):
        w += 1.0 if unit else ws[i]
        if breaks[i] and i >= first:
            gain, other = -(wrong[0, i] + wrong[1, i]), weight - w
            if gain > best and _allowed(
                room.limits, w, other, answers[0, i], answers[1, i]
            ):
                best, found = gain, i
    return best, found


@borrowing
def walk(
    room: Room,
    table: Table,
    rules: Rules,
    p: int,
    m: int,
    side: int,
    weight: float,
    best: float,
    more: More | None,
) -> tuple[float, int]:
    """The best place of a column in order whose missing samples go left, or right."""
    unit, n0 = table.weight.size == 0, m - p if side else 0
    last = min(m - rules.min_leaf - n0, p - side)
    span = (rules.min_leaf - 1 - n0, last)
    if more is not None:
        if rules.criterion == ABSOLUTE:
            return _walk_medians(room, more, unit, span, p, m, side, weight, best)
    ys, ws, left, right, total = room.ys, room.ws, room.left, room.right, room.total
    for k in range(total.shape[0]):
        for c in range(total.shape[1]):
            left[k, c], right[k, c] = 0.0, total[k, c]
    w = 0.0
    for i in range(p, m if side else p):
        step = 1.0 if unit else ws[i]
        w += step
        for k in range(ys.shape[1]):
            if rules.by_class:
                c = int(ys[i, k])
                left[k, c] += step
                right[k, c] -= step
            else:
                left[k, 0] += ys[i, k]
    if rules.by_class:
        return _walk_classes(room, table, rules, span, w, weight, best, more)
    if more is not None:
        if room.ys.shape[1] > 1 or rules.criterion == POISSON:
            return _walk_sums(room, unit, rules, span, w, weight, best)
    flat, s, first = ys.reshape(-1), left[0, 0], rules.min_leaf - 1 - n0
    return walk_squares(
        flat,
        ws,
        room.breaks,
        first,
        last,
        s,
        w,
        total[0, 0],
        weight,
        best,
        room.limits,
    )
