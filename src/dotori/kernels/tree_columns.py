"""For growing trees: the best split of a node, column after column."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._compiler import inner
from dotori.kernels.tree_numpy import ABSOLUTE, APART, Rules, Table
from dotori.kernels.tree_room import Best, More, Room
from dotori.kernels.tree_sort import LOW_HALF, code, decode, drawn, sort_column
from dotori.kernels.tree_walk import walk

Array = NDArray[Any]

_MISSING = 0xFFFF  # the rank of a missing value
_U0, _U1 = np.uint64(0), np.uint64(1)


@inner
def _arrange(room: Room, y: Array, weight: Array, p: int, m: int) -> None:
    """Targets, weights and breaks in the order of the keys."""
    keys, q = room.keys, y.shape[1]
    for i in range(m):
        j = np.int64(keys[i] & LOW_HALF)
        for k in range(q):
            room.ys[i, k] = y[j, k]
        if weight.size:
            room.ws[i] = weight[j]
    for i in range(p - 1):
        room.breaks[i] = decode(keys[i + 1]) > decode(keys[i]) + APART
    if p:
        room.breaks[p - 1] = p < m


@inner
def _take_ordered(
    room: Room, y: Array, weight: Array, order: Array, x: Array, f: int, close: bool
) -> int:
    """Arrange what is in order already; how many are not missing, -1 if all equal."""
    m = len(order)
    p = m
    while p > 0 and order[p - 1] >> 16 == _MISSING:
        p -= 1
    if p == 0 or (p == m and order[0] >> 16 == order[m - 1] >> 16):
        return -1
    if y.shape[1] == 1:  # twice as fast along one axis
        single, ys = y.reshape(-1), room.ys.reshape(-1)
        for i in range(m):
            ys[i] = single[order[i] & 0xFFFF]
    else:
        for i in range(m):
            for k in range(y.shape[1]):
                room.ys[i, k] = y[order[i] & 0xFFFF, k]
    if weight.size:
        for i in range(m):
            room.ws[i] = weight[order[i] & 0xFFFF]
    for i in range(p - 1):
        room.breaks[i] = (order[i] >> 16) != (order[i + 1] >> 16)
    if close:
        if p == m and x[order[m - 1] & 0xFFFF, f] <= x[order[0] & 0xFFFF, f] + APART:
            return -1
        for i in range(p - 1):
            low, high = x[order[i] & 0xFFFF, f], x[order[i + 1] & 0xFFFF, f]
            room.breaks[i] = high > low + APART
    room.breaks[p - 1] = p < m
    return p


@inner
def _by_mean(
    room: Room, more: More, table: Table, rules: Rules, node: Any, f: int, o: int
) -> None:
    """Put a category's place in the order of the means in the place of its number.

    Fisher, "On grouping for maximum homogeneity", 1958: one of the splits of this order
    is the best subset, for two classes and for amounts. With more classes or outputs,
    order `o` is that by the fraction of one class, or by the mean of one output.
    """
    n, sums, place = table.categories[f], more.sums, more.place
    ids, start, m, _ = node
    absolute = rules.criterion == ABSOLUTE
    k, c = (
        (o // room.total.shape[1], o % room.total.shape[1])
        if rules.by_class
        else (o, 0)
    )
    for i in range(n):
        sums[0, i] = sums[1, i] = 0.0
    for i in range(m):
        v, j = room.values[i], ids[start + i]
        if v == v:
            step = table.weight[j] if table.weight.size else 1.0
            sums[0, int(v)] += step
            if not rules.by_class:
                sums[1, int(v)] += table.y[j, k] * (step if absolute else 1.0)
            elif int(table.y[j, k]) == c:
                sums[1, int(v)] += step
    last = np.inf
    for i in range(n):
        sums[1, i] = sums[1, i] / sums[0, i] if sums[0, i] > 0.0 else last
    order = np.argsort(sums[1, :n], kind="mergesort")
    seen = 0
    for i in range(n):
        place[order[i]] = seen if sums[0, order[i]] > 0.0 else -1
        seen += sums[0, order[i]] > 0.0
    for i in range(m):
        v = room.values[i]
        if v == v:
            room.values[i] = place[int(v)]


@inner
def _cut_at_random(
    room: Room, ids: Array, start: int, m: int, u: float, places: bool
) -> tuple[int, float]:
    """Keys in the order left, right, missing of a random place; as `sort_column`."""
    low, high, p = np.inf, -np.inf, 0
    for i in range(m):
        v = float(room.values[i])
        if v == v:
            low, high, p = min(low, v), max(high, v), p + 1
    if p == 0 or (p == m and np.float32(high) <= np.float32(low) + APART):
        return -1, low
    cut = math.floor(low + u * (high - low)) if places else low + u * (high - low)
    if cut >= high:
        cut = low
    at = 0
    for group in range(3):
        for i in range(m):
            v = float(room.values[i])
            if group == (2 if v != v else 0 if v <= cut else 1):
                room.keys[at] = code(np.float32(group)) | np.uint64(ids[start + i])
                at += 1
    return p, cut


@inner
def _set_bits(best: Best, more: More, n: int, last: float) -> None:
    """The categories up to a place; those not seen go where missing values go."""
    for i in range(best.bits.size):
        best.bits[i] = _U0
    for c in range(64 * best.bits.size):
        known = c < n and more.place[c] >= 0
        if (more.place[c] <= last) if known else best.which[1] == 1:
            best.bits[c >> 6] |= _U1 << np.uint64(c & 63)


@inner
def _put_in_order(
    x: Array,
    table: Table,
    rules: Rules,
    node: Any,
    f: int,
    key: Any,
    o: int,
    room: Room,
    more: More | None,
) -> tuple[int, float]:
    """Sort a column of a node, or cut it at random: as `sort_column`, and the cut."""
    ids, start, m, _ = node
    for i in range(m):
        room.values[i] = x[ids[start + i], f]
    if more is not None:
        if table.categories[f]:
            _by_mean(room, more, table, rules, node, f, o)
    if rules.best:
        return sort_column(room, ids, start, m), 0.0
    u = drawn(key, x.shape[1] + f) * 2.0**-53
    return _cut_at_random(room, ids, start, m, u, table.categories[f] > 0)


@inner
def _try_column(
    x: Array,
    table: Table,
    rules: Rules,
    node: Any,
    f: int,
    key: Any,
    order: Array,
    close: Array,
    room: Room,
    best: Best,
    more: More | None,
) -> bool:
    """Look for a better split in one column; False where it is constant."""
    _, start, m, weight = node
    orders, ordered, cut, y = 1, order.size > 0, 0.0, table.y
    room.limits[3] = table.monotonic[f]
    if more is not None:
        if rules.criterion == ABSOLUTE:
            y = more.ranks
        if table.categories[f]:
            orders = room.total.size if rules.by_class else y.shape[1]
            ordered = False
    for o in range(orders):
        if ordered:
            column = order[f, start : start + m]
            p = _take_ordered(room, y, table.weight, column, x, f, close[f])
        else:
            p, cut = _put_in_order(x, table, rules, node, f, key, o, room, more)
            if p >= 0:
                _arrange(room, y, table.weight, p, m)
        if p < 0:
            return False
        side, sides = 0, 1 if p == m else 2
        if not rules.best and p < m:
            side = drawn(key, 2 * x.shape[1] + f) & 1
            sides = side + 1
            room.breaks[p - 1] = decode(room.keys[0]) == decode(room.keys[p - 1])
        while side < sides:
            gain, i = walk(room, table, rules, p, m, side, weight, best.gain[0], more)
            if i >= 0:
                best.gain[0], best.which[0] = gain, f
                best.which[1] = side if p < m else 2 * (i + 1) > m
                best.gain[1] = best.gain[2] = cut if not rules.best else np.inf
                if i < p - 1 and ordered:
                    best.gain[1] = x[order[f, start + i] & 0xFFFF, f]
                    best.gain[2] = x[order[f, start + i + 1] & 0xFFFF, f]
                elif i < p - 1 and rules.best:
                    best.gain[1] = decode(room.keys[i])
                    best.gain[2] = decode(room.keys[i + 1])
                if more is not None:
                    if table.categories[f]:
                        _set_bits(best, more, table.categories[f], best.gain[1])
                        best.gain[1] = best.gain[2] = np.nan
            side += 1
    return True


@inner
def search(
    x: Array,
    table: Table,
    rules: Rules,
    node: Any,
    columns: Array,
    key: Any,
    order: Array,
    close: Array,
    room: Room,
    best: Best,
    more: More | None,
) -> None:
    """The best split of a node in `columns`: the first `most`, or drawn ones."""
    best.gain[0], best.which[0], best.which[2] = -np.inf, -1, 0
    n, tried = len(columns), 0
    while tried < n and (tried < rules.most or best.which[2] == 0):
        if rules.drawn:  # Fisher and Yates, one step at a time
            j = tried + drawn(key, tried) % (n - tried)
            columns[tried], columns[j] = columns[j], columns[tried]
        f = columns[tried]
        tried += 1
        best.which[2] += _try_column(
            x, table, rules, node, f, key, order, close, room, best, more
        )
    for i in range(tried - 1 if rules.drawn else -1, -1, -1):  # as it was
        j = i + drawn(key, i) % (n - i)
        columns[i], columns[j] = columns[j], columns[i]


@inner
def presort(x: Array, ids: Array, room: Room, order: Array, close: Array) -> None:
    """Every column's samples in order, as (rank, number) in 16 bits each."""
    m = len(x)
    for f in range(len(order)):
        close[f] = False
        for i in range(m):
            room.values[i] = x[i, f]
        p = sort_column(room, ids, 0, m)
        if p < 0:  # all are missing, or as good as equal
            rank = _MISSING if room.values[0] != room.values[0] else 0
            for i in range(m):
                order[f, i] = (rank << 16) | i
        rank = 0
        for i in range(p):
            if i and decode(room.keys[i]) > decode(room.keys[i - 1]):
                rank += 1
                apart = decode(room.keys[i]) > decode(room.keys[i - 1]) + APART
                close[f] |= not apart
            order[f, i] = (rank << 16) | np.int64(room.keys[i] & LOW_HALF)
        for i in range(max(p, 0), m if p >= 0 else 0):
            order[f, i] = (_MISSING << 16) | np.int64(room.keys[i] & LOW_HALF)
