"""Small nodes of a tree in plain Python: they ask less than a NumPy call costs.

For `tree_numpy`, which says what is computed: Gini's impurity and squared error of one
output, where nothing is missing and no column is categorical. Sums run in the same
order, so the trees are the same, bit by bit.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dotori.kernels.tree_table import (
    APART,
    GINI,
    PURE,
    SQUARES,
    Rules,
    Table,
    draw,
    mix,
)

Array = NDArray[Any]

#: Values of a node's columns up to which plain Python is faster than NumPy.
MOST_SORTED = 1200
MOST_RANDOM = 4000


def most_samples(x: Array, table: Table, rules: Rules, ids: Array, words: int) -> int:
    """Up to how many samples `grow_small` should grow a node; -1 where it cannot."""
    if (
        rules.only
        or rules.bounded
        or words
        or table.y.shape[1] > 1
        or rules.criterion not in (GINI, SQUARES)
        or (len(table.weight) and not (table.weight[ids] > 0).all())
        or np.isnan(np.min(x, initial=0))  # no copy, as isnan(x) would be
    ):
        return -1
    return (MOST_SORTED if rules.best else MOST_RANDOM) // max(rules.most, 1)


class Grown(NamedTuple):
    """The nodes of a subtree, in the columns of the kernels' arrays."""

    ints: list[list[int]]
    floats: list[list[float]]
    values: list[list[float]]
    order: list[int]  #: the samples in the order of the leaves


class _Node(NamedTuple):
    """What is measured of a node."""

    rows: list[int]  # ascending
    weight: float
    impurity: float
    gain: float  # of no split
    total: list[float]  # by class; or a single sum
    value: list[float]


class _Split(NamedTuple):
    gain: float
    feature: int
    left: int  # how many samples go there
    low: float
    high: float


class _Samples:
    """The samples of a subtree as lists. They are numbered from 0."""

    def __init__(
        self, x: Array, table: Table, rules: Rules, ids: Array, classes: int
    ) -> None:
        self.x, self.ids, self.rules, self.classes = x, ids, rules, classes
        y = table.y[ids, 0]
        self.y = (y.astype(np.int64) if rules.by_class else y).tolist()
        self.raw = table.raw[ids, 0].tolist() if rules.criterion == SQUARES else []
        self.unit = not len(table.weight)
        self.w = [1.0] * len(ids) if self.unit else table.weight[ids].tolist()
        self.whole = self.unit or all(w.is_integer() for w in self.w)
        self._columns: dict[int, tuple[list[float], list[float]]] = {}

    def column(self, f: int) -> tuple[list[float], list[float]]:
        """A column, and what the next value must exceed for a split between them."""
        found = self._columns.get(f)
        if found is None:
            values = self.x[self.ids, f]
            found = self._columns[f] = values.tolist(), (values + APART).tolist()
        return found

    # --------------------------------------------------------------------- measures
    def measured(self, rows: list[int]) -> _Node:
        by_class = self.rules.by_class
        return self._measured_classes(rows) if by_class else self._measured_sum(rows)

    def _measured_classes(self, rows: list[int]) -> _Node:
        total, weight = self._totals(rows)
        squares = gain = 0.0
        value = [t / weight for t in total]
        for t, share in zip(total, value, strict=True):
            squares += share * share
            gain += t * t
        value = value[: self.classes]
        return _Node(rows, weight, 1.0 - squares, gain / weight, total, value)

    def _totals(self, rows: list[int]) -> tuple[list[float], float]:
        """The weight by class, and of all."""
        y, w, weight = self.y, self.w, 0.0
        total = [0.0] * max(self.classes, 2)
        if self.unit:
            for c in [y[j] for j in rows]:
                total[c] += 1.0
            return total, float(len(rows))
        for j in rows:
            total[y[j]] += w[j]
            weight += w[j]
        return total, weight

    def _measured_sum(self, rows: list[int]) -> _Node:
        y, w, raw, weight, total = self.y, self.w, self.raw, 0.0, 0.0
        for j in rows:
            weight += w[j]
            total += y[j]
        mean, gain = total / weight, total * total / weight
        if self.rules.criterion == GINI:
            other = (weight - total) / weight
            impurity = 1.0 - (mean * mean + other * other)
            return _Node(rows, weight, impurity, gain, [total], [other, mean])
        spread, same, first = 0.0, True, raw[rows[0]]
        for j in rows:
            spread += y[j] * raw[j]
            same = same and raw[j] == first
        variance = 0.0 if same else max(spread / weight - mean * mean, 0.0)
        return _Node(rows, weight, variance, gain, [total], [mean])

    # ------------------------------------------------------------------------ walks
    def walk(
        self, node: _Node, order: list[int], gaps: list[bool], best: float
    ) -> tuple[float, int]:
        """The gain of the best split, and how many samples are left of it; 0: none.

        `gaps` says behind which samples of `order` there may be a split.
        """
        walk = self._walk_classes if self.rules.by_class else self._walk_sum
        return walk(node, order, gaps, best)

    def _walk_classes(
        self, node: _Node, order: list[int], gaps: list[bool], best: float
    ) -> tuple[float, int]:
        y, w, weight = self.y, self.w, node.weight
        least, lightest = self.rules.min_leaf, self.rules.min_weight
        most, right = len(node.rows) - least, node.total.copy()
        left = [0.0] * len(right)
        a = b = upto = 0.0
        for t in right:
            b += t * t
        found = 0
        for n, (j, gap) in enumerate(zip(order, gaps, strict=False), 1):
            c, step = y[j], w[j]
            old = left[c]
            left[c] = new = old + step
            a += new * new - old * old
            old = right[c]
            right[c] = new = old - step
            b += new * new - old * old
            upto += step
            if gap and least <= n <= most:
                other = weight - upto
                if other > 0.0 and upto >= lightest and other >= lightest:
                    gain = a / upto + b / other
                    if gain > best:
                        best, found = gain, n
        return best, found

    def _count_classes(
        self, node: _Node, left: list[int], best: float
    ) -> tuple[float, int]:
        """`_walk_classes` for a single place: sums of whole numbers have no order."""
        (sums, upto), n = self._totals(left), len(left)
        a = b = 0.0
        for s, t in zip(sums, node.total, strict=True):
            a += s * s
            b += (t - s) * (t - s)
        other, least = node.weight - upto, self.rules.min_leaf
        gain = a / upto + b / other
        if gain <= best or min(upto, other) < self.rules.min_weight:
            return best, 0
        return (gain, n) if least <= n <= len(node.rows) - least else (best, 0)

    def _walk_sum(
        self, node: _Node, order: list[int], gaps: list[bool], best: float
    ) -> tuple[float, int]:
        y, w, weight, total = self.y, self.w, node.weight, node.total[0]
        least, lightest = self.rules.min_leaf, self.rules.min_weight
        most, found, s, upto = len(node.rows) - least, 0, 0.0, 0.0
        for n, (j, gap) in enumerate(zip(order, gaps, strict=False), 1):
            s += y[j]
            upto += w[j]
            if gap and least <= n <= most:
                rest, other = total - s, weight - upto
                if other > 0.0 and upto >= lightest and other >= lightest:
                    gain = s * s / upto + rest * rest / other
                    if gain > best:
                        best, found = gain, n
        return best, found

    # ----------------------------------------------------------------------- search
    def search(self, node: _Node, columns: list[int], key: int) -> _Split | None:
        """The best split of a node."""
        rules, listed, best, vary = self.rules, columns.copy(), None, False
        bar, split_of = -np.inf, self._sorted if rules.best else self._random
        for i in range(len(listed)):
            if i >= rules.most and vary:
                break
            if rules.drawn:
                j = i + draw(key, i) % (len(listed) - i)
                listed[i], listed[j] = listed[j], listed[i]
            found = split_of(node, listed[i], key, bar)
            if found is not None:
                vary = True
                if found.left:
                    best, bar = found, found.gain
        return best

    def _sorted(self, node: _Node, f: int, key: int, bar: float) -> _Split | None:
        """The best split of a column, none (`left` 0) below the bar; None: constant."""
        values, above = self.column(f)
        order = sorted(node.rows, key=values.__getitem__)
        if values[order[-1]] <= above[order[0]]:
            return None
        gaps = [values[k] > above[j] for j, k in pairwise(order)]
        gain, n = self.walk(node, order, gaps, bar)
        return _Split(gain, f, n, values[order[n - 1]], values[order[n]])

    def _random(self, node: _Node, f: int, key: int, bar: float) -> _Split | None:
        """The same for a random threshold."""
        column, above = self.column(f)
        values = [column[j] for j in node.rows]
        low, high = min(values), max(values)
        if high <= above[node.rows[values.index(low)]]:
            return None
        u = draw(key, self.x.shape[1] + f) * 2.0**-53
        cut = low + u * (high - low)
        cut = low if cut >= high else cut
        order = [j for j, v in zip(node.rows, values, strict=True) if not v > cut]
        if len(order) == len(node.rows):
            return _Split(bar, f, 0, cut, cut)
        exact = self.whole and node.weight < 2**26  # so are sums of squares
        if self.rules.by_class and exact:
            gain, n = self._count_classes(node, order, bar)
        else:
            gaps = [False] * len(order)
            gaps[-1] = True
            gain, n = self.walk(node, order, gaps, bar)
        return _Split(gain, f, n, cut, cut)


def grow_small(
    x: Array,
    table: Table,
    rules: Rules,
    ids: Array,
    columns: list[int],
    key: int,
    depth: int,
    first: int,
    classes: int,
) -> Grown:
    """Grow the subtree of the rows `ids`, whose root is the node number `first`."""
    samples = _Samples(x, table, rules, ids, classes)
    grown = Grown([], [], [], [])
    stack = [(list(range(len(ids))), depth, -1, key)]
    while stack:
        rows, deep, parent, seed = stack.pop()
        number = len(grown.ints)
        if parent >= 0:
            grown.ints[parent][3] = first + number
        node = samples.measured(rows)
        ints, floats = [-2, 0, len(rows), 0], [0.0, 0.0, node.impurity, node.weight]
        grown.ints.append(ints)
        grown.floats.append(floats)
        grown.values.append(node.value)
        split = None
        if not _must_stop(rules, node, deep):
            split = samples.search(node, columns, seed)
        if split is None or (
            rules.min_gain > 0.0
            and (split.gain - node.gain) * rules.scale + PURE < rules.min_gain
        ):
            grown.order.extend(rows)
            continue
        ints[0], ints[1] = split.feature, int(2 * split.left > len(rows))
        floats[0], floats[1] = split.low, split.high
        column, low = samples.column(split.feature)[0], split.low
        left = [j for j in rows if column[j] <= low]
        right = [j for j in rows if not column[j] <= low]
        stack.append((right, deep + 1, number, mix(seed ^ 2)))
        stack.append((left, deep + 1, -1, mix(seed ^ 1)))
    return grown


def _must_stop(rules: Rules, node: _Node, depth: int) -> bool:
    m = len(node.rows)
    return (
        depth >= rules.max_depth
        or m < max(rules.min_split, 2 * rules.min_leaf)
        or node.weight < 2 * rules.min_weight
        or node.impurity <= PURE
    )
