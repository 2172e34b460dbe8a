"""A whole decision tree, grown as it is defined: by recursion and by trying everything.

A node looks at every question that tells its samples apart and asks the one with the
largest gain; then both sides do the same with theirs. That takes O(n^2) for each column
and node. `growth.grow` gives the same trees in O(n log n), and is tested against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dotori.algorithms.tree.criteria import (
    ALL,
    CLASSIFICATION,
    information_gain,
    median,
)
from dotori.algorithms.tree.tree import Tree
from dotori.errors import ArgumentError

if TYPE_CHECKING:
    from dotori.algorithms.tree.growth import Growth

Array = NDArray[Any]

#: Values that are no further apart are one value.
APART = np.float32(1e-7)
#: An impurity that is no larger is none.
PURE = float(np.finfo(np.float64).eps)
_MOST_CATEGORIES = 12


@dataclass(frozen=True)
class Question:
    """Is ``x[feature] <= threshold``? Or: is ``x[feature]`` one of `categories`?"""

    feature: int
    threshold: float
    missing_left: bool
    categories: tuple[int, ...] | None = None

    def answers(self, x: Array) -> Array:
        """Which rows go to the left: bool, shape (n,)."""
        column = x[:, self.feature]
        if self.categories is None:
            left = column <= self.threshold
        else:
            left = np.isin(column, self.categories)
        return np.where(np.isnan(column), self.missing_left, left)


@dataclass
class _Node:
    samples: Array
    impurity: float
    value: Array
    question: Question | None = None
    left: int = -1
    right: int = -1


@dataclass
class _Problem:
    """What all nodes know: the table, the rules, and the nodes so far."""

    x: Array
    y: Array
    weight: Array
    growth: Growth
    n_classes: Array
    categorical: Array
    random: np.random.Generator
    nodes: list[_Node] = field(default_factory=list)


def grow(
    x: Array,
    y: Array,
    weight: Array | None,
    growth: Growth,
    n_classes: Array,
    seed: int = 0,
    categorical: Array | None = None,
    ordered: Any = None,
) -> Tree:
    """Grow a tree, one node after the other.

    Parameters
    ----------
    x : ndarray of float32, shape (n, d)
        NaN is a missing value. A categorical column holds the categories' numbers.
    y : ndarray, shape (n, outputs)
        Class numbers (int64), or float64 in regression.
    weight : ndarray of float64, shape (n,), optional
    growth : Growth
        The criterion, and when to stop.
    n_classes : ndarray of int64, shape (outputs,)
        1 in regression.
    seed : int
        Of the choice of columns, where there is one.
    categorical : ndarray of bool, shape (d,), optional
        Which columns are asked for categories.
    ordered : object
        Is not used: `growth.grow` takes it.

    Raises
    ------
    ArgumentError
        For monotonic constraints and `max_leaf_nodes`, which are not in this file.

    Examples
    --------
    >>> from dotori.algorithms.tree.growth import Growth
    >>> x = np.array([[1], [2], [3], [4]], np.float32)
    >>> y = np.array([[0], [0], [1], [1]])
    >>> tree = grow(x, y, None, Growth(criterion="gini"), np.array([2]))
    >>> tree.threshold.tolist()
    [2.5, -2.0, -2.0]
    >>> tree.predict(x).argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """
    if growth.monotonic is not None or growth.max_leaf_nodes is not None:
        raise ArgumentError(
            "the textbook's tree knows no monotonic constraints and no max_leaf_nodes; "
            "use dotori.algorithms.tree.growth.grow"
        )
    weight = np.ones(len(x)) if weight is None else weight
    by_category = np.zeros(x.shape[1], bool) if categorical is None else categorical
    random = np.random.default_rng(seed)
    problem = _Problem(x, y, weight, growth, n_classes, by_category, random)
    _add_node(problem, np.flatnonzero(weight), depth=0)
    return _as_arrays(problem)


def _add_node(problem: _Problem, samples: Array, depth: int) -> int:
    """Make the node of these samples and all below it; its number."""
    number = len(problem.nodes)
    node = _Node(samples, _impurity(problem, samples), _value(problem, samples))
    problem.nodes.append(node)
    if not _must_stop(problem, node, depth):
        node.question = _best_question(problem, node)
    if node.question is not None:
        left = node.question.answers(problem.x[samples])
        node.left = _add_node(problem, samples[left], depth + 1)
        node.right = _add_node(problem, samples[~left], depth + 1)
    return number


def _must_stop(problem: _Problem, node: _Node, depth: int) -> bool:
    growth, n = problem.growth, len(node.samples)
    return bool(
        depth >= growth.max_depth
        or n < growth.min_samples_split
        or n < 2 * growth.min_samples_leaf
        or problem.weight[node.samples].sum() < 2 * growth.min_weight_leaf
        or node.impurity <= PURE
    )


def _best_question(problem: _Problem, node: _Node) -> Question | None:
    """The question with the largest gain among those that are allowed."""
    rows, weight = problem.x[node.samples], problem.weight[node.samples]
    best, best_gain = None, -np.inf
    for question in _questions(problem, rows):
        left = question.answers(rows)
        if not _is_allowed(problem.growth, left, weight):
            continue
        gain = _gain(problem, node.samples, left)
        if gain > best_gain:
            best, best_gain = question, gain
    share = weight.sum() / problem.weight.sum()
    if share * best_gain + PURE < problem.growth.min_impurity_decrease:
        return None
    return best


def _is_allowed(growth: Growth, left: Array, weight: Array) -> bool:
    """Whether both sides are large and heavy enough."""
    fewest = min(np.count_nonzero(left), np.count_nonzero(~left))
    lightest = min(weight[left].sum(), weight[~left].sum())
    return bool(
        fewest >= growth.min_samples_leaf and lightest >= growth.min_weight_leaf
    )


def _questions(problem: _Problem, rows: Array) -> Iterator[Question]:
    """All questions about `max_features` columns, drawn at random if not all."""
    growth, columns = problem.growth, np.arange(rows.shape[1])
    most = growth.max_features or len(columns)
    if most < len(columns):
        columns = problem.random.permutation(columns)
    about = _about_column if growth.splitter == "best" else _at_random
    asked = 0
    for feature in columns.tolist():
        questions = list(about(problem, rows, feature))
        yield from questions
        asked += bool(questions)
        if asked == most:
            return


def _about_column(problem: _Problem, rows: Array, feature: int) -> Iterator[Question]:
    """Every question about one column that tells the samples apart."""
    column = rows[:, feature]
    missing = np.isnan(column)
    values = np.unique(column[~missing])
    splits: list[tuple[float, tuple[int, ...] | None]]
    if problem.categorical[feature]:
        splits = [(np.nan, subset) for subset in _subsets(values)]
        everything = (np.nan, tuple(values.astype(int).tolist()))
    else:
        gaps = np.flatnonzero(values[1:] > values[:-1] + APART)
        halves = values.astype(np.float64) / 2
        splits = [(t, None) for t in (halves[gaps] + halves[gaps + 1]).tolist()]
        everything = (np.inf, ())
    if not missing.any():
        for split in splits:
            yield _with_majority(Question(feature, split[0], False, split[1]), rows)
    elif len(values):
        for threshold, subset in [*splits, (everything[0], everything[1] or None)]:
            yield Question(feature, threshold, False, subset)
        for threshold, subset in splits:
            yield Question(feature, threshold, True, subset)


def _with_majority(question: Question, rows: Array) -> Question:
    """The question, where what will be missing goes with most of the samples."""
    left = question.answers(rows)
    return replace(question, missing_left=bool(2 * left.sum() > len(left)))


def _at_random(problem: _Problem, rows: Array, feature: int) -> Iterator[Question]:
    """One question with a random threshold, or subset of the categories.

    Geurts, Ernst and Wehenkel, "Extremely randomized trees", 2006.
    """
    column, random = rows[:, feature], problem.random
    missing = np.isnan(column)
    values = np.unique(column[~missing])
    if not len(values) or not (missing.any() or values[-1] > values[0] + APART):
        return
    question = Question(feature, random.uniform(values[0], values[-1]), False)
    if problem.categorical[feature]:
        chosen = random.permutation(values)[: random.integers(1, max(len(values), 2))]
        question = Question(feature, np.nan, False, tuple(chosen.astype(int).tolist()))
    if missing.any():
        yield replace(question, missing_left=bool(random.integers(2)))
    else:
        yield _with_majority(question, rows)


def _subsets(values: Array) -> Iterator[tuple[int, ...]]:
    """One half of each partition of the categories in two: that with the first."""
    if not len(values):
        return
    first, *others = values.astype(int).tolist()
    if len(others) >= _MOST_CATEGORIES:
        raise ArgumentError(
            f"the textbook's tree tries all subsets of at most {_MOST_CATEGORIES} "
            f"categories, got {len(values)}; use dotori.algorithms.tree.growth.grow"
        )
    for size in range(len(others)):
        for chosen in combinations(others, size):
            yield (first, *chosen)


def _criterion(problem: _Problem) -> Any:
    return ALL[problem.growth.criterion]


def _impurity(problem: _Problem, samples: Array) -> float:
    """The criterion's mean over the outputs."""
    y, w, criterion = problem.y[samples], problem.weight[samples], _criterion(problem)
    return float(np.mean([criterion(target, w) for target in y.T]))


def _gain(problem: _Problem, samples: Array, left: Array) -> float:
    y, w, criterion = problem.y[samples], problem.weight[samples], _criterion(problem)
    return float(np.mean([information_gain(t, left, criterion, w) for t in y.T]))


def _value(problem: _Problem, samples: Array) -> Array:
    """What a leaf of these samples answers: shape (outputs, classes)."""
    y, w = problem.y[samples], problem.weight[samples]
    if problem.growth.criterion in CLASSIFICATION:
        most = int(problem.n_classes.max())
        totals = [np.bincount(target, w, minlength=most) for target in y.T]
        shares: Array = np.array(totals) / w.sum()
        return shares
    if problem.growth.criterion == "absolute_error":
        return np.array([[median(target, w)] for target in y.T])
    means: Array = np.average(y, axis=0, weights=w)[:, None]
    return means


def _as_arrays(problem: _Problem) -> Tree:
    """The nodes, in the order in which they were made, as a `Tree`."""
    nodes = problem.nodes
    no_question = Question(-2, -2.0, False)
    questions = [node.question or no_question for node in nodes]
    words = np.zeros((len(nodes), 0), np.uint64)
    if problem.categorical.any():
        highest = np.nanmax(problem.x[:, problem.categorical], initial=0)
        words = np.zeros((len(nodes), int(highest) // 64 + 1), np.uint64)
        for number, question in enumerate(questions):
            for c in question.categories or ():
                words[number, c // 64] |= np.uint64(1 << (c % 64))
    return Tree.of(
        children_left=[node.left for node in nodes],
        children_right=[node.right for node in nodes],
        feature=[question.feature for question in questions],
        threshold=[question.threshold for question in questions],
        value=np.stack([node.value for node in nodes]),
        n_features=problem.x.shape[1],
        impurity=[node.impurity for node in nodes],
        n_node_samples=[len(node.samples) for node in nodes],
        weighted_n_node_samples=[problem.weight[node.samples].sum() for node in nodes],
        missing_go_to_left=[question.missing_left for question in questions],
        categories=words,
        n_classes=problem.n_classes,
    )
