"""Space in which `tree_grow` works on one node at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

Array = NDArray[Any]


class Room(NamedTuple):
    """Space for one node at a time; m samples, q outputs, k classes."""

    values: Array  # float32 (m,): a column of the node's samples
    keys: Array  # uint64 (m,): (value, number of the sample), in the column's order
    spare: Array  # uint64 (m,)
    counts: Array  # int64: of buckets
    side: Array  # uint8 (n,): whether a sample goes left
    ys: Array  # float64 (m, q): targets and weights in the column's order
    ws: Array  # float64 (m,)
    breaks: Array  # uint8 (m,): whether a split may lie behind a sample
    total: Array  # float64 (q, k)
    left: Array  # float64 (q, k): sums of the walk
    right: Array  # float64 (q, k)
    limits: Array  # float64 (4,): weight of a leaf, bounds of its answer, direction


class More(NamedTuple):
    """Space for what most trees do not need. None where it is not compiled."""

    ranks: Array  # float64 (n, q): places of the targets in their order
    medians: Array  # float64 (2 q + 4, m): sorted targets, weights, errors, medians
    chain: Array  # int64 (2, m): neighbours among the sorted targets
    place: Array  # int64 (categories,): a category's place in the order of the means
    sums: Array  # float64 (2, categories)


class Best(NamedTuple):
    """The best split so far."""

    gain: Array  # float64 (3,): what was compared, and the values around the split
    which: Array  # int64 (3,): column, missing values to the left, columns that vary
    bits: Array  # uint64 (words,): the categories on its left
