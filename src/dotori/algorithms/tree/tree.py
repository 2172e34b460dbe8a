"""A decision tree as arrays: one entry for each node, as scikit-learn names them.

A node asks one question about a row: is ``x[feature] <= threshold``? Rows for which
that is so go on in its left child, others in its right one. The node is a leaf where
``children_left`` is -1; a leaf answers with its `value`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dotori.algorithms._stored import storable
from dotori.errors import DataError, ShapeError
from dotori.kernels import in_parallel
from dotori.kernels.tree_predict import tree_leaves

Array = NDArray[Any]
_WORTH_A_THREAD = 4096  # rows
_TWIN = 4e-7  # seconds that NumPy takes for a row in a tree

#: The arrays of a tree that have an entry for each node, and their types.
_KINDS: dict[str, np.dtype[Any]] = {
    "children_left": np.dtype(np.int64),
    "children_right": np.dtype(np.int64),
    "feature": np.dtype(np.int64),
    "threshold": np.dtype(np.float64),
    "impurity": np.dtype(np.float64),
    "n_node_samples": np.dtype(np.int64),
    "weighted_n_node_samples": np.dtype(np.float64),
    "value": np.dtype(np.float64),
    "missing_go_to_left": np.dtype(np.bool_),
    "categories": np.dtype(np.uint64),
}
NODE_ARRAYS = frozenset(_KINDS)


@storable
@dataclass(frozen=True)
class Tree:
    """A fitted tree. Node 0 is the root; children come after their parent.

    Parameters
    ----------
    children_left, children_right : ndarray of int64, shape (nodes,)
        The numbers of a node's children, -1 in leaves.
    feature : ndarray of int64, shape (nodes,)
        The column that a node asks about, -2 in leaves.
    threshold : ndarray of float64, shape (nodes,)
        Values up to it go left; infinity where only missing values go right, -2 in
        leaves, NaN where the node asks for a category.
    impurity : ndarray of float64, shape (nodes,)
        The criterion on the node's samples.
    n_node_samples : ndarray of int64, shape (nodes,)
    weighted_n_node_samples : ndarray of float64, shape (nodes,)
        The number of samples in a node, and the sum of their weights.
    value : ndarray of float64, shape (nodes, outputs, classes)
        The fraction of each class among the node's samples; in regression the mean
        (or median), with a last axis of 1.
    missing_go_to_left : ndarray of bool, shape (nodes,)
        Where a missing value (NaN) goes.
    categories : ndarray of uint64, shape (nodes, words) or (nodes, 0)
        Bit c of a node's row of words is set where category c goes left; a row of
        zeros belongs to a node that compares with its threshold.
    n_features : int
        The columns of the table that the tree was grown on.
    n_classes : ndarray of int64, shape (outputs,)
        The number of classes of each output, 1 in regression.

    Examples
    --------
    A stump: up to 2.5 the answer is 10, above it is 20.

    >>> stump = Tree.of(
    ...     children_left=[1, -1, -1],
    ...     children_right=[2, -1, -1],
    ...     feature=[0, -2, -2],
    ...     threshold=[2.5, -2, -2],
    ...     value=[[[15.0]], [[10.0]], [[20.0]]],
    ... )
    >>> stump.predict([[1.0], [4.0]]).tolist()
    [[10.0], [20.0]]
    """

    children_left: Array
    children_right: Array
    feature: Array
    threshold: Array
    impurity: Array
    n_node_samples: Array
    weighted_n_node_samples: Array
    value: Array
    missing_go_to_left: Array
    categories: Array
    n_features: int
    n_classes: Array

    def __post_init__(self) -> None:
        """Refuse what is no tree: a file may hold anything, and kernels trust it."""
        nodes = len(self.feature)
        for name, kind in _KINDS.items():
            array = getattr(self, name)
            if array.dtype != kind or len(array) != nodes or not nodes:
                raise DataError(
                    f"Tree: {name} must hold {nodes or 'some'} nodes of {kind}, got "
                    f"{array.dtype} of shape {array.shape}"
                )
        number, inside = np.arange(nodes), self.children_left >= 0
        for child in (self.children_left, self.children_right):
            # each child after its parent: every way down comes to an end
            after = (child > number) & (child < nodes)
            if not np.where(inside, after, child == -1).all():
                raise DataError("Tree: children must be nodes after their parent")
        known = (self.feature >= 0) & (self.feature < self.n_features)
        if not known[inside].all():
            raise DataError(f"Tree: a feature is not in 0 ... {self.n_features - 1}")
        if (self.value.ndim, self.categories.ndim) != (3, 2):
            raise DataError("Tree: value and categories have other axes than they must")
        if self.value.shape[1:] != (len(self.n_classes), self.n_classes.max()):
            raise DataError(
                f"Tree: value has the shape {self.value.shape}, which does not fit "
                f"n_classes = {self.n_classes}"
            )

    @classmethod
    def of(
        cls,
        *,
        children_left: ArrayLike,
        children_right: ArrayLike,
        feature: ArrayLike,
        threshold: ArrayLike,
        value: ArrayLike,
        n_features: int | None = None,
        **others: ArrayLike,
    ) -> Tree:
        """A tree from lists; what is left out is zero (or as in a numeric tree)."""
        column, answer = np.asarray(feature, np.int64), np.asarray(value, np.float64)
        nodes = len(column)
        zeros = np.zeros(nodes)

        def given(name: str, default: ArrayLike, dtype: Any) -> Array:
            return np.asarray(others.get(name, default), dtype)

        return cls(
            np.asarray(children_left, np.int64),
            np.asarray(children_right, np.int64),
            column,
            np.asarray(threshold, np.float64),
            given("impurity", zeros, np.float64),
            given("n_node_samples", zeros, np.int64),
            given("weighted_n_node_samples", zeros, np.float64),
            answer,
            given("missing_go_to_left", zeros, np.bool_),
            given("categories", np.zeros((nodes, 0)), np.uint64),
            int(max(column.max(), 0)) + 1 if n_features is None else n_features,
            given("n_classes", [answer.shape[2]] * answer.shape[1], np.int64),
        )

    @property
    def node_count(self) -> int:
        """The number of nodes, leaves included."""
        return len(self.feature)

    capacity = node_count  # as scikit-learn's trees say it

    @property
    def n_leaves(self) -> int:
        """The number of leaves."""
        return int(np.count_nonzero(self.children_left < 0))

    @property
    def n_outputs(self) -> int:
        """The number of outputs: columns of y."""
        return int(self.value.shape[1])

    @property
    def max_n_classes(self) -> int:
        """The classes of the output that has most of them."""
        return int(self.value.shape[2])

    @property
    def max_depth(self) -> int:
        """The number of questions on the longest way to a leaf."""
        return int(self.depths.max())

    @cached_property
    def _ways(self) -> Ways:
        nodes = {name: getattr(self, name) for name in NODE_ARRAYS}
        return Ways.of(nodes, np.array([0, self.node_count]))

    @cached_property
    def parents(self) -> Array:
        """The parent of each node, shape (nodes,); -1 for the root."""
        parents = np.full(self.node_count, -1)
        inside = np.flatnonzero(self.children_left >= 0)
        parents[self.children_left[inside]] = inside
        parents[self.children_right[inside]] = inside
        return parents

    @cached_property
    def depths(self) -> Array:
        """How many questions were asked before each node, shape (nodes,)."""
        depths = np.zeros(self.node_count, np.int64)
        level = np.zeros(1, np.int64)
        while len(level):
            level = level[self.children_left[level] >= 0]
            below = np.concatenate(
                [self.children_left[level], self.children_right[level]]
            )
            depths[below] = np.concatenate([depths[level]] * 2) + 1
            level = below
        return depths

    def apply(self, x: ArrayLike) -> Array:
        """The leaf in which each row ends.

        Parameters
        ----------
        x : array_like, shape (n, n_features)
            Is compared in float32, as it was when the tree grew.

        Returns
        -------
        ndarray of int64, shape (n,)

        Raises
        ------
        ShapeError
            If `x` has another number of columns.
        """
        return self._ways.leaves(x, self.n_features)[:, 0]

    def predict(self, x: ArrayLike) -> Array:
        """The values of the leaves: shape (n, classes), or (n, outputs, classes)."""
        answers = self.value.take(self.apply(x), axis=0)
        return answers[:, 0] if self.n_outputs == 1 else answers

    def decision_path(self, x: ArrayLike) -> tuple[Array, Array]:
        """The nodes that each row passes, from the root to its leaf.

        Returns
        -------
        indptr : ndarray of int64, shape (n + 1,)
        indices : ndarray of int64
            Row i passes ``indices[indptr[i]:indptr[i + 1]]``: a sparse matrix of shape
            (n, nodes) in the CSR format.
        """
        return self.ways(self.apply(x))

    def ways(self, node: Array) -> tuple[Array, Array]:
        """The ways from the root to each of these nodes, as in `decision_path`."""
        indptr = np.append(0, np.cumsum(self.depths[node] + 1))
        indices = np.empty(indptr[-1], np.int64)
        place = indptr[1:] - 1
        while len(node):  # all of them one step up at a time
            indices[place] = node
            node = self.parents[node]
            below_root = node >= 0
            node, place = node[below_root], place[below_root] - 1
        return indptr, indices

    def gains(self) -> Array:
        """By how much each split lowers the impurity, shape (nodes,); 0 in leaves.

        Weighted by the part of all samples that reaches the node, so that the gains of
        a tree add up to what it takes from the impurity of the root.
        """
        weighted = self.weighted_n_node_samples * self.impurity
        gains = np.zeros(self.node_count)
        inside = np.flatnonzero(self.children_left >= 0)
        left, right = self.children_left[inside], self.children_right[inside]
        gains[inside] = weighted[inside] - weighted[left] - weighted[right]
        gains /= self.weighted_n_node_samples[0] or 1.0
        return gains

    def compute_feature_importances(self, normalize: bool = True) -> Array:
        """The gains of the splits on each column, shape (n_features,).

        Breiman, Friedman, Olshen and Stone, "Classification and regression trees",
        1984, 5.3.4. They add up to 1, unless `normalize` is False.
        """
        inside = self.children_left >= 0
        gains = self.gains()[inside]
        total = np.bincount(self.feature[inside], gains, minlength=self.n_features)
        whole = total.sum()
        return total / whole if normalize and whole > 0 else total


@dataclass(frozen=True)
class Ways:
    """The nodes of one or more trees as the kernel that sends rows down takes them."""

    roots: Array
    links: Array
    threshold: Array
    categories: Array

    @classmethod
    def of(cls, nodes: Mapping[str, Array], first: Array) -> Ways:
        """From the arrays of `Tree`, for trees that begin at ``first[:-1]``.

        Thresholds are rounded down to float32, which changes no answer: x has that
        type, and no number of it lies between.
        """
        count = int(first[-1])
        number, root = np.arange(count), np.repeat(first[:-1], np.diff(first))
        inside = nodes["children_left"] >= 0
        links = np.zeros((count, 4), np.int32)
        links[:, 0] = np.where(inside, nodes["feature"], 0)
        links[:, 1] = np.where(inside, nodes["children_right"] + root, number)
        links[:, 2] = np.where(inside, nodes["children_left"] + root, number)
        links[:, 3] = nodes["missing_go_to_left"]
        exact = nodes["threshold"]
        with np.errstate(over="ignore"):
            rounded = exact.astype(np.float32)
            below = np.nextafter(rounded, np.float32(-np.inf))
        threshold = np.where(rounded > exact, below, rounded)
        return cls(first[:-1].astype(np.int64), links, threshold, nodes["categories"])

    def leaves(self, x: ArrayLike, n_features: int) -> Array:
        """The leaf of each row in each tree, from its root on.

        Parameters
        ----------
        x : array_like, shape (n, n_features)
        n_features : int

        Returns
        -------
        ndarray of int64, shape (n, trees)

        Raises
        ------
        ShapeError
            If `x` has another number of columns.
        """
        rows = np.ascontiguousarray(x, dtype=np.float32)
        if rows.ndim != 2 or rows.shape[1] != n_features:
            raise ShapeError(
                f"the tree was grown on {n_features} columns, so x must have the shape "
                f"(n, {n_features}), got {rows.shape}"
            )
        trees = len(self.roots)
        leaves = np.empty((len(rows), trees), np.int64)
        seconds = _TWIN * len(rows) * trees

        def piece(start: int, stop: int) -> None:
            part = slice(start, stop)
            nodes = (self.roots, self.links, self.threshold, self.categories)
            tree_leaves.run(seconds, rows[part], leaves[part], *nodes)

        in_parallel(len(rows), piece, least=max(1, _WORTH_A_THREAD // trees))
        return leaves
