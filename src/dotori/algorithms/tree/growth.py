"""Growing a decision tree fast: the rules of growth, and `grow`.

What a large node asks is searched on all threads, each with some of the columns. From
some thousand rows on, a subtree is one call of a kernel, and threads share the
subtrees. The tree does not depend on any of that.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.tree.split import Problem, problem
from dotori.algorithms.tree.tree import Tree
from dotori.errors import ShapeError
from dotori.kernels import in_parallel
from dotori.kernels import number as number_of_threads
from dotori.kernels.tree_grow import grow_more_nodes, grow_nodes
from dotori.kernels.tree_table import PURE, draw, mix

Array = NDArray[Any]

#: Rows of a subtree that is grown in one piece where columns are sorted once for it:
#: 20 columns stay in the cache, and 16 bits hold a row's number.
_MOST_SUBTREE = 4096
_WORTH_A_THREAD = 100_000  # values of a node's columns


@dataclass(frozen=True)
class Growth:
    """What a tree lowers, and when it stops growing.

    Parameters
    ----------
    criterion : str
        "gini", "entropy", "log_loss", "squared_error", "friedman_mse",
        "absolute_error" or "poisson".
    splitter : {"best", "random"}
        Try all thresholds of a column, or a random one.
    max_depth : int
        Questions before a leaf, at most.
    min_samples_split, min_samples_leaf : int
        Samples in a node that is split, and in a leaf, at least.
    min_weight_leaf : float
        Weight of a leaf's samples, at least.
    max_features : int, optional
        Columns that a node looks at; all of them if None.
    max_leaf_nodes : int, optional
        Grow the best leaves first, up to this many.
    min_impurity_decrease : float
        What a split gains, at least, weighted with its share of all samples.
    monotonic : ndarray of int, shape (d,), optional
        1 where the answer must not fall as the column rises, -1 where it must not rise:
        the mean, or the fraction of class 1 of two.

    Examples
    --------
    >>> Growth("squared_error", max_depth=3).min_samples_split
    2
    """

    criterion: str = "gini"
    splitter: str = "best"
    max_depth: int = 2**31 - 1
    min_samples_split: int = 2
    min_samples_leaf: int = 1
    min_weight_leaf: float = 0.0
    max_features: int | None = None
    max_leaf_nodes: int | None = None
    min_impurity_decrease: float = 0.0
    monotonic: Array | None = None


def grow(
    x: Array,
    y: Array,
    weight: Array | None,
    growth: Growth,
    n_classes: Any = None,
    seed: int = 0,
    categorical: Array | None = None,
    trees: int = 1,
) -> Tree:
    """Grow a tree.

    Among splits of equal gain it takes that of the first column, then of the lowest
    threshold; where columns are drawn at random, in the order of drawing.

    Parameters
    ----------
    x : ndarray of float32, shape (n, d)
        NaN is a missing value. A categorical column holds the categories' numbers.
    y : ndarray, shape (n, outputs)
        Class numbers (int64), or float64 in regression.
    weight : ndarray of float64, shape (n,), optional
        Rows of weight 0 are left out.
    growth : Growth
    n_classes : array_like of int, shape (outputs,), optional
        Of classification; None or 1 in regression.
    seed : int
        Of the columns that are drawn, and of random thresholds.
    categorical : ndarray of bool, shape (d,), optional
    trees : int
        How many such trees are grown, this one included: whether loading compiled code
        pays depends on it.

    Returns
    -------
    Tree

    Raises
    ------
    ShapeError
        If `x` and `y` have other numbers of rows, or none.
    ArgumentError
        If there is no such criterion.

    Examples
    --------
    >>> x = np.array([[1], [2], [3], [4]], np.float32)
    >>> y = np.array([[0], [0], [1], [1]])
    >>> grow(x, y, None, Growth("gini"), [2]).threshold.tolist()
    [2.5, -2.0, -2.0]
    """
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not len(x):
        raise ShapeError(
            f"grow: x must have the shape (n, d) and y (n, outputs), n > 0; got "
            f"{x.shape} and {y.shape}"
        )
    q = y.shape[1]
    sizes = np.ones(q, np.int64) if n_classes is None else np.asarray(n_classes)
    x = np.require(x, np.float32, ["C", "W"])  # one type of array to compile for
    task = problem(x, y, weight, growth, sizes, seed, categorical, trees)
    if growth.max_leaf_nodes is None:
        nodes = _depth_first(task)
    else:
        nodes = _best_first(task, growth.max_leaf_nodes)
    return nodes.tree(x.shape[1], sizes)


@dataclass
class _Nodes:
    """Nodes in the kernels' form; `right` counts within these arrays."""

    ints: Array  # (nodes, 4): column, missing values to the left, samples, right child
    floats: Array  # (nodes, 4): around the split, impurity, weight
    values: Array
    bits: Array
    left: Array | None = None  # the left children, where they are not the next node

    def tree(self, d: int, sizes: Array) -> Tree:
        """The same as a tree. Frees the arrays as it goes."""
        feature = self.ints[:, 0].astype(np.int64)
        inside = feature >= 0
        left = np.arange(1, len(feature) + 1) if self.left is None else self.left
        right = self.ints[:, 3].astype(np.int64)
        low, high = self.floats[:, 0], self.floats[:, 1]
        with np.errstate(invalid="ignore", over="ignore"):
            threshold = low / 2 + high / 2
            threshold = np.where(threshold >= high, low, threshold)
        return Tree(
            np.where(inside, left, -1),
            np.where(inside, right, -1),
            np.where(inside, feature, -2),
            np.where(inside, threshold, -2.0),
            self.floats[:, 2].copy(),
            self.ints[:, 2].astype(np.int64),
            self.floats[:, 3].copy(),
            self.values,
            inside & (self.ints[:, 1] == 1),
            np.where(inside[:, None], self.bits, np.uint64(0)),
            d,
            np.asarray(sizes, np.int64),
        )


@dataclass
class _Place:
    """Where a node is: its rows, its depth, its random numbers and its bounds."""

    rows: Array
    depth: int
    key: int
    low: float = -np.inf
    high: float = np.inf
    parent: int = -1  # that it is the right child of


def _root(task: Problem) -> _Place:
    return _Place(task.rows, 0, mix(task.seed & (2**64 - 1)))


def _call(
    task: Problem,
    x: Array,
    ids: Array,
    place: _Place,
    columns: Array,
    nodes: int,
    **rules: Any,
) -> _Nodes:
    """Run the kernel: a subtree, or with ``only=True`` the best split of a node."""
    only = rules.get("only", False)
    out = (
        np.empty((nodes, 4), np.int32),
        np.empty((nodes, 6 if only else 4)),
        np.empty((nodes, task.table.y.shape[1], task.classes)),
        np.empty((nodes, task.words), np.uint64),
        np.zeros(1, np.int64),
    )
    kernel = grow_nodes if task.is_simple else grow_more_nodes
    seconds = task.seconds(len(task.rows) if only else len(ids))
    kernel.run(
        seconds,
        x,
        rules.pop("table", task.table),
        task.rules._replace(**rules),
        ids,
        columns,
        np.array([place.key], np.uint64),
        np.array([place.low, place.high]),
        place.depth,
        *out,
        whole=seconds * task.trees,
    )
    k = int(out[4][0])
    if k == nodes:
        return _Nodes(*out[:4])
    return _Nodes(*(array[:k].copy() for array in out[:4]))


# ---------------------------------------------------------------------- one node
def _best_split(task: Problem, place: _Place) -> _Nodes:
    """A node and its best split, the columns shared among the threads."""
    rules, d = task.rules, task.x.shape[1]
    columns = np.arange(d)
    if rules.drawn:
        for i in range(d):
            j = i + draw(place.key, i) % (d - i)
            columns[[i, j]] = columns[[j, i]]
    found = _search(task, place, columns[: rules.most])
    for f in columns[rules.most :]:
        if found.ints[0, 3]:  # not all columns so far are constant
            break
        found = _search(task, place, np.array([f]))
    gain, none = found.floats[0, 4:]
    if rules.min_gain > 0.0 and (gain - none) * rules.scale + PURE < rules.min_gain:
        found.ints[0, 0] = -2
    if rules.bounded:
        _clip(found.values[0], place)
    return found


def _search(task: Problem, place: _Place, columns: Array) -> _Nodes:
    found: list[tuple[int, _Nodes]] = []

    def some(start: int, stop: int) -> None:
        chosen = columns[start:stop]
        part: dict[str, Any] = {"only": True, "presort": False, "drawn": False}
        part["most"] = len(chosen)
        node = _call(task, task.x, place.rows, place, chosen, 1, **part)
        found.append((start, node))

    least = max(1, _WORTH_A_THREAD // len(place.rows))
    in_parallel(len(columns), some, least=least)
    nodes = [node for _, node in sorted(found, key=lambda pair: pair[0])]
    best = max(nodes, key=lambda node: node.floats[0, 4])  # the first of equal ones
    best.ints[0, 3] = sum(node.ints[0, 3] for node in nodes)
    return best


def _clip(value: Array, place: _Place) -> None:
    answer = min(max(value[0, -1], place.low), place.high)
    if answer != value[0, -1]:
        value[0, 0] = 1.0 - answer
        value[0, -1] = answer


def _must_stop(task: Problem, place: _Place, node: _Nodes) -> bool:
    rules, m = task.rules, len(place.rows)
    return bool(
        place.depth >= rules.max_depth
        or m < max(rules.min_split, 2 * rules.min_leaf)
        or node.floats[0, 3] < 2 * rules.min_weight
        or node.floats[0, 2] <= PURE
    )


def _children(task: Problem, place: _Place, node: _Nodes) -> tuple[_Place, _Place]:
    """Where the two sides of a split go on."""
    f, missing_left = int(node.ints[0, 0]), bool(node.ints[0, 1])
    column = task.x[place.rows, f]
    if np.isnan(node.floats[0, 0]):
        number = np.where(np.isnan(column), 0, column).astype(np.int64)
        shift = (number & 63).astype(np.uint64)
        left = (node.bits[0][number >> 6] >> shift) & np.uint64(1) == 1
    else:
        left = column <= node.floats[0, 0]
    left = np.where(np.isnan(column), missing_left, left)
    below, above = (
        _Place(rows, place.depth + 1, mix(place.key ^ side), place.low, place.high)
        for side, rows in ((1, place.rows[left]), (2, place.rows[~left]))
    )
    sign = task.table.monotonic[f]
    if sign:
        answers = [_answer(task, child) for child in (below, above)]
        between = (answers[0] + answers[1]) / 2
        lower, upper = (below, above) if sign > 0 else (above, below)
        lower.high = upper.low = between
    return below, above


def _answer(task: Problem, place: _Place) -> float:
    """The mean or median of a node, whatever its bounds."""
    no_columns = np.empty(0, np.int64)
    part: dict[str, Any] = {"only": True, "presort": False, "drawn": False, "most": 0}
    node = _call(task, task.x, place.rows, place, no_columns, 1, **part)
    return float(node.values[0, 0, -1])


# -------------------------------------------------------------------- depth first
def _depth_first(task: Problem) -> _Nodes:
    """Single nodes while they are large, then subtrees; each before its children."""
    parts: list[Any] = []
    links: dict[int, int] = {}  # a part, and that of its right child
    stack, most = [_root(task)], _largest_subtree(task)
    while stack:
        place = stack.pop()
        if place.parent >= 0:
            links[place.parent] = len(parts)
        if len(place.rows) <= most:
            parts.append(place)
            continue
        node = _best_split(task, place)
        if _must_stop(task, place, node):
            node.ints[0, 0] = -2
        parts.append(node)
        if node.ints[0, 0] >= 0:
            left, right = _children(task, place, node)
            right.parent = len(parts) - 1
            stack += [right, left]
    _grow_subtrees(task, parts)
    return _joined(parts, links)


def _largest_subtree(task: Problem) -> int:
    if not task.rules.presort:
        return len(task.rows)
    return _MOST_SUBTREE


def _grow_subtrees(task: Problem, parts: list[Any]) -> None:
    """Put the nodes of a subtree in the place of its root's, the largest first."""
    todo = [i for i, part in enumerate(parts) if isinstance(part, _Place)]
    todo.sort(key=lambda i: len(parts[i].rows))
    lock = threading.Lock()

    def some(start: int, stop: int) -> None:
        while True:
            with lock:
                if not todo:
                    return
                i = todo.pop()
            parts[i] = _subtree(task, parts[i])

    in_parallel(min(number_of_threads(), len(todo)), some)


def _subtree(task: Problem, place: _Place) -> _Nodes:
    rows, columns = place.rows, np.arange(task.x.shape[1])
    nodes = 2 * len(rows) - 1
    levels = max(task.rules.max_depth - place.depth, 0)
    if levels < 30:
        nodes = min(nodes, 2 ** (levels + 1) - 1)
    if not task.rules.presort or len(rows) == len(task.x):
        return _call(task, task.x, rows.copy(), place, columns, nodes)
    y, raw, weight = task.table[:3]
    part = task.table._replace(y=y[rows], raw=raw[rows])
    if raw is y:
        part = part._replace(raw=part.y)
    if len(weight):
        part = part._replace(weight=weight[rows])
    ids = np.arange(len(rows), dtype=np.int32)
    return _call(task, task.x[rows], ids, place, columns, nodes, table=part)


def _joined(parts: list[_Nodes], links: dict[int, int]) -> _Nodes:
    """All parts in a row, children counted from the first node of all."""
    begin = np.append(0, np.cumsum([len(part.ints) for part in parts]))
    for i, part in enumerate(parts):
        part.ints[:, 3] += begin[i]
        if i in links:
            part.ints[0, 3] = begin[links[i]]
    if len(parts) == 1:
        return parts[0]
    joined = []
    for name, width in (("ints", 4), ("floats", 4), ("values", None), ("bits", None)):
        joined.append(
            np.concatenate([getattr(part, name)[:, :width] for part in parts])
        )
        for part in parts:  # not all of it twice
            setattr(part, name, None)
    return _Nodes(*joined)


# --------------------------------------------------------------------- best first
def _best_first(task: Problem, most: int) -> _Nodes:
    """Split the leaf that gains most, until there are `most` leaves."""
    nodes: list[_Nodes] = []
    lefts: dict[int, int] = {}
    heap: list[tuple[float, int, _Place]] = []

    def add(place: _Place) -> int:
        node, number = _best_split(task, place), len(nodes)
        if _must_stop(task, place, node):
            node.ints[0, 0] = -2
        nodes.append(node)
        if node.ints[0, 0] >= 0:
            gain = node.floats[0, 4] - node.floats[0, 5]
            heappush(heap, (-gain, number, place))
        return number

    add(_root(task))
    leaves = 1
    while heap and leaves < most:
        _, number, place = heappop(heap)
        left, right = _children(task, place, nodes[number])
        lefts[number], nodes[number].ints[0, 3] = add(left), add(right)
        leaves += 1
    left_children = np.zeros(len(nodes), np.int64)
    for number, node in enumerate(nodes):
        if number in lefts:
            left_children[number] = lefts[number]
        else:
            node.ints[0, 0] = -2
    joined = _joined_single(nodes)
    joined.left = left_children
    return joined


def _joined_single(nodes: list[_Nodes]) -> _Nodes:
    return _Nodes(
        np.concatenate([node.ints for node in nodes]),
        np.concatenate([node.floats for node in nodes]),
        np.concatenate([node.values for node in nodes]),
        np.concatenate([node.bits for node in nodes]),
    )
