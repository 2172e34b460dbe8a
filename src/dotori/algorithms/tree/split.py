"""What the kernels need to know to grow a tree, from what a user knows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dotori.errors import ArgumentError
from dotori.kernels.tree_small import MOST_RANDOM, MOST_SORTED
from dotori.kernels.tree_table import (
    ABSOLUTE,
    ENTROPY,
    GINI,
    POISSON,
    SQUARES,
    Rules,
    Table,
    log,
)

if TYPE_CHECKING:
    from dotori.algorithms.tree.growth import Growth

Array = NDArray[Any]

_CRITERIA = {
    "gini": GINI,
    "entropy": ENTROPY,
    "log_loss": ENTROPY,
    "squared_error": SQUARES,
    "friedman_mse": SQUARES,  # orders splits in the same way
    "absolute_error": ABSOLUTE,
    "poisson": POISSON,
}
_LONGEST_TABLE = 1 << 22  # entries of v log v
#: The part of the columns that a node must look at for sorting all of them to pay.
_WORTH_PRESORTING = 3


@dataclass(frozen=True)
class Problem:
    """A table, and the rules of growth, as the kernels take them.

    Parameters
    ----------
    x : ndarray of float32, shape (n, d)
    table : Table
    rules : Rules
    rows : ndarray of int32, shape (m,)
        The rows with a weight.
    classes : int
        The largest number of classes of an output, 1 in regression.
    words : int
        64 bits each, in which the categories of a column fit.
    seed : int
    trees : int
        How many such trees are grown one after the other.
    missing : bool
        Whether `x` has missing values.
    """

    x: Array
    table: Table
    rules: Rules
    rows: Array
    classes: int
    words: int
    seed: int
    trees: int = 1
    missing: bool = False

    @property
    def is_simple(self) -> bool:
        """Whether the kernel of few things will do."""
        table, rules = self.table, self.rules
        return not (
            rules.criterion in (ABSOLUTE, POISSON)
            or (rules.criterion == SQUARES and table.y.shape[1] > 1)
            or (rules.criterion == ENTROPY and not len(table.logs))
            or rules.bounded
            or self.words
        )

    @property
    def _is_plain(self) -> bool:
        """Whether NumPy has `tree_small` for small nodes."""
        return self.is_simple and self.rules.criterion != ENTROPY and not self.missing

    def seconds(self, m: int) -> float:
        """What NumPy would take for a subtree of m rows, roughly."""
        rules = self.rules
        levels = float(min(math.log2(m + 1), rules.max_depth))
        nodes = min(m / rules.min_leaf / 2, 2.0 ** min(rules.max_depth, 40))
        each = 5e-6 if rules.criterion == ABSOLUTE else 5e-8
        plain = 0.0
        if self._is_plain:  # small nodes are cheap
            small, step = (MOST_SORTED, 9e-7) if rules.best else (MOST_RANDOM, 2e-7)
            small = min(m, small // max(rules.most, 1))
            deep = min(math.log2(small + 1), levels)
            plain = 2e-5 * nodes + step * m * deep * rules.most
            nodes = min(nodes, m / max(small, 1) - 1)
            levels -= deep
        whole = each * m * levels * rules.most * self.classes
        return plain + 3e-4 * nodes + whole


def problem(
    x: Array,
    y: Array,
    weight: Array | None,
    growth: Growth,
    sizes: Array,
    seed: int,
    categorical: Array | None,
    trees: int = 1,
) -> Problem:
    """The kernels' view of `growth.grow`'s arguments."""
    n, d = x.shape
    criterion = _criterion(growth.criterion)
    rows = np.arange(n) if weight is None else np.flatnonzero(weight)
    if weight is not None and (weight[rows] == 1).all():
        weight = None
    total = float(len(rows) if weight is None else np.cumsum(weight)[-1])
    q, by_class = y.shape[1], criterion == ENTROPY
    raw = np.ascontiguousarray(y, np.float64)
    if criterion == GINI:
        by_class = q > 1 or sizes[0] != 2
    summed = not by_class and criterion != ABSOLUTE
    targets = raw * weight[:, None] if summed and weight is not None else raw
    categories = _categories(x, categorical)
    monotonic = np.zeros(d, np.int64)
    if growth.monotonic is not None:
        monotonic[:] = growth.monotonic
    logs = _logs(weight, total) if criterion == ENTROPY else np.empty(0)
    table = Table(
        targets,
        raw,
        np.empty(0) if weight is None else np.ascontiguousarray(weight, np.float64),
        categories,
        monotonic,
        logs,
    )
    most = d if growth.max_features is None else min(growth.max_features, d)
    scale = {GINI: 1.0 if by_class else 2.0, ENTROPY: 1 / math.log(2)}
    best = growth.splitter == "best"
    rules = Rules(
        criterion=criterion,
        by_class=by_class,
        best=best,
        drawn=most < d,
        presort=best and _WORTH_PRESORTING * most >= d,
        only=False,
        bounded=bool(monotonic.any()),
        simple=best
        and q == 1
        and criterion in (GINI, SQUARES)
        and not (by_class or monotonic.any() or categories.any()),
        max_depth=int(min(growth.max_depth, 2**31 - 1)),
        min_split=int(growth.min_samples_split),
        min_leaf=int(growth.min_samples_leaf),
        most=most,
        min_weight=float(growth.min_weight_leaf),
        min_gain=float(growth.min_impurity_decrease),
        scale=scale.get(criterion, 1.0) / (total * q),
    )
    words = -(-int(categories.max(initial=0)) // 64)
    classes = int(max(sizes))
    missing = bool(np.isnan(np.min(x, initial=0)))  # no copy, as isnan(x) would be
    ids = rows.astype(np.int32)
    return Problem(x, table, rules, ids, classes, words, seed, trees, missing)


def _criterion(name: str) -> int:
    if name not in _CRITERIA:
        raise ArgumentError(
            f"Growth: criterion must be one of {', '.join(_CRITERIA)}; got {name!r}"
        )
    return _CRITERIA[name]


def _categories(x: Array, categorical: Array | None) -> Array:
    """How many categories each column may have, 0 for numbers."""
    counts = np.zeros(x.shape[1], np.int64)
    if categorical is not None:
        for f in np.flatnonzero(categorical):
            there = x[:, f][~np.isnan(x[:, f])]
            counts[f] = int(there.max(initial=0)) + 1
    return counts


def _logs(weight: Array | None, total: float) -> Array:
    """v log v for every weight that a set of samples may have; empty if too many."""
    whole = weight is None or bool((weight == np.floor(weight)).all())
    if not whole or total > _LONGEST_TABLE:
        return np.empty(0)
    v = np.arange(total + 1)
    table: Array = v * log(np.where(v > 0, v, 1.0))
    return table
