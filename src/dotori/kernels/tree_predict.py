"""Rows sent down the trees of a forest, each to its leaf.

The nodes of all trees lie in a row, `roots` says where each tree begins, and a node is
four numbers in `links`: its column, the node for the answer no, the one for yes, and
the answer for a missing value. A leaf is a node that leads to itself. A tree alone is
a forest with ``roots = [0]``.

A node with bits in its row of `categories` is a question about a category: number c
goes left where bit c is set.
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
_ABREAST = 8  # rows that go down together: one waits for memory while others move


def tree_leaves_numpy(
    x: Array,
    leaves: Array,
    roots: Array,
    links: Array,
    threshold: Array,
    categories: Array,
) -> None:
    """leaves[i, t] = the leaf of tree t in which row i of `x` ends, from its root on.

    `x` has the shape (n, d), `leaves`, written in place, (n, trees), `roots` (trees,),
    `links` (nodes, 4), `threshold` (nodes,) and `categories` (nodes, words), words of
    64 bits.
    """
    n, trees = leaves.shape
    step = max(1, _BLOCK // max(trees, 1))
    for start in range(0, n, step):
        block = x[start : start + step]
        first = np.repeat(np.arange(len(block)) * x.shape[1], trees)
        root = np.resize(roots, len(first))
        node = root.copy()
        moving = np.arange(len(node))
        while len(moving):
            at = node[moving]
            link = links.take(at, axis=0)
            value = block.ravel().take(first[moving] + link[:, 0])
            yes = value <= threshold.take(at)
            if categories.shape[1]:
                _answer_subsets(yes, value, categories.take(at, axis=0))
            yes = np.where(value != value, link[:, 3] != 0, yes)
            after = np.where(yes, link[:, 2], link[:, 1])
            node[moving] = after
            moving = moving[after != at]
        leaves[start : start + step] = (node - root).reshape(-1, trees)


def _answer_subsets(yes: Array, value: Array, words: Array) -> None:
    """Put in the answers of those nodes that ask for categories."""
    which = np.flatnonzero(words.any(axis=1))
    words, value = words[which], value[which]
    most = 64 * words.shape[1]
    known = (value >= 0) & (value < most)
    number = np.where(known, value, 0).astype(np.int64)
    word = words[np.arange(len(words)), number >> 6]
    bit = (word >> (number & 63).astype(np.uint64)) & np.uint64(1)
    yes[which] = known & (bit == 1)


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


@inner
def _leaf(x: Any, root: Any, links: Any, threshold: Array, categories: Array) -> Any:
    """The leaf of one row."""
    node = root
    while links[node, 1] != node:
        v = x[links[node, 0]]
        if v != v:
            yes = links[node, 3] != 0
        else:
            yes = _goes_left(v, node, threshold, categories)
        node = np.int64(links[node, 2] if yes else links[node, 1])
    return node


@paired(tree_leaves_numpy, passes=40)
def tree_leaves(
    x: Array,
    leaves: Array,
    roots: Array,
    links: Array,
    threshold: Array,
    categories: Array,
) -> None:
    """Tree after tree for some rows at a time: both then stay in the cache.

    Rows that go down abreast move without a branch that the processor has to guess;
    one that has arrived stays where it is.
    """
    n = x.shape[0]
    at = np.empty(_ABREAST, np.int64)
    abreast = _ABREAST if categories.shape[1] == 0 else n + 1
    for start in range(0, n, _ROWS):
        stop = min(n, start + _ROWS)
        for t in range(roots.shape[0]):
            root = roots[t]
            i = start
            while i + abreast <= stop:
                at[:] = root
                moved = 1
                while moved != 0:
                    moved = 0
                    for k in range(_ABREAST):
                        node = at[k]
                        v = x[i + k, links[node, 0]]
                        yes = (v <= threshold[node]) | (
                            (v != v) & (links[node, 3] != 0)
                        )
                        after = np.int64(links[node, 1 + yes])
                        moved |= after ^ node
                        at[k] = after
                for k in range(_ABREAST):
                    leaves[i + k, t] = at[k] - root
                i += _ABREAST
            while i < stop:
                leaf = _leaf(x[i], root, links, threshold, categories)
                leaves[i, t] = leaf - root
                i += 1
