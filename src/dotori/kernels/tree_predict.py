"""Rows sent down the trees of a forest, each to its leaf.

The nodes of all trees lie in a row; `roots` says where each tree begins, and children
are counted from their own tree's root. A tree alone is a forest with ``roots = [0]``.

A value that is missing goes where `missing_left` says. A node with bits in its row of
`categories` is a question about a category: number c goes left where bit c is set.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotori.kernels._compiler import inner
from dotori.kernels._pair import paired

Array = NDArray[Any]
_BLOCK = 65_536  # pairs of a row and a tree that the twin moves at a time
_ROWS = 512  # rows that the loop sends down one tree after the other


def tree_leaves_numpy(
    x: Array,
    leaves: Array,
    roots: Array,
    left: Array,
    right: Array,
    feature: Array,
    threshold: Array,
    missing_left: Array,
    categories: Array,
) -> None:
    """leaves[i, t] = the leaf of tree t in which row i of `x` ends.

    `x` has the shape (n, d), `leaves`, written in place, (n, trees), `roots` (trees,);
    the others have one entry for each node, `categories` a row of words of 64 bits.
    """
    n, trees = leaves.shape
    step = max(1, _BLOCK // max(trees, 1))
    for start in range(0, n, step):
        rows = np.repeat(np.arange(start, min(n, start + step)), trees)
        base = np.resize(roots, len(rows))
        node = base.copy()
        moving = np.flatnonzero(left[node] >= 0)
        while len(moving):
            at = node[moving]
            value = x[rows[moving], feature[at]]
            goes_left = value <= threshold[at]
            if categories.shape[1]:
                by_category = categories[at].any(axis=1)
                which = np.flatnonzero(by_category)
                words = categories[at[which]]
                goes_left[which] = _bits_numpy(words, value[which])
            goes_left = np.where(value != value, missing_left[at], goes_left)
            at = base[moving] + np.where(goes_left, left[at], right[at])
            node[moving] = at
            moving = moving[left[at] >= 0]
        leaves[start : start + step] = (node - base).reshape(-1, trees)


def _bits_numpy(words: Array, value: Array) -> Array:
    """Whether the bit of each value's number is set in its row of words."""
    number = np.where(value >= 0, value, 64.0 * words.shape[1])
    outside = number >= 64 * words.shape[1]
    number = np.where(outside, 0, number).astype(np.int64)
    word = words[np.arange(len(words)), number >> 6]
    bit = (word >> (number & 63).astype(np.uint64)) & np.uint64(1)
    set_there: Array = (bit == 1) & ~outside
    return set_there


@inner
def _goes_left(v: Any, node: int, threshold: Array, categories: Array) -> bool:
    words = categories.shape[1]
    is_subset = False
    for w in range(words):
        is_subset |= categories[node, w] != 0
    if not is_subset:
        return bool(v <= threshold[node])
    if v < 0 or v >= 64 * words:
        return False
    c = np.int64(v)
    bit = (categories[node, c >> 6] >> np.uint64(c & 63)) & np.uint64(1)
    return bool(bit == 1)


@paired(tree_leaves_numpy, passes=40)
def tree_leaves(
    x: Array,
    leaves: Array,
    roots: Array,
    left: Array,
    right: Array,
    feature: Array,
    threshold: Array,
    missing_left: Array,
    categories: Array,
) -> None:
    """Tree after tree for some rows at a time: both then stay in the cache."""
    n = x.shape[0]
    for start in range(0, n, _ROWS):
        for t in range(roots.shape[0]):
            root = roots[t]
            for i in range(start, min(n, start + _ROWS)):
                node = root
                while left[node] >= 0:
                    v = x[i, feature[node]]
                    if v != v:
                        goes_left = missing_left[node]
                    else:
                        goes_left = _goes_left(v, node, threshold, categories)
                    node = root + (left[node] if goes_left else right[node])
                leaves[i, t] = node - root
