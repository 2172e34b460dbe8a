"""`Forest`: many trees as one set of arrays, their nodes in a row.

A hundred trees are twelve arrays and not twelve hundred: they lie close together in
memory, go into a file at once, and rows are sent down all of them by one kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dotori.algorithms._stored import storable
from dotori.algorithms.tree.bootstrap import Bootstrap
from dotori.algorithms.tree.tree import NODE_ARRAYS, Tree, Ways
from dotori.errors import ArgumentError, DataError
from dotori.kernels import in_parallel

Array = NDArray[Any]
_AT_ONCE = 1 << 21  # leaves, of all rows and trees, that are looked up at a time


@storable
@dataclass(frozen=True)
class Forest:
    """Fitted trees of equal outputs. `Forest.of` puts them together.

    Parameters
    ----------
    nodes : dict of str to ndarray
        The arrays of `Tree` that have an entry for each node, tree after tree.
        Children are counted from their own tree's root.
    first : ndarray of int64, shape (trees + 1,)
        Where each tree begins, and the number of nodes.
    n_features : int
    n_classes : ndarray of int64, shape (outputs,)

    Examples
    --------
    >>> stumps = [
    ...     Tree.of(
    ...         children_left=[1, -1, -1],
    ...         children_right=[2, -1, -1],
    ...         feature=[0, -2, -2],
    ...         threshold=[at, -2, -2],
    ...         value=[[[0.0]], [[0.0]], [[1.0]]],
    ...     )
    ...     for at in (1.0, 2.0)
    ... ]
    >>> Forest.of(stumps).predict([[0.0], [1.5], [3.0]]).tolist()
    [[[0.0]], [[0.5]], [[1.0]]]
    """

    nodes: dict[str, Array]
    first: Array
    n_features: int
    n_classes: Array

    def __post_init__(self) -> None:
        first = self.first
        if first.dtype != np.int64 or len(first) < 2 or set(self.nodes) != NODE_ARRAYS:
            raise DataError(
                "Forest: there must be at least one tree, and all its arrays"
            )
        if first[0] != 0 or not (np.diff(first) > 0).all():
            raise DataError("Forest: trees must begin one after the other")
        for array in self.nodes.values():
            if len(array) != first[-1]:
                raise DataError(f"Forest: {first[-1]} nodes wanted, got {len(array)}")
        for tree in range(len(self)):
            self.tree(tree)  # refuses what is no tree

    @classmethod
    def of(cls, trees: Sequence[Tree]) -> Forest:
        """The forest of these trees.

        Raises
        ------
        ArgumentError
            If there is no tree.
        """
        stack = Stack(len(trees))
        for tree in trees:
            stack.add(tree)
        return stack.forest()

    def __len__(self) -> int:
        return len(self.first) - 1

    def tree(self, number: int) -> Tree:
        """One of the trees; its arrays are views."""
        part = slice(self.first[number], self.first[number + 1])
        arrays = {name: array[part] for name, array in self.nodes.items()}
        return Tree(**arrays, n_features=self.n_features, n_classes=self.n_classes)

    def apply(self, x: ArrayLike) -> Array:
        """The leaf of each row in each tree: int64, shape (n, trees)."""
        return self._ways.leaves(x, self.n_features)

    @cached_property
    def _ways(self) -> Ways:
        return Ways.of(self.nodes, self.first)

    def predict(self, x: ArrayLike) -> Array:
        """The mean of the trees' answers: shape (n, outputs, classes)."""
        value = self.nodes["value"]
        rows = np.ascontiguousarray(x, dtype=np.float32)
        answers = np.zeros((len(rows), *value.shape[1:]))
        step = max(1, _AT_ONCE // len(self))
        for i in range(0, len(rows), step):
            part = slice(i, i + step)
            leaves = self.apply(rows[part]).T + self.first[:-1, None]
            answers[part] = self._sum(leaves)
        answers /= len(self)
        return answers

    def _sum(self, leaves: Array) -> Array:
        """The sum of the values of leaves (trees, n) over the trees, on threads."""
        value = self.nodes["value"]
        total = np.zeros((leaves.shape[1], *value.shape[1:]))

        def piece(start: int, stop: int) -> None:
            for leaf in leaves[:, start:stop]:
                total[start:stop] += value.take(leaf, axis=0)

        in_parallel(leaves.shape[1], piece, least=max(1, 16_384 // len(self)))
        return total

    def out_of_bag(
        self, x: Array, bootstrap: Bootstrap, seeds: Array
    ) -> tuple[Array, Array]:
        """What the trees say of rows that were not in their samples.

        Parameters
        ----------
        x : ndarray of float32, shape (n, n_features)
            What the trees were grown on.
        bootstrap : Bootstrap
        seeds : ndarray of int64, shape (trees,)
            Of the trees' samples.

        Returns
        -------
        answers : ndarray, shape (n, outputs, classes)
            The mean over these trees; 0 where there is none.
        trees : ndarray of int64, shape (n,)
            How many trees have not seen each row.
        """
        answers = np.zeros((len(x), *self.nodes["value"].shape[1:]))
        trees = np.zeros(len(x), np.int64)
        for t, seed in enumerate(seeds.tolist()):
            rows = np.flatnonzero(bootstrap.counts(seed) == 0)
            tree = self.tree(t)
            answers[rows] += tree.value.take(tree.apply(x[rows]), axis=0)
            trees[rows] += 1
        answers /= np.maximum(trees, 1)[:, None, None]
        return answers, trees


class Stack:
    """A forest that is being made: each tree is copied behind the others.

    Memory for all is reserved by the size of the first tree, but is not in use before
    something is written there. So trees can be freed as they come, and at no time is
    there room for all of them twice.

    Parameters
    ----------
    count : int
        How many trees there will be.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._nodes: dict[str, Array] = {}
        self._first = [0]
        self._shape: tuple[int, Array] | None = None

    def __len__(self) -> int:
        return len(self._first) - 1

    def add(self, tree: Tree) -> None:
        """Copy a tree behind the others."""
        if self._shape is None:
            self._shape = (tree.n_features, tree.n_classes)
        start = self._first[-1]
        stop = start + tree.node_count
        for name in NODE_ARRAYS:
            array = getattr(tree, name)
            room = self._room(name, array, start, stop)
            room[start:stop] = 0
            place = (slice(start, stop), *(slice(n) for n in array.shape[1:]))
            room[place] = array
        self._first.append(stop)

    def _room(self, name: str, like: Array, used: int, wanted: int) -> Array:
        """The array of all trees, with room for `wanted` nodes as wide as these."""
        old = self._nodes.get(name)
        if old is not None and wanted <= len(old) and _as_wide(old, like):
            return old
        nodes = max(wanted, int(1.2 * len(like) * self._count))
        wide = like.shape[1:]
        if old is not None:
            nodes = max(nodes, len(old) if wanted <= len(old) else int(1.5 * len(old)))
            wide = tuple(map(max, wide, old.shape[1:]))
        room = np.empty((nodes, *wide), like.dtype)
        if old is not None:
            room[:used] = 0
            room[(slice(used), *(slice(n) for n in old.shape[1:]))] = old[:used]
        self._nodes[name] = room
        return room

    def forest(self) -> Forest:
        """The forest of all trees so far."""
        if self._shape is None:
            raise ArgumentError("a forest needs at least one tree, got none")
        nodes = {name: array[: self._first[-1]] for name, array in self._nodes.items()}
        return Forest(nodes, np.array(self._first, np.int64), *self._shape)


def _as_wide(room: Array, array: Array) -> bool:
    pairs = zip(room.shape[1:], array.shape[1:], strict=True)
    return all(width >= other for width, other in pairs)
