"""Growing a decision tree: all nodes of a subtree, or the best split of one.

A node is a range of `ids`, in ascending order. For each column its samples are put in
the column's order, and `tree_walk` tries every place between two of them.

Where most columns are looked at in each node, they are sorted once for all nodes of a
subtree, and each split parts these orders in two that are still in order.

`tree_numpy` holds the twin and says what the arguments are: the same trees, bit by bit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._compiler import borrowing, inner
from dotori.kernels._pair import paired
from dotori.kernels.tree_columns import presort, search
from dotori.kernels.tree_numpy import grow_nodes_numpy
from dotori.kernels.tree_room import Best, More, Room
from dotori.kernels.tree_sort import COUNTS, log_of, mixed
from dotori.kernels.tree_table import (
    ABSOLUTE,
    ENTROPY,
    GINI,
    POISSON,
    PURE,
    SQUARES,
    Rules,
    Table,
)
from dotori.kernels.tree_walk import part

Array = NDArray[Any]

_LN2 = math.log(2.0)
_U0, _U1 = np.uint64(0), np.uint64(1)


@inner
def _medians(
    table: Table, ids: Array, start: int, m: int, more: More, k: int
) -> tuple[float, float]:
    """Sort a node's targets and rank its samples; the median, the sum of errors."""
    y, q, weight = np.empty(m), table.y.shape[1], 0.0
    w = more.medians[q + k]
    for i in range(m):
        y[i] = table.y[ids[start + i], k]
    by = np.argsort(y, kind="mergesort")
    for r in range(m):
        j = ids[start + by[r]]
        more.ranks[j, k] = r
        more.medians[k, r] = y[by[r]]
        w[r] = table.weight[j] if table.weight.size else 1.0
        weight += w[r]
    below, c, error = 0.0, 0, 0.0
    while below + w[c] < weight / 2 and c < m - 1:
        below += w[c]
        c += 1
    answer = more.medians[k, c]
    if below + w[c] == weight / 2 and c < m - 1:
        answer = (answer + more.medians[k, c + 1]) / 2
    for r in range(m):
        error += w[r] * abs(more.medians[k, r] - answer)
    return answer, error


@borrowing
def _measure_more(
    table: Table,
    rules: Rules,
    ids: Array,
    start: int,
    stop: int,
    weight: float,
    room: Room,
    value: Array,
    more: More,
) -> tuple[float, float]:
    """`_measure` of absolute errors, Poisson, and entropy with broken weights."""
    impurity, gain, q = 0.0, 0.0, table.y.shape[1]
    for k in range(q):
        if rules.criterion == ABSOLUTE:
            value[k, 0], error = _medians(table, ids, start, stop - start, more, k)
            impurity, gain = impurity + error, gain - error
        elif rules.criterion == POISSON:
            mean = room.total[k, 0] / weight
            gain += room.total[k, 0] * log_of(mean) if mean > 0.0 else 0.0
            for i in range(start, stop):
                t, raw = table.y[ids[i], k], table.raw[ids[i], k]
                impurity += t * log_of(raw / mean) if t > 0.0 else 0.0
    return impurity / weight / q, gain


@borrowing
def _measure(
    table: Table,
    rules: Rules,
    ids: Array,
    start: int,
    stop: int,
    room: Room,
    value: Array,
    more: More | None,
) -> tuple[float, float, float]:
    """The weight of a node, its impurity, and the gain of no split. Fills `value`."""
    q, classes = room.total.shape
    last, total, unit = value.shape[1] - 1, room.total, table.weight.size == 0
    # out of the tuple at once: each time would count a reference
    y, raw, weights, by_class = table.y, table.raw, table.weight, rules.by_class
    for k in range(q):
        for c in range(classes):
            total[k, c] = 0.0
    weight, spread, same = 0.0, 0.0, True
    for i in range(start, stop):
        j = ids[i]
        step = 1.0 if unit else weights[j]
        weight += step
        for k in range(q):
            t = y[j, k]
            if by_class:
                total[k, int(t)] += step
            else:
                total[k, 0] += t
                spread += t * raw[j, k]
                same &= raw[j, k] == raw[ids[start], k]
    gini, squares, gain = rules.criterion == GINI, 0.0, 0.0
    for k in range(q):
        if not rules.by_class:
            mean = total[k, 0] / weight
            value[k, last] = mean
            squares += mean * mean
            gain += total[k, 0] * total[k, 0] / weight
        for c in range(last + 1 if rules.by_class else 0):
            share = total[k, c] / weight
            value[k, c] = share
            squares += share * share
            gain += part(total[k, c], gini, table.logs, more)
    if rules.by_class and gini:
        return weight, 1.0 - squares / q, gain / weight
    if gini:
        value[0, 0] = (weight - total[0, 0]) / weight
        return weight, 1.0 - (squares + value[0, 0] * value[0, 0]), gain
    if rules.by_class:
        gain -= q * part(weight, gini, table.logs, more)
        bits = -gain / (weight * _LN2 * q)
        return weight, bits if bits > 0.0 else 0.0, gain
    if more is not None:
        if rules.criterion != SQUARES:
            impurity, gain = _measure_more(
                table, rules, ids, start, stop, weight, room, value, more
            )
            return weight, 0.0 if same else impurity, gain
    variance = max(spread / weight - squares, 0.0) / q
    return weight, 0.0 if same else variance, gain


@borrowing
def _goes_left(v: Any, cut: float, missing_left: bool, bits: Array) -> Any:
    if v != v:
        return missing_left
    if cut == cut:
        return v <= cut
    c = int(v)  # a category
    return (bits[c >> 6] >> np.uint64(c & 63)) & _U1 == _U1


@borrowing
def _part_rows(
    x: Array, ids: Array, start: int, stop: int, best: Best, side: Array, spare: Array
) -> Any:
    """Bring a node's left samples before its right ones; where these begin."""
    f, to, right, bits = best.which[0], start, 0, best.bits
    cut, missing_left = best.gain[1], best.which[1] == 1
    for i in range(start, stop):
        j = ids[i]
        left = _goes_left(x[j, f], cut, missing_left, bits)
        side[j] = left
        ids[to] = j
        spare[right] = np.uint64(j)
        to += left
        right += not left
    for i in range(right):
        ids[to + i] = np.int64(spare[i])
    return to


@borrowing
def _part_orders(
    order: Array, start: int, stop: int, side: Array, spare: Array
) -> None:
    """The same for the order of each column."""
    for f in range(len(order)):
        to, right = start, 0
        for i in range(start, stop):
            entry = order[f, i]
            left = side[entry & 0xFFFF]
            order[f, to] = entry
            spare[right] = entry
            to += left
            right += 1 - left
        for i in range(right):
            order[f, to + i] = spare[i]


@borrowing
def _clip(value: Array, low: float, high: float) -> None:
    """Bring the answer of a node between its bounds."""
    last = value.shape[1] - 1
    answer = min(max(value[0, last], low), high)
    if answer != value[0, last]:
        value[0, 0] = 1.0 - answer
        value[0, last] = answer


@inner
def _bound(
    table: Table,
    rules: Rules,
    ids: Array,
    place: tuple[int, int, int],
    f: int,
    low: float,
    high: float,
    room: Room,
    limits: Array,
    more: More,
) -> None:
    """Neither child's answer may cross the mean of both, where `monotonic` says so."""
    start, middle, stop = place
    value = np.empty((table.y.shape[1], 2 if rules.criterion <= ENTROPY else 1))
    last = value.shape[1] - 1
    _measure(table, rules, ids, start, middle, room, value, more)
    answer = value[0, last]
    _measure(table, rules, ids, middle, stop, room, value, more)
    between = (answer + value[0, last]) / 2
    sign = table.monotonic[f]
    limits[1, 0 if sign < 0 else 1] = limits[0, 1 if sign < 0 else 0] = between


@inner
def _new_room(x: Array, table: Table, rules: Rules, m: int, classes: int) -> Room:
    q = table.y.shape[1]
    k = max(classes, 2) if rules.by_class else 1
    return Room(
        np.empty(m, np.float32),
        np.empty(m, np.uint64),
        np.empty(m, np.uint64),
        np.empty(COUNTS, np.int64),
        np.empty(len(x), np.uint8),
        np.empty((m, q)),
        np.empty(m if table.weight.size else 0),
        np.empty(m, np.uint8),
        np.empty((q, k)),
        np.empty((q, k)),
        np.empty((q, k)),
        np.zeros(4),
    )


@inner
def _grow(
    x: Array,
    table: Table,
    rules: Rules,
    ids: Array,
    columns: Array,
    key: Array,
    bounds: Array,
    depth: int,
    ints: Array,
    floats: Array,
    values: Array,
    bits: Array,
    done: Array,
    more: More | None,
) -> None:
    """One node after the other, with all that they need at hand."""
    m = len(ids)
    room = _new_room(x, table, rules, m, values.shape[2])
    best = Best(np.empty(3), np.zeros(3, np.int64), np.zeros(bits.shape[1], np.uint64))
    order = np.empty((x.shape[1] if rules.presort else 0, m), np.uint32)
    close = np.empty(x.shape[1], np.bool_)
    room.limits[0] = rules.min_weight
    if rules.presort:
        presort(x, ids, room, order, close)
    spans = np.empty((m + 2, 4), np.int64)  # nodes to come: start, stop, depth, parent
    keys, limits = np.empty(m + 2, np.uint64), np.empty((m + 2, 2))
    spans[0, 0], spans[0, 1], spans[0, 2], spans[0, 3] = 0, m, depth, -1
    keys[0], limits[0, 0], limits[0, 1] = key[0], bounds[0], bounds[1]
    left, number = 1, 0
    while left > 0:
        left -= 1
        start, stop = spans[left, 0], spans[left, 1]
        deep, parent = spans[left, 2], spans[left, 3]
        seed, low, high = keys[left], limits[left, 0], limits[left, 1]
        n = stop - start
        if parent >= 0:
            ints[parent, 3] = number  # a right child; left ones follow their parent
        value = values[number]
        weight, impurity, gain = _measure(
            table, rules, ids, start, stop, room, value, more
        )
        if more is not None:
            if rules.bounded:
                _clip(value, low, high)
        room.limits[1], room.limits[2] = low, high
        ints[number, 0], ints[number, 1], ints[number, 2] = -2, 0, n
        floats[number, 2], floats[number, 3] = impurity, weight
        number += 1
        if not rules.only and (
            deep >= rules.max_depth
            or n < max(rules.min_split, 2 * rules.min_leaf)
            or weight < 2 * rules.min_weight
            or impurity <= PURE
        ):
            continue
        node = (ids, start, n, weight)
        search(x, table, rules, node, columns, seed, order, close, room, best, more)
        if rules.only:
            floats[0, 4], floats[0, 5], ints[0, 3] = best.gain[0], gain, best.which[2]
        if best.which[0] < 0:
            continue
        if rules.min_gain > 0.0 and (
            (best.gain[0] - gain) * rules.scale + PURE < rules.min_gain
        ):
            continue
        ints[number - 1, 0], ints[number - 1, 1] = best.which[0], best.which[1]
        floats[number - 1, 0], floats[number - 1, 1] = best.gain[1], best.gain[2]
        for i in range(bits.shape[1]):
            categorical = best.gain[1] != best.gain[1]
            bits[number - 1, i] = best.bits[i] if categorical else _U0
        if rules.only:
            continue
        middle = _part_rows(x, ids, start, stop, best, room.side, room.keys)
        most = max(middle - start, stop - middle)
        if rules.presort and most >= rules.min_split and deep + 1 < rules.max_depth:
            _part_orders(order, start, stop, room.side, room.spare)
        for side in range(1, -1, -1):  # the left child comes first from the stack
            at = left + 1 - side
            spans[at, 0] = middle if side else start
            spans[at, 1] = stop if side else middle
            spans[at, 2], spans[at, 3] = deep + 1, number - 1 if side else -1
            keys[at] = mixed(seed ^ np.uint64(side + 1))
            limits[at, 0], limits[at, 1] = low, high
        if more is not None:
            f = best.which[0]
            if table.monotonic[f]:
                place, both = (start, middle, stop), limits[left : left + 2]
                _bound(table, rules, ids, place, f, low, high, room, both, more)
        left += 2
    done[0] = number


@paired(grow_nodes_numpy, compiling=12.0)
def grow_nodes(
    x: Array,
    table: Table,
    rules: Rules,
    ids: Array,
    columns: Array,
    key: Array,
    bounds: Array,
    depth: int,
    ints: Array,
    floats: Array,
    values: Array,
    bits: Array,
    done: Array,
) -> None:
    """What most trees need: Gini, entropy by table, and squares of one output."""
    _grow(
        x,
        table,
        rules,
        ids,
        columns,
        key,
        bounds,
        depth,
        ints,
        floats,
        values,
        bits,
        done,
        None,
    )


@paired(grow_nodes_numpy, compiling=30.0)
def grow_more_nodes(
    x: Array,
    table: Table,
    rules: Rules,
    ids: Array,
    columns: Array,
    key: Array,
    bounds: Array,
    depth: int,
    ints: Array,
    floats: Array,
    values: Array,
    bits: Array,
    done: Array,
) -> None:
    """All criteria, categories and monotonic constraints: much more to compile."""
    q, m = table.y.shape[1], len(ids) if rules.criterion == ABSOLUTE else 0
    categories = max(table.categories.max(), 1)
    more = More(
        np.empty((len(x) if rules.criterion == ABSOLUTE else 0, q)),
        np.empty((2 * q + 4, m)),
        np.empty((2, m), np.int64),
        np.empty(categories, np.int64),
        np.empty((2, categories)),
    )
    _grow(
        x,
        table,
        rules,
        ids,
        columns,
        key,
        bounds,
        depth,
        ints,
        floats,
        values,
        bits,
        done,
        more,
    )
