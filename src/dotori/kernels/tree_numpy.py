"""The twin of `tree_grow`: a tree node by node, all columns of a node at once.

It defines what the loops compute, and grows small trees faster than they can be
compiled. Every sum is a running one, in the order in which the loops add.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dotori.kernels.tree_node import Node, last_total, measure, parts_of, running
from dotori.kernels.tree_small import grow_small, most_samples
from dotori.kernels.tree_table import (
    ABSOLUTE,
    APART,
    GINI,
    POISSON,
    PURE,
    Rules,
    Table,
    draw,
    log,
    mix,
)

Array = NDArray[Any]


# ------------------------------------------------------------------------- columns
class _Column(NamedTuple):
    """One column of a node, or one order of its categories."""

    feature: int
    values: Array  # float32 (m,): what it is sorted by
    cut: float | None  # a random threshold
    place: Array | None  # the places of the categories in the order


def _columns(
    x: Array, table: Table, rules: Rules, node: Node, f: int, key: int
) -> Iterator[_Column]:
    """What can be split of a column: nothing if it is constant."""
    values, n = x[node.ids, f], int(table.categories[f])
    there = ~np.isnan(values)
    some = values[there]
    if not len(some) or (there.all() and some.max() <= some.min() + APART):
        return
    orders = 1
    if n:
        orders = node.total.size if rules.by_class else node.total.shape[0]
    for o in range(orders):
        place, sorted_by, cut = None, values, None
        if n:
            place = _places(table, rules, node, values, n, o)
            sorted_by = values.copy()
            sorted_by[there] = place[some.astype(np.int64)]
        if not rules.best:
            u = draw(key, x.shape[1] + f) * 2.0**-53
            low, high = (float(v) for v in (np.nanmin(sorted_by), np.nanmax(sorted_by)))
            cut = low + u * (high - low)
            cut = math.floor(cut) if n else cut
            cut = low if cut >= high else cut
            right = sorted_by.astype(np.float64) > cut
            sorted_by = np.where(there, right, np.nan).astype(np.float32)
        yield _Column(f, sorted_by, cut, place)


def _places(
    table: Table, rules: Rules, node: Node, values: Array, n: int, o: int
) -> Array:
    """Each category's place in the order of the means, -1 where it does not occur."""
    there = ~np.isnan(values)
    number = values[there].astype(np.int64)
    if rules.by_class:
        k, c = divmod(o, node.total.shape[1])
        terms = np.where(node.y[:, k] == c, node.w, 0.0)
    else:
        terms = node.y[:, o]
        terms = terms * node.w if rules.criterion == ABSOLUTE else terms
    weight = np.bincount(number, node.w[there], n)
    seen = weight > 0.0
    sums = np.bincount(number, terms[there], n)
    mean = np.divide(sums, weight, out=np.full(n, np.inf), where=seen)
    order = np.argsort(mean, kind="stable")
    place = np.empty(n, np.int64)
    place[order] = np.where(seen[order], np.cumsum(seen[order]) - 1, -1)
    return place


class _Walk(NamedTuple):
    """Columns in order: m samples, c columns."""

    order: Array  # (m, c)
    breaks: Array  # bool (m, c)
    present: Array  # (c,): how many are not missing
    sign: Array  # (c,): monotonic


def _in_order(columns: list[_Column], rules: Rules, table: Table) -> _Walk:
    values = np.stack([column.values for column in columns], axis=1)
    m, c = values.shape
    order = np.argsort(values, axis=0, kind="stable")
    in_order = np.take_along_axis(values, order, axis=0)
    present = m - np.isnan(values).sum(axis=0)
    breaks = np.zeros((m, c), bool)
    breaks[:-1] = in_order[1:] > in_order[:-1] + APART
    last = present < m
    if not rules.best:
        last &= in_order[0] == in_order[present - 1, np.arange(c)]
    breaks[present - 1, np.arange(c)] = last
    sign = np.array([table.monotonic[column.feature] for column in columns])
    return _Walk(order, breaks, present, sign)


def _gains(
    table: Table, rules: Rules, node: Node, walk: _Walk, side: int, bounds: Any
) -> Array:
    """What each place gains, (m, c), where missing values go left (`side` 1) or right.

    -infinity where no split may be.
    """
    m = len(node.ids)
    there = np.arange(m)[:, None] < walk.present
    w = np.where(there, node.w[walk.order], 0.0)
    gone = np.where(there, 0.0, node.w[walk.order]) * side
    upto = running(last_total(gone), w)[1:]
    other = node.weight - upto
    with np.errstate(all="ignore"):
        gains, low, high = _compared(table, rules, node, walk, side, upto, other)
    n_left = np.arange(1, m + 1)[:, None] + (m - walk.present) * side
    allowed = (
        walk.breaks
        & there
        & ~((n_left - (m - walk.present) * side == walk.present) & (side == 1))
    )
    allowed &= (n_left >= rules.min_leaf) & (m - n_left >= rules.min_leaf)
    allowed &= (upto > 0) & (other > 0)
    allowed &= (upto >= rules.min_weight) & (other >= rules.min_weight)
    if rules.bounded:
        fits = np.minimum(low, high) >= bounds[0]
        fits &= np.maximum(low, high) <= bounds[1]
        fits &= np.where(walk.sign > 0, low <= high, low >= high)
        allowed &= fits | (walk.sign == 0)
    result: Array = np.where(allowed & (gains > -np.inf), gains, -np.inf)
    return result


def _compared(
    table: Table,
    rules: Rules,
    node: Node,
    walk: _Walk,
    side: int,
    w: Array,
    other: Array,
) -> tuple[Array, Array, Array]:
    """The gains, and the answers on both sides, as if all places were allowed."""
    if rules.criterion == ABSOLUTE:
        return _by_medians(node, walk, side)
    m, c = walk.order.shape
    there = (np.arange(m)[:, None] < walk.present)[:, :, None]
    y = node.y[walk.order]
    if rules.by_class:
        return _by_class(table, rules, node, walk, side, w, other)
    start = last_total(np.where(there, 0.0, y)) * side
    left = running(start, np.where(there, y, 0.0))[1:]
    right = node.total[:, 0] - left
    w, other = w[:, :, None], other[:, :, None]
    if rules.criterion == POISSON:
        some = (left > 0.0) & (right > 0.0)
        a = left * log(np.where(some, left / w, 1.0))
        b = right * log(np.where(some, right / other, 1.0))
        terms = np.where(some, a + b, -np.inf)
    else:
        terms = left * left / w + right * right / other
    gains = np.zeros((m, c))
    for k in range(terms.shape[2]):
        gains = gains + terms[:, :, k]
    return gains, (left / w)[:, :, 0], (right / other)[:, :, 0]


def _by_class(
    table: Table,
    rules: Rules,
    node: Node,
    walk: _Walk,
    side: int,
    w: Array,
    other: Array,
) -> tuple[Array, Array, Array]:
    (m, c), (q, k) = walk.order.shape, node.total.shape
    there = (np.arange(m)[:, None] < walk.present)[:, :, None, None]
    number = node.y[walk.order].astype(np.int64)  # (m, c, q)
    steps = node.w[walk.order][:, :, None, None] * (number[..., None] == np.arange(k))
    gone, steps = np.where(there, 0.0, steps), np.where(there, steps, 0.0)
    first = last_total(gone) * side
    left = running(first, steps)
    right = running(running(node.total, -gone * side)[-1], -steps)
    sums = []
    for counts in (left, right):
        parts = parts_of(counts, rules, table)
        begin = last_total(np.moveaxis(parts[0].reshape(c, q * k), 1, 0))
        old = np.take_along_axis(parts[:-1], number[..., None], axis=3)[..., 0]
        new = np.take_along_axis(parts[1:], number[..., None], axis=3)[..., 0]
        change = np.moveaxis(new - old, 2, 1).reshape(m * q, c)
        sums.append(running(begin, change)[q::q])
    a, b = sums
    low, high = left[1:, :, 0, 1] / w, right[1:, :, 0, 1] / other
    if rules.criterion == GINI:
        return a / w + b / other, low, high
    upto, rest = (parts_of(np.maximum(v, 0.0), rules, table) for v in (w, other))
    return (a - q * upto) + (b - q * rest), low, high


def _by_medians(node: Node, walk: _Walk, side: int) -> tuple[Array, Array, Array]:
    """With the loop's own functions: each sample moves the median by little."""
    from dotori.kernels.tree_medians import errors

    (m, c), q = walk.order.shape, node.y.shape[1]
    found = np.zeros((c, 2 * q + 4, m))
    chain = np.empty((2, m), np.int64)
    for j in range(c):
        for k in range(q):
            found[j, k], found[j, q + k] = node.medians.y[k], node.medians.w[k]
        ys = node.medians.ranks[walk.order[:, j]]
        for k in range(q):
            errors(ys, found[j], chain, k, int(walk.present[j]), m, side == 1)
    both = found[:, 2 * q :].transpose(1, 2, 0)
    return -(both[0] + both[1]), both[2], both[3]


# ----------------------------------------------------------------------- the search
class _Split(NamedTuple):
    """The best split of a node."""

    gain: float
    feature: int
    missing_left: bool
    low: float  # NaN: by category
    high: float
    bits: Array


def _listed(
    x: Array, table: Table, rules: Rules, node: Node, columns: Array, key: int
) -> list[list[_Column]]:
    """The columns that a node looks at, less the constant ones."""
    listed: list[int] = columns.tolist()
    found: list[list[_Column]] = []
    for i in range(len(listed)):
        if i >= rules.most and found:
            break
        if rules.drawn:
            j = i + draw(key, i) % (len(listed) - i)
            listed[i], listed[j] = listed[j], listed[i]
        orders = list(_columns(x, table, rules, node, listed[i], key))
        found += [orders] if orders else []
    return found


def _search(
    x: Array,
    table: Table,
    rules: Rules,
    node: Node,
    columns: Array,
    key: int,
    bounds: Any,
    words: int,
) -> tuple[_Split | None, int]:
    """The best split, and how many columns vary."""
    found = _listed(x, table, rules, node, columns, key)
    flat = [column for orders in found for column in orders]
    step = max(1, 2_000_000 // (len(node.ids) * node.total.size))
    best = None
    for i in range(0, len(flat), step):
        split = _best_of(x, table, rules, node, flat[i : i + step], key, bounds, words)
        if split is not None and (best is None or split.gain > best.gain):
            best = split
    return best, len(found)


def _best_of(
    x: Array,
    table: Table,
    rules: Rules,
    node: Node,
    columns: list[_Column],
    key: int,
    bounds: Any,
    words: int,
) -> _Split | None:
    walk, m, d = _in_order(columns, rules, table), len(node.ids), x.shape[1]
    gains = np.full((len(columns), 2, m), -np.inf)
    gains[:, 0] = _gains(table, rules, node, walk, 0, bounds).T
    some = walk.present < m
    if some.any():
        gains[:, 1] = np.where(
            some, _gains(table, rules, node, walk, 1, bounds), -np.inf
        ).T
    if not rules.best:
        for c in np.flatnonzero(some).tolist():
            gains[c, 1 - (draw(key, 2 * d + columns[c].feature) & 1)] = -np.inf
    at = int(np.argmax(gains))
    j, side, i = (int(v) for v in np.unravel_index(at, gains.shape))
    if gains[j, side, i] == -np.inf:
        return None
    column, p, order = columns[j], int(walk.present[j]), walk.order[:, j]
    missing_left = side == 1 if p < m else 2 * (i + 1) > m
    low = high = np.inf if column.cut is None else column.cut
    if i < p - 1 and column.cut is None:
        low, high = (float(v) for v in column.values[order[i : i + 2]])
    bits = np.zeros(words, np.uint64)
    if column.place is not None:
        bits = _bits(column.place, low, missing_left, words)
        low = high = np.nan
    return _Split(gains[j, side, i], column.feature, missing_left, low, high, bits)


def _bits(place: Array, last: float, missing_left: bool, words: int) -> Array:
    """The categories up to a place; those not seen go where missing values go."""
    left = np.full(64 * words, missing_left)
    left[: len(place)] = np.where(place >= 0, place <= last, missing_left)
    return np.packbits(left, bitorder="little").view(np.uint64)


def _goes_left(values: Array, split: _Split) -> Array:
    if split.low == split.low:
        left = values.astype(np.float64) <= split.low
    else:
        number = np.where(np.isnan(values), 0, values).astype(np.int64)
        shift = (number & 63).astype(np.uint64)
        left = (split.bits[number >> 6] >> shift) & np.uint64(1) == 1
    return np.where(np.isnan(values), split.missing_left, left)


# ------------------------------------------------------------------------- a subtree
def _must_stop(rules: Rules, node: Node, depth: int) -> bool:
    m = len(node.ids)
    return bool(
        depth >= rules.max_depth
        or m < max(rules.min_split, 2 * rules.min_leaf)
        or node.weight < 2 * rules.min_weight
        or node.impurity <= PURE
    )


def _children_bounds(
    table: Table, rules: Rules, split: _Split, sides: list[Array], bounds: Any
) -> list[Any]:
    """Neither child's answer may cross the mean of both, where `monotonic` says so."""
    sign = table.monotonic[split.feature]
    if not sign:
        return [bounds, bounds]
    low, high = bounds
    a, b = (measure(table, rules, ids, 2).value[0, -1] for ids in sides)
    between = (a + b) / 2
    below, above = (low, between), (between, high)
    return [below, above] if sign > 0 else [above, below]


def grow_nodes_numpy(
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
    """Grow the subtree of the rows `ids`, or find its root's best split.

    Parameters
    ----------
    x : ndarray of float32, shape (n, d)
    table : Table
    rules : Rules
    ids : ndarray of int32, shape (m,)
        Ascending; is brought into the order of the leaves.
    columns : ndarray of int64
        Which to look at.
    key, bounds : ndarray of uint64, shape (1,), and float64, shape (2,)
        The root's source of random numbers, and limits of its answer.
    depth : int
        Of the root.
    ints : ndarray of int32, shape (2 m - 1, 4), written
        Column (-2: a leaf), whether missing values go left, samples, right child; the
        left child is the next node. With `only`: columns that vary in the last place.
    floats : ndarray of float64, shape (2 m - 1, 4), written
        The values around the split (NaN: by category), impurity, weight. With `only`:
        six, the last two what the split and what no split gains.
    values : ndarray of float64, shape (2 m - 1, q, classes), written
    bits : ndarray of uint64, shape (2 m - 1, words), written
    done : ndarray of int64, shape (1,), written
        The number of nodes.
    """
    root = (0, len(ids), depth, -1, int(key[0]), (float(bounds[0]), float(bounds[1])))
    stack, number, words = [root], 0, bits.shape[1]
    small, listed = most_samples(x, table, rules, ids, words), columns.tolist()
    while stack:
        start, stop, deep, parent, seed, limits = stack.pop()
        if parent >= 0:
            ints[parent, 3] = number
        if stop - start <= small:
            rows, classes = ids[start:stop].copy(), values.shape[2]
            some = grow_small(
                x, table, rules, rows, listed, seed, deep, number, classes
            )
            nodes = slice(number, number + len(some.ints))
            ints[nodes], floats[nodes], values[nodes, 0] = some[:3]
            ids[start:stop] = rows[some.order]
            number = nodes.stop
            continue
        node = measure(table, rules, ids[start:stop].copy(), values.shape[2])
        values[number] = node.value
        if rules.bounded:
            _clip(values[number], limits)
        ints[number, :3] = -2, 0, stop - start
        floats[number, 2:4] = node.impurity, node.weight
        number += 1
        if not rules.only and _must_stop(rules, node, deep):
            continue
        split, vary = _search(x, table, rules, node, columns, seed, limits, words)
        if rules.only:
            floats[0, 4:] = -np.inf if split is None else split.gain, node.gain
            ints[0, 3] = vary
        if split is None or (
            rules.min_gain > 0.0
            and (split.gain - node.gain) * rules.scale + PURE < rules.min_gain
        ):
            continue
        ints[number - 1, :2] = split.feature, split.missing_left
        floats[number - 1, :2] = split.low, split.high
        bits[number - 1] = split.bits
        if rules.only:
            continue
        left = _goes_left(x[node.ids, split.feature], split)
        sides = [node.ids[left], node.ids[~left]]
        ids[start:stop] = np.concatenate(sides)
        middle = start + len(sides[0])
        low, high = _children_bounds(table, rules, split, sides, limits)
        stack.append((middle, stop, deep + 1, number - 1, mix(seed ^ 2), high))
        stack.append((start, middle, deep + 1, -1, mix(seed ^ 1), low))
    done[0] = number


def _clip(value: Array, limits: Any) -> None:
    answer = min(max(value[0, -1], limits[0]), limits[1])
    if answer != value[0, -1]:
        value[0, 0] = 1.0 - answer
        value[0, -1] = answer
