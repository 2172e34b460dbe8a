"""For growing trees: the best split of a node, column after column."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._compiler import borrowing, inner
from dotori.kernels.tree_room import Best, More, Room
from dotori.kernels.tree_sort import (
    LOW_HALF,
    code,
    decode,
    drawn,
    sort_column,
    sort_keys,
)
from dotori.kernels.tree_table import ABSOLUTE, APART, Rules, Table
from dotori.kernels.tree_walk import NEARLY, walk

Array = NDArray[Any]

_MISSING = 0xFFFF  # the rank of a missing value
_U0, _U1 = np.uint64(0), np.uint64(1)
_FIRST: Any = np.int64(
    0
)  # no literal: Numba would compile what it is given to once more


@borrowing
def _arrange(
    keys: Array, y: Array, weight: Array, p: int, m: int, ys: Array, ws: Array
) -> None:
    """Targets and weights in the order of the keys."""
    if y.shape[1] == 1:  # twice as fast along one axis
        single, to = y.reshape(-1), ys.reshape(-1)
        for i in range(m):
            to[i] = single[np.int64(keys[i] & LOW_HALF)]
    else:
        for i in range(m):
            for k in range(y.shape[1]):
                ys[i, k] = y[np.int64(keys[i] & LOW_HALF), k]
    for i in range(m if weight.size else 0):
        ws[i] = weight[np.int64(keys[i] & LOW_HALF)]


@borrowing
def _find_breaks(keys: Array, p: int, m: int, breaks: Array) -> None:
    """Where neighbours are far enough apart for a split between them."""
    for i in range(p - 1):
        breaks[i] = decode(keys[i + 1]) > decode(keys[i]) + APART
    if p:
        breaks[p - 1] = p < m


@borrowing
def _take_ordered(
    room: Room, y: Array, weight: Array, order: Array, x: Array, f: int, close: bool
) -> Any:
    """Arrange what is in order already; how many are not missing, -1 if all equal."""
    m, column, ys, ws, breaks = order.shape[1], order[0], room.ys, room.ws, room.breaks
    p = m
    while p > 0 and column[p - 1] >> 16 == _MISSING:
        p -= 1
    if p == 0 or (p == m and column[0] >> 16 == column[m - 1] >> 16):
        return -1
    for i in range(m):
        for k in range(y.shape[1]):
            ys[i, k] = y[column[i] & 0xFFFF, k]
        if weight.size:
            ws[i] = weight[column[i] & 0xFFFF]
    for i in range(p - 1):
        breaks[i] = (column[i] >> 16) != (column[i + 1] >> 16)
    if close:
        if p == m and x[column[m - 1] & 0xFFFF, f] <= x[column[0] & 0xFFFF, f] + APART:
            return -1
        for i in range(p - 1):
            low, high = x[column[i] & 0xFFFF, f], x[column[i + 1] & 0xFFFF, f]
            breaks[i] = high > low + APART
    breaks[p - 1] = p < m
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
    values, y, weights, by_class = room.values, table.y, table.weight, rules.by_class
    k, c = (
        (o // room.total.shape[1], o % room.total.shape[1])
        if rules.by_class
        else (o, 0)
    )
    for i in range(n):
        sums[0, i] = sums[1, i] = 0.0
    for i in range(m):
        v, j = values[i], ids[start + i]
        if v == v:
            step = weights[j] if weights.size else 1.0
            sums[0, int(v)] += step
            if not by_class:
                sums[1, int(v)] += y[j, k] * (step if absolute else 1.0)
            elif int(y[j, k]) == c:
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
        v = values[i]
        if v == v:
            values[i] = place[int(v)]


@borrowing
def _cut_at_random(
    room: Room, ids: Array, start: int, m: int, u: float, places: bool
) -> tuple[int, float]:
    """Keys in the order left, right, missing of a random place; as `sort_column`."""
    values, keys = room.values, room.keys
    low, high, p = np.inf, -np.inf, 0
    for i in range(m):
        v = float(values[i])
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
            v = float(values[i])
            if group == (2 if v != v else 0 if v <= cut else 1):
                keys[at] = code(np.float32(group)) | np.uint64(ids[start + i])
                at += 1
    return p, cut


@borrowing
def _set_bits(best: Best, more: More, n: int, last: float) -> None:
    """The categories up to a place; those not seen go where missing values go."""
    for i in range(best.bits.size):
        best.bits[i] = _U0
    for c in range(64 * best.bits.size):
        known = c < n and more.place[c] >= 0
        if (more.place[c] <= last) if known else best.which[1] == 1:
            best.bits[c >> 6] |= _U1 << np.uint64(c & 63)


@borrowing
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
    values, (ids, start, m, _) = room.values, node
    for i in range(m):
        values[i] = x[ids[start + i], f]
    if more is not None:
        if table.categories[f]:
            _by_mean(room, more, table, rules, node, f, o)
    if rules.best:
        keys, spare = room.keys, room.spare
        p = sort_column(values, ids, start, m, keys, spare, room.counts)
        return p, 0.0
    u = drawn(key, x.shape[1] + f) * 2.0**-53
    return _cut_at_random(room, ids, start, m, u, table.categories[f] > 0)


@borrowing
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
) -> Any:
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
            column = order[f : f + 1, start : start + m]
            p = _take_ordered(room, y, table.weight, column, x, f, close[f])
        else:
            p, cut = _put_in_order(x, table, rules, node, f, key, o, room, more)
            if p >= 0:
                _arrange(room.keys, y, table.weight, p, m, room.ys, room.ws)
                _find_breaks(room.keys, p, m, room.breaks)
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


@borrowing
def _search_orders(
    x: Array,
    y: Array,
    weights: Array,
    order: Array,
    close: Array,
    begin: int,
    start: int,
    m: int,
    weight: float,
    total: float,
    least: int,
    lightest: float,
    best: Array,
    which: Array,
) -> Any:
    """Squares of one output in presorted columns from `begin` on: most of all work.

    Stops at a column with missing or close values, and returns it. Arrays come one by
    one, and nothing is called, as both would take longer than a small node.
    """
    unit, last = weights.size == 0, min(m - least, m - 1)
    for f in range(begin, len(order)):
        entry, end = order[f, start], order[f, start + m - 1]
        if close[f] or end >> 16 == _MISSING:
            return f
        if entry >> 16 == end >> 16:
            continue
        which[2] += 1
        s, w, bar, found = 0.0, 0.0, best[0] * NEARLY, -1
        for i in range(last):
            j = entry & 0xFFFF
            s += y[j]
            w += 1.0 if unit else weights[j]
            before, entry = entry, order[f, start + i + 1]
            rest, other = total - s, weight - w
            if s * s * other + rest * rest * w > bar * (w * other):
                if i < least - 1 or before >> 16 == entry >> 16:
                    continue
                gain = s * s / w + rest * rest / other
                heavy = w >= lightest and other >= lightest
                if gain > best[0] and heavy and w > 0.0 and other > 0.0:
                    best[0], bar, found = gain, gain * NEARLY, i
        if found >= 0:
            which[0], which[1] = f, 2 * (found + 1) > m
            best[1] = x[order[f, start + found] & 0xFFFF, f]
            best[2] = x[order[f, start + found + 1] & 0xFFFF, f]
    return len(order)


@borrowing
def _search_sorted(
    x: Array,
    y: Array,
    weights: Array,
    ids: Array,
    f: int,
    start: int,
    m: int,
    weight: float,
    total: float,
    least: int,
    lightest: float,
    values: Array,
    keys: Array,
    spare: Array,
    count: Array,
    best: Array,
    which: Array,
) -> Any:
    """The same for a column that has to be sorted; False where values are missing."""
    low, high, whole = np.float32(np.inf), np.float32(-np.inf), True
    for i in range(m):
        j = ids[start + i]
        v = x[j, f]
        whole &= v == v
        low, high = min(low, v), max(high, v)
        keys[i] = code(v) | np.uint64(j)
    if not whole:
        return False
    if high <= low + APART:
        return True
    which[2] += 1
    sort_keys(keys, spare, m, count, low, high)
    s, w, bar, found = 0.0, 0.0, best[0] * NEARLY, -1
    unit = weights.size == 0
    for i in range(min(m - least, m - 1)):
        j = np.int64(keys[i] & LOW_HALF)
        s += y[j]
        w += 1.0 if unit else weights[j]
        rest, other = total - s, weight - w
        if s * s * other + rest * rest * w > bar * (w * other):
            if i < least - 1 or decode(keys[i + 1]) <= decode(keys[i]) + APART:
                continue
            gain = s * s / w + rest * rest / other
            heavy = w >= lightest and other >= lightest
            if gain > best[0] and heavy and w > 0.0 and other > 0.0:
                best[0], bar, found = gain, gain * NEARLY, i
    if found >= 0:
        which[0], which[1] = f, 2 * (found + 1) > m
        best[1], best[2] = decode(keys[found]), decode(keys[found + 1])
    return True


@borrowing
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
    gain, which = best.gain, best.which
    gain[0], which[0], which[2] = -np.inf, -1, 0
    n, tried, total, y = len(columns), _FIRST, room.total[0, 0], table.y.reshape(-1)
    ids, start, m, weight = node
    least, lightest = rules.min_leaf, rules.min_weight
    while tried < n and (tried < rules.most or which[2] == 0):
        if rules.drawn:  # Fisher and Yates, one step at a time
            j = tried + drawn(key, tried) % (n - tried)
            columns[tried], columns[j] = columns[j], columns[tried]
        f = columns[tried]
        if rules.simple and rules.presort and not rules.drawn:
            f = tried = _search_orders(
                x,
                y,
                table.weight,
                order,
                close,
                f,
                start,
                m,
                weight,
                total,
                least,
                lightest,
                gain,
                which,
            )
            if tried == n:
                break
        tried += 1
        if rules.simple and not rules.presort:
            if _search_sorted(
                x,
                y,
                table.weight,
                ids,
                f,
                start,
                m,
                weight,
                total,
                least,
                lightest,
                room.values,
                room.keys,
                room.spare,
                room.counts,
                gain,
                which,
            ):
                continue
        which[2] += _try_column(
            x, table, rules, node, f, key, order, close, room, best, more
        )
    for i in range(tried - 1 if rules.drawn else -1, -1, -1):  # as it was
        j = i + drawn(key, i) % (n - i)
        columns[i], columns[j] = columns[j], columns[i]


@borrowing
def presort(x: Array, ids: Array, room: Room, order: Array, close: Array) -> None:
    """Every column's samples in order, as (rank, number) in 16 bits each."""
    m, values, keys = len(x), room.values, room.keys
    for f in range(len(order)):
        close[f] = False
        for i in range(m):
            values[i] = x[i, f]
        p = sort_column(values, ids, _FIRST, m, keys, room.spare, room.counts)
        if p < 0:  # all are missing, or as good as equal
            rank = _MISSING if values[0] != values[0] else 0
            for i in range(m):
                order[f, i] = (rank << 16) | i
        rank = 0
        for i in range(p):
            if i and decode(keys[i]) > decode(keys[i - 1]):
                rank += 1
                apart = decode(keys[i]) > decode(keys[i - 1]) + APART
                close[f] |= not apart
            order[f, i] = (rank << 16) | np.int64(keys[i] & LOW_HALF)
        for i in range(max(p, 0), m if p >= 0 else 0):
            order[f, i] = (_MISSING << 16) | np.int64(keys[i] & LOW_HALF)
